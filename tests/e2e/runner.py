"""Runs the jobs of a workflow or of `.gitlab-ci.yml`: each shell step as it is written.

Of GitHub's own actions it knows checkout and the two for artifacts. Composite actions of this
repository are run step by step. Expressions are looked up: an unknown one is an error, apart from
secrets and variables, which are empty if they are not given.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.driver import COMMAND_LIMIT_S

EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
GIVEN_LATER = ("secrets.", "vars.")
LITERAL = re.compile(r"'([^']*)'")


@dataclass
class Job:
    """What a job did: the exit code of each step by name, and what all of them printed."""

    codes: dict[str, int] = field(default_factory=dict)
    printed: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    summary: str = ""

    @property
    def code(self) -> int:
        """The first exit code that is not 0, else 0."""
        return next((code for code in self.codes.values() if code), 0)


@dataclass
class Runner:
    """A runner with one directory for the checkout, and one for artifacts.

    Args:
        checkout: the project, as an action would check it out.
        known: values of expressions, such as ``matrix.stack``.
        environment: what each process has, such as PATH and HOME.
    """

    checkout: Path
    known: Mapping[str, str]
    environment: Mapping[str, str]
    artifacts: Path

    def run(self, workflow: str, job: str, known: Mapping[str, str] | None = None) -> Job:
        """Run a job of a workflow; a failed step ends it, except for those that run always."""
        text = (self.checkout / ".github" / "workflows" / workflow).read_text(encoding="utf-8")
        document = yaml.safe_load(text)["jobs"][job]
        values = {**self.known, **(known or {})}
        scratch = self.artifacts / "runner"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        files = {key: scratch / key for key in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.touch()
        done = Job()
        env = {**self._evaluated(document.get("env") or {}, values), "RUNNER_TEMP": str(scratch)}
        self._steps(document["steps"], done, values, env, files)
        done.summary = files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        return done

    def run_gitlab(self, job: str, variables: Mapping[str, str]) -> Job:
        """Run the scripts of a GitLab job: the script stops at a failure, the last one runs."""
        document = yaml.safe_load((self.checkout / ".gitlab-ci.yml").read_text(encoding="utf-8"))
        parts = document[job]
        before = document["default"]["before_script"]
        done = Job()
        env = {key: value for key, value in variables.items() if value}
        done.codes["script"] = self._bash("\n".join([*before, *parts["script"]]), done, env)
        if "after_script" in parts:
            done.codes["after_script"] = self._bash("\n".join(parts["after_script"]), done, env)
        return done

    def _steps(
        self,
        steps: list[dict[str, Any]],
        done: Job,
        known: Mapping[str, str],
        env: Mapping[str, str],
        files: Mapping[str, Path],
    ) -> None:
        for step in steps:
            has_failed = done.code != 0
            if has_failed and step.get("if") != "always()":
                continue
            if "uses" in step:
                self._use(step, done, known, env, files)
            else:
                self._run_step(step, done, known, env, files)

    def _run_step(
        self,
        step: dict[str, Any],
        done: Job,
        known: Mapping[str, str],
        env: Mapping[str, str],
        files: Mapping[str, Path],
    ) -> None:
        script = str(step["run"])
        assert not EXPRESSION.search(script), "a script takes values from its environment only"
        name = str(step["name"])
        output = files["GITHUB_ENV"].with_name(f"output-{len(done.codes)}")
        output.touch()
        values = {**known, **_step_outputs(done)}
        added = _pairs(files["GITHUB_ENV"])
        paths = files["GITHUB_PATH"].read_text().split()
        whole = {**env, **added, **self._evaluated(step.get("env") or {}, values)}
        whole |= {key: str(path) for key, path in files.items()} | {"GITHUB_OUTPUT": str(output)}
        if paths:
            whole["PATH"] = os.pathsep.join([*reversed(paths), self.environment["PATH"]])
        done.codes[name] = self._bash(script, done, whole)
        if "id" in step:
            done.outputs[step["id"]] = _pairs(output)

    def _use(
        self,
        step: dict[str, Any],
        done: Job,
        known: Mapping[str, str],
        env: Mapping[str, str],
        files: Mapping[str, Path],
    ) -> None:
        action = step["uses"].partition("@")[0]
        given = self._evaluated(step.get("with") or {}, known)
        if action.startswith("./"):
            text = (self.checkout / action / "action.yml").read_text(encoding="utf-8")
            document = yaml.safe_load(text)
            inputs = {
                f"inputs.{name}": given.get(name, str(about.get("default", "")))
                for name, about in (document.get("inputs") or {}).items()
            }
            self._steps(document["runs"]["steps"], done, {**known, **inputs}, env, files)
        elif action == "actions/upload-artifact":
            target = self.artifacts / given["name"]
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(self.checkout / given["path"], target)
        elif action == "actions/download-artifact":
            kept = given.get("pattern", "preview-*")
            shutil.rmtree(self.checkout / given["path"], ignore_errors=True)
            for folder in self.artifacts.glob(kept):
                shutil.copytree(folder, self.checkout / given["path"] / folder.name)
        else:
            assert action in ("actions/checkout", "actions/setup-python"), action

    def _bash(self, script: str, done: Job, env: Mapping[str, str]) -> int:
        """Run a script as GitHub runs `shell: bash`; GitLab's stops at a failure as well."""
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.checkout,
            env={**self.environment, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_LIMIT_S,
            check=False,
        )
        done.printed += ran.stdout
        return ran.returncode

    def _evaluated(self, given: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
        return {
            key: EXPRESSION.sub(lambda found: value_of(found[1], known), str(value))
            for key, value in given.items()
        }


def value_of(expression: str, known: Mapping[str, str]) -> str:
    """Return the value of an expression: a known one, a literal, or the first of several."""
    if expression in known:
        return known[expression]
    literal = LITERAL.fullmatch(expression)
    if literal:
        return literal[1]
    if " || " in expression:
        return next(filter(None, (value_of(one, known) for one in expression.split(" || "))), "")
    if expression.startswith(GIVEN_LATER):
        return ""
    raise LookupError(f"no value for the expression {expression!r}")


def _step_outputs(done: Job) -> dict[str, str]:
    return {
        f"steps.{step}.outputs.{name}": value
        for step, values in done.outputs.items()
        for name, value in values.items()
    }


def _pairs(file: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in file.read_text(encoding="utf-8").splitlines())
    return {key: value for key, _, value in lines}


@dataclass
class FakeSite:
    """A site's command line in place of the real one: it keeps comments and issues in a file.

    `gh` has the few calls that the workflows make. Everything else is refused.
    """

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "site.json"
        self.set({"comments": [], "issues": [], "head": ""})
        for name in ("gh", "curl"):
            command = self.folder / name
            called = f'"{sys.executable}" -m tests.e2e.fake_site "{self.file}" {name}'
            command.write_text(f'#!/bin/sh\nexec {called} "$@"\n')
            command.chmod(0o755)

    def get(self) -> dict[str, Any]:
        """Return what the site has."""
        kept: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return kept

    def set(self, kept: Mapping[str, Any]) -> None:
        """Replace what the site has."""
        self.file.write_text(json.dumps(kept), encoding="utf-8")
