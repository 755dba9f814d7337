"""Where a report comes from: the stack, the commit, the time, and the run that made it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_ADDRESS = re.compile(r"https?://[A-Za-z0-9._:/?=&%~+#-]{1,500}")
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
_SHOWN_OF_COMMIT = 7


@dataclass(frozen=True)
class Origin:
    """Where a report comes from; a part is empty if it is not known. `at` is in UTC."""

    stack: str
    at: datetime
    commit: str = ""
    run: str = ""
    run_url: str = ""

    @property
    def short_commit(self) -> str:
        """Return the beginning of the commit, as Git shows it."""
        is_hash = _COMMIT.fullmatch(self.commit) is not None
        return self.commit[:_SHOWN_OF_COMMIT] if is_hash else self.commit

    @property
    def safe_url(self) -> str:
        """Return the address of the run, empty if it could be more than a link."""
        return self.run_url if _ADDRESS.fullmatch(self.run_url) else ""


def origin_of(
    stack: str,
    environ: Mapping[str, str],
    *,
    commit: str | None = None,
    run: str | None = None,
    run_url: str | None = None,
    at: datetime | None = None,
) -> Origin:
    """Return the origin: what is given, else what GitHub's or GitLab's variables say.

    Sources: GitHub Docs, "Variables reference"; GitLab Docs, "Predefined CI/CD variables".
    """
    return Origin(
        stack=stack,
        at=(at or datetime.now(UTC)).astimezone(UTC),
        commit=commit if commit is not None else _commit(environ),
        run=run if run is not None else _run(environ),
        run_url=run_url if run_url is not None else _run_url(environ),
    )


def _commit(environ: Mapping[str, str]) -> str:
    """Return the commit under review: GITHUB_SHA of a pull request is a merge that nobody wrote."""
    head = _head_of_pull_request(environ.get("GITHUB_EVENT_PATH", ""))
    merged = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "")
    found = (head, environ.get("GITHUB_SHA", ""), merged, environ.get("CI_COMMIT_SHA", ""))
    return next((one for one in found if one), "")


def _head_of_pull_request(path: str) -> str:
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
        head = event["pull_request"]["head"]["sha"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return head if isinstance(head, str) else ""


def _run(environ: Mapping[str, str]) -> str:
    return environ.get("GITHUB_RUN_NUMBER") or environ.get("CI_PIPELINE_IID", "")


def _run_url(environ: Mapping[str, str]) -> str:
    parts = [environ.get(key) for key in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY")]
    run_id = environ.get("GITHUB_RUN_ID")
    if all(parts) and run_id:
        return f"{parts[0]}/{parts[1]}/actions/runs/{run_id}"
    return environ.get("CI_JOB_URL", "")
