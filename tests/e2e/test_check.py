"""`check` as a user runs it: settings from a stack or the environment, exit codes, time limits."""

from __future__ import annotations

import json
import socket
import subprocess
from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import COMMAND_LIMIT_S, PASSWORD, MakeProject, Outcome, Project

VARIABLES = {"HW_USER_NAME": "ops-replicator", "HW_DOMAIN_NAME": "acme-cloud"}


@pytest.fixture
def project(make_stacks_project: MakeProject, erp: dict[str, Any]) -> Project:
    """A stack that was never deployed; its password is in the environment."""
    return make_stacks_project([erp])


def check(project: Project, *arguments: str, **variables: str) -> Outcome:
    """Run the command in the project's directory, or elsewhere with `--cwd`."""
    is_elsewhere = "--cwd" in arguments or "--stack" not in arguments
    done = subprocess.run(
        [str(project.python), "-m", "pulumi_huaweicloud_cbr", "check", *arguments],
        cwd=project.directory.parent if is_elsewhere else project.directory,
        env=project.env | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_LIMIT_S,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_check_of_a_stack_that_is_ready(
    project: Project, erp: dict[str, Any], control: Control
) -> None:
    """A stack's settings suffice, from any directory. Nothing is changed, and the code is 0."""
    options = ["--stack", "test", "--destination", "cn-east-3", "--backup", erp["backup_id"]]

    text = check(project, *options)
    document = check(project, *options, "--cwd", str(project.directory), "--json")

    assert (0, "") == (text.code, text.stderr)
    assert "ok    account      677aa086f2614be08a737b6b22aad606" in text.stdout
    assert "ok    clock        in step with the service's" in text.stdout
    assert "dr-replicas (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85): can be copied" in text.stdout
    assert "Ready." == text.stdout.splitlines()[-1]
    assert (0, "") == (document.code, document.stderr)
    account = document.json()
    assert account["is_ready"]
    assert "stack" == account["settings"]["huaweicloud:region"]
    assert "environment" == account["settings"]["HW_USER_PASSWORD"]
    assert {"possible", "refused"} == {row["answer"] for row in account["backup"]["targets"]}
    assert PASSWORD not in text.stdout + document.stdout
    writes = {entry["operation"] for entry in control.journal() if entry["method"] != "GET"}
    assert {"CreateToken"} == writes


def test_check_of_the_environment_with_an_unreachable_endpoint(project: Project) -> None:
    """If nothing listens, the address is named within a few attempts, and the code is 1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    nowhere = f"http://127.0.0.1:{port}"
    endpoints = json.dumps({"cbr": nowhere, "iam": nowhere})

    outcome = check(
        project, "--json", HW_REGION_NAME="cn-north-4", HW_ENDPOINTS=endpoints, **VARIABLES
    )

    assert (1, "") == (outcome.code, outcome.stderr)
    (remark,) = outcome.json()["source"]["remarks"]
    assert "endpoint" == remark["check"]
    assert "'127.0.0.1' is the right endpoint" in remark["remedy"]


def test_check_of_an_unknown_stack_is_one_message(project: Project) -> None:
    """For an unknown stack the CLI's words are shown, and the code is 1."""
    outcome = check(project, "--stack", "nowhere")

    assert (1, "") == (outcome.code, outcome.stdout)
    expected = (
        "error: reading the configuration of stack 'nowhere': no stack named 'nowhere' found; "
    )
    assert f"{expected}give one of the names that pulumi stack ls shows\n" == outcome.stderr


def test_check_with_a_wrong_passphrase_names_it(project: Project) -> None:
    """The CLI cannot decrypt the configuration, and its words have no remedy."""
    project.must("config", "set", "--secret", "huaweicloud:password", PASSWORD)

    outcome = check(project, "--stack", "test", PULUMI_CONFIG_PASSPHRASE="another")

    assert (1, "") == (outcome.code, outcome.stdout)
    assert "incorrect passphrase; correct PULUMI_CONFIG_PASSPHRASE: " in outcome.stderr


@pytest.mark.full
def test_check_of_a_stack_whose_preview_fails(project: Project, erp: dict[str, Any]) -> None:
    """What the preview refuses is to do; what is copied already is not looked at."""
    project.up()
    gone = {**erp, "name": "gone", "backup_id": "00000000-0000-4000-8000-000000000000"}
    project.configure({"cbr-replication:replications": [erp, gone]})

    refused = project.run("preview")
    outcome = check(project, "--stack", "test", "--list-backups")

    assert (1, "") == (outcome.code, outcome.stderr)
    assert "ok    copies       replications[0] (erp) to cn-east-3: 1 in the state" in outcome.stdout
    assert "TO DO copies       replications[1] (gone) to cn-east-3: backup" in outcome.stdout
    assert f"{erp['backup_id']}  erp-db-01" in outcome.stdout
    assert 0 != refused.code
    for text in (refused.text, outcome.stdout):
        assert "does not exist in region 'cn-north-4'" in " ".join(text.split())
