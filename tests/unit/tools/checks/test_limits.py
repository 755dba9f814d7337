"""What the reference says about accepted values is what the package's checks do."""

from __future__ import annotations

from typing import Any

import pytest

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.config.objectives import RULES
from pulumi_huaweicloud_cbr.config.setting_names import KEYS
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.resources._arguments.reading import inputs_of
from tools.checks import limits

CHECKS: dict[type[Any], Any] = {
    cbr.BackupReplicationArgs: cbr.check_inputs,
    cbr.BackupReplicationSetArgs: cbr.check_set_inputs,
    cbr.VaultReplicationArgs: cbr.check_vault_inputs,
    cbr.ReplicationsCompleteArgs: cbr.check_wait,
}
INPUTS = [(args, name) for args in CHECKS for name in inputs_of(args)]


def is_refused(args: type[Any], name: str, value: object) -> bool:
    """Whether the check of a resource finds a fault in one input, or in a part of it."""
    return name in {finding.field.partition(".")[0] for finding in CHECKS[args]({name: value})}


@pytest.mark.parametrize(("args", "name"), INPUTS, ids=lambda part: getattr(part, "__name__", part))
def test_input_accepts_what_the_reference_says(args: type[Any], name: str) -> None:
    """Each input has a limit, whose examples the check accepts and refuses."""
    limit = limits.INPUTS[name]

    assert limit.good
    assert limit.bad
    assert [] == [value for value in limit.good if is_refused(args, name, value)]
    assert [] == [value for value in limit.bad if not is_refused(args, name, value)]


def test_limits_are_of_inputs_that_exist() -> None:
    """A removed input leaves no row behind."""
    assert {name for _, name in INPUTS} == limits.INPUTS.keys()
    assert {key.field for key in KEYS} == limits.SETTINGS.keys()


@pytest.mark.parametrize("key", limits.OBJECTIVES)
def test_objective_accepts_what_the_reference_says(key: str) -> None:
    """Each key's examples are accepted and refused as the reference says."""
    limit = limits.OBJECTIVES[key]

    assert [] == [value for value in limit.good if cbr.check_objective({key: value})]
    assert [] == [value for value in limit.bad if not cbr.check_objective({key: value})]
    assert limits.OBJECTIVES.keys() == RULES.keys()


@pytest.mark.parametrize("field", limits.SETTINGS)
def test_setting_accepts_what_the_reference_says(field: str) -> None:
    """Each setting's examples are accepted and refused as the table says."""
    limit = limits.SETTINGS[field].limit

    assert limit.good
    for value in limit.good:
        Settings.of(**{field: value})
    for value in limit.bad:
        with pytest.raises(cbr.ConfigurationError):
            Settings.of(**{field: value})


def test_examples_of_the_rules_between_members() -> None:
    """A set refuses the same backup twice, as its limit says."""
    twice = {"a": {"backup_id": limits.INPUTS["backup_id"].good[0]}}

    assert [] == cbr.check_members(twice, is_rolling=False)
    assert [] != cbr.check_members({**twice, "b": twice["a"]}, is_rolling=False)
