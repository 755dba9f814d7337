"""The toolchain: what is used, redone or refused. No network, fake builders."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.toolchain import pins
from tools.toolchain.build import PROGRAMS, build_arguments
from tools.toolchain.errors import ToolchainError
from tools.toolchain.go import explain_failure, go_environment
from tools.toolchain.path_cli import PathCli, find_on_path
from tools.toolchain.provision import Sources, Toolchain, link, provision
from tools.toolchain.release import ReleaseUnavailableError, install_release
from tools.toolchain.store import MANIFEST, Store, default_store_root

LINUX = pins.Platform("linux", "x64")
CHECKOUT = Path(__file__).resolve().parents[3]


class Builder:
    """A source that writes small files and counts its requests."""

    def __init__(self, content: str = "made") -> None:
        self.content = content
        self.runs = 0

    def __call__(self, scratch: Path) -> None:
        self.runs += 1
        for name in pins.FILES:
            (scratch / "bin" / name).write_text(f"{self.content} {name}")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, said: list[str]) -> Store:
    return Store(tmp_path / "store", said.append)


def make_executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def sources(
    *,
    on_path: PathCli | None = None,
    release: Callable[[Path], None] | None = None,
    build: Callable[[Path], None] | None = None,
) -> Sources:
    def unreachable(_scratch: Path) -> None:
        raise ReleaseUnavailableError("no answer within 8 s")

    return Sources(
        find_on_path=lambda: (on_path, "there is no `pulumi` on PATH"),
        release=release or unreachable,
        build=build or Builder(),
    )


# ---- the store --------------------------------------------------------------------------------


def test_store_second_use_builds_nothing(store: Store) -> None:
    builder = Builder()
    first = store.add("key", "build", builder)
    second = store.add("key", "build", builder)

    assert builder.runs == 1
    assert first == second == store.find("key")


def test_store_entry_holds_executables(store: Store) -> None:
    entry = store.add("key", "build", Builder())

    assert all(os.access(entry.bin / name, os.X_OK) for name in pins.FILES)


def test_store_failed_fill_leaves_nothing(store: Store, tmp_path: Path) -> None:
    def breaks(scratch: Path) -> None:
        (scratch / "bin" / pins.CLI).write_text("half")
        raise ToolchainError("the disk is full", "free some space")

    with pytest.raises(ToolchainError):
        store.add("key", "build", breaks)

    assert store.find("key") is None
    assert [".lock"] == [path.name for path in (tmp_path / "store").iterdir()]


def test_store_killed_fill_is_redone_and_its_scratch_removed(store: Store, tmp_path: Path) -> None:
    """A process that is killed during a build leaves no entry, and its lock is released."""
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from tools.toolchain.store import Store

        def fill(scratch):
            (scratch / "bin" / "pulumi").write_text("half")
            print("started", flush=True)
            time.sleep(600)

        Store(Path(sys.argv[1]), print).add("key", "build", fill)
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "store")],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGKILL)
    builder = Builder()
    store.add("key", "build", builder)

    assert builder.runs == 1
    assert ["key"] == [p.name for p in (tmp_path / "store").iterdir() if p.name != ".lock"]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda root: (root / "bin" / pins.CLI).write_text("short"), id="truncated"),
        pytest.param(
            lambda root: (root / "bin" / pins.CLI).write_text(f"mode {pins.CLI}"), id="same-size"
        ),
        pytest.param(lambda root: (root / "bin" / pins.EXEC_SCRIPT).unlink(), id="file-missing"),
        pytest.param(lambda root: (root / "bin" / pins.CLI).chmod(0o644), id="not-executable"),
        pytest.param(lambda root: (root / MANIFEST).unlink(), id="manifest-missing"),
        pytest.param(lambda root: (root / MANIFEST).write_text("[]"), id="manifest-other-type"),
        pytest.param(lambda root: (root / MANIFEST).write_text("{"), id="manifest-torn"),
        pytest.param(
            lambda root: (root / MANIFEST).write_text('{"format": 0, "files": {}}'), id="old"
        ),
    ],
)
def test_store_damaged_entry_is_noticed_and_redone(
    store: Store, said: list[str], damage: Callable[[Path], object]
) -> None:
    entry = store.add("key", "build", Builder())
    damage(entry.root)
    builder = Builder("again")

    assert store.find("key") is None
    assert "damaged" in said[-1]
    assert store.add("key", "build", builder).bin.joinpath(pins.CLI).read_text() == "again pulumi"
    assert builder.runs == 1


def test_store_waits_for_another_builder_and_uses_its_result(
    store: Store, said: list[str], tmp_path: Path
) -> None:
    first = Store(tmp_path / "store", lambda _text: None)
    building, go_on = threading.Event(), threading.Event()
    builder = Builder()

    def slow(scratch: Path) -> None:
        builder(scratch)
        building.set()
        assert go_on.wait(60)

    threads = [threading.Thread(target=first.add, args=("key", "build", slow))]
    threads[0].start()
    assert building.wait(60)
    late = Builder("late")
    threads.append(threading.Thread(target=store.add, args=("key", "build", late)))
    threads[1].start()
    deadline = time.monotonic() + 60
    while not said and time.monotonic() < deadline:
        time.sleep(0.01)
    go_on.set()
    for thread in threads:
        thread.join(60)

    assert ["another run is preparing the Pulumi toolchain; waiting for it"] == said
    assert builder.runs == 1
    assert late.runs == 0


def test_store_lock_is_not_inherited_by_children(store: Store, tmp_path: Path) -> None:
    """A compiler that outlives its killed parent does not block others."""

    def fill(scratch: Path) -> None:
        Builder()(scratch)
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
            descriptors = Path(f"/proc/{child.pid}/fd")
            if descriptors.exists():
                names = [str(fd.readlink()) for fd in descriptors.iterdir()]
                assert str(tmp_path / "store" / ".lock") not in names
            child.communicate(b"\n")

    store.add("key", "build", fill)

    with (tmp_path / "store" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_store_unwritable_root_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "store", lambda _text: None)

    with pytest.raises(ToolchainError, match="XDG_CACHE_HOME"):
        store.add("key", "build", Builder())


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c", id="xdg"),
        pytest.param({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache", id="relative-xdg"),
        pytest.param({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache", id="empty-xdg"),
        pytest.param({"HOME": "/h"}, "/h/.cache", id="home"),
    ],
)
def test_default_store_root_follows_the_environment(environ: dict[str, str], expected: str) -> None:
    assert Path(expected, "pulumi-huaweicloud-cbr", "toolchain") == default_store_root(environ)


def test_default_store_root_needs_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)

    assert default_store_root({}).is_absolute()


# ---- the key ----------------------------------------------------------------------------------


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    for name in pins.PINNED_FILES:
        path = tmp_path / "modules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "modules"


@pytest.mark.parametrize("name", pins.PINNED_FILES)
def test_key_changes_when_a_pin_changes(modules: Path, name: str) -> None:
    before = pins.toolchain_key("build", LINUX, modules)
    (modules / name).write_text("another version")

    assert before != pins.toolchain_key("build", LINUX, modules)


def test_key_distinguishes_sources_and_platforms(modules: Path) -> None:
    keys = {
        pins.toolchain_key(source, target, modules)
        for source in ("build", "release")
        for target in (LINUX, pins.Platform("darwin", "arm64"))
    }

    assert len(keys) == 4


def test_pins_agree_with_the_go_modules() -> None:
    """The versions in Python are those that the committed go.mod files select."""
    cli = (pins.MODULES_ROOT / "cli" / "go.mod").read_text()
    host = (pins.MODULES_ROOT / "language-host" / "go.mod").read_text()

    assert f"github.com/pulumi/pulumi/pkg/v3 {pins.CLI_VERSION} " in cli
    assert f"github.com/pulumi/pulumi/sdk/v3 {pins.CLI_VERSION} " in cli
    assert f"github.com/pulumi/pulumi/sdk/v3 {pins.LANGUAGE_HOST_VERSION} " in host
    assert f"\ngo {'.'.join(map(str, pins.OLDEST_GO_VERSION))}\n" in cli


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v3.255.0\n", (3, 255, 0)),
        ("3.201.0-alpha.1+dirty", (3, 201, 0)),
        ("go1.26", (1, 26, 0)),
        ("go1.25.11", (1, 25, 11)),
        ("", None),
        ("devel", None),
        ("v3", None),
    ],
)
def test_parse_version_reads_numbers(text: str, expected: tuple[int, int, int] | None) -> None:
    assert expected == pins.parse_version(text)


# ---- Pulumi on PATH ---------------------------------------------------------------------------


@pytest.fixture
def user_bin(tmp_path: Path) -> Path:
    for name in pins.FILES:
        make_executable(tmp_path / "user" / name)
    return tmp_path / "user"


def test_path_cli_recent_is_used_unchanged(user_bin: Path, tmp_path: Path) -> None:
    found, _reason = find_on_path(str(user_bin), tmp_path / "own", lambda _cli: "v3.200.0")

    assert found == PathCli("v3.200.0", {name: user_bin / name for name in pins.FILES})


@pytest.mark.parametrize(
    ("reported", "reason"),
    [
        ("v3.199.9", "older than v3.200.0"),
        ("", "does not say"),
        ("v2.300.0", "older than v3.200.0"),
    ],
)
def test_path_cli_unfit_is_refused(
    user_bin: Path, tmp_path: Path, reported: str, reason: str
) -> None:
    found, why = find_on_path(str(user_bin), tmp_path / "own", lambda _cli: reported)

    assert found is None
    assert reason in why


def test_path_cli_language_host_elsewhere_on_path_is_found(user_bin: Path, tmp_path: Path) -> None:
    for name in pins.FILES[1:]:
        (user_bin / name).rename(make_executable(tmp_path / "hosts" / name))
    search = os.pathsep.join([str(user_bin), str(tmp_path / "hosts")])
    found, _reason = find_on_path(search, tmp_path / "own", lambda _cli: "v3.255.0")

    assert found is not None
    assert tmp_path / "hosts" / pins.LANGUAGE_HOST == found.files[pins.LANGUAGE_HOST]


def test_path_cli_behind_a_link_has_its_host_beside_the_target(
    user_bin: Path, tmp_path: Path
) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / pins.CLI).symlink_to(user_bin / pins.CLI)
    found, _reason = find_on_path(
        str(tmp_path / "links"), tmp_path / "own", lambda _cli: "v3.255.0"
    )

    assert found is not None
    assert tmp_path / "links" / pins.CLI == found.files[pins.CLI]
    assert user_bin / pins.LANGUAGE_HOST == found.files[pins.LANGUAGE_HOST]


def test_path_cli_lacking_its_language_host_is_refused(user_bin: Path, tmp_path: Path) -> None:
    (user_bin / pins.LANGUAGE_HOST).unlink()
    found, why = find_on_path(str(user_bin), tmp_path / "own", lambda _cli: "v3.255.0")

    assert found is None
    assert "without pulumi-language-python" in why


def test_path_cli_own_links_do_not_count(user_bin: Path) -> None:
    found, why = find_on_path(str(user_bin), user_bin, lambda _cli: "v3.255.0")

    assert found is None
    assert "no `pulumi` on PATH" in why


# ---- the release ------------------------------------------------------------------------------

ARCHIVE = f"pulumi-{pins.CLI_VERSION}-linux-x64.tar.gz"


def make_archive(names: tuple[str, ...] = pins.FILES) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in (*(f"pulumi/{name}" for name in names), "pulumi/other", "../escaped"):
            content = name.encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def fake_fetch(archive: bytes, digest: str | None = None) -> Callable[[str, Path, float], None]:
    listing = f"{'0' * 64}  other.zip\n{digest or hashlib.sha256(archive).hexdigest()}  {ARCHIVE}\n"

    def fetch(url: str, destination: Path, _timeout_s: float) -> None:
        destination.write_bytes(listing.encode() if url.endswith(".txt") else archive)

    return fetch


def test_release_is_verified_and_only_our_files_unpacked(store: Store, tmp_path: Path) -> None:
    def fill(scratch: Path) -> None:
        install_release(scratch, LINUX, lambda _text: None, fake_fetch(make_archive()))

    entry = store.add("key", "release", fill)

    assert sorted(pins.FILES) == sorted(path.name for path in entry.bin.iterdir())
    assert ["bin", MANIFEST] == sorted(path.name for path in entry.root.iterdir())
    assert not list(tmp_path.rglob("escaped"))


def test_release_of_another_checksum_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    fetch = fake_fetch(make_archive(), digest="a" * 64)

    with pytest.raises(ToolchainError, match=r"checksum file says a{64}"):
        install_release(tmp_path, LINUX, lambda _text: None, fetch)
    assert not list((tmp_path / "bin").iterdir())


def test_release_lacking_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()

    with pytest.raises(ToolchainError, match="has no pulumi-resource-pulumi-python"):
        install_release(tmp_path, LINUX, lambda _: None, fake_fetch(make_archive(pins.FILES[:-1])))


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (urllib.error.URLError(OSError(111, "Connection refused")), "Connection refused"),
        (TimeoutError("timed out"), "timed out"),
    ],
)
def test_release_out_of_reach_falls_back_to_another_source(
    tmp_path: Path, failure: OSError, reason: str
) -> None:
    def fetch(_url: str, _destination: Path, _timeout_s: float) -> None:
        raise failure

    with pytest.raises(ReleaseUnavailableError, match=reason):
        install_release(tmp_path, LINUX, lambda _text: None, fetch)


def test_release_without_checksum_is_not_used(tmp_path: Path) -> None:
    asked: list[str] = []

    def fetch(url: str, destination: Path, _timeout_s: float) -> None:
        asked.append(url)
        destination.write_text("not a checksum file")

    with pytest.raises(ReleaseUnavailableError, match="does not name"):
        install_release(tmp_path, LINUX, lambda _text: None, fetch)
    assert len(asked) == 1


# ---- the build --------------------------------------------------------------------------------


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_build_arguments_pin_version_and_modules(program: object) -> None:
    arguments = build_arguments(program, Path("/out"))  # type: ignore[arg-type] # parametrized

    assert arguments[:2] == ["build", "-C"]
    assert (Path(arguments[2]) / "go.sum").is_file()
    assert "-trimpath" in arguments


def test_go_environment_overrides_what_affects_a_build() -> None:
    bent = {
        "HOME": "/h",
        "GOFLAGS": "-mod=mod",
        "GOTOOLCHAIN": "auto",
        "GOPROXY": "https://p.invalid",
    }
    environ = go_environment(bent)

    assert environ["GOFLAGS"] == "-mod=readonly"
    assert environ["GOTOOLCHAIN"] == "local"
    assert environ["GOPROXY"] == "https://p.invalid"


def test_go_environment_has_a_home_when_none_is_set() -> None:
    assert Path(go_environment({})["HOME"]).is_absolute()


@pytest.mark.parametrize(
    ("output", "problem", "remedy"),
    [
        ("write x: no space left on device", "disk is full", "GOMODCACHE"),
        ("dial tcp: lookup p: no such host", "cannot be reached", "GOPROXY"),
        ("verifying x: checksum mismatch\n dial tcp", "not the one pinned", "do not trust"),
        ("undefined: thing", "undefined: thing", "on PATH"),
    ],
)
def test_explain_failure_names_cause_and_remedy(output: str, problem: str, remedy: str) -> None:
    error = explain_failure("building pulumi", output)

    assert problem in error.problem
    assert remedy in error.remedy


# ---- choosing ---------------------------------------------------------------------------------


def test_provision_auto_takes_path_first(store: Store, user_bin: Path, said: list[str]) -> None:
    on_path = PathCli("v3.300.0", {name: user_bin / name for name in pins.FILES})
    builder = Builder()
    toolchain = provision(
        "auto", store, sources(on_path=on_path, build=builder), LINUX, said.append
    )

    assert Toolchain("on PATH", "v3.300.0", on_path.files) == toolchain
    assert builder.runs == 0


def test_provision_auto_prefers_the_release_to_a_build(store: Store, said: list[str]) -> None:
    release, build = Builder(), Builder()
    provision("auto", store, sources(release=release, build=build), LINUX, said.append)

    assert (release.runs, build.runs) == (1, 0)


def test_provision_auto_builds_when_the_release_is_out_of_reach(
    store: Store, said: list[str]
) -> None:
    build = Builder()
    toolchain = provision("auto", store, sources(build=build), LINUX, said.append)

    assert build.runs == 1
    assert toolchain.origin == "built from its Go modules"
    assert "no answer within 8 s" in said[0]


def test_provision_auto_asks_no_network_once_built(store: Store, said: list[str]) -> None:
    release, build = Builder(), Builder()
    provision("build", store, sources(build=build), LINUX, said.append)
    provision("auto", store, sources(release=release, build=build), LINUX, said.append)

    assert (release.runs, build.runs) == (0, 1)


def test_provision_forced_build_ignores_path_and_release(
    store: Store, user_bin: Path, said: list[str]
) -> None:
    on_path = PathCli("v3.300.0", {name: user_bin / name for name in pins.FILES})
    release, build = Builder(), Builder()
    chosen = sources(on_path=on_path, release=release, build=build)
    provision("build", store, chosen, LINUX, said.append)

    assert (release.runs, build.runs) == (0, 1)


def test_provision_refused_release_is_not_replaced_by_a_build(
    store: Store, said: list[str]
) -> None:
    """A wrong checksum stops everything: it must be investigated."""

    def tampered(scratch: Path) -> None:
        fetch = fake_fetch(make_archive(), digest="a" * 64)
        install_release(scratch, LINUX, lambda _text: None, fetch)

    build = Builder()
    with pytest.raises(ToolchainError, match="checksum file"):
        provision("auto", store, sources(release=tampered, build=build), LINUX, said.append)
    assert build.runs == 0


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ("path", "no `pulumi` on PATH"),
        ("release", "cannot be had: no answer"),
        ("newest", "'newest'"),
    ],
)
def test_provision_forced_source_that_fails_is_an_error(
    store: Store, said: list[str], wanted: str, problem: str
) -> None:
    with pytest.raises(ToolchainError, match=problem):
        provision(wanted, store, sources(), LINUX, said.append)


def test_link_replaces_what_was_there(store: Store, said: list[str], tmp_path: Path) -> None:
    own = tmp_path / "checkout" / ".toolchain" / "bin"
    own.mkdir(parents=True)
    (own / "stray").write_text("")
    (own / pins.CLI).symlink_to(tmp_path / "gone")
    toolchain = provision("build", store, sources(), LINUX, said.append)
    link(toolchain, own)
    link(toolchain, own)

    assert sorted(pins.FILES) == sorted(path.name for path in own.iterdir())
    assert (own / pins.CLI).read_text() == "made pulumi"
