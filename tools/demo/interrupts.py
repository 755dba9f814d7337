"""Signals that end the demo: they wait while something is created that must be removed."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Interrupted(BaseException):
    """A signal asked the demo to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = EXIT_CODES[signal.Signals(number)]


class Interrupts:
    """The handler of these signals in this process.

    It raises `Interrupted` at the demo's current position. Within `held` it only records the
    signal. A process that was just started and is not registered yet could not be stopped. It would
    go on writing into a directory that is being removed.
    """

    def __init__(self) -> None:
        self._held = False
        self._waiting: int | None = None

    def install(self) -> None:
        """Handle the signals from now on."""
        for number in EXIT_CODES:
            signal.signal(number, self._on_signal)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Delay a signal until the end of the block; blocks may be nested.

        Raises:
            Interrupted: a signal came meanwhile, and nothing else is being raised.
        """
        if self._held:
            yield
            return
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._waiting is not None:
            raise Interrupted(self._waiting)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        # A second signal must not break the clean-up.
        for other in EXIT_CODES:
            signal.signal(other, signal.SIG_IGN)
        if self._held:
            self._waiting = number
        else:
            raise Interrupted(number)
