"""SECURITY.md claims what tests prove: each protection names existing tests."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
THREATS = TEXT.partition("## What is to be protected")[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ITEM = re.compile(r"^- (.+?)(?=^- |^## |\Z)", re.MULTILINE | re.DOTALL)


@lru_cache
def defined_in(path: str) -> frozenset[str]:
    """Return the tests that a file defines."""
    tree = ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED.findall(TEXT))))
def test_named_test_exists(path: str, name: str) -> None:
    """A renamed or removed test removes its claim."""
    assert name.startswith("test_")
    assert name in defined_in(path)


def test_every_protection_names_its_tests() -> None:
    """What no test proves is listed as not protected."""
    items = ITEM.findall(THREATS)
    bare = [item for item in items if not NAMED.search(item)]

    assert len(items) > 30
    assert [] == [item for item in bare if not item.startswith("**Not protected:** ")]


def test_each_boundary_has_a_part() -> None:
    """State, logs, socket, network, configuration, environment, locks and simulator have a part."""
    headings = re.findall(r"^## (.+)$", THREATS, re.MULTILINE)

    for word in ("state", "Logs", "socket", "proxies", "configuration", "environment", "Lock"):
        assert [heading for heading in headings if word in heading]
    assert "The simulator" in headings


def test_tests_see_no_account(tmp_path: Path) -> None:
    """The Makefile hides a user's account and login from the demo and the tests."""
    probe = tmp_path / "probe.mk"
    probe.write_text("probe:\n\t@$(ISOLATE) env\n", encoding="utf-8")
    mine = {"HW_SECRET_KEY": "x", "HUAWEICLOUD_SDK_SK": "x", "PULUMI_ACCESS_TOKEN": "x"}
    command = ["make", "--no-print-directory", "-f", "Makefile", "-f", str(probe), "probe"]
    environment = {**os.environ, **mine}
    printed = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    ).stdout

    assert "PULUMI_HOME=" in printed
    assert [] == [name for name in mine if name in printed]
