"""Look-ups that are shared: few requests for many questions, and no answer that misleads."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from pulumi_huaweicloud_cbr import AuthenticationError, NotFoundError
from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.cache import SHARED_FOR_S, SharedClient
from pulumi_huaweicloud_cbr.api.wire.requests import (
    ProjectScope,
    ReplicateRequest,
    ReplicateVaultRequest,
)
from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.config.settings import Settings
from simulator.testing import InProcessSimulator
from tests.contract.rig import BACKUP, VAULT, SimulatedClock

pytestmark = [pytest.mark.simulator_only, pytest.mark.anyio]

SOURCE = ProjectScope("cn-north-4", "c6cb0876eaee4f5092d0fdf4c4fc09b3")
DESTINATION = ProjectScope("cn-east-3", "863129926600475a959e8f2efb991722")
SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def api(
    simulator: InProcessSimulator, configuration: dict[str, str]
) -> AsyncIterator[SharedClient]:
    """A client that shares, and has signed in already."""
    settings = Settings.load(configuration.get, {})
    clock = SimulatedClock(simulator)
    api = SharedClient(
        settings,
        make_authenticator(settings, clock),
        clock=clock,
        transport=simulator.transport(),
    )
    async with contextlib.aclosing(api):
        await api.get_backup_page(SOURCE, limit=1)
        simulator.control.clear_journal()
        yield api


def asked(simulator: InProcessSimulator) -> dict[str, int]:
    """Return how often each operation was asked for."""
    return dict(Counter(str(entry["operation"]) for entry in simulator.control.journal()))


def all_ids(simulator: InProcessSimulator) -> list[str]:
    """Return the ids of all backups in the source project."""
    return [
        row["id"] for row in simulator.control.state()["backups"] if row["region"] == SOURCE.region
    ]


async def test_many_backups_are_read_from_one_list(
    api: SharedClient, simulator: InProcessSimulator
) -> None:
    """The first who asks does not wait for others; all others share a list."""
    ids = all_ids(simulator)
    assert len(ids) > 5

    backups = await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))

    assert ids == [backup.id for backup in backups]
    assert {"ShowBackup": 1, "ListBackups": 1} == asked(simulator)


async def test_backups_asked_for_one_after_the_other_are_listed_from_the_third_on(
    api: SharedClient, simulator: InProcessSimulator
) -> None:
    """The engine checks one resource at a time: a few are read alone, then a list has them all."""
    ids = all_ids(simulator)

    backups = [await api.get_backup(SOURCE, backup_id) for backup_id in ids]

    assert ids == [backup.id for backup in backups]
    assert {"ShowBackup": 2, "ListBackups": 1} == asked(simulator)


async def test_lists_that_show_nothing_wanted_are_given_up(
    api: SharedClient, simulator: InProcessSimulator
) -> None:
    """Old backups in a project of many are read one by one again after two lists in vain."""
    ids = all_ids(simulator)
    simulator.control.fault(
        operation="ListBackups",
        action="respond",
        status=200,
        body={"backups": [{"id": UNKNOWN}], "count": 100_000},
        times=99,
    )

    for backup_id in ids:
        await api.get_backup(SOURCE, backup_id)

    assert {"ShowBackup": len(ids), "ListBackups": 2} == asked(simulator)


async def test_shared_answer_is_that_of_its_own_request(
    api: SharedClient, simulator: InProcessSimulator
) -> None:
    """A backup from a list is what ShowBackup tells of it, its records included."""
    await api.replicate_backup(
        SOURCE, BACKUP, ReplicateRequest(DESTINATION.region, DESTINATION.project_id, VAULT)
    )
    alone = await api.get_backup(SOURCE, BACKUP)
    ids = [backup_id for backup_id in all_ids(simulator) if backup_id != BACKUP]

    together = await asyncio.gather(*(api.get_backup(SOURCE, key) for key in [*ids, BACKUP]))

    assert alone == together[-1]
    assert 1 == len(together[-1].records)


async def test_answer_is_shared_for_a_while_only(
    api: SharedClient, simulator: InProcessSimulator
) -> None:
    """Who asks a little later asks nobody; who asks later, or wants it fresh, asks anew."""
    ids = all_ids(simulator)
    await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))
    simulator.control.clear_journal()

    await api.get_backup(SOURCE, ids[-1])
    at_once = asked(simulator)
    await api.get_backup(SOURCE, ids[-1], is_fresh=True)
    fresh = asked(simulator)
    simulator.control.advance(SHARED_FOR_S + 1)
    await api.get_backup(SOURCE, ids[-1])

    assert {} == at_once
    assert {"ShowBackup": 1} == fresh
    assert {"ShowBackup": 2} == asked(simulator)


async def test_own_change_is_seen_at_once(api: SharedClient, simulator: InProcessSimulator) -> None:
    """What this process has changed, or tried to, is never answered from before."""
    ids = all_ids(simulator)
    await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))
    request = ReplicateRequest(DESTINATION.region, DESTINATION.project_id, VAULT)
    simulator.control.fault(operation="CopyBackup", action="drop_after")
    with pytest.raises(CbrError):
        await api.replicate_backup(SOURCE, BACKUP, request)

    seen = await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))

    records = {backup.id: len(backup.records) for backup in seen}
    assert 1 == records[BACKUP]


async def test_copy_of_a_vault_changes_all_that_is_known(
    api: SharedClient, simulator: InProcessSimulator
) -> None:
    """After a vault's copy, or an attempt at it, every backup of the project is asked for anew."""
    ids = all_ids(simulator)
    await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))
    request = ReplicateVaultRequest(SOURCE_VAULT, DESTINATION.region, DESTINATION.project_id, VAULT)
    simulator.control.fault(operation="CopyCheckpoint", action="drop_after")
    with pytest.raises(CbrError):
        await api.replicate_vault(SOURCE, request)

    seen = await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))

    assert 4 == sum(len(backup.records) for backup in seen)


async def test_missing_is_only_what_was_asked_for_by_itself(
    api: SharedClient, simulator: InProcessSimulator
) -> None:
    """A list without a backup proves nothing: ShowBackup has the last word."""
    ids = all_ids(simulator)
    simulator.control.fault(
        operation="ListBackups", action="respond", status=200, body={"backups": [], "count": 0}
    )
    found = await asyncio.gather(
        *(api.get_backup(SOURCE, backup_id) for backup_id in [*ids, UNKNOWN]),
        return_exceptions=True,
    )

    assert isinstance(found[-1], NotFoundError)
    assert ids == [getattr(backup, "id", None) for backup in found[:-1]]


@pytest.mark.parametrize("status", [403, 500, 429])
async def test_list_that_is_refused_is_done_without(
    api: SharedClient, simulator: InProcessSimulator, status: int
) -> None:
    """Without permission to list, or with a service that cannot, each is read by itself."""
    ids = all_ids(simulator)
    body = {"error_code": "APIGW.0302", "error_msg": "not allowed"}
    simulator.control.fault(
        operation="ListBackups", action="respond", status=status, body=body, times=99
    )

    backups = await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))

    assert ids == [backup.id for backup in backups]
    simulator.control.drop_faults()


async def test_pages_are_read_only_while_they_are_worth_it(
    api: SharedClient, simulator: InProcessSimulator
) -> None:
    """Three backups in a project of a hundred thousand are read one by one after the first page."""
    ids = all_ids(simulator)[:4]
    rows = [{"id": UNKNOWN[:-4] + f"{number:04d}"} for number in range(1000)]
    simulator.control.fault(
        operation="ListBackups",
        action="respond",
        status=200,
        body={"backups": json.loads(json.dumps(rows)), "count": 100_000},
        times=99,
    )

    await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))

    assert {"ShowBackup": 4, "ListBackups": 1} == asked(simulator)


async def test_who_gives_up_takes_nothing_from_the_others(
    api: SharedClient, simulator: InProcessSimulator
) -> None:
    """A caller that is cancelled ends alone."""
    ids = all_ids(simulator)
    tasks = [asyncio.ensure_future(api.get_backup(SOURCE, key)) for key in [*ids, ids[-1]]]
    await asyncio.sleep(0)
    tasks[-1].cancel()

    backups = await asyncio.gather(*tasks[:-1])

    assert ids == [backup.id for backup in backups]


async def test_vault_and_capabilities_are_asked_for_once(
    api: SharedClient, simulator: InProcessSimulator
) -> None:
    """What is the same for all is one request, also for those who come a little later."""
    for _ in range(3):
        await asyncio.gather(
            *(api.get_vault(DESTINATION, VAULT) for _ in range(5)),
            *(api.get_replication_capabilities(SOURCE) for _ in range(5)),
            *(api.list_projects("cn-east-3") for _ in range(5)),
        )
    journal = asked(simulator)
    journal.pop("CreateToken")

    assert {"ShowVault": 1, "ShowReplicationCapabilities": 1, "ListProjects": 1} == journal


async def test_failure_is_told_to_all_and_not_kept(
    api: SharedClient, simulator: InProcessSimulator
) -> None:
    """An error is shared by those who wait for it, and the next one asks anew."""
    body = {"error": {"code": 401, "message": "no", "title": "Unauthorized"}}
    simulator.control.fault(operation="ShowVault", action="respond", status=401, body=body, times=2)
    failed = await asyncio.gather(
        *(api.get_vault(DESTINATION, VAULT) for _ in range(3)), return_exceptions=True
    )

    assert [AuthenticationError] * 3 == [type(error) for error in failed]
    assert VAULT == (await api.get_vault(DESTINATION, VAULT)).id
