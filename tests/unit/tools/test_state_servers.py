"""The servers of the tests of backends: what is pinned, built and read, without starting one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tools.checks import workflows
from tools.state_servers import build, postgresql
from tools.state_servers.places import files_in
from tools.toolchain.errors import ToolchainError
from tools.toolchain.go import explain_failure
from tools.toolchain.module import GoProgram
from tools.toolchain.store import Store

PROGRAMS = pytest.mark.parametrize(
    "program", [build.VERSITYGW, workflows.ACTIONLINT], ids=lambda program: program.name
)


@PROGRAMS
def test_program_is_pinned_with_its_sums(program: GoProgram) -> None:
    """go.sum has the content of the version that go.mod names, so nothing else is built."""
    sums = (program.folder / "go.sum").read_text()

    assert f"{program.module} {program.version} h1:" in sums
    assert f"\ntool {program.package}\n" in (program.folder / "go.mod").read_text()


@PROGRAMS
def test_program_is_built_from_its_own_module(program: GoProgram) -> None:
    """The build is reproducible, and takes no version from the command line."""
    arguments = program.build_arguments(Path("/out/program"))

    assert ["build", "-C", str(program.folder)] == arguments[:3]
    assert {"-trimpath", "-buildvcs=false"} <= set(arguments)
    assert not any("@" in argument for argument in arguments)


def test_key_of_the_cache_changes_with_each_pin(tmp_path: Path) -> None:
    """Another version, or another content of a dependency, is another entry."""
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_bytes((build.VERSITYGW.folder / name).read_bytes())
    copy = replace(build.VERSITYGW, folder=tmp_path)
    assert build.VERSITYGW.key == copy.key

    (tmp_path / "go.sum").write_text("example.com/odd v1.0.0 h1:x=\n")

    assert build.VERSITYGW.key != copy.key


def test_go_mod_without_a_version_is_an_error(tmp_path: Path) -> None:
    """Nothing is built that is not pinned."""
    (tmp_path / "go.mod").write_text("module example.invalid/x\n")

    with pytest.raises(ValueError, match="pins no version of versitygw"):
        _ = replace(build.VERSITYGW, folder=tmp_path).version


def test_store_names_what_it_keeps(tmp_path: Path) -> None:
    """Its messages and its manifests are about the S3 server, not about Pulumi."""
    said: list[str] = []
    store = Store(tmp_path, said.append, name="S3 server", version="v9")

    entry = store.add("key", "build", lambda scratch: _write(scratch / "bin" / "program"))
    (entry.bin / "program").write_text("damaged")

    assert "v9" == entry.version
    assert store.find("key") is None
    assert ["the cached S3 server is damaged"] == [text.partition(" (")[0] for text in said]


def _write(path: Path) -> None:
    path.write_text("#!/bin/sh\n")


def test_failed_build_names_a_remedy_of_its_own() -> None:
    """Whoever cannot build it is not told to install Pulumi."""
    error = explain_failure("building versitygw", "dial tcp: no such host", "leave out the tests")

    assert isinstance(error, ToolchainError)
    assert "check the network and GOPROXY, or leave out the tests" == error.remedy


def test_newest_postgresql_of_debian_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian keeps the programs of each version in a folder outside of PATH."""
    monkeypatch.setattr(postgresql, "_DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert postgresql.programs_folder() is None
    for version in ("9", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        for name in ("initdb", "postgres", "psql"):
            if (version, name) != ("17", "initdb"):
                (tmp_path / version / "bin" / name).touch()

    assert tmp_path / "15" / "bin" == postgresql.programs_folder()


def test_files_are_read_below_a_path(tmp_path: Path) -> None:
    """Keys are relative to the place; a path that does not exist has no files."""
    (tmp_path / ".pulumi" / "locks").mkdir(parents=True)
    (tmp_path / ".pulumi" / "locks" / "a.json").write_bytes(b"{}")
    (tmp_path / ".pulumi" / "meta.yaml").write_bytes(b"version: 1")

    assert {".pulumi/locks/a.json": b"{}"} == files_in(tmp_path, ".pulumi/locks/")
    assert {} == files_in(tmp_path, ".pulumi/stacks/")
