"""Many replications in parallel: submit, refresh, complete, rename or remove them.

Deletions and waits treat all members together; the rest is done member by member. `submit` and
`one` do the work for each member, so their guarantees hold for each member. A failed member does
not block the others. The result has what was done, and the error of each failed member. Which
members a set has is not decided here: see `rules.sets.members`.
"""

from __future__ import annotations

import asyncio
import itertools
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_backups, find_replica_by_id
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import ApiError, CbrError, ConflictError, WaitTimeoutError
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.base.text import listed, named_ids, redact, span
from pulumi_huaweicloud_cbr.replication.observe import Limits, refresh
from pulumi_huaweicloud_cbr.replication.one import (
    Settled,
    begin_deletion,
    look_last,
    not_completed,
    remove,
    rename,
    settle,
    wait_deleted,
)
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    DELETING_STATUSES,
    GOOD_STATUSES,
    Standing,
)
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication, TrackedReplication
from pulumi_huaweicloud_cbr.replication.rules.ownership import Deletion, DeletionRules, Removal
from pulumi_huaweicloud_cbr.replication.submit import IncompleteError, submit_or_adopt
from pulumi_huaweicloud_cbr.replication.wait.completion import CompletionPlan, wait_until_ended
from pulumi_huaweicloud_cbr.replication.wait.copies import Outcome, copy_of

Done = TypeVar("Done")


class Results(Struct, Generic[Done]):
    """The result for each member, by label; a member that was done in part is in both."""

    done: dict[str, Done] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)


class MembersFailedError(CbrError):
    """Some members of a set failed; the others are done.

    Args:
        doing: what was being done, such as "submitting replications to region 'cn-east-3'".
        total: the number of all members, failed or not.
    """

    def __init__(self, doing: str, total: int, failed: Mapping[str, Exception]) -> None:
        self.failed = dict(failed)
        reasons: dict[str, list[str]] = {}
        for label, error in failed.items():
            reasons.setdefault(_reason(error), []).append(label)
        lines = [
            f"  {', '.join(repr(label) for label in labels)}: {reason}"
            for reason, labels in reasons.items()
        ]
        others = ", the others are done" if len(failed) < total else ""
        summary = (
            f"{doing}: {len(failed)} of {total} failed{others}; put right what is listed below, "
            "then run the same command again: it does only what is left"
        )
        super().__init__("\n".join([summary, *lines]))


def _reason(error: Exception) -> str:
    if isinstance(error, ApiError) and error.code and error.service_message:
        # Without the member's own ids, so that members with the same reason share a line.
        remedy = f"; {error.remedy}" if error.remedy else ""
        return f"{error.service_message.rstrip('.')}{remedy} [{error.code}]"
    if isinstance(error, CbrError):
        return str(error)
    text = redact("".join(traceback.format_exception(error)))
    return (
        f"unexpected {type(error).__name__}; this is a fault of the package, please report it "
        f"with all that follows\n{text}"
    )


class _MemberReporter:
    """Reports for one member of many: no line stays, or there would be hundreds of lines."""

    def __init__(self, label: str, inner: Reporter) -> None:
        self._label = label
        self._inner = inner

    def tell(self, message: str) -> None:
        self._inner.progress(f"{self._label}: {message}")

    def progress(self, message: str) -> None:
        # Numbers first: the terminal may cut off the end of a row.
        self._inner.progress(f"{message}, {self._label}")

    def waiting(self, message: str) -> None:
        self._inner.waiting(f"{message}, {self._label}")


async def for_each(
    work: Mapping[str, Callable[[Reporter], Awaitable[Done]]],
    doing: str,
    report: Reporter,
    limit_s: float | None = None,
) -> Results[Done]:
    """Do the work of all members in parallel; the client limits the number of requests.

    Args:
        doing: for progress, such as "submitting".
        limit_s: seconds after which unfinished work is cancelled and counts as failed.
    """
    if not work:
        return Results()
    tasks = {
        asyncio.ensure_future(run(_MemberReporter(label, report))): label
        for label, run in work.items()
    }
    ended = itertools.count(1)

    def note(task: asyncio.Future[Done]) -> None:
        if not task.cancelled() and len(tasks) > 1:
            report.progress(f"{next(ended)} of {len(tasks)} done: {doing}")

    for task in tasks:
        task.add_done_callback(note)
    try:
        _, late = await asyncio.wait(tasks, timeout=limit_s)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        raise
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    results: Results[Done] = Results()
    for task, label in tasks.items():
        if not task.cancelled() and task.exception() is None:
            results.done[label] = task.result()
        else:
            results.failed[label] = _failure_of(task, doing, limit_s)
    return results


def _failure_of(task: asyncio.Future[Any], doing: str, limit_s: float | None) -> Exception:
    if task.cancelled():
        return WaitTimeoutError(
            f"{doing}: not done within {span(limit_s or 0)}",
            remedy="run the same command again to go on, or raise the limit in custom_timeouts",
        )
    error = task.exception()
    if not isinstance(error, Exception):
        raise error or RuntimeError("a task that succeeded was taken for one that failed")
    return error


async def submit_all(
    api: Api,
    wanted: Mapping[str, DesiredReplication],
    report: Reporter,
    limit_s: float | None = None,
) -> Results[TrackedReplication]:
    """Submit or adopt replications in parallel, each by `submit.submit_or_adopt`.

    A member whose replica was adopted, but could not be renamed, is both done and failed.
    """

    def bring_about(
        desired: DesiredReplication,
    ) -> Callable[[Reporter], Awaitable[TrackedReplication]]:
        return lambda reporter: submit_or_adopt(api, desired, reporter)

    results = await for_each(
        {label: bring_about(desired) for label, desired in wanted.items()},
        "submitting",
        report,
        limit_s,
    )
    for label, error in results.failed.items():
        if isinstance(error, IncompleteError):
            results.done[label] = error.tracked
    adopted = sum(1 for tracked in results.done.values() if tracked.is_adopted)
    if adopted:
        report.tell(f"adopted {adopted} of {len(wanted)}: these are not copied again")
    return results


async def refresh_all(
    api: Api, rows: Mapping[str, TrackedReplication], report: Reporter
) -> Results[tuple[Standing, TrackedReplication]]:
    """Return the state of each replication, and its updated values."""

    def look(
        tracked: TrackedReplication,
    ) -> Callable[[Reporter], Awaitable[tuple[Standing, TrackedReplication]]]:
        return lambda reporter: refresh(api, tracked, reporter)

    work = {label: look(tracked) for label, tracked in rows.items()}
    return await for_each(work, "reading", report)


async def replicas_in(
    api: Api,
    destination: ProjectScope,
    vault_id: str,
    *,
    resource_id: str | None,
    expected: Iterable[str | None],
) -> dict[str, bool]:
    """Return the backups in a vault, without those that are being deleted.

    This takes one request for each thousand, and one for each expected replica that the list
    lacks: a list cannot prove that a replica is gone.

    Args:
        resource_id: lists only the backups of this server or file system; None lists all.
        expected: the ids of replicas to look for; None is skipped.
    Returns:
        For each id whether the replica is complete, and can be used.
    """
    backups = list(await find_backups(api, destination, vault_id=vault_id, resource_id=resource_id))
    missing = {id_ for id_ in expected if id_} - {backup.id for backup in backups}
    looks = (find_replica_by_id(api, destination, id_) for id_ in sorted(missing))
    backups += [found.backup for found in await asyncio.gather(*looks) if found.backup]
    return {
        backup.id: backup.status in GOOD_STATUSES
        for backup in backups
        if backup.status not in DELETING_STATUSES
    }


async def rename_all(
    api: Api,
    rows: Mapping[str, tuple[TrackedReplication, str]],
    report: Reporter,
    limits: Limits,
    limit_s: float | None = None,
) -> Results[TrackedReplication]:
    """Rename replicas, each after its copy has ended."""

    def give(
        tracked: TrackedReplication, name: str
    ) -> Callable[[Reporter], Awaitable[TrackedReplication]]:
        return lambda reporter: rename(api, tracked, name, reporter, limits)

    work = {label: give(tracked, name) for label, (tracked, name) in rows.items()}
    return await for_each(work, "renaming", report, limit_s)


async def complete_all(
    api: Api,
    rows: Mapping[str, TrackedReplication],
    report: Reporter,
    limits: Limits,
    limit_s: float | None = None,
) -> Results[TrackedReplication]:
    """Wait until all copies have succeeded, each as `one.complete` does.

    All are polled together: one request for each thousand backups.

    Raises:
        InterruptedWaitError: the user interrupted; the copies go on.
        CbrError: several consecutive polls got no answer.
    """
    copies = {label: copy_of(row) for label, row in rows.items()}
    timeout_s = limits.copy_s if limit_s is None else min(limits.copy_s, limit_s)
    plan = CompletionPlan(timeout_s, api.settings.poll_interval_s)
    late: WaitTimeoutError | None = None
    try:
        await wait_until_ended(api, list(copies.values()), plan, report)
    except WaitTimeoutError as error:
        late = error
    ended = {
        label: rows[label] for label, copy in copies.items() if copy.outcome is not Outcome.RUNNING
    }
    looked = await refresh_all(api.fresh, ended, report)
    results: Results[TrackedReplication] = Results(failed=looked.failed)
    for label, (standing, tracked) in looked.done.items():
        if standing is Standing.PRESENT:
            results.done[label] = tracked
        else:
            results.failed[label] = not_completed(tracked, copies[label].reason)
    if late is not None:
        results.failed |= dict.fromkeys(rows.keys() - ended.keys(), late)
    return results


LOOKED_AT_ONCE = 16
"""Members whose source is checked, and whose replica is then deleted, at the same time. With more,
a deletion would wait for its turn, and the check before it would be stale."""


async def remove_all(
    api: Api,
    rows: Mapping[str, TrackedReplication],
    report: Reporter,
    limits: Limits,
    limit_s: float | None = None,
    *,
    rules: DeletionRules,
) -> Results[str | None]:
    """Delete replicas, and wait until they are gone; each as `one.remove` does.

    If last copies are spared, no deletion begins before all copies have ended. If any of them is a
    last copy then, nothing is deleted.

    Returns:
        For each replica the owner to which it was left, None if it is gone.
    Raises:
        ConflictError: some are last copies. Nothing was deleted.
        MembersFailedError: some could not be observed. Nothing was deleted.
    """
    if not rules.spares_last_copy:

        def take(tracked: TrackedReplication) -> Callable[[Reporter], Awaitable[str | None]]:
            return lambda reporter: remove(api, tracked, reporter, rules, limits)

        work = {label: take(tracked) for label, tracked in rows.items()}
        return await for_each(work, "deleting", report, limit_s)
    looked = await for_each(
        {label: _settle_later(api, row, limits) for label, row in rows.items()},
        "looking at replicas",
        report,
        limit_s,
    )
    if looked.failed:
        raise MembersFailedError("looking at replicas", len(rows), looked.failed)
    _require_sources(looked.done, rules)
    turn = asyncio.Semaphore(LOOKED_AT_ONCE)

    def take_settled(found: Settled) -> Callable[[Reporter], Awaitable[str | None]]:
        async def look_and_delete(reporter: Reporter) -> str | None:
            async with turn:
                if (owner := await look_last(api, found, rules)) is not None:
                    return owner
                is_going = await begin_deletion(api, found, reporter)
            if is_going:
                await wait_deleted(api, found, reporter, limits)
            return None

        return look_and_delete

    work = {label: take_settled(found) for label, found in looked.done.items()}
    return await for_each(work, "deleting", report, limit_s)


def _require_sources(looked: Mapping[str, Settled], rules: DeletionRules) -> None:
    """Refuse if any replica is the last copy of its backup.

    Raises:
        ConflictError: it names them.
    """
    last = {
        label: found
        for label, found in looked.items()
        if found.is_deletable
        and found.fate(rules, is_source_gone=found.is_source_gone) is Deletion.REFUSE
    }
    if not last:
        return
    doing = "replacing replications" if rules.removal is Removal.REPLACED else "deleting replicas"
    raise ConflictError(
        f"{doing}: the source backups of {listed(last)} are gone, so their replicas "
        f"({named_ids(found.replica.backup_id or '' for found in last.values())}) are the "
        "last copies: nothing was deleted",
        remedy=rules.remedy,
    )


def _settle_later(
    api: Api, tracked: TrackedReplication, limits: Limits
) -> Callable[[Reporter], Awaitable[Settled]]:
    return lambda reporter: settle(api, tracked, reporter, limits)
