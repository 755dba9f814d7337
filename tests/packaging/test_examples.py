"""The programs in the pages are correct for a strict type checker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.checks.examples import REPOSITORY, programs


def test_programs_have_correct_types(tmp_path: Path) -> None:
    """Names, inputs and options exist and have their types; nothing is run."""
    names = {}
    for number, example in enumerate(programs()):
        file = tmp_path / f"example_{number}.py"
        file.write_text(example.text, encoding="utf-8")
        names[file.name] = example.name
    command = [sys.executable, "-m", "mypy", "--config-file", str(REPOSITORY / "pyproject.toml")]
    command += ["--cache-dir", str(REPOSITORY / ".mypy_cache" / "examples")]
    checked = subprocess.run(
        [*command, *names], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    found = [
        f"{names[line.partition(':')[0]]}: {line}"
        for line in checked.stdout.splitlines()
        if line.partition(":")[0] in names
    ]
    assert [] == found
    assert 0 == checked.returncode, checked.stdout + checked.stderr
