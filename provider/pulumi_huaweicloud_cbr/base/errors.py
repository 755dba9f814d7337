"""The errors of this package: one tree, and one way to read.

Owns the exception classes and the form of their message.
It knows nothing of httpx, Pulumi or the models; those layers translate into it.

    CbrError
    ├── ConfigurationError            a setting is missing, malformed or contradicts another
    ├── AuthenticationError           the credentials were refused
    ├── ApiError                      the service answered with an error (status, code, request id)
    │   └── NotFoundError             the thing asked for does not exist in that region and project
    ├── TransportError                no complete answer arrived
    │   ├── NotSentError              the request certainly never reached the service
    │   └── OutcomeUnknownError       it may have been carried out
    ├── MalformedResponseError        the answer is not of the documented form
    │   └── ResponseTooLargeError     it goes on beyond what any answer needs
    ├── IncompleteListError           a list lacks rows, however often it is read
    ├── ReplicationsFailedError       copies that were waited for ended without a replica
    ├── ConflictError                 another replica or a running copy stands in the way
    ├── UnidentifiedReplicaError      a replica may exist, but which backup it is cannot be told
    ├── UnexpectedStatusError         a status that is neither a pending nor a target one
    ├── WaitTimeoutError              the limit of a wait was reached; the work goes on in CBR
    └── InterruptedWaitError          the user interrupted a wait; the work goes on in CBR

``str(error)`` is one line: what was being done, what was observed, what to do about it, and
in brackets the error code and the request id that support asks for.
"""

from __future__ import annotations

from typing import Self, TypeVar

from pulumi_huaweicloud_cbr.base.text import redact

Kind = TypeVar("Kind", bound="CbrError")


class CbrError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        message: what was being done and what was observed, on one line.
        remedy: what the user can do about it; appended after a semicolon.
        code: the service's error code, such as ``BackupService.1009``.
        request_id: what the vendor's support asks for.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        self.message = redact(message)
        self.remedy = redact(remedy) if remedy else None
        self.code = code
        self.request_id = request_id
        text = self.message if not self.remedy else f"{self.message}; {self.remedy}"
        super().__init__(self._with_tail(text))

    @property
    def observed(self) -> str:
        """Return the text without the remedy, for a user who need not do anything yet."""
        return self._with_tail(self.message)

    def restated(self, message: str | None = None, *, remedy: str | None = None) -> Self:
        """Return the same error in other words; None leaves the message or the remedy as it is."""
        return self.restated_as(type(self), message, remedy=remedy)

    def restated_as(
        self, kind: type[Kind], message: str | None = None, *, remedy: str | None = None
    ) -> Kind:
        """Return the same fault as an error of another kind, with the same code and request id.

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
    """The credentials were refused; the request proper was not carried out.

    Args:
        status: HTTP status of the refusal; None when none was involved.
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
        service_message: the service's own words, possibly localised; never to be matched on.
        retry_after_s: seconds from a Retry-After header; None when there was none.
        is_unauthorized_url: the body was CBR's 401 "Malformed request url", which means another
            project than the credential's or, seen in the wild, an id that does not exist.
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
    """The thing asked for does not exist in that region and project."""

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
    """The answer goes on beyond what any answer needs; the rest of it was not read."""


class IncompleteListError(CbrError):
    """A list lacks rows, however often it is read: nothing may be taken for gone because of it."""


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
    """Another replica, or a copy that is under way, stands where this one should go."""


class UnidentifiedReplicaError(CbrError):
    """A replica may exist, but which backup it is cannot be told from what the API shows."""


class UnexpectedStatusError(CbrError):
    """A status was met that is neither a pending nor a target one."""


class WaitTimeoutError(CbrError):
    """The limit of a wait was reached; the work goes on in CBR."""


class InterruptedWaitError(CbrError):
    """The user interrupted a wait; the work goes on in CBR."""
