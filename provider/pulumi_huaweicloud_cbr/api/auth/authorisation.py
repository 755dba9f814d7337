"""The authorisation of a request, as a generator.

It yields each request and receives its response, so it is tested without a server. The loop that
sends what it yields does not belong here: it is `client.send_authorised`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

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
