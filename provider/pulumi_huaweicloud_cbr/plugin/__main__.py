"""``python -m pulumi_huaweicloud_cbr.plugin``: serve the engine that started this process.

With ``--install DIRECTORY`` it writes the executable that ``Pulumi.yaml`` names, and says how.
"""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pulumi_huaweicloud_cbr.plugin.leftover_hosts import end_language_hosts

WORKERS = 1024
"""Far above any `--parallel`: the engine's own limit is the one that counts. Threads start on
demand."""
MESSAGE_BYTES = 400 * 1024 * 1024
"""As much as the engine itself accepts in one message."""
LOOK_AT_PARENT_S = 0.5
LAST_CALLS_S = 5.0

NAME = "pulumi-resource-pulumi-python"
"""The name by which the engine finds the executable. The file to install is beside this module."""


def main(arguments: list[str]) -> int:
    """Serve until the engine stops this process or goes away; return the exit code."""
    if arguments[:1] == ["--install"]:
        return _install(Path(arguments[1] if len(arguments) > 1 else "plugin"))
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    import grpc  # type: ignore[import-untyped]
    from pulumi.runtime.proto import provider_pb2_grpc

    from pulumi_huaweicloud_cbr.engine.output.messages import use_engine
    from pulumi_huaweicloud_cbr.plugin.servicer import DynamicResourceServicer

    use_engine(arguments[0])
    servicer = DynamicResourceServicer()
    server = grpc.server(
        ThreadPoolExecutor(max_workers=WORKERS),
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
            ("grpc.max_send_message_length", MESSAGE_BYTES),
        ],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    parent = os.getppid()
    # Imported modules stay for good. So the garbage collector need not scan them again and again
    # while the first operation imports the rest.
    gc.freeze()
    server.start()
    print(port, flush=True)
    while not stopped.wait(LOOK_AT_PARENT_S):
        if os.getppid() != parent:
            end_language_hosts(arguments[0])
            break
    servicer.Cancel(None, None)
    servicer.wait_until_idle(LAST_CALLS_S)
    # Worker threads may still wait for an answer that nobody will read any more.
    os._exit(0)


def _install(directory: Path) -> int:
    path = directory / NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Path(__file__).with_name(NAME).read_bytes())
        path.chmod(0o755)
    except OSError as error:
        print(f"error: writing {str(path)!r}: {error.strerror}", file=sys.stderr)
        return 1
    # The output may lack characters of the path, so they are escaped: YAML accepts JSON's escapes.
    shown = directory.as_posix() if directory.is_absolute() else f"./{directory.as_posix()}"
    if not re.fullmatch(r"[\w./-]+", shown, re.ASCII):
        shown = json.dumps(shown)
    print(f"Wrote {ascii(str(path))[1:-1]}. Add to Pulumi.yaml:")
    print(f"plugins: {{providers: [{{name: pulumi-python, path: {shown}}}]}}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
