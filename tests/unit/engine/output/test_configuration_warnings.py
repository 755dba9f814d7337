"""A program warns of credentials in plain text, and of settings that nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pulumi
import pulumi.runtime.config
import pytest

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.config.setting_names import VENDOR_KEYS
from pulumi_huaweicloud_cbr.engine.output.configuration_warnings import warn_of_configuration


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The lines of a program that begins now."""
    shown: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", shown.append)
    warn_of_configuration.cache_clear()
    yield shown
    warn_of_configuration.cache_clear()
    pulumi.runtime.config.set_all_config({}, [])


def test_plain_credential_is_warned_of_once(warnings: list[str]) -> None:
    """The warning has the key, the risk and the remedy, but not the value."""
    given = {"huaweicloud:password": "hunter2", "huaweicloud:region": "cn-north-4"}
    pulumi.runtime.config.set_all_config(given, [])

    warn_of_configuration()
    warn_of_configuration()

    (warning,) = warnings
    assert (
        "huaweicloud:password is plain text in the stack's configuration, which Pulumi copies into "
        "the state as it is; set it with pulumi config set --secret huaweicloud:password, or give "
        "HW_USER_PASSWORD instead, and change it: the backend keeps older states"
    ) == warning


@pytest.mark.parametrize("key", ["password", "token", "tokens"])
def test_every_kind_of_credential_counts(warnings: list[str], key: str) -> None:
    """Passwords and tokens count; names and addresses do not."""
    pulumi.runtime.config.set_all_config({f"huaweicloud:{key}": "x"}, [])

    warn_of_configuration()

    assert 1 == len(warnings)


def test_secret_credential_is_fine(warnings: list[str]) -> None:
    """Values that Pulumi encrypts cause no warning, and neither do missing ones."""
    pulumi.runtime.config.set_all_config({"huaweicloud:token": "x"}, ["huaweicloud:token"])

    warn_of_configuration()

    assert [] == warnings


@pytest.mark.anyio
@pytest.mark.parametrize(
    "make",
    [
        lambda: cbr.BackupReplication(
            "x",
            cbr.BackupReplicationArgs(
                backup_id="b", destination_region="r", destination_vault_id="v"
            ),
        ),
        lambda: cbr.BackupReplicationSet(
            "x",
            cbr.BackupReplicationSetArgs(
                backups=["b"], destination_region="r", destination_vault_id="v"
            ),
        ),
        lambda: cbr.VaultReplication(
            "x",
            cbr.VaultReplicationArgs(
                vault_id="s", destination_region="r", destination_vault_id="v"
            ),
        ),
        lambda: cbr.ReplicationsComplete("x", cbr.ReplicationsCompleteArgs(replications=[])),
    ],
    ids=["one", "set", "vault", "wait"],
)
async def test_every_resource_warns(
    warnings: list[str], monkeypatch: pytest.MonkeyPatch, make: Callable[[], object]
) -> None:
    """A program with any one of them shows the warning."""
    monkeypatch.setattr(pulumi.CustomResource, "__init__", lambda *_: None)
    pulumi.runtime.config.set_all_config({"huaweicloud:token": "x"}, [])

    make()

    assert 1 == len(warnings)


def test_misspelt_setting_is_warned_of_with_the_right_name(warnings: list[str]) -> None:
    """A setting without effect is worse than an error: the program would use another one."""
    given = {"huaweicloud:acessKey": "x", "huaweicloud:zebra": "x", "other:acessKey": "x"}
    pulumi.runtime.config.set_all_config(given, [])

    warn_of_configuration()

    no_setting = "is no setting, and has no effect"
    assert [
        f"huaweicloud:acessKey {no_setting}; did you mean huaweicloud:accessKey?",
        f"huaweicloud:zebra {no_setting}; see docs/reference/settings.md for all of them",
    ] == warnings


def test_settings_of_the_vendors_own_provider_are_known(warnings: list[str]) -> None:
    """Both may be in one project, and share the namespace."""
    keys = [*VENDOR_KEYS - {"accessKey", "secretKey", "securityToken", "password", "token"}]
    pulumi.runtime.config.set_all_config({f"huaweicloud:{key}": "x" for key in keys}, [])

    warn_of_configuration()

    assert [] == warnings
