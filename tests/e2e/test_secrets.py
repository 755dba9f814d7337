"""Canary secrets go through a full cycle, and turn up nowhere."""

from __future__ import annotations

from typing import Any

from simulator.testing import Control
from tests.e2e.driver import PASSWORD, MakeProject


def test_secret_absent_from_state_and_logs(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """Neither password nor token is in a state, checkpoint, log, message or stored provider."""
    project = make_stacks_project([erp])
    project.environment["PULUMI_HUAWEICLOUD_CBR_LOG"] = "debug"
    # Errors that echo what was sent are the likeliest leak.
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


def test_secret_configuration_is_stored_encrypted(
    make_stacks_project: MakeProject, erp: dict[str, Any]
) -> None:
    """A password given as secret configuration is nowhere in plain text."""
    project = make_stacks_project([erp])
    del project.environment["HW_USER_PASSWORD"]
    project.configure({}, secrets={"huaweicloud:password": PASSWORD})

    printed = [project.up().text, project.destroy().text]

    stored = project.everything_stored() + project.config_file.read_text()
    assert PASSWORD not in stored + "\n".join(printed)


def test_wrong_password_is_one_clean_message(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """Wrong credentials fail the preview with one message that names the keys, without looping."""
    project = make_stacks_project([erp])
    project.environment["HW_USER_PASSWORD"] = "wrong-on-purpose"

    outcome = project.run("preview")

    assert 0 != outcome.code
    assert "huaweicloud:password" in outcome.text
    assert "Traceback" not in outcome.text
    assert "wrong-on-purpose" not in outcome.text
    assert 1 == len(control.journal(operation="CreateToken"))
