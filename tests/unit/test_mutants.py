"""The mutation check can be made: each patch fits the package, and tells what it switches off."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests import mutants
from tests.mutants import DOCUMENT, MUTANTS, REPOSITORY, Mutant, MutantError


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_applies(mutant: Mutant, tmp_path: Path) -> None:
    """A patch that does not fit any more would let its rule go unwatched."""
    package = mutants.copy_package(tmp_path)

    mutant.apply(package)

    patched = (package / mutant.file).read_text()
    assert mutant.new in patched
    ast.parse(patched)
    assert all((REPOSITORY / file).exists() for file in mutant.tests)


def test_mutant_that_does_not_apply_is_told(tmp_path: Path) -> None:
    """A patch without its place names the file to look at."""
    stale = Mutant("stale", "a rule", "decisions.py", "no such line\n", "", ())

    with pytest.raises(MutantError, match=r"decisions\.py has 0 places to patch"):
        stale.apply(mutants.copy_package(tmp_path))


def test_document_tells_every_mutant() -> None:
    """The committed result is of the mutants that there are."""
    text = DOCUMENT.read_text()

    assert [] == [mutant.rule for mutant in MUTANTS if f"| {mutant.rule} |" not in text]
    assert len(MUTANTS) == len({mutant.name for mutant in MUTANTS})
