"""What a refresh found: replicas that are lost, and what was changed outside of Pulumi.

A preview with a refresh has a step `refresh` for each resource, with the state as it was. The next
step of the resource has the state as it is. Without a next one, or if it is created anew, nothing
of it is left (seen with CLI 3.255).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pulumi_huaweicloud_cbr.commands.ci.plan.document import Document, Step, known_text, mapping
from pulumi_huaweicloud_cbr.commands.ci.plan.effects import Effect, Place, What
from pulumi_huaweicloud_cbr.commands.ci.plan.reading import Plan
from pulumi_huaweicloud_cbr.commands.ci.plan.states import FORMS, Replica, place_of, replicas_in


@dataclass(frozen=True)
class Difference:
    """A replica that is not as the state had it; `now` says how it is."""

    resource: str
    place: Place
    label: str | None
    now: str


@dataclass(frozen=True)
class Drift:
    """What was lost, and what differs. `again` are the lost ones that `up` copies again."""

    lost: tuple[Effect, ...] = ()
    differences: tuple[Difference, ...] = ()
    again: frozenset[tuple[str, str | None]] = frozenset()

    def __bool__(self) -> bool:
        """Whether anything is lost or differs."""
        return bool(self.lost or self.differences)


def drift_of(document: Document, plan: Plan) -> Drift:
    """Return what the refresh of a preview found."""
    lost: list[Effect] = []
    differences: list[Difference] = []
    for former, now in _refreshed(document.steps):
        before = replicas_in(former.kind, former.old) or []
        place = place_of(mapping(former.old.get("outputs")))
        after = {_key(one): one for one in _rows_of(now)}
        for replica in before:
            if replica.has_failed:
                continue
            seen = after.get(_key(replica))
            if seen is None:
                lost.append(_lost(former, place, replica))
            else:
                differences += [
                    Difference(former.name, place, replica.label, words)
                    for words in _changes(replica, seen)
                ]
    copied = {(one.resource, one.backup_id) for one in plan.of(What.COPIED)}
    return Drift(tuple(lost), tuple(differences), frozenset(copied))


def _refreshed(steps: Iterable[Step]) -> Iterator[tuple[Step, Step | None]]:
    """Yield each refreshed resource with its next step, None if there is none."""
    refreshed: dict[str, Step] = {}
    later: dict[str, Step] = {}
    for step in steps:
        if step.kind not in FORMS:
            continue
        if step.op == "refresh":
            refreshed.setdefault(step.urn, step)
        else:
            later.setdefault(step.urn, step)
    return ((step, later.get(urn)) for urn, step in refreshed.items())


def _rows_of(step: Step | None) -> list[Replica]:
    if step is None or not step.old:
        return []
    return replicas_in(step.kind, step.old) or []


def _key(replica: Replica) -> str:
    return replica.record_id or (replica.backup_id or "").lower() or (replica.label or "")


def _lost(step: Step, place: Place, replica: Replica) -> Effect:
    return Effect(
        What.DELETED,
        step.name,
        place,
        replica.label,
        replica.backup_id,
        made_at=replica.made_at,
        copied_at=replica.copied_at,
        is_last=replica.is_last,
    )


def _changes(before: Replica, now: Replica) -> Iterator[str]:
    if now.has_failed:
        yield "the copy has failed"
    if now.is_last and not before.is_last:
        yield "the source backup is gone: this is the last copy"
    if now.name != before.name and known_text(now.name):
        yield f"renamed to {now.name}"
