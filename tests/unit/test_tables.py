"""The documents' tables are those of the tests."""

from __future__ import annotations

import pytest

from tests.tables import TABLES, with_table


@pytest.mark.parametrize("name", TABLES)
def test_table_in_document_is_current(name: str) -> None:
    """`make tables` would change nothing."""
    document, table = TABLES[name]
    text = document.read_text()

    assert with_table(text, name, table()) == text


def test_with_table_wants_its_marks() -> None:
    """A document without the marks is not overwritten."""
    with pytest.raises(ValueError, match="marks of table 'x'"):
        with_table("text", "x", "| a |")
