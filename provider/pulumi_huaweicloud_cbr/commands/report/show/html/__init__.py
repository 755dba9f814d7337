"""The report as one HTML page without anything outside of it.

`page` fills the templates, `view` says what they show, `words` spells values, and `flows` and
`timeline` draw. What a click does is in ``templates/page.js``.
"""
