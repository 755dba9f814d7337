"""One request, and what it means if it is not answered, or refused.

All that httpx can raise becomes an error of ours here, and whether the request can have been
carried out is decided with it.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpx
from msgspec import Struct

from pulumi_huaweicloud_cbr.api.auth.signing import SignatureAuth
from pulumi_huaweicloud_cbr.api.wire.responses import error_of, redirection_of
from pulumi_huaweicloud_cbr.base.errors import (
    AuthenticationError,
    NotSentError,
    OutcomeUnknownError,
    TransportError,
)
from pulumi_huaweicloud_cbr.base.text import excerpt

# One table from httpx's exceptions to ours, the most specific first. Whether a request can have
# been carried out is all that matters: up to an established connection it certainly was not.
TRANSPORT_ERRORS: tuple[tuple[type[Exception], type[TransportError]], ...] = (
    (httpx.ConnectError, NotSentError),
    (httpx.ConnectTimeout, NotSentError),
    (httpx.PoolTimeout, NotSentError),
    (httpx.ProxyError, NotSentError),
    (httpx.UnsupportedProtocol, NotSentError),
    (httpx.LocalProtocolError, NotSentError),
    (httpx.TimeoutException, OutcomeUnknownError),
    (httpx.NetworkError, OutcomeUnknownError),
    (httpx.ProtocolError, OutcomeUnknownError),
    (httpx.DecodingError, OutcomeUnknownError),
    (httpx.TooManyRedirects, OutcomeUnknownError),
    (httpx.RequestError, OutcomeUnknownError),
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
    auth: httpx.Auth
    params: dict[str, Any] | None = None
    json: dict[str, Any] | None = None
    is_repeatable: bool = True
    final_codes: frozenset[str] = frozenset()
    missing_codes: frozenset[str] | None = None
    unsent_remedy: str | None = None


def transport_error(call: Call, request: httpx.Request, error: Exception) -> TransportError:
    """Return what an exception of httpx means; `request` is the one that was to be sent."""
    # A sign-in that failed on the way is about another request than the one to be sent.
    failed = getattr(error, "_request", None) or request
    is_on_the_way = failed.url != request.url or failed.method != request.method
    if is_on_the_way:
        kind: type[TransportError] = NotSentError
    else:
        kind = next(
            (ours for theirs, ours in TRANSPORT_ERRORS if isinstance(error, theirs)),
            NotSentError,
        )
    observed = excerpt(str(error)) or type(error).__name__
    host = failed.url.host or str(failed.url)
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
    return kind(f"{call.doing}: no answer from {host!r}: {observed}", remedy=remedy)


def _is_certificate_refused(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def raise_for_refusal(call: Call, response: httpx.Response) -> None:
    """Accept a success, whose body must have been read, as each body.

    Raises:
        ApiError: refused; AuthenticationError and NotFoundError where that is what it says.
        MalformedResponseError: a redirection.
    """
    if response.is_success:
        return
    if response.status_code < 400:
        raise redirection_of(response, call.doing)
    error = error_of(response, call.doing, call.missing_codes)
    if error.status == 401 and not error.is_unauthorized_url:
        auth = call.auth
        remedy = auth.remedy_for(response) if isinstance(auth, SignatureAuth) else None
        raise error.restated_as(AuthenticationError, remedy=remedy)
    raise error
