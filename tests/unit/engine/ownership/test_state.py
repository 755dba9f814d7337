"""What a stack's state tells about owners."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.engine.ownership.state import (
    Entry,
    UnreadableStateError,
    export_by_cli,
    read_stack_state,
    use_export,
)

URN = "urn:pulumi:prod::shop::pulumi-python:dynamic/huaweicloud_cbr:BackupReplication::one"
SET = "urn:pulumi:prod::shop::pulumi-python:dynamic/huaweicloud_cbr:BackupReplicationSet::many"


def single(urn: str, record_id: str, **more: Any) -> dict[str, Any]:
    """Return the entry of a single replication."""
    return {
        "urn": urn,
        "type": urn.split("::")[2],
        "id": record_id,
        "outputs": {"destination_vault_id": "v"},
        **more,
    }


def many(urn: str, *record_ids: str) -> dict[str, Any]:
    """Return the entry of a set."""
    rows = {f"m{each}": {"replication_record_id": each} for each in record_ids}
    return {"urn": urn, "type": urn.split("::")[2], "id": "set-1", "outputs": {"members": rows}}


def deployment(*resources: dict[str, Any]) -> bytes:
    """Return an exported deployment."""
    return json.dumps({"version": 3, "deployment": {"resources": list(resources)}}).encode()


def test_entries_by_record() -> None:
    other = {"urn": URN, "type": "pulumi:pulumi:Stack", "id": "r1", "outputs": {"members": {}}}
    left_over = single(URN, "r1", delete=True)
    # What a program only reads owns nothing.
    read = single(f"{URN}-seen", "r1", external=True)
    use_export(
        lambda _urn, _: deployment(single(URN, "r1"), left_over, many(SET, "r1", "r2"), other, read)
    )
    state = read_stack_state(URN)
    assert state.entries_of("r1") == {Entry(URN), Entry(URN, is_left_over=True), Entry(SET)}
    assert state.entries_of("r2") == {Entry(SET)}
    assert state.entries_of("r3") == frozenset()
    assert state.record_ids == {"r1", "r2"}


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"type": URN.split("::")[2]},
        {"type": URN.split("::")[2], "urn": URN, "outputs": None},
        {"type": URN.split("::")[2], "urn": URN, "outputs": {"members": {"a": None}}},
        {"type": URN.split("::")[2], "urn": URN, "outputs": {"members": {"a": {}}}},
    ],
)
def test_odd_entries_have_nothing(odd: dict[str, Any]) -> None:
    use_export(lambda _urn, _: deployment(odd))
    assert read_stack_state(URN).record_ids == frozenset()


def test_one_export_serves_all_calls() -> None:
    asked = []

    def export(urn: str, _: bool) -> bytes:
        asked.append(urn)
        return deployment(single(URN, "r1"))

    use_export(export)
    assert read_stack_state(URN) is read_stack_state(SET)
    assert asked == [URN]


SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


@pytest.mark.parametrize(
    "members", [SECRET, {"a": SECRET}, {"a": {"replication_record_id": SECRET}}]
)
def test_secret_rows_are_exported_in_plain_text(members: dict[str, Any]) -> None:
    """The rows of a set are secret if its backup ids are, and it still owns its replicas."""

    def export(_urn: str, with_secrets: bool) -> bytes:
        row = many(SET, "r1")
        return deployment(row if with_secrets else {**row, "outputs": {"members": members}})

    use_export(export)
    assert read_stack_state(URN).entries_of("r1") == {Entry(SET)}


def decrypted(value: Any) -> dict[str, Any]:
    """Return a secret as `--show-secrets` writes it."""
    return {**SECRET, "plaintext": json.dumps(value)}


@pytest.mark.parametrize(
    "members",
    [
        decrypted({"a": {"replication_record_id": "r1"}}),
        {"a": decrypted({"replication_record_id": "r1"})},
        {"a": {"replication_record_id": decrypted("r1")}},
        decrypted({"a": {"replication_record_id": decrypted("r1")}}),
    ],
)
def test_decrypted_secrets_are_wrapped(members: dict[str, Any]) -> None:
    """The CLI writes a decrypted secret as JSON text in an object (seen with CLI 3.255)."""
    use_export(lambda _urn, _: deployment({**many(SET), "outputs": {"members": members}}))

    assert read_stack_state(URN).entries_of("r1") == {Entry(SET)}


def test_failed_export_is_not_repeated() -> None:
    asked = []

    def export(urn: str, _: bool) -> bytes:
        asked.append(urn)
        raise UnreadableStateError("no CLI")

    use_export(export)
    for _ in range(2):
        with pytest.raises(UnreadableStateError, match="no CLI"):
            read_stack_state(URN)
    assert asked == [URN]


def test_text_that_is_no_json_is_unreadable() -> None:
    use_export(lambda _urn, _: b"error: no stack")
    with pytest.raises(UnreadableStateError, match="no JSON"):
        read_stack_state(URN)


def test_without_a_urn_nothing_is_exported() -> None:
    with pytest.raises(UnreadableStateError):
        export_by_cli("", False)


# -- the CLI ------------------------------------------------------------------------------------


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CLI that records its calls. It exports one file for `--stack`, and another one without."""
    program = tmp_path / "pulumi"
    program.write_text(
        f"#!{sys.executable}\nimport pathlib, sys\nroot = pathlib.Path({str(tmp_path)!r})\n"
        "with (root / 'calls').open('a') as calls:\n"
        "    calls.write(' '.join(sys.argv[1:]) + '\\n')\n"
        "file = root / ('named' if '--stack' in sys.argv else 'selected')\n"
        "if not file.exists():\n"
        "    sys.exit('warning: one\\nerror: no stack named that')\n"
        "print(file.read_text(), end='')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("with_secrets", [False, True])
def test_cli_exports_the_stack_of_the_urn(cli: Path, with_secrets: bool) -> None:
    (cli / "named").write_bytes(deployment(single(URN, "r1")))

    assert export_by_cli(URN, with_secrets) == deployment(single(URN, "r1"))

    secrets = " --show-secrets" if with_secrets else ""
    expected = f"stack export --stack prod{secrets} --non-interactive\n"
    assert (cli / "calls").read_text() == expected


@pytest.mark.parametrize(
    "other",
    [
        single(URN.replace("shop", "other"), "r2"),
        single(URN.replace("prod", "test"), "r2"),
    ],
)
def test_export_of_another_stack_is_not_taken(cli: Path, other: dict[str, Any]) -> None:
    """A short name may be ambiguous. Then the selected stack is the one, if its names fit."""
    (cli / "named").write_bytes(deployment(single(URN, "r1"), other))
    with pytest.raises(UnreadableStateError, match="stack export --stack prod"):
        export_by_cli(URN, False)

    (cli / "selected").write_bytes(deployment(single(URN, "r1")))
    assert export_by_cli(URN, False) == deployment(single(URN, "r1"))
    (cli / "selected").write_bytes(deployment(other))
    with pytest.raises(UnreadableStateError, match="it exported another stack"):
        export_by_cli(URN, False)


def test_export_that_fails_is_told_in_the_clis_last_line(cli: Path) -> None:
    with pytest.raises(UnreadableStateError, match=r": error: no stack named that$"):
        export_by_cli(URN, False)
    assert len((cli / "calls").read_text().splitlines()) == 2


def test_without_a_cli_the_state_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnreadableStateError, match="CLI was not found"):
        export_by_cli(URN, False)
