"""The tables of a report: a row for each destination, and for each resource what is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment
from pulumi_huaweicloud_cbr.commands.ci.plan.effects import Effect, Place, What
from pulumi_huaweicloud_cbr.commands.ci.plan.facts import FATES, LEAVING, Facts
from pulumi_huaweicloud_cbr.commands.ci.plan.reading import Plan
from pulumi_huaweicloud_cbr.commands.ci.text.phrases import Phrase, Strong, Table, Value, joined
from pulumi_huaweicloud_cbr.commands.ci.text.words import age, chunks, day, names, size, total

_CHARACTERS_IN_A_CELL = 2_000
"""A row that names more is continued in the next one, so that each stays readable."""
_FEW = 3
"""So many are told one by one, with size and age."""
_SHOWN_OF_COPIES = 12
_SHOWN_OF_REASONS = 100

_COUNTED = (
    (What.DELETED, "deleted"),
    (What.COPIED, "copied"),
    (What.RENAMED, "renamed"),
    (What.ADOPTED, "adopted"),
    (What.HANDED_OVER, "handed over"),
    (What.STAYS, "stays for now"),
    (What.RETAINED, "left behind"),
)


def place_phrase(place: Place, facts: Facts) -> Phrase:
    """Return a destination: its region, and the name of its vault if that is known."""
    vault = facts.vaults.get(place.vault_id)
    region = place.region or "unknown region"
    return (Value(f"{region}, {vault.name}" if vault and vault.name else region),)


def destinations(plan: Plan) -> Table | None:
    """Return a row for each destination: counts, and sizes against the vault's free room."""
    places = sorted(
        dict.fromkeys(effect.place for effect in plan.effects),
        key=lambda place: (place.region, place.vault_id),
    )
    if not places:
        return None
    shown = [(what, title) for what, title in _COUNTED if plan.of(what)]
    has_copies = any(what is What.COPIED for what, _ in shown)
    head = ["destination", *(title for _, title in shown)]
    head += ["size", "free in the vault"] if has_copies else []
    rows = []
    for place in places:
        here = [effect for effect in plan.effects if effect.place == place]
        cells: list[Phrase] = [place_phrase(place, plan.facts)]
        cells += [_count(here, what) for what, _ in shown]
        if has_copies:
            cells += _room(here, place, plan.facts)
        rows.append(tuple(cells))
    return Table(tuple(head), tuple(rows))


def _count(effects: Iterable[Effect], what: What) -> Phrase:
    count = sum(effect.what is what for effect in effects)
    if not count:
        return ()
    return (Strong(f"{count:,}"),) if what is What.DELETED else (f"{count:,}",)


def _room(effects: Sequence[Effect], place: Place, facts: Facts) -> list[Phrase]:
    copies = [effect for effect in effects if effect.what is What.COPIED]
    if not copies:
        return [(), ()]
    vault = facts.vaults.get(place.vault_id)
    needed = (total(effect.size_gb for effect in copies) or "not known",)
    if vault is None or vault.free_gb is None:
        return [needed, ("not known",)]
    free = size(max(0.0, vault.free_gb))
    return [needed, (Strong(f"{free}: too little?"),) if is_short(copies, facts) else (free,)]


def is_short(copies: Iterable[Effect], facts: Facts) -> bool:
    """Whether copies to one vault may need more room than it has; a replica may need less."""
    listed = list(copies)
    vault = facts.vaults.get(listed[0].place.vault_id) if listed else None
    needed = sum(effect.size_gb or 0 for effect in listed)
    return vault is not None and vault.free_gb is not None and needed > vault.free_gb


def deleted(plan: Plan, now: datetime) -> Table | None:
    """Return all that is deleted, each replica by its name; None if nothing is."""
    return deletions(plan.of(What.DELETED), plan.facts, now)


def deletions(
    gone: Iterable[Effect], facts: Facts, now: datetime, verb: str = "deleted"
) -> Table | None:
    """Return replicas that go, or have gone, each by its name; None if there are none.

    Args:
        verb: what happens to those that are not replaced.
    """
    rows: list[tuple[Phrase, ...]] = []
    for effects in groups(gone):
        who = _who(effects[0])
        where = place_phrase(effects[0].place, facts)
        what = "replaced" if effects[0].is_replaced else verb
        rows += [
            (who, where, (Strong(what) if number == 0 else "continued",), cell)
            for number, cell in enumerate(_named_cells(effects, now))
        ]
    head = ("resource", "destination", "what", "replicas")
    return Table(head, tuple(rows)) if rows else None


def _named_cells(effects: Sequence[Effect], now: datetime) -> Iterator[Phrase]:
    """Yield cells that name all replicas; last copies come first and stand out."""
    last = [effect for effect in effects if effect.is_last]
    others = [effect for effect in effects if not effect.is_last]
    for part, is_last in ((last, True), (others, False)):
        told = names([name_of(effect) for effect in part], now.date())
        for number, chunk in enumerate(chunks(told, _CHARACTERS_IN_A_CELL)):
            cell: Phrase = (Value(", ".join(chunk)),)
            if number == 0 and (made := _made(part, now)):
                cell = (*cell, f"; {made}")
            yield (Strong("LAST COPY"), " ", *cell) if is_last else cell


def _made(effects: Sequence[Effect], now: datetime) -> str:
    """Return when backups were made, or else copied; empty if labels say it."""
    if all("@" in (effect.label or "") for effect in effects):
        return ""
    are_known = all(effect.made_at for effect in effects)
    verb = "made" if are_known else "copied"
    told = [(effect.made_at if are_known else effect.copied_at) for effect in effects]
    times = sorted(at for at in map(moment, told) if at != UNKNOWN)
    if not times:
        return ""
    if len(told) == 1:
        return age(told[0], now, verb)
    first, last = day(times[0].date(), now.date()), day(times[-1].date(), now.date())
    return f"{verb} {first}" if first == last else f"{verb} {first} to {last}"


def copied(plan: Plan, what: What, now: datetime, *, is_whole: bool) -> Table | None:
    """Return what is copied, or happens otherwise without a deletion; None if nothing does.

    Args:
        is_whole: name all of it; otherwise the first names of each resource.
    """
    rows = [
        (
            _who(effects[0]),
            place_phrase(effects[0].place, plan.facts),
            _copies_cell(effects, now, is_whole=is_whole),
        )
        for effects in groups(plan.of(what))
    ]
    return Table(("resource", "destination", what.value), tuple(rows)) if rows else None


def retention(facts: Facts) -> Table | None:
    """Return why members of sets with `keep` stay or leave; None if no such set changes.

    A set that changes has a row for each member, those that leave first, up to a number.
    """
    rows: list[tuple[Phrase, ...]] = []
    order = list(dict.fromkeys(FATES.values()))
    for urn, known in sorted(facts.resources.items()):
        reasons = sorted(known.reasons.values(), key=lambda one: order.index(one.fate))
        if not known.copies and not any(one.fate in LEAVING for one in reasons):
            continue
        name: Phrase = (Value(urn.rpartition("::")[2]),)
        rows += [
            (
                name,
                (Value(reason.label),),
                (Strong(reason.fate) if reason.fate in LEAVING else reason.fate,),
                (Value(reason.why),),
            )
            for reason in reasons[:_SHOWN_OF_REASONS]
        ]
        if (more := len(reasons) - _SHOWN_OF_REASONS) > 0:
            rows.append((name, (f"and {more:,} more",), (), ()))
    return Table(("resource", "member", "", "why"), tuple(rows)) if rows else None


def _copies_cell(effects: Sequence[Effect], now: datetime, *, is_whole: bool) -> Phrase:
    if len(effects) <= _FEW:
        return joined((_one(effect, now) for effect in effects), "; ")
    told = names([name_of(effect) for effect in effects], now.date())
    shown = told if is_whole else told[:_SHOWN_OF_COPIES]
    more = f" and {len(told) - len(shown):,} more" if len(shown) < len(told) else ""
    words = (total(effect.size_gb for effect in effects), _made(effects, now))
    about = "".join(f", {part}" for part in words if part)
    return (f"{len(effects):,}{about}: ", Value(", ".join(shown)), more)


def _one(effect: Effect, now: datetime) -> Phrase:
    (name,) = names([name_of(effect)], now.date())
    parts: list[Phrase] = [(Value(name),)]
    if effect.renamed_to:
        parts.append(("to ", Value(effect.renamed_to)))
    if effect.server and not name.startswith(effect.server):
        parts.append(("of ", Value(effect.server)))
    if effect.size_gb is not None:
        parts.append((size(effect.size_gb),))
    if made := age(effect.made_at, now):
        parts.append((made,))
    if effect.is_again:
        parts.append(("again, since it failed or was lost",))
    return joined(parts)


def groups(effects: Iterable[Effect]) -> list[list[Effect]]:
    """Return effects by resource, place and kind; single replications of a place are together."""
    found: dict[tuple[object, ...], list[Effect]] = {}
    for effect in effects:
        resource = effect.resource if effect.label is not None else None
        found.setdefault((resource, effect.place, effect.is_replaced), []).append(effect)
    return list(found.values())


def _who(effect: Effect) -> Phrase:
    if effect.label is None:
        return ("single copies",)
    return (Value(short_name(effect.resource, effect.place)),)


def name_of(effect: Effect) -> str:
    """Return the name of a replica: its label, or its resource's name."""
    if effect.label is not None:
        return effect.label
    return short_name(effect.resource, effect.place)


def short_name(resource: str, place: Place) -> str:
    """Return a resource's name without the destination that the stack program adds."""
    return resource.removesuffix(f"-to-{place.region}") if place.region else resource
