"""The vendor's own Python SDK, unmodified, and how it decodes the simulator's answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from huaweicloudsdkcbr import v1 as cbr
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.client import Client, ClientBuilder
from huaweicloudsdkiam import v3 as iam
from huaweicloudsdkiam.v3.iam_credentials import IamCredentials

from simulator.testing import InProcessSimulator
from tests.simulator.rig import PASSWORD, PROJECT, REGION, SOURCE_PROJECT, SOURCE_REGION

ACCOUNT = "677aa086f2614be08a737b6b22aad606"
KEYS: dict[str, dict[str, str]] = {
    "permanent key": {"ak": "DEMOACCESSKEY0000001", "sk": "not-a-secret-demo-key"},
    "temporary key": {
        "ak": "DEMOACCESSKEY0000002",
        "sk": "not-a-secret-demo-key-2",
        "token": "not-a-secret-demo-security-token",
    },
}
FORMS = ("token", *KEYS)
"""The forms of credentials of the SDK's clients."""

_SHOWN_BEYOND = {("VaultGet", "backup_name_prefix"), ("Vault", "backup_name_prefix")}
"""Fields of answers that the SDK's models lack, and Terraform's acceptance tests read."""
_MAPPING = {"body": "dict(str, object)"}
"""The fields of a model of free keys: the SDK decodes none of them, and keeps the raw content."""
_PRIMITIVES: dict[str, type] = {"str": str, "int": int, "bool": bool}


class TokenCredentials(IamCredentials):  # type: ignore[misc]
    """The SDK's token credentials, also for a service whose paths have a project."""

    def __init__(self, token: str | None, project_id: str = "") -> None:
        super().__init__(token)
        self._project_id = project_id

    def get_update_path_params(self) -> dict[str, str]:
        """Return the variables of every path."""
        return {"project_id": self._project_id} if self._project_id else {}


def sign_in_request(password: str, **scope: Any) -> iam.KeystoneCreateUserTokenByPasswordRequest:
    """Return the SDK's request for a token of the demo world's user."""
    domain = iam.PwdPasswordUserDomain(name="acme-cloud")
    user = iam.PwdPasswordUser(domain=domain, name="ops-replicator", password=password)
    identity = iam.PwdIdentity(methods=["password"], password=iam.PwdPassword(user=user))
    auth = iam.PwdAuth(identity=identity, scope=iam.AuthScope(**scope))
    body = iam.KeystoneCreateUserTokenByPasswordRequestBody(auth=auth)
    return iam.KeystoneCreateUserTokenByPasswordRequest(body=body)


def signed(form: str, project_id: str = "") -> BasicCredentials | GlobalCredentials:
    """Return the SDK's credentials of an access key: for a project, or for the account."""
    key = dict(KEYS[form])
    token = key.pop("token", None)
    made = (
        BasicCredentials(**key, project_id=project_id)
        if project_id
        else GlobalCredentials(**key, domain_id=ACCOUNT)
    )
    return made.with_security_token(token) if token else made


class Vendor:
    """The vendor's clients for a simulator, for the demo world's user in one of the `FORMS`."""

    def __init__(self, url: str, simulator: InProcessSimulator, form: str = "token") -> None:
        self.control = simulator.control
        self.form = form
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
        """Call CBR, with the given token or the form's credentials."""
        if token or self.form == "token":
            credentials: Any = TokenCredentials(token or self.token(region, project), project)
        else:
            credentials = signed(self.form, project)
        return self._call(cbr.CbrClient, cbr, region, credentials, name, request)

    def iam(self, name: str, request: Any, *, is_known: bool = True) -> Any:
        """Call IAM in the source region, without credentials if there are none yet."""
        if not is_known or self.form == "token":
            credentials: Any = TokenCredentials(self.token() if is_known else None)
        else:
            credentials = signed(self.form)
        return self._call(iam.IamClient, iam, SOURCE_REGION, credentials, name, request)

    def token(self, region: str = SOURCE_REGION, project: str = SOURCE_PROJECT) -> str:
        """Return a token for a project, fetched once."""
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
        credentials: Any,
        name: str,
        request: Any,
    ) -> Any:
        """Call an operation. The SDK's models must contain all of the answer."""
        key = (kind, region)
        if key not in self._clients:
            builder = ClientBuilder(kind, type(credentials).__name__)
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
    """Yield what differs between an answer (`sent`) and the SDK's model (`decoded`).

    Args:
        models: the SDK's package of models, which declare the type of each field.
        kind: the declared type, as the SDK writes it.
        at: the position in the answer, for the lines.
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
    if model.openapi_types == _MAPPING:
        return
    if not isinstance(sent, dict) or type(decoded) is not model:
        yield f"{at}: want {kind}, sent {sent!r}, decoded {decoded!r}"
        return
    attributes = {wire: name for name, wire in model.attribute_map.items()}
    for wire, value in sent.items():
        where = f"{at}.{wire}" if at else wire
        if (kind, wire) in _SHOWN_BEYOND:
            continue
        if wire not in attributes:
            yield f"{where}: {kind} has no such field"
            continue
        name = attributes[wire]
        inner = model.openapi_types[name]
        yield from losses(models, getattr(decoded, name), value, inner, where)


def _moment(text: str, kind: str) -> date | datetime:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return moment.date() if kind == "date" else moment
