"""How credentials take part in a request: as a generator that sees requests and responses.

It yields what is to be sent next and receives the answer, so it is tested without a server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from pulumi_huaweicloud_cbr.api.transport.http import Connection
from pulumi_huaweicloud_cbr.api.wire.exchange import Request, Response


class Authorisation(Protocol):
    """Credentials for requests to one project, or for looking up one."""

    def flow(self, request: Request) -> AsyncGenerator[Request, Response]:
        """Yield each request to be sent, and receive its answer, with the body.

        `request` is one of them, once it carries the credentials. Others may come before, such as
        a sign-in. It comes again, with new credentials, if it was refused for the old ones. The
        last answer counts.

        Raises:
            AuthenticationError, ApiError, MalformedResponseError: signing in failed.
        """
        ...


async def send_authorised(http: Connection, request: Request, auth: Authorisation) -> Response:
    """Send a request as its authorisation wants it; return the last answer.

    Raises:
        UnansweredError, BodyTooLongError: as `Connection.answer` does.
        AuthenticationError, ApiError, MalformedResponseError: as the authorisation does.
    """
    async with aclosing(auth.flow(request)) as flow:
        following = await anext(flow)
        while True:
            response = await http.answer(following)
            try:
                following = await flow.asend(response)
            except StopAsyncIteration:
                return response
