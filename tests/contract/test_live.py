"""The live suite against a simulator process: completed, interrupted, killed, and refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Vault, VaultBilling
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from simulator.testing import DEMO_WORLD, SimulatorProcess
from simulator.worlds.files import load_world
from tests.contract.rig import BACKUP, LONG_S, PASSWORD, VAULT
from tools.live.copying import Copying
from tools.live.ledger import BusyError, Ledger
from tools.live.notes import Notes
from tools.live.plan import LiveError, Plan, Wanted
from tools.live.questions import QUESTIONS

pytestmark = pytest.mark.simulator_only

REPOSITORY = Path(__file__).parents[2]
LIMIT_S = 300.0
FAST = 3000.0
"""A copy of 120 GB takes half a second; CBR needs half an hour."""


class Run:
    """One run of the suite against a simulator, started as by `make live`."""

    def __init__(self, directory: Path, simulator: SimulatorProcess, **changes: str) -> None:
        self.directory = directory / "live"
        self._control = simulator.control
        address = f"{simulator.url}/regions/{{region}}"
        self._environment = {
            "PATH": os.environ["PATH"],
            "NO_PROXY": "127.0.0.1",
            "HW_ENDPOINTS": json.dumps({"cbr": address, "iam": address}),
            "HW_POLL_INTERVAL": "0.05",
            "HW_REGION_NAME": "cn-north-4",
            "HW_ACCESS_KEY": "DEMOACCESSKEY0000001",
            "HW_SECRET_KEY": "not-a-secret-demo-key",
            "LIVE_BACKUP_ID": BACKUP,
            "LIVE_DESTINATION_REGION": "cn-east-3",
            "LIVE_DESTINATION_VAULT_ID": VAULT,
            "LIVE_DIRECTORY": str(self.directory),
            "LIVE_CONFIRM": "yes",
            **changes,
        }
        self._process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it and return its process."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.live", *arguments],
            cwd=REPOSITORY,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self._process

    def start_copying(self) -> subprocess.Popen[str]:
        """Start it, and wait until its submission of a copy is answered."""
        process = self.start()
        wait_until(lambda: (self.directory / "made.json").exists() and self.made()[0]["record_id"])
        return process

    def end(self) -> tuple[int, str]:
        """Wait for its end. Return exit code and output."""
        assert self._process is not None
        printed, _ = self._process.communicate(timeout=LIMIT_S)
        return self._process.returncode, printed

    def __call__(self, *arguments: str) -> tuple[int, str]:
        """Run it from start to end."""
        self.start(*arguments)
        return self.end()

    def kill(self) -> None:
        """Kill it if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.communicate(timeout=LIMIT_S)

    def start_and_kill_at_submission(self) -> None:
        """Start it, and kill it while its submission is accepted but not answered."""
        self._control.fault(operation="CopyBackup", action="hold_after")
        self.start()
        wait_until(self._control.held)
        self.kill()
        self._control.release()

    def made(self) -> list[dict[str, Any]]:
        """Return what it lists as possibly left in the cloud."""
        rows: list[dict[str, Any]] = json.loads((self.directory / "made.json").read_text())
        return rows


@pytest.fixture(scope="session")
def shared_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """A process that all these tests share."""
    with SimulatorProcess(tmp_path_factory.mktemp("shared")) as process:
        yield process


@pytest.fixture
def simulator(shared_process: SimulatorProcess) -> SimulatorProcess:
    """A new demo world with quick copies."""
    shared_process.reset(speed=FAST)
    return shared_process


@pytest.fixture
def slow_simulator(shared_process: SimulatorProcess) -> SimulatorProcess:
    """A new demo world with copies as slow as in CBR, unless the clock is advanced."""
    shared_process.reset()
    return shared_process


def replicas(simulator: SimulatorProcess) -> set[str]:
    """Return all replicas; the demo world has some."""
    return {row["id"] for row in simulator.control.replicas()}


def copies(simulator: SimulatorProcess) -> list[int | None]:
    """Return the HTTP statuses of all submissions of a copy; None without an answer."""
    return [entry["status"] for entry in simulator.control.journal(operation="CopyBackup")]


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait for a condition, with a distant limit."""
    deadline = time.monotonic() + LIMIT_S
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Read a run's output up to the line with these words. Stop the run if there is none."""
    assert process.stdout is not None
    read = []
    watchdog = threading.Timer(LIMIT_S, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            read.append(line)
            if words in line:
                return
    finally:
        watchdog.cancel()
    pytest.fail(f"never printed {words!r}: {''.join(read)}")


def test_run_to_the_end_answers_and_leaves_nothing(
    tmp_path: Path, simulator: SimulatorProcess
) -> None:
    """All claims hold, each asked question is answered, and the cloud is as before."""
    before = replicas(simulator)
    run = Run(tmp_path, simulator)

    code, printed = run()

    assert 0 == code, printed
    assert "NOT SO" not in printed
    assert "not answered" not in printed
    assert before == replicas(simulator)
    assert [] == run.made()
    assert 1 == len([status for status in copies(simulator) if status == 200])
    answers = json.loads((run.directory / "answers.json").read_text())
    assert {question.id for question in QUESTIONS if question.is_asked} == set(answers)
    assert ["HTTP 200"] == answers["14.20"]["observed"]
    assert any("BackupService.1009" in line for line in answers["14.1"]["observed"])
    assert any("BackupService.1002" in line for line in answers["14.1"]["observed"])
    assert "after: as it was sent" in answers["14.26"]["observed"]
    page = (run.directory / "answers.md").read_text()
    assert all(question.text in page for question in QUESTIONS)
    written = page + json.dumps(answers) + printed
    assert "not-a-secret-demo-key" not in written
    # Everything that costs money is announced before it is done, and reads come first.
    order = [entry["operation"] for entry in simulator.control.journal()]
    assert {"ShowReplicationCapabilities", "ListBackups"} <= set(order[: order.index("CopyBackup")])
    assert printed.index("What it costs") < printed.index("copy the backup")


def test_mark_is_looked_for_while_the_copy_runs(
    tmp_path: Path, shared_process: SimulatorProcess
) -> None:
    """The replica is looked at as soon as the record names it, and once more at the end."""
    world = load_world(DEMO_WORLD)
    world.options.destination_ids = "early"
    shared_process.reset(world, speed=FAST)
    before = replicas(shared_process)
    run = Run(tmp_path, shared_process)

    code, printed = run()

    assert 0 == code, printed
    answers = json.loads((run.directory / "answers.json").read_text())
    assert [
        "while the copy runs: as it was sent",
        "after: as it was sent",
    ] == answers["14.26"]["observed"]
    assert before == replicas(shared_process)


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        (None, "after: none"),
        ("copied by make live [pulumi live-suite/make-live]", "after: as it was sent"),
        ("copied by", "after: without the mark, as 'copied by'"),
        ("x [pulumi live-suite/make-live]", "after: with the mark, as 'x [pulumi live-suite/"),
    ],
)
def test_mark_that_is_not_given_back_is_an_answer(
    tmp_path: Path, description: str | None, expected: str
) -> None:
    """CBR may keep the text, cut it, or drop it."""
    told: list[str] = []
    scope = ProjectScope("cn-north-4", "p")
    vault = Vault(id=VAULT, billing=VaultBilling())
    plan = Plan(backup=Backup(id=BACKUP), source=scope, destination=scope, vault=vault)
    notes = Notes(tmp_path, "here", told.append)
    copying = Copying(cast("Any", None), plan, notes, cast("Any", None), cast("Any", None))

    for _ in range(2):
        copying._note_description("after", Backup(id="r", description=description))

    (line,) = told
    assert expected in line


def test_without_confirmation_nothing_is_written(
    tmp_path: Path, simulator: SimulatorProcess
) -> None:
    """Only the cost is shown, with the sizes of backup and vault."""
    run = Run(
        tmp_path,
        simulator,
        LIVE_CONFIRM="y",
        LIVE_DESTINATION_VAULT_ID="",
        HW_ACCESS_KEY="",
        HW_SECRET_KEY="",
        HW_USER_NAME="ops-replicator",
        HW_USER_PASSWORD=PASSWORD,
        HW_DOMAIN_NAME="acme-cloud",
    )

    code, printed = run()

    assert 2 == code, printed
    assert f"one copy of backup ({BACKUP}), erp-db-01, 120 GB at most" in printed
    # Of the vaults that fit, the one with the most room.
    assert "(1000 GB are free in it)" in printed
    assert "about 25 min 36 s" in printed
    assert "LIVE_CONFIRM=yes" in printed
    journal = simulator.control.journal()
    assert {"CreateToken"} == {row["operation"] for row in journal if row["method"] != "GET"}


def test_interrupted_waits_for_the_copy_and_deletes_it(
    tmp_path: Path, slow_simulator: SimulatorProcess
) -> None:
    """After an interrupt during the copy, no replica and no ledger entry is left."""
    before = replicas(slow_simulator)
    run = Run(tmp_path, slow_simulator)
    process = run.start_copying()

    process.send_signal(signal.SIGINT)
    read_until(process, "interrupted; cleaning up")
    read_until(process, "waiting for the copy")
    slow_simulator.control.advance(LONG_S)
    wait_until(lambda: slow_simulator.control.journal(operation="DeleteBackup"))
    slow_simulator.control.advance(LONG_S)
    code, printed = run.end()

    assert 130 == code, printed
    assert before == replicas(slow_simulator)
    assert [] == run.made()


def test_interrupted_twice_names_what_is_left_and_continues_later(
    tmp_path: Path, slow_simulator: SimulatorProcess
) -> None:
    """A second interrupt stops the clean-up too. The next run continues it first."""
    before = replicas(slow_simulator)
    run = Run(tmp_path, slow_simulator)
    process = run.start_copying()
    process.send_signal(signal.SIGTERM)
    read_until(process, "cleaning up record")
    process.send_signal(signal.SIGTERM)
    code, printed = run.end()

    assert 3 == code, printed
    (record,) = slow_simulator.control.records()
    assert f"STILL THERE: record ({record['id']}) of backup ({BACKUP})" in printed

    slow_simulator.control.advance(LONG_S)
    run.start("--clean")
    wait_until(lambda: slow_simulator.control.journal(operation="DeleteBackup"))
    slow_simulator.control.advance(LONG_S)
    code, printed = run.end()

    assert 0 == code, printed
    assert before == replicas(slow_simulator)


def test_copy_that_fails_ends_early_and_leaves_nothing(
    tmp_path: Path, simulator: SimulatorProcess
) -> None:
    """The failed copy is reported with CBR's reason, and no ledger entry is left."""
    before = replicas(simulator)
    failing = {"outcome": "fail", "mode": "after_reads", "reads": 3}
    simulator.control.change_backup(BACKUP, copy=failing)
    run = Run(tmp_path, simulator)

    code, printed = run()

    assert 1 == code, printed
    assert "ended early: waiting for replication record" in printed
    assert "BackupService.6129: destination vault full" in printed
    assert "not answered by this run: 14.5, " in printed
    assert before == replicas(simulator)
    assert [] == run.made()


def test_killed_at_the_submission_is_cleaned_up_by_the_next_run(
    tmp_path: Path, simulator: SimulatorProcess
) -> None:
    """A copy whose record id was not received is found by backup and region, and deleted."""
    before = replicas(simulator)
    run = Run(tmp_path, simulator)
    run.start_and_kill_at_submission()

    assert [None] == [row["record_id"] for row in run.made()]
    code, printed = run("--clean")

    assert 0 == code, printed
    assert 1 == len(simulator.control.records())
    assert before == replicas(simulator)
    assert [] == run.made()


def test_copy_that_exists_is_not_touched(tmp_path: Path, simulator: SimulatorProcess) -> None:
    """The suite does not begin if a replica exists, and does not delete it."""
    owner = Run(tmp_path / "owner", simulator)
    owner.directory.parent.mkdir()
    owner.start_and_kill_at_submission()
    wait_until(lambda: simulator.control.records()[0]["status"] == "success")
    before = replicas(simulator)

    code, printed = Run(tmp_path, simulator)()

    assert 2 == code, printed
    assert "this copy cannot be made" in printed
    assert before == replicas(simulator)
    assert [200] == copies(simulator)


def test_missing_environment_is_named_at_once() -> None:
    """All missing settings are named at once. The two regions must differ."""
    with pytest.raises(LiveError, match="LIVE_BACKUP_ID, HW_REGION_NAME, LIVE_DESTINATION_REGION"):
        Wanted.load({})
    with pytest.raises(LiveError, match="two regions"):
        Wanted.load({"LIVE_BACKUP_ID": "b", "HW_REGION_NAME": "r", "LIVE_DESTINATION_REGION": "r"})


def test_ledger_is_for_one_process(tmp_path: Path) -> None:
    """Two runs do not clean up after each other."""
    first = Ledger(tmp_path)
    try:
        with pytest.raises(BusyError, match="another run works with"):
            Ledger(tmp_path)
    finally:
        first.close()

    Ledger(tmp_path).close()


def test_answers_of_earlier_runs_stay(tmp_path: Path) -> None:
    """A run that ends early keeps the answers of others, and replaces only its own."""
    shown: list[str] = []
    earlier = Notes(tmp_path, "a to b", shown.append)
    earlier.answer("14.20", "HTTP 200")
    earlier.answer("14.5", "it stays")
    later = Notes(tmp_path, "a to c", shown.append)
    later.answer("14.20", "HTTP 202")
    later.answer("14.20", "HTTP 202\x1b[2J")

    answers = json.loads((tmp_path / "answers.json").read_text())
    assert ["HTTP 202", "HTTP 202\ufffd[2J"] == answers["14.20"]["observed"]
    assert ("a to c", "a to b") == (answers["14.20"]["where"], answers["14.5"]["where"])
    assert "14.20" not in later.unanswered
    assert "14.5" in later.unanswered


def test_claim_that_does_not_hold_is_kept(tmp_path: Path) -> None:
    """A wrong claim is shown immediately, and again at the end."""
    shown: list[str] = []
    notes = Notes(tmp_path, "a to b", shown.append)
    notes.claim(True, "this holds")
    notes.claim(False, "this does not")

    assert ["this does not"] == notes.broken
    assert ["  ok     this holds", "  NOT SO this does not"] == shown


def test_question_that_is_not_asked_has_no_answer(tmp_path: Path) -> None:
    """An answer to a question that is marked as not asked is a bug of the suite."""
    with pytest.raises(ValueError, match=r"14\.3 is marked as not asked"):
        Notes(tmp_path, "a to b", lambda _: None).answer("14.3", "x")


def test_questions_have_an_id_each() -> None:
    """Each open question is listed once: asked, or with the reason why not."""
    assert [f"14.{number}" for number in range(1, 28)] == [question.id for question in QUESTIONS]
