"""Invalid answers: each ends in a typed error of one line, or in a correct result.

Real answers of the simulator are corrupted: JSON, bytes, headers and pace. Time is virtual, and an
endless answer is noticed because later requests fail.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import gzip
import json
import re
import selectors
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.dynamic import Config, ConfigureRequest

from pulumi_huaweicloud_cbr import BackupReplicationProvider, CbrError
from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import CALL_LIMIT_S, CbrClient
from pulumi_huaweicloud_cbr.api.find import find_backup, find_vault
from pulumi_huaweicloud_cbr.api.transport.retry import Pause, RetryBudget
from pulumi_huaweicloud_cbr.api.wire.answers import Backup
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope, ReplicateRequest
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from pulumi_huaweicloud_cbr.replication.observe import Limits
from simulator.cloud.operations import operation_of
from simulator.testing import InProcessSimulator
from tests.amount import examples
from tests.contract.rig import BACKUP, PASSWORD, VAULT, Rig, SimulatedClock, declared

pytestmark = pytest.mark.simulator_only

SOURCE = ProjectScope("cn-north-4", "c6cb0876eaee4f5092d0fdf4c4fc09b3")
DESTINATION = ProjectScope("cn-east-3", "863129926600475a959e8f2efb991722")
OTHER_BACKUP = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
CONFIGURATION = {
    "huaweicloud:region": SOURCE.region,
    "huaweicloud:userName": "ops-replicator",
    "huaweicloud:password": PASSWORD,
    "huaweicloud:domainName": "acme-cloud",
    # Copies take hours of virtual time; more polls would show nothing new.
    "huaweicloud:pollInterval": "900",
}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TOKEN = "MII" + "Qb7x" * 30
LINE_LIMIT = 2000
FOR_EVER = 10_000
MANY = 300

Answered = TypeVar("Answered")
Operation = Callable[[CbrClient], Awaitable[Any]]


# -- virtual time --------------------------------------------------------------------------


class InstantSelector(selectors.DefaultSelector):
    """Returns from each wait at once, and counts the time."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Advance the time; an endless loop fails."""
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "all wait, and nothing will ever come"
            self.passed += max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time advances by waits only; also the client's clock."""

    def __init__(self) -> None:
        self._instant = InstantSelector()
        super().__init__(self._instant)

    def time(self) -> float:
        """Return the time waited so far."""
        return self._instant.passed

    monotonic = wall_time = time

    async def sleep(self, seconds: float) -> None:
        """Advance the time."""
        await asyncio.sleep(seconds)

    def run(self, work: Coroutine[Any, Any, Answered]) -> Answered:
        """Run a coroutine to its end."""
        try:
            return self.run_until_complete(work)
        finally:
            self.run_until_complete(self.shutdown_asyncgens())
            self.close()


# -- answers, and how to corrupt them ------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """A whole answer; `pause_s` passes before each of the body's four parts."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    pause_s: float = 0.0

    def response(self) -> httpx.Response:
        """Return it as it arrives from the network: not read yet."""
        return httpx.Response(self.status, headers=list(self.headers), stream=Trickle(self))


class Trickle(httpx.AsyncByteStream):
    """A body that arrives in pieces."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body = self._answer.body
        step = max(1, len(body) // 4 + 1)
        for start in range(0, max(1, len(body)), step):
            if self._answer.pause_s:
                await asyncio.sleep(self._answer.pause_s)
            yield body[start : start + step]


DEEP = "a-very-deep-list"
"""Replaced by nesting that `json.dumps` could not write."""

# None of these is a value that CBR could mean: an answer with one is invalid, not a lie.
JUNK: tuple[Any, ...] = (
    *(None, True, -1, 1.5, 10**400, 1e308, float("nan"), float("inf")),
    *([], {}, [None], [[]], {"id": None}, {"a": {"b": []}}, DEEP, [DEEP]),
    *("", " ", "\n", "a\nb", "a\u2028b", "\x00", "\x1b[2J\x1b[31m", "\u202ekcab", "\ud800"),
    *(
        "../vaults?x#",
        "two words",
        "x" * 100_000,
        "9" * 400 + " ",
        f"= {TOKEN} =",
        f"= {PASSWORD} =",
    ),
    *("2026-11-20T08:00:00 ", "0001-01-01T00:00:00", "9999-12-31T23:59:59+14:00"),
)
HARMLESS: tuple[Any, ...] = (None, True, -1, 1e308, "", "a\nb", [], [[]], {}, {"id": 7}, 10**400)
CODES: tuple[Any, ...] = (
    *("BackupService.6200", "BackupService.9910", "BackupService.6216", "BackupService.1009"),
    *("APIGW.0308", "APIGW.0201", "IAM.0004", "BackupService.6200\n", "401", 404, 6200, 0, ""),
)
BODIES = (
    *(b"", b"null", b"[]", b"{}", b"7", b'""', b"NaN", b"{", b'{"', b"\x00", b"\xff\xfe{}"),
    *(b"<html><body>\n<h1>502 Bad Gateway</h1>\r\n</body></html>", b"\xef\xbb\xbf{}"),
    *(b"[" * 20_000, b'{"a":' * 20_000, b'{"backup":' * 900 + b"{}" + b"}" * 900),
    *(b"9" * 10_000, b"x" * 200_000, f"Bearer {PASSWORD} {TOKEN}\n".encode()),
    *('{"error_code":"备份","error_msg":"不"}'.encode("gbk"), "{}".encode("utf-16")),
)
HEADERS = (
    *((b"Content-Type", kind) for kind in (b"text/html", b"application/json", b"", b";;=")),
    *(
        (b"Content-Type", b"application/json; charset=" + charset)
        for charset in (
            b"gbk",
            b"utf-16",
            b"base64",
            b"zlib",
            b"undefined",
            b"idna",
            b"\xff",
            b"''",
        )
    ),
    *((b"Content-Encoding", kind) for kind in (b"gzip", b"deflate", b"br", b"gzip, gzip", b"x")),
    *(
        (b"Retry-After", when)
        for when in (
            *(b"-1", b"0", b"3", b"119.5", b"1e9", b"NaN", b"inf", b"9" * 400, b"\xb2", b"soon"),
            *(b"Fri, 31 Dec 9999 23:59:59 GMT", b"Mon, 01 Jan 0001 00:00:00 GMT"),
            *(b"Fri, 31 Dec 9999 23:59:59 -2359", b"Mon, 01 Jan 0100 00:00:00 +2359"),
            *(
                b"Fri, 31 Dec 9999 23:59:59 +99999999999999999999",
                b"Fri, 31 Dec 99999 23:59:59 GMT",
            ),
        )
    ),
    *(
        (b"Location", where)
        for where in (
            b"/",
            b"https://elsewhere.test/",
            b"mailto:x",
            b"http://[",
            b"//a:b/",
            b"\xff",
        )
    ),
    *(
        (b"X-Request-Id", value)
        for value in (b"r" * 10_000, b"\xff\xfe", b"a\tb", b"\x1b[2J", PASSWORD.encode())
    ),
    *((b"Set-Cookie", value) for value in (b"a", b"=;;=", b"a=b; Expires=\xff", b"a=b; Max-Age=x")),
)
STATUSES = (
    *(200, 202, 204, 206, 300, 302, 304, 308),
    *(400, 401, 403, 404, 405, 409, 410, 418, 429, 500, 502, 503, 504, 599),
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to all values of a JSON tree, its root first."""
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(tree, dict):
        inner = tree.items()
    elif isinstance(tree, list):
        inner = enumerate(tree)
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def edited(tree: Any, place: tuple[Any, ...], how: str, junk: Any) -> Any:
    """Return a copy of a JSON tree with one value replaced, dropped, multiplied or extended."""
    if not place:
        return junk
    tree = copy.deepcopy(tree)
    parent = tree
    for key in place[:-1]:
        parent = parent[key]
    key = place[-1]
    value = parent[key]
    if how == "drop":
        del parent[key]
    elif how == "many":
        parent[key] = (value if isinstance(value, list) and value else [value]) * MANY
    elif how == "more" and isinstance(value, dict):
        value[json.dumps(junk)[:40]] = junk
    else:
        parent[key] = junk
    return tree


def dumped(tree: Any) -> bytes:
    """Write a JSON tree."""
    return json.dumps(tree).replace(json.dumps(DEEP), "[" * 5000 + "]" * 5000).encode()


@dataclass(frozen=True)
class Spoiling:
    """How an answer is corrupted. Positions in it are given in thousandths of the whole."""

    status: int | None = None
    edits: tuple[tuple[int, str, Any], ...] = ()
    body: bytes | None = None
    cut: int | None = None
    insert: tuple[int, bytes] | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    keeps_headers: bool = True
    is_zipped: bool = False

    def of(self, real: Answer) -> Answer:
        """Return the corrupted answer."""
        body = self._edited(real.body) if self.body is None else self.body
        if self.insert is not None:
            at = self.insert[0] * len(body) // 1000
            body = body[:at] + self.insert[1] + body[at:]
        if self.is_zipped:
            body = gzip.compress(body)
        if self.cut is not None:
            body = body[: self.cut * len(body) // 1000]
        kept = real.headers if self.keeps_headers else ()
        return Answer(self.status or real.status, body, (*kept, *self.headers))

    def _edited(self, body: bytes) -> bytes:
        if not self.edits:
            return body
        tree = json.loads(body or b"{}")
        for where, how, junk in self.edits:
            ways = places(tree)[1:] or [()]
            tree = edited(tree, ways[where * len(ways) // 1000], how, junk)
        return dumped(tree)


THOUSANDTHS = st.integers(0, 999)
EDITS = st.lists(
    st.tuples(THOUSANDTHS, st.sampled_from(["junk", "drop", "more"]), st.sampled_from(JUNK)),
    min_size=1,
    max_size=3,
)
# Many within many would be too much for this machine.
MULTIPLICATIONS = st.tuples(st.tuples(THOUSANDTHS, st.just("many"), st.none()))
INSERTIONS = st.tuples(
    THOUSANDTHS, st.sampled_from([b"\xff", b"\x00", b"\xc3", b'"', b"}", b",", b"\xef\xbb\xbf"])
)


@st.composite
def envelopes(draw: st.DrawFn) -> bytes:
    """Draw an error body of a known form, with values that none should have."""
    keys = (("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message"))
    code_key, message_key = draw(st.sampled_from(keys))
    values = st.sampled_from((*CODES, *JUNK))
    inner = {code_key: draw(values), message_key: draw(st.sampled_from(("no", *JUNK)))}
    outer = draw(st.sampled_from([None, "error", "unauthorized", "x"]))
    body = {outer: inner} if outer else inner
    if draw(st.booleans()):
        body["request_id"] = draw(values)
    return dumped(body)


def spoilings(bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[Spoiling]:
    """Draw how to corrupt an answer: its content, headers and framing."""
    contents: st.SearchStrategy[dict[str, Any]] = st.one_of(
        st.fixed_dictionaries({"edits": EDITS.map(tuple)}),
        st.fixed_dictionaries({"edits": MULTIPLICATIONS}),
        st.fixed_dictionaries({"insert": INSERTIONS}),
        st.fixed_dictionaries({"cut": THOUSANDTHS, "is_zipped": st.booleans()}),
        st.fixed_dictionaries({"body": bodies}),
        st.just({}),
    )
    around = st.fixed_dictionaries(
        {
            "status": st.one_of(st.none(), st.sampled_from(STATUSES)),
            "headers": st.lists(st.sampled_from(HEADERS), max_size=3).map(tuple),
            "keeps_headers": st.booleans(),
        }
    )
    return st.builds(lambda one, other: Spoiling(**one, **other), contents, around)


# -- what holds for every answer -----------------------------------------------------------


def require_presentable(text: str) -> None:
    """Verify that a text for the user is one line, short, and free of secrets."""
    assert text.isprintable(), ascii(text)
    assert len(text) <= LINE_LIMIT, text
    assert PASSWORD not in text
    assert TOKEN not in text


# -- every operation of the client ---------------------------------------------------------


async def copy_backup(api: CbrClient) -> Any:
    request = ReplicateRequest(DESTINATION.region, DESTINATION.project_id, VAULT)
    return await api.replicate_backup(SOURCE, BACKUP, request)


# In an order in which the simulator can execute them one after the other.
OPERATIONS: dict[str, Operation] = {
    "CreateToken": lambda api: find_backup(api, SOURCE, BACKUP),
    "ListProjects": lambda api: api.list_projects("cn-east-3"),
    "CopyBackup": copy_backup,
    "ShowBackup": lambda api: find_backup(api, SOURCE, BACKUP),
    "ListBackups": lambda api: api.list_backups(SOURCE, limit=10),
    "UpdateBackup": lambda api: api.rename_backup(SOURCE, OTHER_BACKUP, "erp-dr"),
    "ShowVault": lambda api: find_vault(api, DESTINATION, VAULT),
    "ListVault": lambda api: api.list_vaults(DESTINATION, limit=10),
    "ShowReplicationCapabilities": lambda api: api.get_replication_capabilities(SOURCE),
    "ListOpLogs": lambda api: api.list_tasks(SOURCE, limit=10),
    "DeleteBackup": lambda api: api.delete_backup(SOURCE, OTHER_BACKUP),
}
ASKED_IDS = {
    "CreateToken": BACKUP,
    "ShowBackup": BACKUP,
    "ShowVault": VAULT,
}


def named(request: httpx.Request) -> str | None:
    """Return the operation of a request."""
    path = re.sub(r"^/regions/[^/]+", "", request.url.path)
    return operation_of(request.method, path).name


class Wire(httpx.AsyncBaseTransport):
    """A network with real answers, except that the first `times` of one operation are corrupted."""

    def __init__(self, operation: str, answer: Answer, times: int = FOR_EVER) -> None:
        self.loop = VirtualLoop()
        self.requests: list[str | None] = []
        self.pauses: list[Pause] = []
        self._operation = operation
        self._answer = answer
        self._times = times

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        operation = named(request)
        assert operation is not None, request.url
        assert len(self.requests) < 50, "asks without end"
        self.requests.append(operation)
        is_spoiled = operation == self._operation
        if is_spoiled and self.requests.count(operation) <= self._times:
            return self._answer.response()
        return real()[operation].response()

    def ask(self, operation: Operation) -> Any:
        """Run an operation on this network. Return its result or its error."""

        async def work() -> Any:
            chosen = Settings.load(CONFIGURATION.get, {})
            async with CbrClient(
                chosen,
                make_authenticator(chosen, self.loop),
                clock=self.loop,
                on_pause=self.pauses.append,
                transport=self,
            ) as api:
                try:
                    return await operation(api)
                except CbrError as error:
                    return error

        return self.loop.run(work())


class Recorder(httpx.AsyncBaseTransport):
    """Connects to a simulator, and records its answers."""

    def __init__(self, simulator: InProcessSimulator) -> None:
        self._inner = simulator.transport()
        self.answers: dict[str, Answer] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        headers = tuple(response.headers.raw)
        self.answers[str(named(request))] = Answer(response.status_code, body, headers)
        return Answer(response.status_code, body, headers).response()


@functools.cache
def real() -> dict[str, Answer]:
    """Return what the simulator answers to each operation."""
    simulator = InProcessSimulator()
    recorder = Recorder(simulator)

    async def ask_all() -> None:
        address = f"{simulator.url}/regions/{{region}}"
        endpoints = json.dumps({"cbr": address, "iam": address})
        configuration = {**CONFIGURATION, "huaweicloud:endpoints": endpoints}
        chosen = Settings.load(configuration.get, {})
        clock = SimulatedClock(simulator)
        async with CbrClient(
            chosen, make_authenticator(chosen, clock), clock=clock, transport=recorder
        ) as api:
            for operation in OPERATIONS.values():
                await operation(api)

    asyncio.run(ask_all())
    simulator.close()
    return recorder.answers


def require_typed_or_right(wire: Wire, operation: str, outcome: Any) -> None:
    """Verify that an operation ended in time, with our error or the correct result."""
    budget = RetryBudget()
    assert wire.loop.time() <= budget.seconds + CALL_LIMIT_S
    # The token of each attempt may be refused once.
    assert wire.requests.count(operation) <= 2 * budget.attempts
    for pause in wire.pauses:
        require_presentable(str(pause))
    if isinstance(outcome, CbrError):
        require_presentable(str(outcome))
    elif operation == "CopyBackup":
        assert UUID.fullmatch(outcome.replication_record_id)
    elif operation in ASKED_IDS:
        assert ASKED_IDS[operation] == outcome.id
    elif operation == "UpdateBackup":
        assert isinstance(outcome, Backup)
    elif operation == "DeleteBackup":
        assert outcome is None
    else:
        assert isinstance(outcome, tuple)


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(derandomize=True, deadline=None, max_examples=examples(60))
@given(
    spoiling=spoilings(st.one_of(envelopes(), st.sampled_from(BODIES))),
    pause_s=st.sampled_from([0.0, 0.0, 0.0, 1.0, 29.0, 31.0, 1e7]),
    times=st.sampled_from([1, 2, FOR_EVER]),
)
def test_corrupted_answer_is_a_typed_error_or_the_truth(
    operation: str, spoiling: Spoiling, pause_s: float, times: int
) -> None:
    """Whatever the answer, an operation ends within its budget, with our error or correctly."""
    answer = replace(spoiling.of(real()[operation]), pause_s=pause_s)
    wire = Wire(operation, answer, times)

    outcome = wire.ask(OPERATIONS[operation])

    require_typed_or_right(wire, operation, outcome)
    if operation == "CopyBackup" and answer.status < 400:
        assert 1 == wire.requests.count("CopyBackup"), "sent again although it may be accepted"


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(derandomize=True, deadline=None, max_examples=examples(8))
@given(added=st.lists(st.sampled_from(HARMLESS), min_size=30, max_size=30))
def test_unknown_fields_change_nothing(operation: str, added: list[Any]) -> None:
    """Unknown fields, in any position, do not change the result."""
    tree = json.loads(real()[operation].body or b"{}")
    for number, place in enumerate(places(tree)):
        value = functools.reduce(lambda inner, key: inner[key], place, tree)
        if isinstance(value, dict):
            value["added_later"] = added[number % len(added)]
    answer = replace(real()[operation], body=dumped(tree))

    expected = Wire(operation, real()[operation]).ask(OPERATIONS[operation])
    assert expected == Wire(operation, answer).ask(OPERATIONS[operation])
    assert not isinstance(expected, CbrError)


# -- the whole life of a resource ----------------------------------------------------------


class Meddler(httpx.AsyncBaseTransport):
    """Connects to the simulator, and corrupts its answers to some requests of one operation."""

    def __init__(self, simulator: InProcessSimulator) -> None:
        self._inner = simulator.transport()
        self.requests = 0
        self.stop()

    def stop(self) -> None:
        """Leave the answers unchanged."""
        self._operation = ""
        self._hits = range(0)
        self._spoiling = Spoiling()
        self._seen = 0

    def spoil(self, operation: str, hits: range, spoiling: Spoiling) -> None:
        """Corrupt the answers to those requests of an operation that have these numbers."""
        self.stop()
        self.requests = 0
        self._operation, self._hits, self._spoiling = operation, hits, spoiling

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and answer it."""
        self.requests += 1
        assert self.requests < 500, "asks without end"
        response = await self._inner.handle_async_request(request)
        answer = Answer(response.status_code, await response.aread(), tuple(response.headers.raw))
        if named(request) == self._operation:
            if self._seen in self._hits:
                answer = self._spoiling.of(answer)
            self._seen += 1
        return answer.response()


class Life:
    """A resource that is created, read, renamed and deleted with corrupted answers."""

    def __init__(self) -> None:
        self.simulator = InProcessSimulator()
        address = f"{self.simulator.url}/regions/{{region}}"
        endpoints = json.dumps({"cbr": address, "iam": address})
        self.configuration = {**CONFIGURATION, "huaweicloud:endpoints": endpoints}
        self.meddler = Meddler(self.simulator)
        session = self.new_session()
        provider = BackupReplicationProvider()
        provider.configure(ConfigureRequest(Config(self.configuration, "p")))
        self.rig = Rig(provider, self.simulator.control, session)
        self.inputs: dict[str, Any] = {}

    def new_session(self) -> Session:
        """Make the session of a process, and use it."""
        session = Session(
            Settings.load(self.configuration.get, {}),
            transport=self.meddler,
            clock=SimulatedClock(self.simulator),
        )
        use_session(session)
        return session

    def run_again(self) -> None:
        """Be the process of the next run. It remembers nothing, not even a refused password."""
        self.rig.session.close()
        self.rig.session = self.new_session()
        begin_operation()

    def close(self) -> None:
        """Forget everything."""
        self.rig.session.close()
        self.simulator.close()

    def check(self) -> None:
        """Check the inputs. A reported failure is an error here."""
        checked = self.rig.provider.check({}, declared())
        for failure in checked.failures:
            require_presentable(failure.reason)
        if checked.failures:
            raise CbrError(checked.failures[0].reason)
        self.inputs = checked.inputs

    def create(self) -> None:
        """Create: the id is that of the only record."""
        result = self.rig.provider.create(self.inputs)
        self.rig.id, self.rig.inputs = result.id, self.inputs
        self.rig.outputs = dict(result.outs or {})
        (record,) = self.rig.control.records()
        assert record["id"] == result.id

    def read(self) -> None:
        """Read: an existing replica does not count as gone."""
        assert self.rig.refresh(), "forgot a replica that exists"

    def update(self) -> None:
        """Rename: the replica has the name."""
        self.rig.update(declared(name="erp-dr"))
        assert ["erp-dr"] == [replica["name"] for replica in self.rig.replicas]

    def delete(self) -> None:
        """Delete: no replica is left."""
        self.rig.delete()
        assert [] == self.rig.replicas


STEP_LIMIT_S = Limits().copy_s + Limits().deletion_s + 10 * RetryBudget().seconds
# The steps of a life, and the operations that each of them uses.
STEPS: dict[Callable[[Life], None], tuple[str, ...]] = {
    Life.check: ("CreateToken", "ShowVault", "ShowReplicationCapabilities"),
    Life.create: ("ShowBackup", "CopyBackup"),
    Life.read: ("ShowBackup",),
    Life.update: ("ShowBackup", "UpdateBackup"),
    Life.delete: ("ShowBackup", "DeleteBackup"),
}


@st.composite
def disturbances(draw: st.DrawFn, operations: tuple[str, ...]) -> tuple[str, range, Spoiling]:
    """Draw what is corrupted in a step: an operation, some of its requests, and how."""
    first = draw(st.integers(0, 2))
    hits = range(first, first + draw(st.sampled_from([1, FOR_EVER])))
    return draw(st.sampled_from(operations)), hits, draw(spoilings(st.sampled_from(BODIES)))


@settings(derandomize=True, deadline=None, max_examples=examples(30))
@given(
    disturbed=st.tuples(*(disturbances(operations) for operations in STEPS.values())),
    is_copied=st.booleans(),
)
def test_life_with_corrupted_answers_ends_well(
    disturbed: tuple[tuple[str, range, Spoiling], ...], is_copied: bool
) -> None:
    """Each step succeeds or fails with our error. Nothing is lost, and a second run succeeds."""
    life = Life()
    try:
        for step, disturbance in zip(STEPS, disturbed, strict=True):
            started = life.simulator.clock.now()
            life.meddler.spoil(*disturbance)
            begin_operation()
            try:
                step(life)
            except CbrError as error:
                require_presentable(str(error))
                life.meddler.stop()
                life.run_again()
                step(life)
            life.meddler.stop()
            assert life.simulator.clock.now() - started <= STEP_LIMIT_S
            if step is Life.create and is_copied:
                life.rig.finish_copies()
    finally:
        life.close()
