"""The documented example of `keep`: its rule, and the copies that it says are there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from pulumi_huaweicloud_cbr.replication.rules.sets.retention import keep_of
from tests.unit.replication.rules.retention_oracle import oracle
from tools.checks import history

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "rolling-copies.md"


def test_table_is_of_the_rule_beside_it() -> None:
    """The page shows the rule as YAML; the table is made with the same."""
    (given,) = re.findall(r"^    keep: (.*)$", PAGE.read_text(), re.MULTILINE)

    assert history.RULE == keep_of({"keep": yaml.safe_load(given)})


def test_table_shows_what_the_oracle_keeps_of_all_backups() -> None:
    """Night after night, the rule has lost nothing that it would keep of all at once."""
    found = history.kept_after_the_last_night()

    assert oracle(history.backups().items(), history.RULE) == found.keys()
