"""One request, and what it means if it is not answered, or refused.

A request without an answer becomes an error for the user here. `transport.http` has told whether
it can have been carried out.
"""

from __future__ import annotations

import ssl
from typing import Any

from msgspec import Struct

from pulumi_huaweicloud_cbr.api.auth.flow import Authorisation
from pulumi_huaweicloud_cbr.api.auth.signing import SignatureAuth
from pulumi_huaweicloud_cbr.api.wire.exchange import Request, Response, UnansweredError
from pulumi_huaweicloud_cbr.api.wire.responses import error_of, redirection_of
from pulumi_huaweicloud_cbr.base.errors import (
    AuthenticationError,
    NotSentError,
    TransportError,
)


class Call(Struct, frozen=True):
    """One request, in the terms in which it is logged, repeated and explained.

    `doing` begins every message about it. `is_repeatable` says that carrying it out twice does
    no harm. A code in `final_codes` is handed to the caller without repetition. Only a code in
    `missing_codes` says that what is asked for does not exist. `unsent_remedy` is the remedy if
    the service was not reached; None means the usual one.
    """

    doing: str
    method: str
    url: str
    auth: Authorisation
    params: dict[str, Any] | None = None
    json: dict[str, Any] | None = None
    is_repeatable: bool = True
    final_codes: frozenset[str] = frozenset()
    missing_codes: frozenset[str] | None = None
    unsent_remedy: str | None = None


def transport_error(call: Call, request: Request, error: UnansweredError) -> TransportError:
    """Return the error for a request without an answer; `request` is the one to be sent."""
    # A sign-in that failed on the way is about another request than the one to be sent.
    is_on_the_way = error.request is not request
    kind = NotSentError if is_on_the_way else error.kind
    host = error.request.host or error.request.url
    if kind is not NotSentError:
        remedy = "the connection broke before an answer came, run the same command again"
    elif _is_certificate_refused(error):
        remedy = (
            f"check the proxy and that {host!r} is the right endpoint; a private CA goes into "
            "huaweicloud:caFile (or HW_CA_FILE)"
        )
    elif call.unsent_remedy and not is_on_the_way:
        remedy = call.unsent_remedy
    else:
        remedy = f"check the network, the proxy and that {host!r} is the right endpoint"
    return kind(f"{call.doing}: no answer from {host!r}: {error.observed}", remedy=remedy)


def _is_certificate_refused(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def raise_for_refusal(call: Call, response: Response) -> None:
    """Accept a success, whose body must have been read, as each body.

    Raises:
        ApiError: refused; AuthenticationError and NotFoundError where that is what it says.
        MalformedResponseError: a redirection.
    """
    if response.is_success:
        return
    if response.status < 400:
        raise redirection_of(response, call.doing)
    error = error_of(response, call.doing, call.missing_codes)
    if error.status == 401 and not error.is_unauthorized_url:
        auth = call.auth
        remedy = auth.remedy_for(response) if isinstance(auth, SignatureAuth) else None
        raise error.restated_as(AuthenticationError, remedy=remedy)
    raise error
