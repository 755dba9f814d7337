"""The report of a preview: everything that it says, in the order in which it matters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pulumi_huaweicloud_cbr.commands.ci.objectives import Costs, objectives_of
from pulumi_huaweicloud_cbr.commands.ci.plan.document import UNKNOWN, Document, without_secrets
from pulumi_huaweicloud_cbr.commands.ci.plan.effects import Property, Resource, What
from pulumi_huaweicloud_cbr.commands.ci.plan.reading import Message, Plan
from pulumi_huaweicloud_cbr.commands.ci.text import tables
from pulumi_huaweicloud_cbr.commands.ci.text.attention import attention
from pulumi_huaweicloud_cbr.commands.ci.text.headline import headline
from pulumi_huaweicloud_cbr.commands.ci.text.origin import Origin
from pulumi_huaweicloud_cbr.commands.ci.text.phrases import (
    Block,
    Phrase,
    Strong,
    Table,
    Value,
    joined,
)
from pulumi_huaweicloud_cbr.commands.ci.text.words import amount

OFFLINE = (
    "Made without credentials: compared with an empty state, so every replica shows as new, and "
    "nothing was asked of the API. Ids of zeros stand for secrets of the configuration."
)
_OTHERWISE = (What.RENAMED, What.ADOPTED, What.HANDED_OVER, What.STAYS, What.RETAINED)
_LONGEST_VALUE = 160
_LONGEST_MESSAGE = 4_000


@dataclass(frozen=True)
class Section:
    """A part of a report under a title; `is_folded`: it is of use to few readers."""

    title: str
    content: Table | tuple[Block, ...]
    is_folded: bool = False


@dataclass(frozen=True)
class Report:
    """A report. `deleted` is never cut; `is_grave`: something is deleted, refused or failed.

    `kind` tells the comments about a stack apart: ``preview``, ``drift`` or ``up``.
    """

    headline: str
    origin: Origin
    kind: str = "preview"
    attention: tuple[Phrase, ...] = ()
    notes: tuple[Phrase, ...] = ()
    destinations: Table | None = None
    deleted: Table | None = None
    sections: tuple[Section, ...] = ()
    is_grave: bool = False


def report_of(document: Document, plan: Plan, origin: Origin) -> Report:
    """Return the report of a preview and its plan."""
    has_failed = document.exit_code != 0 or not plan.is_read or plan.has_errors
    note = document.note
    objectives = objectives_of(document)
    notes: list[Phrase] = [(OFFLINE,)] if document.is_offline else []
    if has_failed and not plan.is_read:
        notes.append(("The preview ended before it knew anything: this says nothing about `up`.",))
    if note:
        notes.append((Strong("Before the next `up`:"), " ", Value(note)))
    notes += _costs(objectives.costs(plan))
    return Report(
        headline=headline(plan, has_failed=has_failed),
        origin=origin,
        attention=tuple(attention(plan, origin.at, objectives)),
        notes=tuple(notes),
        destinations=tables.destinations(plan),
        deleted=tables.deleted(plan, origin.at),
        sections=tuple(_sections(plan, origin)),
        is_grave=bool(has_failed or plan.refusals or plan.of(What.DELETED)),
    )


def _costs(costs: Costs | None) -> Iterator[Phrase]:
    if costs is None:
        return
    kept = costs.kept - costs.freed
    more = "more" if kept >= 0 else "less"
    unpriced = "; not all sizes and prices are known" if costs.has_unpriced else ""
    yield (
        f"By the given prices: {costs.copying:,.2f} ",
        Value(costs.currency),
        f" for copying, and {abs(kept):,.2f} {more} for each month{unpriced}.",
    )


def _sections(plan: Plan, origin: Origin) -> Iterator[Section]:
    if refused := _refusals(plan):
        yield Section("Refused", refused)
    yield from _messages(plan, "error", "Errors", is_folded=False)
    if copied := tables.copied(plan, What.COPIED, origin.at, is_whole=False):
        yield Section("Copied", copied)
    for what in _OTHERWISE:
        if other := tables.copied(plan, what, origin.at, is_whole=False):
            yield Section(what.value.capitalize(), other)
    if plan.others:
        yield Section("Other resources", _others(plan))
    yield from _messages(plan, "warning", "warning", is_folded=True)
    if plan.resources:
        title = f"properties of {amount(len(plan.resources), 'resource')}"
        yield Section(title, _properties(plan.resources), is_folded=True)
    yield from _messages(plan, "info", "note", is_folded=True)
    if whole := _whole(plan, origin):
        yield Section("all copies by name", whole, is_folded=True)
    if reasons := tables.retention(plan.facts):
        yield Section("why members of sets with keep stay or leave", reasons, is_folded=True)


def _whole(plan: Plan, origin: Origin) -> Table | None:
    """Return all copies by name, if the table above leaves some out."""
    short = tables.copied(plan, What.COPIED, origin.at, is_whole=False)
    whole = tables.copied(plan, What.COPIED, origin.at, is_whole=True)
    return whole if whole != short else None


def _refusals(plan: Plan) -> Table | None:
    rows = tuple(
        (
            (Value(one.resource),),
            (Value(f"{one.field}: {one.reason}" if one.field else one.reason),),
        )
        for one in plan.refusals
    )
    return Table(("resource", "why `up` would refuse it"), rows) if rows else None


def _messages(plan: Plan, severity: str, title: str, *, is_folded: bool) -> Iterator[Section]:
    found = [message for message in plan.messages if message.severity == severity]
    if found:
        counted = amount(len(found), title) if is_folded else title
        yield Section(counted, tuple(_block(message) for message in found), is_folded)


def _block(message: Message) -> Block:
    told = message.text
    shown = told if len(told) <= _LONGEST_MESSAGE else f"{told[:_LONGEST_MESSAGE]}…"
    return Block(shown, message.resources)


def _others(plan: Plan) -> Table:
    grave = ("delete", "replace")
    ordered = sorted(plan.others, key=lambda one: one.op not in grave)
    rows = tuple(
        (
            (Strong(one.op) if one.op in grave else one.op,),
            (Value(one.name),),
            (Value(one.kind),),
        )
        for one in ordered
    )
    return Table(("", "resource", "type"), rows)


def _properties(resources: tuple[Resource, ...]) -> Table:
    rows = tuple(
        ((Value(one.name),), joined((_property(each) for each in one.properties), "; "))
        for one in resources
    )
    return Table(("resource", "properties"), rows)


def _property(one: Property) -> Phrase:
    after: Phrase = ("removed",) if one.new is None else (Value(_value(one.new)),)
    before: Phrase = () if one.old is None else (Value(_value(one.old)), " → ")
    return (Value(one.name), ": ", *before, *after, " (replaces)" if one.is_replacing else "")


def _value(value: Any) -> str:
    shown = without_secrets(value)
    if shown == UNKNOWN:
        return "known after the update"
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
