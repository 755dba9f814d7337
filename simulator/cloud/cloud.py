"""The cloud itself: everything in all regions, with one clock and one state. No HTTP here."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from simulator.cloud.clock import Clock, parse_time
from simulator.cloud.faults import Faults
from simulator.cloud.rules.checkpoints import Checkpoints
from simulator.cloud.rules.copies import Copies
from simulator.cloud.rules.copy_refusals import MB_PER_GB
from simulator.cloud.rules.deletions import Deletions
from simulator.cloud.rules.vaults import usual_settings
from simulator.cloud.specs import BackupSpec, VaultSpec, World, WorldError, made_uuid
from simulator.cloud.store import (
    LAST_NUMBERS,
    Backup,
    JournalRow,
    Meta,
    Token,
    Vault,
    content_of,
    digest_of,
    empty_store,
    open_store,
)
from simulator.cloud.throttle import Throttle

STATE_FORMAT = "5"
"""Increased whenever the tables change."""
_NOTE = insert(JournalRow)
_first_states: dict[tuple[str, float], bytes] = {}
"""The latest initial state in memory, by its world and time."""


class CloudGoneError(Exception):
    """Another cloud has replaced this one. Requests that still use it must end."""


@dataclass(frozen=True)
class Beginning:
    """The initial state of a cloud: a world, as JSON, and its speed and latency."""

    world: str
    speed: float
    latency_ms: float | None


class Cloud:
    """All regions.

    `latency_ms` replaces that of the world, which stays the same world.

    Raises:
        WorldError: the state file cannot be used, or holds the state of another world.
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        state: Path | None,
        speed: float,
        latency_ms: float | None = None,
    ) -> None:
        # As text: tests change the world and its options while the cloud runs.
        self.beginning = Beginning(world.model_dump_json(by_alias=True), speed, latency_ms)
        self.world = world
        self.clock = clock
        self.options = world.options
        self.throttle = Throttle(clock)
        self.checkpoints = Checkpoints(world.options, clock, speed)
        self.copies = Copies(world, clock, speed)
        self.deletions = Deletions(world.options, clock, speed)
        self.faults = Faults()
        self.project_regions = world.project_regions
        self.project_names = world.project_names
        # One session at a time: in memory there is one connection for all threads.
        self._lock = threading.Lock()
        self._is_gone = False
        self._state = state
        self._engine = self._open(state)
        self._last_numbers: dict[Any, int] = {}
        self._tokens: dict[str, Token] = {}
        if latency_ms is not None:
            self.options.latency_ms = latency_ms

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Use the current state. Changes are saved at the end, and dropped on an error."""
        with self._held(), self._new_session() as session:
            going_on = (self.checkpoints, self.copies, self.deletions)
            if any(each.is_due() for each in going_on):
                # Saved separately: what was due has happened, whatever the result of the work.
                with session.begin():
                    for each in going_on:
                        each.go_on(session)
            with session.begin():
                yield session

    @contextmanager
    def books(self) -> Iterator[Session]:
        """Use what does not depend on the time: tokens, faults, the journal."""
        with self._held(), self._new_session() as session, session.begin():
            yield session

    def note(self, row: dict[str, Any]) -> None:
        """Write a row of the journal."""
        with self._held(), self._engine.begin() as connection:
            connection.execute(_NOTE, row)

    def token(self, value: str) -> Token | None:
        """Return an issued token; its row is read once."""
        digest = digest_of(value)
        if digest not in self._tokens:
            with self.books() as session:
                token = session.get(Token, digest)
            if token is None:
                return None
            self._tokens[digest] = token
        return self._tokens[digest]

    def expire_tokens(self) -> None:
        """End all tokens."""
        with self.books() as session:
            session.execute(update(Token).values(expires_at=self.clock.now()))
        self._tokens.clear()

    def begin_again(self, beginning: Beginning) -> Cloud:
        """Return the cloud that replaces this one, with time, clock and state as at the start."""
        world = World.model_validate_json(beginning.world)
        with self._held():
            self._is_gone = True
            if self._state is not None:
                empty_store(self._engine)
            self._engine.dispose()
        self.clock.restart()
        return Cloud(world, self.clock, self._state, beginning.speed, beginning.latency_ms)

    def require_present(self) -> None:
        """Raise `CloudGoneError` if another cloud has replaced this one."""
        if self._is_gone:
            raise CloudGoneError

    def close(self) -> None:
        """Close the state."""
        self._engine.dispose()

    @contextmanager
    def _held(self) -> Iterator[None]:
        with self._lock:
            self.require_present()
            yield

    def _new_session(self) -> Session:
        # Rows are used after the session's end, with their values at that time.
        return Session(
            self._engine, expire_on_commit=False, info={LAST_NUMBERS: self._last_numbers}
        )

    def _open(self, state: Path | None) -> Engine:
        if state is None:
            return self._open_in_memory()
        try:
            engine = open_store(state)
        except DatabaseError as error:
            raise WorldError(f"{state}: cannot be used as a state file: {error.orig}") from error
        try:
            self._found(engine, state)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _open_in_memory(self) -> Engine:
        # Most tests begin with the same world at the same time: a copy is much faster.
        key = (self.beginning.world, self.clock.now())
        if key not in _first_states:
            _first_states.clear()
            engine = open_store(None)
            self._found(engine, None)
            _first_states[key] = content_of(engine)
            engine.dispose()
        return open_store(None, _first_states[key])

    def _found(self, engine: Engine, state: Path | None) -> None:
        facts = facts_of(self.world)
        with Session(engine) as session, session.begin():
            known = {row.key: row.value for row in session.scalars(select(Meta))}
            for key, value in facts.items():
                if known and known.get(key) != value:
                    raise WorldError(
                        f"{state}: holds the state of another {key}; give the world file that it "
                        "was made with, or another --state"
                    )
            if not known:
                session.add_all(Meta(key=key, value=value) for key, value in facts.items())
                self._populate(session)

    def _populate(self, session: Session) -> None:
        vaults = {spec.name: self._new_vault(spec) for spec in self.world.vaults}
        for sequence, spec in enumerate(self.world.backups, start=1):
            session.add(_new_backup(spec, vaults[spec.vault], sequence))
        session.add_all(vaults.values())

    def _new_vault(self, spec: VaultSpec) -> Vault:
        held_gb = sum(row.size_gb for row in self.world.backups if row.vault == spec.name)
        return Vault(
            id=spec.id,
            name=spec.name,
            region=spec.region,
            project_id=self.world.project_of(spec),
            protect_type=spec.protect_type,
            object_type=spec.object_type,
            size_gb=spec.size_gb,
            used_mb=max(spec.used_mb, held_gb * MB_PER_GB),
            status=spec.status,
            created_at=self.clock.now(),
            settings={**usual_settings(), "charging_mode": spec.charging_mode},
        )


def facts_of(world: World) -> dict[str, str]:
    """Return what a state file must agree on with the simulator that opens it."""
    described = json.dumps(world.model_dump(mode="json"), sort_keys=True)
    return {"format": STATE_FORMAT, "world": hashlib.sha256(described.encode()).hexdigest()}


def _new_backup(spec: BackupSpec, vault: Vault, sequence: int) -> Backup:
    return Backup(
        id=spec.id,
        sequence=sequence,
        name=spec.name,
        description=spec.description,
        region=vault.region,
        project_id=vault.project_id,
        vault_id=vault.id,
        checkpoint_id=made_uuid("checkpoint", spec.id),
        image_type=spec.image_type,
        status=spec.status,
        resource_id=spec.resource_id,
        resource_name=spec.resource_name,
        resource_type=spec.resource_type,
        size_gb=spec.size_gb,
        takes_mb=spec.size_gb * MB_PER_GB,
        contain_system_disk=spec.contain_system_disk,
        auto_trigger=spec.image_type == "backup",
        created_at=parse_time(spec.created_at),
        expired_at=parse_time(spec.expired_at) if spec.expired_at else None,
        copy_script=spec.copy_script.model_dump() if spec.copy_script else None,
    )
