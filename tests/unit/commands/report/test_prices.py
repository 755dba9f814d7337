"""Price tables: what they give, and how their faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pulumi_huaweicloud_cbr import ConfigurationError
from pulumi_huaweicloud_cbr.commands.report.prices import Prices, read_prices
from tools.checks.examples import examples


def written(folder: Path, content: str) -> Path:
    """Return a file with this content."""
    file = folder / "prices.yaml"
    file.write_text(content)
    return file


def test_table_of_the_page_is_read(tmp_path: Path) -> None:
    """A place has its own price, else the default."""
    (page,) = [one for one in examples("yaml") if "currency" in yaml.safe_load(one.text)]

    prices = read_prices(written(tmp_path, page.text))

    assert prices.currency == "CNY"
    assert prices.storage("cn-east-3", 100) == 20.0
    assert prices.storage("cn-south-1", 100) == 25.0
    assert prices.transfer("cn-north-4", "cn-east-3", 10) == 5.0
    assert prices.transfer(None, "cn-east-3", 10) == 8.0


def test_a_place_without_a_price_has_no_cost() -> None:
    """Unknown is not free."""
    assert Prices("CNY", {"cn-east-3": 1.0}).storage("cn-south-1", 10) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[1]", "currency is missing; want a text such as CNY"),
        ("storage: {default: 1}", "currency is missing"),
        ("currency: CNY", "there is no price; give storage or transfer"),
        ("currency: CNY\nstorage: 5", "storage is no table"),
        ("currency: CNY\nstorage: {default: -1}", "'-1' is no price"),
        ("currency: CNY\nstorage: {default: .nan}", "'nan' is no price"),
        ("currency: CNY\nstorage: {default: true}", "'True' is no price"),
        ("currency: CNY\nstorage: {a/b: 1}", "'a/b': no such place; want a region, or default"),
        ("currency: CNY\ntransfer: {a-1: 1}", "want SOURCE/DESTINATION, or default"),
        ("currency: CNY\nstorage: {default: 1}\nprice: 2", "'price' is no key"),
        ("currency: CNY\nstorage: {default: 1, default: 2}", "default: stands twice"),
    ],
)
def test_faults_are_told_together(tmp_path: Path, content: str, told: str) -> None:
    """A file with a fault gives no price at all."""
    with pytest.raises(ConfigurationError) as caught:
        read_prices(written(tmp_path, content))

    assert told in str(caught.value)
