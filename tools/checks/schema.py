"""The JSON Schema of `Pulumi.<stack>.yaml`, for editors; `make tables` writes it.

Parts, keys and types are those of the stack program's model. The texts of keys are those of the
inputs with the same names, where there are such inputs. Patterns are as strict as a pattern can be
without refusing what the program accepts; a test compares the two with made-up configurations.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.base.text import REGION_CHARACTER, REGION_LIMIT
from pulumi_huaweicloud_cbr.config.objectives import OWNER_LIMIT, TIER_LIMIT
from pulumi_huaweicloud_cbr.config.rules import REGIONS_LIMIT
from pulumi_huaweicloud_cbr.config.setting_names import KEYS, SECRET_FIELDS, VENDOR_KEYS
from pulumi_huaweicloud_cbr.replication.rules.inputs import (
    COUNT_LIMIT,
    NAME_LIMIT,
    PERIODS_LIMIT,
    PROJECT_LIMIT,
    ZONE,
)
from pulumi_huaweicloud_cbr.replication.rules.ownership import TEXT_LIMIT
from tools.checks import limits
from tools.checks.arguments import described

Schema = dict[str, Any]

_REPOSITORY = Path(__file__).resolve().parents[2]
_STACKS = _REPOSITORY / "stacks"
FILE = _REPOSITORY / "docs" / "schema" / "stack-configuration.schema.json"
NAMESPACE = "cbr-replication"

SECRET: Schema = {"$ref": "#/$defs/secret"}
_SECRET: Schema = {
    "type": "object",
    "description": "A value that pulumi config set --secret has encrypted.",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}
_NULL: Schema = {"type": "null"}
_EMPTY: Schema = {"const": ""}
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"


def _text(pattern: str | None = None, longest: int | None = None, shortest: int = 0) -> Schema:
    found: Schema = {"type": "string"}
    found |= {"pattern": pattern} if pattern else {}
    found |= {"minLength": shortest} if shortest else {}
    return found | ({"maxLength": longest} if longest else {})


_ID = _text(_UUID)
_REGION = _text(rf"^{REGION_CHARACTER}{{1,{REGION_LIMIT}}}$")
_PROJECT = _text(rf"^[a-zA-Z0-9_\-]{{1,{PROJECT_LIMIT}}}$")
_TIER = _text(rf"^[A-Za-z0-9_\-]{{1,{TIER_LIMIT}}}$")
_REPLICA_NAME = _text(rf"^[\u4E00-\u9FA5\uF900-\uFA2Da-zA-Z0-9_\-]{{1,{NAME_LIMIT}}}$")
_COUNT: Schema = {"type": "integer", "minimum": 1, "maximum": COUNT_LIMIT}
_PERIODS: Schema = {"type": "integer", "minimum": 0, "maximum": PERIODS_LIMIT}
_MODE: Schema = {"enum": ["error", "warn", "off"]}
_FLAG: Schema = {"type": "boolean"}

# By key; a key that has another meaning in one part is there by part and key.
_VALUES: Mapping[str, Schema] = {
    "adopt": {"enum": [True, False, "any"]},
    "allowed_pairs": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": _REGION,
        "additionalProperties": {"type": "array", "items": _REGION},
    },
    "backup_id": _ID,
    "created_at": _text(_TIME),
    "created_since": _text(_TIME),
    "created_until": _text(_TIME),
    "description": _text(r"^[^<>]*$", TEXT_LIMIT),
    "description_required": {
        "anyOf": [_FLAG, {"type": "array", "items": _TIER, "minItems": 1}],
    },
    "keep_newest": _COUNT,
    "keep": {"$ref": "#/$defs/Keep"},
    "name": _text(r"^[^\s/:,;@]+$"),
    "newest": _COUNT,
    "owner": _text(r"\S", OWNER_LIMIT),
    "preflight": _MODE,
    "project_id": _PROJECT,
    "region": _REGION,
    "regions_for_tier": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": _TIER,
        "additionalProperties": {"type": "integer", "minimum": 1, "maximum": REGIONS_LIMIT},
    },
    "replica_name": _REPLICA_NAME,
    "resource_id": _text(r"\S"),
    "resource_name": _text(r"\S"),
    "rpo": _text(r"^(?!0+[mhdw])[0-9]{1,4}[mhdw]$"),
    "source_project_id": _PROJECT,
    "source_region": _REGION,
    "tier": _TIER,
    "vault_id": _ID,
    "Keep.newest": {"type": "integer", "minimum": 0, "maximum": COUNT_LIMIT},
    "days": _PERIODS,
    "weeks": _PERIODS,
    "months": _PERIODS,
    "years": _PERIODS,
    "timezone": _text(f"^{ZONE}$"),
    "Member.name": _REPLICA_NAME,
    "Select.name": _text(r"\S"),
    # A key of the namespace itself reaches the program as text, whatever it is in the file.
    "Configuration.wait": {"enum": [True, False, "true", "false", ""]},
    "Configuration.timeout": {
        "anyOf": [_text(r"^[0-9.]+([hms][0-9.hms]*)?$"), {"type": "number"}, _EMPTY]
    },
    "Configuration.preflight": {"enum": ["error", "warn", "off", ""]},
}
_PLAIN = ("Entry.name", "SetEntry.name", "VaultEntry.name", "region", "wait", "timeout")
"""Keys whose values cannot be secrets: they become names of resources, or reach no resource."""

_TEXTS: Mapping[str, str] = {
    "allowed_pairs": "Source regions, each with the regions that its copies may go to. A source "
    "that is not listed may copy nowhere.",
    "backup_id": "The id of the backup to copy.",
    "created_at": "When the backup was made, as the API tells it; keep and keep_newest go by it.",
    "created_since": "Only backups that were made at this time or later, in UTC.",
    "created_until": "Only backups that were made at this time or earlier, in UTC.",
    "days": "Keep one member for each of so many days.",
    "defaults": "The values for all entries that do not say otherwise.",
    "description_required": "What is kept for good has to have a description, or an owner. A list "
    "of tiers includes these.",
    "destinations": "The regions and vaults to copy to. Default: those of defaults.",
    "months": "Keep one member for each of so many months.",
    "name": "A name of its own; it is a part of the resource's name.",
    "newest": "Only so many of the newest.",
    "owner": "The team or person that answers for the copies.",
    "project_id": "The project of the destination. Default: the project named like the region.",
    "protect": "Pulumi refuses to delete or replace the replica.",
    "region": "The region to copy to.",
    "regions_for_tier": "Tiers, each with how many regions besides the source need a copy.",
    "replica_name": "The name of the replica. Default: CBR makes one.",
    "replications": "Backups to copy one by one.",
    "resource_id": "Only backups of this server or file system.",
    "resource_name": "Only backups of servers or file systems with this name.",
    "retain_on_delete": "Dropping the entry leaves the replica in place.",
    "rpo": "Recovery point objective: the newest copy is at most this old.",
    "rules": "What all entries are held to.",
    "select": "What selects the backups of the set, in place of backups.",
    "sets": "Many backups to copy together, listed in backups or found by select.",
    "tier": "A class of service, in a word of your own.",
    "timezone": "Where a day begins, such as UTC+08:00. Default: UTC+00:00.",
    "timeout": "For how long up waits at most. Default: 4h.",
    "vaults": "Vaults of which all backups are copied.",
    "wait": "Whether up waits until all copies have ended. Default: true.",
    "weeks": "Keep one member for each of so many ISO weeks.",
    "years": "Keep one member for each of so many years.",
    "Configuration.preflight": "Overrides the mode of preflight for the whole run.",
    "Destination.vault_id": "The vault to copy to, of type replication.",
    "Keep.newest": "Keep so many of the newest members.",
    "Member.name": "The name of the replica.",
    "Place.vault_id": "The vault to copy to, of type replication.",
    "Select.name": "Only backups with this name.",
    "Select.vault_id": "Only backups in this vault.",
    "VaultEntry.vault_id": "The vault whose backups are copied.",
}
_ARGS = (cbr.BackupReplicationArgs, cbr.BackupReplicationSetArgs, cbr.VaultReplicationArgs)


@cache
def _texts_of_inputs() -> Mapping[str, str]:
    return {name: field.line for args in _ARGS for name, field in described(args).items()}


def _description_of(part: str, key: str) -> str:
    """Return the text of a key.

    Raises:
        ValueError: there is none. `_TEXTS` has those that are no inputs.
    """
    text = _TEXTS.get(f"{part}.{key}") or _TEXTS.get(key) or _texts_of_inputs().get(key)
    if not text:
        raise ValueError(f"{part}.{key}: no text; add one to _TEXTS in tools/checks/schema.py")
    return text.replace("``", "")


def _model() -> Any:
    if str(_STACKS) not in sys.path:
        sys.path.append(str(_STACKS))
    import model  # noqa: PLC0415 -- a module of the stack program, which is no package

    return model


def _part(part: Any, parts: Mapping[str, Schema]) -> Schema:
    """Return the schema of a part of the configuration."""
    properties, title = {}, part.__name__
    for key, field in part.model_fields.items():
        value = parts.get(f"{title}.{key}") or _value_of(title, key, part)
        choices = [value]
        if not {key, f"{title}.{key}"} & {*_PLAIN, *parts}:
            choices.append(SECRET)
        if not field.is_required():
            choices.append(_NULL)
        found = value if len(choices) == 1 else {"anyOf": choices}
        properties[key] = {"description": _description_of(title, key), **found}
    required = [key for key, field in part.model_fields.items() if field.is_required()]
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _value_of(title: str, key: str, part: Any) -> Schema:
    known = _VALUES.get(f"{title}.{key}") or _VALUES.get(key)
    if known is not None:
        return known
    # The type as the model has it, such as a truth value.
    found: Schema = part.model_json_schema()["properties"][key]
    plain = [one for one in found.get("anyOf", [found]) if one != _NULL]
    return {key: value for key, value in plain[0].items() if key not in ("title", "default")}


def _listed(part: Schema) -> Schema:
    return {"type": "array", "items": part}


def _or_json(schema: Schema, bracket: str) -> Schema:
    """Return a schema that allows JSON as text, as `pulumi config set` stores it without --path."""
    return {"anyOf": [schema, _text(rf"^$|^\s*\{bracket}"), _NULL]}


def _own_keys() -> Schema:
    model = _model()
    to_one = {**_listed({"$ref": "#/$defs/Destination"}), "minItems": 1}
    to_many = {**_listed({"$ref": "#/$defs/Place"}), "minItems": 1}
    member = {"anyOf": [_ID, SECRET, {"$ref": "#/$defs/Member"}]}
    backups = {
        "anyOf": [
            {"type": "object", "minProperties": 1, "additionalProperties": member},
            {"type": "array", "minItems": 1, "items": {"anyOf": [_ID, SECRET]}},
        ]
    }
    one = _part(model.Entry, {"Entry.destinations": to_one})
    of_set = {
        "SetEntry.destinations": to_many,
        "SetEntry.backups": backups,
        "SetEntry.select": {**_part(model.Select, {}), "minProperties": 1},
    }
    whole = _part(model.VaultEntry, {"VaultEntry.destinations": to_many})
    structured = {
        "replications": _or_json(_listed(one), "["),
        "sets": _or_json(_listed(_part(model.SetEntry, of_set)), "["),
        "vaults": _or_json(_listed(whole), "["),
        "defaults": _or_json(_part(model.Defaults, {"Defaults.destinations": to_one}), "{"),
        "rules": _or_json(_part(model.HouseRules, {}), "{"),
    }
    keys = {f"Configuration.{key}": value for key, value in structured.items()}
    properties: Schema = _part(model.Configuration, keys)["properties"]
    return {f"{NAMESPACE}:{key}": value for key, value in properties.items()}


# Settings are text for the program, whatever they are in the file.
_FLAG_AS_TEXT: Schema = {"enum": [True, False, "true", "false"]}
_NUMBER_AS_TEXT: Schema = {"anyOf": [{"type": "number"}, _text(r"^[0-9.]+$")]}
_SETTINGS: Mapping[str, Schema] = {
    "region": _REGION,
    "project_id": _PROJECT,
    **dict.fromkeys(("metadata", "insecure", "mark_replicas", "force_destroy"), _FLAG_AS_TEXT),
    **dict.fromkeys(("poll_interval_s", "max_deleted_percent"), _NUMBER_AS_TEXT),
    "endpoints": {
        "anyOf": [
            {"type": "object", "additionalProperties": {"type": "string"}},
            _text(r"^\s*\{"),
        ]
    },
    "tokens": {"anyOf": [{"type": "object", "additionalProperties": SECRET}, SECRET]},
}


def _settings() -> Schema:
    found = {}
    for key in KEYS:
        setting = limits.SETTINGS[key.field]
        value = _SETTINGS.get(key.field, _text())
        if key.field in SECRET_FIELDS:
            value = _SETTINGS.get(key.field, SECRET)
        else:
            value = {"anyOf": [value, SECRET, _NULL, _EMPTY]}
        told = setting.text.partition("](")[0].replace("[", "") if "](" in setting.text else None
        text = f"{told or setting.text}. Default: {setting.default}.".replace("`", "")
        found[f"huaweicloud:{key.config}"] = {
            "description": text[:1].upper() + text[1:],
            **value,
        }
    return found


def schema() -> Schema:
    """Return the schema of a stack's file: settings and keys of the stack program.

    Keys of other namespaces, and what else Pulumi keeps in the file, may be anything.
    """
    settings, own, model = _settings(), _own_keys(), _model()
    shared = (model.Destination, model.Place, model.Member, model.Keep)
    names = {
        "huaweicloud": [*(key.config for key in KEYS), *sorted(VENDOR_KEYS)],
        NAMESPACE: [key.removeprefix(f"{NAMESPACE}:") for key in own],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pulumi.<stack>.yaml of the stack program for replicas of CBR backups",
        "description": "Generated by make tables from the program's own model.",
        "type": "object",
        "properties": {
            "config": {
                "description": "What to copy, and with which settings.",
                "type": ["object", "null"],
                "properties": {**settings, **own},
                "patternProperties": {
                    f"^{namespace}:(?!({'|'.join(dict.fromkeys(keys))})$)": {
                        "description": f"Not a key of {namespace}.",
                        "not": {},
                    }
                    for namespace, keys in names.items()
                },
            }
        },
        "$defs": {"secret": _SECRET, **{part.__name__: _part(part, {}) for part in shared}},
    }


def text() -> str:
    """Return the file's text."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def write_schema() -> None:
    """Write the schema into the documentation site."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
