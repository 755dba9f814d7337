"""An API request as data, and how failures and error responses map to our errors.

Sends nothing and repeats nothing: `client` does. `transport.http` has decided whether an unanswered
request can have been carried out. `wire.decoding` reads error bodies.
"""

from __future__ import annotations

import ssl
from typing import Any

from msgspec import Struct

from pulumi_huaweicloud_cbr.api.auth.authorisation import Authorisation
from pulumi_huaweicloud_cbr.api.auth.signing import SignatureAuth
from pulumi_huaweicloud_cbr.api.auth.tokens import GivenTokenAuth
from pulumi_huaweicloud_cbr.api.wire.decoding import error_of, redirection_of
from pulumi_huaweicloud_cbr.api.wire.error_codes import WANTS_A_USER
from pulumi_huaweicloud_cbr.api.wire.exchange import Request, Response, UnansweredError
from pulumi_huaweicloud_cbr.base.errors import (
    AuthenticationError,
    NotSentError,
    TransportError,
)


class Call(Struct, frozen=True):
    """One API request, with what is needed to log, repeat and explain it.

    `doing` begins every message about it. `is_repeatable` says that carrying it out twice does
    no harm. A code in `final_codes` goes to the caller without repetition. If `missing_codes` is
    set, only those codes mean that the thing does not exist. `unsent_remedy` is the remedy if
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
    """Return the error for an unanswered request.

    Args:
        request: the request of the call itself; `error.request` may be a sign-in before it.
    """
    # If a sign-in failed, the request of the call itself was not sent.
    is_on_the_way = error.request is not request
    kind = NotSentError if is_on_the_way else error.kind
    host = error.request.host or error.request.url
    proxy = f"the proxy {error.proxy}" if error.proxy else "the proxy"
    if error.proxy and "407" in error.observed:
        remedy = f"{proxy} {WANTS_A_USER}"
    elif kind is not NotSentError:
        remedy = "the connection broke before an answer came, run the same command again"
    elif _is_certificate_refused(error):
        remedy = (
            f"check {proxy} and that {host!r} is the right endpoint; a private CA goes into "
            "huaweicloud:caFile (or HW_CA_FILE)"
        )
    elif call.unsent_remedy and not is_on_the_way:
        remedy = call.unsent_remedy
    else:
        remedy = f"check the network, {proxy} and that {host!r} is the right endpoint"
    return kind(f"{call.doing}: no answer from {host!r}: {error.observed}", remedy=remedy)


def _is_certificate_refused(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def raise_for_refusal(call: Call, response: Response) -> None:
    """Return if the response is a success; its body must have been read in any case.

    Raises:
        ApiError: the service refused the request. It is an AuthenticationError if the
            credentials were refused, and a NotFoundError if the thing does not exist.
        MalformedResponseError: the response is a redirection.
    """
    if response.is_success:
        return
    if response.status < 400:
        raise redirection_of(response, call.doing)
    error = error_of(response, call.doing, call.missing_codes)
    if error.status == 401 and not error.is_unauthorized_url:
        auth = call.auth
        remedy = None
        if isinstance(auth, (GivenTokenAuth, SignatureAuth)):
            remedy = auth.remedy_for(response)
        raise error.restated_as(AuthenticationError, remedy=remedy)
    raise error
