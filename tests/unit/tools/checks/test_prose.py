"""The check of long sentences reads the same texts as people, and counts words as they do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.checks import prose
from tools.checks.prose import Sentence, faults, sentences


def words(count: int) -> str:
    """Return this many words."""
    return " ".join(["word"] * count)


def counts(path: str, source: str) -> list[int]:
    """Return the number of words of each sentence of a file."""
    return [len(sentence.words) for sentence in sentences(path, source)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One two. Three four five! Six?", [2, 3, 1]),
        ("One (two three.) Four.", [3, 1]),
        ('He says "one two." Three.', [4, 1]),
        ("One; two: three - four.", [4]),
        ("SDK 3.255 and 1,000 copies, e.g. some, i.e. few. Next.", [9, 1]),
        ("`pulumi up --yes` makes **two words**. `up` ends.", [4, 2]),
        ("A [link of four](x.md#y) words.", [5]),
        ("One two\nthree.\n\nFour\n", [3, 1]),
        ("# A title\nText here\n", [2, 2]),
        ("- One two\n- three,\n  four\n\n1. five\n", [2, 2, 1]),
        ("| A b | c |\n|---|---|\n| one `two three` four | `five` |\n", [2, 1, 2]),
        ("```\none two three\n```\n\n    four\n\n<!-- five -->\n", []),
    ],
)
def test_sentences_of_markdown(text: str, expected: list[int]) -> None:
    """A sentence ends at its full stop, or with its paragraph, item, title or cell."""
    assert expected == counts("page.md", text)


DOCSTRING = '''"""One two.

    drawing of a tree
Three,
four: five.
"""
LIMIT_S = 3
"""Six seven."""
TEXT = "not a docstring"
class Thing:
    """Eight."""
    async def run(self):
        """Nine ten.

        Args:
            limit: eleven twelve
                thirteen
            other: fourteen
        Raises:
            SomeError: fifteen
        Source: sixteen.
        """
        # No docstring.
'''


def test_sentences_of_docstrings() -> None:
    """Modules, classes, functions and attributes have them. Entries of `Args:` are separate."""
    found = [(one.line, " ".join(one.words)) for one in sentences("x.py", DOCSTRING)]

    assert [
        (1, "One two."),
        (4, "Three, four: five."),
        (8, "Six seven."),
        (11, "Eight."),
        (13, "Nine ten."),
        (16, "limit: eleven twelve thirteen"),
        (18, "other: fourteen"),
        (20, "SomeError: fifteen"),
        (21, "Source: sixteen."),
    ] == sorted(found)


def test_sentence_is_reported_with_its_line() -> None:
    """The line is where the sentence begins, and the words are the first ones."""
    text = f"# Title\n\nShort.\nOne two\n{words(30)}.\n\n{words(30)}.\n"

    assert [
        "page.md:4: 32 words: One two word word word word word word …",
    ] == faults(sentences("page.md", text))


def test_sentence_of_thirty_words_passes() -> None:
    """The limit itself is allowed."""
    assert [] == faults(sentences("page.md", f"{words(30)}."))
    assert 1 == len(faults(sentences("page.md", f"{words(31)}.")))


def test_allowance_is_for_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the file and the first words. An allowance that is no longer needed is an error."""
    found = [
        Sentence("a.md", 1, ("x",) * 31),
        Sentence("a.md", 2, ("y",) * 31),
        Sentence("b.md", 3, ("x",) * 31),
    ]
    monkeypatch.setattr(
        prose, "ALLOWED", {("a.md", "x x x x x x x x"): "why", ("a.md", "gone"): "why"}
    )

    assert [
        "a.md:2: 31 words: y y y y y y y y …",
        "b.md:3: 31 words: x x x x x x x x …",
        "a.md: allowed, but not found: gone",
    ] == faults(found)


def test_documents_and_code_are_read() -> None:
    """Pages, the package and the tests are read; generated files are not."""
    found = set(prose.files())

    assert {
        "README.md",
        "docs/decisions/README.md",
        "docs/reference/settings.md",
        "tools/checks/prose.py",
        "stacks/__main__.py",
    } <= found
    assert [] == [name for name in found if name.startswith((".venv", "build/", "dist/"))]


def test_long_sentences_end_with_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`make lint` stops, and the last line gives the remedy."""
    page = tmp_path / "page.md"
    page.write_text(f"{words(31)}.\n", encoding="utf-8")

    assert 1 == prose.main([str(page)])
    assert (
        "prose: split sentences of more than 30 words (tools/checks/prose.py)"
        in capsys.readouterr().out
    )
    assert 0 == prose.main([str(page), "--limit", "31"])
    assert "" == capsys.readouterr().out
