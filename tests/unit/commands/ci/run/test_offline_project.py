"""The copy of a project for a preview without credentials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import model
from config import read_plan
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.commands.ci.run import offline_project

CONFIGURATION: dict[str, Any] = {
    "encryptionsalt": "v1:salt",
    "secretsprovider": "passphrase",
    "config": {
        "huaweicloud:region": "cn-north-4",
        "huaweicloud:password": {"secure": "v1:sealed"},
        "cbr-replication:replications": [
            {
                "name": "erp-db",
                "backup_id": "b-1",
                "preflight": "error",
                "destinations": [{"region": "cn-east-3", "preflight": "warn"}],
            },
            {"name": "plain", "backup_id": "b-2"},
        ],
    },
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "stacks" / "more").mkdir(parents=True)
    (root / "plugin").mkdir()
    (root / "Pulumi.yaml").write_text(
        "name: cbr-replication\nruntime: python\nmain: stacks\nstackConfigDir: stacks\n"
    )
    (root / "stacks" / "__main__.py").write_text("program")
    (root / "stacks" / "Pulumi.dev.yaml").write_text(yaml.safe_dump(CONFIGURATION))
    return root


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_offline_configuration_has_no_secret_and_no_preflight() -> None:
    offline = offline_project.without_credentials(CONFIGURATION)

    assert offline == {
        "config": {
            "huaweicloud:region": "cn-north-4",
            "cbr-replication:replications": CONFIGURATION["config"]["cbr-replication:replications"],
            "cbr-replication:preflight": "off",
        }
    }


def test_offline_configuration_drops_secrets_inside_values() -> None:
    """Secrets of other programs, and values that an entry does without."""
    sealed = {"secure": "v1:x"}
    offline = offline_project.without_credentials(
        {
            "config": {
                "p:list": [{"a": sealed, "b": 1}, sealed],
                "cbr-replication:timeout": sealed,
                "cbr-replication:replications": [{"name": "erp", "description": sealed}],
            }
        }
    )

    assert offline == {
        "config": {
            "p:list": [{"b": 1}],
            "cbr-replication:replications": [{"name": "erp"}],
            "cbr-replication:preflight": "off",
        }
    }


def test_offline_configuration_with_secrets_is_valid() -> None:
    """Where a value is required, a stand-in replaces the secret, and each is another one."""
    sealed = {"secure": "v1:x"}
    to = [{"region": "cn-east-3", "vault_id": sealed, "project_id": sealed}]
    member = {"backup_id": sealed, "name": sealed, "created_at": sealed}
    select = {"resource_name": sealed, "vault_id": sealed, "created_since": sealed}
    given: dict[str, Any] = {
        "replications": [{"name": "erp", "backup_id": sealed, "destinations": to}],
        "sets": [
            {"name": "a", "backups": {"x": sealed, "y": member}},
            {"name": "b", "backups": [sealed, sealed]},
            {"name": "c", "select": select},
        ],
        "vaults": [{"name": "all", "vault_id": sealed}],
        "defaults": {"destinations": to},
    }
    configuration = {f"cbr-replication:{key}": value for key, value in given.items()}

    offline = offline_project.without_credentials({"config": configuration})["config"]

    plan = read_plan(
        {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in offline.items()
        }
    )
    backups: list[Any] = [one.args.backups for one in plan.sets]
    ids = [plan.replications[0].args.backup_id, *backups[1]]
    assert ids == sorted(set(ids))
    assert "1970-01-01T00:00:00Z" == backups[0]["y"]["created_at"]
    assert plan.sets[2].selection is not None
    assert "secret" == dict(plan.sets[2].selection.filters)["resource_name"]


def test_offline_configuration_uses_the_namespace_of_the_program() -> None:
    """The project's name does not matter: the program reads its keys under its own name."""
    assert f"{model.NAMESPACE}:preflight" in offline_project.without_credentials({})["config"]


def test_offline_configuration_leaves_faults_to_the_program() -> None:
    given = {"config": {"p:defaults": "nonsense", "p:replications": 7, "p:empty": None}}

    assert given["config"].items() <= offline_project.without_credentials(given)["config"].items()


def test_offline_project_links_everything_but_the_configuration(
    project: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    offline_project.make_offline_project(project, "dev", copy)

    assert project / "plugin" == (copy / "plugin").resolve()
    assert "program" == (copy / "stacks" / "__main__.py").read_text()
    assert "encryptionsalt" not in read(copy / "stacks" / "Pulumi.dev.yaml")
    assert read(project / "stacks" / "Pulumi.dev.yaml") == CONFIGURATION


def test_offline_project_of_a_qualified_stack_finds_its_file(project: Path, tmp_path: Path) -> None:
    offline_project.make_offline_project(project, "org/cbr-replication/dev", tmp_path / "copy")

    assert (tmp_path / "copy" / "stacks" / "Pulumi.dev.yaml").is_file()


def test_offline_project_configuration_beside_the_project_file(
    project: Path, tmp_path: Path
) -> None:
    (project / "Pulumi.yaml").write_text("name: cbr-replication\nruntime: python\n")
    (project / "stacks" / "Pulumi.dev.yaml").rename(project / "Pulumi.dev.yaml")
    offline_project.make_offline_project(project, "dev", tmp_path / "copy")

    assert "encryptionsalt" not in read(tmp_path / "copy" / "Pulumi.dev.yaml")


@pytest.mark.parametrize(
    ("stack", "content", "problem"),
    [
        ("nope", None, "there is no"),
        ("dev", "config: [", "not valid YAML"),
        ("dev", "", "holds no settings"),
    ],
)
def test_a_project_that_cannot_be_read_is_named(
    project: Path, tmp_path: Path, stack: str, content: str | None, problem: str
) -> None:
    if content is not None:
        (project / "stacks" / "Pulumi.dev.yaml").write_text(content)
    with pytest.raises(ConfigurationError, match=problem):
        offline_project.make_offline_project(project, stack, tmp_path / "copy")
