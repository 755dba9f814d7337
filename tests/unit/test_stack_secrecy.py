"""Secrets inside the stack's configuration: where they are, and what becomes secret by them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pulumi
import pytest

import pulumi_huaweicloud_cbr as cbr
from config import Plan, read_plan
from faults import ConfigurationFaultsError
from secrecy import read_stored

BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
OTHER = "0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a"
VAULT = "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"
SECRET = {"secure": "v1:sealed"}
PREFIX = "cbr-replication:"


def entry(**changes: Any) -> dict[str, Any]:
    """Return an entry with one destination."""
    place = {"region": "cn-east-3", "vault_id": VAULT}
    return {"name": "erp", "backup_id": BACKUP, "destinations": [place], **changes}


def a_set(**changes: Any) -> dict[str, Any]:
    """Return an entry of sets with two members."""
    backups = {"erp": {"backup_id": BACKUP, "name": "sesame"}, "web": OTHER}
    return {key: entry()[key] for key in ("name", "destinations")} | {"backups": backups, **changes}


def plan(key: str, value: Any, stored: Any) -> Plan:
    """Read a configuration of one key, in which Pulumi says that there is a secret."""
    full = f"{PREFIX}{key}"
    config = {full: json.dumps(value)}
    if key == "defaults":
        config[f"{PREFIX}replications"] = json.dumps([entry()])
    return read_plan(config, [full], lambda: {full: stored})


def sealed(plan: Plan, kind: str) -> tuple[dict[str, Any], list[str]]:
    """Return the secret inputs of the first resource of a list, and its secret outputs."""
    one = getattr(plan, kind)[0]
    args, outputs = plan.secrecy.sealed(one.args, kind)
    changed = {
        field.name: getattr(args, field.name)
        for field in fields(args)
        if getattr(args, field.name) is not getattr(one.args, field.name)
    }
    return changed, outputs


def is_secret(value: Any) -> bool:
    """Whether a value is a secret output."""
    loop = asyncio.get_event_loop()
    return isinstance(value, pulumi.Output) and loop.run_until_complete(value.is_secret())


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    """A program of Pulumi has an event loop, which outputs need."""
    running = asyncio.new_event_loop()
    asyncio.set_event_loop(running)
    yield
    asyncio.set_event_loop(None)
    running.close()


def test_secret_input_of_a_replication() -> None:
    """Only what is secret in the stack's file is secret, under the same name in the outputs too."""
    given = entry(description="sesame")
    read = plan("replications", [given], [{**given, "description": SECRET}])

    inputs, outputs = sealed(read, "replications")

    assert ["description"] == list(inputs) == outputs
    assert is_secret(inputs["description"])


def test_secret_input_of_a_set() -> None:
    """A secret member leaves the others as they are; the rows of the state are secret."""
    given = a_set()
    stored = a_set(backups={"erp": {"backup_id": SECRET, "name": "sesame"}, "web": OTHER})
    read = plan("sets", [given], [stored])

    inputs, outputs = sealed(read, "sets")

    assert ["backups", "members"] == outputs
    backups = inputs["backups"]
    assert is_secret(backups["erp"]["backup_id"])
    assert ("sesame", OTHER) == (backups["erp"]["name"], backups["web"])


def test_secret_member_of_a_list() -> None:
    """A list of backups may have a secret one."""
    read = plan("sets", [a_set(backups=[BACKUP, OTHER])], [a_set(backups=[BACKUP, SECRET])])

    backups = sealed(read, "sets")[0]["backups"]

    assert BACKUP == backups[0]
    assert is_secret(backups[1])


def test_secret_input_of_a_vault() -> None:
    """A secret vault and a secret in its destination."""
    given = {"name": "all", "vault_id": OTHER, "destinations": entry()["destinations"]}
    place = {"region": "cn-east-3", "vault_id": SECRET}
    read = plan("vaults", [given], [{**given, "vault_id": SECRET, "destinations": [place]}])

    inputs, outputs = sealed(read, "vaults")

    assert {"vault_id", "destination_vault_id"} == set(inputs) == set(outputs)


def test_secret_default_is_secret_in_every_resource() -> None:
    """What comes from the defaults is as secret as there."""
    read = plan("defaults", {"description": "sesame"}, {"description": SECRET})

    assert ["description"] == sealed(read, "replications")[1]


def test_secret_timeout() -> None:
    """A key that is text as a whole is a secret by itself."""
    config = {f"{PREFIX}replications": json.dumps([entry()]), f"{PREFIX}timeout": "3h"}
    full = f"{PREFIX}timeout"
    read = read_plan(config, [full], lambda: {full: SECRET})

    assert is_secret(read.secrecy.seal(read.wait.timeout))


def test_no_secret_asks_for_no_file() -> None:
    """Most configurations have no secret of ours, and cost nothing."""

    def stored() -> dict[str, Any]:
        raise AssertionError

    config = {f"{PREFIX}replications": json.dumps([entry()]), "huaweicloud:password": "x"}
    read = read_plan(config, ["huaweicloud:password"], stored)

    assert not read.secrecy
    assert ({}, []) == sealed(read, "replications")


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(None, id="key-missing"),
        pytest.param([{**entry(), "description": "another"}], id="another-value"),
        pytest.param([entry()], id="another-form"),
        pytest.param([], id="another-length"),
    ],
)
def test_everything_is_secret_if_its_place_is_unknown(stored: Any) -> None:
    """The configuration is from elsewhere than the stack's file, so nothing is plain."""
    read = plan("replications", [entry(description="sesame", protect=True)], stored)

    inputs, outputs = sealed(read, "replications")

    assert {"backup_id", "destination_region", "destination_vault_id", "description"} <= set(inputs)
    assert all(is_secret(value) for value in inputs.values())
    assert list(inputs) == outputs
    assert read.secrecy.warning is not None
    assert read.secrecy.warning.startswith("cbr-replication:replications holds secrets, and ")


def test_values_in_another_spelling_are_plain() -> None:
    """YAML's numbers, truth values and times without quotes are no secrets."""
    member = {"backup_id": BACKUP, "created_at": "2026-11-20 02:00:00 +0000 UTC"}
    given = a_set(backups={"erp": member}, keep_newest=3, protect=True)
    stored = a_set(
        backups={"erp": {"backup_id": SECRET, "created_at": "2026-11-20T02:00:00Z"}},
        keep_newest="0x3",
        protect="True",
    )
    read = plan("sets", [given], [stored])

    assert read.secrecy.warning is None
    assert {BACKUP} == read.secrecy.texts


AS_A_NAME = "is secret, but it becomes a resource's name"
AS_A_WHOLE = "is one secret as a whole"


@pytest.mark.parametrize(
    ("key", "value", "stored", "fault"),
    [
        pytest.param(
            *("replications", [entry()], [{**entry(), "name": SECRET}]),
            f"replications[0].name: {AS_A_NAME}",
            id="name",
        ),
        pytest.param(
            *("replications", [entry()]),
            [{**entry(), "destinations": [{"region": SECRET, "vault_id": VAULT}]}],
            f"replications[0].destinations[0].region: {AS_A_NAME}",
            id="region",
        ),
        pytest.param(
            *("replications", [entry()], SECRET), f"replications: {AS_A_WHOLE}", id="list"
        ),
        pytest.param(
            *("defaults", {"destinations": entry()["destinations"]}, SECRET),
            f"defaults: {AS_A_WHOLE}",
            id="defaults",
        ),
    ],
)
def test_secret_that_would_name_a_resource_is_a_fault(
    key: str, value: Any, stored: Any, fault: str
) -> None:
    """A URN is plain text in every state, so no secret may be in it."""
    with pytest.raises(ConfigurationFaultsError) as caught:
        plan(key, value, stored)

    assert f"{PREFIX}{fault}" in str(caught.value)


def test_faults_do_not_quote_secrets() -> None:
    """A secret that is no valid value is not shown, whether its place is known or not."""
    wrong = [entry(backup_id="sesame-open")]
    for stored in ([entry(backup_id=SECRET)], SECRET, None):
        with pytest.raises(ConfigurationFaultsError) as caught:
            plan("replications", wrong, stored)

        assert "'[secret]' is not a UUID" in str(caught.value)
        assert "sesame" not in str(caught.value)


def test_read_stored_finds_the_file_as_pulumi_does(tmp_path: Path) -> None:
    """The project's file names the folder of the stack's file; scalars stay as written."""
    program = tmp_path / "stacks"
    program.mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: x\nstackConfigDir: stacks\n")
    (program / "Pulumi.dev.yaml").write_text("config:\n  a:b: [1, 0x2, true, {secure: v1:x}]\n")

    assert {"a:b": ["1", "0x2", "true", {"secure": "v1:x"}]} == read_stored(program, "dev")


@pytest.mark.parametrize("text", [None, "a: [", "7", "config: 7", "\0"])
def test_read_stored_without_a_usable_file_knows_nothing(text: str | None, tmp_path: Path) -> None:
    """Then everything counts as secret."""
    (tmp_path / "Pulumi.yaml").write_text("name: x\n")
    if text is not None:
        (tmp_path / "Pulumi.dev.yaml").write_text(text)

    assert {} == read_stored(tmp_path, "dev")


def test_outputs_named_as_secret_exist() -> None:
    """The engine warns of an output that is named as secret and does not exist."""
    for form in (cbr.BackupReplicationArgs, cbr.BackupReplicationSetArgs, cbr.VaultReplicationArgs):
        resource = getattr(cbr, form.__name__.removesuffix("Args"))
        known = {
            name
            for base in resource.__mro__
            for name in (*getattr(base, "__annotations__", {}), *vars(base))
        }

        assert {field.name for field in fields(form)} <= known
