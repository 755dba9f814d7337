"""A server that speaks S3 and keeps objects as plain files; each place is a bucket."""

from __future__ import annotations

import os
import secrets
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from tools.state_servers.build import VERSITYGW
from tools.state_servers.places import Place, files_in
from tools.state_servers.running import HOST, Server

ACCESS_KEY, SECRET_KEY = "not-a-secret-access", "not-a-secret-key"


def is_provided() -> bool:
    """Whether `make state-servers` has provided the program."""
    return os.access(VERSITYGW.path, os.X_OK)


class S3Server(Server):
    """versitygw on a folder: a bucket is a folder, and an object is a file."""

    def __init__(self) -> None:
        super().__init__()
        if not is_provided():
            raise FileNotFoundError("there is no S3 server here; run make state-servers")
        self._count = 0
        self._health = f"/health-{secrets.token_hex(8)}"

    def prepare(self) -> None:
        """Create the folders of the buckets and of the objects' attributes."""
        for name in ("buckets", "attributes"):
            (self.folder / name).mkdir()

    def command(self) -> list[str]:
        """Return its command line."""
        return [
            *(str(VERSITYGW.path.resolve()), "--port", f"{HOST}:{self.port}", "--quiet"),
            *("--health", self._health),
            # Not each file system has extended attributes.
            *("posix", "--sidecar", str(self.folder / "attributes")),
            str(self.folder / "buckets"),
        ]

    def environment(self) -> dict[str, str]:
        """Add the keys."""
        keys = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
        return {**super().environment(), **keys}

    def is_ready(self) -> bool:
        """Whether it answers on a path that no other server knows."""
        connection = HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", self._health)
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def new_place(self) -> Place:
        """Create a bucket for states."""
        self._count += 1
        name = f"states-{self._count}"
        bucket = self.folder / "buckets" / name
        bucket.mkdir()
        options = f"endpoint=http://{HOST}:{self.port}&use_path_style=true&region=us-east-1"
        return Place(
            f"s3://{name}?{options}",
            lambda under: files_in(bucket, under),
            {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY},
        )
