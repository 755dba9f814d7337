"""Values in Markdown: no character of them is syntax, a mention, a link or HTML."""

from __future__ import annotations

import html
import re

from pulumi_huaweicloud_cbr.base.text import inert

# Every character with a meaning in Markdown, also an underscore at the edge of a word and the dot
# of a "www." link.
_SYNTAX = re.compile(r"[^\w ./,→…()-]|(?<![^\W_])_|_(?![^\W_])|(?<=www)\.", re.IGNORECASE)
# No text can contain half of a character, as JSON can.
_HALVES = re.compile("[\ud800-\udfff]")


def escaped(text: str) -> str:
    """Return the text for a line of Markdown."""
    line = " ".join(_whole(text).split("\n"))
    return _SYNTAX.sub(lambda found: f"&#{ord(found[0])};", line)


def code(text: str) -> str:
    """Return an inline code element; mentions and links are not formed inside one."""
    return f"<code>{escaped(text)}</code>"


def block(text: str) -> str:
    """Return a preformatted block; Markdown reads nothing before its end tag."""
    return f"<pre>\n{html.escape(_whole(text))}\n</pre>"


def _whole(text: str) -> str:
    """Return the text without halves of characters, and without those that act on what follows."""
    return inert(_HALVES.sub("?", text))
