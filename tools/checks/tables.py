"""Parts of the documentation that are generated from the tests' data, mostly tables.

``python -m tools.checks.tables`` writes them. A unit test fails if a document differs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pulumi_huaweicloud_cbr.__main__ import make_parser
from tests.e2e import crash, drift, features
from tools.checks import arguments, commands, ownership, reference

REPOSITORY = Path(__file__).resolve().parents[2]


def printed(situation: str) -> str:
    """Return the output of `check` in a situation, as a block."""
    return block(f"check/{situation}.txt")


def block(name: str) -> str:
    """Return a file of the fixtures as a block."""
    text = (REPOSITORY / "tests" / "fixtures" / name).read_text()
    return f"```\n{text}```"


REFERENCE = REPOSITORY / "docs" / "reference" / "commands.md"
COMMANDS: dict[str, tuple[Path, Callable[[], str]]] = {
    "commands": (REFERENCE, commands.overview),
    "exit-codes": (REFERENCE, commands.codes),
    "command-options": (REFERENCE, lambda: commands.description("")),
    **{
        f"command-{name}": (REFERENCE, partial(commands.description, name))
        for name in make_parser().commands
    },
    "version": (REFERENCE, lambda: f"```\n{commands.EXAMPLE}\n```"),
    "printed-check": (REFERENCE, lambda: printed("no_vault")),
    "printed-owners": (REFERENCE, lambda: block("owners.txt")),
    "printed-import-file": (REFERENCE, lambda: block("import_file.txt")),
    "printed-recover": (REFERENCE, lambda: block("recover.txt")),
    **{
        f"backups-{name.replace('_', '-')}": (REFERENCE, partial(block, f"backups/{name}.txt"))
        for name in ("all", "without_copy", "replicas")
    },
    "backups-json": (REFERENCE, lambda: block("backups/document.json")),
}
"""The parts of the reference of commands."""

TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "adoption": (REPOSITORY / "docs" / "user-guide.md", ownership.adoption_table),
    "check": (REPOSITORY / "README.md", lambda: printed("no_vault")),
    "check-backup": (REPOSITORY / "docs" / "user-guide.md", lambda: printed("backup_to_all")),
    "crashes": (REPOSITORY / "docs" / "crash-safety.md", crash.table),
    "deletion": (REPOSITORY / "docs" / "user-guide.md", ownership.deletion_table),
    "drift": (REPOSITORY / "docs" / "user-guide.md", drift.table),
    "inputs-one": (REPOSITORY / "README.md", reference.one_table),
    "inputs-set": (REPOSITORY / "README.md", reference.set_table),
    "inputs-vault": (REPOSITORY / "docs" / "user-guide.md", reference.vault_table),
    "inputs-wait": (REPOSITORY / "README.md", reference.wait_table),
    "keys": (REPOSITORY / "docs" / "user-guide.md", reference.keys_table),
    "owners": (REPOSITORY / "docs" / "user-guide.md", lambda: block("owners.txt")),
    "features": (REPOSITORY / "docs" / "plugin-host.md", features.table),
    **COMMANDS,
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
    # It brings the simulator along, which the unit tests of the tables do without.
    from tests.contract.listing import write_lists  # noqa: PLC0415
    from tests.contract.owning import write_text  # noqa: PLC0415
    from tests.contract.situations import write_texts  # noqa: PLC0415
    from tests.unit.error_texts import write_expected_texts  # noqa: PLC0415

    arguments.write_module()
    write_texts()
    write_text()
    write_lists()
    write_expected_texts()
    for name, (document, table) in TABLES.items():
        document.write_text(with_table(document.read_text(), name, table()))


if __name__ == "__main__":
    main()
