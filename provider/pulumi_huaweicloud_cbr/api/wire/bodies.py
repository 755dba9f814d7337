"""Limits for response bodies: decompressed while they arrive, refused beyond a size or a count.

An HTTP library decompresses each piece that arrives as a whole, whatever the result's size. A
compressed response of some kilobytes could fill the memory. Here it is decompressed bit by bit,
and counted.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator

BODY_LIMIT = 128 * 2**20
"""Longer bodies are refused. The longest response is a page of 1,000 backups. For servers with
three disks it takes 11 MB. With 24 disks, ten copies each and every text at its longest, it takes
68 MB."""
VALUE_LIMIT = 3_000_000
"""Bodies with more values are refused: decoded, each value takes up to 145 bytes, however short it
was. The page of the longest backups has 1.3 million."""

ENCODING = "gzip"
"""The encoding that requests accept; `deflate` is decompressed as well, by the same code."""
_PACKED = frozenset({ENCODING, "x-gzip", "deflate"})
_PIECE = 64 * 1024


class BodyTooLongError(Exception):
    """A body exceeds a limit; `host` sent it. The client translates this error."""

    def __init__(self, host: str, beyond: str) -> None:
        super().__init__(host, beyond)
        self.host = host
        self.beyond = beyond


class UnpackingError(Exception):
    """A body is not compressed as its header says."""


class BoundedBody:
    """The pieces of a body, decompressed, up to a limit.

    Args:
        packed: the body as it arrives.
        encoding: the value of the header Content-Encoding; empty if there is none.
        host: the host that sent the body.
    """

    def __init__(self, packed: AsyncIterable[bytes], encoding: str, host: str) -> None:
        self._packed = packed
        self._encoding = encoding.strip().lower()
        self._host = host

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces.

        Raises:
            BodyTooLongError: the body exceeds a limit.
            UnpackingError: it is not compressed as `encoding` says.
        """
        # A body with another encoding stays as it is: not JSON, as the caller will find.
        unpack = _Unpacker() if self._encoding in _PACKED else _pieces_of_plain
        arrived = unpacked = values = 0
        async for part in self._packed:
            arrived += len(part)
            self._require_within(arrived, values)
            for piece in unpack(part):
                unpacked += len(piece)
                # Commas separate the values of JSON; the decoder refuses deep nesting.
                values += piece.count(b",")
                self._require_within(unpacked, values)
                yield piece

    def _require_within(self, count: int, values: int) -> None:
        if count > BODY_LIMIT:
            raise BodyTooLongError(self._host, f"is longer than {BODY_LIMIT // 2**20} MiB")
        if values > VALUE_LIMIT:
            raise BodyTooLongError(self._host, f"has more than {VALUE_LIMIT:,} values")


def _pieces_of_plain(part: bytes) -> Iterator[bytes]:
    yield part


class _Unpacker:
    """Decompresses gzip, and deflate in its zlib form, in pieces; drops what follows the end."""

    def __init__(self) -> None:
        # The usual window size, with the header of either form.
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def __call__(self, part: bytes) -> Iterator[bytes]:
        """Yield what a part of the compressed body contains.

        Raises:
            UnpackingError: it is not compressed that way.
        """
        while not self._inflater.eof:
            try:
                piece = self._inflater.decompress(part, _PIECE)
            except zlib.error as error:
                raise UnpackingError(str(error)) from error
            yield piece
            if len(piece) < _PIECE:
                return
            part = self._inflater.unconsumed_tail
