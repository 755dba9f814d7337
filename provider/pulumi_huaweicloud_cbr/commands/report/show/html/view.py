"""What the page says of a report: its headline, its counts, and the order of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pulumi_huaweicloud_cbr.base.text import counted
from pulumi_huaweicloud_cbr.commands.report.model import (
    MISSED,
    RUNNING,
    UNDECLARED,
    UNSEEN,
    UNUSABLE,
    VERDICTS,
    CopyLook,
    Flow,
    Report,
    Resource,
)
from pulumi_huaweicloud_cbr.commands.report.show.html.flows import all_flows

GOOD, BAD, DOUBT, PLAIN = "good", "bad", "doubt", "plain"
"""Tones of a headline and of counts; each one has a colour and a sign."""
NAMELESS = "without a name"
_UNUSABLE_FIRST = (UNUSABLE, RUNNING)


@dataclass(frozen=True)
class Count:
    """A number that a reader looks at first, and the rows that it counts."""

    value: int
    label: str
    tone: str
    link: str
    choice: str = ""


class View:
    """A report as the page shows it."""

    def __init__(self, report: Report) -> None:
        self.report = report

    @cached_property
    def resources(self) -> list[Resource]:
        """Return the resources, the most urgent first."""
        return sorted(self.report.resources, key=lambda one: VERDICTS.index(one.verdict))

    @cached_property
    def copies(self) -> list[CopyLook]:
        """Return the copies: those in error, then those that nobody declares, then the newest."""

        def urgency(copy: CopyLook) -> tuple[bool, bool, int]:
            return (
                copy.state not in _UNUSABLE_FIRST,
                not self.is_undeclared(copy),
                copy.age_s or 0,
            )

        return sorted(self.report.copies, key=urgency)

    @cached_property
    def _names(self) -> dict[str, str]:
        return {one.key: one.name for one in self.report.resources}

    def name_of(self, key: str) -> str:
        """Return what the page calls a resource."""
        return self._names.get(key, key) or NAMELESS

    @cached_property
    def flows(self) -> list[Flow]:
        """Return the flows, also those without a copy that should have one."""
        return all_flows(self.report)

    @property
    def has_costs(self) -> bool:
        """Whether a flow has a price."""
        return any(one.storage is not None or one.transfer is not None for one in self.flows)

    @property
    def storage(self) -> float:
        """Return the sum of the storage costs."""
        return sum(one.storage or 0 for one in self.flows)

    @property
    def transfer(self) -> float:
        """Return the sum of the transfer costs."""
        return sum(one.transfer or 0 for one in self.flows)

    @property
    def sources(self) -> list[str]:
        """Return the regions that were asked for backups."""
        return list(dict.fromkeys(one.region for one in self.report.areas if one.is_source))

    @property
    def destinations(self) -> list[str]:
        """Return the regions that were asked for copies."""
        return list(dict.fromkeys(one.region for one in self.report.areas if one.is_destination))

    @staticmethod
    def is_undeclared(copy: CopyLook) -> bool:
        """Whether no stack declares a copy that exists."""
        return copy.id is not None and copy.owner in UNDECLARED

    @property
    def no_copies(self) -> str:
        """Return what stands in place of copies that do not exist, or that nobody saw."""
        return "none in any region" if self.report.saw_all_destinations else "none seen"

    @property
    def headline(self) -> str:
        """Return the one sentence that tells whether someone has to act."""
        counts = self.report.counts
        total = counted(counts["resources"], "resource")
        if counts[MISSED]:
            verb = "misses its" if counts[MISSED] == 1 else "miss their"
            return f"{counts[MISSED]:,} of {total} {verb} objective"
        if counts[UNSEEN]:
            return f"It is not known whether {counts[UNSEEN]:,} of {total} can be recovered"
        if not self.report.is_complete:
            return "Not everything could be read"
        if not counts["resources"]:
            return "No resource was found"
        return _calm(counts, total)

    @property
    def tone(self) -> str:
        """Return the tone of the headline."""
        counts = self.report.counts
        if counts[MISSED]:
            return BAD
        if counts[UNSEEN] or not self.report.is_complete or counts["without_copy"]:
            return DOUBT
        return GOOD if counts["met"] else PLAIN

    @property
    def counts(self) -> list[Count]:
        """Return the numbers of the head."""
        counts = self.report.counts

        def tone(name: str, otherwise: str) -> str:
            return otherwise if counts[name] else PLAIN

        return [
            Count(counts[MISSED], "miss their objective", tone(MISSED, BAD), "resources", MISSED),
            Count(counts[UNSEEN], "not known", tone(UNSEEN, DOUBT), "resources", UNSEEN),
            Count(counts["met"], "meet their objective", tone("met", GOOD), "resources", "met"),
            Count(
                counts["without_copy"],
                "without any copy"
                if self.report.saw_all_destinations
                else "without a copy that was seen",
                tone("without_copy", BAD),
                "resources",
                "without_copy",
            ),
            Count(counts["failures"], "failed attempts", tone("failures", DOUBT), "failures"),
            Count(counts["undeclared"], "undeclared copies", PLAIN, "copies", "undeclared"),
            Count(counts["copies"], "usable copies", PLAIN, "copies"),
        ]


def _calm(counts: Mapping[str, int], total: str) -> str:
    """Return the headline of a complete report in which no objective is missed."""
    met, bare = counts["met"], counts["without_copy"]
    without = f"{'has' if bare == 1 else 'have'} no copy in another region"
    if not met:
        if bare:
            return f"{bare:,} of {total} {without}"
        return f"{total}, each with a copy; there is no objective"
    judged = f"{'The' if met == 1 else 'All'} {counted(met, 'resource')}"
    if not bare:
        return f"{judged} {'meets its' if met == 1 else 'meet their'} objective"
    return f"{judged} with an objective {'meets' if met == 1 else 'meet'} it; {bare:,} {without}"
