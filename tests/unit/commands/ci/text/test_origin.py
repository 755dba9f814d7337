"""Where a report comes from, by the variables of GitHub and GitLab."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr.commands.ci.text.origin import Origin, origin_of
from tests.unit.commands.ci.plans import NOW

HEAD = "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678"


def test_github_names_the_head_of_the_pull_request(tmp_path: Path) -> None:
    """GITHUB_SHA of a pull request is a merge that nobody has written."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": HEAD}}}))
    environ = {
        "GITHUB_SHA": "ffff",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/dr",
        "GITHUB_RUN_ID": "99",
        "GITHUB_RUN_NUMBER": "12",
    }
    origin = origin_of("prod", environ, at=NOW)

    assert "a1b2c3d" == origin.short_commit
    assert ("12", "https://github.com/acme/dr/actions/runs/99") == (origin.run, origin.safe_url)


@pytest.mark.parametrize("event", ["", "nowhere", "broken"])
def test_github_without_a_pull_request(tmp_path: Path, event: str) -> None:
    (tmp_path / "broken").write_text("[")
    environ = {"GITHUB_SHA": HEAD, "GITHUB_EVENT_PATH": event and str(tmp_path / event)}

    assert HEAD == origin_of("prod", environ).commit


def test_gitlab() -> None:
    environ = {
        "CI_COMMIT_SHA": "ffff",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
        "CI_PIPELINE_IID": "7",
        "CI_JOB_URL": "https://gitlab.com/acme/dr/-/jobs/5",
    }
    origin = origin_of("prod", environ)

    assert (HEAD, "7") == (origin.commit, origin.run)
    assert "https://gitlab.com/acme/dr/-/jobs/5" == origin.safe_url


def test_options_go_before_variables() -> None:
    origin = origin_of("prod", {"GITHUB_SHA": "f" * 40}, commit="v1", run="r", run_url="")

    assert ("v1", "r", "") == (origin.short_commit, origin.run, origin.safe_url)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x/a) [b](c", "https://x/ y", "http://x/<b>", ""]
)
def test_only_an_address_becomes_a_link(url: str) -> None:
    assert "" == Origin("prod", NOW, run_url=url).safe_url
