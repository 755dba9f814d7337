"""What a reviewer must not miss, each on a line: last copies, owners, gaps, room, the unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pulumi_huaweicloud_cbr.commands.ci.objectives import Objectives
from pulumi_huaweicloud_cbr.commands.ci.plan.effects import Effect, Place, Uncounted, What, Why
from pulumi_huaweicloud_cbr.commands.ci.plan.reading import Plan
from pulumi_huaweicloud_cbr.commands.ci.text.phrases import Phrase, Strong, Value, joined
from pulumi_huaweicloud_cbr.commands.ci.text.tables import is_short, name_of, place_phrase
from pulumi_huaweicloud_cbr.commands.ci.text.words import amount, names, size

_SHOWN = 10
_ANOTHER, _SOMEBODY = "another stack", "somebody else"


def attention(plan: Plan, now: datetime, objectives: Objectives) -> list[Phrase]:
    """Return the lines, the gravest first."""
    return [
        *_last_copies(plan, now),
        *_gaps(plan),
        *_owners(plan, now),
        *_rooms(plan),
        *_forced(plan),
        *_unknown(plan),
        *missed_objectives(objectives),
    ]


def missed_objectives(objectives: Objectives) -> Iterator[Phrase]:
    """Yield the objectives that are missed before anything changes, and what was not judged."""
    for one in objectives.missed[:_SHOWN]:
        about = ", ".join(part for part in (one.tier, one.owner) if part)
        whose: Phrase = (" (", Value(about), ")") if about else ()
        told: Phrase = (": ", Value(one.reason)) if one.reason else ()
        yield (Strong("OBJECTIVE MISSED"), " now: ", Value(one.name), *whose, *told)
    more = objectives.missed_count - len(objectives.missed[:_SHOWN])
    if more > 0:
        yield (Strong("OBJECTIVE MISSED"), f" now: {amount(more, 'more resource')}.")
    for reason in objectives.unread[:_SHOWN]:
        yield ("Objectives could not all be judged: ", Value(reason))


def _last_copies(plan: Plan, now: datetime) -> Iterator[Phrase]:
    for is_forced in (False, True):
        found = [effect for effect in plan.last_copies if effect.is_forced is is_forced]
        if not found:
            continue
        count = "1 LAST COPY" if len(found) == 1 else f"{len(found):,} LAST COPIES"
        them = "it" if len(found) == 1 else "them"
        then = (
            "force_destroy is set, so `up` deletes"
            if is_forced
            else "`up` refuses this unless it is forced, and then deletes"
        )
        gone = f"the source {'backup is' if len(found) == 1 else 'backups are'} gone"
        yield (
            Strong(count),
            ": ",
            _named(found, now),
            f". Nothing can make {them} again, since {gone}; {then} {them}.",
        )


def _gaps(plan: Plan) -> Iterator[Phrase]:
    gaps = _by_place(effect for effect in plan.of(What.DELETED) if effect.has_gap)
    for place, effects in gaps.items():
        be = "is" if len(effects) == 1 else "are"
        copies = f"{'copy' if len(effects) == 1 else 'copies'} {be}"
        yield (
            Strong("NO COPY for a time"),
            " in ",
            Value(place.region),
            f": {amount(len(effects), 'replica')} {be} deleted before the new {copies} made.",
        )
    moved = _moves(plan)
    for (source, target), effects in _by_route(moved).items():
        are_awaited = (
            "the old ones go when the new copies have succeeded"
            if plan.has_wait
            else "the old ones go while the new copies may still run"
        )
        yield (
            f"{amount(len(effects), 'replica moves', 'replicas move')} from ",
            Value(source),
            " to ",
            Value(target),
            ": ",
            are_awaited if plan.has_wait else Strong(are_awaited),
            ".",
        )


def _moves(plan: Plan) -> list[tuple[Effect, str]]:
    """Return deleted replicas whose backup is copied to another region, with that region."""
    targets: dict[str, str] = {}
    for effect in (*plan.of(What.COPIED), *plan.of(What.ADOPTED)):
        if effect.backup_id:
            targets[effect.backup_id.lower()] = effect.place.region
    return [
        (effect, targets[effect.backup_id.lower()])
        for effect in plan.of(What.DELETED)
        if effect.backup_id
        and targets.get(effect.backup_id.lower(), effect.place.region) != effect.place.region
        and not effect.is_replaced
    ]


def _by_route(moved: Iterable[tuple[Effect, str]]) -> dict[tuple[str, str], list[Effect]]:
    routes: dict[tuple[str, str], list[Effect]] = {}
    for effect, target in moved:
        routes.setdefault((effect.place.region, target), []).append(effect)
    return routes


def _owners(plan: Plan, now: datetime) -> Iterator[Phrase]:
    adopted = plan.of(What.ADOPTED)
    for maker in (_ANOTHER, _SOMEBODY):
        found = [effect for effect in adopted if effect.maker == maker]
        if not found:
            continue
        owners = sorted({effect.owner for effect in found if effect.owner})
        whose = (" (", *joined((Value(owner),) for owner in owners[:_SHOWN]), ")") if owners else ()
        yield (
            Strong("NEW OWNER"),
            f": {amount(len(found), 'replica')} of {maker}",
            *whose,
            " will be owned by this stack, whose `destroy` deletes ",
            "it" if len(found) == 1 else "them",
            ": ",
            _named(found, now),
            ".",
        )


def _rooms(plan: Plan) -> Iterator[Phrase]:
    for place, copies in _by_place(plan.of(What.COPIED)).items():
        if is_short(copies, plan.facts):
            needed = sum(effect.size_gb or 0 for effect in copies)
            free = plan.facts.vaults[place.vault_id].free_gb or 0
            yield (
                Strong("TOO LITTLE ROOM?"),
                " ",
                *place_phrase(place, plan.facts),
                f" has {size(max(0.0, free))} free, and the copies may need {size(needed)}.",
            )


def _forced(plan: Plan) -> Iterator[Phrase]:
    turned_on = [
        resource.name
        for resource in plan.resources
        for one in resource.properties
        if one.name == "force_destroy" and one.new is True
    ]
    if turned_on:
        named = Value(", ".join(turned_on[:_SHOWN]))
        more = f" and {len(turned_on) - _SHOWN} more" if len(turned_on) > _SHOWN else ""
        yield (Strong("force_destroy"), " is set for ", named, more, ": last copies may go.")


_REASONS = {
    Why.HIDDEN: "their number is secret",
    Why.LATER: "which ones is known during `up` only",
    Why.NOT_LOOKED: "the vault was not looked at, so their number is not known",
}


def _unknown(plan: Plan) -> Iterator[Phrase]:
    by_kind: dict[tuple[What, Why], list[Uncounted]] = {}
    for one in plan.uncounted:
        by_kind.setdefault((one.what, one.why), []).append(one)
    for (what, why), listed in by_kind.items():
        named = Value(", ".join(one.resource for one in listed[:_SHOWN]))
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        verb: Phrase = (Strong("DELETED"),) if what is What.DELETED else (what.value,)
        yield ("Replicas of ", named, more, " may be ", *verb, f": {_REASONS[why]}.")


def _named(effects: Sequence[Effect], now: datetime) -> Value:
    told = names([name_of(effect) for effect in effects], now.date())
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return Value(", ".join(told[:_SHOWN]) + more)


def _by_place(effects: Iterable[Effect]) -> dict[Place, list[Effect]]:
    found: dict[Place, list[Effect]] = {}
    for effect in effects:
        found.setdefault(effect.place, []).append(effect)
    return found
