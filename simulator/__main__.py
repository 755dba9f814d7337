"""``python -m simulator``: serve all regions on one port of this machine."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from simulator.app import make_app
from simulator.clock import RealClock
from simulator.cloud import Cloud
from simulator.protocol import CuttableProtocol
from simulator.world import WorldError, load_world

DEMO_WORLD = Path(__file__).parent / "worlds" / "demo.yaml"
HOST = "127.0.0.1"
STOP_LIMIT_S = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator until a signal; return the exit code."""
    options = _parse(arguments)
    try:
        world = load_world(options.world)
        if options.check_world:
            print(f"{options.world}: {len(world.backups)} backups in {len(world.regions)} regions")
            return 0
        cloud = Cloud(world, RealClock(), options.state, options.speed)
    except WorldError as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    try:
        listener = socket.create_server((HOST, options.port))
    except OSError as error:
        print(f"simulator: {_port_fault(options.port, error)}", file=sys.stderr)
        return 2
    with listener:
        port = listener.getsockname()[1]
        asyncio.run(_serve(cloud, listener, port, options))
    cloud.close()
    return 0


class _Server(uvicorn.Server):
    """Leaves the signals to us: uvicorn raises them again after a clean stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


async def _serve(
    cloud: Cloud, listener: socket.socket, port: int, options: argparse.Namespace
) -> None:
    server = _Server(
        uvicorn.Config(
            make_app(cloud),
            http=CuttableProtocol,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=STOP_LIMIT_S,
        )
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
    serving = asyncio.ensure_future(server.serve([listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if options.port_file is not None:
        part = options.port_file.with_suffix(".part")
        part.write_text(f"{port}\n")
        part.replace(options.port_file)
    where = options.state or "memory"
    print(f"simulator ready on http://{HOST}:{port} (world {options.world}, state {where})")
    sys.stdout.flush()
    await serving


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description="Simulate CBR and IAM in all regions."
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--world", type=Path, default=DEMO_WORLD, help="what exists at first")
    parser.add_argument("--state", type=Path, help="SQLite file; default: memory")
    parser.add_argument(
        "--speed", type=_speed, default=1.0, help="copies and deletions are so many times faster"
    )
    parser.add_argument("--port-file", type=Path, help="write the port here when ready")
    parser.add_argument("--check-world", action="store_true", help="only check the world file")
    return parser.parse_args(arguments)


def _speed(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("want a number above 0")
    return value


def _port_fault(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {HOST} is taken; choose another --port, or 0 for a free one"
    return f"cannot listen on {HOST}:{port}: {os.strerror(error.errno or 0)}"


if __name__ == "__main__":
    sys.exit(main())
