"""Exit codes: each has one meaning, whatever the command is.

The help and the reference of commands take their texts from here.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    TO_DO = 1
    USAGE = 2
    NOT_ALLOWED = 3
    INCOMPLETE = 3
    DIFFERS = 4
    OUTDATED = 5
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141


MEANINGS = {
    Exit.DONE: "done; the command names nothing to do",
    Exit.TO_DO: "something is to do: the output names it, or an error does",
    Exit.USAGE: "the options are wrong",
    Exit.NOT_ALLOWED: "--fail-on forbids what the preview shows, or not all could be read",
    Exit.DIFFERS: "replicas are lost, or were changed outside of Pulumi",
    Exit.OUTDATED: "the saved plan no longer fits; nothing it does not name was changed",
    Exit.INTERRUPTED: "interrupted, for instance by Ctrl-C",
    Exit.OUTPUT_CLOSED: "the reader of the output went away, such as head",
}
"""3 is `NOT_ALLOWED` of previews and `INCOMPLETE` of reports: the help of each command says it.
130 and 141 are what shells report of programs that SIGINT and SIGPIPE ended."""
