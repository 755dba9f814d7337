"""What a gigabyte costs, by a table that the user gives; no price is built in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.documents import load_document
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import counted, is_region_id, quoted

DEFAULT = "default"
"""The key of the price for all places that have none of their own."""
_LISTS = ("storage", "transfer")
_LONGEST_CURRENCY = 16


@dataclass(frozen=True)
class Prices:
    """A price table.

    `storage_by` is for a gigabyte and month, by region. `transfer_by` is for a gigabyte that is
    copied, by ``source/destination``.
    """

    currency: str | None = None
    storage_by: Mapping[str, float] = field(default_factory=dict)
    transfer_by: Mapping[str, float] = field(default_factory=dict)

    def storage(self, region: str, size_gb: float) -> float | None:
        """Return the cost of keeping gigabytes in a region for a month; None without a price."""
        return _cost(self.storage_by, region, size_gb)

    def transfer(self, source: str | None, region: str, size_gb: float) -> float | None:
        """Return the cost of copying gigabytes between two regions; None without a price."""
        return _cost(self.transfer_by, f"{source}/{region}", size_gb)


def _cost(prices: Mapping[str, float], place: str, size_gb: float) -> float | None:
    price = prices.get(place, prices.get(DEFAULT))
    return None if price is None else round(price * size_gb, 2)


def read_prices(path: Path) -> Prices:
    """Read a price table, in YAML or JSON (docs/how-to/report.md has its form).

    Raises:
        ConfigurationError: it cannot be read, or has faults; all of them are named.
    """
    document, faults = load_document(path, "prices", "give the file with --prices")
    faults += _faults_of(document if isinstance(document, dict) else {})
    if faults:
        lines = "".join(f"\n  {fault}" for fault in faults)
        raise ConfigurationError(
            f"reading prices {str(path)!r}: {counted(len(faults), 'fault')}:{lines}"
        )
    return Prices(
        str(document["currency"]),
        *(
            {key: float(price) for key, price in (document.get(name) or {}).items()}
            for name in _LISTS
        ),
    )


def _faults_of(document: Mapping[str, Any]) -> Iterator[str]:
    for key in document.keys() - {"currency", *_LISTS}:
        yield f"{quoted(str(key))} is no key; want currency, storage or transfer"
    currency = document.get("currency")
    if not isinstance(currency, str) or not 0 < len(currency) <= _LONGEST_CURRENCY:
        yield "currency is missing; want a text such as CNY"
    if not any(document.get(name) for name in _LISTS):
        yield "there is no price; give storage or transfer"
    for name in _LISTS:
        prices = document.get(name) or {}
        if not isinstance(prices, dict):
            yield f"{name} is no table; want a price for each place"
            continue
        for place, price in prices.items():
            yield from (f"{name}.{fault}" for fault in _faults_of_price(name, place, price))


def _faults_of_price(name: str, place: object, price: object) -> Iterator[str]:
    shown = quoted(str(place))
    parts = str(place).split("/")
    count = 1 if name == "storage" else 2
    if place != DEFAULT and (len(parts) != count or not all(map(is_region_id, parts))):
        want = "a region" if count == 1 else "SOURCE/DESTINATION"
        yield f"{shown}: no such place; want {want}, or {DEFAULT}"
    is_number = isinstance(price, (int, float)) and not isinstance(price, bool)
    if not is_number or not math.isfinite(float(price)) or float(price) < 0:  # type: ignore[arg-type]
        yield f"{shown}: {quoted(str(price))} is no price; want a number that is not negative"
