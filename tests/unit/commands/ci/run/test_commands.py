"""The commands of `ci` with a fake CLI: what they call, write and return."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.__main__ import main
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands.ci.run import judging
from pulumi_huaweicloud_cbr.commands.report.model import Area, Report, Resource
from pulumi_huaweicloud_cbr.engine.output.preview_facts import VARIABLE
from tests.unit.commands.ci.plans import SET, SINGLE, had, one, step, urn_of

CLI = """\
#!{python}
import json, os, pathlib, sys
here = pathlib.Path({folder!r})
arguments = sys.argv[2:]
with (here / "calls").open("a") as file:
    file.write(json.dumps([arguments, {{k: v for k, v in os.environ.items()}}]) + "\\n")
answer = json.loads((here / "answers.json").read_text()).get(arguments[0], {{}})
for fact in answer.get("facts", []):
    pathlib.Path(os.environ["CBR_PREVIEW_FACTS"], "facts-1.jsonl").open("a").write(fact + "\\n")
if "--save-plan" in arguments:
    pathlib.Path(arguments[arguments.index("--save-plan") + 1]).write_text("plan")
sys.stdout.write(answer.get("out", ""))
sys.stderr.write(answer.get("said", ""))
sys.exit(answer.get("code", 0))
"""
NO_CONFIG = {"out": "{}"}
EXPORT = {"out": json.dumps({"deployment": {"resources": []}})}

Answer = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a CLI that gives answers and notes its calls; no pipeline's variables."""
    cli = tmp_path / "bin" / "pulumi"
    cli.parent.mkdir()
    cli.write_text(CLI.format(python=sys.executable, folder=str(tmp_path)))
    cli.chmod(0o755)
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "GITLAB_", "CI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{cli.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def answer(folder: Path) -> Answer:
    """Set what the CLI answers, by its command."""

    def set_answers(**answers: dict[str, Any]) -> None:
        (folder / "answers.json").write_text(
            json.dumps({"stack": EXPORT, "config": NO_CONFIG, **answers})
        )

    set_answers()
    return set_answers


def printed(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the answer of a preview."""
    return {"out": json.dumps({"config": {"a": "b"}, "steps": steps}), **more}


def calls(folder: Path, command: str) -> list[tuple[list[str], dict[str, str]]]:
    """Return the calls of a command: arguments and environment."""
    read = [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
    return [(arguments, env) for arguments, env in read if arguments[0] == command]


def ci(*arguments: str) -> int:
    """Run a command on the stack ``prod``."""
    return main(["ci", *arguments, "--stack", "prod"])


# -- preview ------------------------------------------------------------------------------------


def test_preview_writes_comment_json_and_summary(
    folder: Path,
    answer: Answer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    answer(preview=printed(step("delete", old=one())))
    code = ci("preview", "--comment-file", "out/c.md", "--json-file", "p.json")
    comment = (folder / "out" / "c.md").read_text()

    assert Exit.DONE == code
    assert "### 1 replica will be DELETED" in comment
    assert comment == capsys.readouterr().out
    assert comment in (folder / "summary.md").read_text()
    kept = json.loads((folder / "p.json").read_text())
    assert {"steps", "cbr"} == set(kept)
    ((arguments, env),) = calls(folder, "preview")
    assert ["preview", "--cwd", ".", "--stack", "prod", "--json"] == arguments
    assert not Path(env[VARIABLE]).exists()


def test_preview_reads_facts_of_the_plugins(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    fact = {"urn": urn_of(SINGLE, "x"), "kind": "copy", "backup_id": "b-1", "size_gb": 120}
    answer(
        preview=printed(
            step("create", name="x", new=one()), facts=[json.dumps(fact), '{"half', "[1]"]
        )
    )

    assert Exit.DONE == ci("preview")
    assert "1 replica will be copied (120 GB)" in capsys.readouterr().out


def test_facts_about_secrets_stay_on_the_machine(folder: Path, answer: Answer) -> None:
    """Pulumi hides the backup, and a fact would show it."""
    fact = {"urn": urn_of(SINGLE, "x"), "kind": "copy", "backup_id": "hidden-id"}
    hidden = step("create", name="x", new=one("[secret]"))
    answer(preview=printed(hidden, facts=[json.dumps(fact)]))
    ci("preview", "--json-file", "p.json")

    assert "hidden-id" not in (folder / "p.json").read_text()


def test_a_refusal_fails_and_leaves_no_plan(
    folder: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = {"urn": urn_of(SET, "s"), "kind": "refused", "field": "f", "reason": "no such"}
    answer(preview=printed(facts=[json.dumps(refused)]))

    assert Exit.TO_DO == ci("preview", "--save-plan", "plan.json")
    assert "REFUSED for 1 fault" in capsys.readouterr().out
    assert not (folder / "plan.json").exists()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), Exit.DONE),
        (("--fail-on", "last-copy"), Exit.DONE),
        (("--fail-on", "delete"), Exit.NOT_ALLOWED),
        (("--fail-on", "replace"), Exit.NOT_ALLOWED),
        (("--fail-on", "delete,replace", "--allow", "delete"), Exit.NOT_ALLOWED),
        (("--fail-on", "delete,replace", "--allow", "replace, delete"), Exit.DONE),
    ],
)
def test_fail_on_what_nobody_allowed(
    answer: Answer, options: tuple[str, ...], code: Exit, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(
        preview=printed(
            step("delete", SET, "s", old=had({"a": "1"})),
            step("replace", name="r", old=one(), new=one("b-2")),
        )
    )

    assert code == ci("preview", *options)
    assert ("not allowed: " in capsys.readouterr().err) == (code == Exit.NOT_ALLOWED)


def test_fail_on_counts_what_is_secret_and_what_is_of_others(answer: Answer) -> None:
    rows = {**had({}), "members": "[secret]"}
    answer(preview=printed(step("delete", SET, "s", old=rows)))
    assert Exit.NOT_ALLOWED == ci("preview", "--fail-on", "delete")
    answer(preview=printed(step("replace", "a:b:C", "x", old={}, new={})))
    assert Exit.NOT_ALLOWED == ci("preview", "--fail-on", "replace")


def test_fail_on_of_an_unknown_kind_is_a_fault_of_the_call() -> None:
    with pytest.raises(SystemExit) as ended:
        ci("preview", "--fail-on", "everything")

    assert Exit.USAGE == ended.value.code


@pytest.mark.parametrize(
    ("preview", "said"),
    [
        ({"code": 255, "said": "error: login"}, "error: login"),
        ({"code": 1, "out": "not json {"}, "not json {"),
        ({"code": 0, "out": ""}, "before it knew anything"),
    ],
)
def test_a_preview_without_json_has_a_comment(
    answer: Answer,
    preview: dict[str, Any],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer(preview=preview)

    assert Exit.TO_DO == ci("preview", "--json-file", "p.json")
    assert "### Preview FAILED" in (told := capsys.readouterr().out)
    assert said in told
    assert 0 == ci("comment", "p.json")
    assert "### Preview FAILED" in capsys.readouterr().out


def test_a_cli_that_cannot_be_started_has_a_comment(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bin" / "pulumi").write_text("#!/nowhere/at/all\n")

    assert Exit.TO_DO == ci("preview", "--summary", "s.md")
    assert "look at that file" in capsys.readouterr().out


def test_a_warning_on_standard_error_is_no_failure(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(preview=printed(said="warning: old CLI"))

    assert Exit.DONE == ci("preview")
    told = capsys.readouterr().out
    assert "### Nothing changes" in told
    assert "warning: old CLI" in told


def test_a_lock_is_named_with_what_helps(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    pending = {
        "deployment": {
            "pending_operations": [{"type": "creating", "resource": {"urn": "u", "type": "t"}}]
        }
    }
    answer(stack={"out": json.dumps(pending)}, preview=printed())
    ci("preview", "--format", "text")

    assert "Before the next up: the state has 1 pending operation" in " ".join(
        capsys.readouterr().out.split()
    )


def test_offline_preview_has_no_credentials(
    folder: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    (folder / "Pulumi.prod.yaml").write_text("config: {}\n")
    monkeypatch.setenv("HW_SECRET_KEY", "not-a-secret-key")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "not-a-secret-token")
    answer(preview=printed())

    assert Exit.DONE == main(["ci", "preview", "--offline", "--stack", "org/prod"])
    ((arguments, env),) = calls(folder, "preview")
    assert "prod" == arguments[arguments.index("--stack") + 1]
    assert {"HW_SECRET_KEY", "PULUMI_ACCESS_TOKEN"}.isdisjoint(env)
    assert env["PULUMI_BACKEND_URL"].startswith("file://")


def test_offline_preview_of_an_unknown_stack_has_a_comment(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Pulumi.yaml").write_text("name: p\nruntime: python\n")

    assert Exit.TO_DO == ci("preview", "--offline")
    assert "give the name of a stack that has a file" in capsys.readouterr().out


def test_parts_of_an_earlier_run_are_removed(folder: Path, answer: Answer) -> None:
    (folder / "c-2.md").write_text("old")
    answer(preview=printed())
    ci("preview", "--comment-file", "c.md")

    assert not (folder / "c-2.md").exists()


def test_a_file_that_cannot_be_written_is_named(
    answer: Answer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(preview=printed())

    assert Exit.TO_DO == ci("preview", "--comment-file", str(folder))
    assert "name a file that can be written" in capsys.readouterr().err


# -- comment ------------------------------------------------------------------------------------


def test_comment_of_a_file_of_pulumi_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "p.json").write_text(json.dumps({"steps": [step("create", new=one())]}))
    (folder / "errors").write_text("error: boom")

    assert Exit.DONE == ci("comment", "p.json", "--errors", "errors", "--exit-code", "1")
    told = capsys.readouterr().out
    assert "### Preview FAILED; known so far: 1 replica will be copied" in told
    assert "error: boom" in told
    assert "<!-- pulumi-preview:prod -->" in told


def test_the_stack_of_a_comment_is_not_the_files(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fork's file cannot replace the comment about another stack."""
    (folder / "p.json").write_text(json.dumps({"steps": [], "cbr": {"format": 1, "stack": "x"}}))
    ci("comment", "p.json")

    assert capsys.readouterr().out.startswith("<!-- pulumi-preview:prod -->\n")


@pytest.mark.usefixtures("folder")
def test_comment_without_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert Exit.TO_DO == ci("comment", "nowhere.json")
    assert "nowhere.json" in capsys.readouterr().err


# -- up -----------------------------------------------------------------------------------------


def test_up_shows_its_output_and_never_defers_a_refusal(
    folder: Path,
    answer: Answer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(VARIABLE, str(folder))
    answer(up={"out": "Updating\n\nDiagnostics:\n  careful\nOutputs:\n  x\n\nResources:\n  + 3\n"})
    code = ci("up", "--summary", "s.md")

    assert Exit.DONE == code
    assert "Updating" in capsys.readouterr().out
    ((arguments, env),) = calls(folder, "up")
    assert ["up", "--stack", "prod", "--yes", "--skip-preview"] == arguments
    assert VARIABLE not in env
    summary = (folder / "s.md").read_text()
    assert "### `up` is done" in summary
    assert "careful" in summary
    assert "  x" not in summary


def test_up_that_fails(folder: Path, answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    answer(up={"code": 255, "said": "error: no"})

    assert Exit.TO_DO == ci("up", "--summary", "s.md")
    assert "error: no" in capsys.readouterr().err
    assert "### `up` FAILED" in (folder / "s.md").read_text()


@pytest.mark.parametrize("is_outdated", [True, False])
def test_up_by_a_plan(
    folder: Path, answer: Answer, is_outdated: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "plan.json").write_text("{}")
    said = "error: resource u violates plan: x" if is_outdated else "error: other"
    answer(up={"code": 1, "out": said})
    code = ci("up", "--plan", "plan.json")

    assert (Exit.OUTDATED if is_outdated else Exit.TO_DO) == code
    assert ("no longer fits" in capsys.readouterr().err) == is_outdated
    ((arguments, _),) = calls(folder, "up")
    assert ["--plan", str(folder / "plan.json")] == arguments[-2:]


@pytest.mark.usefixtures("folder")
def test_up_without_its_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert Exit.TO_DO == ci("up", "--plan", "nowhere.json")
    assert "ci preview --save-plan" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_end_is_passed_on_and_waited_for(folder: Path, number: signal.Signals) -> None:
    """The CLI cleans up and removes its lock, however often it is asked."""
    (folder / "bin" / "pulumi").write_text(
        f"#!{sys.executable}\n"
        "import pathlib, signal, sys, time\n"
        f"here = pathlib.Path({str(folder)!r})\n"
        "def end(*_):\n"
        "    time.sleep(0.3)\n"
        "    (here / 'ended').write_text('')\n"
        "    sys.exit(1)\n"
        "if sys.argv[2] == 'up':\n"
        "    signal.signal(signal.SIGTERM, end)\n"
        "    signal.signal(signal.SIGINT, end)\n"
        "    (here / 'begun').write_text('')\n"
        "    time.sleep(30)\n"
        "print('{}')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "pulumi_huaweicloud_cbr", "ci", "up", "--stack", "prod"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while not (folder / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)

    assert Exit.INTERRUPTED == process.wait(30)
    assert (folder / "ended").exists()


# -- drift --------------------------------------------------------------------------------------


def refreshed(before: dict[str, Any], *later: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of a preview with a refresh of one set."""
    return printed(step("refresh", SET, "s", old=before), *later)


@pytest.mark.parametrize(
    ("preview", "code", "told"),
    [
        pytest.param(
            refreshed(had({"a": "1"}), step("same", SET, "s", old=had({"a": "1"}))),
            Exit.DONE,
            "No drift: all replicas are as the state says",
            id="none",
        ),
        pytest.param(
            refreshed(
                had({"a": "1", "b": "2"}),
                step("update", SET, "s", old=had({"b": "2"}), new=had({"a": "1", "b": "2"})),
            ),
            Exit.DIFFERS,
            "1 replica is LOST. By the next up, 1 replica will be copied",
            id="a member",
        ),
        pytest.param(
            refreshed(had({"a": "1", "b": "2"}), step("create", SET, "s", new=had({"a": "1"}))),
            Exit.DIFFERS,
            "2 replicas are LOST",
            id="all",
        ),
        pytest.param(refreshed(had({"a": "1"})), Exit.DIFFERS, "1 replica is LOST", id="no more"),
        pytest.param(
            refreshed(
                had({"a": "1"}),
                step("same", SET, "s", old=had({"a": {"backup_id": "1", "source_deleted": True}})),
            ),
            Exit.DIFFERS,
            "1 replica differs",
            id="source gone",
        ),
        pytest.param(
            refreshed(
                had({"a": "1"}),
                step("update", SET, "s", old=had({"a": "1"}), new=had({"a": "1", "b": "2"})),
            ),
            Exit.DONE,
            "No drift: all replicas are as the state says. By the next up, 1 replica",
            id="a new backup",
        ),
        pytest.param({"code": 1, "said": "error"}, Exit.TO_DO, "Drift is not known", id="failed"),
    ],
)
def test_drift(
    folder: Path,
    answer: Answer,
    preview: dict[str, Any],
    code: Exit,
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer(preview=preview)

    assert code == ci("drift", "--format", "text")
    assert capsys.readouterr().out.startswith(told)
    ((arguments, _),) = calls(folder, "preview")
    assert ["--refresh", "--show-sames"] == arguments[-2:]


def test_strict_drift_counts_what_up_would_do(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(preview=printed(step("create", new=one())))

    assert Exit.DONE == ci("drift")
    assert Exit.DIFFERS == ci("drift", "--strict")
    assert "<!-- pulumi-drift:prod -->" in capsys.readouterr().out


def test_a_lost_last_copy_is_shouted(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    rows = had({"a": {"backup_id": "1", "source_deleted": True}})
    answer(preview=refreshed(rows))
    ci("drift", "--format", "text")

    assert "! LOST: a, and its source backup is gone: nothing can copy it again." in (
        capsys.readouterr().out
    )


# -- recover ------------------------------------------------------------------------------------


def test_recover_is_the_command_of_that_name(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer()

    assert Exit.DONE == ci("recover")
    assert "No lock" in capsys.readouterr().out


def test_ci_alone_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ci"])

    assert Exit.USAGE == ended.value.code
    assert "want a COMMAND" in capsys.readouterr().err


# -- objectives ---------------------------------------------------------------------------------

ENTRY = {
    "name": "nightly",
    "select": {"resource_name": "erp-db"},
    "rpo": "26h",
    "tier": "gold",
    "destinations": [{"region": "cn-east-3", "vault_id": "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"}],
}


def declared(*, is_secret: bool = False) -> dict[str, Any]:
    """Return the answer of the CLI about a configuration with an objective."""
    key = "cbr-replication:sets"
    return {"out": json.dumps({key: {"value": json.dumps([ENTRY]), "secret": is_secret}})}


def missing(name: str = "erp-db") -> Report:
    """Return a report of one resource without a copy."""
    resource = Resource(
        key=name,
        id=name,
        name=name,
        type=None,
        source_region="cn-north-4",
        source_project_id="p",
        vault_name="v",
        backup_count=1,
        newest_backup_at=None,
        newest_backup_age_s=None,
        rpo_s=93_600,
        owner="dba",
        tier="gold",
        entries=("nightly",),
        verdict="missed",
        reason="no usable copy in cn-east-3, want 26 h",
    )
    return Report("2026-11-20T08:00:00Z", resources=(resource,))


@pytest.fixture
def judges(monkeypatch: pytest.MonkeyPatch) -> list[Report | CbrError]:
    """Replace what asks CBR for the copies: it returns or raises what stands in the list."""
    told: list[Report | CbrError] = []

    def made(*_: object, **__: object) -> Report:
        if isinstance(told[0], CbrError):
            raise told[0]
        return told[0]

    monkeypatch.setattr(judging, "account_of", lambda *_, **__: None)
    monkeypatch.setattr(judging, "make_report", made)
    return told


def test_missed_objectives_are_drift(
    answer: Answer,
    judges: list[Report | CbrError],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The nightly run tells them with their owner, and ends with the code of drift."""
    answer(preview=printed(), config=declared())
    judges.append(missing())

    assert Exit.DIFFERS == ci("drift", "--format", "text", "--json-file", "d.json")

    out = capsys.readouterr().out
    assert out.startswith("No drift, but 1 objective is MISSED")
    assert "! OBJECTIVE MISSED now: erp-db (gold, dba): no usable copy in cn-east-3" in out
    ci_comment = main(["ci", "comment", "d.json", "--stack", "prod", "--format", "markdown"])
    assert Exit.DONE == ci_comment
    assert "OBJECTIVE MISSED" in capsys.readouterr().out


def test_a_preview_tells_missed_objectives_and_goes_on(
    answer: Answer, judges: list[Report | CbrError], capsys: pytest.CaptureFixture[str]
) -> None:
    """A pull request may be what mends them, so that they do not stop it."""
    answer(preview=printed(), config=declared())
    judges.append(missing())

    assert Exit.DONE == ci("preview", "--format", "text")
    assert "OBJECTIVE MISSED" in capsys.readouterr().out


def test_objectives_that_cannot_be_judged_are_told(
    answer: Answer, judges: list[Report | CbrError], capsys: pytest.CaptureFixture[str]
) -> None:
    answer(preview=printed(), config=declared())
    judges.append(ConfigurationError("reading: refused"))

    assert Exit.DONE == ci("drift", "--format", "text")
    assert "Objectives could not all be judged: reading: refused" in capsys.readouterr().out


def test_secret_configuration_names_nobody(
    folder: Path,
    answer: Answer,
    judges: list[Report | CbrError],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The comment of a stack whose entries are secret has numbers only."""
    answer(preview=printed(), config=declared(is_secret=True))
    judges.append(missing("top-secret-server"))

    ci("drift", "--format", "text", "--json-file", "d.json")

    told = capsys.readouterr().out + (folder / "d.json").read_text()
    assert "1 objective is MISSED" in told
    assert "top-secret" not in told
    assert "dba" not in told


@pytest.mark.parametrize(
    "told",
    [
        ConfigurationError("reading: 'top-secret-owner' is no name of an owner"),
        replace(
            missing(),
            areas=(Area("top-secret-region", "p", unseen_because="top-secret-reason"),),
            remarks=("stack prod: the state of top-secret-urn cannot be read",),
        ),
    ],
)
def test_secret_configuration_is_not_quoted_by_what_fails(
    folder: Path,
    answer: Answer,
    judges: list[Report | CbrError],
    capsys: pytest.CaptureFixture[str],
    told: Report | CbrError,
) -> None:
    """A malformed objective is quoted by its error, and regions are named by the configuration."""
    answer(preview=printed(), config=declared(is_secret=True))
    judges.append(told)

    ci("drift", "--format", "text", "--json-file", "d.json")

    shown = capsys.readouterr().out + (folder / "d.json").read_text()
    assert "Objectives could not all be judged" in shown
    assert "top-secret" not in shown


def test_prices_give_costs(
    folder: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Copies cost once and each month; deletions free some of it."""
    (folder / "prices.yaml").write_text(
        "currency: CNY\nstorage: {default: 0.5}\ntransfer: {cn-north-4/cn-east-3: 2}\n"
    )
    fact = {"urn": urn_of(SINGLE, "x"), "kind": "copy", "backup_id": "b-1", "size_gb": 100}
    answer(preview=printed(step("create", name="x", new=one()), facts=[json.dumps(fact)]))

    assert Exit.DONE == ci("preview", "--format", "text", "--prices", "prices.yaml")
    assert "By the given prices: 200.00 CNY for copying, and 50.00 more for each month." in (
        " ".join(capsys.readouterr().out.split())
    )


def test_unknown_sizes_have_no_cost(
    folder: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "prices.yaml").write_text("currency: CNY\nstorage: {default: 0.5}\n")
    answer(preview=printed(step("create", name="x", new=one())))

    ci("preview", "--format", "text", "--prices", "prices.yaml")

    assert "not all sizes and prices are known" in " ".join(capsys.readouterr().out.split())
