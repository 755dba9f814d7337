"""Validation of inputs: single replications, sets and their members, entire vaults, filters.

Pure. Each fault is one readable line. The limits are those of the CBR API reference, CopyBackup.
Facts about the account do not belong here: see `fitness`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pulumi_huaweicloud_cbr.base.moments import spelled
from pulumi_huaweicloud_cbr.base.text import REGION_CHARACTER, REGION_LIMIT, quoted
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.model import (
    DesiredReplication,
    DesiredVaultReplication,
)
from pulumi_huaweicloud_cbr.replication.rules.ownership import (
    TEXT_LIMIT,
    mark_of,
    split_mark,
    text_limit,
)

PREFLIGHT_MODES = ("error", "warn", "off")
ADOPT_ANY = "any"
"""The value of `adopt` that takes over copies of other stacks too."""
NAME_LIMIT = 64
COUNT_LIMIT = 100_000
"""More is a mistake. The largest set that was tried is a hundred times smaller."""
PERIODS_LIMIT = 100
"""Source: CBR API reference, CreatePolicy, `day_backups` and the like in operation_definition."""
PROJECT_LIMIT = 64

# Patterns are compiled at first use: the one for names takes longer than to import this module.
# These are of one character.
_NAME_CHARACTER = r"[\u4E00-\u9FA5\uf900-\ufa2da-zA-Z0-9_\-]"
_PROJECT_CHARACTER = r"[a-zA-Z0-9_\-]"

_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
_API_TIME = _MOMENT + r"(\.\d+)?(Z|[+-]\d\d:?\d\d)?"
_UTC = _MOMENT + "Z"
# The zones of the world are from UTC-12:00 to UTC+14:00.
ZONE = r"UTC(-(0\d|1[01]):[0-5]\d|-12:00|\+(0\d|1[0-3]):[0-5]\d|\+14:00)"

Rule = Callable[[object], str | None]


def check_inputs(
    known: Mapping[str, object], unknown: frozenset[str] = frozenset()
) -> list[Finding]:
    """Return every fault of the inputs of a backup replication; no calls.

    Args:
        known: inputs whose value is known; None means that the input was left out.
        unknown: names of inputs whose value is not known yet; they are not checked.
    """
    return _check(_RULES, _REQUIRED, "a backup replication", known, unknown)


def check_set_inputs(
    known: Mapping[str, object], unknown: frozenset[str] = frozenset()
) -> list[Finding]:
    """Return every fault of the inputs of a set of replications; arguments as `check_inputs`.

    Members are not checked here: see `check_members`. A fault of one number in `keep` has the field
    ``keep.days``, for instance.
    """
    findings = _check(_SET_RULES, _SET_REQUIRED, "a set of backup replications", known, unknown)
    keep = known.get("keep")
    if (keep is not None or "keep" in unknown) and (
        known.get("keep_newest") is not None or "keep_newest" in unknown
    ):
        reason = "stands beside keep_newest; give one of the two (keep has newest as well)"
        findings.append(Finding("keep", reason))
    if isinstance(keep, Mapping):
        findings += _check_parts_of_keep(keep)
    return findings


def _check_parts_of_keep(keep: Mapping[str, object]) -> list[Finding]:
    findings = []
    for part, value in keep.items():
        rule = _KEEP_RULES.get(part)
        if rule is None:
            fault: str | None = f"is no part of keep; known: {', '.join(_KEEP_RULES)}"
        else:
            fault = None if value is None else rule(value)
        if fault:
            findings.append(Finding(f"keep.{part}", fault))
    return findings


def check_vault_inputs(
    known: Mapping[str, object], unknown: frozenset[str] = frozenset()
) -> list[Finding]:
    """Return every fault of the inputs of an entire vault's copy; arguments as `check_inputs`."""
    return _check(_VAULT_RULES, _VAULT_REQUIRED, "a vault's replication", known, unknown)


def check_filters(known: Mapping[str, object]) -> list[Finding]:
    """Return every fault of the filters that select backups, named as in `get_backups`."""
    return _check(_FILTER_RULES, {}, "a selection of backups", known, frozenset())


def check_objective(known: Mapping[str, object]) -> list[Finding]:
    """Return every fault of an objective: `rpo`, `owner` and `tier` of a configuration's entry."""
    # Only programs that read a configuration need it.
    from pulumi_huaweicloud_cbr.config.objectives import RULES  # noqa: PLC0415

    return _check(RULES, {}, "an objective", known, frozenset())


def check_rules(known: Mapping[str, object]) -> list[Finding]:
    """Return every fault of the rules of a configuration, or of a policy pack."""
    from pulumi_huaweicloud_cbr.config.rules import CHECKS  # noqa: PLC0415

    return _check(CHECKS, {}, "the rules", known, frozenset())


def check_question(known: Mapping[str, object]) -> list[Finding]:
    """Return every fault of what a function of a program is asked with, named as its arguments."""
    return _check(_QUESTION_RULES, {}, "a function", known, frozenset())


def _check(
    rules: Mapping[str, Rule],
    required: Mapping[str, str],
    what: str,
    known: Mapping[str, object],
    unknown: frozenset[str],
) -> list[Finding]:
    findings = []
    for field, rule in rules.items():
        value = known.get(field)
        if value is None:
            if field in required and field not in unknown:
                findings.append(Finding(field, f"is missing; give {required[field]}"))
            continue
        fault = rule(value)
        if fault:
            findings.append(Finding(field, fault))
    for field in known:
        if field not in rules:
            known_fields = ", ".join(rules)
            findings.append(Finding(field, f"is not an input of {what}; known: {known_fields}"))
    return findings


def check_room_for_mark(description: object, owner: str | None) -> list[Finding]:
    """Return a finding if a valid description leaves no room for an owner's mark.

    Without a mark behind it, a text that ends like one would be taken for it.
    """
    limit = text_limit(owner)
    if owner is None and isinstance(description, str):
        _, other = split_mark(description)
        if other is None:
            return []
        reason = (
            f"{_shown(description)} ends like the mark of stack {other!r}, and no mark comes "
            "behind it; end it in another way"
        )
        return [Finding("description", reason)]
    if owner is None or not isinstance(description, str) or len(description) <= limit:
        return []
    return [
        Finding(
            "description",
            f"{_shown(description)} has {len(description)} characters; at most {limit} leave room "
            f"for the mark {mark_of(owner)!r} (huaweicloud:markReplicas 'false' goes without it)",
        )
    ]


def check_members(
    members: Mapping[str, Mapping[str, object]], *, is_rolling: bool
) -> list[Finding]:
    """Return every fault of the members of a set.

    Args:
        members: by label; each maps those of `backup_id`, `name` and `created_at` that are known.
        is_rolling: the set has `keep` or `keep_newest`, so each member needs `created_at`.
    """
    findings = []
    first_with: dict[str, str] = {}
    for label, member in members.items():
        where = f'backups["{label}"]'
        for key, value in member.items():
            rule = _MEMBER_RULES.get(key)
            fault = rule(value) if rule else f"is no field of a member; known: {_MEMBER_FIELDS}"
            if fault:
                findings.append(Finding(where if key == "backup_id" else f"{where}.{key}", fault))
        if "backup_id" not in member:
            findings.append(Finding(where, f"backup_id is missing; give {_REQUIRED['backup_id']}"))
        if is_rolling and "created_at" not in member:
            reason = (
                "created_at is missing, and keep and keep_newest go by it; as_members() gives it, "
                "where CBR tells it"
            )
            findings.append(Finding(where, reason))
        backup_id = member.get("backup_id")
        if isinstance(backup_id, str):
            other = first_with.setdefault(backup_id.lower(), label)
            if other != label:
                findings.append(
                    Finding(where, f"names the backup of {other!r} again; leave one of them out")
                )
    return findings


def _check_uuid(value: object) -> str | None:
    if not isinstance(value, str):
        return _wrong_type(value, "a UUID as text")
    if not re.fullmatch(_UUID, value):
        return (
            f"{_shown(value)} is not a UUID; "
            "want 32 hexadecimal digits in the form 8-4-4-4-12, as the console shows it"
        )
    return None


def _check_name(value: object) -> str | None:
    return _check_characters(
        value, NAME_LIMIT, _NAME_CHARACTER, "letters, digits, CJK, '_' and '-'"
    )


def _check_region(value: object) -> str | None:
    return _check_characters(
        value, REGION_LIMIT, REGION_CHARACTER, "letters, digits, '.', '_' and '-'"
    )


def _check_project(value: object) -> str | None:
    return _check_characters(
        value, PROJECT_LIMIT, _PROJECT_CHARACTER, "letters, digits, '_' and '-'"
    )


def _check_characters(value: object, limit: int, allowed: str, allowed_words: str) -> str | None:
    if not isinstance(value, str):
        return _wrong_type(value, "text")
    rule = f"allowed are {allowed_words}, 1 to {limit} characters"
    if not value:
        return f"is empty; {rule}"
    forbidden = next((char for char in value if not re.fullmatch(allowed, char)), None)
    if forbidden is not None:
        return f"{_shown(value)} contains {forbidden!r}; {rule}"
    if len(value) > limit:
        return f"{_shown(value)} has {len(value)} characters; {rule}"
    return None


def _check_description(value: object) -> str | None:
    if not isinstance(value, str):
        return _wrong_type(value, "text")
    rule = f"allowed are all characters but '<' and '>', 0 to {TEXT_LIMIT} of them"
    # A lone surrogate is not a character and cannot be sent.
    forbidden = next((char for char in value if char in "<>" or "\ud800" <= char <= "\udfff"), None)
    if forbidden is not None:
        return f"{_shown(value)} contains {forbidden!r}; {rule}"
    if len(value) > TEXT_LIMIT:
        return f"{_shown(value)} has {len(value)} characters; {rule}"
    return None


def _check_adoption(value: object) -> str | None:
    if isinstance(value, bool) or value == ADOPT_ANY:
        return None
    return _wrong_type(value, f"true, false or '{ADOPT_ANY}'")


def _check_flag(value: object) -> str | None:
    return None if isinstance(value, bool) else _wrong_type(value, "true or false")


def _check_mode(value: object) -> str | None:
    wanted = "'error', 'warn' or 'off'"
    if not isinstance(value, str):
        return _wrong_type(value, wanted)
    if value in PREFLIGHT_MODES:
        return None
    return f"{_shown(value)} is not a mode of preflight; want {wanted}"


def _check_moment(value: object) -> str | None:
    if not isinstance(value, str):
        return _wrong_type(value, "the time at which the backup was made, as text")
    if re.fullmatch(_API_TIME, spelled(value), re.ASCII):
        return None
    return (
        f"{_shown(value)} is not a time as CBR writes it; want one such as "
        "'2026-11-20T02:00:11.905331'"
    )


def _check_count(value: object) -> str | None:
    wanted = "a whole number, at least 1"
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return _wrong_type(value, wanted)
    # The remainder of infinity is NaN, so this refuses infinity as well.
    if value % 1 != 0 or value < 1:
        return f"{_shown(value)} is no number of backups; want {wanted}"
    if value > COUNT_LIMIT:
        return f"{_shown(value)} is more than the {COUNT_LIMIT} backups that can be kept"
    return None


def _check_keep(value: object) -> str | None:
    wanted = "an object of newest, days, weeks, months, years and timezone"
    if not isinstance(value, Mapping):
        return _wrong_type(value, wanted)
    # A part that is wrong, or unknown, has a fault of its own.
    if all(part == "timezone" or number in (None, 0) for part, number in value.items()):
        return "keeps nothing; give at least one of newest, days, weeks, months and years"
    return None


def _check_kept(limit: int) -> Rule:
    """Return the rule of a number in `keep`."""
    wanted = f"a whole number, 0 to {limit}"

    def check(value: object) -> str | None:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return _wrong_type(value, wanted)
        # The remainder of infinity is NaN, and NaN compares with nothing.
        if value % 1 == 0 and 0 <= value <= limit:
            return None
        return f"{_shown(value)} is no such number; want {wanted}"

    return check


def _check_zone(value: object) -> str | None:
    wanted = "UTC with an offset, such as 'UTC+08:00'"
    if not isinstance(value, str):
        return _wrong_type(value, wanted)
    if re.fullmatch(ZONE, value, re.ASCII):
        return None
    return f"{_shown(value)} is no time zone as CBR's policies have it; want {wanted}"


def _check_utc(value: object) -> str | None:
    wanted = "a time in UTC, such as '2026-11-20T02:00:00Z'"
    if not isinstance(value, str):
        return _wrong_type(value, wanted)
    if re.fullmatch(_UTC, spelled(value), re.ASCII):
        return None
    return f"{_shown(value)} is no such time; want {wanted}"


def _check_text(value: object) -> str | None:
    if not isinstance(value, str):
        return _wrong_type(value, "text")
    if value.strip() and value.isprintable():
        return None
    return f"{_shown(value)} is no name or id that a backup could have"


def _check_backups(value: object) -> str | None:
    if not isinstance(value, (Mapping, list)):
        return _wrong_type(value, "labels with backup ids, or a list of backup ids")
    if not value:
        return (
            "is empty, and a set without members would delete all its replicas; "
            "remove the resource if that is what you want"
        )
    return None


def _wrong_type(value: object, wanted: str) -> str:
    kinds = {bool: "a truth value", str: "text", int: "a number", float: "a number"}
    kind = kinds.get(type(value))
    if kind is None:
        # Not shown: the value was not meant for this input, and may be a secret.
        return f"is {'a list' if isinstance(value, list) else 'an object'}; want {wanted}"
    return f"{_shown(value)} is {kind}; want {wanted}"


def _shown(value: object) -> str:
    # Every number reaches a provider as a float.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return quoted(value)


_OF_ONE = frozenset(DesiredReplication.__struct_fields__) - frozenset(
    DesiredVaultReplication.__struct_fields__
)
"""What only a single copy is declared with; sets and entire vaults have no such inputs."""
_RULES: dict[str, Rule] = {
    "backup_id": _check_uuid,
    "destination_region": _check_region,
    "destination_vault_id": _check_uuid,
    "destination_project_id": _check_project,
    "name": _check_name,
    "description": _check_description,
    "enable_acceleration": _check_flag,
    "source_region": _check_region,
    "source_project_id": _check_project,
    "adopt": _check_adoption,
    "preflight": _check_mode,
    "force_destroy": _check_flag,
}
FIELDS = tuple(_RULES)
_REQUIRED = {
    "backup_id": "the id of the backup to copy",
    "destination_region": "the id of the region to copy to, such as 'cn-east-3'",
    "destination_vault_id": "the id of a replication vault in the destination region",
}
_SET_RULES: dict[str, Rule] = {
    "backups": _check_backups,
    "keep_newest": _check_count,
    "keep": _check_keep,
    **{field: rule for field, rule in _RULES.items() if field not in _OF_ONE},
}
SET_FIELDS = tuple(_SET_RULES)
_KEEP_RULES: dict[str, Rule] = {
    "newest": _check_kept(COUNT_LIMIT),
    **dict.fromkeys(("days", "weeks", "months", "years"), _check_kept(PERIODS_LIMIT)),
    "timezone": _check_zone,
}
_SET_REQUIRED = {
    "backups": "the backups to copy: labels with ids, or a list of ids",
    **{field: words for field, words in _REQUIRED.items() if field not in _OF_ONE},
}
_VAULT_RULES: dict[str, Rule] = {
    "vault_id": _check_uuid,
    **{field: rule for field, rule in _RULES.items() if field not in _OF_ONE},
}
VAULT_FIELDS = tuple(_VAULT_RULES)
_VAULT_REQUIRED = {
    "vault_id": "the id of the vault whose backups to copy",
    **{field: words for field, words in _REQUIRED.items() if field not in _OF_ONE},
}
_FILTER_RULES: dict[str, Rule] = {
    "vault_id": _check_uuid,
    "resource_id": _check_text,
    "resource_name": _check_text,
    "name": _check_text,
    "created_since": _check_utc,
    "created_until": _check_utc,
}
_QUESTION_RULES: dict[str, Rule] = {
    "backup_id": _check_uuid,
    "region": _check_region,
    "project_id": _check_project,
    "limit": _check_count,
    "status": _check_text,
    "image_type": _check_text,
    "resource_type": _check_text,
    **_FILTER_RULES,
}
_MEMBER_RULES: dict[str, Rule] = {
    "backup_id": _check_uuid,
    "name": _check_name,
    "created_at": _check_moment,
}
_MEMBER_FIELDS = ", ".join(_MEMBER_RULES)
