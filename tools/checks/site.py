"""``python -m tools.checks.site``: build the documentation site, and look at what was built.

The pages are written as GitHub shows them. The site's generator reads an older Markdown. It wants
an empty line before a list or a table, and four columns for what is inside a list item. So it gets
a copy of the pages in that form.

Zensical builds it strictly, but it accepts a page of ``nav`` that does not exist. So each link and
each anchor of the built pages is checked here as well. No page may load anything from another host:
readers' addresses are nobody else's business, and the site works without a network.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

REPOSITORY = Path(__file__).resolve().parents[2]
SITE = REPOSITORY / "build" / "site"
WORKSHOP = REPOSITORY / "build" / "site-source"
"""Zensical keeps its cache beside its configuration. Here it cannot touch ours."""

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TRACEBACK = "Traceback (most recent call last):"
LOADED = {
    "audio": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "script": "src",
    "source": "src",
    "video": "src",
}
"""Elements that load something by themselves, with the attribute that says from where."""
LOADED_BY_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""")
NOT_LOADED = {"canonical", "next", "prev", "edit"}
"""Values of `rel` with which a `link` element is only a link."""


ITEM = re.compile(r" *([-*+]|\d+\.) +(?=\S)")
FENCE = re.compile(r" *(```+|~~~+)")
ROW = re.compile(r" *\|")
SECTION = re.compile(r"^( +(?:Raises|Returns|Source):)", re.MULTILINE)
COMMENT = re.compile(r" *<!--")
BLOCKS = (FENCE, ROW, COMMENT, re.compile(r"#{1,6} "))
"""Lines that never continue the paragraph of a list item."""


def as_older_markdown(text: str) -> str:
    """Return a page with empty lines around lists, tables and comments, and lists of four columns.

    Bars in the code of tables lose their escapes. Lines of a paragraph stay as they are, and code
    keeps its own indentation.
    """
    page = _OlderMarkdown()
    for line in text.splitlines():
        page.add(line)
    return "\n".join([*page.lines, ""])


def _unescaped(line: str) -> str:
    """Return a table's row with plain bars in code, where GitHub wants them escaped."""
    if not ROW.match(line):
        return line
    return re.sub(r"`[^`]*`", lambda code: code[0].replace("\\|", "|"), line)


class _OlderMarkdown:
    """A page that is written line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._items: list[tuple[int, int]] = []
        """The list items around the line: where each begins, and where its text begins."""
        self._fence = ""

    def add(self, line: str) -> None:
        """Add a line of the page."""
        opened = FENCE.match(line)
        if not self._fence and line.strip():
            self._begin(line)
        self.lines.append(self._moved(line if self._fence else _unescaped(line)))
        if not self._fence and opened:
            self._fence = opened[1]
        elif line.strip() == self._fence:
            self._fence = ""

    def _begin(self, line: str) -> None:
        """Leave the lists that end before a line, and add an empty line if it needs one."""
        begin = len(line) - len(line.lstrip())
        before = self.lines[-1] if self.lines else ""
        item = ITEM.match(line)
        left: list[int] = []
        if item or not before or any(kind.match(line) for kind in BLOCKS):
            while self._items and begin < self._items[-1][1]:
                left.append(self._items.pop()[0])
        if before and self._wants_room(line, before, starts_list=bool(item) and begin not in left):
            self.lines.append("")
        if item:
            self._items.append((begin, item.end()))

    def _wants_room(self, line: str, before: str, *, starts_list: bool) -> bool:
        is_row, was_row = bool(ROW.match(line)), bool(ROW.match(before))
        beside_comment = bool(COMMENT.match(line) or COMMENT.match(before))
        return (starts_list and not self._items) or is_row != was_row or beside_comment

    def _moved(self, line: str) -> str:
        is_item = ITEM.match(line) and not self._fence
        items = self._items[:-1] if is_item else self._items
        if not line.strip() or not items:
            return line
        beyond = len(line) - len(line.lstrip()) - items[-1][1]
        return " " * (4 * len(items) + max(0, beyond)) + line.lstrip()


class Page(HTMLParser):
    """The links, the anchors and the loaded addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read an element."""
        given = dict(attrs)
        self.anchors |= {name for name in (given.get("id"), given.get("name")) if name}
        if tag == "a" and (link := given.get("href")):
            self.links.append(link)
        address = given.get(LOADED.get(tag, ""))
        if address and (given.get("rel") or "") not in NOT_LOADED:
            self.loaded.append(address)


def faults(site: Path) -> list[str]:
    """Return a line for each broken link and each address of another host that a page loads."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        if path.name == "404.html":
            continue  # Its links begin at the root of a server.
        name = path.relative_to(site).as_posix()
        found += [f"{name}: broken link {link}" for link in sorted(_broken(path, pages))]
        found += [f"{name}: loads {there}" for there in page.loaded if urlsplit(there).netloc]
    for path in sorted(site.rglob("*.css")):
        name = path.relative_to(site).as_posix()
        found += [f"{name}: loads {there}" for there in LOADED_BY_STYLE.findall(path.read_text())]
    return found


def _broken(path: Path, pages: dict[Path, Page]) -> Iterator[str]:
    for link in set(pages[path].links):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if target.is_dir():
            target /= "index.html"
        anchor = unquote(parts.fragment)
        # A missing page has no anchors. Files such as a style sheet are no pages.
        known = pages[target].anchors if target in pages else set()
        if not target.exists() or (anchor and anchor not in {*known, "__top"}):
            yield link


def build() -> str:
    """Build the site from a copy of its sources; return what went wrong, if anything."""
    shutil.rmtree(WORKSHOP, ignore_errors=True)
    shutil.rmtree(SITE, ignore_errors=True)
    WORKSHOP.mkdir(parents=True)
    shutil.copy(REPOSITORY / "mkdocs.yml", WORKSHOP)
    shutil.copytree(REPOSITORY / "docs", WORKSHOP / "docs")
    for page in (WORKSHOP / "docs").rglob("*.md"):
        page.write_text(as_older_markdown(page.read_text(encoding="utf-8")), encoding="utf-8")
    for module in (REPOSITORY / "provider").rglob("*.py"):
        copy = WORKSHOP / module.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        # The reader of docstrings wants an empty line before each section.
        copy.write_text(SECTION.sub(r"\n\1", module.read_text(encoding="utf-8")), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=WORKSHOP,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    printed = COLOUR.sub("", done.stdout)
    if done.returncode:
        return printed.partition(TRACEBACK)[0].strip() or printed
    shutil.move(WORKSHOP / "build" / "site", SITE)
    # A page that was opened from a file may load scripts, and no data.
    index = (SITE / "search.json").read_text(encoding="utf-8")
    (SITE / "search.js").write_text(f"var __index = {index}", encoding="utf-8")
    return "" if "No issues found" in printed else printed


def main() -> int:
    """Build the site and check it; return 1 if there is a fault."""
    said = build()
    lines = [said] if said else faults(SITE)
    for line in lines:
        print(line)
    if not lines:
        print(f"site: {SITE.relative_to(REPOSITORY)}/index.html")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
