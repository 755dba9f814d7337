"""The functions for programs, against the simulator."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pulumi
import pulumi.runtime.config
import pytest

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.engine.session import Session
from simulator.testing import Control
from tests.contract.rig import BACKUP, VAULT, Rig, declared

pytestmark = pytest.mark.simulator_only


@pytest.fixture(autouse=True)
def program(session: Session, configuration: dict[str, str]) -> Iterator[None]:
    """Set the stack's configuration, as a program has it."""
    assert session.settings.region == "cn-north-4"
    pulumi.runtime.config.set_all_config(configuration)
    yield
    pulumi.runtime.config.set_all_config({})


def test_get_backup_returns_it_with_its_records(rig: Rig) -> None:
    """A backup is returned with the records of its copies."""
    rig.create(declared())

    backup = cbr.get_backup(BACKUP)

    assert "autobk_7c1e" == backup.name
    assert [rig.id] == [record.id for record in backup.records]


def test_get_backup_missing_is_not_found() -> None:
    """An id that does not exist is a NotFoundError with CBR's code."""
    with pytest.raises(cbr.NotFoundError) as caught:
        cbr.get_backup("00000000-0000-4000-8000-000000000000")

    assert "BackupService.6200" == caught.value.code


def test_get_backups_newest_first() -> None:
    """Available originals come newest first. Others are omitted by default."""
    backups = cbr.get_backups()

    times = [backup.created_at or "" for backup in backups]
    assert sorted(times, reverse=True) == times
    assert {"available"} == {backup.status for backup in backups}
    assert {"backup"} == {backup.image_type for backup in backups}


def test_get_backups_of_a_resource() -> None:
    """Filters and a limit give the newest backup of one server."""
    backups = cbr.get_backups(resource_name="erp-db-01", limit=1)

    assert [BACKUP] == [backup.id for backup in backups]


def test_get_backups_takes_a_time_as_pulumi_passes_it() -> None:
    """YAML parses a time without quotes, and a program gets it in Go's spelling."""
    newest = cbr.get_backups(limit=1)[0].created_at
    assert newest is not None
    day, time = newest[:10], newest[11:19]

    found = cbr.get_backups(created_since=f"{day} {time} +0000 UTC")

    assert found
    assert found == cbr.get_backups(created_since=f"{day}T{time}Z")
    assert len(found) < len(cbr.get_backups())


def test_get_backups_none_is_empty() -> None:
    """Nothing found is an empty list."""
    assert [] == cbr.get_backups(name="no-such-backup")


def test_get_backups_limit_below_one_is_refused(control: Control) -> None:
    """An invalid limit is refused before any call."""
    with pytest.raises(cbr.ConfigurationError):
        cbr.get_backups(limit=0)

    assert [] == control.journal()


def test_get_backups_in_another_region(rig: Rig) -> None:
    """Replicas are found in the destination, by region and image type."""
    rig.create(declared())
    rig.finish_copies()

    (replica,) = cbr.get_backups(region="cn-east-3", image_type="replication")

    assert rig.replicas[0]["id"] == replica.id
    assert replica.is_replica


def test_get_vault_returns_its_room() -> None:
    """A vault is returned with its kind, and its room in GB."""
    vault = cbr.get_vault(VAULT, region="cn-east-3")

    assert "replication" == vault.billing.protect_type
    assert 1000.0 == vault.free_gb


def test_get_replication_capabilities_lists_destinations() -> None:
    """The destinations of a region are listed."""
    (capability,) = cbr.get_replication_capabilities()

    assert "cn-north-4" == capability.name
    assert "cn-east-3" in (capability.replication_destinations or ())


def test_get_project_id_is_looked_up_in_iam() -> None:
    """A region's default project has the region's name."""
    assert "863129926600475a959e8f2efb991722" == cbr.get_project_id("cn-east-3")


def test_functions_without_region_say_what_to_set(
    configuration: dict[str, str], control: Control
) -> None:
    """Without a region, the message names the ways to set one."""
    del configuration["huaweicloud:region"]
    pulumi.runtime.config.set_all_config(configuration)

    with pytest.raises(cbr.ConfigurationError) as caught:
        cbr.get_vault(VAULT)

    assert "huaweicloud:region" in str(caught.value)
    assert [] == control.journal()


# -- functions that take outputs ------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("is_later", [False, True])
async def test_output_forms_return_what_the_plain_ones_do(is_later: bool) -> None:
    """Each takes the same arguments, known now or later, and returns an output."""
    region: Any = pulumi.Output.from_input("cn-east-3") if is_later else "cn-east-3"
    erp: Any = pulumi.Output.from_input(BACKUP) if is_later else BACKUP

    assert cbr.get_backup(BACKUP) == await cbr.get_backup_output(erp).future()
    assert cbr.get_vault(VAULT, region="cn-east-3") == (
        await cbr.get_vault_output(VAULT, region=region).future()
    )
    assert cbr.get_backups(resource_name="erp-db-01", limit=1) == (
        await cbr.get_backups_output(resource_name="erp-db-01", limit=1).future()
    )
    assert cbr.get_replication_capabilities(region="cn-east-3") == (
        await cbr.get_replication_capabilities_output(region=region).future()
    )
    assert cbr.get_project_id("cn-east-3") == await cbr.get_project_id_output(region).future()


@pytest.mark.anyio
async def test_output_form_raises_the_same_error() -> None:
    """The program ends with it."""
    with pytest.raises(cbr.NotFoundError):
        await cbr.get_backup_output("00000000-0000-4000-8000-000000000000").future()


@pytest.mark.parametrize(
    "name",
    [
        "get_backup",
        "get_backups",
        "get_project_id",
        "get_replication_capabilities",
        "get_vault",
    ],
)
def test_output_form_takes_every_argument(name: str) -> None:
    """An argument that is added to one form is in the other too, with the same default."""
    plain = inspect.signature(getattr(cbr, name)).parameters.values()
    later = inspect.signature(getattr(cbr, f"{name}_output")).parameters.values()

    assert [(part.name, part.kind, part.default) for part in plain] == [
        (part.name, part.kind, part.default) for part in later
    ]
