"""Odd environments: commands work as elsewhere, or report in one line what is wrong.

Each command runs in its own process, against a simulator that all tests here share.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator.testing import SimulatorProcess
from tests.contract.rig import BACKUP, VAULT

pytestmark = pytest.mark.simulator_only

REPOSITORY = Path(__file__).resolve().parents[2]
NOBODY = 54_321
"""A user id that is in no machine's user database."""
COMMAND_LIMIT_S = 300
NO_KEYS = {"HW_ACCESS_KEY": "", "HW_SECRET_KEY": ""}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A machine with the encoding ASCII, also for command-line arguments."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """A simulator with sockets, for other processes."""
    with SimulatorProcess(tmp_path_factory.mktemp("cloud")) as running:
        yield running


def run(
    *command: str,
    environment: dict[str, str],
    cwd: Path | None = None,
    begin: Callable[[], object] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. Its output is decoded without errors."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        stdin=subprocess.DEVNULL,
        timeout=COMMAND_LIMIT_S,
        check=False,
        preexec_fn=begin,
    )


def connected(cloud: SimulatorProcess, changes: dict[str, str]) -> dict[str, str]:
    """Return an environment with an access key only; "" unsets a variable."""
    address = f"{cloud.url}/regions/{{region}}"
    whole = {
        "PATH": os.environ["PATH"],
        "HOME": str(REPOSITORY),
        "HW_METADATA": "false",
        "HW_REGION_NAME": "cn-north-4",
        "HW_ACCESS_KEY": "DEMOACCESSKEY0000001",
        "HW_SECRET_KEY": "not-a-secret-demo-key",
        "HW_ENDPOINTS": json.dumps({"cbr": address, "iam": address}),
        **changes,
    }
    return {name: value for name, value in whole.items() if value}


def check(
    cloud: SimulatorProcess,
    *options: str,
    prefix: tuple[str, ...] = (),
    begin: Callable[[], object] | None = None,
    variables: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the check command in an odd environment."""
    command = (sys.executable, "-m", "pulumi_huaweicloud_cbr", "check")
    return run(
        *prefix,
        *command,
        "--destination",
        "cn-east-3",
        *options,
        environment=connected(cloud, variables or {}),
        begin=begin,
    )


def as_nobody() -> tuple[str, ...]:
    """Return a prefix that runs a command as a user without rights and passwd entry.

    It is empty if the tests do not run as root: then they have no special rights.
    """
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    # Other users cannot read a checkout that is private to its owner.
    needed = "import pulumi_huaweicloud_cbr; open('Makefile').close()"
    environment = {"PATH": os.environ["PATH"]}
    probe = run(*prefix, sys.executable, "-c", needed, environment=environment, cwd=REPOSITORY)
    if probe.returncode:
        pytest.skip("other users cannot run this Python")
    return prefix


def require_ready(outcome: subprocess.CompletedProcess[str]) -> None:
    """Require the output of `check` in an ordinary environment."""
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    # Python's development mode reports slow callbacks; they depend on the machine.
    said = [line for line in outcome.stderr.splitlines() if not line.startswith("Executing <")]
    assert [] == said
    assert "dr-vault" in outcome.stdout or VAULT in outcome.stdout


# -- proxies -------------------------------------------------------------------------------


def test_address_that_is_exempt_needs_no_proxy(cloud: SimulatorProcess) -> None:
    """A proxy is not used for an exempt address, whatever the proxy is. Networks are supported."""
    proxies = {"ALL_PROXY": "socks://127.0.0.1:9/", "NO_PROXY": "[fd00::]/8,127.0.0.0/8"}

    require_ready(check(cloud, variables=proxies))


def test_unusable_proxy_is_a_one_line_error(cloud: SimulatorProcess) -> None:
    """It names the variable and a remedy."""
    outcome = check(cloud, variables={"ALL_PROXY": "socks://127.0.0.1:9/"})

    assert outcome.returncode == 1
    assert "ALL_PROXY names a proxy that cannot be used" in " ".join(outcome.stdout.split())
    assert "Traceback" not in outcome.stdout + outcome.stderr
    assert "fault of the package" not in outcome.stdout


# -- the home directory and the user -------------------------------------------------------


def test_missing_home_has_no_profile(cloud: SimulatorProcess) -> None:
    """Without HOME, and without an entry in the user database, there is no profile file."""
    outcome = check(cloud, prefix=as_nobody(), variables={**NO_KEYS, "HOME": ""})

    assert outcome.returncode == 1
    assert "no credentials are configured" in " ".join(outcome.stdout.split())
    assert "Traceback" not in outcome.stderr


def test_inaccessible_home_has_no_profile(cloud: SimulatorProcess, tmp_path: Path) -> None:
    """A home directory that cannot be entered counts as none."""
    prefix = as_nobody()
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / ".huaweicloud").mkdir()
    (home / ".huaweicloud" / "credentials").write_text("[basic]\n")
    home.chmod(0o000)
    look = f"import os; os.stat({str(home / '.huaweicloud')!r})"
    probe = run(*prefix, sys.executable, "-c", look, environment={"PATH": os.environ["PATH"]})
    if probe.returncode == 0:
        pytest.skip("this machine keeps nobody from searching a directory")

    outcome = check(cloud, prefix=prefix, variables={**NO_KEYS, "HOME": str(home)})
    home.chmod(0o700)

    assert outcome.returncode == 1
    assert "no credentials are configured" in " ".join(outcome.stdout.split())
    assert "Traceback" not in outcome.stderr


def test_user_without_a_passwd_entry_can_check(cloud: SimulatorProcess) -> None:
    """As in a container that was started with a numeric user id."""
    require_ready(check(cloud, prefix=as_nobody(), variables={"HOME": "/nonexistent"}))


# -- the encoding of the output ------------------------------------------------------------


@pytest.fixture
def emoji(cloud: SimulatorProcess) -> Iterator[None]:
    """A destination vault whose name has a character that few encodings have."""
    vault = {
        "id": VAULT,
        "name": "备份-💾",
        "billing": {"protect_type": "replication", "size": 500, "status": "available"},
    }
    cloud.control.fault(
        operation="ListVault",
        action="respond",
        status=200,
        body={"vaults": [vault], "count": 1},
        times=1000,
    )
    yield
    cloud.control.drop_faults()


@pytest.mark.usefixtures("emoji")
@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", "??-?"), ("gbk", "\\xb1\\xb8\\xb7\\xdd-?")]
)
def test_output_of_any_encoding_replaces_missing_characters(
    cloud: SimulatorProcess, encoding: str, shown: str
) -> None:
    """The exit code is that of a ready account, not that of a traceback."""
    outcome = check(cloud, variables={"PYTHONIOENCODING": encoding})

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert shown in outcome.stdout


@pytest.mark.usefixtures("emoji")
def test_json_of_any_encoding_loses_nothing(cloud: SimulatorProcess) -> None:
    """Programs read the name unchanged; characters that the encoding lacks are escaped."""
    outcome = check(cloud, "--json", variables={"PYTHONIOENCODING": "gbk"})

    assert outcome.returncode == 0
    assert "备份-💾" in str(json.loads(outcome.stdout))


def test_error_of_any_encoding_is_one_line(tmp_path: Path) -> None:
    """Command-line arguments may also have characters that the output lacks."""
    outcome = run(
        sys.executable,
        *("-m", "pulumi_huaweicloud_cbr", "import-file", "备份-💾"),
        environment={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii"},
        cwd=tmp_path,
    )

    assert outcome.returncode == 1
    assert outcome.stderr.startswith("error: reading ")
    assert outcome.stderr.count("\n") == 1


# -- how Python is started -----------------------------------------------------------------


@pytest.mark.parametrize(
    "variables",
    [{"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error", "PYTHONSAFEPATH": "1"}, C_LOCALE],
    ids="-".join,
)
def test_settings_of_python_change_nothing(
    cloud: SimulatorProcess, variables: dict[str, str]
) -> None:
    """No warning becomes an error or is shown, and no module is imported from a directory."""
    require_ready(check(cloud, variables=variables))


def test_programs_import_without_a_warning() -> None:
    """What each program and plugin imports causes no warnings of a newer Python."""
    code = "import pulumi_huaweicloud_cbr.plugin.__main__, pulumi_huaweicloud_cbr.api.cache"
    strict = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error::DeprecationWarning"}

    outcome = run(sys.executable, "-c", code, environment=strict)

    assert outcome.returncode == 0, outcome.stderr


# -- what a process inherits ---------------------------------------------------------------


def ignore_interrupts() -> None:
    """Start as a background process of a script does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def test_ignored_interrupts_change_nothing(cloud: SimulatorProcess) -> None:
    """A process that was started in the background inherits ignored interrupts."""
    require_ready(check(cloud, begin=ignore_interrupts))


def test_plugin_host_ends_although_interrupts_were_ignored() -> None:
    """The engine, or whoever started the host, can still end it with that signal."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi_huaweicloud_cbr.plugin", "127.0.0.1:9"],
        env={"PATH": os.environ["PATH"], "PYTHONSAFEPATH": "1", "PYTHONDEVMODE": "1"},
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        preexec_fn=ignore_interrupts,  # noqa: PLW1509 -- as above
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        process.send_signal(signal.SIGINT)
        assert process.wait(COMMAND_LIMIT_S) == 0


@pytest.mark.parametrize(
    ("directory", "named"),
    [("插件", '"./\\u63d2\\u4ef6"'), ("a, b: {c}", '"./a, b: {c}"')],
)
def test_plugin_is_installed_at_any_path(tmp_path: Path, directory: str, named: str) -> None:
    """Spaces, and characters with a meaning in YAML or in the output."""
    outcome = run(
        sys.executable,
        *("-m", "pulumi_huaweicloud_cbr.plugin", "--install", directory),
        environment={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii"},
        cwd=tmp_path,
        begin=lambda: os.umask(0o077),
    )

    assert outcome.returncode == 0, outcome.stderr
    assert f"path: {named}}}]}}" in outcome.stdout
    executable = tmp_path / directory / "pulumi-resource-pulumi-python"
    # Other users may not list this directory, but may run what is installed in it.
    assert executable.stat().st_mode & 0o777 == 0o755


def test_plugin_at_an_absolute_path_is_named_so(tmp_path: Path) -> None:
    """The line for Pulumi.yaml names the directory that was written to."""
    outcome = run(
        sys.executable,
        *("-m", "pulumi_huaweicloud_cbr.plugin", "--install", str(tmp_path / "plugin")),
        environment={"PATH": os.environ["PATH"]},
    )

    assert f"path: {tmp_path / 'plugin'}}}" in outcome.stdout.replace('"', "")


def test_plugin_that_cannot_be_written_is_a_one_line_error(tmp_path: Path) -> None:
    """The target directory is a file."""
    (tmp_path / "plugin").write_text("")

    outcome = run(
        sys.executable,
        *("-m", "pulumi_huaweicloud_cbr.plugin", "--install"),
        environment={"PATH": os.environ["PATH"]},
        cwd=tmp_path,
    )

    assert outcome.returncode == 1
    assert outcome.stderr.startswith("error: writing ")
    assert outcome.stderr.count("\n") == 1


def test_import_file_is_utf_8_at_any_path(cloud: SimulatorProcess, tmp_path: Path) -> None:
    """The output lacks these characters, and the directory's name has them."""
    directory = tmp_path / "带 空格"
    directory.mkdir()
    control = cloud.control
    source = next(row for row in control.state()["backups"] if row["id"] == BACKUP)
    record = {
        "id": "22edc1e1-314b-4e5f-a443-a59fd79a71a8",
        "status": "replicating",
        "destination_region": "cn-east-3",
        "destination_project_id": "863129926600475a959e8f2efb991722",
        "destination_vault_id": VAULT,
    }
    body = {"backup": {**source, "replication_records": [record]}}
    control.fault(operation="ShowBackup", action="respond", status=200, body=body, times=1000)

    outcome = run(
        sys.executable,
        *("-m", "pulumi_huaweicloud_cbr", "import-file", "--out", "导入 文件.json"),
        f"服务器=cn-north-4/{BACKUP}/{record['id']}",
        environment=connected(cloud, C_LOCALE),
        cwd=directory,
    )
    control.drop_faults()

    assert outcome.returncode == 0, outcome.stderr
    (resource,) = json.loads((directory / "导入 文件.json").read_text("utf-8"))["resources"]
    assert resource["name"] == "服务器"


# -- make ----------------------------------------------------------------------------------


def test_read_only_checkout_is_a_one_line_error(tmp_path: Path) -> None:
    """No target begins what it cannot finish; the list of targets is still shown."""
    prefix = as_nobody()
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    shutil.copy(REPOSITORY / "Makefile", checkout)
    for directory in (checkout, tmp_path, *tmp_path.parents[:3]):
        directory.chmod(directory.stat().st_mode | 0o055)
    checkout.chmod(0o555)
    environment = {"PATH": os.environ["PATH"]}
    probe = run(*prefix, "test", "-w", str(checkout), environment=environment)
    if probe.returncode == 0:
        pytest.skip("this machine keeps nobody from writing into a directory")

    demo = run(*prefix, "make", "demo", environment=environment, cwd=checkout)
    listed = run(*prefix, "make", environment=environment, cwd=checkout)
    checkout.chmod(0o755)

    assert demo.returncode == 2
    lines = [line for line in demo.stderr.splitlines() if "find:" not in line]
    assert len(lines) == 1
    assert "cannot be written to" in lines[0]
    assert listed.returncode == 0
    assert "demo" in listed.stdout
