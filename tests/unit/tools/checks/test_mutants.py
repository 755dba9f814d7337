"""The mutants are valid: each patch applies to the package, and has a row in the document."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.checks import mutants
from tools.checks.mutants import DOCUMENT, MUTANTS, REPOSITORY, Mutant, MutantError, Outcome


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package, which each test leaves as it was."""
    return mutants.copy_package(tmp_path_factory.mktemp("package"))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_applies(mutant: Mutant, package: Path) -> None:
    """A patch that no longer applies would leave its rule unchecked."""
    before = (package / mutant.file).read_text()

    mutant.apply(package)

    patched = (package / mutant.file).read_text()
    (package / mutant.file).write_text(before)
    assert mutant.new in patched
    ast.parse(patched)
    assert all((REPOSITORY / file).exists() for file in mutant.tests)


def test_mutant_that_does_not_apply_is_reported(tmp_path: Path) -> None:
    """A patch without its place names the file to check."""
    stale = Mutant("stale", "a rule", "replication/rules/decisions.py", "no such line\n", "", ())

    with pytest.raises(MutantError, match=r"decisions\.py has 0 places to patch"):
        stale.apply(mutants.copy_package(tmp_path))


def test_document_lists_every_mutant() -> None:
    """The committed results are about the current mutants."""
    text = DOCUMENT.read_text()

    assert [] == [mutant.rule for mutant in MUTANTS if f"| {mutant.rule} |" not in text]
    assert len(MUTANTS) == len({mutant.name for mutant in MUTANTS})


def test_document_replaces_new_results_and_keeps_the_others() -> None:
    """If some mutants run alone, their rows are replaced, in the order of the mutants."""
    first, second, third = MUTANTS[:3]
    known = mutants.with_rows(
        "| a rule of yesterday | 1 of 1 | `t` |",
        [Outcome(second, ("old",), 1, 0.0), Outcome(third, ("kept",), 1, 0.0)],
    )

    rows = mutants.with_rows(
        known, [Outcome(second, ("new",), 2, 0.0), Outcome(first, ("x", "y", "x"), 3, 0.0)]
    ).splitlines()[-3:]

    assert f"| {first.rule} | 3 of 3 | `x`, `y` |" == rows[0]
    assert f"| {second.rule} | 1 of 2 | `new` |" == rows[1]
    assert f"| {third.rule} | 1 of 1 | `kept` |" == rows[2]


def test_document_is_of_the_form_that_is_written() -> None:
    """It is not edited by hand: regenerated from its own rows, it is unchanged."""
    text = DOCUMENT.read_text()

    assert text == mutants.with_rows(text, [])
