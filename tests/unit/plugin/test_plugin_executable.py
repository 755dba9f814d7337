"""The plugin executable finds the program's Python environment, in any POSIX shell."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr.plugin import __main__ as plugin_main

EXECUTABLE = Path(plugin_main.__file__).with_name(plugin_main.NAME)
SHELLS = [name for name in ("sh", "dash", "bash", "busybox") if shutil.which(name)]
PYTHON = """#!/bin/sh
printf '%s\\n' "$0" "$PATH" "${PYTHONHOME-unset}" "$@"
"""


@dataclass
class Rig:
    """A project below a temporary directory, and the shell that runs the executable."""

    root: Path
    shell: str
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bin = self.root / "bin"
        self.bin.mkdir()
        self.project = self.root / "a project, 项目"
        self.project.mkdir()
        self.write(self.project / "Pulumi.yaml", "name: x\n")

    def write(self, path: Path, text: str = "", mode: int = 0o644) -> Path:
        """Write a file, and create its folders."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def environment(self, place: Path, *, has_package: bool = True) -> Path:
        """Create an environment whose Python prints its arguments; return that Python."""
        if has_package:
            self.write(place / "lib/python3.12/site-packages/pulumi_huaweicloud_cbr/__init__.py")
        return self.write(place / "bin" / "python", PYTHON, 0o755)

    def poetry(self, script: str) -> None:
        """Put a fake poetry on PATH."""
        self.write(self.bin / "poetry", f"#!/bin/sh\n{script}\n", 0o755)

    def run(self, folder: str = ".") -> subprocess.CompletedProcess[str]:
        """Run the executable in a folder of the project, as the engine does."""
        directory = self.project / folder
        directory.mkdir(parents=True, exist_ok=True)
        applet = ["sh"] if self.shell == "busybox" else []
        return subprocess.run(
            [shutil.which(self.shell) or "", *applet, EXECUTABLE, "127.0.0.1:1", "two words"],
            cwd=directory,
            env={"PATH": f"{self.bin}:/usr/bin:/bin", "PYTHONHOME": "/nowhere", **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def chosen(self, folder: str = ".") -> str:
        """Run it. Return the Python that was started with our module and its arguments."""
        done = self.run(folder)
        assert (0, "") == (done.returncode, done.stderr)
        python, path, home, *arguments = done.stdout.splitlines()
        assert [
            *("-u", "-m", "pulumi_huaweicloud_cbr.plugin", "127.0.0.1:1", "two words")
        ] == arguments
        if not python.startswith(str(self.bin)):
            assert path.startswith(f"{Path(python).parent}:")
            assert "unset" == home
        return python

    def refusal(self, folder: str = ".") -> str:
        """Run it. Return the one line that says what was searched."""
        done = self.run(folder)
        assert 1 == done.returncode
        assert "" == done.stdout
        (line,) = done.stderr.splitlines()
        start = "pulumi-resource-pulumi-python: no Python environment for the plugin host: "
        assert line.startswith(start)
        return line.removeprefix(start)


@pytest.fixture(params=SHELLS)
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Rig:
    """A project, for each shell of this machine."""
    return Rig(tmp_path, request.param)


def test_shells_are_the_real_ones() -> None:
    """CI runs at least the shell that is Debian's /bin/sh, and bash."""
    assert {"sh", "bash"} <= set(SHELLS)


def test_nothing_named_starts_python3_on_path(rig: Rig) -> None:
    """An activated environment is first on PATH."""
    python = rig.write(rig.bin / "python3", PYTHON, 0o755)

    assert str(python) == rig.chosen()


def test_command_that_is_named_is_started(rig: Rig) -> None:
    """PULUMI_PYTHON_CMD names another one."""
    python = rig.write(rig.bin / "python-of-mine", PYTHON, 0o755)
    rig.variables["PULUMI_PYTHON_CMD"] = "python-of-mine"

    assert str(python) == rig.chosen()


def test_command_that_is_missing_is_named(rig: Rig) -> None:
    """The one line names it."""
    rig.variables["PULUMI_PYTHON_CMD"] = "python-of-mine"

    assert "looked for python-of-mine on PATH" == rig.refusal()


@pytest.mark.parametrize("folder", [".", "main", "deep/main"])
@pytest.mark.parametrize("toolchain", ["", "pip", "uv"])
def test_relative_virtualenv_is_the_projects(rig: Rig, folder: str, toolchain: str) -> None:
    """It is found from each folder that `main:` may name, with or without a trailing slash."""
    python = rig.environment(rig.project / "venv")
    rig.variables |= {
        "PULUMI_RUNTIME_VIRTUALENV": "venv/" if folder == "main" else "venv",
        "PULUMI_RUNTIME_TOOLCHAIN": toolchain,
    }

    assert str(python) == rig.chosen(folder)


def test_relative_virtualenv_of_the_project_precedes_the_programs(rig: Rig) -> None:
    """Pulumi's language host uses the project's, so the plugin must do the same."""
    rig.environment(rig.project / "main" / "venv")
    rig.variables["PULUMI_RUNTIME_VIRTUALENV"] = "venv"
    program = rig.chosen("main")
    python = rig.environment(rig.project / "venv")

    assert str(rig.project / "main" / "venv" / "bin" / "python") == program
    assert str(python) == rig.chosen("main")


def test_relative_virtualenv_in_a_folder_between_is_found(rig: Rig) -> None:
    """Each folder from the program's up to the project's is searched."""
    python = rig.environment(rig.project / "deep" / "venv")
    rig.variables["PULUMI_RUNTIME_VIRTUALENV"] = "venv"

    assert str(python) == rig.chosen("deep/main")


def test_absolute_virtualenv_is_used_unchanged(rig: Rig) -> None:
    """It may be anywhere."""
    python = rig.environment(rig.root / "elsewhere")
    rig.variables["PULUMI_RUNTIME_VIRTUALENV"] = str(rig.root / "elsewhere")

    assert str(python) == rig.chosen("main")


def test_virtualenv_that_is_missing_is_named(rig: Rig) -> None:
    """The line names each searched folder; none is outside of the project."""
    rig.environment(rig.root / "venv")
    rig.variables["PULUMI_RUNTIME_VIRTUALENV"] = "venv"
    project = rig.project

    assert (
        f"looked for venv/bin/python in {project}, {project}/deep/main, {project}/deep "
        "(virtualenv in Pulumi.yaml)"
    ) == rig.refusal("deep/main")
    rig.variables["PULUMI_RUNTIME_VIRTUALENV"] = "/none"
    assert "looked for /none/bin/python (virtualenv in Pulumi.yaml)" == rig.refusal()


@pytest.mark.parametrize("marker", ["uv.lock", "pyproject.toml", None])
@pytest.mark.parametrize("folder", [".", "main"])
def test_uv_environment_is_found(rig: Rig, marker: str | None, folder: str) -> None:
    """It is beside uv's files, or in the project."""
    if marker:
        rig.write(rig.project / marker)
    python = rig.environment(rig.project / ".venv")
    rig.variables["PULUMI_RUNTIME_TOOLCHAIN"] = "uv"

    assert str(python) == rig.chosen(folder)


def test_uv_workspace_above_the_project_is_found(rig: Rig) -> None:
    """The lock file shows where the workspace's environment is."""
    rig.write(rig.root / "uv.lock")
    rig.write(rig.project / "pyproject.toml")
    python = rig.environment(rig.root / ".venv")
    rig.variables["PULUMI_RUNTIME_TOOLCHAIN"] = "uv"

    assert str(python) == rig.chosen("main")


@pytest.mark.parametrize("is_absolute", [True, False])
def test_uv_environment_of_another_name_is_found(rig: Rig, is_absolute: bool) -> None:
    """UV_PROJECT_ENVIRONMENT names it, relative to the project of uv."""
    rig.write(rig.project / "uv.lock")
    python = rig.environment(rig.project / "envs" / "dev")
    rig.variables |= {
        "PULUMI_RUNTIME_TOOLCHAIN": "uv",
        "UV_PROJECT_ENVIRONMENT": str(rig.project / "envs/dev") if is_absolute else "envs/dev",
    }

    assert str(python) == rig.chosen("main")


def test_uv_environment_that_is_missing_is_named(rig: Rig) -> None:
    """The line names each folder once."""
    rig.write(rig.root / "uv.lock")
    rig.variables["PULUMI_RUNTIME_TOOLCHAIN"] = "uv"

    assert (
        f"looked for .venv/bin/python in {rig.root}, {rig.project}, {rig.project}/main "
        "(toolchain: uv)"
    ) == rig.refusal("main")
    rig.variables["UV_PROJECT_ENVIRONMENT"] = "/none"
    assert "looked for /none/bin/python (toolchain: uv)" == rig.refusal("main")


def test_poetry_names_its_environment(rig: Rig) -> None:
    """Poetry knows its environment, also from a folder of the program."""
    python = rig.environment(rig.root / "cache" / "x-py3.12")
    rig.poetry(f'[ "$*" = "env info --path" ] && echo "{python.parents[1]}"')
    rig.variables["PULUMI_RUNTIME_TOOLCHAIN"] = "poetry"

    assert str(python) == rig.chosen("main")


def test_poetry_that_is_missing_is_named(rig: Rig) -> None:
    """The line names the command."""
    rig.variables["PULUMI_RUNTIME_TOOLCHAIN"] = "poetry"

    assert "looked for the command poetry on PATH (toolchain: poetry)" == rig.refusal()


@pytest.mark.parametrize(
    ("script", "told"), [("exit 1", "''"), ("echo /none", "'/none'"), ("echo", "''")]
)
def test_poetry_without_an_environment_is_reported(rig: Rig, script: str, told: str) -> None:
    """The line contains poetry's answer."""
    rig.poetry(script)
    rig.variables["PULUMI_RUNTIME_TOOLCHAIN"] = "poetry"

    expected = f"looked for bin/python where poetry env info --path says: {told}"
    assert expected == rig.refusal()


@pytest.mark.parametrize("lock", ["uv.lock", "poetry.lock"])
def test_lock_file_selects_the_toolchain(rig: Rig, lock: str) -> None:
    """A new language host uses it if Pulumi.yaml names no toolchain."""
    rig.write(rig.project / lock)
    python = rig.environment(rig.project / ".venv")
    rig.poetry(f"echo '{rig.project / '.venv'}'")

    assert str(python) == rig.chosen("main")


@pytest.mark.parametrize("lock", ["uv.lock", "poetry.lock"])
@pytest.mark.parametrize("spoil", ["no package", "no environment", "pip"])
def test_lock_file_alone_forces_nothing(rig: Rig, lock: str, spoil: str) -> None:
    """An older language host takes python3 on PATH: it is used if that cannot be ours."""
    first = rig.write(rig.bin / "python3", PYTHON, 0o755)
    rig.write(rig.project / lock)
    if spoil != "no environment":
        rig.environment(rig.project / ".venv", has_package=spoil != "no package")
        rig.poetry(f"echo '{rig.project / '.venv'}'")
    rig.variables["PULUMI_RUNTIME_TOOLCHAIN"] = "pip" if spoil == "pip" else ""

    assert str(first) == rig.chosen("main")


def test_root_of_the_file_system_ends_the_search(rig: Rig) -> None:
    """A project in `/` causes no endless loop."""
    done = subprocess.run(
        ["/bin/sh", EXECUTABLE],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PULUMI_RUNTIME_VIRTUALENV": "none/of/that"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert 1 == done.returncode
    assert "looked for none/of/that/bin/python in / (" in done.stderr
    assert rig.project.exists()
