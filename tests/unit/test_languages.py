"""The English and the Chinese pages stay in step, and the Chinese ones are easy to read.

Compared is what does not depend on the language: headings, tables, code and what is in backticks.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAIRS = {
    "README.md": "README.zh-CN.md",
    "docs/costs.md": "docs/zh/costs.md",
    "docs/permissions.md": "docs/zh/permissions.md",
    "docs/recovery.md": "docs/zh/recovery.md",
    "docs/start.md": "docs/zh/start.md",
}
"""The English page, and the Chinese one. If either is missing, the tests fail."""

WITHOUT_PAIR = {"docs/zh/index.md"}
"""Pages that only Chinese readers need: this one explains the words of the others."""

FENCE = re.compile(r"^([ \t]*)```(\w*)\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#{1,6}) +\S", re.MULTILINE)
TABLE = re.compile(r"^\|.*\n\|[-:| ]+\|\n(?:\|.*\n?)*", re.MULTILINE)
CELL_END = re.compile(r"(?<!\\)\|")
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
COMMENT = re.compile(r"(?:^|\s+)#.*$")
CHINESE = r"[\u4e00-\u9fff]"
HALF_WIDTH = re.compile(rf"{CHINESE} *[,;:?!()]|[,;:?!()] *{CHINESE}")
# Full stop, exclamation mark, question mark, semicolon; the end of a cell or a line.
SENTENCE_END = re.compile("[\u3002\uff01\uff1f\uff1b|\n]")
LIMIT = 60
"""Characters in a Chinese sentence. What is in backticks is one."""

Shape = list[tuple[int, int]]


def text_of(name: str) -> str:
    """Return a page; it has to exist."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def prose_of(text: str) -> str:
    """Return a page without its code blocks."""
    return FENCE.sub("", text)


def levels(text: str) -> list[int]:
    """Return the level of each heading."""
    return [len(marks) for marks in HEADING.findall(prose_of(text))]


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """Return the language and the lines of each code block, without comments."""
    return [
        (language, [COMMENT.sub("", line) for line in textwrap.dedent(code).splitlines()])
        for _, language, code in FENCE.findall(text)
    ]


def tables(text: str) -> Shape:
    """Return the numbers of rows and columns of each table."""
    return [
        (len(rows), len(CELL_END.findall(rows[0])) - 1)
        for rows in (table.splitlines() for table in TABLE.findall(prose_of(text)))
    ]


def terms(text: str) -> set[str]:
    """Return what a page has in backticks."""
    return {" ".join(code.split()) for code in CODE.findall(prose_of(text))}


def long_sentences(text: str) -> list[str]:
    """Return the sentences that are too long."""
    plain = LINK.sub(r"\1", CODE.sub("码", prose_of(text)))
    sentences = (part.strip(" -*#") for part in SENTENCE_END.split(plain))
    return [sentence for sentence in sentences if len(sentence) > LIMIT]


def half_width(text: str) -> list[str]:
    """Return places where a Chinese character has a Western punctuation mark beside it."""
    plain = LINK.sub(r"\1", CODE.sub("`", prose_of(text)))
    return [found[0] for found in HALF_WIDTH.finditer(plain)]


both = pytest.mark.parametrize(("english", "chinese"), PAIRS.items(), ids=PAIRS)


@both
def test_headings_are_the_same(english: str, chinese: str) -> None:
    """Both pages have the same outline."""
    assert levels(text_of(english)) == levels(text_of(chinese))


@both
def test_code_is_the_same(english: str, chinese: str) -> None:
    """Commands, policies and programs differ in their comments only."""
    assert blocks(text_of(english)) == blocks(text_of(chinese))


@both
def test_tables_have_the_same_size(english: str, chinese: str) -> None:
    """A row that one page gets, the other one gets too."""
    assert tables(text_of(english)) == tables(text_of(chinese))


@both
def test_terms_are_the_same(english: str, chinese: str) -> None:
    """Options, settings, operations and files are named in both pages."""
    assert terms(text_of(english)) == terms(text_of(chinese))


CHINESE_PAGES = sorted({*PAIRS.values(), *WITHOUT_PAIR})


def test_each_chinese_page_has_a_pair() -> None:
    """A new Chinese page is in the table above."""
    found = {path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("docs/zh/**/*.md")}

    assert found == {name for name in CHINESE_PAGES if name.startswith("docs/zh/")}


@pytest.mark.parametrize("name", CHINESE_PAGES)
def test_chinese_is_easy_to_read(name: str) -> None:
    """Sentences are short, and their punctuation is Chinese."""
    text = text_of(name)

    assert [] == long_sentences(text)
    assert [] == half_width(text)


def test_differences_are_found() -> None:
    """The functions above see another level, another command, another row and another term."""
    one = "# A\n| a | b |\n|---|---|\n| `x` | 1 |\n\n1. c\n   ```sh\n   run --fast  # why\n   ```\n"
    same = (
        "# 甲\n| 甲 | 乙 |\n|---|---|\n| `x` | 1 |\n\n"
        "1. 丙\n   ```sh\n   run --fast   # 原因\n   ```\n"
    )
    other = same.replace("# 甲", "## 甲").replace("--fast", "--slow").replace("`x`", "`y`")

    assert (levels(one), blocks(one), tables(one), terms(one)) == (
        levels(same),
        blocks(same),
        tables(same),
        terms(same),
    )
    assert levels(one) != levels(other)
    assert blocks(one) != blocks(other)
    assert terms(one) != terms(other)
    assert [(3, 2)] == tables(one)
    assert [(4, 2)] == tables(one.replace("| `x` | 1 |\n", "| `x` | 1 |\n| z | 2 |\n"))
    assert 1 == len(long_sentences(f"{'长' * 61}。短。"))
    assert [] == long_sentences(f"{'长' * 60}。`{'x' * 70}`。[{'字' * 50}]({'y' * 60})")
    assert ["文,", "(注"] == half_width("中文,x。\uff08好\uff09`a, b` 8,000 (注")
