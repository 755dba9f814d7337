"""``python -m tools.checks.prose``: find long sentences, in Markdown and in docstrings.

A paragraph, a list item, a table cell and an entry of ``Args:`` are separate texts. No sentence
continues from one into the next. A code span is one word; in a table cell it is none. Code blocks
are skipped. Semicolons and colons do not end a sentence.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT = 30
"""Words in a sentence. Aim for 25: a check at that number would reject good sentences too."""

ALLOWED = {
    (
        "docs/explanation/waiting.md",
        "Under code, or as a background job of",
    ): "a chain of causes, in order",
}
"""Sentences that may be longer: the file and the first eight words, with the reason."""

SHOWN = 8
MARKDOWN = MarkdownIt("commonmark").enable("table")
SECTION = re.compile(r"(Args|Attributes|Raises|Returns|Yields):")
WORD = re.compile(r"[^\W_]")
# A full stop, perhaps a closing quote or bracket, and a space. Abbreviations such as "e.g." end no
# sentence.
SENTENCE_END = re.compile(r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<=[.!?])[\"'”)\]]*\s+")


class Sentence(NamedTuple):
    """A sentence, and its position."""

    path: str
    line: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {len(self.words)} words: {self.key[1]} …"

    @property
    def key(self) -> tuple[str, str]:
        """File and first words, by which `ALLOWED` names the sentence."""
        return self.path, " ".join(self.words[:SHOWN])


def sentences(path: str, source: str) -> Iterator[Sentence]:
    """Yield the sentences of a Markdown file, or those of a Python file's docstrings."""
    texts = texts_of_python(source) if path.endswith(".py") else texts_of_markdown(source)
    for line, text in texts:
        begin = 0
        for end in [*(match.end() for match in SENTENCE_END.finditer(text)), len(text)]:
            words = tuple(word for word in text[begin:end].split() if WORD.search(word))
            if words:
                yield Sentence(path, line + text.count("\n", 0, begin), words)
            begin = end


def texts_of_markdown(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and words of each paragraph, list item, heading and table cell."""
    line, code = 1, "code"
    for token in MARKDOWN.parse(source):
        if token.map:
            line = token.map[0] + 1
        if token.type == "table_open":
            code = ""
        elif token.type == "table_close":
            code = "code"
        elif token.type == "inline":
            yield line, "".join(words_of(part, code) for part in token.children or ())


def words_of(part: Token, code: str) -> str:
    """Return the words of a part of a text, with `code` in place of a code span."""
    if part.type == "text":
        return part.content
    if part.type in {"softbreak", "hardbreak"}:
        return "\n"
    return code if part.type == "code_inline" else ""


def texts_of_python(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and words of each text in docstrings, including those of attributes."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(docstring))):
                for line, text in texts_of_markdown(as_markdown(docstring)):
                    yield node.lineno + line - 1, text


def as_markdown(docstring: str) -> str:
    """Return a docstring as Markdown with the same lines; entries of sections are list items."""
    lines: list[str] = []
    indentation: str | None = None
    for line in inspect.cleandoc(docstring).splitlines():
        text = line.lstrip()
        before = line[: len(line) - len(text)]
        if SECTION.fullmatch(line):
            indentation = ""
            lines.append("")
        elif text and indentation is not None and before in {"", indentation or before}:
            lines.append(f"- {text}")
            indentation = before or None
        else:
            lines.append(line)
    return "\n".join(lines)


def faults(found: Iterable[Sentence], limit: int = LIMIT) -> list[str]:
    """Return a line for each sentence that is too long, and for each unneeded allowance."""
    read = list(found)
    long = [one for one in read if len(one.words) > limit]
    paths = {one.path for one in read}
    unused = {key for key in ALLOWED if key[0] in paths} - {one.key for one in long}
    return [
        *(str(one) for one in long if one.key not in ALLOWED),
        *(f"{path}: allowed, but not found: {beginning}" for path, beginning in sorted(unused)),
    ]


def files() -> list[str]:
    """Return the Markdown and Python files that are, or may be, committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(
        [*command, "*.md", "*.py"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    return [name for name in listed.split("\0") if name and (REPOSITORY / name).is_file()]


def main(arguments: list[str] | None = None) -> int:
    """Print the sentences that are too long; return 1 if there are any."""
    parser = argparse.ArgumentParser(prog="python -m tools.checks.prose", description=__doc__)
    parser.add_argument("--limit", type=int, default=LIMIT, help="words, default %(default)s")
    parser.add_argument("paths", nargs="*", help="default: all files")
    given = parser.parse_args(arguments)
    os.chdir(REPOSITORY)
    found = (
        sentence
        for path in given.paths or files()
        for sentence in sentences(path, Path(path).read_text(encoding="utf-8"))
    )
    lines = faults(found, given.limit)
    for line in lines:
        print(line)
    if lines:
        print(f"prose: split sentences of more than {given.limit} words (tools/checks/prose.py)")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
