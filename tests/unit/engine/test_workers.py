"""The SDK's pool of workers is enlarged if it is found, and otherwise left alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pulumi_huaweicloud_cbr.engine import workers
from pulumi_huaweicloud_cbr.engine.call import Call, serving
from pulumi_huaweicloud_cbr.engine.workers import STOCK_WORKERS, WORKERS, raise_worker_limit


def most_at_once(pool: ThreadPoolExecutor, calls: int) -> int:
    """Return how many of this many calls run in parallel."""
    started = threading.Semaphore(0)
    done = threading.Event()

    def serve() -> None:
        started.release()
        done.wait()

    for _ in range(calls):
        pool.submit(serve)
    count = 0
    while count < calls and started.acquire(timeout=0.5 if count else 30):
        count += 1
    done.set()
    return count


@pytest.mark.parametrize(
    ("is_by_host", "expected"), [pytest.param(False, 9, id="sdk"), pytest.param(True, 4, id="host")]
)
def test_pool_takes_more_calls(is_by_host: bool, expected: int) -> None:
    """From the first call on, the SDK plugin's pool runs more than four. Ours is unchanged."""
    with ThreadPoolExecutor(max_workers=STOCK_WORKERS) as pool:

        def configure() -> None:
            with serving(Call(is_by_host=is_by_host)):
                raise_worker_limit()

        pool.submit(configure).result()

        assert expected == most_at_once(pool, 9)
    assert (STOCK_WORKERS if is_by_host else WORKERS) == workers.worker_limit()


def test_no_pool_is_no_harm() -> None:
    """Outside of any pool, and in a pool of another kind, nothing happens."""
    raise_worker_limit()
    thread = threading.Thread(target=raise_worker_limit)
    thread.start()
    thread.join()

    assert STOCK_WORKERS == workers.worker_limit()


def test_pool_with_other_names_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a Python version names the limit differently, it stays unchanged."""
    with ThreadPoolExecutor(max_workers=STOCK_WORKERS) as pool:
        renamed = pool.submit(int)
        renamed.result()
        monkeypatch.setattr(workers, "_pool_of_this_thread", object)
        pool.submit(raise_worker_limit).result()

    assert STOCK_WORKERS == workers.worker_limit()
