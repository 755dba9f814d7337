"""The report as OpenMetrics, as a parser that is not ours reads it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as parse_text_format

from pulumi_huaweicloud_cbr.commands.report.model import (
    MET,
    MISSED,
    UNSEEN,
    Area,
    Flow,
    Report,
    Resource,
    There,
    VaultLook,
)
from pulumi_huaweicloud_cbr.commands.report.show.clean import cleaned
from pulumi_huaweicloud_cbr.commands.report.show.metrics import BYTES_PER_GB, METRICS, as_metrics
from tests.report_worlds import large, worlds

Labels = tuple[tuple[str, str], ...]
FOLDER = Path(__file__).resolve().parents[4] / "docs" / "how-to" / "report"
WORLDS = worlds()


def samples(text: str) -> Iterator[tuple[str, Labels, float]]:
    """Yield what a parser reads."""
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            yield sample.name, tuple(sorted(sample.labels.items())), sample.value


def values(report: Report) -> dict[tuple[str, Labels], float]:
    """Return the values by name and labels."""
    return {(name, labels): value for name, labels, value in samples(as_metrics(cleaned(report)))}


@pytest.mark.parametrize("name", WORLDS)
def test_a_parser_accepts_it_and_no_sample_is_there_twice(name: str) -> None:
    """Whatever the names are: quotes, line breaks, two of one name, halves of characters."""
    text = as_metrics(cleaned(WORLDS[name]))
    read = list(samples(text))

    assert text.endswith("\n# EOF\n")
    assert [] == [key for key, count in Counter((n, ls) for n, ls, _ in read).items() if count > 1]
    assert {n for n, _, _ in read} <= set(METRICS)
    for metric, labels, _ in read:
        assert set(METRICS[metric][1]) == {key for key, _ in labels}


@pytest.mark.parametrize("name", ["priced", "hostile"])
def test_the_older_format_reads_the_same(name: str) -> None:
    """The node exporter's textfile collector takes the text format, of which this is a part too."""
    text = as_metrics(cleaned(WORLDS[name]))
    older = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse_text_format(text)
        for sample in family.samples
    }

    assert values(WORLDS[name]) == older


def test_every_metric_has_a_value_somewhere() -> None:
    """No metric is described that never comes."""
    found = {
        name for report in WORLDS.values() for name, _, _ in samples(as_metrics(cleaned(report)))
    }

    assert set(METRICS) == found


def test_names_arrive_as_they_are_shown() -> None:
    """A parser undoes what the format escapes."""
    report = WORLDS["hostile"]
    expected = {one.name for one in cleaned(report).resources}
    found = {
        dict(labels)["resource"]
        for name, labels, _ in samples(as_metrics(cleaned(report)))
        if name == "cbr_resource_unseen"
    }

    assert expected == found


SERVER = Resource(
    key="k",
    id="id-1",
    name="web",
    type=None,
    source_region="cn-north-4",
    source_project_id="p",
    vault_name=None,
    backup_count=1,
    newest_backup_at="2026-11-30T05:00:00.000000",
    newest_backup_age_s=3600,
    rpo_s=86_400,
    owner="team",
    tier="gold",
    entries=("nightly",),
    verdict=MISSED,
    reason=None,
    there=(
        There(
            "cn-east-3",
            is_wanted=True,
            verdict=MISSED,
            count=3,
            size_gb=120,
            running_count=1,
            unusable_count=2,
            failure_count=4,
            newest_made_at="2026-11-28T05:00:00.000000",
            newest_age_s=176_400,
            rpo_s=86_400,
        ),
        There("cn-south-1", is_wanted=True, verdict=UNSEEN, rpo_s=3600),
    ),
)


def test_figures_of_one_resource() -> None:
    """In base units; what is not known is absent, and no zero."""
    of = (
        ("owner", "team"),
        ("resource", "web"),
        ("resource_id", "id-1"),
        ("source_region", "cn-north-4"),
        ("tier", "gold"),
    )
    east, south = (
        tuple(sorted((*of, ("region", region)))) for region in ("cn-east-3", "cn-south-1")
    )
    found = values(Report(made_at="2026-11-30T06:00:00Z", resources=(SERVER,)))

    assert 1 == found["cbr_report_complete", ()]
    assert 1_796_018_400 == found["cbr_report_timestamp_seconds", ()]
    assert 0 == found["cbr_resource_objective_met", of]
    assert 86_400 == found["cbr_resource_objective_seconds", of]
    assert 3 == found["cbr_resource_copies", of]
    assert 1_796_018_400 - 3600 == found["cbr_resource_newest_backup_timestamp_seconds", of]
    assert 176_400 == found["cbr_copy_newest_age_seconds", east]
    assert 1_796_018_400 - 176_400 == found["cbr_copy_newest_timestamp_seconds", east]
    assert 0 == found["cbr_copy_objective_met", east]
    assert 120 * BYTES_PER_GB == found["cbr_copy_size_bytes", east]
    assert 4 == found["cbr_copy_failures", east]
    for state, count in {"usable": 3, "running": 1, "unusable": 2}.items():
        assert count == found["cbr_copies", tuple(sorted((*east, ("state", state))))]
    assert 3600 == found["cbr_copy_objective_seconds", south]
    assert ("cbr_copy_objective_met", south) not in found
    assert ("cbr_copy_newest_age_seconds", south) not in found


@pytest.mark.parametrize(("verdict", "met", "unseen"), [(MET, 1, 0), (UNSEEN, None, 1)])
def test_a_verdict_that_is_not_known_is_no_miss(verdict: str, met: int | None, unseen: int) -> None:
    """An alert on missed objectives does not fire for what was not read; another metric does."""
    found = values(Report(made_at="", resources=(replace(SERVER, verdict=verdict, there=()),)))
    by_name = {name: value for (name, _), value in found.items()}

    assert met == by_name.get("cbr_resource_objective_met")
    assert unseen == by_name["cbr_resource_unseen"]
    assert "cbr_report_timestamp_seconds" not in by_name


def test_vaults_areas_and_flows() -> None:
    """Room that CBR does not tell and a price that nobody gave are absent."""
    report = Report(
        made_at="2026-11-30T06:00:00Z",
        currency="EUR",
        areas=(
            Area("cn-north-4", "p", is_source=True),
            Area("cn-east-3", "q", is_destination=True, unseen_because="503"),
        ),
        vaults=(
            VaultLook("r", "p", "v", "n", True, 100, 40.5, 59.5, 1, 10, 14),
            VaultLook("r", "p", "w", None, False, 100, None, None, 1, 0, None),
        ),
        flows=(Flow("cn-north-4", "cn-east-3", 1, 2, 3, 0, storage=1.5),),
    )
    found = values(report)
    names = Counter(name for name, _ in found)
    area = (("project_id", "q"), ("region", "cn-east-3"))
    flow = (("region", "cn-east-3"), ("source_region", "cn-north-4"))

    assert 0 == found["cbr_area_read", area]
    assert 0 == found["cbr_report_complete", ()]
    assert 0 == found["cbr_undeclared_copies", (("region", "cn-east-3"),)]
    assert 2 == names["cbr_vault_size_bytes"]
    assert 1 == names["cbr_vault_used_bytes"] == names["cbr_vault_free_bytes"]
    assert [14 * 86_400] == [v for (n, _), v in found.items() if n == "cbr_vault_full_seconds"]
    assert 1.5 == found["cbr_flow_storage_cost", tuple(sorted((*flow, ("currency", "EUR"))))]
    assert 0 == names["cbr_flow_transfer_cost"]
    assert 3 * BYTES_PER_GB == found["cbr_flow_size_bytes", flow]


def test_equal_labels_get_a_number() -> None:
    """Two resources that show the same are two in the metrics too."""
    found = values(Report(made_at="", resources=(SERVER, SERVER)))

    assert {"id-1", "id-1 (2)"} == {
        dict(labels)["resource_id"] for name, labels in found if name == "cbr_resource_copies"
    }


def test_every_resource_and_destination_has_a_sample() -> None:
    """However many there are: nothing is summed up, nothing is left out."""
    report = large(servers=80, copies=160)
    counted = Counter(name for name, _, _ in samples(as_metrics(cleaned(report))))

    assert 80 == counted["cbr_resource_copies"]
    assert sum(len(one.there) for one in report.resources) == counted["cbr_copy_size_bytes"]


def used(text: str) -> set[str]:
    """Return the metrics that an expression names."""
    return set(re.findall(r"\bcbr_[a-z_]+", text))


def labels_of(text: str) -> set[str]:
    """Return the labels that an expression or a template names."""
    grouped = re.findall(r"(?:by|on|group_left) ?\(([^)]*)\)", text)
    named = [label.strip() for group in grouped for label in group.split(",") if label.strip()]
    return {
        *named,
        *re.findall(r"\$labels\.([a-z_]+)", text),
        *re.findall(r"([a-z_]+)(?:=~|!=|=)\"", text),
        *re.findall(r"(?<!\{)\{\{([a-z_]+)\}\}", text),
    }


KNOWN_LABELS = {label for _, labels in METRICS.values() for label in labels}


def rules() -> list[dict[str, Any]]:
    """Return the alert rules of the example."""
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_alert_rules_use_metrics_that_exist() -> None:
    """Each has an expression, a text and a severity, and uses known labels only."""
    assert len(rules()) >= 6
    for rule in rules():
        text = json.dumps([rule["expr"], rule["annotations"]])
        assert used(rule["expr"])
        assert set() == used(text) - set(METRICS)
        assert set() == labels_of(rule["expr"] + str(rule["annotations"])) - KNOWN_LABELS
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert {"summary", "description"} == set(rule["annotations"])


def test_dashboard_uses_metrics_that_exist() -> None:
    """Each panel has a title and asks for known metrics; no two lie upon each other."""
    dashboard = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()

    assert len(dashboard["panels"]) >= 6
    for panel in dashboard["panels"]:
        assert panel["title"]
        for target in panel["targets"]:
            assert used(target["expr"])
            assert set() == used(target["expr"]) - set(METRICS)
            assert (
                set() == labels_of(target["expr"] + target.get("legendFormat", "")) - KNOWN_LABELS
            )
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken
        taken |= cells
