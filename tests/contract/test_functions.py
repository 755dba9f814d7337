"""The functions for programs, against the simulator."""

from __future__ import annotations

from collections.abc import Iterator

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
