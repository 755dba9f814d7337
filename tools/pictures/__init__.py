"""Draws the comments that the documentation shows: `make pictures`, with a headless Chromium.

What a comment says does not belong here, nor do the previews: `tests.e2e.six_comments` makes them.
"""
