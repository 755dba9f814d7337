"""Draws what the documentation shows, with a headless Chromium: comments, and the report's page.

`make pictures` and `make report-pictures` call it. What a comment or the page says does not belong
here, nor do the previews: `tests.e2e.six_comments` makes them.
"""
