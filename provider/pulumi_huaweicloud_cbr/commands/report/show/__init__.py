"""The report as text, as a page, as metrics and as test results. Nothing here computes a figure.

Names in a report may have any character: each form but the text takes a `clean.CleanReport`.
"""
