"""The JSON Schema of a stack's file: it refuses mistakes, and nothing that the program takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

import model
from config import read_plan
from faults import ConfigurationFaultsError
from pulumi_huaweicloud_cbr.config.setting_names import KEYS, SECRET_FIELDS
from tests.unit.config.test_fuzz_configuration import GOOD, written
from tests.unit.test_stack_keys import ONE, PARTS, with_key
from tools.checks import limits, schema
from tools.checks.examples import REPOSITORY, examples

VALIDATOR = jsonschema_rs.Draft202012Validator(schema.schema())
STACKS = sorted((REPOSITORY / "stacks").glob("Pulumi.*.yaml"))
NAMESPACES = ("cbr-replication:", "huaweicloud:")
UUID = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
PLACE = {"region": "cn-east-3", "vault_id": UUID}
ENTRY = {"name": "erp", "backup_id": UUID, "destinations": [PLACE]}
SELECTION = {"name": "nightly", "select": {"resource_name": "erp"}, "destinations": [PLACE]}
SECURE = {"secure": "v1:AAAA"}


def load(text: str) -> Any:
    """Return a document as editors and the CLI read it: a time is text there."""

    class Loader(yaml.SafeLoader):
        """YAML without times."""

    Loader.yaml_implicit_resolvers = {
        first: [one for one in resolvers if one[0] != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return yaml.load(text, Loader)


def faults(**keys: Any) -> list[str]:
    """Return the places of faults in a configuration of the program."""
    config = {f"cbr-replication:{key}": value for key, value in keys.items()}
    return places({"config": config})


def places(document: Any) -> list[str]:
    """Return the places of faults in a stack's file."""
    return ["/".join(map(str, one.instance_path)) for one in VALIDATOR.iter_errors(document)]


def test_committed_schema_is_that_of_the_model() -> None:
    """`make tables` writes it."""
    assert schema.text() == schema.FILE.read_text(encoding="utf-8")
    jsonschema_rs.meta.validate(schema.schema())


def properties_in(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each key of a schema with what is said about it."""
    if isinstance(part, dict):
        named = part.get("properties")
        if isinstance(named, dict):
            yield from named.items()
        for value in part.values():
            yield from properties_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from properties_in(value)


def test_every_key_has_a_description() -> None:
    """An editor shows it."""
    found = [key for key, value in properties_in(schema.schema()) if key != "secure"]

    assert len(found) > 80
    assert [] == [
        key
        for key, value in properties_in(schema.schema())
        if key != "secure" and not value.get("description")
    ]


@pytest.mark.parametrize("path", STACKS, ids=[path.name for path in STACKS])
def test_committed_configurations_are_valid(path: Path) -> None:
    """And their first line names the schema, as a path that works in the checkout."""
    text = path.read_text(encoding="utf-8")

    assert [] == places(load(text))
    named = text.partition("\n")[0].removeprefix("# yaml-language-server: $schema=")
    assert schema.FILE == (path.parent / named).resolve()


CONFIGURATIONS = [
    example
    for example in examples("yaml")
    if any(line.lstrip().startswith(NAMESPACES) for line in example.text.splitlines())
    and "stacks:" not in example.text
]


@pytest.mark.parametrize("example", CONFIGURATIONS, ids=[one.name for one in CONFIGURATIONS])
def test_configurations_of_the_pages_are_valid(example: Any) -> None:
    """They are parts of a file, with or without `config`."""
    document = load(example.text)

    assert [] == places(document if "config" in document else {"config": document})


def test_there_are_configurations() -> None:
    """The tests above have something to try."""
    assert len(CONFIGURATIONS) > 5
    assert len(STACKS) > 1


# -- the program and the schema, compared ----------------------------------------------------------

DAY = "2026-11-20T02:00:11"
POOL: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 7.0, 1.5, -1, 100_000, 100_001, "", " ", "true", "any", "off"),
    *("x", "a b", "a/b", "a.b", "a_b-1", "备份", "\u00df9", "<x>", "x\ny", "\u200b", "½", "²", "٣"),
    *("x" * 64, "x" * 65, "x" * 255, "x" * 256, "cn-east-3", "southchina", "warn", "30m", "1h30m"),
    *("4", "90", "0.5h", "26h", "0h", "2w", "12345m", UUID, UUID.upper(), f"{UUID} ", UUID[1:]),
    *(DAY, f"{DAY}.905331", f"{DAY}Z", f"{DAY}+08:00", f"{DAY[:10]} 02:00:11 +0200 CEST"),
    *(DAY[:10], [], {}, [UUID], [UUID, 7], [{"backup_id": UUID}], {"a": UUID}, {"a": None}),
    *({"a b": {"backup_id": UUID, "name": "dr", "created_at": DAY}}, {"a": {"name": "dr"}}),
    *([PLACE], [{**PLACE, "replica_name": "dr"}], [{"region": "cn-east-3"}], [PLACE, 7]),
    *({"name": "x"}, {"newest": 3}, {"resource_name": "a b"}, {"name": None}, {"colour": "red"}),
    *({"cn-north-4": ["cn-east-3"]}, {"cn-north-4": []}, {"a b": ["c"]}, {"cn-north-4": "c"}),
    *({"gold": 2}, {"gold": 2.0}, {"gold": 101}, {"gold": "2"}, {"gold one": 1}, ["gold"], ["a b"]),
    *({"description": "weekly"}, {"tier": "gold"}, {"allowed_pairs": {"cn-north-4": ["c"]}}),
)
"""Values of which each key takes some and refuses others; each is tried for each key."""
ALL_PARTS: tuple[tuple[type[model.Part], dict[str, Any], tuple[str | int, ...]], ...] = (
    *PARTS.values(),
    (model.HouseRules, {"replications": [ONE], "rules": {}}, ("rules",)),
)


def corpus(step: int) -> Iterator[dict[str, Any]]:
    """Yield configurations: each key of each part with every so many of the values."""
    begin = 0
    for part, document, way in ALL_PARTS:
        for key in part.model_fields:
            begin = (begin + 1) % step
            yield from (with_key(document, way, key, value) for value in POOL[begin::step])


def is_accepted(configuration: dict[str, Any]) -> bool:
    """Whether the program reads a configuration."""
    try:
        read_plan({f"cbr-replication:{key}": written(configuration[key]) for key in configuration})
    except ConfigurationFaultsError:
        return False
    return True


@pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.full)])
def test_schema_accepts_what_the_program_accepts_and_little_more(step: int) -> None:
    """A schema that is too strict would mark what works; one that is too lax would be useless."""
    refused, too_strict, too_lax = 0, [], 0
    for configuration in corpus(step):
        found = VALIDATOR.is_valid(
            {"config": {f"cbr-replication:{key}": configuration[key] for key in configuration}}
        )
        if is_accepted(configuration):
            too_strict += [] if found else [configuration]
        else:
            refused += 1
            too_lax += found

    assert [] == too_strict
    assert refused > 4000 / step
    assert too_lax < refused / 50


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({"replication": [ENTRY]}, "replication"),
        ({"replications": {"erp": ENTRY}}, "replications"),
        ({"replications": [{**ENTRY, "backup_id": "5a863daa"}]}, "replications"),
        ({"replications": [{**ENTRY, "backupId": UUID}]}, "replications"),
        ({"replications": [{"backup_id": UUID}]}, "replications"),
        ({"replications": [{**ENTRY, "name": "erp db"}]}, "replications"),
        ({"replications": [{**ENTRY, "protect": "yes"}]}, "replications"),
        ({"replications": [{**ENTRY, "destinations": []}]}, "replications"),
        ({"replications": [{**ENTRY, "destinations": [{"region": "cn-east-3"}]}]}, "replications"),
        (
            {"replications": [{**ENTRY, "destinations": [{**PLACE, "region": "cn east"}]}]},
            "replications",
        ),
        ({"sets": [{**SELECTION, "replica_name": "x"}]}, "sets"),
        ({"sets": [{**SELECTION, "keep_newest": 0}]}, "sets"),
        ({"sets": [{**SELECTION, "select": {"resourceName": "x"}}]}, "sets"),
        ({"sets": [{**SELECTION, "select": {}}]}, "sets"),
        ({"sets": [{**SELECTION, "backups": []}]}, "sets"),
        ({"vaults": [{"name": "files", "vault_id": 7}]}, "vaults"),
        ({"defaults": {"preflight": "on"}}, "defaults"),
        ({"defaults": {"adopt": "all"}}, "defaults"),
        ({"defaults": {"rpo": "1h30m"}}, "defaults"),
        ({"defaults": {"tier": "gold one"}}, "defaults"),
        ({"rules": {"allowed_pairs": {"cn-north-4": "cn-east-3"}}}, "rules"),
        ({"rules": {"regions_for_tier": {"gold": 0}}}, "rules"),
        ({"rules": {"max_deleted_percent": 20}}, "rules"),
        ({"wait": "yes"}, "wait"),
        ({"timeout": "soon"}, "timeout"),
        ({"preflight": True}, "preflight"),
    ],
)
def test_typical_mistakes_are_refused(keys: dict[str, Any], place: str) -> None:
    """The fault is at its key, and the program refuses the same."""
    found = faults(**keys)

    assert found
    assert all(one.startswith(f"config/cbr-replication:{place}") for one in found)
    with pytest.raises(ConfigurationFaultsError):
        read_plan(
            {
                f"cbr-replication:{key}": written(value)
                for key, value in {"replications": [ENTRY], **keys}.items()
            }
        )


def test_secrets_are_valid_where_the_program_takes_them() -> None:
    """The name of an entry cannot be one: it is in the state in plain text."""
    secret = {**ENTRY, "backup_id": SECURE, "description": SECURE}

    assert [] == faults(replications=[secret])
    assert [] == faults(sets=[{**SELECTION, "select": {"resource_id": SECURE}}])
    assert faults(replications=[{**ENTRY, "name": SECURE}])


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.config)
def test_settings_accept_what_the_reference_says(key: Any) -> None:
    """Credentials are accepted only encrypted."""
    name, limit = f"huaweicloud:{key.config}", limits.SETTINGS[key.field].limit

    assert [] == places({"config": {name: SECURE if key.field != "tokens" else {"p": SECURE}}})
    if key.field in SECRET_FIELDS:
        assert places({"config": {name: "plain"}})
    else:
        assert [] == [value for value in limit.good if places({"config": {name: value}})]


def test_names_of_settings_and_other_namespaces() -> None:
    """A slip is refused; the vendor's own settings and other programs' keys are not ours."""
    assert [] == places({"config": {"huaweicloud:enterpriseProjectId": "0", "shop:a": [1]}})
    assert ["config/huaweicloud:regoin"] == places({"config": {"huaweicloud:regoin": "x"}})
    assert [] == places({"encryptionsalt": "v1:x", "config": None})


def test_configuration_with_all_keys_is_valid() -> None:
    """The one that the fuzz tests begin with."""
    assert is_accepted(GOOD)
    assert [] == faults(**GOOD)


def test_text_of_json_is_valid() -> None:
    """`pulumi config set` without --path stores it like this."""
    assert [] == faults(replications=json.dumps([ENTRY]), defaults="{}", rules="")
