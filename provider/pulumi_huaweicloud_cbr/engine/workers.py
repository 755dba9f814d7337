"""Raise the number of calls that the SDK's plugin serves at once to what the engine makes.

Its pool of four threads makes a hundred replications wait for each other, although each waits for
the network most of the time. The pool is found from one of its threads, and only its limit is
changed. If anything is not as expected, the limit stays at four, which is safe. Our plugin host
needs none of this.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from pulumi_huaweicloud_cbr.base.process import process_state
from pulumi_huaweicloud_cbr.engine.call import current_call

STOCK_WORKERS = 4
WORKERS = 64
"""Threads start on demand: the engine's own limit (`--parallel`) is the one that counts."""
_SEARCHED_FRAMES = 30


class _Workers:
    """The known limit of the SDK plugin's pool."""

    def __init__(self) -> None:
        self.limit = STOCK_WORKERS


def worker_limit() -> int:
    """Return how many calls the SDK's plugin serves at once, as far as we know."""
    return process_state().part(_Workers).limit


def raise_worker_limit() -> None:
    """Raise the limit of the pool that runs this thread; calls that wait already do not profit."""
    if current_call().is_by_host:
        return
    pool = _pool_of_this_thread()
    # A private name of CPython, from 3.11 to 3.14, which compares it at each submission.
    limit = getattr(pool, "_max_workers", None)
    if pool is None or not isinstance(limit, int):
        return
    if limit < WORKERS:
        pool._max_workers = WORKERS  # noqa: SLF001 -- see above
    process_state().part(_Workers).limit = max(limit, WORKERS)


def _pool_of_this_thread() -> ThreadPoolExecutor | None:
    """Return the pool that runs this thread: the thread's bottom frame refers to it."""
    frame = sys._getframe(1)  # noqa: SLF001 -- the only way to the pool
    for _ in range(_SEARCHED_FRAMES):
        if frame.f_back is None:
            break
        frame = frame.f_back
        if frame.f_globals.get("__name__") != "concurrent.futures.thread":
            continue
        reference = frame.f_locals.get("executor_reference")
        pool = reference() if callable(reference) else None
        if isinstance(pool, ThreadPoolExecutor):
            return pool
    return None
