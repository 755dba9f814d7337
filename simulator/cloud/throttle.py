"""The gateway's limit on the number of calls in a time window.

Source: API Gateway user guide, "Error Codes", APIGW.0308. All users of a region share one sliding
window for all operations, and one for each operation with a limit of its own. That is a choice of
ours, as the published limits differ by account.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from typing import Any

from simulator.cloud import errors
from simulator.cloud.clock import Clock
from simulator.cloud.operations import CBR_OPERATIONS
from simulator.cloud.specs import Limit, Options

_UNITS = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


class Throttle:
    """The windows of all regions of one cloud; they are not stored."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # By region, and by operation if it has a limit of its own.
        self._passed: dict[tuple[str | None, str | None], deque[float]] = defaultdict(deque)

    def let_through(self, request: dict[str, Any], options: Options) -> None:
        """Count a request, in the journal's terms, or raise the gateway's refusal."""
        region, operation = request["region"], request["operation"]
        limits: dict[str | None, Limit] = {}
        shared = options.rate_limit
        if shared is not None and operation in (shared.operations or CBR_OPERATIONS):
            limits[None] = shared
        if operation in options.operation_limits:
            limits[operation] = options.operation_limits[operation]
        for name, limit in limits.items():
            self._require_room(self._passed[region, name], limit)
        for name in limits:
            self._passed[region, name].append(self._clock.now())

    def _require_room(self, passed: deque[float], limit: Limit) -> None:
        now = self._clock.now()
        while passed and passed[0] <= now - limit.seconds:
            passed.popleft()
        if len(passed) < limit.calls:
            return
        refusal = errors.gateway("0308", _message(limit))
        if limit.retry_after:
            room_at = passed[-limit.calls] + limit.seconds
            refusal.headers["Retry-After"] = str(max(1, math.ceil(room_at - now)))
        raise refusal


def _message(limit: Limit) -> str:
    # The largest unit with a whole number for the window.
    units = (each for each in _UNITS.items() if limit.seconds % each[1] == 0)
    unit, length_s = next(units, ("second", 1))
    return (
        "The throttling threshold has been reached: policy user over ratelimit,"
        f"limit:{limit.calls},time:{limit.seconds / length_s:g} {unit}"
    )
