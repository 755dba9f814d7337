"""`import-file` against the simulator: what it prints, for the reference of commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr.__main__ import main
from pulumi_huaweicloud_cbr.commands.stack import import_file
from pulumi_huaweicloud_cbr.config.setting_names import KEYS
from simulator.testing import InProcessSimulator
from tests.contract.listing import shown
from tests.contract.owning import Estate, make_estate
from tests.contract.rig import BACKUP

pytestmark = pytest.mark.simulator_only

TEXT = Path(__file__).parents[1] / "fixtures" / "import_file.txt"


@pytest.fixture
def estate(
    simulator: InProcessSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Estate]:
    """A cloud for settings of the environment, and an empty directory for the file."""
    estate = make_estate(simulator)
    monkeypatch.chdir(tmp_path)
    for key in KEYS:
        if value := estate.configured.get(f"huaweicloud:{key.config}"):
            monkeypatch.setenv(key.env, value)
    yield estate
    estate.engine.session.close()


def test_file_and_next_step_are_printed(
    estate: Estate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each copy is a line, and the command that takes them over follows."""
    replica = estate.copy(BACKUP)
    (record,) = estate.control.records()

    assert 0 == main(["import-file", f"erp=cn-north-4/{BACKUP}/{record['id']}"])

    assert TEXT.read_text() == shown(estate, capsys.readouterr().out)
    (resource,) = json.loads((tmp_path / "import.json").read_text())["resources"]
    assert replica == resource["outputs"]["destination_backup_id"]


def test_next_step_is_in_the_projects_directory(
    estate: Estate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The CLI enters that directory before it opens the file, so the file's path is absolute."""
    asked: list[object] = []

    def settings_of(*given: object) -> dict[str, str]:
        asked.extend(given)
        return {}

    monkeypatch.setattr(import_file, "_settings_of", settings_of)
    estate.copy(BACKUP)
    (record,) = estate.control.records()
    arguments = [f"erp=cn-north-4/{BACKUP}/{record['id']}", "--stack", "prod", "--cwd", "infra"]

    assert 0 == main(["import-file", *arguments])

    assert ["prod", Path("infra")] == asked
    assert (
        f"  pulumi import --file {tmp_path.resolve()}/import.json --generate-code=false "
        "--protect=false --yes --stack prod --cwd infra\n"
    ) in capsys.readouterr().out


def test_missing_replication_writes_no_file(
    estate: Estate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that cannot be read leaves all of them out."""
    nowhere = "00000000-0000-4000-8000-000000000000"

    assert 1 == main(["import-file", f"erp=cn-north-4/{nowhere}/{nowhere}"])

    assert capsys.readouterr().err.startswith("error: ")
    assert [] != estate.control.journal(operation="ShowBackup")
    assert not (tmp_path / "import.json").exists()
