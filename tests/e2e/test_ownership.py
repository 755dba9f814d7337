"""Who owns a copy, with the real CLI: refreshes, replacements and moves must lose nothing.

`tests/contract/test_ownership.py` has the engine's calls for all combinations of forms and
commands. Here is one of each kind.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import (
    BY_NIGHT_TOO,
    COMMAND_LIMIT_S,
    MakeProject,
    on_plugin,
    said,
    start,
    wait_until,
)
from tests.e2e.owning import (
    FOUR,
    MANUAL,
    PROGRAM,
    SOURCE_VAULT,
    WEB_1,
    WEB_2,
    copies,
    declare,
    leaving,
    members,
    replicas,
    to_east,
    to_south,
)
from tests.e2e.programs import BACKUP, SECOND_VAULT, VAULT


@pytest.mark.parametrize("plugin", BY_NIGHT_TOO)
def test_refresh_in_the_same_command_leaves_nothing_behind(
    make_program: MakeProject, control: Control, plugin: str
) -> None:
    """`up --refresh` moves, changes and removes; with `refresh: always` all is destroyed.

    One replication moves to another vault of the region, one changes its backup, and a set is
    removed. An entire vault stays until the end.
    """
    project = on_plugin(plugin, make_program, PROGRAM)
    vault = to_south(vault_id=SOURCE_VAULT)
    declare(
        project,
        moves=to_east(backup_id=BACKUP),
        changes=to_east(backup_id=WEB_1),
        many=to_east(backups={"manual": MANUAL}),
        all=vault,
    )
    project.up()
    control.advance(20_000)
    before = replicas(control)
    declare(
        project,
        moves=to_east(SECOND_VAULT, backup_id=BACKUP),
        changes=to_east(backup_id=WEB_2),
        all=vault,
    )

    run_program = ["--run-program"] if plugin == "host" else []
    project.up("--refresh", *run_program)

    assert Counter([BACKUP, WEB_2]) == copies(control)
    assert FOUR == copies(control, "cn-south-1")
    assert {SECOND_VAULT, VAULT} == {
        vault_id for replica, vault_id in replicas(control).items() if replica not in before
    }
    assert {"moves", "changes"} == set(project.state())
    file = project.directory / "Pulumi.yaml"
    file.write_text(file.read_text() + "options: {refresh: always}\n")
    project.must("destroy", "--yes", "--skip-preview", *run_program)
    assert {} == replicas(control)
    assert {} == project.resources()


ALL_BY_NIGHT = [
    pytest.param("host", marks=pytest.mark.full),
    pytest.param("sdk-3.272.0", marks=pytest.mark.full),
    "sdk-3.255.0",
]
"""By day, a plugin that does not run the other test with a refresh."""


@pytest.mark.parametrize("plugin", ALL_BY_NIGHT)
def test_destroy_with_refresh_deletes_every_form(
    make_program: MakeProject, control: Control, plugin: str
) -> None:
    """`preview --refresh` writes nothing; `destroy --refresh` leaves neither replicas nor state."""
    project = on_plugin(plugin, make_program, PROGRAM)
    declare(
        project,
        one=to_east(backup_id=BACKUP),
        many=to_east(backups={"web": WEB_1}),
        all=to_south(vault_id=SOURCE_VAULT),
    )
    project.up()
    control.advance(20_000)
    before = replicas(control)

    project.must("preview", "--refresh")

    assert before == replicas(control)
    project.must("destroy", "--refresh", "--yes", "--skip-preview")
    assert {} == replicas(control)
    assert {} == project.resources()


@pytest.mark.parametrize(
    ("plugin", "form"),
    [
        pytest.param("host", "single", marks=pytest.mark.full),
        pytest.param("sdk-3.272.0", "set", marks=pytest.mark.full),
        pytest.param("sdk-3.255.0", "vault", marks=pytest.mark.full),
    ],
)
def test_source_that_expires_while_delete_waits_keeps_its_replica(
    make_program: MakeProject, control: Control, plugin: str, form: str
) -> None:
    """The vault changes while copies run: refused; with the old vault again nothing changes."""
    project = on_plugin(plugin, make_program, PROGRAM)
    for backup_id in FOUR:
        control.change_backup(backup_id, copy={"mode": "seconds", "seconds": 10**7})
    inputs: dict[str, dict[str, Any]] = {
        "single": {"backup_id": BACKUP},
        "set": {"backups": {"erp": BACKUP, "web": WEB_1}},
        "vault": {"vault_id": SOURCE_VAULT, "preflight": "warn"},
    }
    declare(project, dr=to_east(**inputs[form]))
    project.up()
    before = replicas(control)
    declare(project, dr=to_east(SECOND_VAULT, **inputs[form]))
    running = start(project, "up")
    wait_until(lambda: "waiting for the copy" in said(project))

    control.forget_backup(BACKUP)
    control.advance(10**7)
    code = running.wait(COMMAND_LIMIT_S)

    assert 0 != code
    assert "gone, so" in said(project)
    assert "declare again what was declared before" in said(project)
    assert "Traceback" not in said(project)
    assert before == replicas(control)
    assert [] == control.journal(operation="DeleteBackup")
    declare(project, dr=to_east(**inputs[form]))
    project.up("--expect-no-changes")


def test_source_that_goes_between_diff_and_delete_keeps_its_replica(
    make_program: MakeProject, control: Control
) -> None:
    """The preview and the successor's check saw the source; the last check does not."""
    project = on_plugin("host", make_program, PROGRAM)
    declare(project, dr=to_east(backup_id=BACKUP))
    project.up()
    control.advance(20_000)
    project.refresh()
    before = replicas(control)
    (replica,) = before
    declare(project, dr=to_east(SECOND_VAULT, backup_id=BACKUP))
    control.fault(operation="ShowBackup", action="hold_before", path=f"/{replica}$")
    running = start(project, "up")
    wait_until(control.held)

    control.forget_backup(BACKUP)
    control.release()
    code = running.wait(COMMAND_LIMIT_S)

    assert 0 != code
    assert f"is gone, so replica ({replica}) is the last copy" in said(project)
    assert before == replicas(control)


@pytest.mark.full
def test_member_is_handed_over_to_an_entire_vault_that_is_slow(
    make_program: MakeProject, control: Control
) -> None:
    """The set keeps its member until the vault has it: CBR has not answered the vault's copy."""
    project = on_plugin("host", make_program, PROGRAM)
    declare(project, few=to_east(backups={"erp": BACKUP, "web": WEB_1}))
    project.up()
    control.advance(20_000)
    before = replicas(control)
    declare(project, few=to_east(backups={"web": WEB_1}), all=to_east(vault_id=SOURCE_VAULT))
    control.fault(operation="CopyCheckpoint", action="hold_before")
    running = start(project, "up")
    wait_until(control.held)
    wait_until(lambda: "leaving, but kept for now" in said(project))

    control.release()

    assert 0 == running.wait(COMMAND_LIMIT_S)
    assert {"erp"} == leaving(project, "few")
    assert "stay with the resources that have them: 'erp'" in project.up().text
    assert {"web"} == set(members(project, "few"))
    assert FOUR == copies(control)
    assert before.items() <= replicas(control).items()
    assert [] == control.journal(operation="DeleteBackup")
    assert BACKUP in {row["backup_id"] for row in members(project, "all").values()}
