"""World files: what they contain, and how their errors are reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from simulator.cloud.faults import Fault
from simulator.cloud.specs import CopyScript, Options, World
from simulator.serve import main
from simulator.testing import DEMO_WORLD, ROOT
from simulator.worlds.files import WorldError, load_world

README = (ROOT / "simulator" / "README.md").read_text(encoding="utf-8")
SMALL: dict[str, Any] = {
    "accounts": [{"name": "acme", "users": [{"name": "ops", "password": "not-a-secret"}]}],
    "regions": [{"name": "r1", "replicates_to": ["r2"]}, {"name": "r2"}],
    "projects": [{"name": "r2_dr", "region": "r2"}],
    "vaults": [
        {"name": "v1", "region": "r1"},
        {"name": "v2", "region": "r2", "project": "r2_dr", "protect_type": "replication"},
    ],
    "backups": [{"name": "b1", "vault": "v1"}],
}

KEY = {"access_key": "a", "secret_key": "s"}


def user_with(key: dict[str, Any]) -> dict[str, Any]:
    """Return a user with an access key."""
    return {"name": "ops", "password": "not-a-secret", "access_keys": [key]}


def write(path: Path, document: Any) -> Path:
    """Write a world file."""
    file = path / "world.yaml"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def changed(section: str, number: int, **changes: Any) -> dict[str, Any]:
    """Return the small world with one part changed."""
    document: dict[str, Any] = json.loads(json.dumps(SMALL))
    document[section][number].update(changes)
    return document


def test_world_minimal_file_gets_ids_from_names(tmp_path: Path) -> None:
    """Omitted ids are generated, always the same and all different."""
    first, second = (load_world(write(tmp_path, SMALL)) for _ in range(2))
    ids = [
        *(row.id for row in first.accounts),
        *(row.id for row in first.projects),
        *(row.id for row in first.vaults),
        *(row.id for row in first.backups),
        *(region.project_id for region in first.regions),
    ]

    assert first == second
    assert len(ids) == len(set(ids))
    assert all(ids)
    assert "b1" == first.backups[0].resource_name


def test_world_time_without_quotation_marks_is_read(tmp_path: Path) -> None:
    """YAML's own times are times."""
    file = tmp_path / "world.yaml"
    text = json.dumps(changed("backups", 0, created_at="MOMENT"))
    file.write_text(text.replace('"MOMENT"', "2026-11-20T02:00:00Z"), encoding="utf-8")

    assert load_world(file).backups[0].created_at.startswith("2026-11-20T02:00:00")


def test_world_demo_has_what_the_documentation_promises() -> None:
    """The demo world has regions to copy between, and each kind of backup that cannot be copied."""
    world = load_world(DEMO_WORLD)

    assert ["cn-east-3", "cn-south-1", "cn-southwest-2"] == world.regions[0].replicates_to
    assert {"available", "error", "protecting"} == {backup.status for backup in world.backups}
    assert "not-a-secret-demo" == world.accounts[0].users[0].password


def test_world_password_is_not_shown(tmp_path: Path) -> None:
    """A printed world does not show its passwords."""
    assert "not-a-secret" not in repr(load_world(write(tmp_path, SMALL)))


FAULTS: dict[str, tuple[Any, str]] = {
    "not a mapping": ([], "want a mapping with accounts, regions, vaults and backups"),
    "unknown section": (
        {**SMALL, "optoins": {}},
        (
            "optoins: found an unknown key, want one of accounts, regions, projects, vaults, "
            "backups, options"
        ),
    ),
    "missing section": (
        {"accounts": SMALL["accounts"]},
        "regions: found nothing, want a value",
    ),
    "unknown key": (
        changed("regions", 1, replicates=[]),
        "regions.1.replicates: found an unknown key, want one of name, project_id, replicates_to",
    ),
    "unknown key of a script": (
        changed("backups", 0, copy={"moed": "never"}),
        (
            "backups.0.copy.moed: found an unknown key, want one of mode, seconds, reads, outcome, "
            "fail_code, fail_reason"
        ),
    ),
    "missing key": (
        {**SMALL, "vaults": [{"region": "r1"}]},
        "vaults.0.name: found nothing, want a value",
    ),
    "wrong type": (
        changed("vaults", 0, size_gb="many"),
        (
            "vaults.0.size_gb: found 'many', want a valid integer, unable to parse string as an "
            "integer"
        ),
    ),
    "out of limits": (
        changed("vaults", 0, size_gb=0),
        "vaults.0.size_gb: found 0, want greater than or equal to 1",
    ),
    "not one of": (
        changed("vaults", 0, protect_type="both"),
        "vaults.0.protect_type: found 'both', want 'backup', 'replication' or 'hybrid'",
    ),
    "not a time": (
        changed("backups", 0, expired_at="soon"),
        "backups.0.expired_at: found 'soon', want a time, such as 2026-11-20T02:00:00",
    ),
    "access key that is no word": (
        changed("accounts", 0, users=[user_with({"access_key": "a,b", "secret_key": "s"})]),
        (
            "accounts.0.users.0.access_keys.0.access_key: found 'a,b', want letters, digits and "
            "signs without spaces and commas"
        ),
    ),
    "secret key that is no word": (
        changed("accounts", 0, users=[user_with({"access_key": "a", "secret_key": "s s"})]),
        (
            "accounts.0.users.0.access_keys.0.secret_key: found a value, want letters, digits and "
            "signs without spaces and commas"
        ),
    ),
    "access key of two users": (
        changed("accounts", 0, users=[user_with(KEY), {**user_with(KEY), "name": "eve"}]),
        (
            "accounts.0.users.1.access_keys.0.access_key: found 'a', want another one than that of "
            "accounts.0.users.0.access_keys.0"
        ),
    ),
    "password that is no text": (
        changed("accounts", 0, users=[{"name": "ops", "password": 12345}]),
        "accounts.0.users.0.password: found a value, want a valid string",
    ),
    "undeclared destination": (
        changed("regions", 0, replicates_to=["r2", "r3"]),
        "regions.0.replicates_to.1: found 'r3', want a declared region: r1, r2",
    ),
    "own destination": (
        changed("regions", 0, replicates_to=["r1"]),
        "regions.0.replicates_to.0: found 'r1', want a region other than its own",
    ),
    "undeclared region of a project": (
        {**SMALL, "projects": [{"name": "p", "region": "r3"}], "vaults": [], "backups": []},
        "projects.0.region: found 'r3', want a declared region: r1, r2",
    ),
    "project named like a region": (
        {**SMALL, "projects": [*SMALL["projects"], {"name": "r1", "region": "r1", "id": "x"}]},
        "projects.1.name: found 'r1', want a name that no region has",
    ),
    "undeclared region of a vault": (
        changed("vaults", 0, region="r3"),
        "vaults.0.region: found 'r3', want a declared region: r1, r2",
    ),
    "undeclared project": (
        changed("vaults", 1, project="r2_x"),
        "vaults.1.project: found 'r2_x', want a declared project: r2_dr",
    ),
    "project of another region": (
        changed("vaults", 0, project="r2_dr"),
        "vaults.0.project: found 'r2_dr', want a project in region 'r1'",
    ),
    "undeclared vault": (
        changed("backups", 0, vault="v3"),
        "backups.0.vault: found 'v3', want a declared vault: v1, v2",
    ),
    "account twice": (
        {**SMALL, "accounts": SMALL["accounts"] * 2},
        "accounts.1.name: found 'acme', want another one than that of accounts.0",
    ),
    "user twice": (
        changed("accounts", 0, users=SMALL["accounts"][0]["users"] * 2),
        "accounts.0.users.1.name: found 'ops', want another one than that of accounts.0.users.0",
    ),
    "region's project id twice": (
        {**SMALL, "regions": [{"name": name, "project_id": "x"} for name in ("r1", "r2")]},
        "regions.1.project_id: found 'x', want another one than that of regions.0",
    ),
    "project id that a region has": (
        {
            **changed("regions", 0, project_id="x"),
            "projects": [{"name": "r2_dr", "region": "r2", "id": "x"}],
        },
        "projects.0.id: found 'x', want an id that no region has",
    ),
    "vault id twice": (
        {**SMALL, "vaults": [{**row, "id": "x"} for row in SMALL["vaults"]]},
        "vaults.1.id: found 'x', want another one than that of vaults.0",
    ),
    "vault name twice": (
        {**SMALL, "vaults": [*SMALL["vaults"], {"name": "v1", "region": "r2"}]},
        "vaults.2.name: found 'v1', want another one than that of vaults.0",
    ),
}


@pytest.mark.parametrize(("document", "line"), FAULTS.values(), ids=FAULTS.keys())
def test_world_fault_is_one_line(tmp_path: Path, document: Any, line: str) -> None:
    """An error names the file, the path to the key, the value and what is expected."""
    file = write(tmp_path, document)
    with pytest.raises(WorldError) as caught:
        load_world(file)

    separator = ": "
    assert [f"{file}{separator}{line}"] == str(caught.value).splitlines()


def test_world_every_fault_is_reported(tmp_path: Path) -> None:
    """All errors of a file are reported together."""
    document = changed("vaults", 0, region="r8", project="p9")
    document["backups"] = [{"name": "b", "vault": "v9"}] * 2
    with pytest.raises(WorldError) as caught:
        load_world(write(tmp_path, document))

    assert 5 == len(str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"accounts: [", "is not YAML"), (b"\xff\xfe", "is not UTF-8 text"), (b"", "want a mapping")],
)
def test_world_unreadable_file_is_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    """A file that is not YAML is reported in one line."""
    file = tmp_path / "world.yaml"
    file.write_bytes(content)
    with pytest.raises(WorldError, match=reason) as caught:
        load_world(file)

    assert 1 == len(str(caught.value).splitlines())


def test_world_missing_file_is_reported(tmp_path: Path) -> None:
    """A missing file is reported by name."""
    with pytest.raises(WorldError, match=r"none\.yaml: cannot be read: No such file"):
        load_world(tmp_path / "none.yaml")


def test_world_made_in_code_is_checked_too() -> None:
    """References are checked in every world, from a file or from code."""
    with pytest.raises(ValueError, match=r"vaults\.0\.region"):
        World.model_validate(changed("vaults", 0, region="r3"))


def test_check_world_good_file_is_summarised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A good file is reported as such, and nothing is served."""
    file = write(tmp_path, SMALL)
    code = main(["--check-world", "--world", str(file)])

    assert (0, f"{file}: 1 backups in 2 regions\n") == (code, capsys.readouterr().out)


def test_check_world_bad_file_is_reported_line_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bad file ends with code 2 and a line for each error."""
    file = write(tmp_path, {**SMALL, "a": 1, "b": 2})
    code = main(["--check-world", "--world", str(file)])
    lines = capsys.readouterr().err.splitlines()

    assert 2 == code
    assert 2 == len(lines)
    assert all(line.startswith(f"simulator: {file}: ") for line in lines)


# -- what the README says -----------------------------------------------------------------------


def test_readme_world_is_a_world(tmp_path: Path) -> None:
    """The example world can be used as printed."""
    file = tmp_path / "world.yaml"
    file.write_text(README.split("```yaml\n")[1].split("```")[0], encoding="utf-8")

    assert ["autobk_7c1e"] == [backup.name for backup in load_world(file).backups]


@pytest.mark.parametrize(
    "names",
    [
        get_args(Fault.model_fields["action"].annotation),
        tuple(Options.model_fields),
        get_args(CopyScript.model_fields["mode"].annotation),
    ],
    ids=["actions", "options", "modes"],
)
def test_readme_names_every_choice(names: tuple[str, ...]) -> None:
    """The README has every action, option and mode of copying."""
    assert names
    assert [] == [name for name in names if name not in README]
