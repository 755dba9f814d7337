"""The documents' tables equal those of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import crash, crash_stack, features, mistakes
from tools.checks.tables import TABLES, with_table

E2E = Path(__file__).resolve().parents[3] / "e2e"


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


@pytest.mark.parametrize("key", mistakes.MISTAKES)
def test_answer_to_a_mistake_is_not_cut_off(key: str) -> None:
    """A cut in the middle of a bracket looks like a fault of the page."""
    answer = mistakes.MISTAKES[key].answer

    assert [answer.count(one) for one in "[({"] == [answer.count(one) for one in "])}"]


def test_answer_to_a_mistake_has_any_request_id() -> None:
    """Each run has another one."""
    mistake = mistakes.Mistake("", "", f"gone [CODE, request {mistakes.REQUEST}]")

    assert mistake.is_answered_in("error: gone [CODE, request 0f-1]")
    assert not mistake.is_answered_in("error: gone [CODE]")


@pytest.mark.parametrize("scene", crash.SCENES)
def test_points_of_a_crash_scene_share_their_next_commands(scene: str) -> None:
    """They are killed together, so the next commands are the same for all. Each has a resource."""
    points = crash.points_of(scene)

    assert 1 == len({point.ways for point in points})
    assert {*crash_stack.afterwards(scene), *crash_stack.beforehand(scene)} >= {
        point.resource for point in points
    }
    assert [] != [point for point in points if point.operation]


def test_crash_points_have_resources_of_their_own() -> None:
    """No two points are identified by the same replica."""
    keys = [point.key for point in crash.POINTS]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("scene", crash.SCENES)
def test_every_crash_scene_is_run_by_day(scene: str) -> None:
    """`make test` kills one of our processes in each scene, and the others in some."""
    by_day = {victim for victim in crash.VICTIMS if crash.runs_by_day(scene, victim)}

    assert {"cli", "plugin"} & by_day


@pytest.mark.parametrize("victim", [one for one in crash.VICTIMS if one != "service"])
def test_every_crash_victim_dies_by_day(victim: str) -> None:
    """`make test` kills each victim during a submission; a dead service is a cut connection."""
    assert crash.runs_by_day("submitting", victim)


@pytest.mark.parametrize("feature", features.FEATURES, ids=lambda feature: feature.key)
def test_every_feature_of_the_host_is_tested_by_day(feature: features.Feature) -> None:
    """`make test` covers each of them on our host; the nightly tests cover the SDK's plugins.

    Where the feature's own cell runs at night, another test has it by day.
    """
    by_day = [plugin for plugin in features.PLUGINS if feature.runs_by_day(plugin)]
    module, _, test = features.BY_NIGHT.get(feature.key, "").partition(".")

    assert by_day == ([] if module else ["host"])
    if module:
        source = (E2E / f"{module}.py").read_text(encoding="utf-8")
        before, found, _ = source.partition(f"def {test}(")
        assert found
        assert "pytest.mark.full" not in before.rpartition("\n\n\n")[2]
