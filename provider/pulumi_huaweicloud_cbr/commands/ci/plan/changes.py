"""What one step of a preview does with the replicas of its resource.

The rules are those of the resources. A member is its backup, whatever its label. An entire vault
deletes nothing in an update. A replacement deletes first, except to another region or of another
backup. What a fact says goes before what the states suggest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pulumi_huaweicloud_cbr.commands.ci.plan.document import (
    Step,
    is_hidden,
    known_text,
    mapping,
    number,
)
from pulumi_huaweicloud_cbr.commands.ci.plan.effects import (
    Effect,
    Outcome,
    Place,
    Uncounted,
    What,
    Why,
)
from pulumi_huaweicloud_cbr.commands.ci.plan.facts import ResourceFacts
from pulumi_huaweicloud_cbr.commands.ci.plan.states import (
    SET,
    SINGLE,
    VAULT,
    Copy,
    Replica,
    copies_in,
    has_unknown_member,
    place_of,
    replicas_in,
)

REDONE = ("status",)
"""The reason of a replacement that copies again what failed or was lost."""
_FATES = {"stays": What.STAYS, "handed over": What.HANDED_OVER}


class Change:
    """One step about a resource that replicates, and what is known of the resource."""

    def __init__(self, step: Step, facts: ResourceFacts, *, has_facts: bool) -> None:
        self.step = step
        self.facts = facts
        self.has_facts = has_facts
        self.old_place = place_of(mapping(step.old.get("outputs")) or _inputs(step.old))
        self.new_place = place_of(_inputs(step.new))
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Return what the step does."""
        acts: dict[str, Callable[[], None]] = {
            "create": self._create,
            "import": self._adopt,
            "delete": self._delete,
            "replace": self._replace,
            "update": self._update,
        }
        act = acts.get(self.step.op)
        if act is not None and not self.step.old.get("external"):
            act()
        return self.outcome

    # -- operations ---------------------------------------------------------------------------

    def _create(self) -> None:
        copies = copies_in(self.step.kind, self.step.new)
        if isinstance(copies, Why):
            self._copy_unlisted(copies)
            return
        # Each is a copy, also one of a backup that is secret, or known only during `up`.
        self._add(self._copied(copy) for copy in copies)

    def _adopt(self) -> None:
        copies = copies_in(self.step.kind, self.step.new)
        for copy in [Copy(None, None)] if isinstance(copies, Why) else copies:
            self._add([self._effect(What.ADOPTED, self.new_place, copy.label, copy.backup_id)])

    def _delete(self) -> None:
        replicas = replicas_in(self.step.kind, self.step.old)
        what = What.RETAINED if self.step.old.get("retainOnDelete") is True else What.DELETED
        if replicas is None:
            self._count_not(what, self.old_place, Why.HIDDEN)
            return
        self._add(self._removed(one, what) for one in replicas if not one.has_failed)

    def _replace(self) -> None:
        if self.step.replace_reasons == REDONE and self.step.kind == SINGLE:
            (copy,) = self._copies()
            self._add([self._copied(copy, is_again=True)])
            return
        replicas = replicas_in(self.step.kind, self.step.old)
        what = What.RETAINED if self.step.old.get("retainOnDelete") is True else What.DELETED
        if replicas is None:
            self._count_not(what, self.old_place, Why.HIDDEN)
        has_gap = self.step.old.get("pendingReplacement") is True
        self._add(
            self._removed(one, what, is_replaced=True, has_gap=has_gap)
            for one in replicas or ()
            if not one.has_failed
        )
        self._create()

    def _update(self) -> None:
        if self.step.kind == SINGLE:
            self._rename_single()
        elif self.step.kind == VAULT:
            self._copy_unlisted(Why.NOT_LOOKED)
        elif self.step.kind == SET:
            self._update_set()

    def _rename_single(self) -> None:
        (copy,) = self._copies()
        former = mapping(self.step.old.get("outputs")).get("name")
        if copy.name is not None and copy.name != former:
            self._add([self._renamed(copy)])

    def _update_set(self) -> None:
        replicas, copies = replicas_in(SET, self.step.old), copies_in(SET, self.step.new)
        if replicas is None:
            is_same = _inputs(self.step.old).get("backups") == _inputs(self.step.new).get("backups")
            if not is_same or is_hidden(_inputs(self.step.new).get("backups")):
                self._count_not(What.DELETED, self.old_place, Why.HIDDEN)
            return
        if isinstance(copies, Why):
            for what in (What.DELETED, What.COPIED):
                self._count_not(what, self.new_place, copies)
            return
        self._note_unknown()
        had = {_key(one.backup_id): one for one in replicas}
        wanted = {_key(one.backup_id): one for one in copies if self._is_known(one)}
        is_sure = not has_unknown_member(self.step.new)
        for replica in replicas:
            if _key(replica.backup_id) not in wanted and not replica.has_failed:
                if is_sure:
                    self._add([self._left(replica)])
                else:
                    self._count_not(What.DELETED, self.old_place, Why.LATER)
        for key, copy in wanted.items():
            self._compare(had.get(key), copy)

    def _compare(self, replica: Replica | None, copy: Copy) -> None:
        is_redone = self.facts.fate(copy.label or "", copy.backup_id) == "redone"
        if replica is None or replica.has_failed or is_redone:
            self._add([self._copied(copy, is_again=replica is not None)])
        elif copy.name is not None and copy.name != replica.name:
            self._add([self._renamed(copy)])

    # -- effects ------------------------------------------------------------------------------

    def _add(self, effects: Iterable[Effect]) -> None:
        self.outcome.effects.extend(effects)

    def _copies(self) -> list[Copy]:
        found = copies_in(self.step.kind, self.step.new)
        return [Copy(None, None)] if isinstance(found, Why) else found

    def _is_known(self, copy: Copy) -> bool:
        return copy.label is None or copy.backup_id is not None

    def _note_unknown(self) -> None:
        """Note members that cannot be counted one by one; see `Why`."""
        if self.step.kind == SET and has_unknown_member(self.step.new):
            is_secret = is_hidden(_inputs(self.step.new).get("backups"))
            why = Why.HIDDEN if is_secret else Why.LATER
            self._count_not(What.COPIED, self.new_place, why)

    def _copy_unlisted(self, why: Why) -> None:
        """Add the copies that only facts name, as those of an entire vault."""
        copies = self.facts.copies
        for backup_id, fact in copies.items():
            copy = Copy(known_text(fact.get("label")), backup_id)
            self._add([self._copied(copy)])
        is_off = _inputs(self.step.new).get("preflight") == "off"
        if not copies and (is_off or not self.has_facts or why is not Why.NOT_LOOKED):
            self._count_not(What.COPIED, self.new_place, why)

    def _count_not(self, what: What, place: Place, why: Why) -> None:
        found = Uncounted(what, self.step.name, place, why)
        if found not in self.outcome.uncounted:
            self.outcome.uncounted.append(found)

    def _copied(self, copy: Copy, *, is_again: bool = False) -> Effect:
        fact = self.facts.copy(copy.backup_id)
        is_adopted = fact.get("is_adopted") is True
        what = What.ADOPTED if is_adopted else What.COPIED
        return self._effect(
            what, self.new_place, copy.label, copy.backup_id, fact=fact, is_again=is_again
        )

    def _renamed(self, copy: Copy) -> Effect:
        return self._effect(
            What.RENAMED, self.new_place, copy.label, copy.backup_id, renamed_to=copy.name
        )

    def _left(self, replica: Replica) -> Effect:
        """Return what becomes of a member that leaves a set."""
        fate = self.facts.fate(replica.label or "", replica.backup_id)
        effect = self._removed(replica, _FATES.get(fate, What.DELETED))
        if fate == "refused":
            return replace(effect, is_last=True, is_forced=False)
        return effect

    def _removed(
        self, replica: Replica, what: What, *, is_replaced: bool = False, has_gap: bool = False
    ) -> Effect:
        is_deleted = what is What.DELETED
        is_forced = mapping(self.step.old.get("outputs")).get("force_destroy") is True
        return Effect(
            what,
            self.step.name,
            self.old_place,
            replica.label,
            replica.backup_id,
            made_at=replica.made_at,
            copied_at=replica.copied_at,
            is_last=is_deleted and replica.is_last,
            is_forced=is_deleted and is_forced and not is_replaced,
            is_replaced=is_replaced,
            has_gap=is_deleted and has_gap,
        )

    def _effect(
        self,
        what: What,
        place: Place,
        label: str | None,
        backup_id: str | None,
        *,
        fact: Mapping[str, object] | None = None,
        renamed_to: str | None = None,
        is_again: bool = False,
    ) -> Effect:
        known = fact or {}
        return Effect(
            what,
            self.step.name,
            place,
            label,
            backup_id,
            server=known_text(known.get("name")),
            size_gb=number(known.get("size_gb")),
            made_at=known_text(known.get("made_at")),
            owner=known_text(known.get("owner")),
            maker=known_text(known.get("maker")),
            renamed_to=renamed_to,
            is_again=is_again,
        )


def _inputs(state: Mapping[str, object]) -> Mapping[str, object]:
    return mapping(state.get("inputs"))


def _key(backup_id: str | None) -> str:
    return (backup_id or "").lower()
