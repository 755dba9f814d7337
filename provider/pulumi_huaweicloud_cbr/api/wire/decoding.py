"""From an HTTP response to a model or to one of our errors.

Owns the seven error envelopes of Huawei Cloud services, and the headers that matter here: request
id, Date, Retry-After, Location. Owns no policy (see `retry`) and no sending (see `client`).
Source: CBR API reference, "Status Codes" and "Error Codes"; IAM API reference; vendor SDK core.
"""

from __future__ import annotations

import email.utils
import time
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from pulumi_huaweicloud_cbr.api.wire.error_codes import facts_of
from pulumi_huaweicloud_cbr.api.wire.exchange import Response
from pulumi_huaweicloud_cbr.base.errors import ApiError, MalformedResponseError, NotFoundError
from pulumi_huaweicloud_cbr.base.text import readable, span

Model = TypeVar("Model", bound=msgspec.Struct)

# The pairs of keys that services use for code and message, in the vendor SDK's order.
_CODE_KEYS = (("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message"))
_REQUEST_ID_HEADERS = ("X-Request-Id", "X-IAM-Trace-Id")
# Endless nesting, and bytes that are not text, have errors of their own.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ID_CHARS = 64
_LONGEST_WISH_S = 86_400.0

NOT_THE_SERVICE = "check the endpoint; a proxy may have answered in the service's place"


class ErrorEnvelope(Struct, frozen=True):
    """The content of an error body, whichever envelope it came in."""

    code: str | None = None
    message: str = ""
    request_id: str | None = None
    is_unauthorized_url: bool = False


def parse_error(text: str) -> ErrorEnvelope:
    """Return the content of an error body; a body that is not JSON is its own message."""
    try:
        body = msgspec.json.decode(text)
    except _UNREADABLE:
        return ErrorEnvelope(message=readable(text))
    if not isinstance(body, dict):
        return ErrorEnvelope(message=readable(text))
    request_id = body.get("request_id")
    code, message = _find_code(body)
    return ErrorEnvelope(
        code=readable(code, _ID_CHARS) or None,
        message=readable(message if message is not None else text),
        request_id=readable(request_id, _ID_CHARS) if isinstance(request_id, str) else None,
        is_unauthorized_url=isinstance(body.get("unauthorized"), dict),
    )


def _find_code(body: dict[str, Any]) -> tuple[str, str | None]:
    for code_key, message_key in _CODE_KEYS:
        code, message = body.get(code_key), body.get(message_key)
        if isinstance(code, (str, int)) and isinstance(message, str):
            return str(code), message
    for member in body.values():
        if isinstance(member, dict):
            found = _find_code(member)
            if found != ("", None):
                return found
    return "", None


def request_id_of(response: Response) -> str | None:
    """Return the id by which the vendor's support finds the request, if there is one."""
    for header in _REQUEST_ID_HEADERS:
        value = response.headers.get(header)
        if value:
            return readable(value, _ID_CHARS)
    return None


def retry_after_s(response: Response) -> float | None:
    """Return the seconds that a Retry-After header asks for; both of its forms are read."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    until = _moment(value)
    if until is None:
        return None
    # Use the service's clock if the response has a date: this machine's may be off.
    now = answered_at(response)
    return max(0.0, until - (time.time() if now is None else now))


def answered_at(response: Response) -> float | None:
    """Return the date of the response, in seconds since 1970; None if it has none."""
    return _moment(response.headers.get("Date", ""))


def is_credential_refused(response: Response) -> bool:
    """Whether a response says that the credentials are not valid; its body must have been read.

    CBR's 401 "Malformed request url" is about the project in the path, not about them.
    """
    return response.status == 401 and not parse_error(response.text).is_unauthorized_url


def _moment(date: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def error_of(
    response: Response, doing: str, missing_codes: frozenset[str] | None = None
) -> ApiError:
    """Return the error for a response with a status of 400 or more.

    Args:
        response: its body must have been read.
        doing: what was being done, such as "reading backup (…)"; the message starts with it.
        missing_codes: the codes that mean that the requested thing does not exist; None for all
            codes that mean so for any thing.
    """
    envelope = parse_error(response.text)
    facts = facts_of(envelope.code, response.status)
    observed = envelope.message or "the answer was empty"
    # Keystone-style bodies repeat the HTTP status as their code, which adds nothing.
    code = envelope.code if envelope.code != str(response.status) else None
    # A 404 without a code need not come from the service. If we trusted it, we could forget a
    # replica.
    is_missing = facts.is_missing and envelope.code is not None
    if missing_codes is not None:
        is_missing = code in missing_codes
    kind = NotFoundError if is_missing else ApiError
    remedy = facts.remedy
    if facts.is_missing and not is_missing and code is None:
        remedy = NOT_THE_SERVICE
    is_unauthorized_url = envelope.is_unauthorized_url and response.status == 401
    if is_unauthorized_url:
        remedy = "check that the id, its project and its region belong together"
    wish_s = retry_after_s(response)
    return kind(
        f"{doing}: HTTP {response.status}: {observed.rstrip('.。')}",
        status=response.status,
        service_message=envelope.message,
        retry_after_s=wish_s,
        is_unauthorized_url=is_unauthorized_url,
        remedy=_remedy(remedy, wish_s),
        code=code,
        request_id=request_id_of(response) or envelope.request_id,
    )


def redirection_of(response: Response, doing: str) -> MalformedResponseError:
    """Return the error for a response with a status of 300 to 399.

    The services never redirect; credentials would go to a host that is not configured.
    """
    return MalformedResponseError(
        f"{doing}: HTTP {response.status} redirects {_place_of(response)}, which is not followed",
        remedy=(
            "credentials go to configured hosts alone: check huaweicloud:endpoints, "
            "huaweicloud:authUrl and the proxy"
        ),
        request_id=request_id_of(response),
    )


def _place_of(response: Response) -> str:
    try:
        # Show only the scheme and the host: the rest may contain what was sent.
        place = urlsplit(response.headers.get("Location", ""))
        host = place.hostname
    except ValueError:
        host = None
    return f"to {readable(repr(f'{place.scheme}://{host}'), 80)}" if host else "elsewhere"


def _remedy(remedy: str | None, wish_s: float | None) -> str | None:
    if not wish_s:
        return remedy
    wish = span(wish_s) if wish_s <= _LONGEST_WISH_S else "more than a day"
    asked = f"the service asks to wait {wish}"
    return f"{asked}: {remedy}" if remedy else asked


def decode(response: Response, model: type[Model], doing: str) -> Model:
    """Return the body of a success as a model; see `salvage` for what is odd in an answer.

    Raises:
        MalformedResponseError: the body is not JSON or not of the documented form.
    """
    try:
        # Not strict: a number may come as text.
        return msgspec.json.decode(response.body, type=model, strict=False)
    except _UNREADABLE as error:
        found = _salvaged(response.body, model, error)
        if found is not None:
            return found
        raise MalformedResponseError(
            f"{doing}: the answer is not of the documented form: {_fault_of(error)}",
            remedy=NOT_THE_SERVICE,
            request_id=request_id_of(response),
        ) from error


def _salvaged(body: bytes, model: type[Model], error: Exception) -> Model | None:
    """Return what can be read of an odd answer to a look-up; None if that is too little."""
    is_lenient = getattr(model, "is_lenient", False)
    if not is_lenient or not isinstance(error, msgspec.ValidationError):
        return None
    # Hardly ever needed.
    from pulumi_huaweicloud_cbr.api.wire.salvage import salvaged  # noqa: PLC0415

    try:
        found: Model = salvaged(model, msgspec.json.decode(body))
    except _UNREADABLE:
        return None
    return found


def _fault_of(error: Exception) -> str:
    what, _, where = str(error).partition(" - at `$")
    return f"{where.strip('.`') or 'the body'}: {what}"
