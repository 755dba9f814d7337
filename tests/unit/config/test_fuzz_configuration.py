"""Any configuration gives typed values, or one readable message that names keys."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import Plan, read_plan
from faults import EXAMPLE, ConfigurationFaultsError
from pulumi_huaweicloud_cbr import (
    BackupReplicationSetArgs,
    ConfigurationError,
    Finding,
    check_filters,
    check_inputs,
    check_members,
    check_set_inputs,
    check_vault_inputs,
)
from pulumi_huaweicloud_cbr.config.setting_names import KEYS
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.replication.rules.inputs import FIELDS

UUID = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
CANARY = "canary-of-the-fuzz"
"""A secret, in any place that may have one."""
DEEP = "[" * 100_000 + "]" * 100_000
REASON_LIMIT = 600

ODD_TEXTS = (
    *("", " ", "\n", "a\nb", "a\u2028b", "\x00", "\x1b[2J", "\u202ekcab", "\ud800", "\ufeff"),
    *("x" * 300, "备份", "²", "-", "..", "../vaults?x#", "{}", "%s", "{region}"),
    *("null", "true", "1e999", "NaN", "[1", UUID.upper()),
)
TEXTS = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=12))
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20), st.floats(), st.sampled_from([0, -1, 10**400, 1e308])
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)


def keys_of(*known: str) -> st.SearchStrategy[str]:
    """Draw keys: those with a meaning somewhere, and others."""
    return st.one_of(st.sampled_from(known), TEXTS)


NAMES = (*FIELDS, "region", "vault_id", "project_id", "replica_name", "protect", "retain_on_delete")
NAMES = (*NAMES, "sets", "vaults", "backups", "select", "keep_newest", "newest", "created_at")
NAMES = (*NAMES, "destinations", "replications", "defaults", "vaultId", "Name", "password")
NAMES = (*NAMES, *("rpo", "owner", "tier", "rules", "allowed_pairs", "regions_for_tier"))
JSON_LIKE = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(keys_of(*NAMES), inner, max_size=3)
    ),
    max_leaves=8,
)


UUIDS = (
    *(UUID, "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85", "0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a"),
    *(f"{number:08d}-1bda-48ca-af6d-aa9c8c93bc85" for number in range(4)),
)
CHOICES = {
    "description": "weekly, 备份",
    "enable_acceleration": True,
    "adopt": "any",
    "preflight": "warn",
    "protect": True,
    "retain_on_delete": False,
    "force_destroy": True,
}
OBJECTIVE = {"rpo": "26h", "owner": "Storage team", "tier": "gold"}
RULES = {
    "allowed_pairs": {"southchina": ["cn-east-3", "cn-south-1"], "r1": ["cn-east-3"]},
    "regions_for_tier": {"platinum": 2},
    "description_required": ["platinum"],
}
DESTINATION = {"region": "cn-east-3", "vault_id": UUIDS[1], "project_id": "863129", **CHOICES}
OF_MANY = {key: value for key, value in CHOICES.items() if key != "description"}
PLACE = {"region": "cn-east-3", "vault_id": UUIDS[1], "project_id": "863129", **OF_MANY}
GOOD = {
    "replications": [
        {"name": "erp", "backup_id": UUID, "destinations": [{**DESTINATION, "replica_name": "dr"}]},
        {
            "name": "web",
            "backup_id": UUIDS[1],
            "destinations": [DESTINATION, {"region": "cn-south-1", "vault_id": UUIDS[2]}],
        },
        {"name": "a.b", "backup_id": UUIDS[2], "source_region": "southchina", **CHOICES},
    ],
    "sets": [
        {"name": "s1", "backups": {"a b": UUIDS[3], "备份": {"backup_id": UUIDS[4], "name": "dr"}}},
        {"name": "s2", "backups": [UUIDS[5]], "destinations": [PLACE], **OF_MANY, **OBJECTIVE},
        {
            "name": "s3",
            "backups": {"x": {"backup_id": UUIDS[6], "created_at": "2026-11-20T02:00:11.905331"}},
            "keep_newest": 7,
        },
        {"name": "s4", "select": {"vault_id": UUIDS[0], "newest": 3}, "source_region": "r1"},
        {
            "name": "s5",
            "select": {
                "resource_id": "r-1",
                "resource_name": "erp",
                "name": "autobk",
                "created_since": "2026-11-20T02:00:00Z",
                "created_until": "2026-11-27T02:00:00Z",
            },
            "keep_newest": 2,
            "destinations": [PLACE, {**PLACE, "region": "cn-south-1"}],
        },
    ],
    "vaults": [
        {"name": "v1", "vault_id": UUIDS[1], **OF_MANY, **OBJECTIVE},
        {"name": "v2", "vault_id": UUIDS[2], "destinations": [PLACE], "source_project_id": "p"},
    ],
    "defaults": {
        "source_project_id": "c6cb08",
        "destinations": [DESTINATION],
        **CHOICES,
        **OBJECTIVE,
    },
    "rules": RULES,
    "preflight": "off",
}
GOOD_INPUTS = {
    "backup_id": UUID,
    "destination_region": "cn-east-3",
    "destination_vault_id": UUIDS[1],
    "destination_project_id": "863129",
    "name": "erp-dr",
    "source_region": "cn-north-4",
    "source_project_id": "c6cb08",
    **{key: value for key, value in CHOICES.items() if key in FIELDS},
}

# Position in thousandths of all values, and what happens to the value there. The value of an
# unknown key may be meant as a secret.
EDITS = st.lists(
    st.tuples(
        st.integers(0, 999),
        st.one_of(
            st.tuples(st.just("set"), st.one_of(SCALARS, JSON_LIKE)),
            st.tuples(st.just("drop"), st.none()),
            st.tuples(st.just("again"), st.none()),
            st.tuples(st.just("add"), st.tuples(keys_of(*NAMES), SCALARS)),
            st.tuples(
                st.just("add"),
                st.tuples(keys_of("password", "secretKey", "pass\nword"), st.just(CANARY)),
            ),
        ),
    ),
    max_size=3,
)
Edits = list[tuple[int, tuple[str, Any]]]


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Return each container of a JSON tree with each of its keys or positions."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found: list[tuple[Any, Any]] = []
    for key, value in items:
        found.append((tree, key))
        if isinstance(value, (dict, list)):
            found += places(value)
    return found


def edited(tree: dict[str, Any], edits: Edits) -> dict[str, Any]:
    """Return a copy of a good tree with some values replaced, dropped, doubled or added."""
    tree = json.loads(json.dumps(tree))
    for where, (how, what) in edits:
        ways = places(tree)
        if not ways:
            break
        parent, key = ways[where * len(ways) // 1000]
        if how == "drop":
            del parent[key]
        elif how == "add" and isinstance(parent, dict):
            parent[what[0]] = what[1]
        elif how == "again" and isinstance(parent, list):
            parent.append(parent[key])
        else:
            parent[key] = what
    return tree


def written(value: Any) -> str:
    """Return a value as the engine passes it: text unchanged, JSON if it is structured."""
    return encodable(value) if isinstance(value, str) else json.dumps(value)


def encodable(text: str) -> str:
    """Return a text as the engine's protocol can carry it."""
    return text.encode(errors="replace").decode()


def require_readable(line: str) -> None:
    """Fail on text that a terminal, a log or the engine's protocol would not take as one line."""
    assert all(char.isprintable() for char in line), ascii(line)
    assert line.encode()
    assert len(line) <= REASON_LIMIT
    assert CANARY not in line


def require_both(test: Callable[[], None], seen: set[str]) -> None:
    """Run a fuzz test; it must reach both outcomes."""
    seen.clear()
    test()

    assert {"typed", "told"} == seen


def require_typed(plan: Plan) -> None:
    """Fail on what a resource would refuse, and on two resources with one name."""
    resources = [*plan.replications, *plan.sets, *plan.vaults]
    assert resources
    assert len(resources) == len({resource.name for resource in resources})
    for resource in resources:
        assert isinstance(resource.protect, bool)
        assert isinstance(resource.retain_on_delete, bool)
    for replication in plan.replications:
        assert [] == check_inputs(dataclasses.asdict(replication.args))
    for vault in plan.vaults:
        assert [] == check_vault_inputs(dataclasses.asdict(vault.args))
    for one in plan.sets:
        inputs = dataclasses.asdict(one.args)
        if one.selection is not None:
            assert inputs["backups"] is None
            assert [] == check_filters(dict(one.selection.filters))
            assert one.selection.filters or one.selection.limit
            inputs["backups"] = [UUID]
        else:
            assert [] == faults_of_members(one.args)
        assert [] == check_set_inputs(inputs)


def faults_of_members(args: BackupReplicationSetArgs) -> list[Finding]:
    """Return what the package reports about a set's members as they were read."""
    given: Any = args.backups
    members = given if isinstance(given, dict) else {backup_id: backup_id for backup_id in given}
    return check_members(
        {
            label: member if isinstance(member, dict) else {"backup_id": member}
            for label, member in members.items()
        },
        is_rolling=args.keep_newest is not None,
    )


def test_any_stack_configuration_is_typed_or_reported() -> None:
    """Each failure is a line with its key. The rest can be declared unchanged."""
    seen: set[str] = set()

    @settings(derandomize=True, deadline=None, max_examples=300)
    @given(edits=EDITS)
    def fuzz(edits: Edits) -> None:
        configuration = edited(GOOD, edits)
        config = {
            f"cbr-replication:{encodable(key)}": written(value)
            for key, value in configuration.items()
        }
        try:
            plan = read_plan({**config, "huaweicloud:password": CANARY})
        except ConfigurationFaultsError as error:
            seen.add("told")
            head, *lines = str(error).replace("\n" + EXAMPLE, "").split("\n")
            require_readable(head)
            for line in lines:
                require_readable(line)
                assert line.startswith("  cbr-replication:")
        else:
            seen.add("typed")
            require_typed(plan)

    require_both(fuzz, seen)


@pytest.mark.parametrize("key", ["replications", "sets", "defaults", "x" * 100_000])
@pytest.mark.parametrize("value", [DEEP, "[" * 700 + "]" * 700, '"' + "x" * 100_000 + '"'])
def test_excessive_configuration_is_reported(key: str, value: str) -> None:
    """Nesting beyond any parser is text of the wrong kind; long values are cut."""
    config = {"cbr-replication:replications": "[]", f"cbr-replication:{key}": value}

    with pytest.raises(ConfigurationFaultsError) as caught:
        read_plan(config)

    for line in str(caught.value).replace("\n" + EXAMPLE, "").split("\n"):
        require_readable(line)


def test_any_inputs_are_valid_or_reported() -> None:
    """Each failure is a line about a given or missing input."""
    seen: set[str] = set()

    @settings(derandomize=True, deadline=None, max_examples=150)
    @given(edits=EDITS)
    def fuzz(edits: Edits) -> None:
        inputs = edited(GOOD_INPUTS, edits)
        findings = check_inputs(inputs)
        seen.add("told" if findings else "typed")
        for finding in findings:
            require_readable(finding.reason)
            assert finding.field in {*inputs, *GOOD_INPUTS}

    require_both(fuzz, seen)


ADDRESSES = st.sampled_from(
    [
        *("https://cbr.{region}.example.org", "http://127.0.0.1:1/{region}", "https://x:99999"),
        *("https://[::1]:8/v", "https://[::1", "https://{x}/", "https://-", "ftp://x", "https://"),
        *(f"https://me:{CANARY}@proxy.example.org", "https://x/\n", "https://x:port", "//x"),
        *("https://%zz/", "https://é.example.org", "https://a..b", "https://xn--/", "x" * 1000),
    ]
)
SETTINGS: dict[str, tuple[Any, ...]] = {
    "region": ("cn-north-4", "southchina", "eu-west-101", "a b"),
    "project_id": ("c6cb08", "../x"),
    "user_name": ("ops",),
    "access_key": (CANARY, [CANARY], f"{CANARY} "),
    "secret_key": (CANARY, [CANARY], f"{CANARY}\n"),
    "security_token": (CANARY, {"token": CANARY}, f"\t{CANARY}"),
    "password": (CANARY, [CANARY], {"password": CANARY}),
    "domain_name": ("acme",),
    "token": (CANARY, [CANARY], {"token": CANARY}, f'"{CANARY}'),
    "tokens": (
        {"c6cb08": CANARY},
        *([CANARY], CANARY, {"c6\ncb08": [CANARY]}, {"p": {"q": CANARY}}, "{}", "[" * 100_000),
    ),
    "cloud": ("myhuaweicloud.com", "a..b", "-", "example.org:1"),
    "metadata": (False, "false", "never"),
    "insecure": (True, "true", "no", "perhaps"),
    "ca_file": ("ca.pem",),
    "poll_interval_s": ("10", 0.1, "nan", "inf", "-1", "1e9", "soon"),
    "owner": ("team-a/prod", "a b", "[pulumi a/b]", "x" * 101),
    "mark_replicas": (False, "false", "never"),
    "force_destroy": (True, "true", "perhaps"),
    "max_deleted_percent": (20, "12.5", "100", "-1", 101, "many"),
}


def test_any_settings_are_typed_or_reported() -> None:
    """Accepted addresses can be called. No secret is quoted, valid or not."""
    seen: set[str] = set()
    by_field = {key.field: key for key in KEYS}
    values: dict[str, st.SearchStrategy[Any]] = {
        **{field: st.sampled_from((*some, some[0])) for field, some in SETTINGS.items()},
        "auth_url": ADDRESSES,
        "endpoints": st.dictionaries(
            st.sampled_from(["cbr", "iam", "a\nb"]), ADDRESSES, max_size=2
        ),
    }
    items = st.sampled_from(sorted(values)).flatmap(
        lambda field: st.tuples(st.just(field), st.one_of(*[values[field]] * 4, JSON_LIKE))
    )

    @settings(derandomize=True, deadline=None, max_examples=300)
    @given(
        given_settings=st.lists(items, max_size=3).map(dict),
        in_environment=st.sets(st.sampled_from(sorted(values)), max_size=2),
    )
    def fuzz(given_settings: dict[str, Any], in_environment: set[str]) -> None:
        config, environ = {}, {}
        for field, value in given_settings.items():
            if field in in_environment:
                environ[by_field[field].env] = written(value)
            else:
                config[f"huaweicloud:{by_field[field].config}"] = value
        try:
            loaded = Settings.load(config.get, environ)
        except ConfigurationError as error:
            seen.add("told")
            for line in str(error).split(" | "):
                require_readable(line)
                assert re.match(r"huaweicloud:\w+ \(or HW_\w+\)", line), line
        else:
            seen.add("typed")
            for url in (loaded.cbr_url("cn-north-4"), loaded.iam_url("cn-north-4")):
                assert httpx.URL(url).host
            assert CANARY not in repr(loaded)

    require_both(fuzz, seen)
