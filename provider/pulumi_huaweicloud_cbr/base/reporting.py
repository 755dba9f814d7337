"""Reports to the user, from code that knows nothing of Pulumi; and durations as text."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Where messages go."""

    def tell(self, message: str) -> None:
        """Show a line that stays."""
        ...

    def progress(self, message: str) -> None:
        """Show progress; lines may be dropped, and none of them stays."""
        ...


def span(seconds: float) -> str:
    """Return a duration in its two largest units, such as ``3 min 20 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _joined(whole // 60, "min", whole % 60, "s")
    return _joined(whole // 3600, "h", whole % 3600 // 60, "min")


def _joined(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
