"""The report of a drift: what is lost first, then what differs, then what `up` would do."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_huaweicloud_cbr.commands.ci.objectives import objectives_of
from pulumi_huaweicloud_cbr.commands.ci.plan.document import Document
from pulumi_huaweicloud_cbr.commands.ci.plan.effects import Effect
from pulumi_huaweicloud_cbr.commands.ci.plan.lost import Difference, Drift
from pulumi_huaweicloud_cbr.commands.ci.plan.reading import Plan
from pulumi_huaweicloud_cbr.commands.ci.text.headline import counts
from pulumi_huaweicloud_cbr.commands.ci.text.origin import Origin
from pulumi_huaweicloud_cbr.commands.ci.text.phrases import Phrase, Strong, Table, Value
from pulumi_huaweicloud_cbr.commands.ci.text.report import Report, Section, report_of
from pulumi_huaweicloud_cbr.commands.ci.text.tables import (
    deletions,
    name_of,
    place_phrase,
    short_name,
)
from pulumi_huaweicloud_cbr.commands.ci.text.words import amount

_NO_DRIFT = "No drift"


def drift_report(document: Document, plan: Plan, drift: Drift, origin: Origin) -> Report:
    """Return the report; what is lost stands where deletions stand in that of a preview."""
    planned = report_of(document, plan, origin)
    if planned.headline.startswith("Preview FAILED") and not plan.is_read:
        headline = "Drift is not known: the preview FAILED"
    else:
        headline = _headline(plan, drift, objectives_of(document).missed_count)
    sections = list(planned.sections)
    if drift.differences:
        sections.insert(0, Section("Changed outside of Pulumi", _differences(plan, drift)))
    return Report(
        headline=headline,
        origin=origin,
        kind="drift",
        attention=(*_attention(drift), *planned.attention),
        notes=planned.notes,
        deleted=deletions(drift.lost, plan.facts, origin.at, verb="LOST"),
        sections=tuple(sections),
        is_grave=bool(drift.lost) or planned.is_grave,
    )


def _headline(plan: Plan, drift: Drift, missed_count: int) -> str:
    parts = []
    if drift.lost:
        parts.append(amount(len(drift.lost), "replica is LOST", "replicas are LOST"))
    if drift.differences:
        parts.append(amount(len(drift.differences), "replica differs", "replicas differ"))
    if missed_count:
        missed = amount(missed_count, "objective is MISSED", "objectives are MISSED")
        parts.append(missed if parts else f"{_NO_DRIFT}, but {missed}")
    found = ", ".join(parts) or f"{_NO_DRIFT}: all replicas are as the state says"
    planned = counts(plan)
    return f"{found}. By the next `up`, {planned}" if planned else found


def _attention(drift: Drift) -> list[Phrase]:
    again = [one for one in drift.lost if (one.resource, one.backup_id) in drift.again]
    never = [one for one in drift.lost if one.is_last]
    others = [one for one in drift.lost if one not in again and one not in never]
    lines: list[Phrase] = []
    for found, words in (
        (never, "and its source backup is gone: nothing can copy it again"),
        (others, "and the next `up` does not copy it again"),
        (again, "and the next `up` copies it again"),
    ):
        if found:
            lines.append(_line(found, words))
    return lines


def _line(found: Sequence[Effect], words: str) -> Phrase:
    if len(found) == 1:
        return (Strong("LOST"), ": ", Value(name_of(found[0])), f", {words}.")
    plural = words.replace("its source backup is", "the source backups are").replace("it ", "them ")
    return (Strong("LOST"), f": {len(found):,} replicas, {plural}.")


def _differences(plan: Plan, drift: Drift) -> Table:
    rows = tuple(_row(plan, one) for one in drift.differences)
    return Table(("resource", "destination", "replica", "what differs"), rows)


def _row(plan: Plan, one: Difference) -> tuple[Phrase, ...]:
    name = one.label if one.label is not None else short_name(one.resource, one.place)
    return (
        (Value(short_name(one.resource, one.place)),),
        place_phrase(one.place, plan.facts),
        (Value(name),),
        (Value(one.now),),
    )
