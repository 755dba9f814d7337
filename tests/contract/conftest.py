"""Client and provider against the simulator in this process, on its virtual clock.

Each test or its module has a provenance mark: `real_validated`, `simulator_only` or `unverified`.
The simulator can only confirm what its author assumed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from pulumi_huaweicloud_cbr import BackupReplicationProvider
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.ownership.state import use_export
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from simulator.testing import Control, InProcessSimulator
from tests.contract.engine import Engine
from tests.contract.owned import declared
from tests.contract.rig import LONG_S, PASSWORD, Rig, SimulatedClock

PROVENANCE = {"real_validated", "simulator_only", "unverified"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests here, and refuse a test without a provenance mark."""
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.contract)
        # A test's own mark takes precedence over that of its module.
        if not any(mark.name in PROVENANCE for mark in item.iter_markers()):
            raise pytest.UsageError(f"{item.nodeid}: want a mark of {sorted(PROVENANCE)}")


@pytest.fixture(autouse=True)
def state_without_others() -> None:
    """Let no other resource have anything, as far as the stack's state tells."""
    use_export(lambda _urn, _: b'{"deployment": {"resources": []}}')


@pytest.fixture
def simulator() -> Iterator[InProcessSimulator]:
    """A simulator with the demo world."""
    running = InProcessSimulator()
    yield running
    running.close()


@pytest.fixture
def control(simulator: InProcessSimulator) -> Control:
    """Control of the simulator: what happens in the cloud without us."""
    return simulator.control


@pytest.fixture
def configuration(simulator: InProcessSimulator) -> dict[str, str]:
    """The stack's configuration, as the engine passes it to a provider."""
    address = f"{simulator.url}/regions/{{region}}"
    return {
        "huaweicloud:region": "cn-north-4",
        "huaweicloud:userName": "ops-replicator",
        "huaweicloud:password": PASSWORD,
        "huaweicloud:domainName": "acme-cloud",
        "huaweicloud:endpoints": json.dumps({"cbr": address, "iam": address}),
    }


@pytest.fixture
def access_key(configuration: dict[str, str]) -> None:
    """Sign with an access key. Projects are then looked up; a sign-in would have returned them."""
    for key in ("userName", "password", "domainName"):
        del configuration[f"huaweicloud:{key}"]
    configuration["huaweicloud:accessKey"] = "DEMOACCESSKEY0000001"
    configuration["huaweicloud:secretKey"] = "not-a-secret-demo-key"


@pytest.fixture
def session(simulator: InProcessSimulator, configuration: dict[str, str]) -> Iterator[Session]:
    """The session that providers and functions use, connected to the simulator."""
    session = Session(
        Settings.load(configuration.get, {}),
        transport=simulator.transport(),
        clock=SimulatedClock(simulator),
    )
    use_session(session)
    yield session
    session.close()


@pytest.fixture
def engine(session: Session, configuration: dict[str, str]) -> Engine:
    """An engine with an empty stack."""
    return Engine(session, configuration)


@pytest.fixture
def settled(engine: Engine, control: Control, form: str) -> Engine:
    """A stack with one resource, whose copies have ended and were observed."""
    engine.up(declared(form))
    control.advance(LONG_S)
    engine.refresh()
    return engine


@pytest.fixture
def rig(simulator: InProcessSimulator, session: Session, configuration: dict[str, str]) -> Rig:
    """A provider, called as the engine calls it."""
    provider = BackupReplicationProvider()
    provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    return Rig(provider, simulator.control, session)
