"""Random plans: each deleted replica is in the headline's count and in the table by its name."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulumi_huaweicloud_cbr.base.text import inert
from tests.unit.commands.ci.plans import (
    EAST,
    SET,
    SINGLE,
    SOUTH,
    VAULT,
    comments,
    had,
    members,
    one,
    step,
    text,
)

LABELS = st.one_of(
    st.from_regex(r"[a-c]-\d{1,2}", fullmatch=True),
    st.from_regex(r"[ab]@2026-11-(0[1-9]|1\d)T02:00:00", fullmatch=True),
    st.text(min_size=1, max_size=6),
)
BACKUPS = st.integers(0, 12).map(lambda number: f"backup-{number}")
STATUSES = st.sampled_from(["success", "replicating", "fail"])
PLACES = st.sampled_from([EAST, SOUTH])


@st.composite
def rows(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Return the rows of a state: each backup once."""
    backups = draw(st.lists(BACKUPS, unique=True, max_size=8))
    labels = draw(st.lists(LABELS, unique=True, min_size=len(backups), max_size=len(backups)))
    return {
        label: {
            "backup_id": backup_id,
            "status": draw(STATUSES),
            "source_deleted": draw(st.booleans()),
        }
        for label, backup_id in zip(labels, backups, strict=True)
    }


@st.composite
def changes(draw: st.DrawFn, number: int) -> tuple[dict[str, Any], list[str]]:
    """Return a step, and the names of the replicas that it deletes."""
    kind = draw(st.sampled_from([SINGLE, SET, VAULT]))
    op = draw(st.sampled_from(["create", "update", "replace", "delete", "same"]))
    name = f"r{number}x"
    place = draw(PLACES)
    is_retained = draw(st.booleans())
    if kind == SINGLE:
        status = draw(STATUSES)
        old = {**one(draw(BACKUPS)), **place, "status": status}
        deleted = [name] if status != "fail" else []
        new = {**one(draw(BACKUPS)), **draw(PLACES)}
        gone = deleted if op in ("delete", "replace") else []
    else:
        former = draw(rows())
        old = {**had(former), **place}
        wanted = draw(st.lists(BACKUPS, unique=True, max_size=8))
        new = {**members({f"n{n}": backup for n, backup in enumerate(wanted)}), **place}
        live = [label for label, row in former.items() if row["status"] != "fail"]
        gone = live if op in ("delete", "replace") else []
        if op == "update" and kind == SET:
            gone = [label for label in live if former[label]["backup_id"] not in wanted]
    if is_retained and op in ("delete", "replace"):
        gone = []
    made = step(
        op,
        kind,
        name,
        old=None if op == "create" else old,
        new=None if op == "delete" else new,
        retainOnDelete=is_retained,
    )
    return made, gone


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the steps of a plan, and the names of all replicas that it deletes."""
    drawn = [draw(changes(number)) for number in range(draw(st.integers(0, 5)))]
    return [made for made, _ in drawn], [name for _, names in drawn for name in names]


def names_in(listed: str) -> list[str]:
    """Return the words of a list of names, each range with its ends."""
    return re.split(r", | to ", listed)


def is_named(name: str, shown: str) -> bool:
    """Whether a text names a replica, alone or in a range of days or numbers."""
    flat = inert(" ".join(name.split("\n")))
    if flat in shown:
        return True
    dated = re.fullmatch(r"(.+)@2026-11-(\d\d)T.*", name)
    if dated:
        server, day = re.escape(dated[1]), int(dated[2])
        for found in re.finditer(rf"{server} ((?:\d+(?: to \d+)? Nov(?:, )?)+)", shown):
            for part in re.finditer(r"(\d+)(?: to (\d+))? Nov", found[1]):
                if int(part[1]) <= day <= int(part[2] or part[1]):
                    return True
        return False
    numbered = re.fullmatch(r"(.*?)(\d+)", name)
    if numbered:
        prefix = re.escape(numbered[1])
        for found in re.finditer(rf"{prefix}(\d+) to {prefix}(\d+) \(", shown):
            is_alike = len(found[1]) == len(numbered[2])
            if is_alike and int(found[1]) <= int(numbered[2]) <= int(found[2]):
                return True
    return False


def deleted_count(headline: str) -> int:
    """Return the number of deletions that a headline tells."""
    found = re.search(r"([\d,]+) (?:replicas? will be )?DELETED", headline)
    return int(found[1].replace(",", "")) if found else 0


def table_of_deletions(pages: list[str]) -> str:
    """Return the rows about what is deleted, as a reader sees them."""
    lines = [line for page in pages for line in page.splitlines()]
    told = [
        line
        for line in lines
        if line.startswith("|") and re.search(r"\*\*(deleted|replaced)\*\*|\| continued \|", line)
    ]
    return html.unescape(re.sub(r"</?code>", "", "\n".join(told)))


@settings(max_examples=60, deadline=None)
@given(plans())
def test_each_deleted_replica_is_counted_and_named(
    drawn: tuple[list[dict[str, Any]], list[str]],
) -> None:
    steps, gone = drawn
    pages = comments(*steps)
    shown = table_of_deletions(pages)
    headline = next(line for line in pages[0].splitlines() if line.startswith("###"))

    assert len(gone) == deleted_count(headline)
    assert [] == [name for name in gone if not is_named(name, shown)]
    assert len(gone) == deleted_count(text(*steps).splitlines()[0])


@pytest.mark.parametrize("limit", [20_000])
@pytest.mark.parametrize(
    "label",
    ["{:04}", "app-{:04}-of-a-server-with-quite-a-long-name", "<b>@{:04}|`*_{:04}" + "ä" * 40],
    ids=["numbers", "names", "markup"],
)
def test_no_deletion_is_cut_whatever_the_size(limit: int, label: str) -> None:
    """2,000 deletions go on in further comments, each below the limit and with its own marker."""
    gone = {label.format(n * 7, n): f"b-{n}" for n in range(2_000)}
    noise = [step("create", new=one(f"c-{n}"), name=f"new{n}") for n in range(300)]
    wide = {"severity": "warning", "message": "<&>" * 9_000}
    pages = comments(
        *noise,
        step("delete", SET, "app", old=had(gone)),
        diagnostics=[wide] * 5,
        limit=limit,
    )
    shown = table_of_deletions(pages)

    assert all(len(page) <= limit for page in pages)
    assert 2_000 == deleted_count(pages[0])
    assert [] == [name for name in gone if name not in shown]
    assert len(pages) == len({page.splitlines()[0] for page in pages})


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["steps", "op", "urn", "oldState", "newState", "inputs", "outputs"])
                | st.text(max_size=5),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_gives_a_comment(value: Any) -> None:
    """A fork may write any JSON."""
    pages = comments(
        {
            "op": "delete",
            "urn": f"u::p::pulumi-python:dynamic/huaweicloud_cbr:{SET}::n",
            "oldState": {"outputs": {"members": value}},
        },
        {"op": "update", "newState": {"inputs": value}},
    )

    assert pages[0].startswith("<!-- pulumi-preview:dev -->\n\n### ")
