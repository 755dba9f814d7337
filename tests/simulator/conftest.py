"""Shared fixtures of the simulator's own tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from simulator.testing import DEMO_WORLD, Control, InProcessSimulator, SimulatorProcess
from simulator.worlds.files import World, load_world
from tests.simulator.rig import PROJECT, SOURCE_PROJECT, Caller, connect, sign_in


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of asynchronous tests."""
    return "asyncio"


@pytest.fixture(scope="session")
def demo_world() -> World:
    """The demo world, read once."""
    return load_world(DEMO_WORLD)


@pytest.fixture
def simulator(demo_world: World) -> Iterator[InProcessSimulator]:
    """A simulator with the demo world, on a virtual clock."""
    running = InProcessSimulator(demo_world.model_copy(deep=True))
    yield running
    running.close()


@pytest.fixture(scope="session")
def shared_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """A simulator in its own process, for all tests of this one."""
    with SimulatorProcess(tmp_path_factory.mktemp("shared")) as running:
        yield running


@pytest.fixture
def process(shared_process: SimulatorProcess) -> SimulatorProcess:
    """The shared process, in its initial state. A test may end it."""
    shared_process.reset()
    return shared_process


@pytest.fixture
def control(simulator: InProcessSimulator) -> Control:
    """Control of the simulator: what happens in the cloud without us."""
    return simulator.control


@pytest.fixture
async def client(simulator: InProcessSimulator) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with connect(simulator) as client:
        yield client


@pytest.fixture
async def source(client: httpx.AsyncClient) -> Caller:
    """A caller for the source project."""
    return await sign_in(client, SOURCE_PROJECT)


@pytest.fixture
async def destination(client: httpx.AsyncClient) -> Caller:
    """A caller for the destination project."""
    return await sign_in(client, PROJECT)
