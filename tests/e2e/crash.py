"""What happens when a process dies, as data: one row per point, one cell per victim.

`test_crash.py` runs each cell with the real CLI, on our plugin host and on the SDK's plugin. The
table in the documentation is written from here. One command reaches all points of a scene, and they
die together. Each has its own resource or member, held at exactly that request. A poll is a
separate request only if at most two resources poll, so those have their own scenes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

VICTIMS = {
    "cli": "CLI",
    "plugin": "plugin process",
    "service": "CBR and IAM",
    "connection": "connection",
}
Way = Literal["recover", "again", "goes on", "-"]
WAYS: dict[Way, str] = {
    "recover": "`recover`, same command",
    "again": "same command",
    "goes on": "continues by itself",
    "-": "does not apply",
}
USUAL: tuple[Way, Way, Way, Way] = ("recover", "again", "again", "goes on")
ANSWERED: tuple[Way, Way, Way, Way] = ("recover", "again", "-", "-")
"""Once the answer has arrived, neither the service nor the connection matters any more."""


@dataclass(frozen=True)
class Point:
    """A point at which something dies, and the next commands for each of `VICTIMS`.

    `key` names the object and its backup: a resource, or a part of `resource`. The victim dies when
    the `skip`-th further request for `operation`, about the source backup or its replica, was sent
    (`when` is ``before``) or executed (``after``). Without an operation the object is idle.
    """

    scene: str
    key: str
    title: str
    operation: str | None
    when: Literal["before", "after"] = "before"
    skip: int = 0
    about: Literal["backup", "replica", "anything"] = "backup"
    ways: tuple[Way, Way, Way, Way] = USUAL
    resource: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "resource", self.resource or self.key)

    def way(self, victim: str) -> Way:
        """Return the next commands after a victim's death."""
        return self.ways[list(VICTIMS).index(victim)]


POINTS = (
    Point("signing-in", "sign-in", "while signing in", "CreateToken", about="anything"),
    Point("checking", "between", "between two resources: the first one was created", None),
    Point("checking", "preflight", "during preflight of a resource", "ShowBackup"),
    Point(
        "looking",
        "look",
        "before the submission, while checking for existing copies",
        "ShowBackup",
        skip=1,
    ),
    Point("submitting", "submit", "submission sent, not accepted", "CopyBackup"),
    Point("submitting", "accepted", "submission accepted, not answered", "CopyBackup", "after"),
    Point(
        "submitting",
        "delete-first",
        "replacement, old replica first: old replica deleted, new copy not submitted",
        "CopyBackup",
    ),
    Point(
        "answered",
        "answered",
        "submission answered, not in the state",
        "CopyBackup",
        "after",
        ways=ANSWERED,
    ),
    Point(
        "renaming",
        "adopt-sent",
        "adoption, replica not renamed",
        "UpdateBackup",
        about="replica",
    ),
    Point(
        "renaming",
        "adopt-done",
        "adoption, replica renamed",
        "UpdateBackup",
        "after",
        about="replica",
    ),
    Point(
        "renaming",
        "rename-sent",
        "update, replica not renamed",
        "UpdateBackup",
        about="replica",
    ),
    Point(
        "renaming",
        "rename-done",
        "update, replica renamed",
        "UpdateBackup",
        "after",
        about="replica",
    ),
    Point(
        "replacing",
        "replace-sent",
        "replacement, new copy first: the old replica not deleted",
        "DeleteBackup",
        about="replica",
    ),
    Point(
        "replacing",
        "replace-done",
        "replacement, new copy first: the old replica's deletion accepted",
        "DeleteBackup",
        "after",
        about="replica",
    ),
    Point(
        "removing", "delete-sent", "deletion sent, not accepted", "DeleteBackup", about="replica"
    ),
    Point(
        "removing",
        "delete-done",
        "deletion accepted, not answered",
        "DeleteBackup",
        "after",
        about="replica",
    ),
    Point(
        "waiting",
        "copy-wait",
        "while a deletion waits for a running copy",
        "ShowBackup",
        skip=2,
    ),
    Point(
        "waiting",
        "delete-wait",
        "while waiting for the end of a deletion",
        "ShowBackup",
        skip=1,
        about="replica",
    ),
    Point("refreshing", "refresh", "during `refresh`", "ShowBackup"),
    Point(
        "fleets",
        "set-sent",
        "set: one submission accepted, one sent, not accepted",
        "CopyBackup",
        resource="new-set",
    ),
    Point(
        "fleets",
        "set-accepted",
        "set: one submission accepted, one accepted, not answered",
        "CopyBackup",
        "after",
        resource="new-set",
    ),
    Point(
        "fleets",
        "set-leaves",
        "update of a set: copy of the member added accepted, deletion of the member removed sent",
        "DeleteBackup",
        about="replica",
        resource="old-set",
    ),
    Point(
        "fleets",
        "set-left",
        "update of a set: copy of the member added and deletion of the member removed accepted",
        "DeleteBackup",
        "after",
        about="replica",
        resource="old-set",
    ),
    # Two such requests look alike: the first to arrive is the first of these points.
    Point(
        "fleets",
        "vault-sent",
        "entire vault, request sent, not accepted",
        "CopyCheckpoint",
        about="anything",
    ),
    Point(
        "fleets",
        "vault-accepted",
        "entire vault, request accepted, not answered",
        "CopyCheckpoint",
        "after",
        about="anything",
    ),
    # Whatever was listed before, the third list is one of the wait's own polls.
    Point(
        "awaiting",
        "wait",
        "while waiting for the copies of a set",
        "ListBackups",
        skip=2,
        about="anything",
    ),
)
SCENES = tuple(dict.fromkeys(point.scene for point in POINTS))
BY_DAY = {
    "cli": ("submitting", "answered", "replacing", "removing", "waiting", "fleets", "awaiting"),
    "plugin": ("signing-in", "checking", "looking", "submitting", "renaming", "refreshing"),
    "service": (),
    "connection": ("submitting",),
}
"""Scenes that kill a victim on the plugin host in each `make test`; the others run at night. Each
scene kills the CLI or its plugin. The death of the others is a missing answer, and contract tests
prove each in process."""


def runs_by_day(scene: str, victim: str) -> bool:
    """Whether `make test` kills the victim on the plugin host; `make test-full` runs all."""
    return scene in BY_DAY[victim]


def points_of(scene: str) -> tuple[Point, ...]:
    """Return the points of a scene."""
    return tuple(point for point in POINTS if point.scene == scene)


def cells() -> list[tuple[str, str]]:
    """Return the pairs of scene and victim that are run."""
    return [
        (scene, victim)
        for scene in SCENES
        for victim in VICTIMS
        if points_of(scene)[0].way(victim) != "-"
    ]


def table() -> str:
    """Return the points as a Markdown table. A cell that runs only at night has a mark."""

    def cell(point: Point, victim: str) -> str:
        way = point.way(victim)
        mark = "" if way == "-" or runs_by_day(point.scene, victim) else " (night)"
        return WAYS[way] + mark

    head = "| what dies | " + " | ".join(VICTIMS.values()) + " |"
    rows = [
        f"| {point.title} | " + " | ".join(cell(point, victim) for victim in VICTIMS) + " |"
        for point in POINTS
    ]
    return "\n".join([head, "|---" * (len(VICTIMS) + 1) + "|", *rows])
