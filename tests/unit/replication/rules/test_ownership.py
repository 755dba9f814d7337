"""Marks on replicas, and the deletion table (decision records 0025 and 0026)."""

from __future__ import annotations

import pytest

from pulumi_huaweicloud_cbr.replication.rules.ownership import (
    TEXT_LIMIT,
    Deletion,
    DeletionRules,
    Maker,
    Removal,
    decide_deletion,
    maker_of,
    marked,
    split_mark,
    text_limit,
)

OURS = "shop/prod"


@pytest.mark.parametrize("text", [None, "weekly copy", "a [pulumi] b", "[pulumi x/y] first"])
def test_mark_is_read_back(text: str | None) -> None:
    assert split_mark(marked(text, OURS)) == (text, OURS)


@pytest.mark.parametrize(
    ("description", "text", "owner"),
    [
        (None, None, None),
        ("", None, None),
        ("weekly copy", "weekly copy", None),
        ("[pulumi shop/prod] and more", "[pulumi shop/prod] and more", None),
        ("see[pulumi shop/prod]", "see[pulumi shop/prod]", None),
        ("[pulumi shop/prod]", None, "shop/prod"),
        ("weekly copy [pulumi shop/prod] ", "weekly copy", "shop/prod"),
        ("weekly [pulumi a/b] [pulumi shop/prod]", "weekly [pulumi a/b]", "shop/prod"),
        ("weekly [pulumi two words]", "weekly [pulumi two words]", None),
    ],
)
def test_only_a_mark_at_the_end_counts(
    description: str | None, text: str | None, owner: str | None
) -> None:
    assert split_mark(description) == (text, owner)


def test_longest_text_fills_the_description() -> None:
    assert len(marked("x" * text_limit(OURS), OURS)) == TEXT_LIMIT
    assert text_limit(None) == TEXT_LIMIT


def test_maker() -> None:
    assert maker_of(None, {OURS}) is Maker.SOMEBODY
    assert maker_of(OURS, {OURS}) is Maker.US
    assert maker_of("shop/test", {OURS}) is Maker.ANOTHER_STACK


@pytest.mark.parametrize("removal", Removal)
@pytest.mark.parametrize("is_forced", [False, True])
@pytest.mark.parametrize("is_source_gone", [False, True])
@pytest.mark.parametrize(
    ("owner", "recorded", "is_another"),
    [
        (None, None, False),
        (None, OURS, False),
        (OURS, None, False),
        ("shop/old", "shop/old", False),
        ("shop/test", None, True),
        ("shop/test", OURS, True),
    ],
)
def test_deletion_table(
    removal: Removal,
    owner: str | None,
    recorded: str | None,
    *,
    is_forced: bool,
    is_source_gone: bool,
    is_another: bool,
) -> None:
    rules = DeletionRules(removal, frozenset({OURS}), is_forced)
    spares = removal is Removal.REPLACED or (removal is Removal.REMOVED and not is_forced)
    expected = Deletion.DELETE
    if is_source_gone and spares:
        expected = Deletion.REFUSE
    if is_another:
        expected = Deletion.LEAVE
    found = decide_deletion(rules, owner, recorded, is_source_gone=is_source_gone)
    assert found is expected
