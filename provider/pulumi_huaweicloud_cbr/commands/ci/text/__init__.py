"""The words of a report: one model of phrases, shown as Markdown or as plain text.

What a preview would do is not decided here: see `plan`. Nothing here runs a program.
"""
