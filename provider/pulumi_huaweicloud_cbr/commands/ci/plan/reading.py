"""The whole plan of a preview: the effects of all steps, refusals, messages, other resources."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pulumi_huaweicloud_cbr.commands.ci.plan.changes import Change
from pulumi_huaweicloud_cbr.commands.ci.plan.document import STACK_TYPE, Document, Step, text
from pulumi_huaweicloud_cbr.commands.ci.plan.effects import Effect, Resource, Uncounted, What
from pulumi_huaweicloud_cbr.commands.ci.plan.facts import Facts, Refusal, Vault, facts_of
from pulumi_huaweicloud_cbr.commands.ci.plan.properties import resource_of
from pulumi_huaweicloud_cbr.commands.ci.plan.states import FORMS, WAIT

_CHANGING = ("create", "update", "replace", "delete", "import")
_COLOUR = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Message:
    """A diagnostic, and the resources that reported it with this text."""

    severity: str
    text: str
    resources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a preview would do.

    `resources` are ours with changed settings, `others` those of other packages that change.
    `is_read`: the preview printed its JSON. `has_wait`: `up` waits for copies before it deletes.
    """

    effects: tuple[Effect, ...] = ()
    uncounted: tuple[Uncounted, ...] = ()
    resources: tuple[Resource, ...] = ()
    others: tuple[Resource, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    messages: tuple[Message, ...] = ()
    facts: Facts = field(default_factory=Facts)
    is_read: bool = False
    has_wait: bool = False

    def of(self, what: What) -> list[Effect]:
        """Return the replicas to which this happens."""
        return [effect for effect in self.effects if effect.what is what]

    @property
    def last_copies(self) -> list[Effect]:
        """Return the deletions that take a last copy."""
        return [effect for effect in self.effects if effect.is_last]

    @property
    def has_errors(self) -> bool:
        """Whether the preview itself reported an error."""
        return any(message.severity == "error" for message in self.messages)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all changes."""
        return not (self.effects or self.uncounted or self.resources or self.others)


def read_plan(document: Document) -> Plan:
    """Return the plan of a preview's document."""
    facts = facts_of(document)
    effects: list[Effect] = []
    uncounted: list[Uncounted] = []
    resources, others = [], []
    has_wait = False
    for step in document.steps:
        if step.kind == WAIT and step.op != "delete":
            has_wait = True
        if step.op not in _CHANGING or step.kind == WAIT or _is_internal(step):
            continue
        if step.kind not in FORMS:
            others.append(resource_of(step))
            continue
        outcome = Change(step, facts.of(step.urn), has_facts=document.has_facts).run()
        effects += outcome.effects
        uncounted += outcome.uncounted
        resource = resource_of(step, is_offline=document.is_offline)
        if resource.properties:
            resources.append(resource)
    _tell_vaults_apart(facts, effects)
    return Plan(
        effects=tuple(effects),
        uncounted=tuple(uncounted),
        resources=tuple(resources),
        others=tuple(others),
        refusals=tuple(facts.refusals),
        messages=tuple(messages_of(document)),
        facts=facts,
        is_read=document.is_read,
        has_wait=has_wait,
    )


def _tell_vaults_apart(facts: Facts, effects: Iterable[Effect]) -> None:
    """Give vaults without a name a part of their id, where a region has several in the plan."""
    places = {effect.place for effect in effects}
    for place in places:
        is_alone = not any(one != place and one.region == place.region for one in places)
        known = facts.vaults.get(place.vault_id)
        if not is_alone and not (known and known.name):
            free_gb = known.free_gb if known else None
            facts.vaults[place.vault_id] = Vault(place.vault_id[:8], free_gb)


def _is_internal(step: Step) -> bool:
    return step.type == STACK_TYPE or step.type.startswith("pulumi:providers:")


def messages_of(document: Document) -> list[Message]:
    """Join equal messages of several resources; what the command itself said comes first."""
    found: dict[tuple[str, str], list[str]] = {}
    if said := plain(document.said):
        has_failed = document.exit_code != 0 or not document.is_read
        found["error" if has_failed else "warning", said] = []
    for diagnostic in document.diagnostics:
        severity = text(diagnostic.get("severity")).removesuffix("#err") or "info"
        told = plain(text(diagnostic.get("message"))).removeprefix(f"{severity}: ")
        if not told or severity == "debug":
            continue
        resources = found.setdefault((severity, told), [])
        step = Step("", text(diagnostic.get("urn")), {}, {})
        if step.urn and step.type != STACK_TYPE and step.name not in resources:
            resources.append(step.name)
    return [Message(severity, told, tuple(names)) for (severity, told), names in found.items()]


def plain(told: str) -> str:
    """Return a text of the CLI without its colours."""
    return _COLOUR.sub("", told).strip()
