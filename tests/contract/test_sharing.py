"""Shared look-ups: few requests for many questions, and no misleading answer."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from pulumi_huaweicloud_cbr import AuthenticationError, NotFoundError
from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.cache import SHARED_FOR_S, CachedApi
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.wire.answers import Backup
from pulumi_huaweicloud_cbr.api.wire.requests import (
    ProjectScope,
    ReplicateRequest,
    ReplicateVaultRequest,
)
from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.replication.observe import refresh
from pulumi_huaweicloud_cbr.replication.one import remove
from pulumi_huaweicloud_cbr.replication.rules.decisions import Standing
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication
from pulumi_huaweicloud_cbr.replication.rules.ownership import DeletionRules, Removal
from pulumi_huaweicloud_cbr.replication.submit import submit_or_adopt
from simulator.testing import InProcessSimulator
from tests.contract.rig import BACKUP, LONG_S, VAULT, SimulatedClock

pytestmark = [pytest.mark.simulator_only, pytest.mark.anyio]

SOURCE = ProjectScope("cn-north-4", "c6cb0876eaee4f5092d0fdf4c4fc09b3")
DESTINATION = ProjectScope("cn-east-3", "863129926600475a959e8f2efb991722")
SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
MISSING = {"error_code": "BackupService.6200", "error_msg": "The backup does not exist."}
DESIRED = DesiredReplication(
    backup_id=BACKUP, source=SOURCE, destination=DESTINATION, destination_vault_id=VAULT
)


@pytest.fixture
async def client(
    simulator: InProcessSimulator, configuration: dict[str, str]
) -> AsyncIterator[CbrClient]:
    """A client that has already signed in."""
    settings = Settings.load(configuration.get, {})
    clock = SimulatedClock(simulator)
    async with CbrClient(
        settings,
        make_authenticator(settings, clock),
        clock=clock,
        transport=simulator.transport(),
    ) as client:
        await client.get_backup_page(SOURCE, limit=1)
        simulator.control.clear_journal()
        yield client


@pytest.fixture
async def api(client: CbrClient) -> CachedApi:
    """A cache in front of the client."""
    return CachedApi(client)


@pytest.fixture
async def noting(client: CbrClient) -> NotingApi:
    """A cache in front of the client that records its questions."""
    return NotingApi(client)


def asked(simulator: InProcessSimulator) -> dict[str, int]:
    """Return how often each operation was requested."""
    return dict(Counter(str(entry["operation"]) for entry in simulator.control.journal()))


def all_ids(simulator: InProcessSimulator) -> list[str]:
    """Return the ids of all backups in the source project."""
    return [
        row["id"] for row in simulator.control.state()["backups"] if row["region"] == SOURCE.region
    ]


def replica_ids(simulator: InProcessSimulator) -> list[str]:
    """Return the ids of the replicas in the destination."""
    return [
        row["id"] for row in simulator.control.replicas() if row["region"] == DESTINATION.region
    ]


async def test_many_backups_are_read_from_one_list(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """The first look-up does not wait for others. All later ones share a list."""
    ids = all_ids(simulator)
    assert len(ids) > 5

    backups = await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))

    assert ids == [backup.id for backup in backups]
    assert {"ShowBackup": 1, "ListBackups": 1} == asked(simulator)


async def test_backups_asked_for_one_after_the_other_are_listed_from_the_third_on(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """The engine checks one resource at a time: a few are read singly, then a list has all."""
    ids = all_ids(simulator)

    backups = [await api.get_backup(SOURCE, backup_id) for backup_id in ids]

    assert ids == [backup.id for backup in backups]
    assert {"ShowBackup": 2, "ListBackups": 1} == asked(simulator)


async def test_lists_without_hits_are_given_up(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """In a project with many backups, old ones are read singly after two lists in vain."""
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
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """A backup from a list equals the answer of ShowBackup, including its records."""
    await api.replicate_backup(
        SOURCE, BACKUP, ReplicateRequest(DESTINATION.region, DESTINATION.project_id, VAULT)
    )
    alone = await api.get_backup(SOURCE, BACKUP)
    ids = [backup_id for backup_id in all_ids(simulator) if backup_id != BACKUP]

    together = await asyncio.gather(*(api.get_backup(SOURCE, key) for key in [*ids, BACKUP]))

    assert alone == together[-1]
    assert 1 == len(together[-1].records)


async def test_answer_is_shared_for_a_while_only(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """A stored answer is used for a short time. Later, or if it must be fresh, CBR is asked."""
    ids = all_ids(simulator)
    await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))
    simulator.control.clear_journal()

    await api.get_backup(SOURCE, ids[-1])
    at_once = asked(simulator)
    await api.fresh.get_backup(SOURCE, ids[-1])
    fresh = asked(simulator)
    simulator.control.advance(SHARED_FOR_S + 1)
    await api.get_backup(SOURCE, ids[-1])

    assert {} == at_once
    assert {"ShowBackup": 1} == fresh
    assert {"ShowBackup": 2} == asked(simulator)


async def test_fresh_look_ups_at_the_same_time_are_batched(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """A stored answer is not fresh, but one list answers many fresh look-ups."""
    ids = all_ids(simulator)
    await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))
    simulator.control.clear_journal()

    backups = await asyncio.gather(*(api.fresh.get_backup(SOURCE, key) for key in ids))

    assert ids == [backup.id for backup in backups]
    assert {"ShowBackup": 1, "ListBackups": 1} == asked(simulator)


async def test_fresh_look_ups_one_after_the_other_are_asked_one_by_one(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """A list for later look-ups does not help them: its answers would be old."""
    ids = all_ids(simulator)

    for backup_id in ids:
        await api.fresh.get_backup(SOURCE, backup_id)

    assert {"ShowBackup": len(ids)} == asked(simulator)


async def test_fresh_is_fresh_for_all_questions(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """Stored vaults, capabilities and projects are not fresh answers either."""
    for asked_api in (api, api.fresh, api.fresh.fresh):
        await asked_api.get_vault(DESTINATION, VAULT)
        await asked_api.get_replication_capabilities(SOURCE)
        await asked_api.list_projects("cn-east-3")
    journal = asked(simulator)
    journal.pop("CreateToken")

    assert {"ShowVault": 3, "ShowReplicationCapabilities": 3, "ListProjects": 3} == journal


async def test_change_through_the_fresh_api_makes_stored_answers_stale(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """After any write, through either object, the cache returns no earlier answer."""
    ids = all_ids(simulator)
    await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))

    await api.fresh.rename_backup(SOURCE, ids[-1], "renamed")

    assert "renamed" == (await api.get_backup(SOURCE, ids[-1])).name


async def test_own_change_is_seen_at_once(api: CachedApi, simulator: InProcessSimulator) -> None:
    """After a change by this process, or an attempt, no earlier answer is returned."""
    ids = all_ids(simulator)
    await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))
    request = ReplicateRequest(DESTINATION.region, DESTINATION.project_id, VAULT)
    simulator.control.fault(operation="CopyBackup", action="drop_after")
    with pytest.raises(CbrError):
        await api.replicate_backup(SOURCE, BACKUP, request)

    seen = await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))

    records = {backup.id: len(backup.records) for backup in seen}
    assert 1 == records[BACKUP]


async def test_copy_of_a_vault_makes_all_answers_stale(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """After a copy of a vault, or an attempt, every backup of the project is requested again."""
    ids = all_ids(simulator)
    await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))
    request = ReplicateVaultRequest(SOURCE_VAULT, DESTINATION.region, DESTINATION.project_id, VAULT)
    simulator.control.fault(operation="CopyCheckpoint", action="drop_after")
    with pytest.raises(CbrError):
        await api.replicate_vault(SOURCE, request)

    seen = await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))

    assert 4 == sum(len(backup.records) for backup in seen)


async def test_missing_is_only_what_was_requested_individually(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """A backup that is missing in a list is requested with ShowBackup, which decides."""
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
async def test_refused_list_falls_back_to_single_reads(
    api: CachedApi, simulator: InProcessSimulator, status: int
) -> None:
    """Without permission to list, or if lists fail, each is read individually."""
    ids = all_ids(simulator)
    body = {"error_code": "APIGW.0302", "error_msg": "not allowed"}
    simulator.control.fault(
        operation="ListBackups", action="respond", status=status, body=body, times=99
    )

    backups = await asyncio.gather(*(api.get_backup(SOURCE, backup_id) for backup_id in ids))

    assert ids == [backup.id for backup in backups]
    simulator.control.drop_faults()


async def test_pages_are_read_only_while_they_are_worth_it(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """In a project of a hundred thousand, three backups are read singly after the first page."""
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


async def test_cancelled_caller_does_not_affect_the_others(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """A cancelled caller ends alone."""
    ids = all_ids(simulator)
    tasks = [asyncio.ensure_future(api.get_backup(SOURCE, key)) for key in [*ids, ids[-1]]]
    await asyncio.sleep(0)
    tasks[-1].cancel()

    backups = await asyncio.gather(*tasks[:-1])

    assert ids == [backup.id for backup in backups]


async def test_vault_and_capabilities_are_asked_for_once(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """Common questions are one request, also for callers that ask a little later."""
    for _ in range(3):
        await asyncio.gather(
            *(api.get_vault(DESTINATION, VAULT) for _ in range(5)),
            *(api.get_replication_capabilities(SOURCE) for _ in range(5)),
            *(api.list_projects("cn-east-3") for _ in range(5)),
        )
    journal = asked(simulator)
    journal.pop("CreateToken")

    assert {"ShowVault": 1, "ShowReplicationCapabilities": 1, "ListProjects": 1} == journal


async def test_failure_is_reported_to_all_and_not_stored(
    api: CachedApi, simulator: InProcessSimulator
) -> None:
    """All waiting callers receive the same error, and the next one sends a request."""
    body = {"error": {"code": 401, "message": "no", "title": "Unauthorized"}}
    simulator.control.fault(operation="ShowVault", action="respond", status=401, body=body, times=2)
    failed = await asyncio.gather(
        *(api.get_vault(DESTINATION, VAULT) for _ in range(3)), return_exceptions=True
    )

    assert [AuthenticationError] * 3 == [type(error) for error in failed]
    assert VAULT == (await api.get_vault(DESTINATION, VAULT)).id


# -- callers that need fresh answers --------------------------------------------------------


class Quiet:
    """A reporter that shows nothing."""

    def tell(self, message: str) -> None:
        """Drop a permanent line."""

    def progress(self, message: str) -> None:
        """Drop a line of progress."""

    waiting = progress


class NotingApi(CachedApi):
    """A cache that records which calls would accept a stored answer."""

    def __init__(self, client: CbrClient) -> None:
        super().__init__(client)
        self.noted: list[str] = []

    async def get_backup(self, scope: ProjectScope, backup_id: str) -> Backup:
        """Record the backup; `fresh` does not ask for it through this object."""
        self.noted.append(backup_id)
        return await super().get_backup(scope, backup_id)


async def test_unanswered_submission_is_looked_for_with_fresh_answers(
    noting: NotingApi, simulator: InProcessSimulator
) -> None:
    """Only the poll before the first submission may use a stored answer."""
    simulator.control.fault(operation="CopyBackup", action="drop_after")

    tracked = await submit_or_adopt(noting, DESIRED, Quiet())

    assert tracked.is_adopted
    assert [BACKUP] == noting.noted


async def test_copy_and_deletion_are_waited_for_with_fresh_answers(
    noting: NotingApi, simulator: InProcessSimulator
) -> None:
    """Only the first poll of a running copy may use a stored answer."""
    tracked = await submit_or_adopt(noting, DESIRED, Quiet())
    noting.noted.clear()

    await remove(noting, tracked, Quiet(), DeletionRules(Removal.ROLLED_OFF))

    assert [] == replica_ids(simulator)
    assert [BACKUP] == noting.noted


@pytest.mark.parametrize("looks", [1, 1000], ids=["late", "never"])
async def test_missing_replica_is_looked_for_with_fresh_answers(
    noting: NotingApi, simulator: InProcessSimulator, looks: int
) -> None:
    """Only the first poll may use stored answers: of the source, and of the replica."""
    tracked = await submit_or_adopt(noting, DESIRED, Quiet())
    simulator.control.advance(LONG_S)
    (replica_id,) = replica_ids(simulator)
    noting.noted.clear()
    answer = {"action": "respond", "status": 404, "body": MISSING}
    simulator.control.fault(
        operation="ShowBackup", region=DESTINATION.region, times=looks, **answer
    )

    standing, _ = await refresh(noting, tracked, Quiet())

    assert (Standing.PRESENT if looks == 1 else Standing.GONE) is standing
    assert [BACKUP, replica_id] == noting.noted
