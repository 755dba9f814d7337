"""The documents' links resolve, and their tables are well formed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

import pytest

REPOSITORY = Path(__file__).parents[2]
# Files that `make` and tools put into the checkout.
NOT_OURS = re.compile(r"\.(?!github/)[^/]*/|build/|dist/")
FENCE = re.compile(r"^[ \t]*```.*?^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?)[ #]*$", re.MULTILINE)
TABLE = re.compile(r"^\|.*\n\|[-:| ]+\|\n(?:\|.*\n?)*", re.MULTILINE)
CELL_END = re.compile(r"(?<!\\)\|")
OF_ANOTHER_HOST = ("https://", "http://", "mailto:")


def documents() -> list[Path]:
    """Return all Markdown files of the repository."""
    return sorted(
        path
        for path in REPOSITORY.rglob("*.md")
        if not NOT_OURS.match(path.relative_to(REPOSITORY).as_posix())
    )


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes of a document's headings."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 1
        numbered = anchor
        while numbered in found:
            numbered = f"{anchor}-{number}"
            number += 1
        found.add(numbered)
    return found


@lru_cache
def anchors_of(document: Path) -> set[str]:
    """Return the anchors of a file."""
    return anchors(document.read_text(encoding="utf-8"))


def links(text: str) -> Iterator[str]:
    """Yield the targets of a document's links within the repository."""
    for link in LINK.findall(CODE.sub("`code`", FENCE.sub("", text))):
        if not link.startswith(OF_ANOTHER_HOST):
            yield link


def broken(document: Path, text: str) -> list[str]:
    """Return the links to missing files or headings."""
    found = []
    for link in links(text):
        path, _, anchor = unquote(link).partition("#")
        target = document.parent / path
        is_there = target.exists()
        if is_there and anchor:
            is_there = anchor in (anchors_of(target) if path else anchors(text))
        if not is_there:
            found.append(link)
    return found


def uneven(text: str) -> list[str]:
    """Return the table rows with another number of cells than the head."""
    found = []
    for table in TABLE.findall(FENCE.sub("", text)):
        head, *rows = table.splitlines()
        columns = len(CELL_END.findall(head))
        found += [row for row in rows if len(CELL_END.findall(row)) != columns]
    return found


DOCUMENTS = [path.relative_to(REPOSITORY).as_posix() for path in documents()]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_resolve(name: str) -> None:
    """Each relative link names a file that exists, and each anchor a heading in it."""
    document = REPOSITORY / name

    assert [] == broken(document, document.read_text(encoding="utf-8"))


def test_broken_links_are_found() -> None:
    """A missing file and a missing heading are reported; code and other hosts are ignored."""
    text = (
        "# Some *Title*: `code` & more\n## Twice\n## Twice\n"
        "[a](#some-title-code--more) [b](#twice-1) [c](README.md#two-commands) [d](docs)\n"
        "[e](#twice-2) [f](README.md#nowhere) [g](nowhere.md) [h](https://example.com/#x)\n"
        "`[i](no-link)`\n```\n# No heading\n[j](no-link)\n```\n[k](#no-heading)\n"
    )

    assert ["#twice-2", "README.md#nowhere", "nowhere.md", "#no-heading"] == broken(
        REPOSITORY / "TEXT.md", text
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_tables_are_even(name: str) -> None:
    """A longer row is cut off, and a wrong delimiter row leaves no table."""
    assert [] == uneven((REPOSITORY / name).read_text(encoding="utf-8"))


def test_uneven_rows_are_found() -> None:
    """A delimiter row counts as well. An escaped bar ends no cell, and code is no table."""
    even = "| a | b |\n|---|---|\n| `x \\| y` | |\n"
    code = "```\n| a |\n|---|---|\n```\n"

    assert ["|---|", "| d |"] == uneven(f"{even}\n{code}| a | b |\n|---|\n| c | d |\n| d |\n")


def defined_in(source: str) -> set[str]:
    """Return the classes, functions and typed fields of a module."""
    nodes = list(ast.walk(ast.parse(source)))
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    named = {node.name for node in nodes if isinstance(node, kinds)}
    targets = [node.target for node in nodes if isinstance(node, ast.AnnAssign)]
    return named | {target.id for target in targets if isinstance(target, ast.Name)}


def test_glossary_names_code_that_exists() -> None:
    """Each term is listed once, and names a class, a function or a field of the package."""
    page = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.partition("\n## Glossary\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([a-z ,-]+) \| .+ \| `(\w+)` \|$", section, re.MULTILINE)
    sources = (path.read_text(encoding="utf-8") for path in REPOSITORY.glob("provider/**/*.py"))
    defined = {name for source in sources for name in defined_in(source)}

    assert len(section.strip().splitlines()) - 4 == len(rows) == len({term for term, _ in rows})
    assert [] == [name for _, name in rows if name not in defined]


def test_documents_have_links_and_tables() -> None:
    """The tests above find something to check."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")

    assert len(TABLE.findall((REPOSITORY / "docs/reference/resources.md").read_text())) > 1
    assert {"docs/start.md", "docs/explanation/crash-safety.md", "CONTRIBUTING.md"} <= set(
        links(readme)
    )
