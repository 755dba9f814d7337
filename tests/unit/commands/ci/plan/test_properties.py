"""The changed properties of a resource, as the report shows them."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_huaweicloud_cbr.commands.ci.plan.properties import resource_of
from tests.unit.commands.ci.plans import document, one, step

OLD = {"adopt": True, "enable_acceleration": False, "preflight": "error"}
"""What states of earlier versions have, and newer ones leave out."""
LEFT_OUT = {"adopt": None, "enable_acceleration": None, "preflight": None}


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        pytest.param(OLD, LEFT_OUT, ["name"], id="left out"),
        pytest.param(LEFT_OUT, OLD, ["name"], id="written again"),
        pytest.param(LEFT_OUT, {**LEFT_OUT, "preflight": "off"}, ["name", "preflight"], id="set"),
        pytest.param({**OLD, "adopt": "any"}, LEFT_OUT, ["adopt", "name"], id="unset"),
    ],
)
def test_default_that_a_state_leaves_out_is_no_change(
    old: dict[str, Any], new: dict[str, Any], shown: list[str]
) -> None:
    """Whichever of the two states has it."""
    update = step("update", old=one(**old), new=one(name="n", **new))

    (only,) = document(update).steps

    assert shown == [change.name for change in resource_of(only).properties]
