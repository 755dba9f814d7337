"""Odd environments: the commands do what they do elsewhere, or say in one line what is wrong.

Each command runs in a process of its own, against a simulator that all tests here share.
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
"""The number of a user that no machine's database knows."""
COMMAND_LIMIT_S = 300
NO_KEYS = {"HW_ACCESS_KEY": "", "HW_SECRET_KEY": ""}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A machine whose encoding is ASCII, also for what is given on the command line."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """A simulator with sockets, as other processes need it."""
    with SimulatorProcess(tmp_path_factory.mktemp("cloud")) as running:
        yield running


def run(
    *command: str,
    environment: dict[str, str],
    cwd: Path | None = None,
    begin: Callable[[], object] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; what it prints is read as if nothing could be wrong with it."""
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
    """Return an environment with an access key, and nothing else of this process's; "" unsets."""
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
    """Run the check command in an environment that is odd in some way."""
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
    """Return what has a command run as a user without rights and without a passwd entry.

    Where the tests run as another user than root, they have no rights already.
    """
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    # A checkout that its owner keeps to himself cannot be tried by others.
    needed = "import pulumi_huaweicloud_cbr; open('Makefile').close()"
    environment = {"PATH": os.environ["PATH"]}
    probe = run(*prefix, sys.executable, "-c", needed, environment=environment, cwd=REPOSITORY)
    if probe.returncode:
        pytest.skip("other users cannot run this Python")
    return prefix


def require_ready(outcome: subprocess.CompletedProcess[str]) -> None:
    """Require what `check` does where nothing is odd."""
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    # What the development mode of Python says of slow callbacks is about the machine.
    said = [line for line in outcome.stderr.splitlines() if not line.startswith("Executing <")]
    assert [] == said
    assert "dr-vault" in outcome.stdout or VAULT in outcome.stdout


# -- proxies -------------------------------------------------------------------------------


def test_address_that_is_exempt_needs_no_proxy(cloud: SimulatorProcess) -> None:
    """Whatever the proxy is, it is not asked; networks are understood."""
    proxies = {"ALL_PROXY": "socks://127.0.0.1:9/", "NO_PROXY": "[fd00::]/8,127.0.0.0/8"}

    require_ready(check(cloud, variables=proxies))


def test_proxy_that_cannot_be_used_is_one_line(cloud: SimulatorProcess) -> None:
    """It names the variable, and there is something to do."""
    outcome = check(cloud, variables={"ALL_PROXY": "socks://127.0.0.1:9/"})

    assert outcome.returncode == 1
    assert "ALL_PROXY names a proxy that cannot be used" in " ".join(outcome.stdout.split())
    assert "Traceback" not in outcome.stdout + outcome.stderr
    assert "fault of the package" not in outcome.stdout


# -- the home directory and the user -------------------------------------------------------


def test_home_that_is_missing_has_no_profile(cloud: SimulatorProcess) -> None:
    """Without HOME, and without a user database's entry, there is no profile file to read."""
    outcome = check(cloud, prefix=as_nobody(), variables={**NO_KEYS, "HOME": ""})

    assert outcome.returncode == 1
    assert "no credentials are configured" in " ".join(outcome.stdout.split())
    assert "Traceback" not in outcome.stderr


def test_home_that_may_not_be_searched_has_no_profile(
    cloud: SimulatorProcess, tmp_path: Path
) -> None:
    """A home of somebody else's, or one that is closed, is as good as none."""
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
    """As in a container that was started with a number for a user."""
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
def test_output_of_any_encoding_replaces_what_it_lacks(
    cloud: SimulatorProcess, encoding: str, shown: str
) -> None:
    """The exit code is that of an account that is ready, not that of a traceback."""
    outcome = check(cloud, variables={"PYTHONIOENCODING": encoding})

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert shown in outcome.stdout


@pytest.mark.usefixtures("emoji")
def test_json_of_any_encoding_loses_nothing(cloud: SimulatorProcess) -> None:
    """Programs read the name as it is; what the encoding lacks is escaped."""
    outcome = check(cloud, "--json", variables={"PYTHONIOENCODING": "gbk"})

    assert outcome.returncode == 0
    assert "备份-💾" in str(json.loads(outcome.stdout))


def test_error_of_any_encoding_is_a_line(tmp_path: Path) -> None:
    """Also what was given on the command line may have characters that the output lacks."""
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
    """No warning becomes an error, none is shown, and no module is looked for in a directory."""
    require_ready(check(cloud, variables=variables))


def test_programs_import_without_a_warning() -> None:
    """What each program and each plugin imports is free of what a newer Python warns of."""
    code = "import pulumi_huaweicloud_cbr.plugin.__main__, pulumi_huaweicloud_cbr.api.cache"
    strict = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error::DeprecationWarning"}

    outcome = run(sys.executable, "-c", code, environment=strict)

    assert outcome.returncode == 0, outcome.stderr


# -- what a process inherits ---------------------------------------------------------------


def ignore_interrupts() -> None:
    """Begin as a process in the background of a script does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def test_interrupts_that_are_ignored_change_nothing(cloud: SimulatorProcess) -> None:
    """As a process that was started in the background inherits it."""
    require_ready(check(cloud, begin=ignore_interrupts))


def test_plugin_host_ends_though_interrupts_were_ignored() -> None:
    """The engine, or whoever started it, can still end it by that signal."""
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
    """Spaces, and characters that YAML or the output would take for something else."""
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
    # Where others may not come in, they may still run what is installed for them.
    assert executable.stat().st_mode & 0o777 == 0o755


def test_plugin_at_an_absolute_path_is_named_so(tmp_path: Path) -> None:
    """The line for Pulumi.yaml names the directory that was written to."""
    outcome = run(
        sys.executable,
        *("-m", "pulumi_huaweicloud_cbr.plugin", "--install", str(tmp_path / "plugin")),
        environment={"PATH": os.environ["PATH"]},
    )

    assert f"path: {tmp_path / 'plugin'}}}" in outcome.stdout.replace('"', "")


def test_plugin_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A file stands where the directory should be."""
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
    """With an output that knows no such characters, in a directory whose name has them."""
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


def test_checkout_that_is_read_only_is_one_line(tmp_path: Path) -> None:
    """No target begins what it cannot end; the list of targets is shown all the same."""
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
