"""How much of an answer is read: its body is unpacked while it arrives, and refused beyond a bound.

An HTTP library unpacks each piece that arrives whole, however much comes out: a compressed answer
of some kilobytes could fill the memory. Here it comes out bit by bit, and is counted.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator

BODY_LIMIT = 128 * 2**20
"""More is not read. The longest answer is a page of 1,000 backups. For servers with three disks it
takes 11 MB. With 24 disks, ten copies each and every text at its longest, it takes 68 MB."""
VALUE_LIMIT = 3_000_000
"""Nor is what has more values: decoded, each takes up to 145 bytes, however short it was. The page
of the longest backups has 1.3 million."""

ENCODING = "gzip"
"""What is asked for; `deflate` is unpacked as well, since the same code does it."""
_PACKED = frozenset({ENCODING, "x-gzip", "deflate"})
_PIECE = 64 * 1024


class BodyTooLongError(Exception):
    """A body went on beyond a bound; `host` is whose it was. For the client to translate."""

    def __init__(self, host: str, beyond: str) -> None:
        super().__init__(host, beyond)
        self.host = host
        self.beyond = beyond


class UnpackingError(Exception):
    """A body is not packed as its header says."""


class BoundedBody:
    """The pieces of a body, unpacked, up to a bound.

    Args:
        packed: the body as it arrives.
        encoding: what the header Content-Encoding says; empty if there is none.
        host: whose body it is.
    """

    def __init__(self, packed: AsyncIterable[bytes], encoding: str, host: str) -> None:
        self._packed = packed
        self._encoding = encoding.strip().lower()
        self._host = host

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces.

        Raises:
            BodyTooLongError: there is more than the bound allows.
            UnpackingError: it is not packed as `encoding` says.
        """
        # An encoding that was not asked for is left as it is: no JSON, as the caller will find.
        unpack = _Unpacker() if self._encoding in _PACKED else _pieces_of_plain
        arrived = unpacked = values = 0
        async for part in self._packed:
            arrived += len(part)
            self._require_within(arrived, values)
            for piece in unpack(part):
                unpacked += len(piece)
                # What stands between two values of JSON; deep nesting is refused by the decoder.
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
    """Unpacks gzip, and deflate in its zlib form, in pieces; what follows the end is dropped."""

    def __init__(self) -> None:
        # The window's usual size, with the head of either form.
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def __call__(self, part: bytes) -> Iterator[bytes]:
        """Yield what a part of the packed body contains.

        Raises:
            UnpackingError: it is not packed that way.
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
