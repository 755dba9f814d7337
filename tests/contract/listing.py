"""Runs `backups` against a simulator in this process, for a stack with an engine's state.

`make tables` writes the texts and the document, for people to read.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from pulumi_huaweicloud_cbr.__main__ import make_parser
from pulumi_huaweicloud_cbr.commands.account.backups.command import look_at_backups
from pulumi_huaweicloud_cbr.commands.account.backups.report import Report
from pulumi_huaweicloud_cbr.commands.account.backups.text import as_text
from simulator.testing import InProcessSimulator
from tests.contract.owning import (
    FILES,
    FILES_VAULT,
    MANUAL,
    OURS,
    SOUTH_VAULT,
    WEB_1,
    WEB_2,
    Estate,
    make_estate,
)
from tests.contract.rig import BACKUP, SimulatedClock

TEXTS = Path(__file__).parents[1] / "fixtures" / "backups"
SITUATIONS = {
    "all": ["--status", "available"],
    "without_copy": ["--without-copy-in", "cn-east-3", "--until", "2026-11-20T02:15:00"],
    "replicas": ["--replicas", "--region", "cn-east-3"],
    "none": ["--server", "erp-db-01", "--since", "1h"],
    "limited": ["--server", "erp-db-01", "--limit", "1"],
}
"""The options of each text."""
DOCUMENT = TEXTS / "document.json"


def look(estate: Estate, *options: str) -> Report:
    """Run the command with these options."""
    estate.control.clear_journal()
    return look_at_backups(
        estate.configured,
        estate.environ,
        make_parser().parse_args(["backups", *options]),
        clock=SimulatedClock(estate.simulator),
        transport=estate.simulator.transport(),
    )


def make_copies(estate: Estate) -> dict[str, str]:
    """Make copies of all kinds; return the ids of replicas by what became of them."""
    control = estate.control
    made = {
        "there": estate.copy(BACKUP, f"weekly {OURS}"),
        "in the south": estate.copy(BACKUP, region="cn-south-1", vault_id=SOUTH_VAULT),
        "deleted": estate.copy(WEB_1),
        "of files": estate.copy(FILES, vault_id=FILES_VAULT),
    }
    control.forget_backup(made["deleted"])
    control.change_backup(MANUAL, copy={"mode": "seconds", "seconds": 60, "outcome": "fail"})
    made["failed"] = estate.copy(MANUAL)
    made["running"] = estate.copy(WEB_2, wait=False)
    control.advance(60)
    return made


def shown(estate: Estate, text: str) -> str:
    """Return what is printed, with the ids of new objects replaced."""
    new = [row["id"] for row in (*estate.control.records(), *estate.control.replicas())]
    for number, one in enumerate(one for one in new if one in text):
        text = text.replace(one, re.sub(r"\w", str(number + 1), one))
    return text


def document(estate: Estate) -> str:
    """Return the document about one backup, as `--json` prints it."""
    report = look(estate, "--server", "erp-db-01", "--limit", "1")
    return shown(estate, json.dumps(report.to_json(), indent=2)) + "\n"


def write_lists() -> None:
    """Write what is printed in all situations."""
    simulator = InProcessSimulator()
    estate = make_estate(simulator)
    make_copies(estate)
    TEXTS.mkdir(exist_ok=True)
    for name, options in SITUATIONS.items():
        text = as_text(look(estate, *options)) + "\n"
        (TEXTS / f"{name}.txt").write_text(shown(estate, text))
    DOCUMENT.write_text(document(estate))
    estate.engine.session.close()
    simulator.close()
