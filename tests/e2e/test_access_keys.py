"""Access keys with the real CLI, from the stack's secrets, the environment and a profile file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import MakeProject

KEYS = {"accessKey": "DEMOACCESSKEY0000002", "secretKey": "not-a-secret-demo-key-2"}
SECURITY_TOKEN = "not-a-secret-demo-security-token"
VARIABLES = {"accessKey": "HUAWEICLOUD_SDK_AK", "secretKey": "HUAWEICLOUD_SDK_SK"}


# The search for keys is tested in process (test_access_keys.py, test_credential_chain.py).
@pytest.mark.parametrize(
    "place",
    [
        pytest.param("configuration", marks=pytest.mark.full),
        pytest.param("environment", marks=pytest.mark.full),
        pytest.param("profile", marks=pytest.mark.full),
    ],
)
def test_access_key_serves_a_whole_life(
    make_stacks_project: MakeProject,
    erp: dict[str, Any],
    control: Control,
    tmp_path: Path,
    place: str,
) -> None:
    """Temporary keys create, refresh and destroy; nobody signs in, and nothing stores them."""
    project = make_stacks_project([erp])
    project.environment["PULUMI_HUAWEICLOUD_CBR_LOG"] = "debug"
    del project.environment["HW_USER_PASSWORD"]
    if place == "configuration":
        secrets = {**KEYS, "securityToken": SECURITY_TOKEN}
        project.configure({}, {f"huaweicloud:{key}": value for key, value in secrets.items()})
    elif place == "profile":
        profile = tmp_path / "credentials-of-the-vendors-tools"
        names = ("ak", "sk", "security_token")
        lines = zip(names, (*KEYS.values(), SECURITY_TOKEN), strict=True)
        profile.write_text("\n".join(["[basic]", *(f"{name} = {value}" for name, value in lines)]))
        project.environment["HUAWEICLOUD_SDK_CREDENTIALS_FILE"] = str(profile)
    else:
        project.environment |= {VARIABLES[key]: value for key, value in KEYS.items()}
        project.environment["HUAWEICLOUD_SDK_SECURITY_TOKEN"] = SECURITY_TOKEN

    printed = [project.up().text, project.refresh().text]
    copied = control.replicas()
    stored = project.everything_stored()
    printed.append(project.destroy().text)

    assert {"cn-east-3"} == {row["region"] for row in copied if row["name"] != "a-replica"}
    assert [] == [row for row in control.replicas() if row["name"] != "a-replica"]
    assert [] == control.journal(operation="CreateToken")
    everything = "\n".join([*printed, stored, project.everything_stored()])
    everything += project.config_file.read_text()
    for secret in (*KEYS.values(), SECURITY_TOKEN, "Signature="):
        assert secret not in everything
