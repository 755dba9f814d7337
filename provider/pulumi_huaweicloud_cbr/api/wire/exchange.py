"""A request and its response as plain values, so that only `transport` knows the HTTP library.

`requests` has the content of requests, and `responses` the meaning of responses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field

from pulumi_huaweicloud_cbr.base.errors import TransportError


class Headers(MutableMapping[str, str]):
    """Header fields by name, in any case; values of a repeated name are joined by commas."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        # By the lower-case name: the name as it is sent, and its value.
        self._fields: dict[str, tuple[str, str]] = {}
        for name, value in fields:
            key = name.lower()
            before = self._fields.get(key)
            self._fields[key] = (name, value if before is None else f"{before[1]}, {value}")

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        self._fields[name.lower()] = (name, value)

    def __delitem__(self, name: str) -> None:
        del self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    @property
    def fields(self) -> Iterable[tuple[str, str]]:
        """Names and values in the order in which they came; the same as `items`, but faster."""
        return self._fields.values()


class Request(Struct, eq=False):
    """A request in the form in which it is sent.

    `url` is absolute and encoded, with its query. `headers` contains all fields, `Host` too.
    Credentials are added before it is sent: in headers, and a signature rewrites the query.
    """

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def __repr__(self) -> str:
        # Headers and bodies hold secrets.
        return f"<{self.method} {self.url}>"

    @property
    def host(self) -> str:
        """The host's name or address, without brackets; empty if the URL has none."""
        return urlsplit(self.url).hostname or ""

    @property
    def path(self) -> str:
        """The path, decoded, without the query."""
        return unquote(urlsplit(self.url).path)


class Response(Struct, eq=False):
    """The response to `request`. `body` is decompressed; it is empty until it has been read."""

    status: int
    headers: Headers
    request: Request
    body: bytes = b""

    def __repr__(self) -> str:
        return f"<HTTP {self.status} to {self.request}>"

    @property
    def text(self) -> str:
        """The body as text. JSON is UTF-8, whatever charset the response names."""
        return self.body.decode(errors="replace")

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 200 to 299."""
        return 200 <= self.status < 300


class UnansweredError(Exception):
    """A request had no response, or an incomplete one. The client translates this error.

    Args:
        request: the one that failed; it may be a sign-in before the actual request.
        kind: whether it can have been carried out (`OutcomeUnknownError`) or not (`NotSentError`).
        observed: what happened, in words.
        proxy: the proxy on the way, and the variable that names it; None if there is none.
    """

    def __init__(
        self,
        request: Request,
        kind: type[TransportError],
        observed: str,
        proxy: str | None = None,
    ) -> None:
        super().__init__(observed)
        self.proxy = proxy
        self.request = request
        self.kind = kind
        self.observed = observed
