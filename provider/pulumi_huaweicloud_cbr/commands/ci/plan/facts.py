"""The facts that plugins have noted, by resource; see `replication.rules.facts`.

A resource with a secret in its inputs has none of them: a fact could show the secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi_huaweicloud_cbr.commands.ci.plan.document import Document, is_hidden, number, text

FATES = {
    "deleted": "leaves",
    "leaves": "leaves",
    "refused": "leaves",
    "handed over": "leaves",
    "stays": "stays for now",
    "kept": "kept",
    "not copied": "not copied",
}
"""What becomes of a member, by the word of a fact; in the order of a report."""
LEAVING = (FATES["leaves"], FATES["stays"])


@dataclass(frozen=True)
class Reason:
    """Why a member of a set with `keep` stays or leaves; `fate` is a value of `FATES`."""

    label: str
    fate: str
    why: str


@dataclass
class ResourceFacts:
    """What is known of one resource.

    `copies` and `reasons` are by backup, `fates` by label and backup; ids are in lower case.
    """

    copies: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    fates: dict[tuple[str, str], str] = field(default_factory=dict)
    reasons: dict[str, Reason] = field(default_factory=dict)

    def copy(self, backup_id: str | None) -> Mapping[str, Any]:
        """Return what is known of a copy; empty if nothing is."""
        return self.copies.get((backup_id or "").lower(), {})

    def fate(self, label: str, backup_id: str | None) -> str:
        """Return what becomes of a member, empty if nothing was noted."""
        return self.fates.get((label, (backup_id or "").lower()), "")


@dataclass(frozen=True)
class Vault:
    """A destination vault; `free_gb` is None if CBR does not tell it."""

    name: str
    free_gb: float | None


@dataclass(frozen=True)
class Refusal:
    """Why `up` would refuse a resource; `field` is the input at fault, empty if it is none."""

    resource: str
    field: str
    reason: str


@dataclass
class Facts:
    """All facts of a preview; `vaults` are by id."""

    resources: dict[str, ResourceFacts] = field(default_factory=dict)
    vaults: dict[str, Vault] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)

    def of(self, urn: str) -> ResourceFacts:
        """Return the facts of a resource; empty if there are none."""
        return self.resources.get(urn) or ResourceFacts()


def facts_of(document: Document) -> Facts:
    """Return a document's facts."""
    facts = Facts()
    for fact in document.facts:
        urn, kind = text(fact.get("urn")), text(fact.get("kind"))
        known = facts.resources.setdefault(urn, ResourceFacts())
        backup_id = text(fact.get("backup_id")).lower()
        if kind == "copy":
            known.copies[backup_id] = fact
        elif kind == "member":
            known.fates[text(fact.get("label")), backup_id] = text(fact.get("fate"))
            _note_reason(known, backup_id, fact, is_last=True)
        elif kind == "retention":
            _note_reason(known, backup_id, fact, is_last=False)
        elif kind == "vault":
            vault = Vault(text(fact.get("name")), number(fact.get("free_gb")))
            facts.vaults[text(fact.get("id")).lower()] = vault
        elif kind == "refused":
            name = urn.split("::", 3)[-1]
            refusal = Refusal(name, text(fact.get("field")), text(fact.get("reason")))
            if refusal not in facts.refusals:
                facts.refusals.append(refusal)
    return facts


def _note_reason(
    known: ResourceFacts, backup_id: str, fact: Mapping[str, Any], *, is_last: bool
) -> None:
    """Note why a member stays or leaves; the plan of a set knows more than its check."""
    fate = FATES.get(text(fact.get("fate")))
    if fate is None or not text(fact.get("why")) or not (is_last or backup_id not in known.reasons):
        return
    known.reasons[backup_id] = Reason(text(fact.get("label")), fate, text(fact.get("why")))


def publishable(
    facts: Iterable[Mapping[str, Any]], steps: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return the facts that may leave the machine, each once.

    Args:
        steps: of the preview's JSON.
    """
    secret = {
        text(step.get("urn"))
        for step in steps
        if any(
            is_hidden((step.get(state) or {}).get(bag))
            for state in ("oldState", "newState")
            for bag in ("inputs", "outputs")
        )
    }
    kept: list[Mapping[str, Any]] = []
    for fact in facts:
        is_open = text(fact.get("urn")) not in secret or fact.get("kind") == "refused"
        if is_open and fact not in kept:
            kept.append(fact)
    return kept
