"""Interrupts, for tests and benchmarks that run in the background."""

from __future__ import annotations

import signal


def heed_interrupts() -> None:
    """Make commands handle interrupts that this process was started to ignore.

    ``nohup`` ignores them, and so does each background job of a shell without job control. Pulumi
    interrupts its program at the end, and waits five seconds for it in each `up` and `preview`.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
