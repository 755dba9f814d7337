"""A PostgreSQL server, of the machine's own packages; each place is a database."""

from __future__ import annotations

import base64
import json
import os
import pwd
import re
import secrets
import shutil
from pathlib import Path

from tools.state_servers.places import Place
from tools.state_servers.running import HOST, Server, ServerError, is_open

_DEBIAN = Path("/usr/lib/postgresql")
_TABLE = "pulumi_state"  # pulumi 3.255, backend/diy/postgres/bucket.go
ADMIN = "admin"


def programs_folder() -> Path | None:
    """Return the folder with `initdb` and `postgres`, None if there is none.

    Debian keeps them out of PATH, in a folder for each version.
    """
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    versions = _DEBIAN.glob("*/bin") if _DEBIAN.is_dir() else []
    folders += sorted(versions, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))])
    usable = [path for path in folders if all((path / name).is_file() for name in _NEEDED)]
    return usable[-1] if usable else None


_NEEDED = ("initdb", "postgres", "psql")


def ordinary_user() -> str:
    """Return the user to run it as: PostgreSQL refuses to run as root. Empty: the same user."""
    if os.geteuid() != 0:
        return ""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody")


class PostgresServer(Server):
    """A server with password authentication.

    Args:
        is_durable: whether a commit waits for the disk, as in production. Tests do not need it.
    """

    ending = "SIGQUIT"

    def __init__(self, *, is_durable: bool = False) -> None:
        super().__init__(ordinary_user())
        folder = programs_folder()
        if folder is None:
            raise FileNotFoundError("there is no PostgreSQL here")
        self._programs = folder
        self._is_durable = is_durable
        # Its characters need no quoting in SQL and in a URL.
        self.password = f"not-a-secret-{secrets.token_hex(4)}"
        self._count = 0

    def prepare(self) -> None:
        """Create an empty cluster."""
        # Nobody else can read it: the folder is the server's user's alone.
        (self.folder / "password").write_text(self.password)
        self.run(
            [
                *(str(self._programs / "initdb"), "--pgdata", "data", "--username", ADMIN),
                *("--auth", "scram-sha-256", "--pwfile", "password"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ]
        )

    def command(self) -> list[str]:
        """Return the command line of the server itself, in the foreground."""
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "fsync": "on" if self._is_durable else "off",
            "max_connections": "50",
            "shared_buffers": "16MB",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self.folder / "data"), *options]

    def environment(self) -> dict[str, str]:
        """Add the password for `psql`."""
        return {**super().environment(), "PGPASSWORD": self.password, "LC_ALL": "C"}

    def is_ready(self) -> bool:
        """Whether it executes a query: it refuses while it starts, and another one always."""
        if not is_open(self.port):
            return False
        try:
            self.query("SELECT 1")
        except ServerError:
            return False
        return True

    def query(self, sql: str, database: str = "postgres") -> str:
        """Execute SQL as the administrator, and return the rows as text."""
        return self.run(
            [
                *(str(self._programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"),
                *("-h", HOST, "-p", str(self.port), "-U", ADMIN, "-d", database),
            ],
            sql,
        )

    def new_place(self) -> Place:
        """Create a database for states, with a user that owns nothing else."""
        self._count += 1
        name = f"states_{self._count}"
        self.query(f"CREATE ROLE {name} LOGIN PASSWORD '{self.password}'")
        self.query(f"CREATE DATABASE {name} OWNER {name}")
        return Place(self.url(name, name), lambda under: self._stored(name, under))

    def restricted_place(self) -> Place:
        """Create a schema for states, whose owner has no other rights in its database.

        The password is in the environment, as it should be: the CLI prints addresses in errors.
        """
        self._count += 1
        name = f"states_{self._count}"
        self.query(f"CREATE ROLE {name} LOGIN PASSWORD '{self.password}'")
        self.query(f"CREATE DATABASE {name}")
        self.query("REVOKE ALL ON SCHEMA public FROM PUBLIC", name)
        self.query(f"CREATE SCHEMA {name} AUTHORIZATION {name}", name)
        address = f"postgres://{name}@{HOST}:{self.port}/{name}"
        return Place(
            f"{address}?sslmode=disable&search_path={name}",
            lambda under: self._stored(name, under, f"{name}.{_TABLE}"),
            {"PGPASSWORD": self.password},
        )

    def url(self, user: str, database: str) -> str:
        """Return the backend's address for a user, with its password."""
        place = f"{user}:{self.password}@{HOST}:{self.port}/{database}"
        return f"postgres://{place}?sslmode=disable"

    def _stored(self, database: str, under: str, table: str = _TABLE) -> dict[str, bytes]:
        if not self.query(f"SELECT to_regclass('{table}')", database).strip():
            return {}
        # The CLI takes the address's path, the database's name, for a folder within the database.
        begins, skipped = f"{database}/{under}", len(database) + 1
        # Keys and data have no line breaks: `data` is JSON with base64 in it.
        rows = self.query(
            f"SELECT key || chr(9) || data FROM {table}"  # noqa: S608 (names of our own)
            f" WHERE starts_with(key, '{begins}')",
            database,
        )
        pairs = (line.split("\t", 1) for line in rows.splitlines())
        return {key[skipped:]: base64.b64decode(json.loads(data)["data"]) for key, data in pairs}
