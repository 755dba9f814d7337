"""When a lock's holder is dead: the rules, and where its evidence comes from."""

from __future__ import annotations

import itertools
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr.commands.stack.recover.holders import Evidence, Ruling, Seen, judge
from pulumi_huaweicloud_cbr.commands.stack.recover.locks import Lock, LockedError, require_dead
from pulumi_huaweicloud_cbr.commands.stack.recover.places import is_shared
from pulumi_huaweicloud_cbr.commands.stack.recover.processes import Processes
from tests.unit.commands.stack.holders import ANSWERS, CASES, Case

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
HERE = socket.gethostname()
MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /proc rw - proc proc rw
41 22 0:40 / /srv/team\\040state rw,relatime - nfs4 nas:/state rw
42 41 8:2 / /srv/team\\040state/local rw - xfs /dev/sdb1 rw
43 22 0:41 / /home/ops/cloud rw - fuse.sshfs ops@nas:/ rw
44 22 0:42 / /mnt/box rw - ext4 /dev/sdc1 rw
45 44 0:43 / /mnt/box rw - cifs //nas/box rw
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_case_of_the_table(case: Case) -> None:
    """Each row of the documentation's table."""
    assert case.ruling is judge(case.evidence)


def test_every_ruling_has_a_case() -> None:
    """The table shows each of them, and says in words what follows."""
    assert set(Ruling) == {case.ruling for case in CASES} == set(ANSWERS)


ALL = [
    Evidence(named, shared, seen, container, boot, confirmed)
    for named, shared, container, boot, confirmed in itertools.product((False, True), repeat=5)
    for seen in Seen
]


def test_dead_without_a_word_is_only_what_this_machine_alone_can_have_locked() -> None:
    """Of all combinations: an unproven identity, or a possible holder, never counts as dead."""
    dead = [one for one in ALL if judge(one) is Ruling.DEAD and not one.is_confirmed]

    assert dead
    for evidence in dead:
        assert evidence.names_this_host
        assert not evidence.is_shared
        assert not evidence.predates_container
        assert evidence.seen is not Seen.OLDER


def test_users_word_never_outweighs_a_process_that_is_seen() -> None:
    """A living holder on this machine is refused in all combinations."""
    seen = [one for one in ALL if one.names_this_host and one.seen is Seen.OLDER]

    assert {Ruling.ALIVE} == {judge(one) for one in seen}


class FakeProcesses(Processes):
    """A machine with these facts."""

    def __init__(self, seen: Seen, booted_at: datetime | None = None) -> None:
        super().__init__(Path("/nowhere"))
        self._facts = (seen, booted_at)

    def seen(self, _pid: int, _since: datetime) -> Seen:
        return self._facts[0]

    def booted_at(self) -> datetime | None:
        return self._facts[1]


def lock(url: str = "file:///srv/l.json", host: str = HERE) -> Lock:
    """Return a lock that was made now."""
    return Lock(url, "ops", host, 4711, NOW)


@pytest.mark.parametrize(
    ("made", "found", "words", "option"),
    [
        (lock(host="build-7"), Seen.NOTHING, f"on another machine than this ({HERE})", "build-7"),
        (lock("s3://state/l.json"), Seen.NOTHING, "another machine may have this name", HERE),
        (lock("postgres://****:****@db/l.json"), Seen.LATER_OTHER, "lock there too", HERE),
        (lock(), Seen.LATER_CLI, "a later pulumi has that number", HERE),
    ],
)
def test_doubt_is_told_with_the_option_that_overrides_it(
    made: Lock, found: Seen, words: str, option: str
) -> None:
    """The message says what to make sure of, and which option to add; with it, nothing is said."""
    with pytest.raises(LockedError) as raised:
        require_dead(made, FakeProcesses(found))

    assert words in str(raised.value)
    assert f"add --dead {option}:4711" in str(raised.value)
    require_dead(made, FakeProcesses(found), [f"{option}:4711"])


def test_users_word_counts_for_the_named_holder_alone() -> None:
    """Another host or another process of it is as doubtful as before."""
    for other in ("build-8:4711", "build-7:4712"):
        with pytest.raises(LockedError, match="on another machine"):
            require_dead(lock(host="build-7"), FakeProcesses(Seen.NOTHING), [other])


@pytest.mark.parametrize(
    ("booted_at", "is_refused"),
    [
        (NOW - timedelta(hours=1), True),
        (NOW + timedelta(seconds=1), True),
        (None, True),
        (NOW + timedelta(seconds=3), False),
    ],
    ids=["before the lock", "in the same moment", "unknown", "after the lock"],
)
def test_later_cli_is_no_holder_of_a_lock_from_before_the_start(
    booted_at: datetime | None, is_refused: bool
) -> None:
    """No process outlives its machine, so its number was given to another CLI."""
    processes = FakeProcesses(Seen.LATER_CLI, booted_at)
    if is_refused:
        with pytest.raises(LockedError, match="if the clock was set"):
            require_dead(lock(), processes)
    else:
        require_dead(lock(), processes)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("/srv/state/l.json", False),
        ("/srv/team state/.pulumi/l.json", True),
        ("/srv/team state/local/l.json", False),
        ("/srv/team statement/l.json", False),
        ("/home/ops/cloud/l.json", True),
        ("/mnt/box/l.json", True),
        (None, True),
    ],
)
def test_file_systems_of_a_network_are_shared(
    tmp_path: Path, file: str | None, expected: bool
) -> None:
    """The innermost mount counts, and of several at one place the last."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)

    assert expected == is_shared(Path(file) if file else None, mounts)


def test_files_are_ones_own_where_mounts_are_not_listed(tmp_path: Path) -> None:
    """Other systems than Linux have no such list."""
    assert not is_shared(tmp_path / "l.json", tmp_path / "none")
    assert is_shared(None, tmp_path / "none")


def test_start_of_the_machine(tmp_path: Path) -> None:
    """Linux tells it; where nothing tells it, it is unknown."""
    (tmp_path / "stat").write_text("cpu 1 2\nbtime 1700000000\n")

    assert datetime.fromtimestamp(1700000000, UTC) == Processes(tmp_path).booted_at()


def test_start_of_a_machine_that_does_not_tell_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without /proc and without ps."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert Processes(tmp_path / "none").booted_at() is None
