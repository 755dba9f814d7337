"""What checks of inputs and of the account find. Pure."""

from __future__ import annotations

from msgspec import Struct


class Finding(Struct, frozen=True):
    """A fault of an input, or a reason why the API would refuse; `field` is the input to change.

    If `is_certain` is false, the API might still accept, so this is only a warning.
    """

    field: str
    reason: str
    is_certain: bool = True
