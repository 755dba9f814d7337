"""Parts of the documentation that are generated from the tests' data, mostly tables.

``python -m tools.checks.tables`` writes them. A unit test fails if a document differs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.e2e import crash, drift, features, mistakes
from tests.unit.commands.stack import holders
from tools.checks import arguments, commands, history, ownership, reference, schema

REPOSITORY = Path(__file__).resolve().parents[2]


def printed(situation: str) -> str:
    """Return the output of `check` in a situation, as a block."""
    return block(f"check/{situation}.txt")


def block(name: str, language: str = "") -> str:
    """Return a file of the fixtures as a block."""
    text = (REPOSITORY / "tests" / "fixtures" / name).read_text()
    return f"```{language}\n{text}```"


DOCS = REPOSITORY / "docs"
CHINESE = REPOSITORY / "README.zh-CN.md"
OWNERSHIP = DOCS / "explanation" / "ownership.md"
RESOURCES = DOCS / "reference" / "resources.md"

REFERENCE = DOCS / "reference" / "commands.md"
COMMANDS: dict[str, tuple[Path, Callable[[], str]]] = {
    "commands": (REFERENCE, commands.overview),
    "exit-codes": (REFERENCE, commands.codes),
    "command-options": (REFERENCE, lambda: commands.description("")),
    **{
        f"command-{name.replace(' ', '-')}": (REFERENCE, partial(commands.description, name))
        for name in commands.all_commands()
        if name not in ("ci", "fleet")
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
    "adoption": (OWNERSHIP, ownership.adoption_table),
    "check": (DOCS / "start.md", lambda: printed("no_vault")),
    "check-zh": (DOCS / "zh" / "start.md", lambda: printed("no_vault")),
    "check-backup": (
        DOCS / "how-to" / "check-an-account.md",
        lambda: printed("backup_to_all"),
    ),
    "codes": (DOCS / "reference" / "errors.md", reference.codes_table),
    "crashes": (DOCS / "explanation" / "crash-safety.md", crash.table),
    "deletion": (OWNERSHIP, ownership.deletion_table),
    "drift": (DOCS / "explanation" / "drift.md", drift.table),
    "errors": (DOCS / "reference" / "errors.md", reference.errors_table),
    "features": (DOCS / "explanation" / "plugin-host.md", features.table),
    "functions": (DOCS / "reference" / "functions.md", reference.functions_text),
    "history": (DOCS / "how-to" / "rolling-copies.md", history.history_table),
    "holders": (DOCS / "explanation" / "crash-safety.md", holders.table),
    "inputs-one": (RESOURCES, reference.one_table),
    "inputs-provider": (RESOURCES, reference.provider_table),
    "inputs-set": (RESOURCES, reference.set_table),
    "inputs-vault": (RESOURCES, reference.vault_table),
    "inputs-wait": (RESOURCES, reference.wait_table),
    "keys": (DOCS / "reference" / "stack-configuration.md", reference.keys_table),
    "objectives": (DOCS / "reference" / "stack-configuration.md", reference.objectives_table),
    "outputs-one": (RESOURCES, reference.outputs_of_one),
    "outputs-set": (RESOURCES, reference.outputs_of_set),
    "outputs-vault": (RESOURCES, reference.outputs_of_vault),
    "outputs-wait": (RESOURCES, reference.outputs_of_wait),
    "mistakes": (DOCS / "reference" / "mistakes.md", mistakes.table),
    "owners": (DOCS / "how-to" / "find-orphans.md", lambda: block("owners.txt")),
    "preview": (REPOSITORY / "README.md", lambda: block("preview.txt")),
    "preview-zh": (CHINESE, lambda: block("preview.txt")),
    "printed": (
        DOCS / "explanation" / "plugin-host.md",
        lambda: block("printed/erp-db.txt"),
    ),
    "program": (REPOSITORY / "README.md", lambda: block("program.py", "python")),
    "program-start": (DOCS / "start.md", lambda: block("program.py", "python")),
    "program-start-zh": (DOCS / "zh" / "start.md", lambda: block("program.py", "python")),
    "report": (DOCS / "how-to" / "report.md", lambda: block("report.txt")),
    "report-metrics": (DOCS / "how-to" / "report-metrics.md", reference.metrics_table),
    "results": (DOCS / "reference" / "functions.md", reference.results_text),
    "program-zh": (CHINESE, lambda: block("program.py", "python")),
    "settings": (DOCS / "reference" / "settings.md", reference.settings_table),
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
    from tests.contract.reporting import write_report  # noqa: PLC0415
    from tests.contract.situations import write_texts  # noqa: PLC0415
    from tests.unit.error_texts import write_expected_texts  # noqa: PLC0415

    arguments.write_module()
    schema.write_schema()
    write_texts()
    write_text()
    write_lists()
    write_report()
    write_expected_texts()
    for name, (document, table) in TABLES.items():
        document.write_text(with_table(document.read_text(), name, table()))


if __name__ == "__main__":
    main()
