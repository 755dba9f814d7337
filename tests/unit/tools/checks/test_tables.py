"""The documents' tables are those of the tests."""

from __future__ import annotations

import pytest

from tests.e2e import crash, crash_stack, features
from tools.checks.tables import TABLES, with_table


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


@pytest.mark.parametrize("scene", crash.SCENES)
def test_every_crash_scene_is_run_by_day(scene: str) -> None:
    """`make test` has each process of ours die in each scene; others, in some."""
    by_day = {victim for victim in crash.VICTIMS if crash.runs_by_day(scene, victim)}

    assert {"cli", "plugin"} <= by_day


@pytest.mark.parametrize("victim", crash.VICTIMS)
def test_every_crash_victim_dies_by_day(victim: str) -> None:
    """`make test` has each victim die where a copy is submitted, one by one and many at once."""
    assert crash.runs_by_day("submitting", victim)
    assert crash.runs_by_day("fleets", victim)


@pytest.mark.parametrize("feature", features.FEATURES, ids=lambda feature: feature.key)
def test_every_feature_of_the_host_is_seen_by_day(feature: features.Feature) -> None:
    """`make test` sees each of them on our host, and leaves the SDK's plugins to the night."""
    by_day = [plugin for plugin in features.PLUGINS if feature.runs_by_day(plugin)]

    assert ["host"] == by_day
