"""The S3 server: a build of the Go module pinned in `versitygw/`."""

from __future__ import annotations

from pathlib import Path

from tools.toolchain.module import GoProgram

VERSITYGW = GoProgram(
    name="versitygw",
    title="S3 server",
    folder=Path(__file__).parent / "versitygw",
    module="github.com/versity/versitygw",
    package="github.com/versity/versitygw/cmd/versitygw",
    family="state-servers",
    otherwise="leave out the tests that need it",
)
