"""The commands and configurations in the pages are valid."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import read_plan
from pulumi_huaweicloud_cbr.__main__ import make_parser
from pulumi_huaweicloud_cbr.commands.fleet.estate import read_estate
from pulumi_huaweicloud_cbr.config.settings import Settings
from tools.checks.examples import REPOSITORY, Example, command_lines, examples, programs

OURS = "python -m pulumi_huaweicloud_cbr "
LINES = list(command_lines())
COMMANDS = [(example, line) for example, line in LINES if line.startswith(OURS)]
MAKE = [(example, line) for example, line in LINES if re.match(r"make [a-z]", line)]
YAML = list(examples("yaml"))
NO_CONFIGURATION = {"apiVersion", "jobs", "stacks", "currency"}
"""Keys of documents that are for Kubernetes, for GitHub, for `fleet` and for `report --prices`."""
CONFIGURATIONS = [one for one in YAML if not NO_CONFIGURATION & yaml.safe_load(one.text).keys()]
ESTATES = [one for one in YAML if "stacks" in yaml.safe_load(one.text)]
MANIFESTS = [one for one in YAML if {"apiVersion", "jobs"} & yaml.safe_load(one.text).keys()]
# For entries that show a part of a configuration.
DESTINATION = {"region": "cn-east-3", "vault_id": "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"}
PROJECT_KEYS = {"name", "runtime", "plugins"}
"""Keys of `Pulumi.yaml` that the pages show; a test of `docs/start.md` runs them."""
A_BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
ENTRY = {"name": "any", "backup_id": A_BACKUP}


@pytest.mark.parametrize(
    ("example", "line"), COMMANDS, ids=[f"{example.name} {line}" for example, line in COMMANDS]
)
def test_command_parses(example: Example, line: str) -> None:
    """The command, its options and its arguments exist."""
    words = shlex.split(re.sub(r" >.*", "", line).removeprefix(OURS))
    words = [A_BACKUP if word == "ID" else word for word in words]
    given = make_parser().parse_args(words)

    assert callable(given.run), example.name


def test_options_are_checked() -> None:
    """A misspelt option is an error."""
    with pytest.raises(SystemExit):
        make_parser().parse_args(["check", "--stakc", "prod"])


@pytest.mark.parametrize(
    ("example", "line"), MAKE, ids=[f"{example.name} {line}" for example, line in MAKE]
)
def test_make_target_exists(example: Example, line: str) -> None:
    """Each target is one of the Makefile, and each variable is used there."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    words = shlex.split(line)[1:]
    variables = [word.partition("=")[0] for word in words if "=" in word]

    assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE), example.name
    assert [] == [name for name in variables if name not in makefile]


@pytest.mark.parametrize("example", CONFIGURATIONS, ids=[one.name for one in CONFIGURATIONS])
def test_configuration_is_valid(example: Example) -> None:
    """Keys of the stack program are valid; a destination may be left to other parts."""
    document: dict[str, Any] = yaml.safe_load(example.text)
    require_valid(document.get("config", document))


@pytest.mark.parametrize("example", ESTATES, ids=[one.name for one in ESTATES])
def test_estate_is_valid(example: Example, tmp_path: Path) -> None:
    """`fleet` reads it, and the stack program reads the configuration of each stack."""
    file = tmp_path / "estate.yaml"
    file.write_text(example.text, encoding="utf-8")

    for stack in read_estate(file).stacks:
        require_valid(dict(stack.config or {}))


@pytest.mark.parametrize("example", MANIFESTS, ids=[one.name for one in MANIFESTS])
def test_commands_of_manifests_parse(example: Example) -> None:
    """The command, its options and its arguments exist."""
    document = yaml.safe_load(example.text)
    lines = [
        [str(word) for word in (*part.get("command", ()), *part.get("args", ()))]
        for part in parts_of(document)
    ]
    lines += [shlex.split(part["run"]) for part in parts_of(document) if "run" in part]
    ours = [line[3:] for line in lines if line[:3] == OURS.split()]

    for words in ours:
        assert callable(make_parser().parse_args(words).run)
    assert ours or "projectRepo" in document["spec"]


def parts_of(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all mappings in a document."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, (dict, list)):
            yield from parts_of(part)


def require_valid(config: Any) -> None:
    """Require that the stack program and the package accept a configuration."""
    assert isinstance(config, dict)
    own = {key: value for key, value in config.items() if key.startswith("cbr-replication:")}
    others = {key for key in config if not key.startswith(("cbr-replication:", "huaweicloud:"))}
    assert others <= PROJECT_KEYS
    Settings.load(config.get, {})
    if not own:
        return
    defaults = own.setdefault("cbr-replication:defaults", {})
    defaults.setdefault("destinations", [DESTINATION])
    if len(own) == 1:
        own["cbr-replication:replications"] = [ENTRY]

    plan = read_plan({key: json.dumps(value) for key, value in own.items()})

    assert plan.replications or plan.sets or plan.vaults


def test_there_are_examples() -> None:
    """The tests above have something to try."""
    assert {"check", "backups", "owners", "fleet", "recover", "import-file"} <= {
        line.removeprefix(OURS).split()[0] for _, line in COMMANDS
    }
    assert len(MAKE) > 5
    assert len(CONFIGURATIONS) > 5
    assert ESTATES
    assert len(MANIFESTS) > 2
    assert len(list(programs())) > 8
