"""Canary secrets go through a full cycle, and appear nowhere."""

from __future__ import annotations

from typing import Any

from simulator.testing import Control
from tests.e2e.driver import PASSWORD, MakeProject, Project


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
