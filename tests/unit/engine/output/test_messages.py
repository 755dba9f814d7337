"""Messages to the engine: how often, on which row, and never at the cost of an operation."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.base.text import span
from pulumi_huaweicloud_cbr.engine.call import Call, serving
from pulumi_huaweicloud_cbr.engine.output import messages
from pulumi_huaweicloud_cbr.engine.provider import served
from pulumi_huaweicloud_cbr.engine.workers import STOCK_WORKERS

ERP = Call(urn="urn:pulumi:s::p::t::erp", is_by_host=True)
STOCK = Call(urn="urn:pulumi:s::p::t::erp")


class Engine:
    """Accepts messages, or refuses them."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.error: Exception | None = None

    def Log(self, request: Any, timeout: float) -> None:  # noqa: N802
        """Accept one message."""
        assert timeout == messages.ENGINE_LIMIT_S
        if self.error:
            raise self.error
        self.taken.append(request)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A connected engine, without any message yet."""
    engine = Engine()
    monkeypatch.setattr(messages, "_engine_address", lambda: "127.0.0.1:1")
    monkeypatch.setattr(messages, "_engine", lambda _: engine)
    return engine


def test_progress_is_ephemeral_and_on_the_row_of_its_resource(engine: Engine) -> None:
    """It is shown during the work, and leaves nothing behind."""
    with serving(ERP):
        messages.progress("45 %")

    (request,) = engine.taken
    assert ("45 %", ERP.urn, True) == (request.message, request.urn, request.ephemeral)


@served
def work(say: Callable[[], None], error: Exception | None = None) -> str:
    """Replace a provider's method."""
    say()
    if error is not None:
        raise error
    return "answer"


def test_progress_is_removed_from_the_row_after_a_success(engine: Engine) -> None:
    """Otherwise a completed row would keep its last progress until the operation ends."""
    with serving(ERP):
        assert "answer" == work(lambda: messages.progress("45 %"))
        assert "answer" == work(lambda: None)

    shown, cleared = engine.taken
    assert "45 %" == shown.message
    assert (ERP.urn, True) == (cleared.urn, cleared.ephemeral)
    # The engine drops an empty message. This is its code for the end of a colour.
    assert "<{%reset%}>" == cleared.message


def show_both() -> None:
    """Show a line of progress, then a permanent one."""
    messages.progress("45 %")
    messages.tell("adopted")


def test_progress_is_replaced_by_a_permanent_line(engine: Engine) -> None:
    """A later line is already the row's last one."""
    with serving(ERP):
        work(show_both)

    assert ["45 %", "adopted"] == [request.message for request in engine.taken]


def test_progress_stays_beside_an_error(engine: Engine) -> None:
    """The last progress is useful beside an error. The engine shows the error itself."""
    with serving(ERP), pytest.raises(CbrError):
        work(lambda: messages.progress("45 %"), CbrError("refused"))

    assert ["45 %"] == [request.message for request in engine.taken]


def test_progress_of_another_resource_stays(engine: Engine) -> None:
    """Each row is independent."""
    with serving(Call(urn="other", is_by_host=True)):
        messages.progress("12 %")
    with serving(ERP):
        work(lambda: None)

    assert ["12 %"] == [request.message for request in engine.taken]


def test_message_is_shown_once_per_resource_and_wording(engine: Engine) -> None:
    """The engine checks a resource several times in one operation; the user reads it once."""
    for urn in ("a", "a", "b"):
        with serving(Call(urn=urn, is_by_host=True)):
            messages.tell("adopted")

    assert ["a", "b"] == [request.urn for request in engine.taken]
    assert not any(request.ephemeral for request in engine.taken)


def test_message_is_lost_with_its_engine_and_nothing_else(engine: Engine) -> None:
    """An engine that has ended must not cost the id of a copy that was just submitted."""
    engine.error = grpc.RpcError("gone")

    with serving(ERP):
        messages.tell("submitted")
        messages.progress("45 %")

    assert [] == engine.taken


def test_pace_slows_down_to_a_line_a_minute() -> None:
    """A wait of four hours logs about 250 lines, most of them at its beginning."""
    now = 0.0
    pace = messages.Pace(lambda: now)
    shown = []
    while now < 4 * 3600:
        if pace.is_due("erp"):
            shown.append(now)
        now += 0.5

    assert [0, 2, 5, 9.5, 16.5] == shown[:5]
    assert all(later - earlier <= 60.5 for earlier, later in itertools.pairwise(shown))
    assert 240 <= len(shown) <= 260


def test_pace_is_separate_for_each_resource() -> None:
    """Each of many parallel waits has its line."""
    pace = messages.Pace(lambda: 0.0)

    assert [True, True, False] == [pace.is_due(urn) for urn in ("a", "b", "a")]


def test_hint_in_a_wait_on_the_sdks_plugin_only(engine: Engine) -> None:
    """Once per process, on the stack's row. Our own plugin host needs no hint."""
    for call in (ERP, STOCK, Call(urn="other")):
        with serving(call):
            messages.waiting("0 s of at most 2 s: copying")

    hints = [request for request in engine.taken if "--install plugin" in request.message]
    assert [""] == [request.urn for request in hints]


def test_progress_alone_gives_no_hint(engine: Engine) -> None:
    """A preview reads many copies as well, and ends by itself."""
    with serving(ERP):
        messages.progress("1 of 7 done: reading")

    assert [] == [request for request in engine.taken if "--install plugin" in request.message]


@pytest.mark.parametrize(("calls", "expected"), [(4, 0), (5, 1)])
def test_hint_when_more_calls_are_made_than_the_sdks_plugin_takes(
    engine: Engine, calls: int, expected: int
) -> None:
    """Four calls are no problem; a fifth has to wait."""
    running = [messages.slow_call("create") for _ in range(calls)]
    for number, call in enumerate(running):
        if number >= STOCK_WORKERS:
            running[number - STOCK_WORKERS].__exit__(None, None, None)
        call.__enter__()
    for call in running[-STOCK_WORKERS:]:
        call.__exit__(None, None, None)

    assert expected == sum("makes 4 calls at a time" in request.message for request in engine.taken)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (14_400, "4 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    """Durations are for people."""
    assert text == span(seconds)


def test_message_in_another_encoding_reaches_the_engine(engine: Engine) -> None:
    """Text in another encoding has lone surrogates in Python; these are replaced."""
    with serving(ERP):
        messages.tell("vault \udcb1\udcb8")

    (request,) = engine.taken
    assert request.message == "vault ??"


def test_reason_of_a_wait_is_shown_at_once(engine: Engine) -> None:
    """A line about a name that resolves slowly is shown at once, whatever was shown before."""
    with serving(ERP):
        messages.progress("45 %")
        messages.say_now("still trying to reach 'iam'")

    assert ["45 %", "still trying to reach 'iam'"] == [request.message for request in engine.taken]
    assert all(request.ephemeral for request in engine.taken)
