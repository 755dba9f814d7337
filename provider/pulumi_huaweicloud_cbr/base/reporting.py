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

    def waiting(self, message: str) -> None:
        """Show the progress of a wait for the service, which takes minutes as a rule."""
        ...
