"""What commands print, whatever the encoding of the terminal or file is."""

from __future__ import annotations

import codecs
import io
import json
import sys
from typing import Any, TextIO


def print_whatever_comes() -> None:
    """Make output replace characters that its encoding lacks, instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def takes_every_character(stream: TextIO) -> bool:
    """Whether a stream's encoding has every character, so that JSON needs no escapes."""
    return codecs.lookup(stream.encoding or "utf-8").name.startswith("utf")


def print_json(document: Any) -> None:
    """Print a document; characters that the output lacks are escaped."""
    print(json.dumps(document, indent=2, ensure_ascii=not takes_every_character(sys.stdout)))


def tell(message: str) -> None:
    """Print what the user should know beside the result, which programs may read."""
    print(message, file=sys.stderr, flush=True)
