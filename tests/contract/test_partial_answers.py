"""Answers that lack or null what the definitions do not require.

What is not told is unknown: it is neither "no" nor an error. The definitions are those of the
vendor's API explorer (edition 2025-10-31): what `DROPPED` names is not required there, and what
`NULLED` names is null in the vendor's samples.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import httpx
import pulumi
import pytest

from pulumi_huaweicloud_cbr import CbrError
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from simulator.cloud.operations import operation_of
from simulator.cloud.specs import CopyScript
from simulator.testing import Control, InProcessSimulator
from simulator.worlds.fleet import (
    DESTINATION_REGIONS,
    FLEET_ACCOUNT,
    FLEET_PASSWORD,
    FLEET_USER,
    SOURCE_REGION,
    fleet_world,
)
from tests.contract.engine import Engine
from tests.contract.owned import FORMS, SOUTH, WEB_1, copied, declared
from tests.contract.rig import BACKUP, LONG_S, VAULT, Rig, SimulatedClock
from tests.contract.situations import make_doctor

pytestmark = pytest.mark.simulator_only

RECORD = (
    *("status", "created_at", "extra_info", "source_backup_id", "source_checkpoint_id"),
    *("source_project_id", "source_region", "vault_id", "destination_backup_id"),
    *("destination_checkpoint_id", "destination_project_id", "destination_region"),
    "destination_vault_id",
)
BACKUP_FIELDS = ("enterprise_project_id", "provider_id", "children", "incremental", "version")
PAGE = ("count", "limit", "offset")
DROPPED: dict[str, tuple[str, ...]] = {
    "replication_records": RECORD,
    "backup": (*BACKUP_FIELDS, "replication_records"),
    "backups": (*BACKUP_FIELDS, "replication_records"),
    "billing": ("cloud_type", "object_type", "order_id", "product_id", "storage_unit"),
    "vault": ("description", "tags", "enterprise_project_id", "auto_bind", "bind_rules"),
    "vaults": ("description", "tags", "enterprise_project_id", "auto_bind", "bind_rules"),
    "operation_logs": ("checkpoint_id", "ended_at", "operation_type", "policy_id", "provider_id"),
    "": PAGE,
}
"""By the field that holds an object or a list of them; "" is the answer itself."""
NULLED: dict[str, tuple[str, ...]] = {
    "backup": ("parent_id", "expired_at", "updated_at", "protected_at", "resource_az"),
    "backups": ("parent_id", "expired_at", "updated_at", "protected_at", "resource_az"),
}


class Altered(httpx.AsyncBaseTransport):
    """Connects to a simulator, and changes its answers to requests of CBR while `change` is set."""

    def __init__(self, simulator: InProcessSimulator) -> None:
        self._inner = simulator.transport()
        self.change: Callable[[str, Any], Any] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and answer it."""
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        operation = operation_of(
            request.method, re.sub(r"^/regions/[^/]+", "", request.url.path)
        ).name
        if self.change is None or operation is None or response.status_code != 200 or not body:
            return response
        changed = json.dumps(self.change(operation, json.loads(body)))
        return httpx.Response(200, headers={"Content-Type": "application/json"}, text=changed)


def omitting(seed: int) -> Callable[[str, Any], Any]:
    """Return a change that leaves out by chance what the definitions do not require."""
    chance = random.Random(seed)

    def lighten(tree: Any, held_by: str) -> Any:
        if isinstance(tree, list):
            return [lighten(each, held_by) for each in tree]
        if not isinstance(tree, dict):
            return tree
        kept: dict[str, Any] = {}
        for key, value in tree.items():
            if key in DROPPED.get(held_by, ()) and chance.random() < 0.5:
                if chance.random() < 0.5:
                    kept[key] = None
            elif key in NULLED.get(held_by, ()) and chance.random() < 0.5:
                kept[key] = None
            else:
                kept[key] = lighten(value, key)
        return kept

    return lambda _, tree: lighten(tree, "")


def without(kind: str, *fields: str, value: Any = ...) -> Callable[[str, Any], Any]:
    """Return a change that leaves fields out of each record or backup, or gives them a value."""

    def lighten(tree: Any, held_by: str) -> Any:
        if isinstance(tree, list):
            return [lighten(each, held_by) for each in tree]
        if not isinstance(tree, dict):
            return tree
        changed = {key: lighten(part, key) for key, part in tree.items()}
        if held_by.startswith(kind):
            for field in fields:
                changed.pop(field, None)
                if value is not ...:
                    changed[field] = value
        return changed

    return lambda _, tree: lighten(tree, "")


def told_by(work: Callable[[], Any]) -> str:
    """Return what is told and warned of meanwhile."""
    with patch.object(pulumi.log, "info") as info, patch.object(pulumi.log, "warn") as warning:
        work()
    calls = [*info.call_args_list, *warning.call_args_list]
    return "\n".join(str(call.args[0]) for call in calls)


# -- a whole stack -------------------------------------------------------------------------


class Stack:
    """Some single replications, a set, and an entire vault, whose copies have ended."""

    def __init__(self, size: int) -> None:
        script = CopyScript(mode="seconds", seconds=600)
        self.simulator = InProcessSimulator(fleet_world(size, destinations=2, copy=script))
        address = f"{self.simulator.url}/regions/{{region}}"
        configuration = {
            "huaweicloud:region": SOURCE_REGION,
            "huaweicloud:userName": FLEET_USER,
            "huaweicloud:password": FLEET_PASSWORD,
            "huaweicloud:domainName": FLEET_ACCOUNT,
            "huaweicloud:endpoints": json.dumps({"cbr": address, "iam": address}),
        }
        self.network = Altered(self.simulator)
        self.session = Session(
            Settings.load(configuration.get, {}),
            transport=self.network,
            clock=SimulatedClock(self.simulator),
        )
        use_session(self.session)
        self.engine = Engine(self.session, configuration)
        control = self.simulator.control
        vaults = {row["name"]: row["id"] for row in control.state()["vaults"]}
        east, south = (
            {"destination_region": region, "destination_vault_id": vaults[f"replicas-{region}"]}
            for region in DESTINATION_REGIONS
        )
        first, second, *others = [row["id"] for row in control.state()["backups"]]
        self.program = {
            "first": ("single", {"backup_id": first, **east}),
            "second": ("single", {"backup_id": second, **east}),
            "rest": ("set", {"backups": others, **east}),
            "all": ("vault", {"vault_id": vaults["fleet"], **south}),
        }
        self.engine.up(self.program)
        control.advance(LONG_S)
        self.engine.refresh()
        control.clear_journal()

    def close(self) -> None:
        """Forget everything."""
        self.session.close()
        self.simulator.close()

    @property
    def changes(self) -> list[str]:
        """Return the requests that changed something."""
        return [
            entry["operation"]
            for entry in self.simulator.control.journal()
            if entry["method"] in ("PUT", "DELETE") or "Copy" in str(entry["operation"])
        ]


@pytest.fixture
def make_stack() -> Iterator[Callable[[int], Stack]]:
    """Make a stack with copies of a number of backups."""
    made: list[Stack] = []

    def make(size: int) -> Stack:
        made.append(Stack(size))
        return made[-1]

    yield make
    for stack in made:
        stack.close()


@pytest.mark.parametrize(
    ("size", "seed"),
    [(6, 1), (6, 2), pytest.param(300, 300, marks=pytest.mark.full)],
)
def test_omissions_change_no_outcome(
    make_stack: Callable[[int], Stack], size: int, seed: int
) -> None:
    """A refresh, a preview and a destroy end as they do with full answers."""
    stack = make_stack(size)
    before = copy.deepcopy(stack.engine.state)
    stack.network.change = omitting(seed)

    stack.engine.refresh()

    assert before == stack.engine.state
    preview = stack.engine.preview(stack.program)
    assert [] == preview.gone
    stack.engine.up(stack.program)
    assert before == stack.engine.state
    assert [] == stack.changes
    stack.engine.destroy()
    assert [] == stack.engine.state
    assert [] == stack.simulator.control.replicas()
    assert 2 * size == stack.changes.count("DeleteBackup") == len(stack.changes)


# -- one resource --------------------------------------------------------------------------


@pytest.fixture
def network(simulator: InProcessSimulator) -> Altered:
    """A connection to the simulator whose answers can be changed."""
    return Altered(simulator)


@pytest.fixture
def session(
    simulator: InProcessSimulator, configuration: dict[str, str], network: Altered
) -> Iterator[Session]:
    """The session that providers use, over that connection."""
    session = Session(
        Settings.load(configuration.get, {}),
        transport=network,
        clock=SimulatedClock(simulator),
    )
    use_session(session)
    yield session
    session.close()


NOTHING_TOLD = {
    "no status": without("replication_records", "status"),
    "null": without("replication_records", "status", value=None),
    "the id alone": without("replication_records", *RECORD),
    "of another type": without("replication_records", "status", value={"word": "success"}),
    "no record readable": without("backup", "replication_records", value=[{"id": None}, 7]),
    "no list": without("backup", "replication_records", value="many"),
}
"""Records that exist, and of which CBR does not tell whether they are copies to the region."""
SOME_UNTOLD = ("the id alone", "no list")


@FORMS
@pytest.mark.parametrize("what", SOME_UNTOLD)
def test_untold_records_of_a_running_copy_are_not_copied_again(
    engine: Engine, control: Control, network: Altered, form: str, what: str
) -> None:
    """It is unknown whether there is a copy, so nothing is submitted."""
    for name, backups in (("a", BACKUP), ("b", WEB_1)):
        engine.up({name: ("single", {**declared("single")["dr"][1], "backup_id": backups})})
        engine.state.clear()
    control.clear_journal()
    network.change = NOTHING_TOLD[what]
    program = declared(form, preflight="warn")

    text = told_by(lambda: _attempt(lambda: engine.up(program)))

    asked = [entry for entry in control.journal() if "Copy" in str(entry["operation"])]
    if form != "vault":
        assert [] == asked
        assert "status" in text or "cannot be read" in text
    else:
        # The others are copied, and CBR itself takes no backup twice.
        assert "has a status that CBR does not tell" in text
    assert len(copied(control)) == len(set(copied(control)))


def _attempt(work: Callable[[], None]) -> None:
    try:
        work()
    except CbrError as error:
        pulumi.log.warn(str(error))


@pytest.mark.parametrize("what", NOTHING_TOLD)
def test_preview_refuses_untold_records(rig: Rig, network: Altered, what: str) -> None:
    """The preview says so, before `up` does."""
    rig.create(declared("single")["dr"][1])
    network.change = NOTHING_TOLD[what]

    (fault,) = rig.faults(declared("single")["dr"][1])

    assert "backup_id" == fault[0]
    assert "tells no status" in fault[1] or "cannot be read" in fault[1]


@FORMS
@pytest.mark.parametrize("what", SOME_UNTOLD)
def test_refresh_and_destroy_of_untold_records(
    settled: Engine, control: Control, network: Altered, form: str, what: str
) -> None:
    """The id in the state leads to the replica, whatever the records tell."""
    before = copy.deepcopy(settled.state)
    network.change = NOTHING_TOLD[what]

    settled.refresh()

    assert before == settled.state
    assert [form] == [row.form for row in settled.state]
    settled.destroy()
    assert [] == [row for row in control.replicas() if row["region"] == "cn-east-3"]


@FORMS
@pytest.mark.parametrize("what", SOME_UNTOLD)
def test_refresh_of_a_running_copy_of_which_nothing_is_told(
    engine: Engine, control: Control, network: Altered, form: str, what: str
) -> None:
    """It stays in the state: what is not told is not gone."""
    engine.up(declared(form))
    network.change = NOTHING_TOLD[what]

    engine.refresh()

    (row,) = engine.state
    rows = row.outputs.get("members", {"": row.outputs})
    assert len(rows) == len(copied(control)) or len(rows) == len(control.records())
    assert not any(row.get("failure") for row in rows.values())


def test_adoption_of_a_replica_whose_status_is_not_told(
    rig: Rig, control: Control, network: Altered
) -> None:
    """The replica itself shows that the copy has ended, and takes the declared name."""
    rig.create(declared("single")["dr"][1])
    rig.finish_copies()
    network.change = without("replication_records", "status")

    outputs = rig.create({**declared("single")["dr"][1], "name": "erp-dr"})

    assert ("success", "erp-dr") == (outputs["status"], outputs["name"])
    assert 1 == len(control.records())


def test_records_that_are_not_told_are_warned_of(
    rig: Rig, network: Altered, control: Control
) -> None:
    """The list of records may be left out. CBR itself then refuses a second copy."""
    network.change = without("backup", "replication_records")

    text = told_by(lambda: rig.create(declared("single")["dr"][1]))

    assert "does not tell which copies of backup" in text
    assert 1 == len(control.records())


@pytest.mark.parametrize("form", ["set", "vault"])
def test_one_odd_row_leaves_the_others(
    settled: Engine, control: Control, network: Altered, form: str
) -> None:
    """The row of a backup that nobody asked for has no id, or values of other types."""
    before = copy.deepcopy(settled.state)
    rows: list[Any] = [7, None, {}, {"id": None}, {"id": "x", "status": 7, "vault_id": []}]

    def spoil(operation: str, tree: Any) -> Any:
        if operation == "ListBackups" and "count" in tree and form == "set":
            tree["backups"] += copy.deepcopy(rows)
            tree["count"] += len(rows)
        elif operation == "ListBackups" and tree["backups"]:
            tree["backups"][-1]["resource_size"] = "huge"
            tree["backups"][-1]["extend_info"] = [1]
        return tree

    network.change = spoil

    settled.refresh()
    settled.up(declared(form))

    assert before == settled.state
    assert len(copied(control)) == len(set(copied(control)))


def test_row_that_cannot_be_read_is_not_left_out_of_a_whole_list(
    settled_vault: Engine, network: Altered
) -> None:
    """An entire vault asks for all its backups. One without an id is an error, not one less."""

    def spoil(operation: str, tree: Any) -> Any:
        if operation == "ListBackups" and tree["backups"]:
            tree["backups"][0]["id"] = None
        return tree

    network.change = spoil

    with pytest.raises(CbrError, match="cannot be read"):
        settled_vault.preview(declared("vault"))


@pytest.fixture
def settled_vault(engine: Engine, control: Control) -> Engine:
    """A stack with an entire vault, whose copies have ended and were observed."""
    engine.up(declared("vault"))
    control.advance(LONG_S)
    engine.refresh()
    return engine


@pytest.mark.parametrize("billing", [None, {}, {"size": None, "used": None}, "free"])
def test_vault_without_figures_is_warned_of(rig: Rig, network: Altered, billing: Any) -> None:
    """Its free room is not known, so the copy is submitted with a warning."""
    network.change = lambda operation, tree: (
        {"vault": {**tree["vault"], "billing": billing}} if operation == "ShowVault" else tree
    )

    text = told_by(lambda: rig.create(declared("single")["dr"][1]))

    assert f"CBR does not tell the free room of vault ({VAULT})" in text


def test_wait_for_copies_whose_status_is_not_told(
    engine: Engine, control: Control, network: Altered
) -> None:
    """The replicas show that the copies have ended. The new region's copies are complete then."""
    engine.up(declared("set"))
    control.advance(LONG_S)
    engine.refresh()
    network.change = without("replication_records", "status")

    engine.up(declared("set", **SOUTH))

    (row,) = engine.state
    assert {"success"} == {each["status"] for each in row.outputs["members"].values()}
    assert {"cn-south-1"} == {
        each["region"] for each in control.replicas() if each["id"] in _replica_ids(engine)
    }


def _replica_ids(engine: Engine) -> set[str]:
    (row,) = engine.state
    return {each["destination_backup_id"] for each in row.outputs["members"].values()}


@pytest.mark.parametrize("form", ["single", "set"])
def test_deletion_is_waited_for_without_a_status(
    settled: Engine, control: Control, network: Altered, form: str
) -> None:
    """A replica whose status is not told may be deleted, and is gone when CBR says so."""
    network.change = without("backup", "status", value=None)
    assert [form] == [row.form for row in settled.state]

    settled.destroy()

    assert [] == [row for row in control.replicas() if row["region"] == "cn-east-3"]


# -- another name of a region ----------------------------------------------------------------


def renamed(name: str) -> Callable[[str, Any], Any]:
    """Return a change that gives the destination of records and tasks another name."""
    change = without("replication", "destination_region", value=name)
    return lambda operation, tree: (
        tree if operation in ("CopyBackup", "CopyCheckpoint") else change(operation, tree)
    )


@pytest.mark.parametrize("name", ["East China"])
@FORMS
def test_records_under_another_name_of_the_region_are_adopted(
    engine: Engine, control: Control, network: Altered, form: str, name: str
) -> None:
    """The vault and the project tell where the copies are. Nothing is copied or deleted."""
    engine.up(declared(form))
    control.advance(LONG_S)
    engine.state.clear()
    control.clear_journal()
    network.change = renamed(name)

    engine.up(declared(form))

    assert [] == [entry for entry in control.journal() if "Copy" in str(entry["operation"])]
    before = copy.deepcopy(engine.state)
    engine.refresh()
    engine.up(declared(form))
    assert before == engine.state
    engine.destroy()
    assert [] == [row for row in control.replicas() if row["region"] == "cn-east-3"]


# -- several live copies ---------------------------------------------------------------------


@pytest.fixture
def doubled(engine: Engine, control: Control, network: Altered) -> Engine:
    """A single replication of which CBR shows a second replica, as if it had accepted two."""
    engine.up(declared("single"))
    control.advance(LONG_S)
    other = {"dr": ("single", {**declared("single")["dr"][1], "backup_id": WEB_1})}
    engine.state[0].name = "kept"
    engine.up({"kept": declared("single")["dr"], **other})
    control.advance(LONG_S)
    engine.state = [row for row in engine.state if row.name == "kept"]
    engine.state[0].name = "dr"
    (second,) = (row for row in control.records() if row["source_backup_id"] == WEB_1)

    def show_both(_operation: str, tree: Any) -> Any:
        rows = [tree["backup"]] if "backup" in tree else tree.get("backups", [])
        for row in rows:
            if row["id"] == BACKUP and row.get("replication_records"):
                (first,) = row["replication_records"]
                twin = {
                    "id": second["id"],
                    "destination_backup_id": second["destination_backup_id"],
                    "created_at": "2026-11-01T00:00:00",
                }
                row["replication_records"] = [first, {**first, **twin}]
        return tree

    network.change = show_both
    return engine


EAST_PROJECT = "863129926600475a959e8f2efb991722"
TWICE = f"CBR lists several copies of backup ({BACKUP}) in region 'cn-east-3'"


def test_doubled_copy_is_told_by_a_refresh_and_not_deleted(
    doubled: Engine, control: Control
) -> None:
    """A refresh names both. A destroy deletes the own one only."""
    before = {row["id"] for row in control.replicas()}
    in_demo_world = {row["id"] for row in control.replicas() if row["region"] != "cn-east-3"}

    text = told_by(doubled.refresh)

    assert TWICE in text
    (other,) = before - {doubled.state[0].outputs["destination_backup_id"], *in_demo_world}
    control.change_backup(other, status="deleting")
    assert TWICE not in told_by(doubled.refresh)
    own = doubled.state[0].outputs["destination_backup_id"]
    doubled.destroy()
    assert before - {own} == {row["id"] for row in control.replicas()}


def test_doubled_copy_is_told_by_a_preview(doubled: Engine, control: Control) -> None:
    """The newest one is adopted, and none is deleted."""
    doubled.state.clear()
    before = {row["id"] for row in control.replicas()}

    text = told_by(lambda: doubled.preview(declared("single")))
    assert TWICE in text
    assert TWICE in told_by(lambda: doubled.preview(declared("set")))
    doubled.up(declared("single"))

    assert before == {row["id"] for row in control.replicas()}


def test_doubled_copy_is_told_of_a_member(doubled: Engine) -> None:
    """A set names its members that have several copies."""
    doubled.state.clear()
    doubled.up(declared("set", backups={"erp": BACKUP}))

    text = told_by(doubled.refresh)

    assert "CBR lists several copies of a backup in region 'cn-east-3': 'erp':" in text


@pytest.mark.usefixtures("doubled")
def test_doubled_copy_is_told_by_check(simulator: InProcessSimulator, network: Altered) -> None:
    """The command names both copies beside the vault that has one."""
    doctor = make_doctor(simulator)
    doctor.network._inner = network

    account = doctor.look(f"cn-east-3/{EAST_PROJECT}", backup=BACKUP, owner="p/test")

    assert account.backup is not None
    assert 2 == len(account.backup.records)
    told = [reason for target in account.backup.targets for reason in target.reasons]
    assert TWICE in "\n".join(told)


def test_doubled_copy_is_told_of_a_vault(doubled: Engine, control: Control) -> None:
    """Each preview of an entire vault looks at its records."""
    doubled.state.clear()
    doubled.up(declared("vault"))
    control.advance(LONG_S)
    doubled.refresh()

    text = told_by(lambda: doubled.preview(declared("vault")))

    assert "CBR lists several copies of a backup in region 'cn-east-3'" in text


def test_earlier_copy_that_was_deleted_is_no_double(rig: Rig, control: Control) -> None:
    """Its record stays, and its replica is gone. One list of the vault tells that for all."""
    rig.create(declared("single")["dr"][1])
    rig.finish_copies()
    rig.delete()
    rig.create(declared("single")["dr"][1])
    rig.finish_copies()
    control.clear_journal()

    text = told_by(rig.refresh)

    assert "several copies" not in text
    assert 2 == len(control.records())
    assert {"ListBackups": 1, "ShowBackup": 2} == control.journal_counts()
