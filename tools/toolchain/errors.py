"""The one error of the toolchain: what went wrong, and what to do about it."""

from __future__ import annotations


class ToolchainError(Exception):
    """Stop with a sentence for the user and a remedy.

    Args:
        problem: what was observed, one sentence without a closing full stop.
        remedy: what the user can do about it.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n  what to do: {remedy}")
        self.problem = problem
        self.remedy = remedy
