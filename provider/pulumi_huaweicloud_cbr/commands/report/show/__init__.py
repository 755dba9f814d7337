"""The report as text, as a page, as metrics and as test results. Nothing here computes a figure."""
