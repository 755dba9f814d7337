"""`fleet` with a fake CLI: what it calls, shows and returns."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.__main__ import main
from pulumi_huaweicloud_cbr.api.transport.shared_rate import VARIABLE, shared_rate
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.engine.output.preview_facts import VARIABLE as FACTS
from tests.unit.commands.ci.plans import SET, had, members, step, urn_of

CLI = """\
#!{python} -IS
import json, os, pathlib, signal, sys, time
here = pathlib.Path({folder!r})
arguments = [one for one in sys.argv[1:] if one != "--non-interactive"]
if arguments[0] == "version":
    print("v3.200.0")
    sys.exit()
stack = arguments[arguments.index("--stack") + 1] if "--stack" in arguments else ""
if arguments[:2] == ["stack", "init"]:
    stack = arguments[2]
command = " ".join(one for one in arguments[:2] if not one.startswith("-"))
with (here / "calls").open("a") as file:
    file.write(json.dumps([stack, arguments, dict(os.environ)]) + "\\n")
if arguments[:2] == ["stack", "init"]:
    (here / "state" / stack).touch()
elif not (here / "state" / stack).exists():
    sys.exit(f"error: no stack named '{{stack}}' found")
answers = json.loads((here / "answers.json").read_text())
answer = answers.get(f"{{command}} {{stack}}", answers.get(command, {{}}))
for line in answer.get("facts", []):
    pathlib.Path(os.environ["CBR_PREVIEW_FACTS"], "facts-1.jsonl").open("a").write(line + "\\n")
if "--event-log" in arguments:
    with open(arguments[arguments.index("--event-log") + 1], "a") as log:
        for number, event in enumerate([*answer.get("events", []), {{"cancelEvent": {{}}}}]):
            log.write(json.dumps({{"sequence": number, "timestamp": 1, **event}}) + "\\n")
if answer.get("hangs"):
    signal.signal(signal.SIGINT, lambda *_: sys.exit("error: update canceled"))
    (here / f"hangs-{{stack}}").touch()
    time.sleep(60)
if answer.get("signal"):
    os.kill(os.getpid(), answer["signal"])
sys.stdout.write(answer.get("out", ""))
sys.stderr.write(answer.get("said", ""))
sys.exit(answer.get("code", 0))
"""
ESTATE = """\
accounts:
  acme:
    environment: {HW_USER_PASSWORD: ACME_PASSWORD}
    calls_per_second: 10
stacks:
  prod-a: {account: acme, config: {"x:y": 1}}
  prod-b: {account: acme, config: {"x:y": 2}}
  prod-c: {config: {"x:y": 3}}
"""
HISTORY = [
    {
        "kind": "update",
        "startTime": "2026-01-01T00:00:00.000Z",
        "message": "",
        "environment": {},
        "config": {},
        "result": "succeeded",
        "endTime": "2026-01-01T00:00:00.000Z",
        "version": 1,
        "resourceChanges": {},
    }
]
EXPORT = {"out": json.dumps({"deployment": {"resources": []}})}
SUMMARY = {
    "summaryEvent": {
        "maybeCorrupt": False,
        "durationSeconds": 1,
        "resourceChanges": {"create": 1, "same": 2},
        "PolicyPacks": {},
    }
}


def operation(event: str, op: str = "create", urn: str = urn_of(SET, "nightly")) -> dict[str, Any]:
    """Return an event about a resource."""
    metadata = {"op": op, "urn": urn, "type": urn.split("::")[2], "provider": ""}
    return {event: {"metadata": metadata}}


def message(text: str, severity: str, *, ephemeral: bool = False) -> dict[str, Any]:
    """Return an event with a message of a resource."""
    told = {"message": text, "severity": severity, "color": "never", "ephemeral": ephemeral}
    return {"diagnosticEvent": {**told, "urn": urn_of(SET, "nightly"), "prefix": ""}}


EVENTS = [
    operation("resourcePreEvent", "same", "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s"),
    operation("resourcePreEvent"),
    operation("resourcePreEvent", "same", urn_of(SET, "weekly")),
    message("<{%reset%}>1 of 2 done<{%reset%}>", "info", ephemeral=True),
    message("debugging", "debug"),
    message("warning: half full", "warning"),
    operation("resOutputsEvent"),
    SUMMARY,
]
Answer = Callable[[dict[str, Any]], None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an estate, and a CLI that gives answers and notes its calls."""
    cli = tmp_path / "bin" / "pulumi"
    cli.parent.mkdir()
    cli.write_text(CLI.format(python=sys.executable, folder=str(tmp_path)))
    cli.chmod(0o755)
    (tmp_path / "state").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    (tmp_path / "estate.yaml").write_text(ESTATE)
    monkeypatch.setenv("PATH", f"{cli.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ACME_PASSWORD", "not-a-secret-acme")
    monkeypatch.setenv("HW_AUTH_TOKEN", "not-a-secret-token")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def answer(folder: Path) -> Answer:
    """Set what the CLI answers, by its command, or by the command and the stack."""

    def set_answers(answers: dict[str, Any]) -> None:
        known = {"stack history": {"out": json.dumps(HISTORY)}, "stack export": EXPORT}
        (folder / "answers.json").write_text(json.dumps({**known, **answers}))

    set_answers({})
    return set_answers


def calls(folder: Path, command: str) -> list[tuple[str, list[str], dict[str, str]]]:
    """Return the calls of a command: stack, arguments and environment."""
    read = [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
    found = [
        (stack, given, env) for stack, given, env in read if " ".join(given).startswith(command)
    ]
    return sorted(found, key=lambda call: call[0])


def fleet(verb: str, *options: str) -> int:
    """Run the stacks of production."""
    return main(["fleet", verb, "--stacks", "prod-*", *options])


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines of JSON."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def results(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the results by stack."""
    return {line["stack"]: line for line in lines if line["event"] == "result"}


def test_up_creates_configures_and_updates_each_stack(
    folder: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """No stack is selected: the others run at the same time."""
    answer({"up": {"events": EVENTS}})

    code = fleet("up", "--json")

    assert Exit.DONE == code
    names = ["prod-a", "prod-b", "prod-c"]
    assert names == [stack for stack, _, _ in calls(folder, "stack init")]
    assert names == [stack for stack, _, _ in calls(folder, "up")]
    assert all("--no-select" in given for _, given, _ in calls(folder, "stack init"))
    assert [] == calls(folder, "stack select")
    assert "x:y: 2" in (folder / "Pulumi.prod-b.yaml").read_text()
    lines = lines_of(capsys)
    of_a = [line for line in lines if line.get("stack") == "prod-a"]
    assert ["begun", "created", "configured"] == [line["event"] for line in of_a[:3]]
    nightly = {"stack": "prod-a", "resource": "nightly"}
    assert [
        {**nightly, "event": "resource", "operation": "create", "state": "begun"},
        {**nightly, "event": "progress", "severity": "info", "text": "1 of 2 done"},
        {**nightly, "event": "message", "severity": "warning", "text": "half full"},
        {**nightly, "event": "resource", "operation": "create", "state": "done"},
    ] == of_a[3:-1]
    assert "1 created, 2 unchanged" == of_a[-1]["headline"]
    assert {"event": "end", "stacks": 3, "outcomes": {"done": 3}} == lines[-1]

    assert Exit.DONE == fleet("up")
    assert 3 == len(calls(folder, "stack init"))


def test_stacks_of_an_account_share_its_rate_and_its_password_alone(
    folder: Path, answer: Answer
) -> None:
    """The third stack has no account: it signs in as before, without a limit."""
    answer({"up": {"events": [SUMMARY]}})

    assert Exit.DONE == fleet("up")

    a, b, c = (env for _, _, env in calls(folder, "up"))
    rate = shared_rate(a)
    assert rate is not None
    assert 10 == rate.rate_hz
    assert a[VARIABLE] == b[VARIABLE]
    assert VARIABLE not in c
    for env in (a, b):
        assert "not-a-secret-acme" == env["HW_USER_PASSWORD"]
        assert "HW_AUTH_TOKEN" not in env
        assert FACTS not in env
    assert "not-a-secret-token" == c["HW_AUTH_TOKEN"]
    assert all("ACME_PASSWORD" not in env for env in (a, b, c))


def test_failure_stops_no_other_stack(
    folder: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its errors are told at the end, and code 1 says that some stack failed."""
    failed = {"events": [message("vault is full", "error"), message("update failed", "error")]}
    pending = {
        "deployment": {
            "pending_operations": [
                {"type": "creating", "resource": {"urn": "a::b", "type": "x:y:Z"}}
            ]
        }
    }
    answer(
        {
            "up": {"events": [SUMMARY]},
            "up prod-b": {**failed, "code": 255},
            "stack export prod-b": {"out": json.dumps(pending)},
        }
    )

    code = fleet("up", "--parallel", "1")

    assert Exit.TO_DO == code
    out = capsys.readouterr().out
    _, _, tail = out.partition("prod-b: failed: up FAILED\n  ")
    assert tail.startswith(
        "vault is full\n  before the next run: the state has 1 pending operation; if no pulumi is "
        "at work on it: python -m pulumi_huaweicloud_cbr recover --stack prod-b\n"
    )
    assert "stacks: 2 done, 1 failed" in tail
    assert ["prod-a", "prod-b", "prod-c"] == [stack for stack, _, _ in calls(folder, "up")]


def test_killed_command_is_told_how_to_recover(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has said nothing, and its lock may be all that it left."""
    answer({"up": {"events": [SUMMARY]}, "up prod-a": {"signal": int(signal.SIGKILL)}})

    code = fleet("up", "--json")

    assert Exit.TO_DO == code
    result = results(lines_of(capsys))["prod-a"]
    assert ["pulumi was ended by signal 9"] == result["errors"]
    assert "recover --stack prod-a" in result["advice"]


def test_refused_file_makes_no_stack(
    folder: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A secret that would be lost is found before anything is created."""
    answer({"up": {"events": [SUMMARY]}})
    (folder / "Pulumi.prod-a.yaml").write_text("config: {'x:y': {secure: v1}}")

    code = fleet("up", "--json")

    assert Exit.TO_DO == code
    ended = results(lines_of(capsys))
    assert ["failed", "done", "done"] == [ended[f"prod-{key}"]["outcome"] for key in "abc"]
    assert ["prod-b", "prod-c"] == [stack for stack, _, _ in calls(folder, "stack init")]


def test_preview_shows_the_estate_and_changes_nothing(
    folder: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its configuration is in a file of its own; a missing stack is named, not created."""
    steps = [step("create", SET, "nightly", new=members({"a": "1"}))]
    plan = {"out": json.dumps({"steps": steps}), "events": EVENTS}
    refusal = {"kind": "refused", "field": "x", "reason": "vault is gone", "urn": urn_of(SET, "n")}
    answer({"preview": plan, "preview prod-b": {**plan, "facts": [json.dumps(refusal)]}})
    for name in ("prod-a", "prod-b"):
        (folder / "state" / name).touch()
    (folder / "Pulumi.prod-a.yaml").write_text("encryptionsalt: v1:salt\nconfig: {'x:y': 5}\n")

    code = fleet("preview", "--json")

    assert Exit.TO_DO == code
    lines = lines_of(capsys)
    ended = results(lines)
    assert ("done", "failed", "absent") == tuple(ended[f"prod-{key}"]["outcome"] for key in "abc")
    assert ["vault is gone"] == ended["prod-b"]["errors"]
    assert "1 replica will be copied" == ended["prod-a"]["headline"]
    assert {"planned"} == {line["state"] for line in lines if line["event"] == "resource"}
    assert [] == calls(folder, "stack init")
    assert "x:y': 5" in (folder / "Pulumi.prod-a.yaml").read_text()
    (_, given, _), _ = calls(folder, "preview")
    assert given[given.index("--config-file") + 1].endswith("Pulumi.prod-a.yaml")


def test_drift_of_one_stack_ends_with_code_4(
    folder: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is lost is found by the steps of unchanged resources too."""
    steps = [step("refresh", SET, "nightly", old=had({"a": "1"}))]
    lost = {"out": json.dumps({"steps": steps}), "events": [SUMMARY]}
    answer({"preview": {"out": '{"steps": []}', "events": [SUMMARY]}, "preview prod-b": lost})
    for name in ("prod-a", "prod-b", "prod-c"):
        (folder / "state" / name).touch()

    code = fleet("drift", "--json")

    assert Exit.DIFFERS == code
    ended = results(lines_of(capsys))
    assert ["done", "differs", "done"] == [ended[f"prod-{key}"]["outcome"] for key in "abc"]
    for _, given, _ in calls(folder, "preview"):
        assert {"--refresh", "--show-sames"} <= {part.partition("=")[0] for part in given}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ends_what_runs_and_begins_nothing(
    folder: Path, answer: Answer, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    """The CLI gets one interrupt, and removes its lock; the rest is told as not begun."""
    answer({"up": {"hangs": True}})

    def interrupt() -> None:
        while not (folder / "hangs-prod-a").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    code = fleet("up", "--parallel", "1")
    thread.join()

    assert Exit.INTERRUPTED == code
    out = capsys.readouterr().out
    assert "stacks: 1 interrupted, 2 not begun\nRun the same command again" in out
    assert ["prod-a"] == [stack for stack, _, _ in calls(folder, "up")]


def test_missing_cli_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, not for each stack."""
    monkeypatch.setenv("PATH", str(folder))

    assert Exit.TO_DO == fleet("up")
    assert "there is no pulumi on PATH; install" in capsys.readouterr().err


def test_stacks_without_an_estate_are_those_of_the_checkout(
    folder: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their files stay as they are."""
    answer({"up": {"events": [SUMMARY]}})
    (folder / "estate.yaml").unlink()
    (folder / "Pulumi.prod-x.yaml").write_text("config: {}\n")

    assert Exit.DONE == fleet("up")

    assert ["prod-x"] == [stack for stack, _, _ in calls(folder, "up")]
    assert "prod-x: done: 1 created, 2 unchanged" in capsys.readouterr().out
    assert "config: {}\n" == (folder / "Pulumi.prod-x.yaml").read_text()


@pytest.mark.parametrize("number", ["0", "65", "x", "-1"])
def test_wrong_number_at_once_is_told(number: str) -> None:
    """The machine has to carry so many runs."""
    with pytest.raises(SystemExit) as ended:
        fleet("up", f"--parallel={number}")
    assert Exit.USAGE == ended.value.code
