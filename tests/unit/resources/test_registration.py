"""What the engine gets of a program besides the inputs: one line, and a short pickle."""

from __future__ import annotations

import gc
import inspect
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.output import Unknown
from pulumi.runtime import resource as runtime
from pulumi.runtime import rpc
from pulumi.runtime.settings import SETTINGS

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.resources._arguments.registration import (
    from_caller_only,
    without_resources,
)

TO: dict[str, Any] = {"destination_region": "cn-east-3", "destination_vault_id": "v1"}
Declare = Callable[[], object]
DECLARED: dict[str, Declare] = {
    "single": lambda: cbr.BackupReplication("one", backup_id="b1", **TO),
    "set": lambda: cbr.BackupReplicationSet("many", backups={"m": "b1"}, **TO),
    "vault": lambda: cbr.VaultReplication("all", vault_id="v0", **TO),
    "wait": lambda: cbr.ReplicationsComplete("wait", replications=[]),
}
WITHOUT_LINE: dict[str, Declare] = {
    "provider": lambda: cbr.Provider("account-b", region="cn-north-4"),
    "get": lambda: cbr.BackupReplication.get("seen", "cn-north-4/b1/r1"),
}


class RefusedError(Exception):
    """What the engine answers in these tests, so that nothing is left waiting."""


@pytest.fixture(autouse=True)
def no_limit() -> Iterator[None]:
    """Each test begins without a limit, and leaves none."""
    assert not hasattr(sys, "tracebacklimit")
    yield
    if hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[str, int]]]:
    """The traces that the SDK takes, as file and line; each registration fails after that."""
    taken: list[list[tuple[str, int]]] = []

    def register(*_: Any, **__: Any) -> None:
        frames = runtime._get_stack_trace().frames
        taken.append([(frame.pc.uri, frame.pc.line) for frame in frames])
        raise RefusedError

    monkeypatch.setattr(pulumi.resource, "register_resource", register)
    monkeypatch.setattr(pulumi.resource, "read_resource", register)
    return taken


def refused(declare: Declare) -> None:
    """Declare a resource; the engine refuses it."""
    with pytest.raises(RefusedError):
        declare()


@pytest.mark.parametrize("form", DECLARED)
@pytest.mark.anyio
async def test_engine_gets_the_line_that_declares_a_resource(traces: Any, form: str) -> None:
    """It gets no other line: neither one of this package nor one of what called the program."""
    declare = DECLARED[form]

    refused(declare)

    assert [[(Path(__file__).as_uri(), inspect.getsourcelines(declare)[1])]] == traces


@pytest.mark.parametrize("form", WITHOUT_LINE)
@pytest.mark.anyio
async def test_engine_gets_no_line_of_this_package(traces: Any, form: str) -> None:
    """The SDK would name a file of this package as the program's line."""
    refused(WITHOUT_LINE[form])

    assert [[]] == traces


@pytest.mark.parametrize("theirs", [None, 0, 3, 1000])
@pytest.mark.anyio
async def test_limit_is_the_programs_own_again(traces: Any, theirs: int | None) -> None:
    """After an error too. Meanwhile it does not count: with 0, the SDK would fail."""
    if theirs is not None:
        sys.tracebacklimit = theirs

    refused(DECLARED["single"])

    assert theirs == getattr(sys, "tracebacklimit", None)
    assert [1] == [len(trace) for trace in traces]


def depth(levels: int) -> int:
    """Return how many levels a formatted traceback of this many calls shows."""

    def fall(left: int) -> None:
        if left == 1:
            raise RefusedError
        fall(left - 1)

    try:
        fall(levels - 1)
    except RefusedError as error:
        return len(traceback.extract_tb(error.__traceback__))
    raise AssertionError


def on_another_thread(work: Callable[[], int]) -> int:
    """Return what a call returns on another thread."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_other_threads_keep_their_tracebacks() -> None:
    """The limit holds on the thread that declares a resource, and a program's on all of them."""
    with from_caller_only():
        assert (7, 20) == (depth(20), on_another_thread(lambda: depth(20)))
    sys.tracebacklimit = 9
    with from_caller_only():
        assert (7, 9) == (depth(20), on_another_thread(lambda: depth(20)))

    assert sys.tracebacklimit == 9


def test_declarations_at_the_same_time_leave_no_limit() -> None:
    """Whichever ends first; also one within another."""
    entered, left = threading.Event(), threading.Event()

    def other() -> int:
        with from_caller_only():
            entered.set()
            left.wait(10)
            return depth(20)

    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(other()))
    with from_caller_only():
        thread.start()
        assert entered.wait(10)
        with from_caller_only():
            assert 7 == depth(20)
        assert 7 == depth(20)
    assert 20 == depth(20)
    left.set()
    thread.join()

    assert [7] == seen
    assert not hasattr(sys, "tracebacklimit")


def test_limit_that_a_program_sets_meanwhile_stays() -> None:
    """A transformation runs while its resource is declared."""
    with from_caller_only():
        sys.tracebacklimit = 4

    assert sys.tracebacklimit == 4


@pytest.mark.parametrize(
    ("output", "default"),
    [
        ("adopt", True),
        ("enable_acceleration", False),
        ("preflight", "error"),
        ("source_deleted", False),
    ],
)
@pytest.mark.anyio
async def test_program_reads_defaults_that_the_state_leaves_out(
    output: str, default: object
) -> None:
    """Also in a preview, where Pulumi calls unknown what a state lacks."""
    one = object.__new__(cbr.BackupReplication)
    unknown = Unknown()  # type: ignore[no-untyped-call]
    for stored, told in ((None, default), (unknown, default), ("other", "other")):
        vars(one)[output] = pulumi.Output.from_input(stored)

        assert told == await getattr(one, output).future()


@pytest.mark.anyio
@pytest.mark.filterwarnings("error")
async def test_output_without_resources_is_otherwise_the_same() -> None:
    """It is as secret, as unknown and as failed as before; an error leaves nothing unawaited."""

    async def fail() -> str:
        raise RefusedError

    before = set(SETTINGS.outputs)
    unknown = pulumi.Output.from_input(pulumi.UNKNOWN)
    secret = without_resources(pulumi.Output.secret("x"))
    failed: pulumi.Output[str] = pulumi.Output.from_input(fail())

    assert ("x", True, set()) == (
        await secret.future(),
        await secret.is_secret(),
        await secret.resources(),
    )
    assert not await without_resources(unknown).is_known()
    with pytest.raises(RefusedError):
        await without_resources(failed).future()
    gc.collect()
    SETTINGS.outputs.intersection_update(before)


@pytest.mark.anyio
async def test_program_waits_for_the_registration_and_not_for_each_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK's wait for outputs takes time with the square of their number."""
    resolvers: dict[str, Any] = {}

    def register(made: Any, *given: Any) -> None:
        for name in ("urn", "id"):
            made.__dict__[name] = runtime.resource_output(made)[1]
        resolvers.update(rpc.transfer_properties(made, given[5], custom=True))

    monkeypatch.setattr(pulumi.resource, "register_resource", register)
    before = set(SETTINGS.outputs)

    one = cbr.BackupReplication("one", backup_id="b1", **TO)

    try:
        assert {one.id._data, one.urn._data} == SETTINGS.outputs - before
        assert {"backup_id", "status", "__provider"} <= set(resolvers)
        for resolve in resolvers.values():
            resolve("told", True, False, None, None)
        assert "told" == await one.status.future()
    finally:
        for output in (one.id, one.urn):
            output._data.cancel()
            SETTINGS.outputs.discard(output._data)
