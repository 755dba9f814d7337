"""Places for states on the backends that a team can use, and the set that the tests keep there."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.e2e.driver import Project
from tests.e2e.programs import BACKUP, VAULT
from tools.state_servers.places import Place, folder_place
from tools.state_servers.postgresql import PostgresServer, programs_folder
from tools.state_servers.running import Server
from tools.state_servers.s3 import S3Server, is_provided

BACKENDS = ("file", "postgresql", "s3")
SHARED = ("postgresql", "s3")
"""Those that other machines can reach."""
WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
PROD_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
SOUTH = {
    "destination_region": "cn-south-1",
    "destination_vault_id": "d5e6f708-192a-43b4-85d6-e7f8091a2b3c",
}
EAST = {"destination_region": "cn-east-3", "destination_vault_id": VAULT}
ALL_FORMS: dict[str, dict[str, Any]] = {
    "single": {"backup_id": BACKUP, **SOUTH},
    "set": {"backups": {"web-1": WEB_1, "web-2": WEB_2}, **SOUTH},
    "vault": {"vault_id": PROD_VAULT, **EAST},
}
"""A replication of each form, for the program `REPLICATIONS`."""


class Places:
    """New places on each backend; a server is started at its first use, and ended at the end."""

    def __init__(self) -> None:
        self._started = ExitStack()
        self._servers: dict[str, Server] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._started.close()

    def new(self, backend: str) -> Place:
        """Return an empty place on a backend; skip the test if the machine has no such server."""
        if backend == "file":
            folder = tempfile.TemporaryDirectory(prefix="states-")
            return folder_place(Path(self._started.enter_context(folder)))
        return self._server(backend).new_place()

    def restricted_database(self) -> Place:
        """Return a place on PostgreSQL for a user with few rights; see `restricted_place`."""
        server = self._server("postgresql")
        assert isinstance(server, PostgresServer)
        return server.restricted_place()

    def _server(self, backend: str) -> Server:
        if backend not in self._servers:
            if backend == "postgresql" and programs_folder() is None:
                pytest.skip("there is no PostgreSQL here")
            if backend == "s3" and not is_provided():
                pytest.skip("there is no S3 server here: make state-servers")
            server: Server = PostgresServer() if backend == "postgresql" else S3Server()
            self._servers[backend] = self._started.enter_context(server)
        return self._servers[backend]


def records_in_state(project: Project) -> dict[tuple[str, str], str]:
    """Return the ids of replication records in a state, by resource or set, and backup id."""
    found = {}
    for name, resource in project.resources().items():
        outputs = resource.get("outputs", {})
        if "BackupReplicationSet" in resource["type"] or "VaultReplication" in resource["type"]:
            for member in outputs["members"].values():
                found[name, member["backup_id"]] = member["replication_record_id"]
        elif "BackupReplication" in resource["type"]:
            found[name, outputs["backup_id"]] = resource["id"]
    return found
