"""``python -m tests.e2e.fake_site FILE gh|curl ARGUMENTS``: the sites' side of the pipelines.

What is posted lies in the file. A call that the real site would refuse, or that nobody makes, ends
with an error.
"""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

BOT = {"type": "Bot", "login": "github-actions[bot]"}
GITHUB_LIMIT = 65_536


class Site:
    """Comments and issues; ids are counted."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))

    def save(self) -> None:
        """Write what there is."""
        self.file.write_text(json.dumps(self.kept), encoding="utf-8")

    def add(self, kind: str, **fields: Any) -> None:
        """Add a comment or an issue."""
        number = 1 + sum(len(self.kept[kind]) for kind in ("comments", "issues"))
        assert len(fields["body"]) <= GITHUB_LIMIT
        self.kept[kind].append({"id": number, "number": number, "iid": number, **fields})

    def change(self, kind: str, number: int, **fields: Any) -> None:
        """Change one."""
        (found,) = (one for one in self.kept[kind] if one["id"] == number)
        found.update(fields)

    def remove(self, kind: str, number: int) -> None:
        """Remove one."""
        self.kept[kind] = [one for one in self.kept[kind] if one["id"] != number]


def gh(site: Site, words: list[str]) -> None:
    """Do what `gh` does for the workflows."""
    if words[0] == "api":
        gh_api(site, words[1:])
        return
    assert words[0] == "issue"
    options = dict(pairwise(words[2:]))
    if words[1] == "list":
        opened = [one for one in site.kept["issues"] if one["state"] == "open"]
        sys.stdout.write(
            json.dumps([{key: one[key] for key in ("number", "title")} for one in opened]) + "\n"
        )
    elif words[1] == "create":
        body = Path(options["--body-file"]).read_text(encoding="utf-8")
        site.add("issues", title=options["--title"], body=body, state="open")
    elif words[1] == "edit":
        body = Path(options["--body-file"]).read_text(encoding="utf-8")
        site.change("issues", int(words[2]), body=body)
    else:
        assert words[1] == "close"
        site.change("issues", int(words[2]), state="closed")


def gh_api(site: Site, words: list[str]) -> None:
    """Do what `gh api` does for the workflows."""
    method = words[words.index("--method") + 1] if "--method" in words else "GET"
    (path,) = (word for word in words if word.startswith("repos/"))
    fields = [words[at + 1] for at, word in enumerate(words) if word == "--field"]
    body = Path(fields[0].removeprefix("body=@")).read_text(encoding="utf-8") if fields else ""
    one = re.fullmatch(r"repos/o/r/issues/comments/(\d+)", path)
    if re.fullmatch(r"repos/o/r/pulls/\d+", path) and words[-2:] == ["--jq", ".head.sha"]:
        sys.stdout.write(site.kept["head"] + "\n")
    elif re.fullmatch(r"repos/o/r/issues/\d+/comments", path) and method == "GET":
        sys.stdout.write(json.dumps(site.kept["comments"]) + "\n")
    elif re.fullmatch(r"repos/o/r/issues/\d+/comments", path) and method == "POST":
        site.add("comments", body=body, user=BOT)
    elif one and method == "PATCH":
        site.change("comments", int(one[1]), body=body)
    else:
        assert one is not None
        assert method == "DELETE"
        site.remove("comments", int(one[1]))


def curl(site: Site, words: list[str]) -> None:
    """Do what `curl` does for the GitLab jobs."""
    method = words[words.index("--request") + 1] if "--request" in words else ""
    assert words[words.index("--header") + 1].startswith("PRIVATE-TOKEN: token-of-the-test")
    data: dict[str, str] = {}
    for at, word in enumerate(words):
        if word == "--data":
            data |= dict(parse_qsl(words[at + 1]))
        elif word == "--data-urlencode":
            name, mark, value = re.split("([=@])", words[at + 1], maxsplit=1)
            data[name] = Path(value).read_text(encoding="utf-8") if mark == "@" else value
    (address,) = (word for word in words if word.startswith("https://"))
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query))
    *_, last = parts.path.split("/")
    kind = "comments" if "/notes" in parts.path else "issues"
    if last in ("notes", "issues") and (method == "POST" or (data and "--get" not in words)):
        body = data.get("body") or data["description"]
        site.add(kind, body=body, title=data.get("title", ""), state="opened")
    elif last in ("notes", "issues"):
        shown = site.kept[kind] if query.get("page", "1") == "1" else []
        sys.stdout.write(json.dumps([one for one in shown if one["state"] == "opened"]) + "\n")
    elif "state_event" in data:
        site.change(kind, int(last), state="closed")
    else:
        site.change(kind, int(last), body=data.get("body") or data["description"])


def main() -> None:
    """Do one call."""
    site = Site(Path(sys.argv[1]))
    {"gh": gh, "curl": curl}[sys.argv[2]](site, sys.argv[3:])
    site.save()


if __name__ == "__main__":
    main()
