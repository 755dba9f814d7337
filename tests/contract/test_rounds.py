"""How many sequential rounds of requests a user waits for: independent ones run in parallel.

At 200 ms a request, each round adds a fifth of a second to every preview and `up`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider

from pulumi_huaweicloud_cbr import (
    BackupReplicationProvider,
    BackupReplicationSetProvider,
    VaultReplicationProvider,
)
from pulumi_huaweicloud_cbr.api import cache
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from simulator.testing import DEMO_WORLD, InProcessSimulator
from simulator.worlds.files import World, load_world
from tests.contract.rig import BACKUP, VAULT, Rig, SimulatedClock
from tests.contract.rounds import RoundsTransport
from tests.contract.test_set import MANUAL, THREE
from tests.contract.test_signing_in import fetch_token
from tests.contract.test_vault import SOURCE_VAULT

pytestmark = pytest.mark.simulator_only

SOURCE_PROJECT = "c6cb0876eaee4f5092d0fdf4c4fc09b3"
DESTINATION_PROJECT = "863129926600475a959e8f2efb991722"
PROJECTS = {
    "source_project_id": SOURCE_PROJECT,
    "destination_project_id": DESTINATION_PROJECT,
}
TO = {"destination_region": "cn-east-3", "destination_vault_id": VAULT}
ONE = {"backup_id": BACKUP, **TO}
SET = {"backups": {**THREE, "manual": MANUAL}, **TO}
WHOLE_VAULT = {"vault_id": SOURCE_VAULT, **TO}
UNLISTED = "xx-private-1"
# The first look-up of a backup does not wait for others; those are read from one list.
SOURCE = ["ListBackups", "ShowBackup", "ShowReplicationCapabilities"]

Open = Callable[[ResourceProvider], tuple[Rig, RoundsTransport]]


@pytest.fixture
def open_rounds(
    simulator: InProcessSimulator, configuration: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """Open a provider in its own process, whose requests are answered in rounds."""
    yield from opening(simulator, configuration, monkeypatch)


@pytest.fixture
def open_unlisted(configuration: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Do the same in a cloud with a region that the vendor's table lacks."""
    described = load_world(DEMO_WORLD).model_dump_json(by_alias=True)
    world = World.model_validate_json(described.replace("cn-east-3", UNLISTED))
    simulator = InProcessSimulator(world)
    yield from opening(simulator, configuration, monkeypatch)
    simulator.close()


def opening(
    simulator: InProcessSimulator, configuration: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """Yield a factory of providers, and close their connections at the end."""
    # Rounds begin when nothing else runs. They would not notice a wait by the machine's clock.
    monkeypatch.setattr(cache, "GATHER_S", 0)
    sessions = []

    def opened(provider: ResourceProvider) -> tuple[Rig, RoundsTransport]:
        transport = RoundsTransport(simulator)
        sessions.append(
            Session(
                Settings.load(configuration.get, {}),
                transport=transport,
                clock=SimulatedClock(simulator),
            )
        )
        use_session(sessions[-1])
        provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
        return Rig(provider, simulator.control, sessions[-1]), transport

    yield opened
    for session in sessions:
        session.close()


@pytest.fixture
def tokens(simulator: InProcessSimulator, configuration: dict[str, str]) -> None:
    """Sign in with given tokens: no sign-in request is needed."""
    given = {
        project: fetch_token(simulator, region, project)
        for region, project in (
            ("cn-north-4", SOURCE_PROJECT),
            ("cn-east-3", DESTINATION_PROJECT),
        )
    }
    for key in ("userName", "password", "domainName"):
        del configuration[f"huaweicloud:{key}"]
    vars_of: dict[str, Any] = configuration
    vars_of["huaweicloud:tokens"] = given


@pytest.mark.parametrize("given", [{}, PROJECTS], ids=["looked-up", "given"])
def test_preflight_of_a_set_asks_while_signing_in(open_rounds: Open, given: dict[str, str]) -> None:
    """One sign-in verifies the password. Then all is asked in parallel but the vault there.

    That one needs a sign-in to the other region, which runs in parallel with the source.
    """
    rig, transport = open_rounds(BackupReplicationSetProvider())

    assert [] == rig.faults({**SET, **given})
    assert [["CreateToken"], sorted(["CreateToken", *SOURCE]), ["ShowVault"]] == transport.rounds


@pytest.mark.usefixtures("tokens")
def test_preflight_of_a_set_is_one_round_with_tokens_and_projects(
    open_rounds: Open,
) -> None:
    """With tokens and projects given, source and destination are asked in parallel."""
    rig, transport = open_rounds(BackupReplicationSetProvider())

    assert [] == rig.faults({**SET, **PROJECTS})
    assert [sorted([*SOURCE, "ShowVault"])] == transport.rounds


@pytest.mark.usefixtures("tokens")
def test_preflight_of_one_is_one_round_too(open_rounds: Open) -> None:
    """A single replication asks like a set."""
    rig, transport = open_rounds(BackupReplicationProvider())

    assert [] == rig.faults({**ONE, **PROJECTS})
    assert [["ShowBackup", "ShowReplicationCapabilities", "ShowVault"]] == transport.rounds


def test_create_after_its_preflight_only_submits(open_rounds: Open) -> None:
    """Answers of preflight are not requested again, and all members are submitted in parallel."""
    rig, transport = open_rounds(BackupReplicationSetProvider())
    checked = rig.provider.check({}, SET)
    transport.rounds.clear()

    rig.provider.create(checked.inputs)

    assert [["CopyBackup"] * len(SET["backups"])] == transport.rounds


def test_preview_without_changes_is_a_sign_in_and_a_list(open_rounds: Open) -> None:
    """A preview polls all running copies in one round, however many there are."""
    rig, _ = open_rounds(BackupReplicationSetProvider())
    rig.create(SET)
    later, transport = open_rounds(BackupReplicationSetProvider())
    later.id, later.inputs, later.outputs = rig.id, rig.inputs, rig.outputs

    assert not later.diff(SET).changes
    assert [["CreateToken"], ["ListBackups", "ShowBackup"]] == transport.rounds


def test_preview_of_ended_copies_asks_nothing(open_rounds: Open) -> None:
    """A set whose copies have ended is compared with its state only."""
    rig, _ = open_rounds(BackupReplicationSetProvider())
    rig.create(SET)
    rig.finish_copies()
    rig.refresh()
    later, transport = open_rounds(BackupReplicationSetProvider())
    later.id, later.inputs, later.outputs = rig.id, rig.inputs, rig.outputs

    assert not later.diff(SET).changes
    assert [] == transport.rounds


def test_preflight_of_a_whole_vault_signs_in_while_asking_the_source(open_rounds: Open) -> None:
    """The vault's backups are listed as soon as its kind and destination are known."""
    rig, transport = open_rounds(VaultReplicationProvider())

    assert [] == rig.faults(WHOLE_VAULT)
    assert [
        ["CreateToken"],
        ["CreateToken", "ShowReplicationCapabilities", "ShowVault"],
        ["ListBackups", "ShowVault"],
    ] == transport.rounds


@pytest.mark.parametrize(
    ("provider", "program", "source", "destination"),
    [
        pytest.param(BackupReplicationSetProvider(), SET, SOURCE, ["ShowVault"], id="set"),
        pytest.param(
            VaultReplicationProvider(),
            WHOLE_VAULT,
            ["ShowReplicationCapabilities", "ShowVault"],
            ["ListBackups", "ShowVault"],
            id="vault",
        ),
    ],
)
def test_unknown_region_is_asked_only_after_cbr_names_it(
    open_unlisted: Open,
    provider: ResourceProvider,
    program: dict[str, Any],
    source: list[str],
    destination: list[str],
) -> None:
    """No password is sent to a region that may not exist before the source has named it."""
    rig, transport = open_unlisted(provider)

    assert [] == rig.faults({**program, "destination_region": UNLISTED})
    assert [["CreateToken"], source, ["CreateToken"], destination] == transport.rounds
