"""What a preview tells `ci preview` beside Pulumi's JSON: facts and refusals in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr import ConflictError
from pulumi_huaweicloud_cbr.base.text import remember_secret
from pulumi_huaweicloud_cbr.commands.ci.plan.document import read_document
from pulumi_huaweicloud_cbr.commands.ci.plan.facts import facts_of
from pulumi_huaweicloud_cbr.engine.output.preview_facts import PATTERN, VARIABLE
from simulator.testing import Control
from tests.contract.engine import Engine, Program, RefusedError
from tests.contract.owned import BACKUPS, EAST, FORMS, WEB_1, WEB_2, declared
from tests.contract.rig import BACKUP, LONG_S, VAULT

pytestmark = pytest.mark.simulator_only

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `ci preview` has made."""
    made = tmp_path / "facts"
    made.mkdir()
    monkeypatch.setenv(VARIABLE, str(made))
    return made


def facts(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Return what was written of one kind, each once."""
    found: dict[str, dict[str, Any]] = {}
    for path in folder.glob(PATTERN):
        for line in path.read_text().splitlines():
            found[line] = json.loads(line)
        path.unlink()
    return [fact for fact in found.values() if fact["kind"] == kind]


def fates(engine: Engine, folder: Path, program: Program) -> dict[str, str]:
    """Return what a preview says of the members that leave or are copied again."""
    engine.preview(program)
    return {fact["label"]: fact["fate"] for fact in facts(folder, "member")}


@FORMS
def test_new_copies_are_told_with_name_size_and_time(
    engine: Engine, folder: Path, form: str
) -> None:
    engine.preview(declared(form))
    found = facts(folder, "copy")

    assert BACKUPS[form] == sorted(fact["backup_id"] for fact in found)
    assert {engine.urn_of(form, "dr")} == {fact["urn"] for fact in found}
    erp = next(fact for fact in found if fact["backup_id"] == BACKUP)
    assert ("erp-db-01", 120) == (erp["name"], erp["size_gb"])
    assert erp["made_at"].startswith("2026-")


@FORMS
def test_the_free_room_of_the_vault_is_told(engine: Engine, folder: Path, form: str) -> None:
    engine.preview(declared(form))
    (vault,) = facts(folder, "vault")

    assert (VAULT, "dr-replicas") == (vault["id"], vault["name"])
    assert vault["free_gb"] > 0


@FORMS
def test_an_adopted_copy_is_no_new_one(engine: Engine, folder: Path, form: str) -> None:
    """The replica exists, and no state has it: the preview knows that nothing is copied."""
    engine.up(declared(form))
    engine.state.clear()
    facts(folder, "copy")
    engine.preview(declared(form, adopt=True))
    found = facts(folder, "copy")

    assert BACKUPS[form] == sorted(fact["backup_id"] for fact in found)
    assert all(fact["is_adopted"] for fact in found)
    assert not any("size_gb" in fact for fact in found)


def test_a_vault_tells_what_an_update_copies(
    engine: Engine, folder: Path, control: Control
) -> None:
    control.change_backup(WEB_1, status="protecting")
    engine.up(declared("vault"))
    control.advance(LONG_S)
    control.change_backup(WEB_1, status="available")
    facts(folder, "copy")
    engine.preview(declared("vault"))

    (found,) = [one for one in lines(folder) if one["kind"] == "copy"]
    assert WEB_1 == found["backup_id"]
    engine.preview(declared("vault"))
    assert [VAULT] == [fact["id"] for fact in facts(folder, "vault")]


def lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield all that was written, each once."""
    seen = set()
    for path in folder.glob(PATTERN):
        for line in path.read_text().splitlines():
            if line not in seen:
                seen.add(line)
                yield json.loads(line)


@pytest.mark.parametrize("settled", ["set"], indirect=True, ids=["set"])
@pytest.mark.parametrize("form", ["set"])
def test_members_that_leave_have_a_fate(settled: Engine, folder: Path, form: str) -> None:
    """Deleted, handed over to another resource, or copied again because they are gone."""
    smaller = declared(form, backups={"erp": BACKUP})
    assert {"web": "deleted"} == fates(settled, folder, smaller)

    other: Program = {"one": ("single", {**EAST, "backup_id": WEB_1})}
    assert {"web": "handed over"} == fates(settled, folder, {**other, **smaller})


def test_a_member_of_a_rolling_set_stays_until_a_newer_copy_has_succeeded(
    engine: Engine, folder: Path, control: Control
) -> None:
    old = {"backup_id": BACKUP, "created_at": "2026-11-20T02:00:00"}
    new = {"backup_id": WEB_1, "created_at": "2026-11-21T02:00:00"}
    engine.up(declared("set", backups={"old": old}, keep_newest=1))
    control.advance(LONG_S)
    engine.refresh()
    rolled = declared("set", backups={"new": new}, keep_newest=1)

    assert {"old": "stays"} == fates(engine, folder, rolled)
    engine.up(rolled)
    control.advance(LONG_S)
    engine.refresh()
    assert {"old": "deleted"} == fates(engine, folder, rolled)


def reasons(folder: Path) -> dict[str, tuple[str, str]]:
    """Return what becomes of each member, and why, as `ci preview` puts it together."""
    found = list(lines(folder))
    for path in folder.glob(PATTERN):
        path.unlink()
    (known,) = facts_of(
        read_document(json.dumps({"cbr": {"format": 1, "facts": found}}), "", 0)
    ).resources.values()
    return {one.label: (one.fate, one.why) for one in known.reasons.values()}


def test_each_member_of_a_set_with_keep_has_a_reason(
    engine: Engine, folder: Path, control: Control
) -> None:
    """New and kept ones say what they are kept for; one that leaves says what stands for it."""
    times = {"first": "2026-10-30", "second": "2026-11-01", "third": "2026-11-21"}
    ids = dict(zip(times, (BACKUP, WEB_1, WEB_2), strict=True))
    listed = {
        label: {"backup_id": ids[label], "created_at": f"{day}T20:00:00"}
        for label, day in times.items()
    }
    keep = {"newest": 1.0, "months": 2.0, "timezone": "UTC+08:00"}
    two = {label: listed[label] for label in ("first", "second")}

    engine.preview(declared("set", backups={**two, "third": listed["third"]}, keep=keep))
    assert {
        "third": ("kept", "newest 1 of 1, month 2026-11"),
        "second": ("not copied", "2026-11-22 is its month's newest"),
        "first": ("kept", "month 2026-10"),
    } == reasons(folder)

    engine.up(declared("set", backups=two, keep=keep))
    control.advance(LONG_S)
    engine.refresh()
    reasons(folder)
    rolled = declared("set", backups={"third": listed["third"]}, keep=keep)
    engine.preview(rolled)
    assert ("stays for now", "newest 1 of 1, month 2026-11") == reasons(folder)["second"]
    engine.up(rolled)
    control.advance(LONG_S)
    engine.refresh()
    reasons(folder)
    engine.preview(rolled)
    assert {
        "second": ("leaves", "2026-11-22 is its month's newest"),
        "third": ("kept", "newest 1 of 1, month 2026-11"),
        "first": ("kept", "month 2026-10"),
    } == reasons(folder)


@FORMS
def test_without_the_folder_nothing_is_written_and_a_fault_ends_the_preview(
    engine: Engine, folder: Path, form: str
) -> None:
    folder.rmdir()

    with pytest.raises(RefusedError):
        engine.preview(declared(form, **wrong(form)))
    assert not folder.exists()


def wrong(form: str) -> dict[str, Any]:
    """Return inputs that name something that does not exist."""
    inputs: dict[str, dict[str, Any]] = {
        "single": {"backup_id": NOWHERE},
        "set": {"backups": {"no": NOWHERE}},
        "vault": {"vault_id": NOWHERE},
    }
    return inputs[form]


def test_faults_of_all_resources_are_told_in_one_run(engine: Engine, folder: Path) -> None:
    """A refusal of one resource does not hide those of the others."""
    program = {form: (form, {**declared(form, **wrong(form))["dr"][1]}) for form in BACKUPS}
    program["malformed"] = ("single", {**EAST, "backup_id": "no id"})
    engine.preview(program)
    told = {fact["urn"].rpartition("::")[2]: fact for fact in facts(folder, "refused")}

    assert set(program) == set(told)
    assert "backup_id" == told["single"]["field"]
    assert "does not exist" in told["vault"]["reason"]


@pytest.mark.parametrize("form", ["set"])
def test_a_refused_change_is_told_without_ending_the_preview(
    settled: Engine, folder: Path, form: str, control: Control
) -> None:
    """The last copy of a member: `up` refuses, and the preview goes on with other resources."""
    control.forget_backup(WEB_1)
    smaller = declared(form, backups={"erp": BACKUP})
    settled.preview(smaller)
    (refused,) = facts(folder, "refused")

    assert "last cop" in refused["reason"]
    folder.rmdir()
    with pytest.raises(ConflictError, match="last copies"):
        settled.preview(smaller)


def test_an_outage_ends_the_preview_at_once(engine: Engine, folder: Path, control: Control) -> None:
    """All other resources would meet it as well."""
    body = {"error_code": "BackupService.0004", "error_msg": "no"}
    control.fault(operation="ShowBackup", action="respond", status=403, body=body, times=99)
    control.fault(operation="ListBackups", action="respond", status=403, body=body, times=99)

    with pytest.raises(RefusedError):
        engine.preview(declared("single"))
    assert [] == facts(folder, "refused")


def test_facts_have_no_known_secret(engine: Engine, folder: Path) -> None:
    remember_secret("erp-db-01")
    engine.preview(declared("single"))

    (found,) = facts(folder, "copy")
    assert "[secret]" == found["name"]
