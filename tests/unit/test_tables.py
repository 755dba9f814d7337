"""The documents' tables are those of the tests."""

from __future__ import annotations

import pytest

from tests.e2e import crash, crash_stack
from tests.tables import TABLES, with_table


@pytest.mark.parametrize("name", TABLES)
def test_table_in_document_is_current(name: str) -> None:
    """`make tables` would change nothing."""
    document, table = TABLES[name]
    text = document.read_text()

    assert with_table(text, name, table()) == text


def test_with_table_wants_its_marks() -> None:
    """A document without the marks is not overwritten."""
    with pytest.raises(ValueError, match="marks of table 'x'"):
        with_table("text", "x", "| a |")


@pytest.mark.parametrize("scene", crash.SCENES)
def test_points_of_a_crash_scene_share_their_way_on(scene: str) -> None:
    """They die together, so what is done next is the same for all; each has a resource."""
    points = crash.points_of(scene)

    assert 1 == len({point.ways for point in points})
    assert {*crash_stack.afterwards(scene), *crash_stack.beforehand(scene)} >= {
        point.resource for point in points
    }
    assert [] != [point for point in points if point.operation]


def test_crash_points_have_resources_of_their_own() -> None:
    """No two points are told by one replica."""
    keys = [point.key for point in crash.POINTS]

    assert len(set(keys)) == len(keys)
