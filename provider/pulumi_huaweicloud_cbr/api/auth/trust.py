"""Trust in a secret: a refused password or access key is sent once, however many requests wait.

Several wrong passwords or signatures in a row lock the user, or the key, for everybody who uses it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from pulumi_huaweicloud_cbr.base.clock import Clock
from pulumi_huaweicloud_cbr.base.errors import AuthenticationError

Secret = TypeVar("Secret")


class Trust(Generic[Secret]):
    """Whether the service has accepted a secret at least once, or has just refused it.

    Until the secret was accepted, one request at a time uses it. After a refusal no request
    uses it for a while.

    Args:
        refused_for_s: how long a refused secret is not sent again, in seconds.
    """

    def __init__(self, clock: Clock, refused_for_s: float) -> None:
        self._clock = clock
        self._refused_for_s = refused_for_s
        self._lock = asyncio.Lock()
        self._accepted: list[Secret] = []
        self._refused: tuple[Secret, AuthenticationError, float] | None = None

    @asynccontextmanager
    async def turn(self, current: Callable[[], Awaitable[Secret]]) -> AsyncIterator[Secret]:
        """Give the secret to a request that is about to be sent.

        Args:
            current: returns the secret that is valid now.

        Raises:
            AuthenticationError: this secret was refused a moment ago.
        """
        secret = await current()
        if not self.is_accepted(secret):
            async with self._lock:
                # Requests that waited here see the outcome for the secret.
                secret = await current()
                if not self.is_accepted(secret):
                    self._require_no_refusal(secret)
                    yield secret
                    return
        yield secret

    def is_accepted(self, secret: Secret) -> bool:
        """Whether the service accepted the secret, and has not refused it since."""
        return secret in self._accepted

    def accept(self, secret: Secret) -> None:
        """Record that the service accepted the secret."""
        self._accepted = [secret]

    def refuse(self, secret: Secret, refusal: AuthenticationError) -> None:
        """Record that the service refused the secret now."""
        self._accepted = [accepted for accepted in self._accepted if accepted != secret]
        self._refused = (secret, refusal, self._clock.monotonic())

    def _require_no_refusal(self, secret: Secret) -> None:
        if self._refused is None:
            return
        refused, refusal, refused_at = self._refused
        if secret == refused and self._clock.monotonic() - refused_at < self._refused_for_s:
            # The same refusal again, for a request that did not send the refused secret.
            raise refusal.restated()
