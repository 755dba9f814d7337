"""A page that shows a comment about as GitHub does, with a stylesheet of our own."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

_STYLE = """
body { margin: 0; padding: 12px; width: 780px; background: #fff; color: #1f2328;
  font: 14px/1.5 "DejaVu Sans", sans-serif; }
h3 { font-size: 17px; margin: 4px 0 10px; }
p { margin: 0 0 10px; }
code { font: 12px "DejaVu Sans Mono", monospace; background: #eff1f3; padding: 2px 4px;
  border-radius: 5px; }
pre { font: 12px/1.45 "DejaVu Sans Mono", monospace; background: #f6f8fa; padding: 10px;
  border-radius: 6px; white-space: pre-wrap; margin: 0 0 10px; }
table { border-collapse: collapse; margin: 0 0 12px; font-size: 13px; }
th, td { border: 1px solid #d1d9e0; padding: 5px 11px; text-align: left; vertical-align: top; }
tr:nth-child(2n) td { background: #f6f8fa; }
blockquote { margin: 0 0 12px; padding: 2px 14px; border-left: 4px solid #d1d9e0; }
blockquote p { margin: 6px 0; }
blockquote.caution { border-color: #d1242f; }
blockquote.caution > .title { color: #d1242f; font-weight: bold; }
blockquote.warning { border-color: #9a6700; }
blockquote.warning > .title { color: #9a6700; font-weight: bold; }
details { margin: 0 0 8px; }
a { color: #0969da; text-decoration: none; }
"""
_ALERT = re.compile(r"<blockquote>\s*<p>\[!(CAUTION|WARNING)\]\s*")


def page_of(comment: str) -> str:
    """Return a comment as a whole HTML page."""
    renderer = MarkdownIt("commonmark", {"html": True}).enable("table")
    body = _ALERT.sub(_alert, renderer.render(comment))
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style><body>{body}</body>"


def _alert(found: re.Match[str]) -> str:
    kind = found[1].lower()
    return f'<blockquote class="{kind}"><p class="title">{kind.capitalize()}</p><p>'
