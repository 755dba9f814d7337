"""The comment on a pull request: what it shows, what it hides, and how it resists injection."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.preview import preview_comment

TYPE = "pulumi-python:dynamic/huaweicloud_cbr:BackupReplication"
URN = f"urn:pulumi:dev::cbr-replication::{TYPE}::erp-db-to-cn-east-3"
STACK_URN = "urn:pulumi:dev::cbr-replication::pulumi:pulumi:Stack::cbr-replication-dev"
SECRET = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    "value": "hunter2",
}


def make_step(op: str = "create", **overrides: Any) -> dict[str, Any]:
    step: dict[str, Any] = {"op": op, "urn": URN}
    inputs = {"__provider": "gASV", "backup_id": "b-1", "name": "replica", **overrides}
    if op != "create":
        old = {"__provider": "old", "backup_id": "b-0", "name": "replica"}
        step["oldState"] = {"type": TYPE, "inputs": old}
    if op != "delete":
        step["newState"] = {"type": TYPE, "inputs": inputs}
    return step


def render(
    *steps: dict[str, Any],
    diagnostics: list[dict[str, Any]] | None = None,
    errors: str = "",
    stack: str = "dev",
    exit_code: int = 0,
    offline: bool = False,
) -> str:
    preview = {
        "config": {"huaweicloud:password": "canary-password"},
        "steps": list(steps),
        "diagnostics": diagnostics or [],
    }
    return preview_comment.render(preview, errors, stack, exit_code=exit_code, offline=offline)


def test_comment_of_creates_lists_their_properties() -> None:
    comment = render(make_step())

    assert "1 to create" in comment
    assert "backup_id: <code>b-1</code>" in comment.replace("&#45;", "-")
    assert "gASV" not in comment


def test_comment_ends_with_the_note() -> None:
    preview = {"steps": [make_step()], "diagnostics": []}

    comment = preview_comment.render(
        preview, "", "dev", exit_code=0, offline=False, note="locked; run <make> recover"
    )

    assert "<make>" not in comment
    assert (
        "**Before the next `up`:** locked&#59; run &#60;make&#62; recover"
        == (comment.splitlines()[-1])
    )


def test_comment_of_update_shows_old_and_new_of_what_changes() -> None:
    comment = render(make_step("update", backup_id="b-0", name="fresh"))

    assert "name: <code>replica</code> → <code>fresh</code>" in comment
    assert "backup_id" not in comment


def test_comment_of_replace_names_the_cause_once() -> None:
    replace = make_step("replace") | {"replaceReasons": ["backup_id"]}
    comment = render(make_step("create-replacement"), replace, make_step("delete-replaced"))

    assert "1 to replace" in comment
    assert comment.count("erp-db") == 1
    assert "(replaces)" in comment


def test_comment_of_delete_has_no_properties() -> None:
    comment = render(make_step("delete"))

    assert "1 to delete" in comment
    assert "backup_id" not in comment


def make_deletion(op: str = "delete", **old_state: Any) -> dict[str, Any]:
    step = make_step(op)
    step["oldState"] |= old_state
    return step


LAST = "the source backup is gone, and nothing can make the replica again"


def test_comment_shouts_that_a_deletion_takes_a_last_copy() -> None:
    comment = render(make_deletion(outputs={"source_deleted": True}))

    assert "1 to delete, **1 last copy**" in comment.splitlines()[2]
    assert f"**LAST COPY**: {LAST}" in comment
    assert "up refuses this unless it is forced" in comment


def test_comment_says_that_a_last_copy_will_really_be_deleted() -> None:
    forced = {"source_deleted": True, "force_destroy": True}
    comment = render(make_deletion(outputs=forced))

    assert f"**LAST COPY**: {LAST}" in comment
    assert "force_destroy is set, so up deletes it" in comment


def test_comment_names_the_rows_that_are_last_copies() -> None:
    rows = {
        "erp|db": {"source_deleted": True},
        "web": {"source_deleted": False},
        "app": {"source_deleted": True},
    }
    comment = render(make_deletion(outputs={"members": rows}))

    assert "1 to delete, **2 last copies**" in comment
    assert (
        "**LAST COPY**: the source backups of <code>app</code>, <code>erp&#124;db</code> are gone, "
        "and nothing can make the replicas again"
    ) in comment
    assert "web" not in comment


def test_comment_shortens_many_last_copies() -> None:
    rows = {f"m{number:02}": {"source_deleted": True} for number in range(12)}
    comment = render(make_deletion(outputs={"members": rows}))

    assert "**12 last copies**" in comment
    assert "<code>m09</code> and 2 more are gone" in comment
    assert "m10" not in comment


def test_comment_shouts_also_at_a_replacement() -> None:
    comment = render(make_deletion("replace", outputs={"source_deleted": True}))

    assert "1 to replace, **1 last copy**" in comment
    assert "up refuses this" in comment
    assert "backup_id: " in comment.replace("&#95;", "_")


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(make_deletion(outputs={"source_deleted": False}), id="source exists"),
        pytest.param(make_deletion(outputs={"members": {"erp": {}}}), id="row's source exists"),
        pytest.param(make_deletion(outputs={"members": "[secret]"}), id="secret rows"),
        pytest.param(make_deletion(outputs={"source_deleted": "[secret]"}), id="secret"),
        pytest.param(make_deletion(), id="no outputs"),
        pytest.param(make_deletion("update", outputs={"source_deleted": True}), id="update"),
        pytest.param(
            make_deletion(outputs={"source_deleted": True}, retainOnDelete=True), id="retained"
        ),
    ],
)
def test_comment_is_quiet_about_what_is_no_last_copy(step: dict[str, Any]) -> None:
    comment = render(step)

    assert "last cop" not in comment.lower()


def test_comment_says_that_a_replica_is_retained() -> None:
    assert "retained: the replica stays" in render(make_deletion(retainOnDelete=True))


def test_comment_shows_that_force_destroy_changes() -> None:
    on = render(make_step("update", backup_id="b-0", force_destroy=True))
    step = make_step("update", backup_id="b-0")
    step["oldState"]["inputs"]["force_destroy"] = True

    assert "force_destroy: <code>true</code> (last copies may be deleted)" in on
    assert "force_destroy: <code>true</code> → removed" in render(step)
    assert "may be deleted" not in render(step)


def test_comment_without_changes_says_so() -> None:
    stack = {"op": "create", "urn": STACK_URN, "newState": {"type": "pulumi:pulumi:Stack"}}
    comment = render(stack, make_step("same"))

    assert "no changes" in comment
    assert "|" not in comment


def test_comment_never_shows_a_secret_inside_a_value() -> None:
    """A member of a set may be secret while the others are not."""
    step = make_step(backups={"erp": SECRET, "web": ["b-2", {"name": SECRET}]})

    comment = html.unescape(render(step))

    assert '{"erp": "[secret]", "web": ["b-2", {"name": "[secret]"}]}' in comment
    assert "hunter2" not in comment


def test_comment_never_shows_configuration_or_secrets() -> None:
    comment = render(make_step(description=SECRET))

    assert "canary-password" not in comment
    assert "hunter2" not in comment
    assert "description: <code>&#91;secret&#93;</code>" in comment


def test_comment_marks_unknown_values() -> None:
    comment = render(make_step(backup_id="04da6b54-80e4-46f7-96ec-b56ff0331ba9"))

    assert "known after the update" in comment


def test_comment_joins_equal_messages_of_several_resources() -> None:
    diagnostics = [
        {"urn": f"{URN}-{n}", "severity": "info", "message": "preflight is off: not checked\n"}
        for n in (1, 2)
    ]
    comment = render(diagnostics=diagnostics)

    assert comment.count("preflight is off") == 1
    assert comment.count("<code>erp") == 2


def test_comment_orders_messages_by_severity_and_drops_debug() -> None:
    diagnostics = [
        {"severity": "debug", "message": "noise"},
        {"severity": "info", "message": "a note"},
        {"severity": "info#err", "message": "from stderr"},
        {"severity": "warning", "message": "warning: careful"},
        {"severity": "error", "message": "error: refused", "urn": STACK_URN},
    ]
    comment = render(diagnostics=diagnostics, exit_code=1)
    places = [comment.index(text) for text in ("refused", "careful", "a note", "from stderr")]

    assert sorted(places) == places
    assert "failed (exit code 1)" in comment
    assert "noise" not in comment
    assert "warning: careful" not in comment


def test_comment_shows_errors_of_the_command_itself() -> None:
    comment = preview_comment.render(
        {}, "error: no stack named 'dev' found\n", "dev", exit_code=1, offline=False
    )

    assert "error: no stack named &#x27;dev&#x27; found" in comment


def test_comment_of_offline_preview_says_what_it_compares_with() -> None:
    assert "empty state" in render(make_step(), offline=True)
    assert "empty state" not in render(make_step())


@pytest.mark.parametrize(
    "hostile",
    [
        "</code><script>alert(1)</script>",
        "a | b | c",
        "`code` **bold** _em_ ~~gone~~",
        "[link](https://example.invalid)",
        "![image](https://example.invalid/x.png)",
        "www.example.invalid WWW.example.invalid snake_case",
        "@octocat #1 &lt;b&gt;",
        "line one\n\n# heading\n<!-- ",
    ],
)
def test_comment_values_form_no_markup(hostile: str) -> None:
    """Outside our own tags, no value is interpreted as markup."""
    comment = render(make_step(name=hostile))
    inner = comment.split("name: <code>")[1].split("</code>")[0]

    assert html.unescape(inner) == hostile.replace("\n", " ")
    assert re.fullmatch(r"(?:[A-Za-z0-9 ./()-]|(?<=[a-z])_(?=[a-z])|&#\d+;)*", inner)
    assert "www." not in inner.lower()


def test_comment_messages_cannot_leave_their_block() -> None:
    comment = render(diagnostics=[{"severity": "error", "message": "</pre><img src=x>\n# h"}])

    assert comment.count("</pre>") == 1
    assert "<img" not in comment


def test_comment_drops_colour_codes() -> None:
    message = "<{%fg 1%}>red<{%reset%}> \x1b[31mred\x1b[0m"

    assert "red red" in render(diagnostics=[{"severity": "info", "message": message}])


@pytest.mark.parametrize("steps", [1, 2_000])
@pytest.mark.parametrize("messages", [1, 2_000])
def test_comment_fits_githubs_limit_and_says_what_is_omitted(steps: int, messages: int) -> None:
    diagnostics = [
        {"severity": "warning", "message": f"{n} " + "<&>" * 5_000, "urn": f"{URN}{n}" * 9}
        for n in range(messages)
    ]
    wide = {f"key{n}": "<|>" * 500 for n in range(8)}
    comment = render(*(make_step(**wide) for _ in range(steps)), diagnostics=diagnostics)

    assert len(comment) <= preview_comment.MAX_COMMENT_CHARS
    assert ("more | |" in comment) == (steps > 1)
    assert comment.count("<pre>") == comment.count("</pre>")


def test_marker_is_one_safe_line_per_stack() -> None:
    assert preview_comment.marker("org/dev") == "<!-- pulumi-preview:org/dev -->"
    assert preview_comment.marker("a --> b\n") == "<!-- pulumi-preview:a_--__b_ -->"
    assert render(stack="dev").splitlines()[0] == preview_comment.marker("dev")


@pytest.mark.parametrize("printed", ["", "not json {"])
def test_main_without_json_shows_what_was_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], printed: str
) -> None:
    (tmp_path / "out").write_text(printed)
    (tmp_path / "err").write_text("error: boom")
    arguments = [str(tmp_path / "out"), "--errors", str(tmp_path / "err"), "--stack", "dev"]
    code = preview_comment.main([*arguments, "--exit-code", "255"])

    assert code == 0
    comment = capsys.readouterr().out
    assert "error: boom" in comment
    assert printed in comment


def test_main_renders_a_preview_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text(json.dumps({"steps": [make_step()]}))
    (tmp_path / "err").write_text("")
    arguments = [str(tmp_path / "out"), "--errors", str(tmp_path / "err"), "--stack", "dev"]
    preview_comment.main([*arguments, "--exit-code", "0", "--offline"])

    comment = capsys.readouterr().out
    assert "1 to create" in comment
    assert "Made without credentials" in comment


def test_half_a_character_is_replaced(tmp_path: Path) -> None:
    """JSON can contain half of an emoji; the comment is written, and the rest is readable."""
    diagnostics = [{"severity": "error", "message": "half HALF message", "urn": URN}]
    steps = [make_step(name="half HALF name")]
    printed = json.dumps({"steps": steps, "diagnostics": diagnostics}).replace("HALF", "\\ud83d")
    (tmp_path / "preview.json").write_text(printed, encoding="ascii")
    (tmp_path / "errors").write_text("")
    arguments = [str(tmp_path / "preview.json"), "--errors", str(tmp_path / "errors")]

    done = subprocess.run(
        [sys.executable, preview_comment.__file__, *arguments, "--stack", "dev", "--exit-code=1"],
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    comment = done.stdout.decode("utf-8")
    assert "half ? message" in comment
    assert re.search(r"half \S+ name", comment)
