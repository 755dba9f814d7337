"""Objectives and prices in a preview's document: how the copies are before anything changes.

`facts_of_report` writes them beside the facts of the plugins, and `objectives_of` reads them back,
also for the comment of a fork. Values may be of any text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.base.text import counted
from pulumi_huaweicloud_cbr.commands.ci.plan.document import mapping, number, text
from pulumi_huaweicloud_cbr.commands.ci.plan.effects import Effect, What

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.commands.ci.plan.document import Document
    from pulumi_huaweicloud_cbr.commands.ci.plan.reading import Plan
    from pulumi_huaweicloud_cbr.commands.report.model import Report
    from pulumi_huaweicloud_cbr.commands.report.prices import Prices

_MISSED, _COUNTS, _UNREAD, _PRICES = "objective", "objectives", "objectives unread", "prices"
"""The kinds of these facts."""
_DEFAULT = "default"
_MOST = 500
"""At most this many missed objectives are noted one by one."""


@dataclass(frozen=True)
class Missed:
    """A missed objective: of which resource, why, and who answers for it."""

    name: str
    reason: str
    owner: str = ""
    tier: str = ""


@dataclass(frozen=True)
class Costs:
    """What the copies of a plan cost by the user's prices.

    `copying` is paid once. `kept` and `freed` are for a month: of new and of deleted replicas.
    """

    currency: str
    copying: float = 0.0
    kept: float = 0.0
    freed: float = 0.0
    has_unpriced: bool = False


@dataclass(frozen=True)
class Objectives:
    """How the objectives are met now; `unread` says what could not be read."""

    missed: tuple[Missed, ...] = ()
    missed_count: int = 0
    met_count: int = 0
    unread: tuple[str, ...] = ()
    storage: Mapping[str, Any] = field(default_factory=dict)
    transfer: Mapping[str, Any] = field(default_factory=dict)
    currency: str = ""

    def costs(self, plan: Plan) -> Costs | None:
        """Return what a plan costs; None without prices."""
        if not self.currency:
            return None
        copied, deleted = plan.of(What.COPIED), plan.of(What.DELETED)
        prices = [self._of(effect) for effect in (*copied, *deleted)]
        return Costs(
            self.currency,
            copying=sum((self._of(effect)[1] or 0.0) for effect in copied),
            kept=sum((self._of(effect)[0] or 0.0) for effect in copied),
            freed=sum((self._of(effect)[0] or 0.0) for effect in deleted),
            has_unpriced=any(price is None for pair in prices for price in pair),
        )

    def _of(self, effect: Effect) -> tuple[float | None, float | None]:
        """Return the costs of a replica: for a month, and of its copy."""
        region, size_gb = effect.place.region, effect.size_gb
        if size_gb is None:
            return None, None
        kept = _price(self.storage, region)
        # A preview's document does not tell each source, so a pair counts if all prices agree.
        pairs = {key for key in self.transfer if key.rpartition("/")[2] == region}
        told = {_price(self.transfer, key) for key in pairs} or {_price(self.transfer, _DEFAULT)}
        copying = told.pop() if len(told) == 1 else None
        return (
            None if kept is None else kept * size_gb,
            None if copying is None else copying * size_gb,
        )


def _price(prices: Mapping[str, Any], place: str) -> float | None:
    return number(prices.get(place, prices.get(_DEFAULT)))


def facts_of_report(report: Report) -> Iterator[dict[str, Any]]:
    """Yield what a report says about objectives, as facts of a document."""
    counts = report.counts
    yield {"urn": "", "kind": _COUNTS, "missed": counts["missed"], "met": counts["met"]}
    for one in report.having("missed")[:_MOST]:
        yield {
            "urn": "",
            "kind": _MISSED,
            "name": one.name,
            "reason": one.reason or "",
            "owner": one.owner or "",
            "tier": one.tier or "",
        }
    for area in report.unseen:
        yield from facts_of_failure(f"{area.region}: {area.unseen_because}")
    for remark in report.remarks:
        yield from facts_of_failure(remark)
    if report.is_complete and counts["unseen"]:
        yield from facts_of_failure(
            f"not known of {counted(counts['unseen'], 'resource')}; report tells why"
        )


def facts_of_failure(reason: str) -> Iterator[dict[str, Any]]:
    """Yield that objectives could not be judged."""
    yield {"urn": "", "kind": _UNREAD, "reason": reason}


def facts_of_prices(prices: Prices) -> Iterator[dict[str, Any]]:
    """Yield a price table."""
    yield {
        "urn": "",
        "kind": _PRICES,
        "currency": prices.currency,
        "storage": dict(prices.storage_by),
        "transfer": dict(prices.transfer_by),
    }


def objectives_of(document: Document) -> Objectives:
    """Return what a document says about objectives and prices."""
    by_kind: dict[str, list[Mapping[str, Any]]] = {}
    for fact in document.facts:
        by_kind.setdefault(text(fact.get("kind")), []).append(fact)
    counts = next(iter(by_kind.get(_COUNTS, ())), {})
    prices = next(iter(by_kind.get(_PRICES, ())), {})
    return Objectives(
        missed=tuple(_missed(by_kind.get(_MISSED, ()))),
        missed_count=int(number(counts.get("missed")) or 0),
        met_count=int(number(counts.get("met")) or 0),
        unread=tuple(text(fact.get("reason")) for fact in by_kind.get(_UNREAD, ())),
        storage=mapping(prices.get("storage")),
        transfer=mapping(prices.get("transfer")),
        currency=text(prices.get("currency")),
    )


def _missed(facts: Iterable[Mapping[str, Any]]) -> Iterator[Missed]:
    for fact in facts:
        yield Missed(*(text(fact.get(key)) for key in ("name", "reason", "owner", "tier")))
