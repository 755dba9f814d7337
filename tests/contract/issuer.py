"""The issuers of temporary keys, on this machine: metadata service, IAM, STS and pod identity.

Written from what the vendor's SDK core 3.1.219 asks and reads (auth/internal.py). The keys are
those of the demo world's user, so the simulator accepts their signatures.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from simulator.cloud.specs import AccessKey
from simulator.testing import InProcessSimulator

STOP_LIMIT_S = 60.0
METADATA_TOKEN = "not-a-secret-metadata-token"
UNSCOPED_TOKEN = "not-a-secret-unscoped-token"
NO_AGENCY = "Please configure Cloud Service Agency first"

Answer = tuple[int, Any, dict[str, str]]
"""Status, body, headers."""


class Issuer:
    """Issues keys that live for `life_s` of the simulator's time, and records its requests.

    `is_revoked`: the cloud does not know the keys that it issues. `refusal`: it issues none.
    """

    def __init__(self, url: str, simulator: InProcessSimulator) -> None:
        self.url = url
        self.life_s = 7200.0
        self.is_revoked = False
        self.refusal: tuple[int, Any] | None = None
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.issued: list[AccessKey] = []
        self._simulator = simulator

    def revoke(self) -> None:
        """Make the cloud forget all issued keys, and all that will be issued."""
        self.is_revoked = True
        known = self._simulator.world.accounts[0].users[0].access_keys
        known[:] = [key for key in known if key not in self.issued]

    def issue(self) -> tuple[AccessKey, str]:
        """Return new keys, and their expiry in the service's format."""
        number = len(self.issued) + 1
        expires_at = datetime.fromtimestamp(self._simulator.clock.now() + self.life_s, UTC)
        key = AccessKey(
            access_key=f"TEMPORARYACCESSKEY{number:04}",
            secret_key=f"not-a-secret-temporary-key-{number}",
            security_token=f"not-a-secret-temporary-token-{number}",
            expires_at=f"{expires_at:%Y-%m-%dT%H:%M:%S}",
        )
        self.issued.append(key)
        if not self.is_revoked:
            self._simulator.world.accounts[0].users[0].access_keys.append(key)
        return key, f"{expires_at:%Y-%m-%dT%H:%M:%S.%fZ}"

    def answer(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer:
        """Return status, headers and body of the answer to a request."""
        self.asked.append((path, body | {"authorization": headers.get("authorization")}))
        if self.refusal is not None:
            return (*self.refusal, {})
        route = _ROUTES.get(path)
        return (404, "no such path", {}) if route is None else route(self, headers, body)

    def metadata_token(self, _: dict[str, str], __: dict[str, Any]) -> Answer:
        """Answer a server that asks its metadata service."""
        return 200, METADATA_TOKEN, {}

    def security_key(self, headers: dict[str, str], _: dict[str, Any]) -> Answer:
        """Answer a server that asks for the keys of its agency."""
        if headers.get("x-metadata-token") != METADATA_TOKEN:
            return 401, "no token", {}
        return 200, {"credential": self._as_iam_tells()}, {}

    def unscoped_token(self, _: dict[str, str], __: dict[str, Any]) -> Answer:
        """Answer with a token to a client that an identity provider knows."""
        return 201, {"token": {}}, {"X-Subject-Token": UNSCOPED_TOKEN}

    def keys_of_token(self, _: dict[str, str], body: dict[str, Any]) -> Answer:
        """Answer with keys to a client that has that token."""
        if body["auth"]["identity"]["token"]["id"] != UNSCOPED_TOKEN:
            return 401, {"error_code": "IAM.0001", "error_msg": "unknown token"}, {}
        return 201, {"credential": self._as_iam_tells()}, {}

    def keys_of_agency(self, _: dict[str, str], __: dict[str, Any]) -> Answer:
        """Answer with an agency's keys to a client with an OIDC token."""
        return 200, {"credentials": self._as_sts_tells()}, {}

    def keys_of_pod(self, _: dict[str, str], __: dict[str, Any]) -> Answer:
        """Answer with keys to a pod."""
        return 200, self._as_sts_tells(), {}

    def _as_iam_tells(self) -> dict[str, Any]:
        key, expires_at = self.issue()
        return {
            "access": key.access_key,
            "secret": key.secret_key,
            "securitytoken": key.security_token,
            "expires_at": expires_at,
        }

    def _as_sts_tells(self) -> dict[str, Any]:
        key, expires_at = self.issue()
        return {
            "access_key_id": key.access_key,
            "secret_access_key": key.secret_key,
            "security_token": key.security_token,
            "expiration": expires_at,
        }


_ROUTES: dict[str, Callable[[Issuer, dict[str, str], dict[str, Any]], Answer]] = {
    "/meta-data/latest/api/token": Issuer.metadata_token,
    "/openstack/latest/securitykey": Issuer.security_key,
    "/v3.0/OS-AUTH/id-token/tokens": Issuer.unscoped_token,
    "/v3.0/OS-CREDENTIAL/securitytokens": Issuer.keys_of_token,
    "/v5/agencies/assume-with-oidc": Issuer.keys_of_agency,
    "/pod": Issuer.keys_of_pod,
}


@contextlib.contextmanager
def open_issuer(
    simulator: InProcessSimulator, tls: ssl.SSLContext | None = None
) -> Iterator[Issuer]:
    """Serve on a free port of this machine; with `tls` by HTTPS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = json.loads(content) if content else {}
            status, told, extra = issuer.answer(self.path, headers, body)
            sent = (told if isinstance(told, str) else json.dumps(told)).encode()
            self.send_response(status)
            for name, value in {**extra, "Content-Length": str(len(sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_POST = do_PUT = do_GET  # noqa: N815 -- as the standard library calls them

        def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 -- named by the standard library
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        issuer = Issuer(f"{scheme}://127.0.0.1:{server.server_address[1]}", simulator)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join(STOP_LIMIT_S)
