"""Canary secrets go through a full cycle, and appear nowhere."""

from __future__ import annotations

import html
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from simulator.testing import Control
from tests.e2e.driver import PASSWORD, MakeProject, Project, ci
from tests.e2e.programs import BACKUP

WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
FILES = "0d9c8b7a-6f5e-4d3c-8b2a-190807060504"


def test_secret_absent_from_state_and_logs(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """Neither password nor token is in a state, checkpoint, log, message or stored provider."""
    project = make_stacks_project([erp])
    project.environment["PULUMI_HUAWEICLOUD_CBR_LOG"] = "debug"
    # Errors that echo the request are the likeliest leak.
    control.fault(
        operation="ShowVault",
        action="respond",
        status=400,
        body={"error_code": "BackupService.9900", "error_msg": f"bad password {PASSWORD} given"},
    )

    refused = project.run("preview")
    printed = [refused.text]
    printed.append(project.up().text)
    printed.append(project.refresh().text)
    stored = project.everything_stored()
    printed.append(project.destroy().text)

    assert 0 != refused.code
    assert "[secret]" in refused.text
    everything = "\n".join([*printed, stored, project.everything_stored()])
    assert PASSWORD not in everything
    assert "MIIsim" not in everything


def provider_inputs(project: Project) -> dict[str, Any]:
    """Return the stack's configuration in the state."""
    (provider,) = (
        resource
        for resource in project.resources().values()
        if resource["type"] == "pulumi:providers:pulumi-python"
    )
    inputs: dict[str, Any] = provider["inputs"]
    return inputs


def test_password_from_the_environment_is_not_stored_at_all(
    make_stacks_project: MakeProject, erp: dict[str, Any]
) -> None:
    """Pulumi copies the configuration into the state; other values are not there."""
    project = make_stacks_project([erp])

    project.up()

    assert "huaweicloud:password" not in provider_inputs(project)
    assert "huaweicloud:userName" in provider_inputs(project)
    assert PASSWORD not in project.everything_stored()


def test_secret_configuration_is_stored_encrypted(
    make_stacks_project: MakeProject, erp: dict[str, Any]
) -> None:
    """A password in secret configuration is in the state only as ciphertext."""
    project = make_stacks_project([erp])
    del project.environment["HW_USER_PASSWORD"]
    project.configure({}, secrets={"huaweicloud:password": PASSWORD})

    printed = [project.up().text]
    held = provider_inputs(project)["huaweicloud:password"]
    printed.append(project.destroy().text)

    assert held["ciphertext"].startswith("v1:")
    stored = project.everything_stored() + project.config_file.read_text()
    assert PASSWORD not in stored + "\n".join(printed)
    assert "is plain text" not in printed[0]


@pytest.mark.full
def test_plain_configuration_is_stored_and_warned_of(
    make_stacks_project: MakeProject, erp: dict[str, Any]
) -> None:
    """A password in plain configuration gets into the state, after a warning."""
    project = make_stacks_project([erp])
    del project.environment["HW_USER_PASSWORD"]
    project.configure({"huaweicloud:password": PASSWORD})

    warned = project.preview().text
    project.up()
    stored = provider_inputs(project)["huaweicloud:password"]
    project.must("config", "set", "--secret", "huaweicloud:password", PASSWORD)
    quiet = project.up().text

    assert "huaweicloud:password is plain text in the stack's configuration" in warned
    assert PASSWORD not in warned
    assert PASSWORD == stored
    assert "is plain text" not in quiet
    assert "ciphertext" in provider_inputs(project)["huaweicloud:password"]


def test_wrong_password_is_one_clean_message(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """Wrong credentials fail the preview with one message that names the keys, without a loop."""
    project = make_stacks_project([erp])
    project.environment["HW_USER_PASSWORD"] = "wrong-on-purpose"

    outcome = project.run("preview")

    assert 0 != outcome.code
    assert "huaweicloud:password" in outcome.text
    assert "Traceback" not in outcome.text
    assert "wrong-on-purpose" not in outcome.text
    assert 1 == len(control.journal(operation="CreateToken"))


CONFIGURATION = "cbr-replication"
SECRET_TEXTS = {
    "replications[0].description": "sesame-description",
    "replications[0].backup_id": BACKUP,
    "sets[0].backups.web-01.backup_id": WEB_1,
    "sets[0].backups.web-01.name": "sesame-name",
    "vaults[0].vault_id": FILES,
    "timeout": "3h59m",
}
"""A secret in each form, by its path in the configuration."""


def found_in(text: str) -> list[str]:
    """Return the paths of the secrets that a text has."""
    return [path for path, secret in SECRET_TEXTS.items() if secret in text]


@pytest.fixture
def in_every_form(
    make_stacks_project: MakeProject, erp: dict[str, Any], vault_ids: dict[str, str]
) -> Project:
    """A stack with a single replication, a set, an entire vault and a wait; nothing is secret."""
    files = [{"region": "cn-east-3", "vault_id": vault_ids["dr-files"]}]
    # YAML has the time without quotes.
    at = datetime(2026, 11, 20, 2, tzinfo=UTC)
    web = {
        "web-01": {"backup_id": WEB_1, "name": "sesame-name", "created_at": at},
        "old": MANUAL,
    }
    return make_stacks_project(
        [{**erp, "description": "sesame-description"}],
        **{
            f"{CONFIGURATION}:wait": "true",
            f"{CONFIGURATION}:timeout": "3h59m",
            f"{CONFIGURATION}:sets": [
                {"name": "web", "backups": web, "destinations": erp["destinations"]}
            ],
            f"{CONFIGURATION}:vaults": [
                {"name": "files", "vault_id": FILES, "destinations": files}
            ],
        },
    )


def make_secret(project: Project) -> None:
    """Encrypt the secrets in the configuration, as a user does with --path."""
    given = [f"{CONFIGURATION}:{path}={text}" for path, text in SECRET_TEXTS.items()]
    project.must("config", "set-all", "--path", *(f"--secret={pair}" for pair in given))


@pytest.mark.parametrize("plugin", ["host", pytest.param("sdk", marks=pytest.mark.full)])
def test_secrets_inside_the_configuration_stay_secret(plugin: str, in_every_form: Project) -> None:
    """A secret is ciphertext in every file of the backend, and hidden wherever it is shown."""
    project = in_every_form
    if plugin == "sdk":
        without_host(project)
    make_secret(project)

    planned = project.run("preview", "--json")
    kept = project.directory.parent / "preview.json"
    told = ci(project, "preview", "--json-file", str(kept))
    printed = [planned.text, told.text, html.unescape(told.stdout), kept.read_text()]
    printed.append(project.up().text)
    printed.append(project.must("stack", "output", "--json").text)
    printed.append(project.refresh().text)

    assert 0 == planned.code
    assert [] == found_in("\n".join(printed))
    assert [] == found_in(project.everything_stored())
    assert 0 == told.code, told.text
    assert "replicas will be copied" in told.stdout
    assert "additional secret outputs" not in "\n".join(printed)
    assert "holds secrets" not in "\n".join(printed)
    assert '"created_at": "2026-11-20T02:00:00Z"' in planned.text
    assert "2026-11-20 02:00:00+00:00" in project.config_file.read_text()


@pytest.mark.full
@pytest.mark.parametrize("plugin", ["host", "sdk"])
def test_values_that_become_secret_leave_the_state(plugin: str, in_every_form: Project) -> None:
    """The first `up` after `config set --secret` changes nothing but the form of the state."""
    project = in_every_form
    if plugin == "sdk":
        without_host(project)
    project.up()
    assert list(SECRET_TEXTS) == found_in(json.dumps(project.deployment()))

    make_secret(project)
    project.up("--expect-no-changes")

    assert [] == found_in(json.dumps(project.deployment()))


def without_host(project: Project) -> None:
    """Make the stack program use the SDK's own plugin."""
    file = project.directory / "Pulumi.yaml"
    settings = yaml.safe_load(file.read_text())
    del settings["plugins"]
    file.write_text(yaml.safe_dump(settings))
