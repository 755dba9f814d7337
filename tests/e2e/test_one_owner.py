"""One owner for each copy, with the real CLI: every row of what once went wrong with deletions.

These are in `test_ownership.py`:
- `destroy --refresh`, `refresh: always`, `up --refresh` after a removal or another `backup_id`:
  `test_refresh_in_the_same_command_leaves_nothing_behind`,
  `test_destroy_with_refresh_deletes_every_form`.
- `up --refresh` with another vault of the region moves: the first of these two.
- The source expires while `delete` waits for the copy:
  `test_source_that_expires_while_delete_waits_keeps_its_replica`.
- The source goes between diff and delete:
  `test_source_that_goes_between_diff_and_delete_keeps_its_replica`.
- A member goes to an entire vault that is slow:
  `test_member_is_handed_over_to_an_entire_vault_that_is_slow`.

A list of which CBR always counts more rows than it lists is in `test_set.py`:
`test_set_of_an_incomplete_list_deletes_nothing`.
"""

from __future__ import annotations

import os
import random
import re
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.cloud.specs import BackupSpec, VaultSpec
from simulator.testing import DEMO_WORLD, Control, SimulatorProcess
from simulator.worlds.files import World, load_world
from tests.e2e.conftest import SPEED
from tests.e2e.driver import (
    COMMAND_LIMIT_S,
    MakeProject,
    Project,
    connection,
    on_host,
    plugins_of,
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
    copy_by_hand,
    declare,
    deleted,
    descriptions,
    leaving,
    members,
    replicas,
    replicas_of,
    to_east,
    to_south,
)
from tests.e2e.programs import BACKUP
from tests.e2e.simulators import ForkedSimulator

BUSY = {"error_code": "BackupService.6130", "error_msg": "The vault is being replicated."}
SPARE = [f"aaaaaaaa-0000-4000-8000-{number:012}" for number in range(10)]
"""Small backups in a vault of their own, beside the demo world's."""
NEVER_S = 50_000
"""A copy that takes so long ends only when the clock is advanced by as much."""


SELECTING = f"""
import pulumi_huaweicloud_cbr as cbr

selected = cbr.as_members(cbr.get_backups(resource_name="erp-db-01"))
cbr.BackupReplicationSet(
    "few", cbr.BackupReplicationSetArgs(backups=selected, **{to_east()!r})
)
"""


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    """A simulator with the demo world and more backups."""
    directory = tmp_path / "simulator"
    directory.mkdir()
    with ForkedSimulator(directory, world_with_more_backups(), speed=SPEED) as running:
        yield running


def world_with_more_backups() -> World:
    """Return the demo world with the spare backups."""
    world = load_world(DEMO_WORLD)
    vault = VaultSpec(name="spares", region="cn-north-4", size_gb=500)
    spares = [
        BackupSpec(name=f"spare-{number}", vault="spares", id=backup_id, size_gb=10)
        for number, backup_id in enumerate(SPARE)
    ]
    return world.model_copy(
        update={"vaults": [*world.vaults, vault], "backups": [*world.backups, *spares]}
    )


@pytest.fixture
def project(make_program: MakeProject) -> Project:
    """A project on our host, whose configuration names its resources."""
    return on_host(make_program(PROGRAM))


def take(control: Control, seconds: float, *backup_ids: str, outcome: str = "success") -> None:
    """Let later copies of these backups take so long."""
    script = {"mode": "seconds", "seconds": seconds * SPEED, "outcome": outcome}
    for backup_id in backup_ids:
        control.change_backup(backup_id, copy=script)


def urn(kind: str, name: str) -> str:
    """Return the URN of a resource of the program."""
    return f"urn:pulumi:test::program::pulumi-python:dynamic/huaweicloud_cbr:{kind}::{name}"


def announced(text: str) -> set[str]:
    """Return the labels of members that a preview says will be deleted."""
    lines = [line for line in text.splitlines() if re.search(r"\bdeleted\b", line)]
    return {label for line in lines for label in re.findall(r"'([^']+)'", line)}


# -- refused and slow copies --------------------------------------------------------------------


@pytest.mark.full
def test_claims_are_refused_or_handed_over(project: Project, control: Control) -> None:
    """Two declarations of one copy are refused. A vault leaves a copy to who declares its backup.

    A member that goes from a set to an entire vault stays in the set's state while CBR refuses the
    vault's copy (6130). Then it is handed over.
    """
    few = {"few": to_east(backups={"erp": BACKUP, "web": WEB_1})}
    declare(project, **few, one=to_east(backup_id=BACKUP))
    refused = project.run("preview")
    assert 0 != refused.code
    assert re.search(r"\bfew\b.*\bone\b|\bone\b.*\bfew\b", refused.text), refused.text
    assert "Traceback" not in refused.text
    single = {"manual": to_east(backup_id=MANUAL)}
    declare(project, **few, **single)
    project.up()
    control.advance(20_000)
    before = replicas(control)
    everything = to_east(vault_id=SOURCE_VAULT, timeout="1s")
    rest = {"few": to_east(backups={"web": WEB_1}), **single}
    declare(project, **rest, all=everything)
    control.fault(operation="CopyCheckpoint", action="respond", status=400, body=BUSY, times=9999)

    outcome = project.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert "6130" in outcome.text
    assert {"erp"} == leaving(project, "few")
    assert [] == deleted(control)
    control.drop_faults()
    # The vault takes it over, and then the set lets it go: at once if the vault comes first.
    project.up()
    assert leaving(project, "few") <= {"erp"}
    project.up()
    assert {"web"} == set(members(project, "few"))
    assert {BACKUP, WEB_2} == {row["backup_id"] for row in members(project, "all").values()}
    assert FOUR == copies(control)
    assert before.items() <= replicas(control).items()
    # In a diff, the vault knows only what was declared before it.
    declare(project, **rest, all={**everything, "after": list(rest)})
    project.must("preview", "--expect-no-changes")


@pytest.mark.full
def test_replacement_in_another_region_waits_for_the_new_copy(
    project: Project, control: Control
) -> None:
    """While the new copies run, and if they fail, the old replicas stay."""
    forms: dict[str, dict[str, Any]] = {
        "one": {"backup_id": BACKUP},
        "many": {"backups": {"web": WEB_1}},
    }
    declare(project, **{name: to_east(**inputs) for name, inputs in forms.items()})
    project.up()
    control.advance(20_000)
    before = replicas(control)
    declare(project, **{name: to_south(**inputs) for name, inputs in forms.items()})
    take(control, 0, BACKUP, WEB_1, outcome="fail")

    failed = project.run("up", "--yes", "--skip-preview")

    assert [] == deleted(control)
    assert 0 != failed.code
    assert "Traceback" not in failed.text
    assert before == replicas(control)
    for resource in (project.resources()[name] for name in forms):
        assert "cn-east-3" == resource["outputs"]["destination_region"]
    take(control, NEVER_S, BACKUP, WEB_1)
    control.clear_journal()
    running = start(project, "up")
    # Far more requests than the submissions take.
    wait_until(lambda: 40 < len(control.journal(method="GET")) or running.poll() is not None)
    assert [] == deleted(control)
    control.advance(NEVER_S)
    assert 0 == running.wait(COMMAND_LIMIT_S), said(project)
    assert Counter() == copies(control)
    assert Counter([BACKUP, WEB_1]) == copies(control, "cn-south-1")


@pytest.mark.full
def test_list_that_contradicts_itself_is_read_again(
    make_program: MakeProject, control: Control
) -> None:
    """A page is short, or a row vanishes between two pages: nothing leaves the set."""
    project = on_host(make_program(SELECTING))
    project.up()
    rows = [row for row in control.state()["backups"] if row["resource_name"] == "erp-db-01"]
    others = [{**rows[0], "id": f"bbbbbbbb-0000-4000-8000-{n:012}"} for n in range(999)]
    for body in (
        {"backups": rows[:1], "count": len(rows)},
        {"backups": [rows[0], *others], "count": 1001},
        {"backups": [], "count": 1000},
    ):
        control.fault(
            operation="ListBackups", region="cn-north-4", action="respond", status=200, body=body
        )

    project.up("--expect-no-changes")

    assert [] == control.waiting_faults()
    assert [] == deleted(control)
    assert Counter([BACKUP, MANUAL]) == copies(control)


# -- a shared life ------------------------------------------------------------------------------


class Life:
    """A stack with a resource for each of several rows, all with backups of their own."""

    def __init__(self, project: Project, simulator: SimulatorProcess) -> None:
        self.project, self.control = project, simulator.control
        self.roll, self.told, self.late = SPARE[:2], SPARE[2], SPARE[3:5]
        self.lost, self.many = SPARE[5:7], SPARE[7:]
        for backup_id in (self.roll[0], self.told, *self.lost, *self.many):
            self.control.change_backup(backup_id, copy={"mode": "immediate"})
        take(self.control, NEVER_S, *self.late)
        for backup_id in (self.told, *self.late):
            copy_by_hand(simulator, backup_id, "theirs", name=f"their-{backup_id[-1]}")

    def declare(self, days: int, labels: str, *, with_lost: bool = True) -> None:
        """Declare the rolling set with so many days, and `many` with these members."""
        listed = {
            f"day-{day}": {"backup_id": backup_id, "created_at": f"2026-11-0{day}T02:00:00"}
            for day, backup_id in enumerate(self.roll[:days], 1)
        }
        members = dict(zip(("stays", "leaves", "goes-over"), self.many, strict=True))
        resources = {
            "roll": to_east(backups=listed, keep_newest=1),
            "told": to_east(backup_id=self.told, description="ours"),
            "late": to_east(backup_id=self.late[0], name="our-single"),
            "later": to_east(backups={"late": {"backup_id": self.late[1], "name": "our-member"}}),
        }
        if with_lost:
            resources["gone"] = to_east(backup_id=self.lost[0])
            resources["lost"] = to_east(backups={"lost": self.lost[1]})
        after = []
        if "goes-over" not in labels:
            resources["taken"] = to_east(backup_id=members["goes-over"])
            after.append("taken")
        wanted = {label: members[label] for label in labels.split()}
        declare(self.project, **resources, many=to_east(backups=wanted, after=after))

    def begin(self) -> None:
        """The state tells what others made, while it says what was declared."""
        self.declare(1, "stays leaves goes-over")
        self.project.up()
        told = self.project.resources()["told"]["outputs"]
        assert ("theirs", "ours") == (told.get("description"), told.get("declared_description"))
        assert "our-single" != self.project.resources()["late"]["outputs"].get("name")
        assert "our-member" != members(self.project, "later")["late"].get("name")
        self.project.refresh()
        self.of_lost = replicas_of(self.control, *self.lost)
        for backup_id in self.lost:
            self.control.forget_backup(backup_id)

    def lose_members(self) -> None:
        """One of them is deleted, as the preview says. Names are put right; nothing else changes.

        A newer member of the rolling set is submitted, and fails later.
        """
        self.declare(2, "stays")
        take(self.control, 10_000, self.roll[1], outcome="fail")
        self.control.advance(NEVER_S)
        before = replicas(self.control)
        self.of_leaving = replicas_of(self.control, self.many[1])
        preview = self.project.preview().text
        self.project.up()
        assert self.of_leaving == deleted(self.control)
        assert {"leaves"} == announced(preview)
        assert {"stays"} == set(members(self.project, "many"))
        assert set(before) - set(self.of_leaving) == set(before) & set(replicas(self.control))
        assert {"day-1"} == leaving(self.project, "roll")
        names = {row["id"]: row["name"] for row in self.control.replicas()}
        assert ["our-single", "our-member"] == [
            names[replica] for replica in replicas_of(self.control, *self.late)
        ]

    def lose_last_copies(self) -> None:
        """These replicas go too, and no message promises another copy.

        The newer member of the rolling set failed, and is submitted again.
        """
        self.control.advance(10_000)
        take(self.control, 10_000, self.roll[1])
        for replica in self.of_lost:
            self.control.forget_backup(replica)
        self.declare(2, "stays", with_lost=False)
        text = self.project.up("--refresh").text
        about = [line for line in text.splitlines() if re.search(r"(gone|lost) .*\bgone\b", line)]
        assert not {"gone", "lost"} & set(self.project.resources())
        assert about, text
        assert not [line for line in about if "copies" in line], about
        assert self.of_leaving == deleted(self.control)
        assert {"day-1"} == leaving(self.project, "roll")

    def end(self) -> None:
        """Now there is a newer copy, so the older one goes, as the preview says."""
        self.control.advance(10_000)
        of_old = replicas_of(self.control, self.roll[0])
        preview = self.project.preview().text
        self.project.up()
        assert sorted(self.of_leaving + of_old) == deleted(self.control)
        assert {"day-1"} == announced(preview)
        assert {"day-2"} == set(members(self.project, "roll"))
        self.project.destroy()
        assert {} == replicas(self.control)


@pytest.mark.full
def test_life_of_a_stack_with_drift(project: Project, simulator: SimulatorProcess) -> None:
    """Adopted copies, failed ones, sources that expire, and members that leave share one stack."""
    life = Life(project, simulator)
    life.begin()
    life.lose_members()
    life.lose_last_copies()
    life.end()


# -- targets ------------------------------------------------------------------------------------


@pytest.mark.full
def test_targets_leave_a_replica_to_its_other_owner(project: Project, control: Control) -> None:
    """Two members move out of a set, each to a resource that is visited without the set.

    One of these is destroyed alone, while the set has the replica too. Then the set changes alone,
    while the other one has its replica.
    """
    declare(project, many=to_east(backups={"erp": BACKUP, "web": WEB_1, "web-2": WEB_2}))
    project.up()
    control.advance(20_000)
    before = replicas(control)
    singles = {"erp": to_east(backup_id=BACKUP), "web": to_east(backup_id=WEB_1)}
    declare(project, **singles, many=to_east(backups={"web-2": WEB_2}))
    targets = [f"--target={urn('BackupReplication', name)}" for name in singles]
    project.up(*targets)
    assert {"erp", "web", "many"} <= set(project.resources())

    told = project.must("destroy", "--yes", "--skip-preview", targets[1]).text

    assert "web" not in project.resources()
    assert before == replicas(control), told
    assert "the replica stays, since another resource" in told
    declare(project, erp=singles["erp"], many=to_east(backups={"web": WEB_1, "web-2": WEB_2}))
    project.up(f"--target={urn('BackupReplicationSet', 'many')}")
    assert before == replicas(control)
    assert {"web", "web-2"} == set(members(project, "many"))
    project.destroy()
    assert {} == replicas(control)


@pytest.mark.full
def test_secret_rows_hide_no_owner(make_program: MakeProject, control: Control) -> None:
    """The program declares a set's members secret, so the state has them as ciphertext alone."""
    option = "additional_secret_outputs=['members'] if 'backups' in inputs else None,"
    call = "pulumi.ResourceOptions(\n"
    project = on_host(make_program(PROGRAM.replace(call, f"{call}        {option}\n")))
    declare(project, many=to_east(backups={"erp": BACKUP, "web": WEB_1}))
    project.up()
    control.advance(20_000)
    before = replicas(control)
    declare(project, erp=to_east(backup_id=BACKUP), many=to_east(backups={"web": WEB_1}))
    project.up(f"--target={urn('BackupReplication', 'erp')}")

    told = project.must(
        "destroy", "--yes", "--skip-preview", f"--target={urn('BackupReplication', 'erp')}"
    ).text

    assert before == replicas(control), told
    project.destroy()
    assert {} == replicas(control)


@pytest.mark.full
def test_two_owners_of_one_replica_are_both_destroyed(project: Project, control: Control) -> None:
    """The first one leaves the replica to the second, which deletes it."""
    declare(project, many=to_east(backups={"erp": BACKUP, "web": WEB_1}))
    project.up()
    control.advance(20_000)
    declare(project, erp=to_east(backup_id=BACKUP), many=to_east(backups={"web": WEB_1}))
    project.up(f"--target={urn('BackupReplication', 'erp')}")

    project.destroy()

    assert {} == replicas(control)
    assert {} == project.resources()


# -- the last copy ------------------------------------------------------------------------------


def test_last_copy_goes_only_when_asked_twice(project: Project, control: Control) -> None:
    """A member that leaves, and a resource that is removed, keep replicas without a source.

    Before, one look does not find a replica. The state keeps it too.
    """
    both = {"erp": BACKUP, "web": WEB_1}
    declare(project, one=to_east(backup_id=MANUAL), many=to_east(backups=both))
    for backup_id in (BACKUP, WEB_1, MANUAL):
        control.change_backup(backup_id, copy={"mode": "immediate"})
    project.up()
    project.refresh()
    before = replicas(control)
    of_erp, of_manual = replicas_of(control, BACKUP, MANUAL)
    for backup_id in (BACKUP, MANUAL):
        control.forget_backup(backup_id)
    missing = {"error_code": "BackupService.6200", "error_msg": "not found"}
    answer = {"action": "respond", "status": 404, "body": missing}
    control.fault(operation="ShowBackup", path=f"/{of_manual}$", **answer)

    # Many would be looked up in a list.
    project.must(
        "refresh", "--yes", "--skip-preview", f"--target={urn('BackupReplication', 'one')}"
    )

    assert [] == control.waiting_faults()
    assert {"one", "many"} <= set(project.resources())
    declare(project, one=to_east(backup_id=MANUAL), many=to_east(backups={"web": WEB_1}))
    preview = project.run("preview")
    declare(project)
    up = project.run("up", "--yes", "--skip-preview", "--continue-on-error")

    assert 0 != preview.code
    assert of_erp in preview.text
    assert 0 != up.code
    assert of_erp in up.text
    assert of_manual in up.text
    for outcome in (preview, up):
        assert "Traceback" not in outcome.text
        for way_out in ("force_destroy", "retain_on_delete"):
            assert way_out in outcome.text, outcome.text
    assert [] == deleted(control)
    assert before == replicas(control)
    assert {"one", "many"} <= set(project.resources())
    project.environment["HW_FORCE_DESTROY"] = "true"
    project.destroy()
    assert {} == replicas(control)
    assert {} == project.resources()


@pytest.mark.full
def test_last_copy_goes_with_force_destroy_in_the_state(project: Project, control: Control) -> None:
    """An `up` writes it, then `destroy` and the removal of a member delete last copies too."""
    both = {"erp": BACKUP, "web": WEB_1}
    declare(project, one=to_east(backup_id=MANUAL), many=to_east(backups=both))
    project.up()
    control.advance(20_000)
    project.refresh()
    of_erp = replicas_of(control, BACKUP)
    control.forget_backup(BACKUP)
    control.forget_backup(MANUAL)
    assert 0 != project.run("destroy", "--yes", "--skip-preview", "--continue-on-error").code
    assert [] == deleted(control)
    forced = {"force_destroy": True}
    one = to_east(backup_id=MANUAL, **forced)
    declare(project, one=one, many=to_east(backups=both, **forced))
    project.up()
    assert [] == deleted(control)

    declare(project, one=one, many=to_east(backups={"web": WEB_1}, **forced))
    project.up()

    assert of_erp == deleted(control)
    project.destroy()
    assert {} == replicas(control)


# -- adoption, by the mark ----------------------------------------------------------------------


@pytest.mark.full
def test_adoption_goes_by_the_mark(
    project: Project, simulator: SimulatorProcess, control: Control
) -> None:
    """Copies that this stack, another one and somebody else made, and one that still runs.

    With `adopt: false` only our own is taken over; with `any` all are.
    """
    of_test = {"ours": BACKUP, "theirs": WEB_1, "nobodys": WEB_2}
    copy_by_hand(simulator, BACKUP, "for audits [pulumi program/test]")
    copy_by_hand(simulator, WEB_1, "[pulumi shop/prod]")
    copy_by_hand(simulator, WEB_2, "monthly")
    control.advance(20_000)
    take(control, NEVER_S, MANUAL)
    copy_by_hand(simulator, MANUAL, "monthly")
    everybodys = {**of_test, "running": MANUAL}

    declare(project, many=to_east(backups=everybodys, adopt=False))
    refused = project.run("preview")
    declare(project, many=to_east(backups=of_test))
    by_default = project.run("preview")
    declare(project, many=to_east(backups=everybodys, adopt="any"))
    told = project.up().text

    assert 0 != refused.code
    assert [True, True, True] == [
        label in refused.text for label in ("theirs", "nobodys", "running")
    ]
    assert '"ours"' not in refused.text
    assert 0 != by_default.code
    assert '"nobodys"' not in by_default.text
    for outcome in (refused, by_default):
        assert "shop/prod" in outcome.text
        assert "state delete" in outcome.text
        assert "Traceback" not in outcome.text
    assert "destroy" in told
    assert Counter(everybodys.values()) == Counter(
        entry["backup_id"] for entry in control.journal(operation="CopyBackup")
    )
    rows = members(project, "many")
    assert {"ours": "program/test", "theirs": "shop/prod"} == {
        label: row["owner"] for label, row in rows.items() if "owner" in row
    }
    control.advance(NEVER_S)
    project.destroy()
    assert {} == replicas(control)


@pytest.mark.full
def test_running_copy_that_proves_to_be_another_stacks(
    project: Project, simulator: SimulatorProcess, control: Control
) -> None:
    """It is adopted while nobody knows. Then the preview refuses, and `destroy` leaves it."""
    take(control, NEVER_S, BACKUP, WEB_1)
    for backup_id in (BACKUP, WEB_1):
        copy_by_hand(simulator, backup_id, "[pulumi shop/prod]")
    declare(project, one=to_east(backup_id=BACKUP), many=to_east(backups={"web": WEB_1}))
    project.up()
    control.advance(NEVER_S)
    before = replicas(control)

    refused = project.run("preview")
    told = project.destroy().text

    assert 0 != refused.code
    assert "shop/prod" in refused.text
    assert "shop/prod" in told
    assert "warning" in told
    assert before == replicas(control)
    assert [] == deleted(control)
    assert {} == project.resources()


@pytest.mark.full
def test_lost_answer_is_recognised_without_adoption(project: Project, control: Control) -> None:
    """With `adopt: false`, the copy that a dead plugin submitted is our own."""
    control.change_backup(BACKUP, copy={"mode": "immediate"})
    control.fault(operation="CopyBackup", action="hold_after")
    declare(project, one=to_east(backup_id=BACKUP, adopt=False))
    running = start(project, "up")
    wait_until(control.held)
    for process in plugins_of(project):
        os.kill(process, signal.SIGKILL)
    running.wait(COMMAND_LIMIT_S)
    control.release()

    project.up()

    assert 1 == len(control.journal(operation="CopyBackup"))
    (record,) = control.records()
    assert record["id"] == project.resources()["one"]["id"]


# -- two stacks ---------------------------------------------------------------------------------


@pytest.mark.full
def test_second_stack_takes_over_only_when_asked(project: Project, control: Control) -> None:
    """It is refused what the first stack made; with `adopt: any` it has it, until it is destroyed.

    Then it copies anew, and `destroy` of the first stack leaves that replica alone.
    """
    first, second = project, project.other_stack("second")
    declare(
        first,
        many=to_east(backups={"erp": BACKUP, "web": WEB_1}),
        one=to_east(backup_id=MANUAL, description="for audits"),
    )
    first.up()
    control.advance(20_000)
    of_erp, of_web, of_manual = replicas_of(control, BACKUP, WEB_1, MANUAL)
    mark = "[pulumi program/test]"
    assert {of_erp: mark, of_web: mark, of_manual: f"for audits {mark}"} == descriptions(control)
    outputs = first.resources()["one"]["outputs"]
    assert ("for audits", "program/test") == (outputs["description"], outputs["owner"])
    declare(second, one=to_east(backup_id=MANUAL), many=to_east(backups={"erp": BACKUP}))

    refused = second.run("up", "--yes", "--skip-preview", "--continue-on-error")

    assert 0 != refused.code
    assert "program/test" in refused.text
    assert "Traceback" not in refused.text
    assert not {"one", "many"} & set(second.resources())
    declare(second, many=to_east(backups={"erp": BACKUP}, adopt="any"))
    second.up()
    assert "program/test" == members(second, "many")["erp"]["owner"]
    assert 3 == len(control.journal(operation="CopyBackup"))
    second.destroy()
    assert [of_erp] == deleted(control)
    second.up()
    (anew,) = replicas_of(control, BACKUP)
    assert "[pulumi program/second]" == descriptions(control)[anew]
    control.advance(20_000)
    first.destroy()
    assert {anew} == set(replicas(control))
    assert sorted([of_erp, of_web, of_manual]) == deleted(control)
    second.up("--expect-no-changes")


@pytest.mark.full
def test_way_out_of_a_refusal_to_take_over(project: Project, control: Control) -> None:
    """The first stack forgets the copy, and the second one takes it over: it has it alone."""
    first, second = project, project.other_stack("second")
    declare(first, one=to_east(backup_id=BACKUP))
    first.up()
    control.advance(20_000)
    before = replicas(control)
    first.must("state", "delete", urn("BackupReplication", "one"), "--yes")
    declare(second, one=to_east(backup_id=BACKUP, adopt="any"))
    second.up()

    first.destroy()

    assert before == replicas(control)
    declare(second, one=to_east(backup_id=BACKUP))
    second.up("--refresh")
    assert before == replicas(control)
    second.destroy()
    assert {} == replicas(control)


@pytest.mark.full
def test_first_stack_destroys_what_it_did_not_let_go(project: Project, control: Control) -> None:
    """Both have the copy, and it has the first stack's mark. The second one copies anew."""
    first, second = project, project.other_stack("second")
    declare(first, one=to_east(backup_id=BACKUP))
    first.up()
    control.advance(20_000)
    declare(second, one=to_east(backup_id=BACKUP, adopt="any"))
    second.up()

    first.destroy()

    assert {} == replicas(control)
    second.refresh()
    second.up()
    assert ["[pulumi program/second]"] == list(descriptions(control).values())
    control.advance(20_000)
    second.destroy()
    assert {} == replicas(control)


@pytest.mark.full
def test_rolling_set_leaves_what_another_stack_made(
    project: Project, simulator: SimulatorProcess, control: Control
) -> None:
    """It had adopted a running copy. A newer copy succeeds, and the older one stays."""
    take(control, NEVER_S, BACKUP)
    copy_by_hand(simulator, BACKUP, "[pulumi shop/prod]")
    days = {
        f"day-{day}": {"backup_id": backup_id, "created_at": f"2026-11-0{day}T02:00:00"}
        for day, backup_id in ((1, BACKUP), (2, WEB_1))
    }
    declare(project, roll=to_east(backups={"day-1": days["day-1"]}, keep_newest=1))
    project.up()
    control.advance(NEVER_S)
    before = replicas(control)
    declare(project, roll=to_east(backups={"day-2": days["day-2"]}, keep_newest=1))

    outcomes = []
    for _ in range(3):
        outcomes.append(project.run("up", "--yes", "--skip-preview"))
        control.advance(20_000)

    assert "shop/prod" in "".join(outcome.text for outcome in outcomes)
    assert [] == deleted(control)
    project.destroy()
    assert before == replicas(control)


@pytest.mark.full
def test_running_copy_of_another_stack_is_taken_over_when_asked(
    project: Project, simulator: SimulatorProcess, control: Control
) -> None:
    """With `adopt: any` the next look records the owner, and `destroy` deletes the replica."""
    take(control, NEVER_S, BACKUP)
    copy_by_hand(simulator, BACKUP, "[pulumi shop/prod]")
    declare(project, one=to_east(backup_id=BACKUP, adopt="any"))
    project.up()
    control.advance(NEVER_S)
    project.refresh()
    assert "shop/prod" == project.resources()["one"]["outputs"].get("owner")

    project.destroy()

    assert {} == replicas(control)


# -- races --------------------------------------------------------------------------------------

ROUNDS = 3
COMMANDS = ("up", "move on", "destroy")
FIRST_ROUNDS = (("up", "up"), ("up", "move on"), ("up", "destroy"))
"""Of the stack that made the replica of `one`, and of the other. At first nobody has."""


class Race:
    """Two stacks that declare the same backups and change at the same time."""

    def __init__(self, project: Project, simulator: SimulatorProcess) -> None:
        self.control = simulator.control
        self.stacks = {"test": project, "second": project.other_stack("second")}
        self.newest = dict.fromkeys(self.stacks, 0)
        # The journal tells the stacks apart by the addresses that they use.
        endpoints = connection(simulator)["huaweicloud:endpoints"]
        plain = endpoints.replace("/regions/{region}", "", 1)
        self.stacks["second"].configure({"huaweicloud:endpoints": plain})

    def declare(self, name: str) -> None:
        """Declare the same rolling set and replication as the other stack, each with its day."""
        newest = self.newest[name]
        days = {
            f"day-{day}": {"backup_id": backup_id, "created_at": f"2026-11-{day + 1:02}T02:00:00"}
            for day, backup_id in enumerate([BACKUP, WEB_1, WEB_2, *SPARE][: newest + 1])
        }
        declare(
            self.stacks[name],
            roll=to_east(backups=days, keep_newest=1),
            one=to_east(backup_id=MANUAL),
        )

    def run(self, commands: tuple[str, str]) -> None:
        """Run a command in each stack at the same time, and check what it did.

        The first command is for the stack that made the newest replica of `one`.
        """
        running = {}
        for name, command in zip(self.in_order(), commands, strict=True):
            stack = self.stacks[name]
            if command == "move on":
                self.newest[name] = min(self.newest[name] + 1, 12)
            self.declare(name)
            running[name] = start(stack, "destroy" if command == "destroy" else "up")
        others = dict(zip(self.stacks, reversed(self.stacks), strict=True))
        for name, process in running.items():
            code, text = process.wait(COMMAND_LIMIT_S), said(self.stacks[name])
            assert "Traceback" not in text, text
            assert code == 0 or f"program/{others[name]}" in text, text
        self.require_own_deletions(commands)

    def in_order(self) -> list[str]:
        """Return the stacks, the one that made the newest replica of `one` first."""
        accepted = [
            entry["has_region_prefix"]
            for entry in self.control.journal(operation="CopyBackup", backup_id=MANUAL)
            if entry["status"] == 200
        ]
        is_first = not accepted or accepted[-1]
        return list(self.stacks if is_first else reversed(self.stacks))

    def require_own_deletions(self, commands: object) -> None:
        """Each replica was deleted by the stack that made it."""
        makers = self.makers()
        for entry in self.control.journal(operation="DeleteBackup"):
            assert makers[entry["backup_id"]] == entry["has_region_prefix"], (commands, entry)

    def makers(self) -> dict[str, bool]:
        """Return whether the first stack made it, for each replica that ever was."""
        accepted: dict[str, list[bool]] = {}
        for entry in self.control.journal(operation="CopyBackup"):
            if entry["status"] == 200:
                accepted.setdefault(entry["backup_id"], []).append(entry["has_region_prefix"])
        found = {}
        for record in self.control.records():
            is_first = accepted[record["source_backup_id"]].pop(0)
            found[record["destination_backup_id"]] = is_first
        return found


@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(30, marks=pytest.mark.full)])
def test_race_of_two_stacks(project: Project, simulator: SimulatorProcess, rounds: int) -> None:
    """No stack deletes what the other one made, and each refusal names the owner."""
    race, dice = Race(project, simulator), random.Random(20261130)
    drawn = ((dice.choice(COMMANDS), dice.choice(COMMANDS)) for _ in range(rounds - ROUNDS))

    for commands in (*FIRST_ROUNDS, *drawn):
        race.run(commands)

    for stack in race.stacks.values():
        stack.destroy()
        assert {} == stack.resources()
    race.require_own_deletions("the end")
    assert {} == replicas(race.control)
