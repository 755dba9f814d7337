"""Pyright, the engine of editors, accepts the right programs and refuses the wrong ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent


def test_pyright_agrees_with_mypy(tmp_path: Path) -> None:
    """It refuses each line that has a comment for mypy, and no other one."""
    programs = [HERE / "right_programs.py", HERE / "wrong_programs.py"]
    settings = {
        "typeCheckingMode": "standard",
        "enableTypeIgnoreComments": False,
        "include": [str(program) for program in programs],
        "extraPaths": [str(ROOT / "provider")],
        "pythonVersion": "3.11",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))

    found = subprocess.run(
        [
            *(sys.executable, "-m", "basedpyright", "--outputjson"),
            *("--project", tmp_path, "--pythonpath", sys.executable),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    report: dict[str, Any] = json.loads(found.stdout)
    assert len(programs) == report["summary"]["filesAnalyzed"]
    refused = {
        (Path(fault["file"]).name, fault["range"]["start"]["line"] + 1)
        for fault in report["generalDiagnostics"]
        if fault["severity"] == "error"
    }
    assert refused == {
        ("wrong_programs.py", number)
        for number, line in enumerate(programs[1].read_text().splitlines(), 1)
        if "# type: ignore" in line
    }
