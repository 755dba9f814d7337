"""`huaweicloud:maxDeletedPercent`: how many members of a set one update may delete."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pulumi_huaweicloud_cbr import ConflictError
from pulumi_huaweicloud_cbr.engine.session import Session
from simulator.testing import Control
from tests.contract.engine import Engine, Program
from tests.contract.owned import BACKUPS, EAST, WEB_1, WEB_2, declared, replicas
from tests.contract.rig import BACKUP, LONG_S

pytestmark = pytest.mark.simulator_only

FOUR = dict(zip("abcd", BACKUPS["vault"], strict=True))


@pytest.fixture
def engine(session: Session, configuration: dict[str, str], control: Control) -> Engine:
    """A stack with a set of four, whose copies have ended. An update may delete a quarter."""
    engine = Engine(session, configuration)
    engine.up(declared("set", backups=FOUR))
    control.advance(LONG_S)
    engine.refresh()
    allow(engine, 25)
    return engine


def allow(engine: Engine, percent: float | None) -> None:
    """Set the limit for the runs from now on."""
    engine.session.settings = replace(engine.session.settings, max_deleted_percent=percent)
    limit = {} if percent is None else {"huaweicloud:maxDeletedPercent": str(percent)}
    engine.configure({**engine.configuration, **limit})


def without(*labels: str, **changes: Any) -> Program:
    """Return the program with a smaller set."""
    left = {label: backup for label, backup in FOUR.items() if label not in labels}
    return declared("set", backups=left, **changes)


@pytest.mark.parametrize("preflight", ["error", "warn", "off"])
def test_update_that_deletes_too_much_is_refused(
    engine: Engine, control: Control, preflight: str
) -> None:
    """A preview says it, `up` too, and nothing is deleted. The mode of preflight is no way out."""
    for run in (engine.preview, engine.up):
        with pytest.raises(ConflictError) as caught:
            run(without("a", "b", preflight=preflight))
        assert (
            "members that leave: 2 of 4 members (50 %) would be deleted, and "
            "huaweicloud:maxDeletedPercent allows 25 %: 'a', 'b'; correct what lists or selects "
            "the members; if they are to go, run this once with HW_MAX_DELETED_PERCENT=50"
        ) == str(caught.value)

    assert 4 == len(replicas(control))


@pytest.mark.parametrize(("percent", "labels"), [(25, "a"), (50, "ab"), (None, "abc"), (75, "abc")])
def test_update_within_the_limit_deletes(
    engine: Engine, control: Control, percent: float | None, labels: str
) -> None:
    """The limit itself is allowed. Without one, everything is."""
    allow(engine, percent)

    engine.up(without(*labels))

    assert 4 - len(labels) == len(replicas(control))


def test_zero_allows_no_member_to_leave(engine: Engine, control: Control) -> None:
    """Nor does a set of one lose its only member for another one."""
    allow(engine, 0)

    with pytest.raises(ConflictError, match=r"1 of 4 members \(25 %\).* allows 0 %: 'd'; "):
        engine.up(without("d"))

    assert 4 == len(replicas(control))


def test_member_that_moves_to_another_resource_does_not_count(
    engine: Engine, control: Control
) -> None:
    """Its replica stays."""
    kept = {f"one-{label}": ("single", {"backup_id": FOUR[label], **EAST}) for label in ("a", "b")}

    engine.up({**kept, **without("a", "b")})
    engine.up({**kept, **without("a", "b")})

    assert 4 == len(replicas(control))
    (members,) = [row.outputs["members"] for row in engine.state if "members" in row.outputs]
    assert {"c", "d"} == set(members)


def test_failed_copy_does_not_count(engine: Engine) -> None:
    """Nothing of it is deleted."""
    (row,) = engine.state
    for label in ("a", "b"):
        row.outputs["members"][label]["status"] = "fail"

    engine.up(without("a", "b", "c"))

    assert "d" in engine.state[0].outputs["members"]


def test_refresh_that_finds_replicas_gone_is_not_refused(engine: Engine, control: Control) -> None:
    """The engine asks for a diff then, too, and what is gone cannot be deleted."""
    members = engine.state[0].outputs["members"]
    for label in ("a", "b", "c"):
        control.forget_backup(members[label]["destination_backup_id"])

    engine.refresh()

    assert ["d"] == list(engine.state[0].outputs["members"])


def test_set_that_is_removed_is_deleted(engine: Engine, control: Control) -> None:
    """The limit is about updates: `protect` keeps an entire resource."""
    engine.destroy()

    assert {} == replicas(control)


# -- rolling sets --------------------------------------------------------------------------------


def rolling(count: int, **days: int) -> Program:
    """Return a set that keeps its newest: the day of each member."""
    ids = {"a": BACKUP, "b": WEB_1, "c": WEB_2, "d": BACKUPS["vault"][-1]}
    backups = {
        label: {"backup_id": ids[label], "created_at": f"2026-11-{day:02d}T02:00:00"}
        for label, day in days.items()
    }
    return declared("set", backups=backups, keep_newest=count)


@pytest.fixture
def nightly(session: Session, configuration: dict[str, str], control: Control) -> Engine:
    """A stack with a rolling set of two, whose copies have ended. Nothing may be deleted."""
    engine = Engine(session, configuration)
    engine.up(rolling(2, a=1, b=2))
    control.advance(LONG_S)
    engine.refresh()
    allow(engine, 0)
    return engine


def test_member_that_leaves_by_age_does_not_count(nightly: Engine, control: Control) -> None:
    """A rolling set deletes its oldest each night."""
    newer = rolling(2, a=1, b=2, c=3)
    nightly.up(newer)
    control.advance(LONG_S)
    nightly.refresh()

    nightly.up(newer)

    assert {"b", "c"} == set(nightly.state[0].outputs["members"])


def test_smaller_number_to_keep_counts(nightly: Engine, control: Control) -> None:
    """A slip of a digit would delete what years have kept."""
    with pytest.raises(ConflictError, match=r"1 of 2 members \(50 %\).* allows 0 %: 'a'; "):
        nightly.up(rolling(1, a=1, b=2))

    assert 2 == len(replicas(control))


def test_a_smaller_keep_is_no_age(
    session: Session, configuration: dict[str, str], control: Control
) -> None:
    """Whoever lowers `keep` deletes on purpose, as with `keep_newest`; the same rule is age."""
    engine = Engine(session, configuration)

    def kept(count: int, **days: int) -> Program:
        program = rolling(1, **days)
        for _, inputs in program.values():
            del inputs["keep_newest"]
            inputs["keep"] = {"days": count}
        return program

    engine.up(kept(3, a=1, b=2, c=3))
    control.advance(LONG_S)
    engine.refresh()
    allow(engine, 0)

    engine.preview(kept(3, b=2, c=3, d=4))
    with pytest.raises(ConflictError, match=r"2 of 3 members"):
        engine.preview(kept(1, a=1, b=2, c=3))


def test_smaller_number_counts_while_newer_copies_run(
    session: Session, configuration: dict[str, str], control: Control
) -> None:
    """What has to stay for now would be deleted by a later update, and that one has no new rule."""
    engine = Engine(session, configuration)
    engine.up(rolling(2, a=1, b=2))
    allow(engine, 0)

    with pytest.raises(ConflictError, match=r"1 of 2 members \(50 %\).* allows 0 %: 'a'; "):
        engine.up(rolling(1, a=1, b=2))

    # What was allowed once is not asked for again.
    allow(engine, 50)
    engine.up(rolling(1, a=1, b=2))
    assert {"a", "b"} == set(engine.state[0].outputs["members"])
    control.advance(LONG_S)
    engine.refresh()
    allow(engine, 0)
    engine.up(rolling(1, a=1, b=2))
    assert {"b"} == set(engine.state[0].outputs["members"])
