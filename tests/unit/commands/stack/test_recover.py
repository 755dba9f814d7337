"""`recover` with a fake CLI: what it removes, and what it leaves alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.__main__ import main
from pulumi_huaweicloud_cbr.commands.stack.recover import command as recover
from pulumi_huaweicloud_cbr.commands.stack.recover.holders import Seen
from pulumi_huaweicloud_cbr.commands.stack.recover.locks import Lock, locks_in, require_dead
from pulumi_huaweicloud_cbr.commands.stack.recover.processes import Processes

TEXT = Path(__file__).parents[3] / "fixtures" / "recover.txt"
HERE = socket.gethostname()
OURS = "pulumi-python:dynamic/huaweicloud_cbr:BackupReplication"
STACK_URN = "urn:pulumi:test::p::pulumi:pulumi:Stack::p-test"
REFUSED = (
    "error: the stack is currently locked by {} lock(s). Either wait for the other process(es) to "
    "end or delete the lock file with `pulumi cancel`."
)

# Treats a folder as the CLI treats a backend (pulumi 3.255, backend/diy/lock.go and
# cmd/pulumi/operations/refresh.go): `locks/` contains locks, `state.json` the deployment.
CLI = """#!{python}
import json, pathlib, sys
root = pathlib.Path({root!r})
arguments = sys.argv[1:]
with (root / "calls").open("a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
assert "--non-interactive" == arguments.pop(0)
command = arguments[0]
locks = root / "locks"
state = json.loads((root / "state.json").read_text())
if command == "stack":
    print(json.dumps({{"version": 3, "deployment": state}}))
elif command == "cancel":
    for path in locks.iterdir():
        path.unlink()
elif command == "refresh":
    found = sorted(path for path in locks.iterdir() if path.suffix == ".json")
    if found:
        print({refused!r}.format(len(found)), file=sys.stderr)
        for path in found:
            lock = json.loads(path.read_text())
            print("  %s%s: created by %s@%s (pid %s) at %s" % (
                (root / "backend").read_text(), path, lock["username"], lock["hostname"],
                lock["pid"], lock["timestamp"]), file=sys.stderr)
        sys.exit(255)
    if (root / "failure").exists():
        print((root / "failure").read_text(), file=sys.stderr)
        sys.exit(255)
    if "--clear-pending-creates" in arguments:
        state["pending_operations"] = []
    state["pending_operations"] = [
        row for row in state["pending_operations"] if row["type"] == "creating"
    ]
    (root / "state.json").write_text(json.dumps(state))
"""


@dataclass
class Backend:
    """The folder of a fake CLI."""

    root: Path

    def lock(self, pid: int, host: str = HERE, when: str = "locks", **content: Any) -> Path:
        """Create a lock, at the start or later."""
        (self.root / when).mkdir(exist_ok=True)
        number = len(list(self.root.rglob("lock-*")))
        path = self.root / when / f"lock-{number}.json"
        known = {"pid": pid, "username": "ops", "hostname": host, "timestamp": at(0), **content}
        path.write_text(json.dumps(known))
        return path

    def interrupted(self, kind: str, name: str, type_: str = OURS, *, is_known: bool) -> str:
        """Add a pending operation; return the resource's URN."""
        state = self.state()
        urn = f"urn:pulumi:test::p::{type_}::{name}"
        resource = {"urn": urn, "type": type_, "custom": True}
        state["pending_operations"].append({"type": kind, "resource": resource})
        if is_known:
            state["resources"].append(resource)
        (self.root / "state.json").write_text(json.dumps(state))
        return urn

    def state(self) -> dict[str, Any]:
        """Return the state."""
        state: dict[str, Any] = json.loads((self.root / "state.json").read_text())
        return state

    def calls(self, command: str) -> list[list[str]]:
        """Return the options of the calls of a command."""
        rows = [json.loads(line) for line in (self.root / "calls").read_text().splitlines()]
        return [row[2:] for row in rows if row[1] == command]

    def locks(self) -> list[str]:
        """Return the remaining locks."""
        return sorted(path.name for path in (self.root / "locks").iterdir())


def at(minutes: int) -> str:
    """Return a time in the format of a lock, this many minutes from now."""
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A file backend with one stack, and its CLI."""
    for folder in ("locks", "bin"):
        (tmp_path / folder).mkdir()
    state = {"resources": [{"urn": STACK_URN, "type": "pulumi:pulumi:Stack"}]}
    (tmp_path / "state.json").write_text(json.dumps({**state, "pending_operations": []}))
    (tmp_path / "backend").write_text("file://")
    cli = tmp_path / "bin" / "pulumi"
    cli.write_text(CLI.format(python=sys.executable, root=str(tmp_path), refused=REFUSED))
    cli.chmod(0o755)
    monkeypatch.setenv("PATH", f"{cli.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(Processes, "is_isolated", False)
    return Backend(tmp_path)


@pytest.fixture
def dead() -> int:
    """The id of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


@pytest.fixture
def cli_alive(tmp_path: Path) -> Iterator[int]:
    """The id of a running process named pulumi."""
    program = tmp_path / "running" / "pulumi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nread line\n")
    program.chmod(0o755)
    with subprocess.Popen([program], stdin=subprocess.PIPE) as running:
        yield running.pid


@pytest.fixture
def other_alive() -> Iterator[int]:
    """The id of a running process that is another program."""
    with subprocess.Popen(["/bin/sh", "-c", "read line"], stdin=subprocess.PIPE) as running:
        yield running.pid


def recovered(*options: str) -> int:
    """Run the command; return its exit code."""
    return main(["recover", "--stack", "test", *options])


def test_stack_without_lock_and_pending_operations_is_left_as_it_is(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is changed, no resource is asked for, and the next step is named."""
    assert 0 == recovered()

    assert [["--yes", "--skip-preview", "--clear-pending-creates", "--target", STACK_URN,
             "--stack", "test"]] == backend.calls("refresh")  # fmt: skip
    assert capsys.readouterr().out.endswith(
        "Go on with the command that was killed, such as:\n  pulumi up --stack test\n"
        "Then see whether a replica is left without an owner:\n"
        "  python -m pulumi_huaweicloud_cbr owners --stack test\n"
    )


def test_dead_holders_lock_is_removed_with_files_beside_it(
    backend: Backend, dead: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exactly that file is removed, not whatever `cancel` would find."""
    path = backend.lock(dead)
    path.with_name(f"{path.name}.attrs").write_text("{}")

    assert 0 == recovered()

    assert [] == backend.locks()
    assert [] == backend.calls("cancel")
    assert f"Removed the lock of ops@{HERE} (process {dead} since " in capsys.readouterr().out


@pytest.mark.parametrize("scheme", ["s3://state", "postgres://****:****@127.0.0.1:5432/db"])
def test_lock_outside_of_files_is_cancelled_at_the_users_word(
    backend: Backend, dead: int, scheme: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other machines can lock there, so a name proves nothing. Only the CLI can remove it."""
    (backend.root / "backend").write_text(scheme)
    backend.lock(dead)
    assert 1 == recovered()
    assert [] == backend.calls("cancel")
    assert f"add --dead {HERE}:{dead}" in capsys.readouterr().err

    assert 0 == recovered("--dead", f"{HERE}:{dead}")

    assert [] == backend.locks()
    assert [["--yes", "--stack", "test"]] == backend.calls("cancel")


@pytest.mark.parametrize("scheme", ["file://", "s3://state"])
def test_living_holders_lock_stays(
    backend: Backend, cli_alive: int, scheme: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A running `up` would lose its state, whatever the user says."""
    (backend.root / "backend").write_text(scheme)
    backend.lock(cli_alive)

    assert 1 == recovered("--dead", f"{HERE}:{cli_alive}")

    assert ["lock-0.json"] == backend.locks()
    assert [] == backend.calls("cancel")
    assert "that process is alive; wait for it" in capsys.readouterr().err


@pytest.mark.parametrize("scheme", ["file://", "s3://state"])
def test_one_living_holder_among_several_keeps_all_locks(
    backend: Backend, dead: int, cli_alive: int, scheme: str
) -> None:
    """Locks are removed together or not at all."""
    (backend.root / "backend").write_text(scheme)
    backend.lock(dead)
    backend.lock(cli_alive)

    assert 1 == recovered("--dead", f"{HERE}:{dead}", "--dead", f"{HERE}:{cli_alive}")

    assert ["lock-0.json", "lock-1.json"] == backend.locks()


def test_several_dead_holders(backend: Backend, dead: int) -> None:
    """All locks are removed if all holders are dead."""
    backend.lock(dead)
    backend.lock(dead)

    assert 0 == recovered()

    assert [] == backend.locks()


def test_holder_on_another_host_is_refused(
    backend: Backend, dead: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A process id means nothing on another machine."""
    backend.lock(dead, host="build-7")

    assert 1 == recovered()

    assert ["lock-0.json"] == backend.locks()
    error = capsys.readouterr().err
    assert f"ops@build-7 (process {dead} since" in error
    assert f"on another machine than this ({HERE}); run this there" in error
    assert 0 == recovered("--dead", f"build-7:{dead}")
    assert [] == backend.locks()


def test_pipelines_give_the_users_word_too(backend: Backend, dead: int) -> None:
    """`ci recover` has the same option, for a runner that is gone."""
    backend.lock(dead, host="runner-3")
    assert 1 == main(["ci", "recover", "--stack", "test"])

    assert 0 == main(["ci", "recover", "--stack", "test", "--dead", f"runner-3:{dead}"])

    assert [] == backend.locks()


@pytest.mark.parametrize("holder", ["4711", "build-7", "build-7:", ":4711", "build-7:x"])
def test_holder_in_another_form_is_a_wrong_use(
    backend: Backend, holder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The option wants what the refusal names; nothing is asked."""
    with pytest.raises(SystemExit) as ended:
        recovered("--dead", holder)

    assert 2 == ended.value.code
    assert f"{holder!r} is not HOST:PROCESS, such as build-7:4711" in capsys.readouterr().err
    assert not (backend.root / "calls").exists()


def test_number_given_to_another_program_is_dead(backend: Backend, other_alive: int) -> None:
    """A program that is not the CLI, and started after the lock, is not its holder."""
    backend.lock(other_alive, timestamp=at(-60))

    assert 0 == recovered()

    assert [] == backend.locks()


def test_number_given_to_another_cli_counts_as_alive(
    backend: Backend, cli_alive: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock may have been changed: a CLI with that id is not considered dead."""
    # This machine may have been started after the lock, and then the lock's holder is dead.
    monkeypatch.setattr(Processes, "booted_at", lambda _: datetime(2000, 1, 1, tzinfo=UTC))
    backend.lock(cli_alive, timestamp=at(-60))

    assert 1 == recovered()

    assert ["lock-0.json"] == backend.locks()


def test_program_older_than_the_lock_counts_as_its_holder(
    backend: Backend, other_alive: int
) -> None:
    """The CLI may have another name."""
    backend.lock(other_alive, timestamp=at(1))

    assert 1 == recovered()

    assert ["lock-0.json"] == backend.locks()


def test_zombie_process_is_dead(backend: Backend) -> None:
    """In a CI job, the CLI may be a zombie if the first process does not wait for its children."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as zombie:
        assert zombie.stdout is not None
        zombie.stdout.read()
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        backend.lock(zombie.pid)

        assert 0 == recovered()

    assert [] == backend.locks()


@pytest.mark.parametrize(("minutes", "code"), [(-5, 1), (5, 0)])
def test_container_younger_than_the_lock_is_refused(
    backend: Backend, dead: int, monkeypatch: pytest.MonkeyPatch, minutes: int, code: int
) -> None:
    """The holder may be running in another container of the same name."""
    backend.lock(dead, timestamp=at(minutes))
    monkeypatch.setattr(Processes, "is_isolated", True)
    started = datetime.now(UTC)
    monkeypatch.setattr(Processes, "first_started_at", lambda _: started)

    assert code == recovered()

    assert bool(code) == bool(backend.locks())


def test_latecomer_between_check_and_removal_keeps_its_lock(
    backend: Backend, dead: int, cli_alive: int
) -> None:
    """Somebody else recovered at the same time and continued; that `up` is not disturbed."""
    backend.lock(dead)
    late = backend.lock(cli_alive, when="late")
    real = recover._remove

    def remove(*given: Any) -> None:
        shutil.move(late, backend.root / "locks" / late.name)
        real(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recover, "_remove", remove)
        assert 1 == recovered()

    assert [late.name] == backend.locks()


def test_lock_that_always_comes_back_is_given_up(
    backend: Backend, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops, and says that somebody else is working."""
    backend.lock(dead)
    monkeypatch.setattr(recover, "_remove", lambda *_: None)

    assert 1 == recovered()

    assert 4 == len(backend.calls("refresh"))


@pytest.mark.parametrize(
    "text",
    [
        "error: [409] Conflict: Another update is currently in progress.",
        "error: the stack is currently locked by ops",
        REFUSED.format(1) + "\n  s3://b/l.json: held by ops",
        REFUSED.format(2) + f"\n  s3://b/l.json: created by ops@{HERE} (pid 1) at {at(0)}",
        REFUSED.format(1) + f"\n  s3://b/l.json: created by ops@{HERE} (pid 1) at noon",
        REFUSED.format(1) + f"\n  s3://b/l: created by ops@{HERE} (pid 1) at 2026-11-20T02:00:00",
    ],
)
def test_lock_of_another_form_is_never_removed(
    backend: Backend, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lock that cannot be read is no reason to remove anything."""
    (backend.root / "failure").write_text(text)

    assert 1 == recovered()

    assert [] == backend.calls("cancel")
    error = capsys.readouterr().err
    assert error.startswith(text)
    assert "in a form that is not known here; nothing was changed" in error


def test_locks_are_read_as_the_cli_prints_them() -> None:
    """A user's name may contain spaces, the address a query; times have any offset."""
    text = (
        f"{REFUSED.format(2)}\n"
        "  postgres://****:****@db:5432/cbr/.pulumi/locks/organization/p/test/5c.json?sslmode="
        "disable: created by CORP\\Jane Doe@corp@build-7.local (pid 4711) at "
        "2026-11-20T02:00:00+08:00\n"
        "  s3://state/.pulumi/locks/organization/p/test/6d.json?region=us-east-1: created by "
        "root@runner (pid 7) at 2026-11-19T18:00:00Z\n"
    )

    first, second = locks_in(text)

    assert ("CORP\\Jane Doe@corp", "build-7.local", 4711) == (first.user, first.host, first.pid)
    assert ("root", "runner", 7) == (second.user, second.host, second.pid)
    assert first.at == second.at
    assert first.file is None


def test_other_failures_are_no_locks() -> None:
    """A failure of another kind removes nothing."""
    assert [] == locks_in("error: the API says that the vault is currently locked")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("file:///srv/state/.pulumi/l.json", Path("/srv/state/.pulumi/l.json")),
        ("file:///srv/my%20state/l.json?no_tmp_dir=true", Path("/srv/my state/l.json")),
        ("file://~/.pulumi/l.json", Path.home() / ".pulumi" / "l.json"),
        ("file://./state/l.json", Path("state/l.json")),
        ("s3://state/l.json?region=us-east-1", None),
        ("https://api.pulumi.com/l.json", None),
    ],
)
def test_file_of_a_lock(url: str, file: Path | None) -> None:
    """A file backend's address may start at the root, the home directory, or here."""
    told = f"\n  {url}: created by ops@{HERE} (pid 4711) at {at(0)}"

    (lock,) = locks_in(REFUSED.format(1) + told)

    assert file == lock.file


@pytest.mark.parametrize("content", ["{}", "[]", "none", '{"pid": 1}'])
def test_file_that_differs_from_the_reported_lock_is_not_removed(
    tmp_path: Path, content: str
) -> None:
    """The file must name the same holder as the message."""
    path = tmp_path / "lock.json"
    path.write_text(content)
    told = f"\n  file://{path}: created by ops@{HERE} (pid 4711) at {at(0)}"
    (lock,) = locks_in(REFUSED.format(1) + told)
    assert path == lock.file

    assert not lock.remove(path)

    assert content == path.read_text()


@pytest.mark.parametrize("scheme", ["file://", "s3://state"])
def test_lock_that_vanished_leads_to_no_removal_of_the_next_one(
    backend: Backend, dead: int, cli_alive: int, scheme: str
) -> None:
    """Its holder ended then, and another `up` began: the new lock stays."""
    (backend.root / "backend").write_text(scheme)
    ended = backend.lock(dead)
    late = backend.lock(cli_alive, when="late")

    def gone_by_itself(lock: Lock, processes: Processes, confirmed: list[str]) -> None:
        require_dead(lock, processes, confirmed)
        ended.unlink()
        shutil.move(late, backend.root / "locks" / late.name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recover, "require_dead", gone_by_itself)
        assert 1 == recovered("--dead", f"{HERE}:{dead}")

    assert [late.name] == backend.locks()
    assert [] == backend.calls("cancel")


def test_pending_operations_are_dropped_and_only_they_are_refreshed(
    backend: Backend, dead: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Drift of other resources is not accepted. Resources outside the state are not asked for."""
    backend.lock(dead)
    backend.interrupted("creating", "new", is_known=False)
    known = backend.interrupted("updating", "old", is_known=True)

    assert 0 == recovered()

    assert [] == backend.state()["pending_operations"]
    targets = [option for option in backend.calls("refresh")[-1] if option.startswith("urn:")]
    assert [STACK_URN, known] == targets
    assert "Dropped 2 pending operations, and read what" in capsys.readouterr().out


def test_output_is_that_of_the_reference(
    backend: Backend, dead: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed for a lock and an interrupted creation, word for word."""
    backend.lock(dead)
    backend.interrupted("creating", "new", is_known=False)

    assert 0 == recovered()

    text = capsys.readouterr().out.replace(HERE, "ops-vm").replace(str(dead), "4711")
    text = re.sub(r"since [^)]*\)", "since 2026-11-20T08:00:00Z)", text)
    assert TEXT.read_text() == text.replace("--stack test", "--stack prod")


def test_creation_of_another_package_is_left_to_the_user(
    backend: Backend, dead: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """It might be created twice: the lock is removed, the operation stays and is named."""
    backend.lock(dead)
    bucket = backend.interrupted("creating", "logs", "aws:s3/bucket:Bucket", is_known=False)
    backend.interrupted("creating", "erp", is_known=False)

    assert 1 == recovered()

    assert [] == backend.locks()
    assert 2 == len(backend.state()["pending_operations"])
    error = capsys.readouterr().err
    assert f"1 interrupted creation of other packages might be made twice: {bucket}" in error
    assert "pulumi refresh --clear-pending-creates --stack test" in error


def test_failure_of_the_cli_is_shown(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own words come first, then our line."""
    (backend.root / "failure").write_text("error: incorrect passphrase")

    assert 1 == recovered()

    error = capsys.readouterr().err.splitlines()
    assert "error: incorrect passphrase" in error[0]
    assert "pulumi refresh failed with exit code 255, see above" in error[-1]


def test_no_cli_on_path(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what to install."""
    monkeypatch.setenv("PATH", "")

    assert 1 == recovered()

    assert "there is no pulumi on PATH" in capsys.readouterr().err


# ---- the line that names the command ----------------------------------------------------------


def advice(tmp_path: Path, errors: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the advice after a command that wrote this to standard error."""
    file = tmp_path / "errors"
    file.write_text(errors)
    assert 0 == main(["recover", "--stack", "test", "--advise", str(file)])
    return capsys.readouterr().out


def test_advice_after_a_refusal_because_of_a_lock(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names the command; nothing is asked or changed."""
    errors = REFUSED.format(1) + f"\n  s3://b/l.json: created by ops@{HERE} (pid 1) at {at(0)}"

    assert (
        "the stack is locked; if no pulumi is at work on it: "
        "python -m pulumi_huaweicloud_cbr recover --stack test\n"
        == advice(backend.root, errors, capsys)
    )
    assert not (backend.root / "calls").exists()


def test_advice_on_pending_operations(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    """They are found in the state, since a preview does not show them."""
    backend.interrupted("creating", "erp", is_known=False)

    line = advice(backend.root, "", capsys)

    assert (
        "the state has 1 pending operation; if no pulumi is at work on it: "
        "python -m pulumi_huaweicloud_cbr recover --stack test\n"
    ) == line
    assert [] == backend.calls("refresh")


@pytest.mark.parametrize("errors", ["", "error: update failed"])
def test_no_advice_if_nothing_is_to_be_recovered(
    backend: Backend, errors: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An ordinary failure ends without advice."""
    assert "" == advice(backend.root, errors, capsys)


# ---- processes --------------------------------------------------------------------------------


def test_namespace_of_a_container(tmp_path: Path) -> None:
    """In the first namespace an id has one number. Without namespaces, nothing is hidden."""
    for number, is_isolated in ((4026531836, False), (4026532190, True)):
        proc = tmp_path / str(number)
        (proc / "self" / "ns").mkdir(parents=True)
        (proc / "self" / "ns" / "pid").symlink_to(f"pid:[{number}]")

        assert is_isolated == Processes(proc).is_isolated
    assert not Processes(tmp_path / "none").is_isolated


def test_start_of_the_first_process(tmp_path: Path) -> None:
    """The machine's start plus the ticks since then. A program's name may contain anything."""
    (tmp_path / "1").mkdir()
    ticks = 100 * os.sysconf("SC_CLK_TCK")
    (tmp_path / "1" / "stat").write_text(f"1 (odd) S 7) S {'0 ' * 18}{ticks} 0")
    (tmp_path / "stat").write_text("cpu 1 2\nbtime 1700000000\n")

    assert 1700000100 == Processes(tmp_path).first_started_at().timestamp()


@pytest.mark.parametrize(
    ("name", "inside", "seen"),
    [
        ("pulumi", "same", Seen.OLDER),
        ("nginx", "same", Seen.NOTHING),
        ("pulumi", "7", Seen.NOTHING),
        ("pulumi", "", Seen.NOTHING),
    ],
)
def test_process_of_a_container_with_this_machines_name(
    tmp_path: Path, dead: int, name: str, inside: str, seen: Seen
) -> None:
    """The process has another id on the machine; the lock names the inner one."""
    number = str(dead) if inside == "same" else inside
    process = tmp_path / str(os.getpid())
    process.mkdir()
    (process / "comm").write_text(f"{name}\n")
    (process / "exe").symlink_to(f"/opt/{name}")
    (process / "status").write_text(f"Name:\t{name}\nNSpid:\t{os.getpid()}\t{number}\n")
    (process / "stat").write_text(f"{os.getpid()} ({name}) S {'0 ' * 19}0")
    (tmp_path / "stat").write_text("btime 1700000000\n")

    assert seen is Processes(tmp_path).seen(dead, datetime.now(UTC))


@pytest.mark.parametrize(
    ("answers", "seen"),
    [
        ({"stat": "Z", "lstart": "Fri Nov 20 02:00:00 2026", "comm": "pulumi"}, Seen.NOTHING),
        (
            {"stat": "S", "lstart": "Fri Nov 20 02:00:00 2026", "comm": "/usr/bin/vi"},
            Seen.LATER_OTHER,
        ),
        (
            {"stat": "S", "lstart": "Fri Nov 20 02:00:00 2026", "comm": "/opt/pulumi"},
            Seen.LATER_CLI,
        ),
        ({"stat": "S", "lstart": "Tue Nov 10 02:00:00 2026", "comm": "/usr/bin/vi"}, Seen.OLDER),
        ({"stat": "S", "lstart": "", "comm": "/usr/bin/vi"}, Seen.OLDER),
        ({}, Seen.OLDER),
    ],
)
def test_processes_without_proc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: dict[str, str], seen: Seen
) -> None:
    """On macOS `ps` is called. A process that it does not show may be the holder."""
    if answers:
        ps = tmp_path / "ps"
        cases = "\n".join(f"{key}=) echo '{text}';;" for key, text in answers.items())
        ps.write_text(f'#!/bin/sh\ncase "$2" in\n{cases}\nesac\n')
        ps.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    since = datetime(2026, 11, 15, tzinfo=UTC)

    assert seen is Processes(tmp_path / "none").seen(os.getpid(), since)
