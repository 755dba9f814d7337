"""The authorisation of a request as a generator, and the loop that sends what it yields.

The generator yields each request and receives its response, so it is tested without a server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from pulumi_huaweicloud_cbr.api.transport.http import Connection
from pulumi_huaweicloud_cbr.api.wire.exchange import Request, Response


class Authorisation(Protocol):
    """Credentials for requests to one project, or for the look-up of one."""

    def flow(self, request: Request) -> AsyncGenerator[Request, Response]:
        """Yield each request to be sent, and receive its response, with the body.

        One of them is `request`, once it carries the credentials. Others, such as a sign-in, may
        come before it. It is yielded again, with new credentials, if the old ones were refused.
        The last response is the result.

        Raises:
            AuthenticationError, ApiError, MalformedResponseError: signing in failed.
        """
        ...


async def send_authorised(http: Connection, request: Request, auth: Authorisation) -> Response:
    """Send the requests that an authorisation yields; return the last response.

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
