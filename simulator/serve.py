"""Serve all regions on one port of this machine; ``python -m simulator`` runs this."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import gc
import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from simulator.cloud.clock import RealClock
from simulator.cloud.cloud import Cloud
from simulator.cloud.specs import LONGEST_LATENCY_MS
from simulator.http.app import make_app
from simulator.http.gateway import Gateway
from simulator.http.protocol import CuttableProtocol
from simulator.worlds.files import World, WorldError, load_world

DEMO_WORLD = Path(__file__).parent / "worlds" / "demo.yaml"
HOST = "127.0.0.1"
STOP_LIMIT_S = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator until a signal. Return the exit code: 2 if it could not start."""
    options = _parse(arguments)
    try:
        world = load_world(options.world)
        if options.check_world:
            print(f"{options.world}: {len(world.backups)} backups in {len(world.regions)} regions")
            return 0
        return _run(world, options)
    except WorldError as error:
        for line in str(error).splitlines():
            print(f"simulator: {line}", file=sys.stderr)
    except OSError as error:
        print(f"simulator: {_port_fault(options.port, error)}", file=sys.stderr)
    return 2


def _run(world: World, options: argparse.Namespace) -> int:
    with (
        # Closed at the end: by then another cloud may have replaced the first.
        contextlib.closing(make_app(_first_cloud(world, options))) as app,
        socket.create_server((HOST, options.port)) as listener,
    ):
        # An answer's head and body are written one after the other. The second must not wait some
        # 40 ms until the first is acknowledged. Accepted connections inherit the option.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port = listener.getsockname()[1]

        def announce() -> None:
            if options.port_file is not None:
                part = options.port_file.with_suffix(".part")
                part.write_text(f"{port}\n")
                part.replace(options.port_file)
            state = options.state or "memory"
            gc.freeze()  # Current objects stay: garbage collections need not check them each time.
            print(
                f"simulator ready on http://{HOST}:{port} (world {options.world}, state {state})",
                flush=True,
            )

        asyncio.run(_serve(app, listener, announce))
    return 0


def _first_cloud(world: World, options: argparse.Namespace) -> Cloud:
    return Cloud(world, RealClock(), options.state, options.speed, options.latency_ms)


class _Server(uvicorn.Server):
    """Reports when it is ready, and leaves signals to us: uvicorn would raise them again."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and report it."""
        await super().startup(sockets)
        self._announce()


async def _serve(app: Gateway, listener: socket.socket, announce: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app,
        http=CuttableProtocol,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=STOP_LIMIT_S,
    )
    server = _Server(config, announce)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
    await server.serve([listener])


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description="Simulate CBR and IAM in all regions."
    )
    parser.add_argument(
        "--port", type=_port, default=0, help="port on 127.0.0.1; 0 takes a free one"
    )
    parser.add_argument("--world", type=Path, default=DEMO_WORLD, help="what exists at first")
    parser.add_argument("--state", type=Path, help="SQLite file; default: memory")
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        help="copies, backups and deletions go so many times faster",
    )
    parser.add_argument(
        "--latency-ms",
        type=_latency,
        help="each API call takes that much longer; default: the world's",
    )
    parser.add_argument("--port-file", type=_new_file, help="write the port here when ready")
    parser.add_argument("--check-world", action="store_true", help="only check the world file")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"want a number from 0 to 65535, got {text!r}")
    return int(text)


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"want a number above 0, got {text!r}")
    return value


def _latency(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= LONGEST_LATENCY_MS:
        raise argparse.ArgumentTypeError(
            f"want a number from 0 to {LONGEST_LATENCY_MS}, got {text!r}"
        )
    return value


def _new_file(text: str) -> Path:
    path = Path(text)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"want a file in a folder that exists, got {text!r}")
    return path


def _port_fault(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {HOST} is taken; choose another --port, or 0 for a free one"
    return f"cannot listen on {HOST}:{port}: {os.strerror(error.errno or 0)}"
