"""Shows a report: as Markdown for a comment or a step summary, or as plain text on a terminal.

What the report says does not belong here: see `text`.
"""
