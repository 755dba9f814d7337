"""The vendor's own Python SDK, unmodified, and what it makes of the simulator's answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timezone
from typing import Any

from huaweicloudsdkcbr import v1 as cbr
from huaweicloudsdkcore.client import Client, ClientBuilder
from huaweicloudsdkiam import v3 as iam
from huaweicloudsdkiam.v3.iam_credentials import IamCredentials

from simulator.testing import InProcessSimulator
from tests.simulator.rig import PASSWORD, PROJECT, REGION, SOURCE_PROJECT, SOURCE_REGION

_PRIMITIVES: dict[str, type] = {"str": str, "int": int, "bool": bool}


class TokenCredentials(IamCredentials):  # type: ignore[misc]
    """The SDK's credentials of a token, for a service whose paths have a project, too."""

    def __init__(self, token: str | None, project_id: str = "") -> None:
        super().__init__(token)
        self._project_id = project_id

    def get_update_path_params(self) -> dict[str, str]:
        """Return what stands in every path."""
        return {"project_id": self._project_id} if self._project_id else {}


def sign_in_request(password: str, **scope: Any) -> iam.KeystoneCreateUserTokenByPasswordRequest:
    """Return the SDK's request for a token of the demo world's user."""
    domain = iam.PwdPasswordUserDomain(name="acme-cloud")
    user = iam.PwdPasswordUser(domain=domain, name="ops-replicator", password=password)
    identity = iam.PwdIdentity(methods=["password"], password=iam.PwdPassword(user=user))
    auth = iam.PwdAuth(identity=identity, scope=iam.AuthScope(**scope))
    body = iam.KeystoneCreateUserTokenByPasswordRequestBody(auth=auth)
    return iam.KeystoneCreateUserTokenByPasswordRequest(body=body)


class Vendor:
    """The vendor's clients for a simulator, signed in as the demo world's user."""

    def __init__(self, url: str, simulator: InProcessSimulator) -> None:
        self.control = simulator.control
        self._url = url
        self._clients: dict[tuple[type[Client], str], Client] = {}
        self._tokens: dict[str, str] = {}

    def source(self, name: str, request: Any) -> Any:
        """Call CBR in the source region."""
        return self.cbr(SOURCE_REGION, SOURCE_PROJECT, name, request)

    def destination(self, name: str, request: Any) -> Any:
        """Call CBR in the destination region."""
        return self.cbr(REGION, PROJECT, name, request)

    def cbr(self, region: str, project: str, name: str, request: Any, token: str = "") -> Any:
        """Call CBR; with a token of one's own, or that of the project."""
        credentials = TokenCredentials(token or self.token(region, project), project)
        return self._call(cbr.CbrClient, cbr, region, credentials, name, request)

    def iam(self, name: str, request: Any, token: str | None = None) -> Any:
        """Call IAM in the source region; with a token, or without."""
        credentials = TokenCredentials(token)
        return self._call(iam.IamClient, iam, SOURCE_REGION, credentials, name, request)

    def token(self, region: str = SOURCE_REGION, project: str = SOURCE_PROJECT) -> str:
        """Return a token for a project, got once."""
        if project not in self._tokens:
            request = sign_in_request(PASSWORD, project=iam.AuthScopeProject(id=project))
            none = TokenCredentials(None)
            answer = self._call(
                iam.IamClient, iam, region, none, "keystone_create_user_token_by_password", request
            )
            self._tokens[project] = answer.x_subject_token
        return self._tokens[project]

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def _call(
        self,
        kind: type[Client],
        models: Any,
        region: str,
        credentials: TokenCredentials,
        name: str,
        request: Any,
    ) -> Any:
        """Call an operation; whatever it answers, the SDK's models have all of it."""
        key = (kind, region)
        if key not in self._clients:
            builder = ClientBuilder(kind, TokenCredentials.__name__)
            endpoint = f"{self._url}/regions/{region}"
            self._clients[key] = (
                builder.with_credentials(credentials).with_endpoint(endpoint).build()
            )
        client = self._clients[key].with_credentials(credentials)
        answer = getattr(client, name)(request)
        sent = json.loads(answer.raw_content) if answer.raw_content else {}

        assert [] == list(losses(models, answer, sent, type(answer).__name__))
        return answer


def losses(models: Any, decoded: Any, sent: Any, kind: str, at: str = "") -> Iterator[str]:
    """Yield what of an answer (`sent`) the SDK's model (`decoded`) does not have, or has otherwise.

    Args:
        models: the SDK's package of models, which declare the type of each field.
        kind: the declared type, as the SDK writes it.
        at: where in the answer, for the lines.
    """
    if sent is None:
        if decoded is not None:
            yield f"{at}: null was decoded as {decoded!r}"
    elif kind.startswith("list["):
        yield from _losses_of_list(models, decoded, sent, kind[5:-1], at)
    elif kind in _PRIMITIVES:
        if type(sent) is not _PRIMITIVES[kind] or decoded != sent:
            yield f"{at}: want {kind}, sent {sent!r}, decoded {decoded!r}"
    elif kind in ("datetime", "date"):
        if decoded != _moment(sent, kind):
            yield f"{at}: want {kind}, sent {sent!r}, decoded {decoded!r}"
    elif hasattr(models, kind):
        yield from _losses_of_model(models, decoded, sent, kind, at)
    else:
        yield f"{at}: a type that is not compared: {kind}"


def _losses_of_list(models: Any, decoded: Any, sent: Any, kind: str, at: str) -> Iterator[str]:
    if not isinstance(sent, list) or len(decoded) != len(sent):
        yield f"{at}: want a list of {kind}, sent {sent!r}, decoded {decoded!r}"
        return
    for number, (one, other) in enumerate(zip(decoded, sent, strict=True)):
        yield from losses(models, one, other, kind, f"{at}[{number}]")


def _losses_of_model(models: Any, decoded: Any, sent: Any, kind: str, at: str) -> Iterator[str]:
    model = getattr(models, kind)
    if not isinstance(sent, dict) or type(decoded) is not model:
        yield f"{at}: want {kind}, sent {sent!r}, decoded {decoded!r}"
        return
    attributes = {wire: name for name, wire in model.attribute_map.items()}
    for wire, value in sent.items():
        where = f"{at}.{wire}" if at else wire
        if wire not in attributes:
            yield f"{where}: {kind} has no such field"
            continue
        name = attributes[wire]
        inner = model.openapi_types[name]
        yield from losses(models, getattr(decoded, name), value, inner, where)


def _moment(text: str, kind: str) -> date | datetime:
    moment = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    return moment.date() if kind == "date" else moment
