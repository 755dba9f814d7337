"""A user's own project: only the built wheel, on the stock dynamic plugin of each SDK."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.testing import Control
from tests.e2e.driver import REPOSITORY, MakeProject

PROGRAM = """
import pulumi
import pulumi_huaweicloud_cbr as cbr

backup = cbr.get_backups(resource_name="erp-db-01", limit=1)[0]
vault = cbr.get_vault("ca0083e4-1bda-48ca-af6d-aa9c8c93bc85", region="cn-east-3")
replica = cbr.BackupReplication(
    "erp",
    cbr.BackupReplicationArgs(
        backup_id=backup.id,
        destination_region="cn-east-3",
        destination_vault_id=vault.id,
        name=pulumi.Config().get("name"),
    ),
)
pulumi.export("record", replica.replication_record_id)
"""


@pytest.fixture(params=["3.255.0", "3.272.0"])
def python(request: pytest.FixtureRequest) -> Path:
    """The interpreter of an environment with the wheel and one SDK, made by `make sdk-venvs`."""
    interpreter = REPOSITORY / ".cache" / f"sdk-{request.param}" / "bin" / "python"
    if not interpreter.exists():
        pytest.fail("run `make sdk-venvs` first; `make test` does")
    return interpreter


def test_wheel_full_cycle(make_program: MakeProject, python: Path, control: Control) -> None:
    """Up, a quiet second up, a rename, a repair after drift and a destroy in a user's project."""
    project = make_program(PROGRAM, python)
    project.up()
    control.advance(20_000)
    project.refresh()
    project.up("--expect-no-changes")
    project.configure({"program:name": "erp-dr"})
    project.up()
    outputs = project.state()["erp"]["outputs"]

    (replica,) = [row for row in control.replicas() if row["region"] == "cn-east-3"]
    assert "erp-dr" == replica["name"] == outputs["name"]
    control.forget_backup(replica["id"])
    project.refresh()
    project.up()
    project.destroy()
    assert [] == [row for row in control.replicas() if row["region"] == "cn-east-3"]
    assert 2 == len(control.journal(operation="CopyBackup"))


def test_wheel_downloads_no_plugin(make_program: MakeProject, python: Path) -> None:
    """The package says that it needs no plugin, so that the engine looks for none."""
    project = make_program(PROGRAM, python)
    project.is_pip_asked = True
    outcome = project.preview("--logtostderr", "--verbose=7")

    assert "huaweicloud-cbr downloading" not in outcome.text
    assert "PLUGIN" not in outcome.stdout


def test_wheel_refusal_is_one_line_without_traceback(
    make_program: MakeProject, python: Path, control: Control
) -> None:
    """An expected error of `up` is shown without a traceback on either SDK."""
    control.fault(
        operation="CopyBackup",
        action="respond",
        status=400,
        body={"error_code": "BackupService.1012", "error_msg": "The maximum number is reached."},
    )
    project = make_program(PROGRAM, python)

    outcome = project.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert "BackupService.1012" in outcome.text
    assert "delete replicas of this backup that are no longer needed" in outcome.text
    assert "Traceback" not in outcome.text
    assert {} == project.state()


def test_wheel_state_moves_between_sdks(make_program: MakeProject, control: Control) -> None:
    """A stack made with one SDK is unchanged under the other."""
    old, new = (
        REPOSITORY / ".cache" / f"sdk-{version}" / "bin" / "python"
        for version in ("3.255.0", "3.272.0")
    )
    project = make_program(PROGRAM, old)
    project.up()
    project.use(new)

    project.up("--expect-no-changes")

    assert 1 == len(control.journal(operation="CopyBackup"))
