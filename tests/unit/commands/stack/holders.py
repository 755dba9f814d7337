"""When a lock's holder is dead: the cases, for the tests and for the documentation's table."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_huaweicloud_cbr.commands.stack.recover.holders import Evidence, Ruling, Seen

OPTION = "refused; `--dead` overrides"
ANSWERS = {
    Ruling.DEAD: "dead",
    Ruling.ALIVE: "alive: refused, always",
    Ruling.ELSEWHERE: OPTION,
    Ruling.OTHER_CONTAINER: OPTION,
    Ruling.SAME_NAME: OPTION,
    Ruling.CLOCK: OPTION,
}


@dataclass(frozen=True)
class Case:
    """What is found, in words and as evidence, and the ruling."""

    title: str
    evidence: Evidence
    ruling: Ruling


def _here(seen: Seen, **more: bool) -> Evidence:
    """Return the evidence of a lock in a file of this machine, with its name."""
    is_shared = more.pop("is_shared", False)
    return Evidence(names_this_host=True, is_shared=is_shared, seen=seen, **more)


def _there(seen: Seen = Seen.NOTHING, **more: bool) -> Evidence:
    return Evidence(names_this_host=False, is_shared=True, seen=seen, **more)


CASES = (
    Case(
        "this machine's name; a process of that number, which started before the lock was made",
        _here(Seen.OLDER),
        Ruling.ALIVE,
    ),
    Case(
        "the same, in a bucket or a database, with `--dead`",
        _here(Seen.OLDER, is_shared=True, is_confirmed=True),
        Ruling.ALIVE,
    ),
    Case("another host name", _there(), Ruling.ELSEWHERE),
    Case(
        "another host name; an older process of that number here, which proves nothing",
        _there(Seen.OLDER),
        Ruling.ELSEWHERE,
    ),
    Case("another host name, with `--dead`", _there(is_confirmed=True), Ruling.DEAD),
    Case(
        "this is a container with that name, and younger than the lock",
        _here(Seen.NOTHING, predates_container=True, predates_boot=True),
        Ruling.OTHER_CONTAINER,
    ),
    Case(
        "this machine's name, in a bucket, a database or a network's file system; no such process",
        _here(Seen.NOTHING, is_shared=True),
        Ruling.SAME_NAME,
    ),
    Case(
        "the same, and the lock is older than this machine's start",
        _here(Seen.NOTHING, is_shared=True, predates_boot=True),
        Ruling.SAME_NAME,
    ),
    Case(
        "the same, with `--dead`",
        _here(Seen.NOTHING, is_shared=True, predates_boot=True, is_confirmed=True),
        Ruling.DEAD,
    ),
    Case(
        "this machine's name, in a file of its own; no such process, or a zombie",
        _here(Seen.NOTHING),
        Ruling.DEAD,
    ),
    Case(
        "the same; that number was given to another program, which started later",
        _here(Seen.LATER_OTHER),
        Ruling.DEAD,
    ),
    Case(
        "the same; a later process named pulumi has that number: the clock may have been set",
        _here(Seen.LATER_CLI),
        Ruling.CLOCK,
    ),
    Case(
        "the same, and the lock is older than this machine's start",
        _here(Seen.LATER_CLI, predates_boot=True),
        Ruling.DEAD,
    ),
)


def table() -> str:
    """Return the cases as a Markdown table."""
    rows = [f"| {case.title} | {ANSWERS[case.ruling]} |" for case in CASES]
    return "\n".join(["| what is found | the holder is |", "|---|---|", *rows])
