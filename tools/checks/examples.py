"""The examples in the pages: programs, configurations and commands, so that tests can try them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_IMPORTS = "import pulumi\nimport pulumi_huaweicloud_cbr as cbr\n\n"


class Example(NamedTuple):
    """A code block: its page, its line in the page, its language, and its text without indent."""

    page: str
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        """The place, as a test's id."""
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Return the pages whose examples are tried: the READMEs, and the site without decisions."""
    docs = sorted((REPOSITORY / "docs").rglob("*.md"))
    return [
        *sorted(REPOSITORY.glob("README*.md")),
        *(page for page in docs if page.parent.name != "decisions"),
    ]


def examples(language: str) -> Iterator[Example]:
    """Yield the examples in a language; plain blocks have the language ``""``."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            if found[2] != language:
                continue
            lines = [line.removeprefix(found[1]) for line in found[3].splitlines()]
            line = text.count("\n", 0, found.start()) + 1
            name = page.relative_to(REPOSITORY).as_posix()
            yield Example(name, line, language, "\n".join(lines) + "\n")


def programs() -> Iterator[Example]:
    """Yield the Python examples; a part of a program gets the imports that all programs have."""
    for example in examples("python"):
        has_imports = "import pulumi_huaweicloud_cbr" in example.text
        yield example if has_imports else example._replace(text=_IMPORTS + example.text)


def command_lines() -> Iterator[tuple[Example, str]]:
    """Yield each line of the plain blocks, with lines that continue it; comments are left out."""
    for example in examples(""):
        for line in example.text.replace("\\\n", " ").splitlines():
            yield example, re.sub(r"\s+#\s.*", "", line)
