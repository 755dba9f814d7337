"""The situations of the documentation name the tests that see them, and its settings exist."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr.config.setting_names import KEYS

REPOSITORY = Path(__file__).parents[2]
OWNERS = (REPOSITORY / "docs" / "explanation" / "ownership.md").read_text(encoding="utf-8")
SETTINGS = (REPOSITORY / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| .+ \| .+ \| `([\w/]+\.py)::(\w+)` \|$", re.MULTILINE)
SITUATIONS = OWNERS.partition("| situation | outcome | seen by |\n|---|---|---|\n")[2]


@lru_cache
def defined_in(path: str) -> frozenset[str]:
    """Return the tests that a file of `tests` defines."""
    tree = ast.parse((REPOSITORY / "tests" / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("path", "name"), ROW.findall(SITUATIONS))
def test_situation_is_seen_by_a_test(path: str, name: str) -> None:
    """A renamed or removed test removes its row."""
    assert name.startswith("test_")
    assert name in defined_in(path)


def test_each_situation_names_a_test() -> None:
    """A row without a test is a claim."""
    rows = SITUATIONS.partition("\n\n")[0].splitlines()

    assert len(rows) == len(ROW.findall(SITUATIONS)) > 10


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.config)
def test_setting_is_in_the_reference(key: object) -> None:
    """Each setting is in the table of settings, with its variable."""
    config, env = getattr(key, "config", ""), getattr(key, "env", "")
    row = next(line for line in SETTINGS.splitlines() if f"`huaweicloud:{config}`" in line)

    assert f"`{env}`" in row
