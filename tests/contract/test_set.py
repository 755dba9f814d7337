"""Sets of replications: each member once, whatever happens to the others."""

from __future__ import annotations

from typing import Any

import httpx
import pulumi.runtime.config
import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.output import Unknown

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr import BackupReplicationSetProvider, ConflictError
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation
from pulumi_huaweicloud_cbr.engine.ownership.state import use_export
from pulumi_huaweicloud_cbr.engine.provider import PartialResultError
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.many import MembersFailedError
from simulator.cloud.store import Backup
from simulator.testing import InProcessSimulator
from tests.contract.rig import BACKUP, FULL, SECOND_VAULT, VAULT, AboutOne, Rig, refuse_to_export

pytestmark = pytest.mark.simulator_only

WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
BROKEN = "afdb82ff-c7ba-415f-9773-32b07f014082"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
THREE = {"erp": BACKUP, "web-1": WEB_1, "web-2": WEB_2}


@pytest.fixture
def rig(simulator: InProcessSimulator, session: Session, configuration: dict[str, str]) -> Rig:
    """A set's provider, called as the engine calls it."""
    provider = BackupReplicationSetProvider()
    provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    return Rig(provider, simulator.control, session)


def declared(backups: Any, **changes: Any) -> dict[str, Any]:
    """Return a program's inputs."""
    return {
        "backups": backups,
        "destination_region": "cn-east-3",
        "destination_vault_id": VAULT,
        **changes,
    }


def copied(rig: Rig) -> list[str]:
    """Return the sources of all replicas, once for each replica."""
    present = {row["id"] for row in rig.replicas if row["status"] != "deleting"}
    return sorted(
        record["source_backup_id"]
        for record in rig.control.records()
        if record["destination_backup_id"] in present
    )


def posts(rig: Rig) -> int:
    """Return how many copies were requested."""
    return len(rig.control.journal(operation="CopyBackup"))


def test_create_submits_each_member_once(rig: Rig) -> None:
    """Each member is copied and has its own row. A poll shows no difference."""
    rig.create(declared(THREE))

    assert sorted(THREE.values()) == copied(rig)
    rows = rig.outputs["members"]
    assert THREE == {label: row["backup_id"] for label, row in rows.items()}
    assert {row["id"] for row in rig.control.records()} == {
        row["replication_record_id"] for row in rows.values()
    }
    assert not rig.diff(declared(THREE)).changes
    rig.finish_copies()
    assert not rig.diff(declared(THREE)).changes


def test_create_takes_a_list_of_ids(rig: Rig) -> None:
    """Members without labels have their ids as labels."""
    rig.create(declared([BACKUP, WEB_1]))

    assert {BACKUP, WEB_1} == set(rig.outputs["members"])
    assert not rig.diff(declared([WEB_1, BACKUP])).changes


def test_create_adopts_what_exists(rig: Rig) -> None:
    """After a lost result nothing is copied twice, and missing members are copied."""
    rig.create(declared({"erp": BACKUP, "web-1": WEB_1}))
    rig.finish_copies()

    rig.create(declared(THREE))

    assert sorted(THREE.values()) == copied(rig)
    assert 3 == posts(rig)


def test_create_names_replicas(rig: Rig) -> None:
    """A member's name becomes its replica's name."""
    program = declared({"erp": {"backup_id": BACKUP, "name": "erp-dr"}, "web": WEB_1})
    rig.create(program)
    assert not rig.diff(program).changes
    rig.finish_copies()

    assert "erp-dr" in {row["name"] for row in rig.replicas}
    assert not rig.diff(program).changes


def test_refused_members_do_not_block_the_others(rig: Rig) -> None:
    """All others succeed and are kept. The error lists the refused ones; `up` retries them."""
    rig.control.fault(
        operation="CopyBackup", action="respond", status=400, body=FULL, backup_id=WEB_1
    )
    with pytest.raises(PartialResultError) as caught:
        rig.create(declared(THREE))
    rig.id, rig.outputs = caught.value.id, caught.value.outputs
    rig.inputs = rig.provider.check({}, declared(THREE)).inputs

    assert (
        "replicating to region 'cn-east-3': 1 of 3 failed, the others are done; "
        "put right what is listed below, then run the same command again: it does only what is "
        "left\n"
        "  'web-1': The maximum capacity is reached; "
        "enlarge the destination vault, or free room in it [BackupService.6129]"
    ) == str(caught.value)
    assert {"erp", "web-2"} == set(rig.outputs["members"])
    rig.update(declared(THREE))
    assert sorted(THREE.values()) == copied(rig)
    assert 4 == posts(rig)


def test_same_reason_is_reported_once(rig: Rig) -> None:
    """Hundreds of members with the same failure are one line, with all their labels."""
    rig.control.fault(operation="CopyBackup", action="respond", status=400, body=FULL, times=9)

    with pytest.raises(MembersFailedError) as caught:
        rig.create(declared(THREE))

    summary, line = str(caught.value).splitlines()
    assert "3 of 3 failed" in summary
    assert line.startswith("  'erp', 'web-1', 'web-2': The maximum capacity is reached;")


def test_update_does_what_differs(rig: Rig) -> None:
    """Added members are copied, removed ones deleted, and the others left alone."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.refresh()
    changed = declared({"erp": {"backup_id": BACKUP, "name": "erp-dr"}, "new": MANUAL})

    difference = rig.diff(changed)
    rig.update(changed)

    assert difference.changes
    assert not difference.replaces
    assert sorted([BACKUP, MANUAL]) == copied(rig)
    assert {"erp", "new"} == set(rig.outputs["members"])
    assert ["erp-dr"] == [
        row["name"] for row in rig.replicas if row["resource_name"] == "erp-db-01"
    ][:1]
    rig.finish_copies()
    assert not rig.diff(changed).changes


def test_label_that_passes_to_another_backup(rig: Rig) -> None:
    """The usual way to follow the newest backup: the row gets the new copy; the old is deleted."""
    rig.create(declared({"erp": BACKUP, "web": WEB_1}))
    rig.finish_copies()
    rig.refresh()
    newer = declared({"erp": MANUAL, "web": WEB_1})

    rig.update(newer)

    assert sorted([MANUAL, WEB_1]) == copied(rig)
    assert {"erp": MANUAL, "web": WEB_1} == {
        label: row["backup_id"] for label, row in rig.outputs["members"].items()
    }
    assert not rig.diff(newer).changes


def test_member_that_could_not_leave_keeps_a_row(rig: Rig) -> None:
    """Its replica is not forgotten, although another member has its label now."""
    rig.create(declared({"erp": BACKUP}))
    rig.finish_copies()
    rig.refresh()
    newer = declared({"erp": MANUAL})
    body = {"error_code": "BackupService.6204", "error_msg": "an image was made of it"}
    rig.control.fault(operation="DeleteBackup", action="respond", status=400, body=body)
    begin_operation()

    with pytest.raises(PartialResultError) as caught:
        rig.provider.update(rig.id, rig.outputs, rig.provider.check(rig.inputs, newer).inputs)

    rows = caught.value.outputs["members"]
    assert {"erp": MANUAL, f"erp-{BACKUP[:8]}": BACKUP} == {
        label: row["backup_id"] for label, row in rows.items()
    }
    rig.outputs = caught.value.outputs
    rig.update(newer)
    assert [MANUAL] == copied(rig)
    assert {"erp"} == set(rig.outputs["members"])


def test_another_label_copies_nothing(rig: Rig) -> None:
    """A label is a name for people. The backup's id identifies a member."""
    rig.create(declared(THREE))
    relabelled = declared({"erp": BACKUP, "front": WEB_1, "web-1": WEB_2})

    assert rig.diff(relabelled).changes
    rig.update(relabelled)

    assert 3 == posts(rig)
    assert {"erp": BACKUP, "front": WEB_1, "web-1": WEB_2} == {
        label: row["backup_id"] for label, row in rig.outputs["members"].items()
    }
    assert not rig.diff(relabelled).changes


def test_failed_copies_are_submitted_again(rig: Rig) -> None:
    """A failed copy is a difference, also if it is not in the state; `up` submits it again."""
    rig.control.change_backup(WEB_1, copy={"mode": "immediate", "outcome": "fail"})
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.control.change_backup(WEB_1, copy={"mode": "immediate", "outcome": "success"})

    assert rig.diff(declared(THREE)).changes
    rig.update(declared(THREE))
    rig.finish_copies()

    assert sorted(THREE.values()) == copied(rig)
    assert not rig.diff(declared(THREE)).changes


def test_refresh_reports_members_that_are_gone(rig: Rig) -> None:
    """A replica that somebody deleted is removed from the rows, and `up` makes it again."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(rig.outputs["members"]["web-1"]["destination_backup_id"])

    assert rig.refresh()

    assert {"erp", "web-2"} == set(rig.outputs["members"]) == set(rig.inputs["backups"])
    assert rig.diff(declared(THREE)).changes
    rig.update(declared(THREE))
    assert sorted(THREE.values()) == copied(rig)


def test_refresh_promises_no_copy_of_what_cannot_be_copied(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only where the source exists does the report say that the next `up` copies again."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.refresh()
    for label in ("erp", "web-1"):
        rig.control.forget_backup(rig.outputs["members"][label]["destination_backup_id"])
    rig.control.forget_backup(WEB_1)
    capsys.readouterr()

    rig.refresh()

    told = capsys.readouterr().err
    assert "gone: 'erp'; the next pulumi up copies again" in told
    assert "gone: 'web-1'; their source backups are gone as well" in told


def test_refresh_of_a_set_of_which_nothing_is_left(rig: Rig) -> None:
    """The set is gone as well."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.control.forget_vault(VAULT)

    assert not rig.refresh()


def test_refresh_reports_other_names_in_the_inputs(rig: Rig) -> None:
    """A declared name that somebody changed is shown as drift, and set again."""
    program = declared({"erp": {"backup_id": BACKUP, "name": "erp-dr"}, "web": WEB_1})
    rig.create(program)
    rig.finish_copies()
    rig.refresh()
    row = rig.outputs["members"]["erp"]
    rig.control.change_backup(row["destination_backup_id"], name="somebody-elses")

    rig.refresh()

    assert "somebody-elses" == rig.inputs["backups"]["erp"]["name"]
    assert rig.diff(program).changes
    rig.update(program)
    assert "erp-dr" in {replica["name"] for replica in rig.replicas}


def test_expired_source_survives(rig: Rig) -> None:
    """A member whose source is gone stays, as long as it is declared."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(WEB_1)
    rig.refresh()

    assert rig.outputs["members"]["web-1"]["source_deleted"]
    assert not rig.diff(declared(THREE)).changes
    rig.update(declared(THREE))
    assert 3 == len(rig.replicas)


def test_preview_names_the_last_copies_that_would_leave(rig: Rig) -> None:
    """The refusal names the member and its replica."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(WEB_1)
    replica = rig.outputs["members"]["web-1"]["destination_backup_id"]
    begin_operation()

    with pytest.raises(ConflictError, match=rf"of 'web-1' are gone.*\({replica}\)"):
        rig.diff(declared({"erp": BACKUP, "web-2": WEB_2}))


def test_replica_of_another_expired_member_is_not_taken_for_a_lost_one(rig: Rig) -> None:
    """Both sources of one server are gone; the operation log assigns the only replica."""
    rig.control.change_backup(MANUAL, copy={"mode": "immediate", "outcome": "skip"})
    rig.create(declared({"newer": BACKUP, "older": MANUAL}))
    rig.finish_copies()
    rig.control.forget_backup(BACKUP)
    rig.control.forget_backup(MANUAL)

    assert rig.refresh()

    assert {"newer"} == set(rig.outputs["members"])
    assert rig.outputs["members"]["newer"]["source_deleted"]
    rig.delete(is_forced=True)
    assert [] == rig.replicas


def test_delete_takes_all_replicas(rig: Rig) -> None:
    """Running copies are waited for, and nothing is left."""
    rig.create(declared(THREE))

    rig.delete()

    assert [] == rig.replicas


def test_replicas_that_move_into_a_set_are_not_copied_again(
    rig: Rig, configuration: dict[str, str]
) -> None:
    """A set adopts copies of single resources. Deleting those afterwards keeps the replicas."""
    single = Rig(cbr.BackupReplicationProvider(), rig.control, rig.session)
    single.provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    single.create(
        {"backup_id": BACKUP, "destination_region": "cn-east-3", "destination_vault_id": VAULT}
    )
    rig.finish_copies()
    begin_operation()

    rig.create(declared(THREE))
    single.provider.delete(single.id, single.outputs)

    assert 3 == len(rig.replicas)
    assert 3 == posts(rig)


def test_members_that_move_to_another_set_are_not_deleted(rig: Rig) -> None:
    """A removed member keeps a replica that another resource of the operation has adopted."""
    rig.create(declared(THREE))
    rig.finish_copies()
    begin_operation()

    rig.provider.create(rig.provider.check({}, declared({"web-1": WEB_1})).inputs)
    result = rig.provider.update(
        rig.id,
        rig.outputs,
        rig.provider.check(rig.inputs, declared({"erp": BACKUP, "web-2": WEB_2})).inputs,
    )

    assert result.outs is not None
    assert {"erp", "web-2"} == set(result.outs["members"])
    assert 3 == len(rig.replicas)


def test_set_that_is_removed_leaves_what_another_has_taken_over(rig: Rig) -> None:
    """All other replicas are deleted with the set."""
    rig.create(declared(THREE))
    rig.finish_copies()
    begin_operation()

    rig.provider.create(rig.provider.check({}, declared({"web-1": WEB_1})).inputs)
    rig.provider.delete(rig.id, rig.outputs)

    (left,) = rig.replicas
    kept = next(row for row in rig.control.records() if row["source_backup_id"] == WEB_1)
    assert kept["destination_backup_id"] == left["id"]


def test_member_that_a_single_resource_declares_is_left_to_it(
    rig: Rig, configuration: dict[str, str]
) -> None:
    """In either order of the two resources, the replica is adopted, not deleted."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.refresh()
    single = Rig(cbr.BackupReplicationProvider(), rig.control, rig.session)
    single.provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    begin_operation()
    program = {
        "backup_id": BACKUP,
        "destination_region": "cn-east-3",
        "destination_vault_id": VAULT,
    }
    checked = single.provider.check({}, program)
    left = declared({"web-1": WEB_1, "web-2": WEB_2})

    result = rig.provider.update(rig.id, rig.outputs, rig.provider.check(rig.inputs, left).inputs)
    single.provider.create(checked.inputs)

    assert result.outs is not None
    assert result.outs["members"]["erp"]["leaving"]
    assert 3 == len(rig.replicas)
    assert 3 == posts(rig)
    # The next `up` settles it: the single one has the replica now.
    rig.outputs = dict(result.outs)
    assert rig.diff(left).changes
    result = rig.provider.update(rig.id, rig.outputs, rig.provider.check(rig.inputs, left).inputs)
    assert result.outs is not None
    assert {"web-1", "web-2"} == set(result.outs["members"])
    assert 3 == len(rig.replicas)


def test_other_vault_replaces_the_old_replicas_first(rig: Rig) -> None:
    """In a region each backup has one replica, so the old ones are deleted first."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.refresh()
    moved = declared(THREE, destination_vault_id=SECOND_VAULT)

    difference = rig.diff(moved)

    assert ["destination_vault_id"] == difference.replaces
    assert difference.delete_before_replace
    assert [] == rig.faults(moved)
    rig.delete()
    rig.create(moved)
    assert {SECOND_VAULT} == {row["vault_id"] for row in rig.replicas}


@pytest.mark.parametrize("preflight", ["error", "warn", "off"])
def test_replacement_that_would_lose_a_replica_is_refused(rig: Rig, preflight: str) -> None:
    """If a source is gone, its replica could not be made again elsewhere."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.control.forget_backup(WEB_1)
    moved = declared({"erp": BACKUP}, destination_vault_id=SECOND_VAULT, preflight=preflight)

    with pytest.raises(ConflictError) as caught:
        rig.diff(moved)

    assert (
        "replacing a set of replications: the source backups of 'web-1' are gone, so that their "
        "replicas would be deleted and could not be made again; leave this set as it is and "
        "declare another one for the new destination"
    ) == str(caught.value)


def test_replacement_uses_no_stored_answers(rig: Rig) -> None:
    """Stored answers may be stale, and a deletion cannot be undone."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.refresh()
    moved = {**rig.inputs, "destination_vault_id": SECOND_VAULT}
    assert rig.provider.diff(rig.id, rig.outputs, moved).replaces
    rig.control.forget_backup(WEB_1)

    with pytest.raises(ConflictError, match="of 'web-1' are gone"):
        rig.provider.diff(rig.id, rig.outputs, moved)


def test_replacement_that_is_uncertain_is_only_a_warning(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """A preview does not fail for a vault that may turn out to be the same."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.control.forget_backup(WEB_1)
    unknown = {**rig.inputs, "destination_vault_id": Unknown()}  # type: ignore[no-untyped-call]

    difference = rig.provider.diff(rig.id, rig.outputs, unknown)

    assert ["destination_vault_id"] == difference.replaces
    assert "the source backups of 'web-1' are gone" in capsys.readouterr().err
    rig.control.clear_journal()
    assert rig.provider.diff(rig.id, rig.outputs, {**unknown, "preflight": "off"}).replaces
    assert [] == rig.control.journal()


@pytest.mark.parametrize(
    "backups",
    [
        pytest.param(Unknown(), id="all"),  # type: ignore[no-untyped-call]
        pytest.param({"erp": Unknown()}, id="one"),  # type: ignore[no-untyped-call]
    ],
)
def test_replacement_by_unknown_members_names_none(
    rig: Rig, backups: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Removed members of a set that moves are named only if they are certain."""
    rig.create(declared(THREE))
    moved = {**rig.inputs, "backups": backups, "destination_vault_id": SECOND_VAULT}

    assert rig.provider.diff(rig.id, rig.outputs, moved).replaces
    assert "members that leave" not in capsys.readouterr().err


@pytest.mark.parametrize("preflight", ["error", "warn", "off"])
def test_replacement_waits_until_all_sources_were_checked(rig: Rig, preflight: str) -> None:
    """A replica is not deleted while its source could not be checked."""
    rig.create(declared(THREE))
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(WEB_1)
    moved = declared({"erp": BACKUP}, destination_vault_id=SECOND_VAULT, preflight=preflight)
    rig.control.fault(
        operation="ShowBackup", action="respond", status=503, times=99, path=f"/{WEB_1}$"
    )

    with pytest.raises(MembersFailedError) as caught:
        rig.diff(moved)

    assert "looking at replicas: 1 of 3 failed, the others are done" in str(caught.value)
    assert "'web-1': " in str(caught.value)
    rig.control.drop_faults()
    with pytest.raises(ConflictError, match="of 'web-1' are gone"):
        rig.diff(moved)


def test_preflight_names_each_member_that_would_be_refused(rig: Rig) -> None:
    """What the API would refuse is reported by member. What concerns all is reported once."""
    faults = rig.faults(declared({"bad": BROKEN, "none": UNKNOWN, "good": BACKUP}))

    assert ['backups["bad"]', 'backups["none"]'] == sorted(field for field, _ in faults)
    (whole,) = rig.faults(declared(THREE, destination_region="ap-southeast-3"))
    assert "destination_region" == whole[0]
    assert [] == rig.writes()


def test_preflight_names_each_member_that_may_not_be_adopted(
    rig: Rig, configuration: dict[str, str]
) -> None:
    """A member whose replica another stack made is reported by its label."""
    rig.create(declared({"erp": BACKUP}))
    rig.finish_copies()
    begin_operation()
    provider = BackupReplicationSetProvider()
    provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    rig.provider = AboutOne(provider, "urn:pulumi:another::p::Set::other")

    faults = rig.faults(declared(THREE))

    assert ['backups["erp"]'] == [field for field, _ in faults]
    assert "p/test" in faults[0][1]


def test_preflight_of_an_update_asks_about_added_members(rig: Rig) -> None:
    """A preview fails for a new member that would be refused, and asks about no others."""
    rig.create(declared(THREE))
    rig.control.clear_journal()
    same = rig.provider.check(rig.inputs, declared(THREE))
    asked = rig.control.journal()
    more = rig.provider.check(rig.inputs, declared({**THREE, "bad": BROKEN}))

    assert [] == same.failures
    assert [] == asked
    assert ['backups["bad"]'] == [failure.property for failure in more.failures]


def test_preflight_adds_up_the_room(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """A vault with room for each but not for all causes a warning."""
    rig.control.change_vault(VAULT, size_gb=150)

    assert [] == rig.faults(declared(THREE))
    assert (
        f"vault ({VAULT}) has 150.0 GB free, and the resources of 3 backups have 200 GB; "
        "enlarge the vault or free room in it"
    ) in capsys.readouterr().err


def test_id_that_a_list_has_twice_counts_once(rig: Rig) -> None:
    """It is its own label, so both mean one member. It is copied once, and no change later."""
    program = declared({}) | {"backups": [BACKUP, WEB_1, BACKUP]}
    rig.create(program)

    assert {BACKUP, WEB_1} == set(rig.outputs["members"])
    assert not rig.diff(program).changes
    assert not rig.diff(declared({}) | {"backups": [BACKUP, WEB_1]}).changes


@pytest.mark.parametrize(
    ("inputs", "field", "words"),
    [
        pytest.param({"backups": {}}, "backups", "is empty", id="empty"),
        pytest.param({"backups": "x"}, "backups", "is text", id="text"),
        pytest.param({"backups": {"a": "x"}}, 'backups["a"]', "is not a UUID", id="no-id"),
        pytest.param(
            {"backups": {"a": BACKUP, "b": BACKUP}},
            'backups["b"]',
            "names the backup of 'a' again",
            id="twice",
        ),
        pytest.param(
            {"backups": {"a": {"backup_id": BACKUP, "nmae": "x"}}},
            'backups["a"].nmae',
            "is no field of a member",
            id="unknown-field",
        ),
        pytest.param(
            {"backups": {"a": {"name": "x"}}}, 'backups["a"]', "backup_id is missing", id="no-id"
        ),
        pytest.param({"keep_newest": 0}, "keep_newest", "is no number of backups", id="count"),
        pytest.param({"keep_newest": 2}, 'backups["erp"]', "created_at is missing", id="no-time"),
        pytest.param({"keep": {"days": 2}}, 'backups["erp"]', "created_at is", id="keep-no-time"),
        pytest.param({"keep": {}}, "keep", "keeps nothing", id="keep-nothing"),
        pytest.param({"keep": {"days": 101}}, "keep.days", "0 to 100", id="keep-too-many"),
        pytest.param({"keep": {"week": 1}}, "keep.week", "is no part of keep", id="keep-part"),
        pytest.param(
            {"keep": {"newest": 1}, "keep_newest": 1}, "keep", "beside keep_newest", id="both"
        ),
        pytest.param({"name": "x"}, "name", "is not an input of a set", id="unknown-input"),
    ],
)
def test_wrong_inputs_are_reported(
    rig: Rig, inputs: dict[str, Any], field: str, words: str
) -> None:
    """Each failure is one line about one input."""
    faults = rig.faults(declared({"erp": BACKUP}) | inputs)

    assert any(found == field and words in reason for found, reason in faults), faults


# -- rolling sets ---------------------------------------------------------------------------


def rolling(**members: tuple[str, int]) -> dict[str, Any]:
    """Return a set that keeps its two newest: the id and day of each member."""
    backups = {
        label: {"backup_id": backup_id, "created_at": f"2026-11-{day:02d}T02:00:00"}
        for label, (backup_id, day) in members.items()
    }
    return declared(backups, keep_newest=2)


def test_rolling_set_keeps_its_newest(rig: Rig) -> None:
    """A newer member is added. The oldest goes in the first `up` that sees the newer replica."""
    rig.create(rolling(a=(BACKUP, 1), b=(WEB_1, 2)))
    rig.finish_copies()
    newer = rolling(a=(BACKUP, 1), b=(WEB_1, 2), c=(WEB_2, 3))

    checked = rig.provider.check(rig.inputs, newer)
    rig.update(newer)

    assert {"b", "c"} == set(checked.inputs["backups"])
    assert rig.outputs["members"]["a"]["leaving"]
    assert sorted([BACKUP, WEB_1, WEB_2]) == copied(rig)
    assert not rig.diff(newer).changes
    rig.finish_copies()
    assert rig.diff(newer).changes
    rig.update(newer)
    assert {"b", "c"} == set(rig.outputs["members"])
    assert sorted([WEB_1, WEB_2]) == copied(rig)
    assert not rig.diff(newer).changes


MONTHS = {"newest": 1.0, "months": 2.0, "days": 0.0, "timezone": "UTC-03:00"}
"""A rule as the engine passes it: every number is a float, and a default may be written down."""


def monthly(**members: tuple[str, str]) -> dict[str, Any]:
    """Return a set that keeps its newest, and one of each of two months: ids and days."""
    backups = {
        label: {"backup_id": backup_id, "created_at": f"2026-{day}T02:00:00"}
        for label, (backup_id, day) in members.items()
    }
    return declared(backups, keep=MONTHS)


def test_set_with_keep_copies_only_what_its_rule_keeps(rig: Rig) -> None:
    """The first of November in UTC is still October in the rule's time zone."""
    program = monthly(a=(BACKUP, "10-31"), b=(WEB_1, "11-01"), c=(WEB_2, "11-20"))

    rig.create(program)

    assert {"newest": 1, "months": 2, "timezone": "UTC-03:00"} == rig.inputs["keep"]
    assert {"b", "c"} == set(rig.outputs["members"])
    rig.finish_copies()
    rig.refresh()
    assert not rig.diff(program).changes
    assert not rig.diff({**program, "keep": {**MONTHS, "years": 0}}).changes


@pytest.mark.parametrize("ends", ["success", "fail"])
def test_set_with_keep_lets_go_when_a_newer_copy_stands_for_the_month(rig: Rig, ends: str) -> None:
    """Sources expire meanwhile. A newer copy that fails takes no older one with it."""
    rig.create(monthly(a=(BACKUP, "10-20"), b=(WEB_1, "11-10")))
    rig.finish_copies()
    rig.control.forget_backup(BACKUP)
    rig.control.forget_backup(WEB_1)
    rig.control.change_backup(WEB_2, copy={"mode": "seconds", "seconds": 600, "outcome": ends})
    newer = monthly(c=(WEB_2, "11-20"))

    rig.update(newer)
    assert rig.outputs["members"]["b"]["leaving"]
    rig.finish_copies()
    rig.update(newer)
    rig.finish_copies()
    rig.update(newer)

    good = {row["id"] for row in rig.replicas if row["status"] == "available"}
    rows = rig.outputs["members"]
    there = {label for label, row in rows.items() if row.get("destination_backup_id") in good}
    assert ({"a", "c"} if ends == "success" else {"a", "b"}) == there
    assert rows.keys() == {"c", *there}


def test_set_that_gets_keep_in_place_of_keep_newest_copies_nothing(rig: Rig) -> None:
    """The same rule in other words; a larger one keeps what is there. Nothing is replaced."""
    program = rolling(a=(BACKUP, 1), b=(WEB_1, 2))
    rig.create(program)
    rig.finish_copies()
    writes = rig.writes()
    del program["keep_newest"]
    for keep in ({"newest": 2}, {"newest": 2, "weeks": 5}):
        difference = rig.diff({**program, "keep": keep})
        assert difference.changes
        assert not difference.replaces
        rig.update({**program, "keep": keep})

    assert writes == rig.writes()
    assert {"newest": 2, "weeks": 5} == rig.outputs["keep"]
    assert "keep_newest" not in rig.outputs
    rig.update({**program, "keep": {"weeks": 1}})
    assert {"b"} == set(rig.outputs["members"])


LATER = Unknown()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "unknown", [{"keep": LATER}, {"keep": {"months": LATER}}, {"keep_newest": LATER}]
)
def test_set_whose_rule_is_not_known_yet_shows_an_update_and_refuses_nothing(
    rig: Rig, unknown: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Which members leave depends on the rule. Their sources are gone, and they may well stay."""
    rig.create(rolling(a=(BACKUP, 1), b=(WEB_1, 2)))
    rig.finish_copies()
    rig.control.forget_backup(BACKUP)
    program = {**declared(rolling(b=(WEB_1, 2))["backups"]), **unknown}

    assert rig.diff(program).changes
    checked = rig.provider.check(rig.inputs, program)

    assert [] == checked.failures
    assert unknown == {field: checked.inputs[field] for field in unknown}
    assert "members that leave" not in capsys.readouterr().err


def test_rolling_set_takes_times_as_yaml_and_pulumi_pass_them(rig: Rig) -> None:
    """A time without quotes reaches a program in Go's spelling. It is the same moment."""
    quoted = rolling(a=(BACKUP, 1), b=(WEB_1, 2), c=(WEB_2, 3))
    unquoted = rolling(a=(BACKUP, 1), b=(WEB_1, 2), c=(WEB_2, 3))
    for day, member in enumerate(unquoted["backups"].values(), 1):
        member["created_at"] = f"2026-11-{day:02d} 04:00:00 +0200 CEST"

    rig.create(unquoted)

    assert sorted([WEB_1, WEB_2]) == copied(rig)
    assert "2026-11-03T02:00:00Z" == rig.inputs["backups"]["c"]["created_at"]
    assert not rig.diff(unquoted).changes
    assert not rig.diff(quoted).changes
    assert rig.inputs["backups"] == rig.provider.check(rig.inputs, quoted).inputs["backups"]


def test_rolling_set_keeps_an_older_replica_for_a_newer_copy_that_failed(rig: Rig) -> None:
    """The newer copy is accepted and fails later, so two good copies are still there."""
    rig.create(rolling(a=(BACKUP, 1), b=(WEB_1, 2)))
    rig.finish_copies()
    newer = rolling(a=(BACKUP, 1), b=(WEB_1, 2), c=(WEB_2, 3))
    rig.control.change_backup(WEB_2, copy={"mode": "seconds", "seconds": 600, "outcome": "fail"})
    rig.update(newer)
    rig.finish_copies()
    rig.control.change_backup(WEB_2, copy={"mode": "seconds", "seconds": 600})

    rig.update(newer)

    assert {"a", "b", "c"} == set(rig.outputs["members"])
    rig.finish_copies()
    rig.update(newer)
    assert {"b", "c"} == set(rig.outputs["members"])


def test_rolling_set_counts_no_replica_that_somebody_deleted(rig: Rig) -> None:
    """The state remembers a success, but the replica is gone: the older one stays."""
    rig.create(rolling(a=(BACKUP, 1), b=(WEB_1, 2)))
    rig.finish_copies()
    newer = rolling(a=(BACKUP, 1), b=(WEB_1, 2), c=(WEB_2, 3))
    rig.update(newer)
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(rig.outputs["members"]["b"]["destination_backup_id"])

    assert not rig.diff(newer).changes
    rig.update(newer)

    assert "a" in rig.outputs["members"]
    assert BACKUP in copied(rig)


@pytest.mark.parametrize("changed", ["vault_id", "resource_id"])
def test_rolling_set_keeps_a_replica_that_the_list_lacks(
    rig: Rig, simulator: InProcessSimulator, changed: str
) -> None:
    """A replica was moved to another vault, or shows another resource: it still has to stay."""
    rig.create(rolling(a=(BACKUP, 1), b=(WEB_1, 2)))
    rig.finish_copies()
    rig.refresh()
    oldest = rig.outputs["members"]["a"]["destination_backup_id"]
    with simulator.cloud.session() as session:
        setattr(session.get(Backup, oldest), changed, SECOND_VAULT)
    newer = rolling(a=(BACKUP, 1), b=(WEB_1, 2), c=(WEB_2, 3))
    rig.update(newer)

    rig.update(newer)

    assert {"a", "b", "c"} == set(rig.outputs["members"])
    assert BACKUP in copied(rig)
    rig.finish_copies()
    rig.update(newer)
    assert {"b", "c"} == set(rig.outputs["members"])


def test_rolling_set_of_one_server_lists_the_replicas_of_that_server(
    rig: Rig, simulator: InProcessSimulator
) -> None:
    """The vault of a fleet holds thousands of others. Members of two servers list all of them."""
    with simulator.cloud.session() as session:
        server = session.get_one(Backup, WEB_1).resource_id
        session.get_one(Backup, WEB_2).resource_id = server

    def filters_of_update(program: dict[str, Any]) -> list[str | None]:
        rig.finish_copies()
        rig.refresh()
        rig.control.clear_journal()
        rig.update(program)
        entries = rig.control.journal(operation="ListBackups")
        return [httpx.QueryParams(entry["query"]).get("resource_id") for entry in entries]

    rig.create(rolling(a=(WEB_1, 1), b=(WEB_2, 2)))
    newer = rolling(b=(WEB_2, 2), c=(BACKUP, 3))
    assert [server] == filters_of_update(newer)
    assert [None] == filters_of_update(newer)
    assert {"b", "c"} == set(rig.outputs["members"])


def test_rolling_set_keeps_replicas_of_expired_sources(rig: Rig) -> None:
    """Expired sources delete no replica, even if all expire at once."""
    rig.create(rolling(a=(BACKUP, 1), b=(WEB_1, 2)))
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(BACKUP)
    rig.control.forget_backup(WEB_1)
    left = rolling(z=(MANUAL, 3))

    assert rig.diff(left).changes
    rig.update(left)

    assert {"a", "b", "z"} == set(rig.outputs["members"])
    rig.finish_copies()
    rig.update(left)
    assert {"b", "z"} == set(rig.outputs["members"])
    assert 2 == len(rig.replicas)


def test_rolling_set_loses_nothing_for_a_newer_one_that_failed(rig: Rig) -> None:
    """The oldest is removed only when the newest was accepted."""
    rig.create(rolling(a=(BACKUP, 1), b=(WEB_1, 2)))
    rig.finish_copies()
    newer = rolling(a=(BACKUP, 1), b=(WEB_1, 2), c=(WEB_2, 3))
    rig.control.fault(operation="CopyBackup", action="respond", status=400, body=FULL)

    with pytest.raises(PartialResultError) as caught:
        rig.update(newer)

    assert {"a", "b"} == set(caught.value.outputs["members"])
    assert sorted([BACKUP, WEB_1]) == copied(rig)


def update_in_part(rig: Rig, program: dict[str, Any]) -> str:
    """Update with a failure, keep what the engine then keeps, and return the error."""
    begin_operation()
    checked = rig.provider.check(rig.inputs, program)
    with pytest.raises(PartialResultError) as caught:
        rig.update(program)
    rig.inputs, rig.outputs = checked.inputs, caught.value.outputs
    return str(caught.value)


def test_rolling_set_omits_what_expired_before_it_was_copied(rig: Rig) -> None:
    """The error gives a remedy, and what was kept meanwhile stays."""
    rig.create(rolling(a=(BACKUP, 1), b=(WEB_1, 2)))
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(BACKUP)
    rig.control.fault(operation="CopyBackup", action="respond", status=400, body=FULL)
    update_in_part(rig, rolling(b=(WEB_1, 2), c=(WEB_2, 3)))
    rig.control.forget_backup(WEB_2)

    error = update_in_part(rig, rolling(b=(WEB_1, 2)))

    assert (
        "'c': The backup does not exist; it went before it was copied: run pulumi refresh, then "
        "pulumi up, which leaves it out [BackupService.6200]"
    ) in error
    assert {"a", "b"} == set(rig.outputs["members"])
    assert rig.refresh()
    assert not rig.diff(rolling(b=(WEB_1, 2))).changes
    rig.update(rolling(b=(WEB_1, 2)))
    assert {"a", "b"} == set(rig.outputs["members"])
    assert 2 == len(rig.replicas)
    rig.update(rolling(b=(WEB_1, 2), d=(MANUAL, 4)))
    assert {"a", "b", "d"} == set(rig.outputs["members"])
    rig.finish_copies()
    rig.update(rolling(b=(WEB_1, 2), d=(MANUAL, 4)))
    assert {"b", "d"} == set(rig.outputs["members"])


def kept_by_a_rolling_set(rig: Rig) -> None:
    """Create a rolling set of two whose older member is no longer listed; both sources exist."""
    rig.create(rolling(a=(BACKUP, 1), b=(WEB_1, 2)))
    rig.finish_copies()
    rig.refresh()
    rig.update(rolling(b=(WEB_1, 2)))
    assert {"a", "b"} == set(rig.outputs["members"])
    begin_operation()


@pytest.mark.parametrize(
    ("region", "vault_id"),
    [
        pytest.param("cn-east-3", SECOND_VAULT, id="same-region"),
        pytest.param("cn-south-1", "d5e6f708-192a-43b4-85d6-e7f8091a2b3c", id="other-region"),
    ],
)
def test_rolling_set_moves_with_its_kept_members(rig: Rig, region: str, vault_id: str) -> None:
    """A set that moves keeps its members: the preview shows them, and they are copied there."""
    kept_by_a_rolling_set(rig)
    moved = {
        **rolling(b=(WEB_1, 2)),
        "destination_region": region,
        "destination_vault_id": vault_id,
    }
    old = dict(rig.outputs)

    difference = rig.diff(moved)
    assert difference.replaces
    checked = rig.provider.check({}, moved)

    assert [] == checked.failures
    assert {"a", "b"} == set(checked.inputs["backups"])
    if difference.delete_before_replace:
        rig.provider.delete("old", old)
    rig.create(moved)
    if not difference.delete_before_replace:
        rig.provider.delete("old", old)
    assert {"a", "b"} == set(rig.outputs["members"])
    assert sorted([BACKUP, WEB_1]) == copied(rig)
    assert {vault_id} == {row["vault_id"] for row in rig.replicas}


def test_set_that_moves_and_stops_rolling_names_removed_members(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without `keep_newest` only listed members stay; the preview names the others."""
    kept_by_a_rolling_set(rig)
    moved = declared({"b": WEB_1}, destination_vault_id=SECOND_VAULT)

    assert rig.diff(moved).replaces
    checked = rig.provider.check({}, moved)

    assert {"b"} == set(checked.inputs["backups"])
    assert "unless later resources declare them: 'a'" in capsys.readouterr().err


@pytest.mark.parametrize("is_run_again", [False, True], ids=["at-once", "after-a-crash"])
def test_rolling_set_of_another_name_loses_no_kept_members(rig: Rig, is_run_again: bool) -> None:
    """The new one knows listed members only, so the old one is not deleted, and says why."""
    kept_by_a_rolling_set(rig)
    old = dict(rig.outputs)
    listed = rolling(b=(WEB_1, 2))

    rig.create(listed)
    if is_run_again:
        begin_operation()
        use_export(refuse_to_export)
        assert not rig.diff(listed).changes
    with pytest.raises(cbr.ConflictError) as caught:
        rig.provider.delete("old", old)

    assert {"b"} == set(rig.outputs["members"])
    assert sorted([BACKUP, WEB_1]) == copied(rig)
    assert (
        "deleting a set of replications: nothing was deleted, since another rolling set goes to "
        "the same place, and knows only what is listed: 'a'; if it only got another name, declare "
        "its old name in aliases; to delete these replicas, set huaweicloud:forceDestroy (or "
        "HW_FORCE_DESTROY) for one run; to keep them without a resource, use pulumi state delete"
    ) == str(caught.value)


def test_rolling_set_drops_at_once_what_failed_and_is_old(rig: Rig) -> None:
    """There is no replica to keep until newer copies have succeeded."""
    rig.control.change_backup(BACKUP, copy={"mode": "immediate", "outcome": "fail"})
    rig.create(rolling(a=(BACKUP, 1), b=(WEB_1, 2)))
    rig.finish_copies()
    rig.refresh()

    rig.update(rolling(b=(WEB_1, 2), c=(WEB_2, 3)))

    assert {"b", "c"} == set(rig.outputs["members"])


def test_rolling_set_keeps_an_old_copy_that_still_runs(rig: Rig) -> None:
    """It may become one of the replicas that exist, before the newer ones do."""
    rig.control.change_backup(BACKUP, copy={"mode": "never"})
    rig.create(rolling(a=(BACKUP, 1), b=(WEB_1, 2)))

    rig.update(rolling(b=(WEB_1, 2), c=(WEB_2, 3)))

    assert {"a": True, "b": None, "c": None} == {
        label: row.get("leaving") for label, row in rig.outputs["members"].items()
    }


def test_rolling_set_of_another_name_is_deleted_if_forced(rig: Rig) -> None:
    """The user insists, so what the new one does not have is deleted, the last copy too."""
    kept_by_a_rolling_set(rig)
    old = {**rig.outputs, "force_destroy": True}

    rig.create(rolling(b=(WEB_1, 2)))
    rig.provider.delete("old", old)

    rows = rig.outputs["members"].values()
    assert [row["destination_backup_id"] for row in rows] == [row["id"] for row in rig.replicas]


def test_rolling_set_of_another_name_that_lists_all_reports_nothing(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the new one adopted is no longer its predecessor's, and nothing else was."""
    program = rolling(a=(BACKUP, 1), b=(WEB_1, 2))
    rig.create(program)
    rig.finish_copies()
    old = dict(rig.outputs)
    begin_operation()

    rig.create(program)
    rig.provider.delete("old", old)

    assert sorted([BACKUP, WEB_1]) == copied(rig)
    assert "warning" not in capsys.readouterr().err


def test_rolling_set_of_another_name_with_new_members_alone_loses_none(rig: Rig) -> None:
    """The two have no member in common, but may still be the same set."""
    kept_by_a_rolling_set(rig)
    old = dict(rig.outputs)

    rig.create(rolling(c=(WEB_2, 3)))
    with pytest.raises(cbr.ConflictError, match="another rolling set goes to the same place"):
        rig.provider.delete("old", old)

    assert sorted([BACKUP, WEB_1, WEB_2]) == copied(rig)


def test_rolling_set_that_is_removed_leaves_nothing(rig: Rig) -> None:
    """If another set existed before and has none of its members, all replicas are deleted."""
    kept_by_a_rolling_set(rig)
    old = dict(rig.outputs)
    rig.create(rolling(c=(WEB_2, 3)))
    begin_operation()

    assert not rig.diff(rolling(c=(WEB_2, 3))).changes
    rig.provider.delete("old", old)

    assert [WEB_2] == copied(rig)


def test_rolling_set_of_another_name_that_cannot_look_deletes_nothing(rig: Rig) -> None:
    """Members that may be kept stay while that is unknown; a second run deletes the set."""
    kept_by_a_rolling_set(rig)
    old = dict(rig.outputs)
    rig.create(rolling(b=(WEB_1, 2)))
    rig.control.fault(operation="ShowBackup", action="respond", status=403, times=9)

    with pytest.raises(MembersFailedError, match="looking at replicas: 1 of 1 failed"):
        rig.provider.delete("old", old)

    assert sorted([BACKUP, WEB_1]) == copied(rig)


def test_members_from_a_list_of_backups_have_readable_labels(
    rig: Rig, configuration: dict[str, str]
) -> None:
    """Added and removed members are reported by resource and time."""
    pulumi.runtime.config.set_all_config(configuration)
    backups = cbr.get_backups(vault_id="de587d5d-f63e-4ea1-a892-5935070352ba", limit=3)
    pulumi.runtime.config.set_all_config({})

    members = cbr.as_members([*backups, backups[0]])

    assert 4 == len(members)
    assert "web-02@2026-11-20T02:20:00" in members
    assert backups[0].id[:8] in list(members)[-1]
    del members[list(members)[-1]]
    assert [] == rig.faults(declared(members, keep_newest=2))


def test_members_from_a_list_without_times_are_still_members(
    rig: Rig, configuration: dict[str, str]
) -> None:
    """Missing times are omitted. Only a rolling set needs them, for its order."""
    told = {"backups": [{"id": BACKUP, "resource_name": "erp-db-01", "status": "available"}]}
    rig.control.fault(operation="ListBackups", action="respond", status=200, body=told)
    pulumi.runtime.config.set_all_config(configuration)
    members = cbr.as_members(cbr.get_backups())
    pulumi.runtime.config.set_all_config({})

    assert {"erp-db-01": {"backup_id": BACKUP}} == members
    assert [] == rig.faults(declared(members))
    ((field, reason),) = rig.faults(declared(members, keep_newest=1))
    assert 'backups["erp-db-01"]' == field
    assert reason.startswith("created_at is missing, and keep and keep_newest go by it; ")


def test_set_cannot_be_imported() -> None:
    """Its id says nothing; the error says how to take over replicas."""
    with pytest.raises(cbr.ConfigurationError) as caught:
        cbr.BackupReplicationSetProvider().import_state("set-1")

    assert (
        "importing 'set-1': a set of replications has no id in CBR; declare it, and create adopts "
        "the replicas that exist"
    ) == str(caught.value)
