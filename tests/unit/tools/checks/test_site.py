"""The site's pages in the Markdown of its generator, and what counts as a fault in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.checks.site import as_older_markdown, faults

REPOSITORY = Path(__file__).resolve().parents[4]
DOCS = REPOSITORY / "docs"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("a:\n- b\n- c\n", "a:\n\n- b\n- c\n"),
        ("a\n| b |\n|---|\nc\n", "a\n\n| b |\n|---|\n\nc\n"),
        ("<!-- a -->\n| b |\n|---|\n<!-- c -->\n", "<!-- a -->\n\n| b |\n|---|\n\n<!-- c -->\n"),
        (
            "1. a\n   ```\n   b\n     c\n   ```\n2. d\n",
            "1. a\n    ```\n    b\n      c\n    ```\n2. d\n",
        ),
        ("- a\n  b\n  - c\n    d\n- e\n", "- a\n    b\n    - c\n        d\n- e\n"),
        ("- a\n\n  b\n\nc\n", "- a\n\n    b\n\nc\n"),
        ("- a\n# b\n- c\n", "- a\n# b\n\n- c\n"),
        ("| `a \\| b` | c \\| d |\n", "| `a | b` | c \\| d |\n"),
        ("a\n```\n- b\n| c\n```\nd\n", "a\n```\n- b\n| c\n```\nd\n"),
    ],
    ids=[
        "list",
        "table",
        "comments",
        "code",
        "nested",
        "paragraphs",
        "heading",
        "bars",
        "code-block",
    ],
)
def test_page_gets_room(page: str, expected: str) -> None:
    """Lists and tables have empty lines around them, and each level has four columns."""
    assert expected == as_older_markdown(page)


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_page_keeps_its_words(page: Path) -> None:
    """Nothing changes but space, and the bars in tables."""
    text = page.read_text(encoding="utf-8")
    changed = as_older_markdown(text)

    assert text.replace("\\|", "|").split() == changed.replace("\\|", "|").split()


def test_faults_are_found(tmp_path: Path) -> None:
    """A missing page, a missing anchor, and what is loaded from elsewhere; links may go there."""
    (tmp_path / "a.html").write_text(
        '<h1 id="top"></h1><a href="b.html#here"></a><a href="#top"></a><a href="gone.html"></a>'
        '<a href="b.html#gone"></a><a href="https://example.com"></a><img src="x.png">'
        '<script src="https://example.com/x.js"></script>'
        '<link rel="canonical" href="https://example.com/a.html">'
    )
    (tmp_path / "c.css").write_text(
        '@import "//example.com/a.css"; a { background: url(https://example.com/b.png) url(d.png) }'
    )
    (tmp_path / "b.html").write_text('<p id="here"></p>')

    assert [
        "a.html: broken link b.html#gone",
        "a.html: broken link gone.html",
        "a.html: loads https://example.com/x.js",
        "c.css: loads //example.com/a.css",
        "c.css: loads https://example.com/b.png",
    ] == faults(tmp_path)


def pages_of(nav: Any) -> list[str]:
    """Return the pages that a navigation names."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in pages_of(part)]


class Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, which names a function of the site's generator."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def test_navigation_has_every_page() -> None:
    """Each page can be reached; those of single decisions from their list."""
    text = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    told = pages_of(yaml.load(text, Loader)["nav"])
    there = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    decisions = {name for name in there if name.startswith("decisions/0")}

    assert sorted(there - decisions) == sorted(told)
