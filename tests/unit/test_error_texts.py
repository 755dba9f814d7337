"""Every text that a user can read is as it was reviewed, and every text is reviewed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.base import errors
from pulumi_huaweicloud_cbr.base.text import remember_secret
from pulumi_huaweicloud_cbr.engine import provider as provider_base
from pulumi_huaweicloud_cbr.replication import many
from tests.unit.error_texts import TEXTS, Silent, caught, expected_texts, short_limits

PACKAGE = Path(cbr.__file__).parent
EXPECTED = expected_texts()


@pytest.fixture(autouse=True)
def limits_that_are_reached() -> Iterator[None]:
    """Reach all limits at once."""
    with short_limits():
        yield


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_word_for_word(name: str) -> None:
    """One line: what was being done or given, what was observed, what to do.

    If it is about many, a list of lines follows.
    """
    text = TEXTS[name]()

    assert EXPECTED[name] == text
    head, *list_ = text.splitlines()
    assert not head.endswith(":") or list_
    assert all(line.startswith("  ") for line in list_)


def test_texts_are_all_expected() -> None:
    """Each text has its expected words, and vice versa."""
    assert set(EXPECTED) == set(TEXTS)


def test_unexpected_error_says_how_to_report_it() -> None:
    """A bug of ours names versions, asks for a report, and has a redacted traceback."""
    remember_secret("hunter2-of-the-texts")

    @provider_base.served
    def create() -> None:
        raise RuntimeError("with hunter2-of-the-texts")

    head, *traceback = caught(create).splitlines()

    assert re.fullmatch(
        r"unexpected RuntimeError in pulumi-huaweicloud-cbr [\d.]+ "
        r"\(pulumi [\d.]+, Python [\d.]+\); this is a fault of the package, please report it "
        r"with all that follows to those you have it from. What was begun is found again: the "
        r"same command may be run again.",
        head,
    )
    assert "Traceback (most recent call last):" == traceback[0]
    assert "RuntimeError: with [secret]" == traceback[-1]


def test_unexpected_fault_of_a_member_is_to_be_reported() -> None:
    """In a list of failures, a bug of ours is marked, with its redacted traceback."""
    remember_secret("hunter2-of-a-member")

    async def run(_: object) -> None:
        raise RuntimeError("with hunter2-of-a-member")

    results = anyio.run(many.for_each, {"erp": run}, "submitting", Silent())
    text = str(many.MembersFailedError("submitting", 1, results.failed))

    assert (
        "  'erp': unexpected RuntimeError; this is a fault of the package, please report it with "
        "all that follows"
    ) == text.splitlines()[1]
    assert text.rstrip().endswith("RuntimeError: with [secret]")


# -- every text is listed here --------------------------------------------------------------

# Commands print to a terminal, and have their own tests. The plugin host's errors are about foreign
# resources.
ELSEWHERE = ("commands", "plugin")
# Every text of these modules becomes a finding, however it is composed.
REASONS = (
    "config/objectives.py",
    "config/rules.py",
    "replication/wait/copies.py",
    "replication/rules/inputs.py",
    "replication/rules/fitness.py",
    "replication/wait/tracking.py",
    "resources/_forms/set/form.py",
    "resources/_forms/set/rolling.py",
    "resources/_forms/vault.py",
)
WRITERS = {"Finding", "Refuse", "ValueError", "kind", "tell", "warn"}
"""Functions that take a text, besides the errors.

`ValueError` is for a model's validator, `kind` for a class that is chosen at run time. `tell` and
`warn` show the text on a resource's row.
"""
SHORTEST = 6


def is_writer(node: ast.AST) -> bool:
    """Return whether a call creates an error, a finding or a refusal."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr == "tell"
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    return name in WRITERS or name in ERROR_NAMES


def subclasses(kind: type) -> set[type]:
    """Return a class and all its subclasses."""
    found = {kind}
    below: type
    for below in kind.__subclasses__():
        found |= subclasses(below)
    return found


ERROR_NAMES = {kind.__name__ for kind in subclasses(errors.CbrError)}


def fragments(node: ast.AST, docstrings: set[int]) -> Iterator[str]:
    """Yield the constant parts of the texts in a node."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and id(inner) not in docstrings:
            value = inner.value
            if isinstance(value, str) and " " in value.strip() and len(value) >= SHORTEST:
                yield value


def docstrings_of(tree: ast.AST) -> set[int]:
    """Return the constants that are docstrings."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def written_texts() -> Iterator[tuple[str, str]]:
    """Yield each constant part of a text, with its place."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.split("/")[0] in ELSEWHERE or name in ("base/errors.py", "base/text.py"):
            continue
        tree = ast.parse(path.read_text())
        docstrings = docstrings_of(tree)
        nodes = [tree] if name in REASONS else [n for n in ast.walk(tree) if is_writer(n)]
        for node in nodes:
            for part in fragments(node, docstrings):
                yield f"{name}:{getattr(node, 'lineno', '')}", part


def test_every_text_is_listed_here() -> None:
    """A text that nobody has reviewed is not shown to a user."""
    pinned = "\n".join(EXPECTED.values())

    unread = {f"{place}: {part!r}" for place, part in written_texts() if part not in pinned}
    assert set() == unread, "add them to TEXTS with the code that writes them, then run make tables"


def test_texts_of_the_package_are_found() -> None:
    """The previous test finds something: the raises of all layers."""
    places = {place.split(":")[0] for place, _ in written_texts()}

    assert {
        "api/auth/choose.py",
        "api/client.py",
        "api/find.py",
        "replication/one.py",
        "replication/observe.py",
        "replication/submit.py",
        "replication/wait/polling.py",
    } <= places
    assert {
        "replication/rules/decisions.py",
        "replication/rules/inputs.py",
        "replication/rules/fitness.py",
        "config/settings.py",
    } <= places
    assert {"engine/provider.py", "engine/session.py", "resources/functions.py"} <= places
