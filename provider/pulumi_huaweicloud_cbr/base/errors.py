"""The errors of this package: one tree of exceptions, and one form of message.

This module knows nothing of httpx, Pulumi or the models: those layers translate into it. Errors
that carry a module's own values are in that module.

    CbrError
    ├── ConfigurationError            a setting is missing, malformed or contradicts another
    ├── AuthenticationError           the credentials were refused
    ├── ApiError                      the service answered with an error (status, code, request id)
    │   └── NotFoundError             the object does not exist in that region and project
    ├── TransportError                no complete answer arrived
    │   ├── NotSentError              the request certainly never reached the service
    │   └── OutcomeUnknownError       the request may have been carried out
    ├── MalformedResponseError        the answer is not of the documented form
    │   └── ResponseTooLargeError     the answer is longer than any answer needs to be
    ├── IncompleteListError           a list lacks rows, even after repeated requests
    ├── ReplicationsFailedError       copies that were waited for ended without a replica
    ├── ConflictError                 another replica or a running copy conflicts
    ├── UnidentifiedReplicaError      a replica may exist, but nothing identifies it
    ├── UnexpectedStatusError         a status is neither a pending nor a target one
    ├── WaitTimeoutError              a wait's timeout was reached; the work goes on in CBR
    └── InterruptedWaitError          the user interrupted a wait; the work goes on in CBR

``str(error)`` is one line: what was being done, what was observed, and what to do about it. The
error code and the request id for the vendor's support follow in brackets.
"""

from __future__ import annotations

from typing import Self, TypeVar

from pulumi_huaweicloud_cbr.base.text import inert, redact

Kind = TypeVar("Kind", bound="CbrError")


class CbrError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        message: what was being done and what was observed, on one line.
        remedy: what the user can do about it; appended after a semicolon.
        code: the service's error code, such as ``BackupService.1009``.
        request_id: the vendor's support asks for it.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        self.message = inert(redact(message))
        self.remedy = inert(redact(remedy)) if remedy else None
        self.code = code
        self.request_id = request_id
        text = self.message if not self.remedy else f"{self.message}; {self.remedy}"
        super().__init__(self._with_tail(text))

    @property
    def observed(self) -> str:
        """Return the text without the remedy, if the user need not do anything yet."""
        return self._with_tail(self.message)

    def restated(self, message: str | None = None, *, remedy: str | None = None) -> Self:
        """Return the same error with another text; None keeps the message or the remedy."""
        return self.restated_as(type(self), message, remedy=remedy)

    def restated_as(
        self, kind: type[Kind], message: str | None = None, *, remedy: str | None = None
    ) -> Kind:
        """Return the same fault as an error of another class, with the same code and request id.

        Args:
            kind: its attributes have to be those of this error, or fewer.
        """
        other = kind.__new__(kind)
        vars(other).update(vars(self))
        CbrError.__init__(
            other,
            self.message if message is None else message,
            remedy=self.remedy if remedy is None else remedy,
            code=self.code,
            request_id=self.request_id,
        )
        return other

    def _with_tail(self, text: str) -> str:
        tail = [part for part in (self.code, self._request_tag()) if part]
        return f"{text} [{', '.join(tail)}]" if tail else text

    def _request_tag(self) -> str | None:
        return f"request {self.request_id}" if self.request_id else None


class ConfigurationError(CbrError):
    """A setting is missing, malformed or contradicts another one."""


class AuthenticationError(CbrError):
    """The credentials were refused; the actual request was not carried out.

    Args:
        status: HTTP status of the refusal; None if there was none.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        remedy: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        self.status = status
        super().__init__(message, remedy=remedy, code=code, request_id=request_id)


class ApiError(CbrError):
    """The service answered with an error.

    Args:
        status: HTTP status. Decide by `code`, not by this: CBR uses 400 and 500 for the same codes.
        service_message: the service's own text, perhaps localised; never match on it.
        retry_after_s: seconds from a Retry-After header; None if there was none.
        is_unauthorized_url: the body was CBR's 401 "Malformed request url". It means another
            project than the credential's. In practice it also occurs for ids that do not exist.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        service_message: str = "",
        retry_after_s: float | None = None,
        is_unauthorized_url: bool = False,
        remedy: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        self.status = status
        self.service_message = service_message
        self.retry_after_s = retry_after_s
        self.is_unauthorized_url = is_unauthorized_url
        super().__init__(message, remedy=remedy, code=code, request_id=request_id)


class NotFoundError(ApiError):
    """The object does not exist in that region and project."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 404,
        service_message: str = "",
        retry_after_s: float | None = None,
        is_unauthorized_url: bool = False,
        remedy: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            message,
            status=status,
            service_message=service_message,
            retry_after_s=retry_after_s,
            is_unauthorized_url=is_unauthorized_url,
            remedy=remedy,
            code=code,
            request_id=request_id,
        )


class TransportError(CbrError):
    """No complete answer arrived."""


class NotSentError(TransportError):
    """The request certainly never reached the service: sending it again is safe."""


class OutcomeUnknownError(TransportError):
    """The request may have been carried out although no answer arrived."""


class MalformedResponseError(CbrError):
    """The answer is not of the documented form."""


class ResponseTooLargeError(MalformedResponseError):
    """The answer is longer than any answer needs to be; the rest of it was not read."""


class IncompleteListError(CbrError):
    """A list lacks rows, even after repeated requests, so it proves nothing gone."""


class ReplicationsFailedError(CbrError):
    """Copies that were waited for ended without a replica; the text has a line for each.

    Args:
        record_ids: the replication records of the copies.
    """

    def __init__(
        self, message: str, *, record_ids: tuple[str, ...], remedy: str | None = None
    ) -> None:
        self.record_ids = record_ids
        super().__init__(message, remedy=remedy)


class ConflictError(CbrError):
    """Another replica, or a running copy, conflicts with what is declared."""


class UnidentifiedReplicaError(CbrError):
    """A replica may exist, but nothing that the API shows identifies it."""


class UnexpectedStatusError(CbrError):
    """A status is neither a pending nor a target one."""


class WaitTimeoutError(CbrError):
    """A wait's timeout was reached; the work goes on in CBR."""


class InterruptedWaitError(CbrError):
    """The user interrupted a wait; the work goes on in CBR."""
