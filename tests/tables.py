"""The tables of the documentation that are written from the tests' own data.

``python -m tests.tables`` writes them; a unit test fails when a document holds another text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.e2e import crash, drift, features

REPOSITORY = Path(__file__).resolve().parents[1]
TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "crashes": (REPOSITORY / "docs" / "crash-safety.md", crash.table),
    "drift": (REPOSITORY / "docs" / "user-guide.md", drift.table),
    "features": (REPOSITORY / "docs" / "plugin-host.md", features.table),
}


def with_table(text: str, name: str, table: str) -> str:
    """Return a document's text with a table between the marks of that name.

    Raises:
        ValueError: the marks are not there.
    """
    begin, end = f"<!-- table {name}: make tables -->\n", f"<!-- end of {name} -->"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"want the marks of table {name!r}")
    return f"{before}{begin}{table}\n{end}{after}"


def main() -> None:
    """Write all tables into their documents."""
    for name, (document, table) in TABLES.items():
        document.write_text(with_table(document.read_text(), name, table()))


if __name__ == "__main__":
    main()
