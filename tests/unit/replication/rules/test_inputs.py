"""Inputs of a replication: every field, with each violation of its documented limits."""

from __future__ import annotations

import pytest

from pulumi_huaweicloud_cbr.replication.rules.inputs import (
    FIELDS,
    check_filters,
    check_inputs,
    check_set_inputs,
    check_vault_inputs,
)

UUID = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
GOOD: dict[str, object] = {
    "backup_id": UUID,
    "destination_region": "cn-east-3",
    "destination_vault_id": UUID,
}

FAULTS = [
    *(
        pytest.param(field, value, words, id=f"{field}-{words[:20]}")
        for field in ("backup_id", "destination_vault_id")
        for value, words in (
            (None, "is missing"),
            ("", "is not a UUID"),
            (UUID[:-1], "is not a UUID"),
            (UUID + "0", "is not a UUID"),
            (UUID.replace("a", "g"), "is not a UUID"),
            (UUID + "\n", "is not a UUID"),
            (7.0, "7 is a number; want a UUID"),
            ([UUID], "is a list; want a UUID"),
            ({"id": UUID}, "is an object; want a UUID"),
        )
    ),
    *(
        pytest.param(field, value, words, id=f"{field}-{words}")
        for field in ("destination_region", "source_region")
        for value, words in (
            ("", "is empty"),
            ("cn north", "contains ' '"),
            ("cn/north", "contains '/'"),
            ("区", "contains '区'"),
            ("x" * 256, "has 256 characters"),
            (True, "is a truth value; want text"),
        )
    ),
    *(
        pytest.param(field, value, words, id=f"{field}-{words}")
        for field in ("destination_project_id", "source_project_id")
        for value, words in (
            ("", "is empty"),
            ("../x", "contains '.'"),
            ("x" * 65, "has 65 characters"),
            (1.0, "is a number; want text"),
        )
    ),
    pytest.param("name", "", "is empty", id="name-empty"),
    pytest.param("name", "a b", "contains ' '", id="name-space"),
    pytest.param("name", "a.b", "contains '.'", id="name-dot"),
    pytest.param("name", "x" * 65, "has 65 characters", id="name-long"),
    pytest.param("name", False, "is a truth value; want text", id="name-type"),
    pytest.param("description", "a<b", "contains '<'", id="description-less"),
    pytest.param("description", "a>b", "contains '>'", id="description-greater"),
    pytest.param("description", "x" * 256, "has 256 characters", id="description-long"),
    pytest.param("description", 3.5, "3.5 is a number; want text", id="description-type"),
    pytest.param("enable_acceleration", "true", "is text; want true or false", id="flag-text"),
    pytest.param("adopt", 1.0, "1 is a number; want true, false or 'any'", id="flag-number"),
    pytest.param("adopt", "all", "is text; want true, false or 'any'", id="flag-or-any"),
    pytest.param("force_destroy", "any", "is text; want true or false", id="flag-any"),
    pytest.param("preflight", "no", "want 'error', 'warn' or 'off'", id="mode-unknown"),
    pytest.param("preflight", True, "want 'error', 'warn' or 'off'", id="mode-type"),
]


@pytest.mark.parametrize(("field", "value", "words"), FAULTS)
def test_check_inputs_fault_is_one_finding(field: str, value: object, words: str) -> None:
    """A failure is one finding, on its field, with the value and what is expected."""
    findings = check_inputs({**GOOD, field: value})

    assert [field] == [finding.field for finding in findings]
    assert words in findings[0].reason
    assert "\n" not in findings[0].reason


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("name", "x" * 64, id="longest-name"),
        pytest.param("name", "中文_a-1", id="cjk-name"),
        pytest.param("description", "", id="empty-description"),
        pytest.param("description", "x" * 255, id="longest-description"),
        pytest.param("destination_region", "southchina", id="legacy-region"),
        pytest.param("destination_region", "x" * 255, id="longest-region"),
        pytest.param("backup_id", UUID.upper(), id="upper-case"),
        pytest.param("preflight", "off", id="mode"),
        pytest.param("adopt", False, id="flag"),
        pytest.param("adopt", "any", id="any"),
    ],
)
def test_check_inputs_at_the_limit_is_accepted(field: str, value: object) -> None:
    """What the reference allows is allowed."""
    assert [] == check_inputs({**GOOD, field: value})


def test_check_inputs_reports_all_faults_in_order() -> None:
    """All failures are found together."""
    findings = check_inputs({field: [] for field in FIELDS})

    assert list(FIELDS) == [finding.field for finding in findings]


def test_check_inputs_unknown_value_is_no_fault() -> None:
    """A value that is known later is not missing."""
    assert [] == check_inputs({}, frozenset(GOOD))


def test_check_inputs_unknown_key_is_named() -> None:
    """An unknown key is named, with the known ones."""
    (finding,) = check_inputs({**GOOD, "bakup_id": UUID})

    assert "bakup_id" == finding.field
    assert "backup_id" in finding.reason


def test_check_inputs_long_value_is_shown_shortened() -> None:
    """A long value is quoted in part."""
    (finding,) = check_inputs({**GOOD, "name": "y" * 5000})

    assert len(finding.reason) < 250


def test_check_vault_inputs_are_those_of_a_vault() -> None:
    """An entire vault needs the vault, and has neither a backup nor texts for a replica."""
    good = {field: value for field, value in GOOD.items() if field != "backup_id"}

    assert [] == check_vault_inputs({**good, "vault_id": UUID})
    assert ["vault_id"] == [finding.field for finding in check_vault_inputs(good)]
    foreign = check_vault_inputs({**good, "vault_id": UUID, "name": "x", "backups": [UUID]})
    assert ["name", "backups"] == [finding.field for finding in foreign]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        pytest.param("vault_id", "x", "'x' is not a UUID", id="vault"),
        pytest.param("resource_name", " ", "is no name or id that a backup", id="blank"),
        pytest.param("resource_id", "a\nb", "is no name or id that a backup", id="two-lines"),
        pytest.param("name", {}, "is an object; want text", id="name-type"),
        pytest.param("created_since", "2026-11-20T02:00:00", "want a time in UTC", id="no-zone"),
        pytest.param("created_until", "2026-11-20T02:00:00Z\n", "is no such time", id="line-end"),
        pytest.param("created_until", 7.0, "7 is a number; want a time in UTC", id="time-type"),
        pytest.param("limit", 3, "is not an input of a selection of backups; known", id="unknown"),
    ],
)
def test_check_filters_fault_names_the_filter(field: str, value: object, words: str) -> None:
    """The filters of a selection must have the form that the API accepts."""
    (finding,) = check_filters({field: value})

    assert field == finding.field
    assert words in finding.reason


def test_check_filters_accepts_what_the_api_accepts() -> None:
    """None is an omitted filter; there need not be any."""
    good = {"vault_id": UUID, "resource_name": "备份 1", "created_since": "2026-11-20T02:00:00Z"}

    assert [] == check_filters({**good, "name": None})
    assert [] == check_filters({})


@pytest.mark.parametrize("count", [float("inf"), float("nan"), 1.5, 0, -1, 100_001, 10**400, "3"])
def test_check_set_inputs_refuses_what_cannot_be_counted(count: object) -> None:
    """Any number that a program or a configuration gives is reported without a crash."""
    inputs = {"backups": [UUID], "keep_newest": count}

    found = [fault.field for fault in check_set_inputs(inputs)]

    assert ["keep_newest", "destination_region", "destination_vault_id"] == found
    assert ["keep_newest"] != [
        fault.field for fault in check_set_inputs({**inputs, "keep_newest": 100_000.0})
    ][:1]
