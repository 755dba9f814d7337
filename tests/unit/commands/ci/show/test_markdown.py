"""The comment on a pull request: what it shows, what it hides, and how it resists injection."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.commands.ci.show.markdown import GITHUB_LIMIT, marker
from tests.unit.commands.ci.plans import (
    EAST,
    SECRET,
    SET,
    SOUTH,
    UNKNOWN,
    VAULT,
    WAIT,
    comment,
    comments,
    copy_fact,
    had,
    headline,
    member_fact,
    members,
    one,
    step,
    text,
    urn_of,
    vault_fact,
)

APP = "app-to-cn-east-3"
STACK = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"


def shown(*steps: dict[str, Any], **more: Any) -> str:
    """Return the comment as a reader sees it, without tags."""
    return html.unescape(re.sub(r"</?code>", "", comment(*steps, **more)))


# -- the headline -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "facts", "told"),
    [
        pytest.param([], [], "Nothing changes", id="nothing"),
        pytest.param([step("create", new=one())], [], "1 replica will be copied", id="one"),
        pytest.param(
            [step("create", new=one()), step("create", name="b", new=one("b-2"))],
            [copy_fact("b-1", size_gb=120), copy_fact("b-2", name="b")],
            "2 replicas will be copied (at least 120 GB)",
            id="a size is missing",
        ),
        pytest.param(
            [
                step("delete", SET, APP, old=had({f"m{n}": f"b-{n}" for n in range(7)})),
                step("create", new=one()),
                step("update", name="n", old=one(), new=one(name="n")),
            ],
            [copy_fact("b-1", size_gb=1434)],
            "7 replicas will be DELETED, 1 copied (1.4 TB), 1 renamed",
            id="deletions first",
        ),
        pytest.param(
            [step("update", name="n", old=one(adopt=False), new=one())],
            [],
            "No replica changes; settings of 1 resource change",
            id="settings only",
        ),
        pytest.param(
            [step("delete", SET, APP, old={**members({}), "members": "[secret]"})],
            [],
            "An unknown number of replicas will be DELETED",
            id="secret number",
        ),
    ],
)
def test_headline_counts_replicas(
    steps: list[dict[str, Any]], facts: list[dict[str, Any]], told: str
) -> None:
    assert told == headline(*steps, facts=facts)


def test_headline_of_refusals_says_that_up_would_be_refused() -> None:
    refused = {"urn": urn_of(SET, APP), "kind": "refused", "field": "f", "reason": "no such"}
    told = comment(step("create", new=one()), facts=[refused, refused])

    assert "### `up` would be REFUSED for 1 fault; otherwise 1 replica will be copied" in told
    assert "no such" in told


@pytest.mark.parametrize("said", ["error: no stack named 'dev' found\n", ""])
def test_a_preview_that_failed_early_has_a_comment(said: str) -> None:
    told = comment(said=said, exit_code=1)

    assert "### Preview FAILED" in told
    assert html.escape(said.strip()) in told


def test_a_preview_that_failed_says_what_it_knows() -> None:
    diagnostics = [{"severity": "error", "message": "refused", "urn": STACK}]
    told = comment(step("delete", old=one()), diagnostics=diagnostics)

    assert "### Preview FAILED; known so far: 1 replica will be DELETED" in told


# -- tables -------------------------------------------------------------------------------------


def test_each_destination_has_counts_and_sizes_against_the_free_room() -> None:
    told = shown(
        step("delete", SET, APP, old=had({f"m{n}": f"b-{n}" for n in range(3)})),
        step("create", new=one("b-9")),
        step("create", name="s", new=one("b-9", **SOUTH)),
        facts=[
            copy_fact("b-9", size_gb=120),
            copy_fact("b-9", name="s", size_gb=840),
            vault_fact(free_gb=2048),
            vault_fact(SOUTH["destination_vault_id"], "dr-south", 500),
        ],
    )

    assert "| cn-east-3, dr-replicas | **3** | 1 | 120 GB | 2 TB |" in told
    assert "| cn-south-1, dr-south |  | 1 | 840 GB | **500 GB: too little?** |" in told
    assert "**TOO LITTLE ROOM?** cn-south-1, dr-south has 500 GB free" in told


def test_deletions_have_names_and_ages_instead_of_ids() -> None:
    rows = {f"app-01@2026-11-{day}T02:00:11": f"b-{day}" for day in range(20, 27)}
    told = shown(
        step("delete", SET, APP, old=had(rows)),
        step("delete", old=one("b-1", created_at="2026-11-29T23:06:00")),
    )

    assert "| app | cn-east-3 | **deleted** | app-01 20 to 26 Nov (7) |" in told
    assert "| single copies | cn-east-3 | **deleted** | erp; copied 3 h ago |" in told
    assert "b-2" not in told


def test_copies_have_server_size_and_age() -> None:
    fact = copy_fact("b-1", size_gb=120, made_at="2026-11-29T23:06:00") | {"name": "hr-db"}
    told = shown(step("create", new=one()), facts=[fact])

    assert "| single copies | cn-east-3 | erp, of hr-db, 120 GB, made 3 h ago |" in told


def test_many_copies_are_a_sum_and_all_names_are_folded() -> None:
    given = members({f"m{n * 3}": f"b-{n}" for n in range(30)})
    facts = [copy_fact(f"b-{n}", SET, APP, size_gb=10) for n in range(30)]
    told = shown(step("create", SET, APP, new=given), facts=facts)

    assert "| 30, 300 GB: m0, m3" in told
    assert "and 18 more |" in told
    assert "<details><summary>all copies by name</summary>" in told
    assert "m87" in told


def test_two_vaults_of_a_region_are_told_apart() -> None:
    other = {**EAST, "destination_vault_id": "0b7e6f3c-54a1"}
    told = shown(step("delete", old=one()), step("create", name="b", new=one(**other)))

    assert "cn-east-3, ca0083e4" in told
    assert "cn-east-3, 0b7e6f3c" in told


def test_defaults_derived_ids_and_the_wait_are_left_out() -> None:
    told = comment(
        step(
            "create", new=one(preflight="error", source_project_id="p", enable_acceleration=False)
        ),
        step("update", WAIT, "wait", old={"replications": 1}, new={"replications": 2}),
        step("update", name="x", old=one(destination_project_id="o"), new=one(adopt="any")),
    )

    assert "properties of 1 resource" in told
    assert "project" not in told
    assert "preflight" not in told
    assert "adopt" in told
    assert "replications" not in told


def test_a_comment_without_changes_is_short() -> None:
    told = comment(step("same", old=one(), new=one()))

    assert 3 == len([line for line in told.splitlines() if line])


# -- what a reviewer must not miss --------------------------------------------------------------


def test_last_copies_are_shouted() -> None:
    rows = {"erp|db": {"backup_id": "1", "source_deleted": True}, "web": "2"}
    told = shown(step("delete", SET, APP, old=had(rows)))

    assert "> [!CAUTION]\n> **1 LAST COPY**: erp|db. Nothing can make it again" in told
    assert "`up` refuses this unless it is forced" in told
    assert "**LAST COPY** erp|db" in told


def test_a_last_copy_that_will_really_be_deleted() -> None:
    told = shown(step("delete", old=one(source_deleted=True, force_destroy=True)))

    assert "force_destroy is set, so `up` deletes it" in told


def test_a_gap_without_a_copy_is_named() -> None:
    told = shown(step("replace", old=one(), new=one(), pendingReplacement=True))

    assert "**NO COPY for a time** in cn-east-3: 1 replica is deleted before the new copy" in told


@pytest.mark.parametrize("has_wait", [True, False])
def test_a_move_to_another_region_is_named(has_wait: bool) -> None:
    wait = [step("update", WAIT, "wait", old={}, new={})] if has_wait else []
    told = shown(
        step("create", SET, "app-to-cn-south-1", new=members({"a": "1", "b": "2"}, **SOUTH)),
        step("delete", SET, APP, old=had({"a": "1", "b": "2"})),
        *wait,
    )

    assert "2 replicas move from cn-east-3 to cn-south-1" in told
    assert ("when the new copies have succeeded" in told) == has_wait
    assert ("while the new copies may still run" in told) != has_wait


@pytest.mark.parametrize("maker", ["another stack", "somebody else", "us"])
def test_a_new_owner_is_named(maker: str) -> None:
    fact = copy_fact("b-1", is_adopted=True, maker=maker, owner="p/other")
    told = shown(step("create", new=one()), facts=[fact])

    assert "1 replica will be adopted" in told
    assert (f"**NEW OWNER**: 1 replica of {maker} (p/other)" in told) == (maker != "us")


def test_force_destroy_is_named() -> None:
    told = shown(step("update", old=one(), new=one(force_destroy=True)))

    assert "**force_destroy** is set for erp-to-cn-east-3" in told


def test_what_cannot_be_counted_is_named() -> None:
    told = shown(step("create", VAULT, "all", new={"vault_id": "v", **EAST}))

    assert "Replicas of all may be copied: the vault was not looked at" in told


def test_members_that_stay_or_get_another_owner_are_no_deletions() -> None:
    given = step("update", SET, APP, old=had({"a": "1", "b": "2"}), new=members({}))
    told = shown(
        given, facts=[member_fact("a", "1", "stays"), member_fact("b", "2", "handed over")]
    )

    assert "DELETED" not in told
    assert "**Stays**" in told
    assert "1 replica will be handed over" in told


def kept_fact(label: str, backup_id: str, fate: str, why: str) -> dict[str, Any]:
    """Return the fact about why a member of a set stays or leaves."""
    return {**member_fact(label, backup_id, fate), "kind": "retention", "why": why}


def test_reasons_of_keep_are_folded_with_those_that_leave_first() -> None:
    """What a set's plan says about a member counts, not what its check said before."""
    given = step("update", SET, APP, old=had({"a": "1", "b": "2"}), new=members({"b": "2"}))
    why = "2026-10-31 is its month's newest"
    found = [
        kept_fact("b", "2", "kept", "month 2026-10"),
        kept_fact("c", "3", "not copied", why),
        kept_fact("a", "1", "leaves", "overridden"),
        {**member_fact("a", "1", "deleted"), "why": why},
    ]
    told = shown(given, facts=found)
    folded = told.partition("why members of sets with keep stay or leave</summary>")[2]

    rows = [
        f"| {APP} | a | **leaves** | {why} |",
        f"| {APP} | b | kept | month 2026-10 |",
        f"| {APP} | c | not copied | {why} |",
    ]
    assert rows == [line for line in folded.splitlines() if line.startswith(f"| {APP}")]
    assert "overridden" not in told
    assert f"{APP} a leaves: {why}" in text(given, facts=found)


def test_reasons_of_keep_are_not_told_of_a_set_that_does_not_change() -> None:
    """Every preview knows them, and a reader of a pull request has no use for them then."""
    found = [kept_fact(f"m{number}", f"{number}", "kept", "month") for number in range(370)]

    assert "sets with keep" not in comment(facts=found)
    changed = comment(
        step("create", SET, APP, new=members({"x": "n"})),
        facts=[*found, {**copy_fact("n", name=APP), "urn": urn_of(SET, APP)}],
    )
    assert 100 == changed.count("| kept |")
    assert "| and 270 more |" in changed


def test_a_deletion_of_another_package_is_named() -> None:
    told = shown(step("delete", "random:index/randomId:RandomId", "seed", old={}))

    assert "| **delete** | seed | RandomId |" in told
    assert "### 1 other resource changes" in told


# -- where it comes from ------------------------------------------------------------------------


def test_marker_is_one_safe_line_for_each_stack() -> None:
    assert "<!-- pulumi-preview:org/dev -->" == marker("org/dev")
    assert "<!-- pulumi-drift:a_--__b_ -->" == marker("a --> b\n", "drift")
    assert marker("dev") == comment().splitlines()[0]


def test_offline_says_what_it_compares_with() -> None:
    told = comment(step("create", new=one(preflight="off")), is_offline=True)

    assert "Made without credentials" in told
    assert "preflight" not in told


def test_note_is_text() -> None:
    assert "**Before the next `up`:** locked; run <make> recover" in shown(
        note="locked; run <make> recover"
    )


# -- values are text ----------------------------------------------------------------------------


def test_comment_never_shows_a_secret_inside_a_value() -> None:
    """A part of a value may be secret while the others are not."""
    told = shown(step("update", old=one(), new=one(tags={"a": SECRET, "b": ["x", {"c": SECRET}]})))

    assert '{"a": "[secret]", "b": ["x", {"c": "[secret]"}]}' in told


def test_comment_never_shows_configuration_or_secrets() -> None:
    told = comment(step("update", old=one(), new=one(description={**SECRET, "value": "hunter2"})))

    assert "canary-password" not in told
    assert "hunter2" not in told
    assert "<code>description</code>: <code>&#91;secret&#93;</code>" in told


def test_comment_marks_unknown_values() -> None:
    assert "known after the update" in comment(step("update", old=one(), new=one(name=UNKNOWN)))


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
        "\u202eright to left\r\n> quote",
    ],
)
@pytest.mark.parametrize("place", ["property", "label", "region", "server", "resource", "owner"])
def test_comment_values_form_no_markup(hostile: str, place: str) -> None:
    """Outside our own tags, no value is interpreted as markup."""
    values = {"property": "p", "label": "l", "region": "r", "server": "s", "resource": "n"} | {
        place: hostile
    }
    told = comment(
        step("update", old=one(), new=one(description=values["property"])),
        step("delete", SET, values["resource"], old=had({values["label"]: "1"})),
        step("create", name=values["resource"], new=one(destination_region=values["region"])),
        facts=[
            copy_fact("b-1", name=values["resource"]) | {"name": values["server"]},
            vault_fact(name=values["server"]),
        ]
        if place != "owner"
        else [copy_fact("b-1", name="n", is_adopted=True, maker="another stack", owner=hostile)],
    )
    rest = re.sub(r"<code>(?:[A-Za-z0-9\w ./,()→…-]|&#\d+;)*</code>", "", told)

    assert "<code" not in rest
    assert not re.search(r"script|octocat|example|heading|bold|quote|right to left", rest)
    assert "www." not in told.lower()
    assert "\u202e" not in told


def test_comment_messages_cannot_leave_their_block() -> None:
    told = comment(diagnostics=[{"severity": "error", "message": "</pre><img src=x>\n# h"}])

    assert 1 == told.count("</pre>")
    assert "<img" not in told


def test_comment_joins_equal_messages_of_several_resources() -> None:
    diagnostics = [
        {"urn": urn_of(SET, f"s{n}"), "severity": "info", "message": "preflight is off\n"}
        for n in (1, 2)
    ]
    told = comment(diagnostics=diagnostics)

    assert 1 == told.count("preflight is off")
    assert "<summary>1 note</summary>" in told


def test_comment_orders_messages_by_severity_and_drops_debug() -> None:
    diagnostics = [
        {"severity": "debug", "message": "noise"},
        {"severity": "info", "message": "a note"},
        {"severity": "info#err", "message": "from stderr"},
        {"severity": "warning", "message": "warning: careful"},
        {"severity": "error", "message": "error: refused", "urn": STACK},
    ]
    told = comment(diagnostics=diagnostics)
    places = [told.index(words) for words in ("refused", "careful", "a note", "from stderr")]

    assert sorted(places) == places
    assert "noise" not in told
    assert "warning: careful" not in told


def test_comment_drops_colour_codes() -> None:
    message = "<{%fg 1%}>red<{%reset%}> \x1b[31mred\x1b[0m"

    assert "red red" in comment(diagnostics=[{"severity": "info", "message": message}])


def test_half_a_character_is_replaced() -> None:
    """JSON can contain half of an emoji; the comment is written, and the rest is readable."""
    told = comment(
        step("update", old=one(), new=one(description="half \ud83d name")),
        diagnostics=[{"severity": "error", "message": "half \ud83d message"}],
    )

    assert "half ? message" in told
    assert "half &#63; name" in told


@pytest.mark.parametrize("count", [1, 2_000])
def test_comment_fits_githubs_limit_and_says_what_is_omitted(count: int) -> None:
    diagnostics = [
        {"severity": "warning", "message": f"{n} " + "<&>" * 5_000, "urn": f"{STACK}{n}" * 9}
        for n in range(count)
    ]
    wide = {f"key{n}": "<|>" * 500 for n in range(8)}
    steps = [step("update", name=f"r{n}", old=one(), new=one(**wide)) for n in range(count)]
    (told,) = comments(*steps, diagnostics=diagnostics)

    assert len(told) <= GITHUB_LIMIT
    assert ("more in the log" in told or "Left out" in told) == (count > 1)
    assert told.count("<pre>") == told.count("</pre>")
    assert told.count("<details>") == told.count("</details>")


def test_plain_text_says_the_same() -> None:
    """On a terminal: no tags, no marks, no character that acts on it."""
    rows = {"erp\x1b[2J": {"backup_id": "1", "source_deleted": True}, "web": "2"}
    told = text(step("delete", SET, APP, old=had(rows)), note="run recover")

    assert told.startswith("2 replicas will be DELETED\ndev · 30 Nov 2026, 02:06 UTC\n")
    assert "! 1 LAST COPY: erp\\x1b[2J." in told
    assert "- app cn-east-3 deleted: LAST COPY erp\\x1b[2J" in told
    assert "Before the next up: run recover" in told
    assert "<" not in told
