"""A reporter for tests: what it was called for."""

from __future__ import annotations


class Reports:
    """A reporter that records what it was called for."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def tell(self, message: str) -> None:
        """Record a permanent line."""
        self.called.append(f"tell: {message}")

    def progress(self, message: str) -> None:
        """Record a line of progress."""
        self.called.append(f"progress: {message}")

    def waiting(self, message: str) -> None:
        """Record the progress of a wait."""
        self.called.append(f"waiting: {message}")
