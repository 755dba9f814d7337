"""A signal ends the demo, but never between the start of a process and its registration."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from tools.demo.interrupts import EXIT_CODES, Interrupted, Interrupts


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    """Install the handlers, and remove them again."""
    before = {number: signal.getsignal(number) for number in EXIT_CODES}
    made = Interrupts()
    made.install()
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


def handle(interrupts: Interrupts, block: Callable[[], None]) -> None:
    """Run a block while signals are held."""
    with interrupts.held():
        block()


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_ends_the_demo(number: int, code: int) -> None:
    """It is raised immediately, with the exit code of a program that a signal ended."""
    with pytest.raises(Interrupted) as raised:
        signal.raise_signal(number)

    assert code == raised.value.code


def test_signal_waits_while_held(interrupts: Interrupts) -> None:
    """The signal is raised at the end of the outermost block, after the result is known."""
    made = []

    def inner() -> None:
        signal.raise_signal(signal.SIGTERM)
        made.append("inner")

    def outer() -> None:
        handle(interrupts, inner)
        made.append("outer")

    with pytest.raises(Interrupted):
        handle(interrupts, outer)

    assert ["inner", "outer"] == made


@pytest.mark.usefixtures("interrupts")
def test_second_signal_does_not_break_the_clean_up() -> None:
    """After a second Ctrl-C everything is still removed."""
    with pytest.raises(Interrupted):
        signal.raise_signal(signal.SIGINT)

    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)


def test_own_error_of_the_block_is_not_hidden(interrupts: Interrupts) -> None:
    """A failed block raises its own error, even if a signal arrived meanwhile."""

    def block() -> None:
        signal.raise_signal(signal.SIGTERM)
        raise ValueError("own")

    with pytest.raises(ValueError, match="own"):
        handle(interrupts, block)
