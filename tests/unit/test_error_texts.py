"""Every text that a user can meet, word for word, from the code that writes it.

A raise without its text here fails the last test. Read a new one aloud before it is added.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from configparser import ParsingError
from pathlib import Path
from typing import Any

import anyio
import httpx
import msgspec
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, SdkError
from msgspec import structs
from pulumi.dynamic import Config, ConfigureRequest

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.api import client, find, pages
from pulumi_huaweicloud_cbr.api.auth import chain
from pulumi_huaweicloud_cbr.api.auth.chain import ChainKeys
from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.auth.tokens import GivenTokens
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.transport import proxies
from pulumi_huaweicloud_cbr.api.transport.tls import begin_reading
from pulumi_huaweicloud_cbr.api.wire import bodies
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica, ReplicationRecord, Vault
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base import errors
from pulumi_huaweicloud_cbr.base.clock import InterruptibleClock
from pulumi_huaweicloud_cbr.base.host import new_host
from pulumi_huaweicloud_cbr.base.text import remember_secret
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine import messages
from pulumi_huaweicloud_cbr.engine import provider as provider_base
from pulumi_huaweicloud_cbr.engine import session as engine_session
from pulumi_huaweicloud_cbr.engine.operation import current_operation
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from pulumi_huaweicloud_cbr.replication import many, one
from pulumi_huaweicloud_cbr.replication import vault as whole_vault
from pulumi_huaweicloud_cbr.replication.observe import Limits, find_replication
from pulumi_huaweicloud_cbr.replication.preflight import backup as backup_preflight
from pulumi_huaweicloud_cbr.replication.preflight import flow as preflight_flow
from pulumi_huaweicloud_cbr.replication.preflight import vault as vault_preflight
from pulumi_huaweicloud_cbr.replication.rules import fitness
from pulumi_huaweicloud_cbr.replication.rules.decisions import Attempt, Refuse, decide_create
from pulumi_huaweicloud_cbr.replication.rules.inputs import (
    check_inputs,
    check_members,
    check_set_inputs,
    check_vault_inputs,
)
from pulumi_huaweicloud_cbr.replication.rules.model import (
    DesiredReplication,
    DesiredVaultReplication,
    TrackedReplication,
)
from pulumi_huaweicloud_cbr.replication.submit import submit_or_adopt
from pulumi_huaweicloud_cbr.replication.wait.completion import CompletionPlan, wait_for_all
from pulumi_huaweicloud_cbr.replication.wait.polling import Look, WaitPlan, wait
from pulumi_huaweicloud_cbr.replication.wait.tracking import COORDINATES, check_wait
from pulumi_huaweicloud_cbr.resources import functions
from tests.unit.wire import REQUEST, SOURCE, FakeClock, Wire, get_backup, replicate

PACKAGE = Path(cbr.__file__).parent
BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
REPLICA = "b28ce54c-70d0-42e4-ac6b-ff8723571da3"
RECORD = "22edc1e1-314b-4e5f-a443-a59fd79a71a8"
VAULT = REQUEST.destination_vault_id
OTHER = "0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a"
DESTINATION = ProjectScope("cn-east-3", REQUEST.destination_project_id)
DESIRED = DesiredReplication(BACKUP, SOURCE, DESTINATION, VAULT, name="erp-dr")
TRACKED = TrackedReplication(
    backup_id=BACKUP,
    source=SOURCE,
    destination=DESTINATION,
    destination_vault_id=VAULT,
    replication_record_id=RECORD,
    status="success",
    source_resource_id="2d3e5f89-4ed2-411f-801f-21d70f3362de",
)
MISSING = httpx.Response(
    404, json={"error_code": "BackupService.6200", "error_msg": "The backup does not exist."}
)
WRONG_PATH = httpx.Response(
    401, json={"unauthorized": {"code": "401", "message": "Malformed request url"}}
)
EMPTY = httpx.Response(200, json={"backups": [], "operation_logs": []})


class Silent:
    """A reporter to nobody."""

    def tell(self, message: str) -> None:
        """Keep it."""

    progress = tell


class Telling(Silent):
    """A reporter that keeps the lines that stay, each once."""

    def __init__(self) -> None:
        self.lines: dict[str, None] = {}

    def tell(self, message: str) -> None:
        """Keep it."""
        self.lines[message] = None


class Routes(Wire):
    """A network that answers by method and the end of the path.

    A list is answered in turn, a mapping by the last part of the path.
    """

    def __init__(self, **answers: Any) -> None:
        super().__init__(EMPTY)
        self.routes = answers

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Give the answer of the route."""
        name = "backups" if request.url.path.endswith("backups") else "one"
        if request.url.path.endswith("operation-logs"):
            name = "logs"
        if request.method != "GET":
            name = request.method.lower()
        answer = self.routes.get(name, EMPTY)
        if isinstance(answer, dict):
            answer = answer.get(request.url.path.rpartition("/")[2], MISSING)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        assert isinstance(answer, httpx.Response)
        return answer


def record(**changes: Any) -> ReplicationRecord:
    """Return a record of a finished copy."""
    return msgspec.convert(
        {
            "id": RECORD,
            "status": "success",
            "destination_region": DESTINATION.region,
            "destination_project_id": DESTINATION.project_id,
            "destination_vault_id": VAULT,
            "destination_backup_id": REPLICA,
            **changes,
        },
        ReplicationRecord,
    )


def shown(*records: ReplicationRecord, id_: str = BACKUP, **fields: Any) -> httpx.Response:
    """Return the answer that shows a backup."""
    listed = msgspec.to_builtins(records)
    return httpx.Response(
        200, json={"backup": {"id": id_, "replication_records": listed, **fields}}
    )


def task(status: str) -> httpx.Response:
    """Return the operation log with the copy's task."""
    copy = {
        "resource_id": BACKUP,
        "source_backup_id": BACKUP,
        "source_project_id": SOURCE.project_id,
        "destination_region": DESTINATION.region,
        "destination_project_id": DESTINATION.project_id,
    }
    row = {"id": "task", "status": status, "extra_info": {"replication": copy}}
    return httpx.Response(200, json={"operation_logs": [row]})


def caught(work: Callable[[], Any]) -> str:
    """Return the text of the error in which something ends."""
    with pytest.raises((errors.CbrError, provider_base.UnexpectedError)) as error:
        work()
    return str(error.value)


def ends(work: Callable[[CbrClient], Coroutine[Any, Any, Any]], wire: Wire, **given: Any) -> str:
    """Return the text of the error in which work with the API ends."""

    async def run() -> None:
        async with wire.client(**given) as api:
            await work(api)

    return caught(lambda: anyio.run(run))


def tells(work: Callable[[CbrClient, Telling], Coroutine[Any, Any, Any]], **answers: Any) -> str:
    """Return what work with the API tells beside its result, or its error."""
    report = Telling()

    async def run() -> None:
        async with Routes(**answers).client() as api:
            with contextlib.suppress(errors.CbrError):
                await work(api, report)

    anyio.run(run)
    return " | ".join(report.lines)


def refusal(desired: DesiredReplication = DESIRED, **changes: Any) -> str:
    """Return why a replication is refused beside a record."""
    replica = Replica(REPLICA, Backup(id=REPLICA, status="available"))
    decision = decide_create(desired, [Attempt(record(**changes), replica)])
    assert isinstance(decision, Refuse)
    return f"{decision.field}: {decision.reason}; {decision.remedy}"


def finding(found: list[fitness.Finding]) -> str:
    """Return the one finding."""
    (only,) = found
    return f"{only.field}: {only.reason}"


def given(**changes: Any) -> str:
    """Return what is wrong with inputs."""
    inputs = {"backup_id": BACKUP, "destination_region": "cn-east-3", "destination_vault_id": VAULT}
    return " | ".join(
        f"{fault.field}: {fault.reason}" for fault in check_inputs({**inputs, **changes})
    )


def given_set(**changes: Any) -> str:
    """Return what is wrong with the inputs of a set."""
    inputs = {"backups": [BACKUP], "destination_region": "cn-east-3", "destination_vault_id": VAULT}
    return " | ".join(
        f"{fault.field}: {fault.reason}" for fault in check_set_inputs({**inputs, **changes})
    )


def member(*, is_rolling: bool = False, **fields: Any) -> str:
    """Return what is wrong with a member of a set."""
    found = check_members({"erp": fields}, is_rolling=is_rolling)
    return " | ".join(f"{fault.field}: {fault.reason}" for fault in found)


def of_wait(**changes: Any) -> str:
    """Return what is wrong with the inputs of a wait."""
    found = check_wait({"replications": [], **changes})
    return " | ".join(f"{fault.field}: {fault.reason}" for fault in found)


def too_many(**changes: Any) -> str:
    """Return what is wrong with a number of backups that no set holds."""
    (fault,) = (found for found in cbr.check_set_inputs(changes) if found.field in changes)
    return f"{fault.field}: {fault.reason}"


def filtered(**filters: Any) -> str:
    """Return what is wrong with what backups are selected by."""
    return "\n".join(f"{fault.field}: {fault.reason}" for fault in cbr.check_filters(filters))


def backup(**changes: Any) -> Backup:
    """Return a backup that can be copied."""
    fields = {"id": BACKUP, "status": "available", "resource_type": "OS::Nova::Server", **changes}
    return msgspec.convert(fields, Backup)


def vault(**billing: Any) -> Vault:
    """Return a vault."""
    return msgspec.convert({"id": VAULT, "billing": billing}, Vault)


def waited(status: str) -> str:
    """Return how a wait ends that sees one status for ever."""
    plan = WaitPlan(
        what="waiting",
        doing="waiting for it",
        pending=frozenset({"busy"}),
        target=frozenset({"done"}),
        interval_s=10,
        timeout_s=3600,
        hint="it goes on",
    )

    async def look() -> Look[None]:
        return Look(status, None, "progress 41 %")

    return caught(lambda: anyio.run(wait, plan, look, FakeClock(), Silent()))


WAY = {
    "source_region": SOURCE.region,
    "source_project_id": SOURCE.project_id,
    "destination_region": DESTINATION.region,
    "destination_project_id": DESTINATION.project_id,
    "destination_vault_id": VAULT,
}


def waited_for_copy(timeout_s: float = 3600.0, **answers: Any) -> str:
    """Return how the wait for one copy ends."""
    plan = CompletionPlan(timeout_s=timeout_s, interval_s=10.0)
    group = {**WAY, "records": {RECORD: BACKUP}}
    return ends(lambda api: wait_for_all(api, [group], plan, Silent()), Routes(**answers))


def copy_wait_interrupted() -> str:
    """Return what an interrupted wait for a copy says."""
    event = threading.Event()
    event.set()
    wire = Routes(one=shown(record(status="replicating")))
    wire.clock = InterruptibleClock(event)  # type: ignore[assignment]
    plan = CompletionPlan(timeout_s=3600.0, interval_s=10.0)
    group = {**WAY, "records": {RECORD: BACKUP}}
    return ends(lambda api: wait_for_all(api, [group], plan, Silent()), wire)


def members_refused(*labels: str, of: int) -> str:
    """Return what is said of members that CBR refused, `of` so many."""
    wanted = dict.fromkeys(labels, DESIRED)

    async def submit(api: CbrClient) -> None:
        failed = (await many.submit_all(api, wanted, Silent())).failed
        raise many.MembersFailedError("replicating to region 'cn-east-3'", of, failed)

    return ends(submit, Routes(one=shown(), post=REFUSED_POST))


def member_late() -> str:
    """Return what is said of a member that was not done in time."""
    work = {"erp": lambda _: anyio.sleep_forever()}
    results = anyio.run(many.for_each, work, "submitting", Silent(), 0.0)
    return str(results.failed["erp"])


def interrupted() -> str:
    """Return what an interrupted wait says."""
    event = threading.Event()
    event.set()
    return caught(lambda: anyio.run(InterruptibleClock(event).sleep, 1.0))


def provider(**config: str) -> cbr.BackupReplicationProvider:
    """Return a provider as the engine configures it."""
    configured = cbr.BackupReplicationProvider()
    full = {f"huaweicloud:{key}": value for key, value in config.items()}
    configured.configure(ConfigureRequest(Config(full, "p")))
    return configured


SET_STATE: dict[str, Any] = {
    **WAY,
    "backups": {"erp": BACKUP},
    "adopt": True,
    "preflight": "error",
    "enable_acceleration": False,
    "members": {
        "erp": {"backup_id": BACKUP, "replication_record_id": RECORD, "status": "replicating"}
    },
}
NEWER = {"web": {"backup_id": OTHER, "created_at": "2026-11-21T02:00:00"}}
ONE_STATE: dict[str, Any] = {
    **WAY,
    "backup_id": BACKUP,
    "replication_record_id": RECORD,
    "status": "replicating",
    "adopt": True,
    "preflight": "error",
    "enable_acceleration": False,
}
MOVED = {**ONE_STATE, "destination_vault_id": OTHER}
Work = Callable[[Any], Any]


def with_provider(
    kind: type[provider_base.CbrProvider], work: Work, token: str | None = "t", **answers: Any
) -> tuple[str, str]:
    """Return the error in which a call ends, empty if in none, and what it tells meanwhile."""
    lines: list[str] = []
    provider = kind()
    config = {"huaweicloud:metadata": "false"}
    if token is not None:
        config["huaweicloud:token"] = token
    provider.configure(ConfigureRequest(Config(config, "p")))
    session = Session(
        Settings.of(token=token, metadata=False),
        transport=httpx.MockTransport(Routes(**answers).handle),
        clock=FakeClock(),
    )
    with new_host(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "_say_once", lambda message, **_: lines.append(message))
        for name in ("HW_AUTH_TOKEN", "HW_REGION_NAME", "HW_PROJECT_ID"):
            patch.delenv(name, raising=False)
        use_session(session)
        try:
            work(provider)
        except errors.CbrError as error:
            return str(error), " | ".join(lines)
        finally:
            session.close()
    return "", " | ".join(lines)


def set_ends(work: Work, **answers: Any) -> str:
    """Return the text of the error in which a set's call ends."""
    return with_provider(cbr.BackupReplicationSetProvider, work, **answers)[0]


def set_tells(work: Work, **answers: Any) -> str:
    """Return what a set's call tells beside its result."""
    return with_provider(cbr.BackupReplicationSetProvider, work, **answers)[1]


def one_ends(work: Work, **answers: Any) -> str:
    """Return the text of the error in which the call of a single replication ends."""
    return with_provider(cbr.BackupReplicationProvider, work, **answers)[0]


def one_tells(work: Work, **answers: Any) -> str:
    """Return what the call of a single replication tells beside its result."""
    return with_provider(cbr.BackupReplicationProvider, work, **answers)[1]


def state(**changes: Any) -> dict[str, Any]:
    """Return the state of a set of one member."""
    return {**SET_STATE, **changes}


def remove_what_another_has(provider: Any) -> None:
    """Delete what another resource of the operation has taken over."""
    current_operation().note_held([RECORD])
    provider.delete(RECORD, {**ONE_STATE, **SET_STATE})


def remove_what_another_declares(provider: Any) -> None:
    """Delete what another resource of the program declares, and does not have yet."""
    current_operation().note_claimed("another", [(BACKUP, DESTINATION.region)])
    provider.delete(RECORD, {**ONE_STATE, **SET_STATE})


def delete_replaced(provider: Any) -> None:
    """Delete what is replaced, delete first."""
    current_operation().note_replaced("", [RECORD])
    provider.delete(RECORD, {**ONE_STATE, "destination_backup_id": REPLICA})


def delete_after_create(provider: Any) -> None:
    """Delete a set that is replaced, after its successor was created."""
    current_operation().note_replaced("", [RECORD])
    current_operation().note_made("", ())
    members = {"erp": {**SET_STATE["members"]["erp"], "destination_backup_id": REPLICA}}
    provider.delete("set", state(members=members))


def delete_beside_another(provider: Any) -> None:
    """Delete a rolling set after another one was made that has none of its members."""
    place = tuple(SET_STATE[field] for field in COORDINATES)
    current_operation().note_rolling(place, [], is_new=True)
    provider.delete("set", state(keep_newest=2))


def checked(**config: str) -> str:
    """Return what a check says."""
    inputs = {
        "backup_id": BACKUP,
        "destination_region": "cn-east-3",
        "destination_vault_id": VAULT,
        "preflight": "off",
    }
    failures = provider(**config).check({}, inputs).failures
    return " | ".join(f"{failure.property}: {failure.reason}" for failure in failures)


def settings(**config: Any) -> str:
    """Return what is wrong with settings."""
    full = {f"huaweicloud:{key}": value for key, value in config.items()}
    return caught(lambda: Settings.load(full.get, {}))


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have limits reached at once."""
    monkeypatch.setattr(engine_session, "LAST_REQUEST_S", 0.0)
    monkeypatch.setattr(pages, "PAGES_LIMIT", 2)
    monkeypatch.setattr(pages, "PAGE_SIZE", 2)


async def never(_: httpx.Request) -> httpx.Response:
    """Do not answer."""
    await anyio.sleep_forever()
    raise AssertionError("nothing lasts for ever")


def unanswered() -> str:
    """Return what is said of an answer that does not come within the limit of a call."""
    wire = Wire(EMPTY)
    wire.handle = never  # type: ignore[assignment]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "CALL_LIMIT_S", 0.0)
        return ends(replicate, wire)


def no_authorities() -> str:
    """Return what is said where the environment names authorities that are not there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
        begin_reading.cache_clear()
        try:
            return caught(lambda: client._tls_context(Settings()))
        finally:
            begin_reading.cache_clear()


def too_large(bound: str, value: int, count: int) -> str:
    """Return what is said of an answer that is longer than any, in bytes or in values."""
    wire = Wire(httpx.Response(200, stream=httpx.ByteStream(b"," * count)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, bound, value)
        return ends(get_backup, wire)


def refused_signature(detail: str, **headers: str) -> httpx.Response:
    """Return what the gateway answers to a signature."""
    message = f"Incorrect IAM authentication information: {detail}"
    body = {"error_code": "APIGW.0301", "error_msg": message}
    return httpx.Response(401, json=body, headers=headers)


def unsigned(detail: str, **headers: str) -> str:
    """Return what is said of a signature that the gateway refuses."""
    return ends(get_backup, Wire(refused_signature(detail, **headers)), **ACCESS_KEY)


def refused_before() -> str:
    """Return what the second call is told."""

    async def twice(api: CbrClient) -> None:
        with pytest.raises(errors.AuthenticationError):
            await get_backup(api)
        await get_backup(api)

    return ends(twice, Wire(refused_signature("verify aksk signature fail")), **ACCESS_KEY)


def certificate_refused() -> httpx.ConnectError:
    """Return what httpx makes of a certificate that nobody vouches for."""
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError()
    return error


def insecure_told() -> str:
    """Return what is warned of when certificates are not verified."""
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "warn", told.append)
        session = Session(
            Settings.of(token="t", insecure=True), transport=httpx.MockTransport(Wire(EMPTY).handle)
        )
        session.client()
        session.client()
        session.close()
    return " | ".join(told)


OIDC = {
    "HUAWEICLOUD_OIDC_PROVIDER_URN": "p",
    "HUAWEICLOUD_OIDC_AGENCY_URN": "a",
    "HUAWEICLOUD_OIDC_ID_TOKEN": "t",
}
IDENTITY_PROVIDER = {"HUAWEICLOUD_SDK_IDP_ID": "i", "HUAWEICLOUD_SDK_ID_TOKEN_FILE": "/f"}
POD = {
    "HC_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1",
    "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/f",
}


def caught_with(environ: dict[str, str], work: Callable[[], Any]) -> str:
    """Return the text of the error in which something ends, in an environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        return caught(work)


def way_with(environ: dict[str, str]) -> chain.Way:
    """Return the way of finding keys that counts in an environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        return chain.find_way(Settings())


def not_found_by(environ: dict[str, str]) -> str:
    """Return what is said of a way that finds no keys."""
    refusal = ClientRequestException(403, SdkError(error_msg="no"))
    return str(chain._failure_of(way_with(environ), chain._observed(refusal), refusal))


def not_readable() -> str:
    """Return what is said of a profile file that is none."""

    def look(*_: Any) -> Any:
        raise ParsingError("/home/ops/credentials")

    way = way_with({"HUAWEICLOUD_SDK_CREDENTIALS_FILE": "/home/ops/credentials"})
    return caught(lambda: chain.search(structs.replace(way, look=look), Settings(), SOURCE.region))


def no_vault() -> str:
    """Return what is said of a vault that does not exist."""
    gone = {"error_code": "BackupService.6105", "error_msg": "no"}

    async def ask() -> list[fitness.Finding]:
        async with Wire(httpx.Response(404, json=gone)).client() as api:
            aim = preflight_flow.Aim(source_region=SOURCE.region, destination_vault_id=VAULT)
            vault = await preflight_flow.or_error(
                preflight_flow.find_destination_vault(api, DESTINATION, VAULT)
            )
            sides: preflight_flow.Sides[Any] = preflight_flow.Sides(
                destination=DESTINATION, vault=vault
            )
            verdict = backup_preflight._judge(aim, sides, None, None, backup_preflight.Verdict())
            return list(verdict.findings)

    return finding(anyio.run(ask))


def listed(*ids: str, count: int | None = None) -> httpx.Response:
    """Return a page of backups."""
    return httpx.Response(200, json={"backups": [{"id": id_} for id_ in ids], "count": count})


def unusable_proxy() -> str:
    """Return what is said of a proxy of an unknown kind."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.lower().endswith("_proxy"):
                patch.delenv(name)
        patch.setenv("HTTPS_PROXY", "ftp://proxy.test")
        return caught(lambda: proxies.proxy_of("https://cbr.cn-north-4.myhuaweicloud.com/"))


ONE_BACKUP = httpx.Response(200, json={"backups": [{"id": REPLICA, "name": "erp-dr"}]})
PASSWORD_SIGN_IN = {"token": None, "user_name": "ops", "password": "no-secret", "domain_name": "a"}
FAILED_COPY = shown(
    record(
        status="fail",
        destination_backup_id=None,
        extra_info={"fail_code": "BackupService.6129", "fail_reason": "no room"},
    )
)
CAPABILITIES = httpx.Response(
    200,
    json={"regions": [{"name": SOURCE.region, "replication_destinations": [DESTINATION.region]}]},
)
SEEN = {
    "backup_id": OTHER,
    "replication_record_id": RECORD,
    "status": "success",
    "destination_backup_id": REPLICA,
}
ADOPTABLE = {BACKUP: shown(record()), REPLICA: shown(id_=REPLICA, name="erp-dr")}
DELETION_PENDING = httpx.Response(
    400, json={"error_code": "BackupService.6201", "error_msg": "The backup is being deleted."}
)
ACCESS_KEY = {"token": None, "access_key": "not-DEMO", "secret_key": "no-secret"}
FAILED_POST = httpx.Response(502)
REFUSED_POST = httpx.Response(
    400,
    json={"error_code": "BackupService.6129", "error_msg": "The maximum capacity is reached."},
)
SECOND = httpx.Response(400, json={"error_code": "BackupService.1009", "error_msg": "already"})

SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"


def shown_in_list(*records: ReplicationRecord, **fields: Any) -> httpx.Response:
    """Return the list of a vault with one backup."""
    listed = msgspec.to_builtins(records)
    named = backup(resource_name="erp-db-01", created_at="2026-11-20T02:00:11.000000", **fields)
    return httpx.Response(
        200, json={"backups": [{**msgspec.to_builtins(named), "replication_records": listed}]}
    )


def bring_over(page: httpx.Response, answer: httpx.Response, **desired: Any) -> str:
    """Return the text of the error in which the copy of a vault ends."""
    wanted = DesiredVaultReplication(SOURCE_VAULT, SOURCE, DESTINATION, VAULT, **desired)

    async def work(api: CbrClient) -> None:
        brought = await whole_vault.bring_over(
            api, wanted, {}, Silent(), is_new=True, is_strict=True
        )
        raise brought.failure or AssertionError("nothing failed")

    return ends(work, Routes(backups=page, post=answer))


VAULT_STATE: dict[str, Any] = {
    **WAY,
    "vault_id": SOURCE_VAULT,
    "adopt": True,
    "preflight": "error",
    "enable_acceleration": False,
    "members": {"erp": {**SEEN, "backup_id": BACKUP}},
}
UNSEEN = {**VAULT_STATE, "members": SET_STATE["members"]}
PRESENT = shown(id_=REPLICA, status="available")


def vault_state(**changes: Any) -> dict[str, Any]:
    """Return the state of a whole vault's copy of one backup."""
    return {**VAULT_STATE, **changes}


def vault_ends(work: Work, **answers: Any) -> str:
    """Return the text of the error in which a call about a whole vault ends."""
    return with_provider(cbr.VaultReplicationProvider, work, **answers)[0]


def vault_tells(work: Work, **answers: Any) -> str:
    """Return what a call about a whole vault tells beside its result."""
    return with_provider(cbr.VaultReplicationProvider, work, **answers)[1]


def let_go_of_orphans(provider: Any) -> None:
    """Delete a resource that has another name in the program by now."""
    current_operation().note_vault((SOURCE_VAULT, *(VAULT_STATE[field] for field in COORDINATES)))
    provider.delete("v", vault_state())


def vault_diff_tells(*records: ReplicationRecord, **changes: Any) -> str:
    """Return what a preview tells of a vault of one backup that is in no row; it has no replica."""
    given = vault_state(members={}, **changes)
    return vault_tells(
        lambda provider: provider.diff("v", given, given),
        backups=[shown_in_list(*records), EMPTY],
        one=MISSING,
    )


TEXTS: dict[str, Callable[[], str]] = {
    "auth-nothing": lambda: caught(
        lambda: make_authenticator(Settings.of(metadata=False), FakeClock())
    ),
    "chain-part": lambda: caught_with(
        {"HUAWEICLOUD_SDK_IDP_ID": "ci"}, lambda: chain.find_way(Settings())
    ),
    "chain-oidc": lambda: not_found_by(OIDC),
    "chain-identity-provider": lambda: not_found_by(IDENTITY_PROVIDER),
    "chain-pod": lambda: not_found_by(POD),
    "chain-profile": lambda: not_found_by(
        {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": "/home/ops/credentials"}
    ),
    "chain-profile-not-readable": not_readable,
    "chain-agency": lambda: not_found_by({}),
    "chain-proxy": lambda: caught_with(
        {"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "", "no_proxy": ""},
        lambda: chain.search(chain.find_way(Settings()), Settings(), SOURCE.region),
    ),
    "chain-refused": lambda: ChainKeys(way_with(POD), Settings(), FakeClock()).remedy or "",
    "auth-part": lambda: caught(
        lambda: make_authenticator(Settings.of(user_name="u"), FakeClock())
    ),
    "auth-half-a-key": lambda: caught(
        lambda: make_authenticator(Settings.of(access_key="DEMO"), FakeClock())
    ),
    "auth-wrong-secret-key": lambda: unsigned("verify aksk signature fail"),
    "auth-refused-before": refused_before,
    "auth-unknown-access-key": lambda: unsigned("ak DEMO not exist"),
    "auth-locked-access-key": lambda: unsigned("AK access failed to reach the limit,forbidden."),
    "auth-skewed-clock": lambda: unsigned("signature expired, signature time:1,server time:2"),
    "auth-skewed-clock-by-date": lambda: unsigned("x", Date="Thu, 20 Nov 2025 09:30:00 GMT"),
    "auth-expired-keys": lambda: unsigned("token expires, expires_at: 2025"),
    "auth-foreign-security-token": lambda: unsigned("decrypt token fail"),
    "auth-no-token-of-project": lambda: caught(
        lambda: GivenTokens(Settings.of(tokens={"p": "t"})).for_project(SOURCE)
    ),
    "auth-no-header": lambda: ends(
        get_backup, Wire(httpx.Response(201, json={})), **PASSWORD_SIGN_IN
    ),
    "auth-refused": lambda: ends(
        get_backup,
        Wire(httpx.Response(401, json={"error": {"code": 401, "message": "Wrong.", "title": "t"}})),
        **PASSWORD_SIGN_IN,
    ),
    "session-insecure": insecure_told,
    "client-redirect": lambda: ends(get_backup, Wire(httpx.Response(302))),
    "client-redirect-to": lambda: ends(
        get_backup, Wire(httpx.Response(302, headers={"Location": "https://portal.test/login"}))
    ),
    "client-too-large": lambda: too_large("BODY_LIMIT", 2**20, 2**20 + 1),
    "client-too-many-values": lambda: too_large("VALUE_LIMIT", 1_000, 2_000),
    "client-no-region": lambda: ends(
        lambda api: api.get_backup(ProjectScope("a/b", "p"), BACKUP), Wire(EMPTY)
    ),
    "client-ca-file": lambda: caught(
        lambda: client._tls_context(Settings.of(ca_file="/nowhere/ca.pem"))
    ),
    "client-authorities": no_authorities,
    "client-call-limit": unanswered,
    "client-not-sent": lambda: ends(replicate, Wire(httpx.ConnectError("Connection refused"))),
    "client-not-sent-to-host-in-doubt": lambda: ends(
        lambda api: api.get_backup(ProjectScope("eu-west-101", "p"), BACKUP),
        Wire(httpx.ConnectError("[Errno -2] Name or service not known")),
    ),
    "client-certificate": lambda: ends(get_backup, Wire(certificate_refused())),
    "client-no-answer": lambda: ends(replicate, Wire(httpx.ReadTimeout(""))),
    "responses-refused": lambda: ends(get_backup, Wire(MISSING)),
    "responses-other-form": lambda: ends(get_backup, Wire(httpx.Response(200, json={}))),
    "clock-interrupted": interrupted,
    "decide-project": lambda: refusal(destination_project_id="other"),
    "decide-vault": lambda: refusal(destination_vault_id=OTHER),
    "decide-vault-copying": lambda: refusal(destination_vault_id=OTHER, status="replicating"),
    "decide-no-adoption": lambda: refusal(
        DesiredReplication(BACKUP, SOURCE, DESTINATION, VAULT, adopt=False)
    ),
    "decide-unknown-status": lambda: refusal(status="suspended"),
    "find-replicas-of-resource": lambda: ends(
        lambda api: find.require_no_replica(api, DESTINATION, VAULT, "r", "looking for it"),
        Routes(backups=[ONE_BACKUP, EMPTY]),
    ),
    "find-no-project": lambda: ends(
        lambda api: find.find_project_id(api, "cn-east-3"),
        Wire(httpx.Response(200, json={"projects": []})),
    ),
    "find-endless-pages": lambda: ends(
        lambda api: find.require_no_replica(api, DESTINATION, VAULT, "r", "looking for it"),
        Routes(backups=[listed("a", "b"), listed("b", "c")]),
    ),
    "proxy-unusable": unusable_proxy,
    "list-lacks-rows": lambda: ends(
        lambda api: find.find_backups(api, DESTINATION),
        Routes(backups=listed("a", count=2)),
    ),
    "list-rows-moved": lambda: ends(
        lambda api: find.find_backups(api, DESTINATION),
        Routes(backups=[listed("a", "b"), listed("c")] * 4),
    ),
    "find-answer-is-about": lambda: ends(
        lambda api: find.find_backup(api, SOURCE, BACKUP), Routes(one=shown(id_=OTHER))
    ),
    "find-id-that-does-not-exist": lambda: ends(
        lambda api: find.find_backup(api, SOURCE, BACKUP), Routes(one=WRONG_PATH)
    ),
    "inputs-missing": lambda: given(
        backup_id=None, destination_region=None, destination_vault_id=None
    ),
    "inputs-unknown": lambda: given(vault="x"),
    "inputs-no-uuid": lambda: given(backup_id="autobk_7c1e"),
    "inputs-uuid-type": lambda: given(backup_id=7.0),
    "inputs-list": lambda: given(name=["a"]),
    "inputs-object": lambda: given(destination_region={}),
    "inputs-name": lambda: given(name="db/nightly"),
    "inputs-region-empty": lambda: given(destination_region=""),
    "inputs-project": lambda: given(source_project_id="x" * 65),
    "inputs-description": lambda: given(description="a<b"),
    "inputs-description-long": lambda: given(description="x" * 256),
    "inputs-flag": lambda: given(adopt="yes"),
    "inputs-mode": lambda: given(preflight="no"),
    "inputs-mode-type": lambda: given(preflight=True),
    "set-missing": lambda: given_set(backups=None),
    "set-unknown": lambda: given_set(vault="x"),
    "set-backups-type": lambda: given_set(backups=BACKUP),
    "set-backups-empty": lambda: given_set(backups=[]),
    "set-count": lambda: given_set(keep_newest=0),
    "set-count-endless": lambda: given_set(keep_newest=float("inf")),
    "set-count-type": lambda: given_set(keep_newest="two"),
    "member-missing": lambda: member(name="erp-dr"),
    "member-unknown-field": lambda: member(backup_id=BACKUP, nmae="erp-dr"),
    "member-moment": lambda: member(backup_id=BACKUP, created_at="yesterday"),
    "member-moment-type": lambda: member(backup_id=BACKUP, created_at=["2026-11-20"]),
    "member-without-moment": lambda: member(backup_id=BACKUP, is_rolling=True),
    "member-twice": lambda: finding(
        check_members({"erp": {"backup_id": BACKUP}, "b": {"backup_id": BACKUP}}, is_rolling=False)
    ),
    "wait-inputs-missing": lambda: of_wait(replications=None),
    "wait-inputs-unknown": lambda: of_wait(record="x"),
    "wait-inputs-type": lambda: of_wait(replications="all"),
    "wait-inputs-member": lambda: of_wait(replications=["erp"]),
    "wait-inputs-part": lambda: of_wait(replications=[{"source_region": "a"}]),
    "wait-inputs-coordinate": lambda: of_wait(
        replications=[{**WAY, "source_region": 7, "records": {}}]
    ),
    "wait-inputs-records": lambda: of_wait(replications=[{**WAY, "records": ["erp"]}]),
    "wait-inputs-duration": lambda: of_wait(timeout="soon"),
    "wait-inputs-limit": lambda: of_wait(timeout="800h", poll_interval=0),
    "inputs-count": lambda: too_many(keep_newest=10**6),
    "filters-unknown": lambda: filtered(limit=3),
    "filters-time": lambda: filtered(created_since="2026-11-20"),
    "filters-text": lambda: filtered(resource_name=" "),
    "submit-never-answered": lambda: ends(
        lambda api: submit_or_adopt(api, DESIRED, Silent()),
        Routes(one=shown(), post=FAILED_POST),
    ),
    "submit-second-copy": lambda: ends(
        lambda api: submit_or_adopt(api, DESIRED, Silent()),
        Routes(one=shown(), post=SECOND),
    ),
    "submit-refused": lambda: ends(
        lambda api: submit_or_adopt(api, DESIRED, Silent()),
        Routes(one=shown(record(status="replicating", destination_vault_id=OTHER))),
    ),
    "submit-unseen": lambda: ends(
        lambda api: submit_or_adopt(api, DESIRED, Silent()),
        Routes(one=[*[shown(record()), MISSING] * 20], post=SECOND),
    ),
    "adopt-not-renamed": lambda: ends(
        lambda api: submit_or_adopt(api, DESIRED, Silent()),
        Routes(one=[shown(record()), shown(id_=REPLICA, name="x")], put=MISSING),
    ),
    "import-not-listed": lambda: ends(
        lambda api: find_replication(api, SOURCE, BACKUP, RECORD, Silent()),
        Routes(one=shown(record(id="other"))),
    ),
    "import-replica-gone": lambda: ends(
        lambda api: find_replication(api, SOURCE, BACKUP, RECORD, Silent()),
        Routes(one=[shown(record()), shown(record()), MISSING]),
    ),
    "rename-gone": lambda: ends(
        lambda api: one.rename(api, TRACKED, "new", Silent()),
        Routes(one=[shown(record()), MISSING]),
    ),
    "checks-no-backup": lambda: finding(
        list(
            backup_preflight._judge(
                preflight_flow.Aim(source_region=SOURCE.region),
                preflight_flow.Sides(source=SOURCE),
                BACKUP,
                errors.NotFoundError("no"),
                backup_preflight.Verdict(),
            ).findings
        )
    ),
    "checks-no-vault": no_vault,
    "preflight-replica": lambda: finding(
        fitness.check_backup(backup(image_type="replication", resource_type=None))
    ),
    "preflight-status": lambda: finding(fitness.check_backup(backup(status="error"))),
    "preflight-not-ecs": lambda: finding(
        fitness.check_backup(backup(resource_type="OS::Native::Server"))
    ),
    "preflight-disk": lambda: finding(
        fitness.check_backup(backup(resource_type="OS::Cinder::Volume"))
    ),
    "preflight-system-disk": lambda: finding(
        fitness.check_backup(backup(extend_info={"contain_system_disk": False}))
    ),
    "preflight-region": lambda: finding(
        fitness.check_region_pair("cn-north-4", "mars", frozenset({"cn-east-3", "cn-south-1"}))
    ),
    "preflight-no-region": lambda: finding(
        fitness.check_region_pair("cn-north-4", "cn-north-4", frozenset())
    ),
    "preflight-vault-type": lambda: finding(
        fitness.check_vault(vault(protect_type="backup"), None)
    ),
    "preflight-vault-frozen": lambda: finding(fitness.check_vault(vault(status="frozen"), None)),
    "preflight-vault-deleting": lambda: finding(
        fitness.check_vault(vault(status="deleting"), None)
    ),
    "preflight-vault-object": lambda: finding(
        fitness.check_vault(vault(object_type="turbo"), backup())
    ),
    "preflight-vault-full": lambda: finding(
        fitness.check_vault(vault(size=100, used=102_400), backup())
    ),
    "preflight-vault-tight": lambda: finding(
        fitness.check_vault(vault(size=100, used=51_200), backup(resource_size=120))
    ),
    "provider-not-configured": lambda: caught(lambda: cbr.BackupReplicationProvider().open()),
    "provider-no-source-region": checked,
    "provider-bad-setting": lambda: checked(region="a b"),
    "provider-time-limit": lambda: caught(
        lambda: anyio.run(engine_session._within, 0.0, anyio.sleep_forever())
    ),
    "provider-import-id": lambda: caught(lambda: provider().import_state("erp")),
    "provider-no-state": lambda: caught(lambda: provider(token="t").read(RECORD, {})),
    "functions-limit": lambda: caught(lambda: functions.get_backups(limit=0)),
    "functions-region": lambda: caught(lambda: functions.get_vault(VAULT)),
    "settings-malformed": lambda: settings(region="a b", pollInterval="soon", token=["t"]),
    "settings-secret-key": lambda: settings(secretKey="no secret"),
    "settings-project": lambda: settings(projectId="a/b"),
    "settings-cloud": lambda: settings(cloud="https://x"),
    "settings-service": lambda: settings(endpoints={"ecs": "https://x"}),
    "settings-url": lambda: settings(authUrl="iam"),
    "settings-interval": lambda: settings(pollInterval="0"),
    "settings-json": lambda: settings(tokens="not json"),
    "vault-inputs": lambda: " | ".join(
        f"{fault.field}: {fault.reason}"
        for fault in check_vault_inputs(
            {"destination_region": "cn-east-3", "destination_vault_id": VAULT, "name": "x"}
        )
    ),
    "vault-import": lambda: caught(lambda: cbr.VaultReplicationProvider().import_state("v-1")),
    "vault-never-answered": lambda: bring_over(shown_in_list(), FAILED_POST),
    "vault-tells-lost": lambda: tells(
        lambda api, report: whole_vault.bring_over(
            api,
            DesiredVaultReplication(SOURCE_VAULT, SOURCE, DESTINATION, VAULT),
            {},
            report,
            is_new=True,
            is_strict=True,
        ),
        backups=[shown_in_list(), EMPTY] * 20,
        post=FAILED_POST,
    ),
    "vault-elsewhere": lambda: bring_over(
        shown_in_list(record(status="replicating", destination_vault_id=OTHER)), SECOND
    ),
    "vault-no-adoption": lambda: bring_over(
        shown_in_list(record(status="replicating")), SECOND, adopt=False
    ),
    "vault-of-replicas": lambda: finding(
        vault_preflight.check_source_vault(vault(protect_type="replication"))
    ),
    "vault-of-disks": lambda: finding(
        vault_preflight.check_source_vault(vault(object_type="disk"))
    ),
    "vault-of-another-kind": lambda: finding(
        vault_preflight.check_destination_vault(
            vault(object_type="turbo"), vault(object_type="server"), None
        )
    ),
    "vault-tight": lambda: finding(
        vault_preflight.check_destination_vault(
            vault(size=100, used=51_200),
            None,
            whole_vault.VaultView(due={"a": backup(resource_size=120)}),
        )
    ),
    "vault-orphans": lambda: vault_ends(
        lambda provider: provider.diff(
            "v", vault_state(), vault_state(destination_region="cn-south-1")
        ),
        one={REPLICA: PRESENT},
    ),
    "vault-warns-let-go": lambda: vault_tells(let_go_of_orphans, one={REPLICA: PRESENT}),
    "vault-lost": lambda: vault_ends(
        lambda provider: provider.diff("v", vault_state(), vault_state(destination_vault_id=OTHER)),
        one={BACKUP: shown(record()), REPLICA: PRESENT},
        backups=[shown_in_list(record()), EMPTY],
    ),
    "vault-strays": lambda: vault_ends(
        lambda provider: provider.diff("v", vault_state(), vault_state(destination_vault_id=OTHER)),
        one={BACKUP: shown(record()), REPLICA: PRESENT},
        backups=EMPTY,
    ),
    "vault-tells-not-looked": lambda: vault_diff_tells(preflight="off"),
    "vault-tells-not-checked": lambda: vault_tells(
        lambda provider: provider.check({}, {**WAY, "vault_id": SOURCE_VAULT, "preflight": "off"})
    ),
    "vault-tells-due": vault_diff_tells,
    "vault-warns-busy": lambda: vault_diff_tells(
        record(destination_region="cn-south-1", status="replicating")
    ),
    "vault-tells-to-adopt": lambda: vault_diff_tells(record(status="replicating")),
    "vault-warns-spent": lambda: vault_diff_tells(record()),
    "vault-warns-left-out": lambda: vault_diff_tells(left_out=[BACKUP]),
    "vault-warns-elsewhere": lambda: vault_diff_tells(
        record(status="replicating", destination_vault_id=OTHER)
    ),
    "vault-warns-unclear": lambda: vault_diff_tells(record(status="paused")),
    "vault-warns-not-adopted": lambda: vault_diff_tells(record(status="replicating"), adopt=False),
    "vault-tells-unfit": lambda: vault_tells(
        lambda provider: provider.check({}, {**WAY, "vault_id": SOURCE_VAULT}),
        one={
            SOURCE_VAULT: httpx.Response(200, json={"vault": {"id": SOURCE_VAULT, "billing": {}}}),
            VAULT: httpx.Response(200, json={"vault": {"id": VAULT, "billing": {}}}),
            "replication-capabilities": CAPABILITIES,
        },
        backups=[shown_in_list(status="creating"), EMPTY],
    ),
    "vault-tells-dropped": lambda: vault_tells(
        lambda provider: provider.diff("v", UNSEEN, UNSEEN), one={BACKUP: MISSING}
    ),
    "vault-warns-doubtful": lambda: vault_tells(
        lambda provider: provider.diff("v", UNSEEN, UNSEEN),
        one={BACKUP: MISSING},
        backups=[EMPTY, EMPTY, shown_in_list(), EMPTY],
    ),
    "vault-tells-nothing": lambda: vault_tells(
        lambda provider: provider.create({**WAY, "vault_id": SOURCE_VAULT})
    ),
    "vault-tells-adopted": lambda: vault_tells(
        lambda provider: provider.create({**WAY, "vault_id": SOURCE_VAULT}),
        backups=[shown_in_list(record(status="replicating")), EMPTY],
    ),
    "vault-tells-gone": lambda: vault_tells(
        lambda provider: provider.read("v", vault_state()), one={BACKUP: shown(record())}
    ),
    "vault-warns-failed": lambda: vault_tells(
        lambda provider: provider.read("v", UNSEEN), one={BACKUP: FAILED_COPY}
    ),
    "wait-limit": lambda: waited("busy"),
    "wait-status": lambda: waited("odd"),
    "copies-failed": lambda: waited_for_copy(one=FAILED_COPY),
    "copies-unknown-status": lambda: waited_for_copy(one=shown(record(status="paused"))),
    "copies-source-gone": lambda: waited_for_copy(one=MISSING),
    "copies-record-gone": lambda: waited_for_copy(one=shown()),
    "copies-replica-gone": lambda: waited_for_copy(one=[shown(record()), MISSING]),
    "copies-unidentified": lambda: waited_for_copy(one=MISSING, backups=[EMPTY, ONE_BACKUP] * 6),
    "copies-limit": lambda: waited_for_copy(5.0, one=shown(record(status="waiting_replicate"))),
    "copies-limit-running": lambda: waited_for_copy(
        5.0, one=shown(record(status="replicating"), resource_name="erp-db-01")
    ),
    "copies-limit-source-gone": lambda: waited_for_copy(5.0, one=MISSING, logs=task("running")),
    "copies-limit-no-record": lambda: waited_for_copy(5.0, one=shown()),
    "copies-limit-no-replica": lambda: waited_for_copy(5.0, one=[shown(record()), MISSING]),
    "copies-interrupted": copy_wait_interrupted,
    "copies-import": lambda: caught(lambda: cbr.ReplicationsCompleteProvider().import_state("x")),
    "members-failed": lambda: members_refused("web-1", "web-2", of=3),
    "members-all-failed": lambda: members_refused("erp", of=1),
    "member-late": member_late,
    "set-import": lambda: caught(lambda: cbr.BackupReplicationSetProvider().import_state("x")),
    "set-no-state": lambda: set_ends(lambda provider: provider.read("set", {})),
    "set-replaced-without-source": lambda: set_ends(
        lambda provider: provider.diff("set", state(), {**state(), "destination_vault_id": OTHER}),
        one=MISSING,
        logs=task("running"),
    ),
    "set-warns-let-go": lambda: set_tells(
        delete_beside_another, one=shown(record(status="replicating"))
    ),
    "set-not-readable": lambda: set_ends(
        lambda provider: provider.read("set", state()), one=REFUSED_POST
    ),
    "set-tells-changes": lambda: set_tells(
        lambda provider: provider.diff(
            "set",
            state(preflight="off"),
            state(preflight="off", backups={"new": OTHER}),
        )
    ),
    "set-tells-renamed": lambda: set_tells(
        lambda provider: provider.diff(
            "set", state(), state(backups={"erp": {"backup_id": BACKUP, "name": "erp-dr"}})
        ),
        one=shown(record(status="replicating")),
    ),
    "set-tells-redone": lambda: set_tells(
        lambda provider: provider.diff("set", state(), state()),
        one=shown(record(status="fail", destination_backup_id=None)),
    ),
    "set-warns-not-checked": lambda: set_tells(
        lambda provider: provider.diff("set", state(), state(preflight="warn")), one=REFUSED_POST
    ),
    "set-warns-unknown": lambda: set_tells(
        lambda provider: provider.read("set", state()),
        one=shown(record(status="paused", destination_backup_id=None)),
    ),
    "set-warns-failed": lambda: set_tells(
        lambda provider: provider.read("set", state()), one=FAILED_COPY
    ),
    "submit-tells-lost": lambda: tells(
        lambda api, report: submit_or_adopt(api, DESIRED, report),
        one=shown(),
        post=FAILED_POST,
    ),
    "submit-tells-adoption": lambda: tells(
        lambda api, report: submit_or_adopt(api, DESIRED, report), one=ADOPTABLE
    ),
    "submit-tells-old-replica": lambda: tells(
        lambda api, report: submit_or_adopt(api, DESIRED, report),
        one={
            BACKUP: shown(record()),
            REPLICA: [shown(id_=REPLICA, status="deleting"), MISSING],
        },
        post=FAILED_POST,
    ),
    "fleet-tells-adoption": lambda: tells(
        lambda api, report: many.submit_all(api, {"erp": DESIRED}, report), one=ADOPTABLE
    ),
    "remove-replaced-without-source": lambda: ends(
        lambda api: one.remove_replaced(api, TRACKED, Silent(), remedy="a remedy"),
        Routes(one={BACKUP: [shown(record()), MISSING], REPLICA: shown(id_=REPLICA)}),
    ),
    "fleet-replaced-not-readable": lambda: ends(
        lambda api: many.remove_replaced_all(
            api, {"erp": TRACKED}, Silent(), Limits(), remedy="a remedy"
        ),
        Routes(one=REFUSED_POST),
    ),
    "remove-tells-pending": lambda: tells(
        lambda api, report: one.remove(api, TRACKED, report),
        one={BACKUP: shown(record()), REPLICA: [shown(id_=REPLICA), MISSING]},
        delete=DELETION_PENDING,
    ),
    "copies-tells-failure": lambda: tells(
        lambda api, report: wait_for_all(
            api,
            [{**WAY, "records": {RECORD: BACKUP, "other": OTHER}}],
            CompletionPlan(timeout_s=5.0, interval_s=10.0),
            report,
        ),
        one={
            BACKUP: FAILED_COPY,
            OTHER: shown(record(id="other", status="replicating"), id_=OTHER),
        },
    ),
    "set-tells-gone": lambda: set_tells(
        lambda provider: provider.read("set", state(members={**SET_STATE["members"], "web": SEEN})),
        one={BACKUP: shown(record(status="replicating")), OTHER: shown(record(), id_=OTHER)},
    ),
    "set-tells-adopted": lambda: set_tells(
        lambda provider: provider.check({}, {**WAY, "backups": {"erp": BACKUP}}),
        one={
            BACKUP: shown(record(status="replicating"), status="available"),
            VAULT: httpx.Response(200, json={"vault": {"id": VAULT, "billing": {}}}),
            "replication-capabilities": CAPABILITIES,
        },
    ),
    "one-replaced-without-source": lambda: one_ends(
        lambda provider: provider.diff(RECORD, ONE_STATE, {**MOVED, "preflight": "warn"}),
        one=MISSING,
        logs=task("running"),
    ),
    "one-tells-looked": lambda: one_tells(
        lambda provider: provider.diff(RECORD, ONE_STATE, {**MOVED, "preflight": "off"}),
        one=shown(record(status="replicating")),
    ),
    "one-tells-not-looked": lambda: one_tells(
        lambda provider: provider.diff(RECORD, ONE_STATE, {**MOVED, "preflight": "off"}),
        token=None,
    ),
    "one-tells-unchecked": lambda: one_tells(
        lambda provider: provider.diff(RECORD, ONE_STATE, {**ONE_STATE, "preflight": "off"})
    ),
    "one-warns-unchecked": lambda: one_tells(
        lambda provider: provider.diff(RECORD, ONE_STATE, {**ONE_STATE, "preflight": "warn"}),
        one=REFUSED_POST,
    ),
    "one-tells-failed": lambda: one_tells(
        lambda provider: provider.diff(RECORD, ONE_STATE, ONE_STATE), one=FAILED_COPY
    ),
    "one-tells-gone": lambda: one_tells(
        lambda provider: provider.diff(RECORD, ONE_STATE, ONE_STATE),
        one={BACKUP: shown(record())},
    ),
    "one-tells-dropped": lambda: one_tells(
        lambda provider: provider.read(RECORD, ONE_STATE), one={BACKUP: shown(record())}
    ),
    "one-warns-failed": lambda: one_tells(
        lambda provider: provider.read(RECORD, ONE_STATE), one=FAILED_COPY
    ),
    "one-tells-held": lambda: one_tells(remove_what_another_has),
    "one-tells-claimed": lambda: one_tells(remove_what_another_declares),
    "one-delete-first-without-source": lambda: one_ends(
        delete_replaced, one={REPLICA: shown(id_=REPLICA)}
    ),
    "set-tells-held": lambda: set_tells(remove_what_another_has),
    "set-tells-claimed": lambda: set_tells(remove_what_another_declares),
    "set-create-first-without-source": lambda: set_ends(
        delete_after_create, one={REPLICA: shown(id_=REPLICA)}
    ),
    "set-tells-kept": lambda: set_tells(
        lambda provider: provider.update("set", state(), state(backups=NEWER, keep_newest=1)),
        one=[shown(record(status="replicating")), shown(id_=OTHER)],
        post=REFUSED_POST,
    ),
    "set-expired-before-copied": lambda: set_ends(
        lambda provider: provider.create(state(keep_newest=1)), one=MISSING
    ),
}

EXPECTED = {
    "auth-nothing": (
        "no credentials are configured; set huaweicloud:accessKey and "
        "huaweicloud:secretKey (with --secret), or huaweicloud:userName, "
        "huaweicloud:password (with --secret) and huaweicloud:domainName, or "
        "huaweicloud:token (with --secret); or the environment variables HW_ACCESS_KEY "
        "and HW_SECRET_KEY, or HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME, or "
        "HW_AUTH_TOKEN; or what the vendor's tools read: HUAWEICLOUD_OIDC_…, "
        "HUAWEICLOUD_SDK_IDP_ID, ~/.huaweicloud/credentials"
    ),
    "chain-part": (
        "getting keys with an identity provider's token needs also "
        "HUAWEICLOUD_SDK_ID_TOKEN_FILE; set it, or unset HUAWEICLOUD_SDK_IDP_ID"
    ),
    "chain-oidc": (
        "getting keys with an OIDC token: HTTP 403: no; check that "
        "HUAWEICLOUD_OIDC_PROVIDER_URN and HUAWEICLOUD_OIDC_AGENCY_URN belong together, and "
        "that the token is fresh"
    ),
    "chain-identity-provider": (
        "getting keys with an identity provider's token: HTTP 403: no; check "
        "HUAWEICLOUD_SDK_IDP_ID, and that the token in HUAWEICLOUD_SDK_ID_TOKEN_FILE is "
        "fresh"
    ),
    "chain-pod": (
        "getting keys with pod identity: HTTP 403: no; check the pod's service account and "
        "its agency"
    ),
    "chain-profile": (
        "getting keys with the profile file '/home/ops/credentials': HTTP 403: no; want a "
        "section [basic] with ak and sk, or with idp_id and id_token_file"
    ),
    "chain-profile-not-readable": (
        "getting keys with the profile file '/home/ops/credentials': ParsingError: the file "
        "cannot be read; want a section [basic] with ak and sk, or with idp_id and "
        "id_token_file"
    ),
    "chain-agency": (
        "no credentials are configured, and this machine's metadata service "
        "(http://169.254.169.254) gives none: HTTP 403: no; set huaweicloud:accessKey and "
        "huaweicloud:secretKey (with --secret), or huaweicloud:userName, "
        "huaweicloud:password (with --secret) and huaweicloud:domainName, or "
        "huaweicloud:token (with --secret); or the environment variables HW_ACCESS_KEY "
        "and HW_SECRET_KEY, or HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME, or "
        "HW_AUTH_TOKEN; or what the vendor's tools read: HUAWEICLOUD_OIDC_…, "
        "HUAWEICLOUD_SDK_IDP_ID, ~/.huaweicloud/credentials"
    ),
    "chain-proxy": (
        "no credentials are configured, and this machine's metadata service "
        "(http://169.254.169.254) gives none: HTTP_PROXY would be handed the keys, add "
        "'169.254.169.254' to NO_PROXY; set huaweicloud:accessKey and "
        "huaweicloud:secretKey (with --secret), or huaweicloud:userName, "
        "huaweicloud:password (with --secret) and huaweicloud:domainName, or "
        "huaweicloud:token (with --secret); or the environment variables HW_ACCESS_KEY "
        "and HW_SECRET_KEY, or HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME, or "
        "HW_AUTH_TOKEN; or what the vendor's tools read: HUAWEICLOUD_OIDC_…, "
        "HUAWEICLOUD_SDK_IDP_ID, ~/.huaweicloud/credentials"
    ),
    "chain-refused": (
        "the keys come from pod identity; check the pod's service account and its agency"
    ),
    "auth-part": (
        "signing in with a user name needs also huaweicloud:password (or "
        "HW_USER_PASSWORD), huaweicloud:domainName (or HW_DOMAIN_NAME); domainName is "
        "the account's name, userName the IAM user's"
    ),
    "auth-half-a-key": (
        "signing with an access key needs also huaweicloud:secretKey (or "
        "HW_SECRET_KEY); give both, or none of accessKey, secretKey and securityToken"
    ),
    "auth-wrong-secret-key": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 401: Incorrect IAM "
        "authentication information: verify aksk signature fail; check "
        "huaweicloud:secretKey (or HW_SECRET_KEY), that it belongs to the access key, "
        "and for temporary keys huaweicloud:securityToken (or HW_SECURITY_TOKEN) "
        "[APIGW.0301]"
    ),
    "auth-refused-before": (
        "signing with an access key that was refused less than 5 minutes ago: HTTP 401: "
        "Incorrect IAM authentication information: verify aksk signature fail; check "
        "huaweicloud:secretKey (or HW_SECRET_KEY), that it belongs to the access key, "
        "and for temporary keys huaweicloud:securityToken (or HW_SECURITY_TOKEN) "
        "[APIGW.0301]"
    ),
    "auth-unknown-access-key": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 401: Incorrect IAM "
        "authentication information: ak DEMO not exist; check huaweicloud:accessKey (or "
        "HW_ACCESS_KEY); a temporary key has to come with huaweicloud:securityToken (or "
        "HW_SECURITY_TOKEN) [APIGW.0301]"
    ),
    "auth-locked-access-key": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 401: Incorrect IAM "
        "authentication information: AK access failed to reach the limit,forbidden; the "
        "access key is locked after wrong signatures: correct the secret key wherever "
        "it is used, wait 5 minutes, then run the same command again [APIGW.0301]"
    ),
    "auth-skewed-clock": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 401: Incorrect IAM "
        "authentication information: signature expired, signature time:1,server time:2; "
        "set this machine's clock: more than 15 minutes off the service's is refused "
        "[APIGW.0301]"
    ),
    "auth-skewed-clock-by-date": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 401: Incorrect IAM "
        "authentication information: x; set this machine's clock: it is 1 h 30 min "
        "behind the service's [APIGW.0301]"
    ),
    "auth-expired-keys": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 401: Incorrect IAM "
        "authentication information: token expires, expires_at: 2025; the temporary "
        "keys have expired, get new ones: access key, secret key, security token "
        "[APIGW.0301]"
    ),
    "auth-foreign-security-token": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 401: Incorrect IAM "
        "authentication information: decrypt token fail; check "
        "huaweicloud:securityToken (or HW_SECURITY_TOKEN): it belongs to one pair of "
        "temporary keys alone [APIGW.0301]"
    ),
    "auth-no-token-of-project": (
        "no token is configured for region 'cn-north-4', project "
        "(c6cb0876eaee4f5092d0fdf4c4fc09b3); set huaweicloud:tokens (or HW_AUTH_TOKENS) "
        "for 'c6cb0876eaee4f5092d0fdf4c4fc09b3'"
    ),
    "auth-no-header": (
        "signing in as user 'ops' to project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP "
        "201 without a token in X-Subject-Token; check huaweicloud:authUrl or the 'iam' "
        "member of huaweicloud:endpoints"
    ),
    "auth-refused": (
        "signing in as user 'ops' to project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP "
        "401: Wrong; check huaweicloud:userName, huaweicloud:password and "
        "huaweicloud:domainName"
    ),
    "session-insecure": (
        "huaweicloud:insecure is true: no certificate is verified, so that whoever is on the "
        "way can read and change what is sent; huaweicloud:caFile trusts a private CA instead"
    ),
    "client-redirect": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 302 redirects elsewhere, "
        "which is not followed; credentials go to configured hosts alone: check "
        "huaweicloud:endpoints, huaweicloud:authUrl and the proxy"
    ),
    "client-redirect-to": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 302 redirects to "
        "'https://portal.test', which is not followed; credentials go to configured hosts "
        "alone: check huaweicloud:endpoints, huaweicloud:authUrl and the proxy"
    ),
    "client-too-large": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): the answer of "
        "'cbr.cn-north-4.myhuaweicloud.com' is longer than 1 MiB, and was not read to its "
        "end; check the endpoint; a proxy may have answered in the service's place"
    ),
    "client-too-many-values": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): the answer of "
        "'cbr.cn-north-4.myhuaweicloud.com' has more than 1,000 values, and was not read to "
        "its end; check the endpoint; a proxy may have answered in the service's place"
    ),
    "client-no-region": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'a/b', project (p): "
        "'a/b' is not a valid region; want one such as 'cn-north-4'"
    ),
    "client-ca-file": (
        "huaweicloud:caFile (or HW_CA_FILE): '/nowhere/ca.pem' cannot be used: No such "
        "file or directory; want a file of PEM certificates"
    ),
    "client-authorities": (
        "SSL_CERT_FILE cannot be used: No such file or directory; want a file of PEM certificates"
    ),
    "client-call-limit": (
        "submitting replication of backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to "
        "region 'cn-east-3': no complete answer within 0 s; run the same command again"
    ),
    "client-not-sent": (
        "submitting replication of backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to "
        "region 'cn-east-3': no answer from 'cbr.cn-north-4.myhuaweicloud.com': "
        "Connection refused; check the network, the proxy and that "
        "'cbr.cn-north-4.myhuaweicloud.com' is the right endpoint"
    ),
    "client-not-sent-to-host-in-doubt": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'eu-west-101', "
        "project (p): no answer from 'cbr.eu-west-101.myhuaweicloud.eu': [Errno -2] Name "
        "or service not known; check the network and the proxy; if they are well, CBR may "
        "be at 'cbr.eu-west-101.myhuaweicloud.com', as another of the vendor's tables says: "
        "set the 'cbr' member of huaweicloud:endpoints (or HW_ENDPOINTS) to "
        "'https://cbr.{region}.myhuaweicloud.com'"
    ),
    "client-certificate": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): no answer from "
        "'cbr.cn-north-4.myhuaweicloud.com': certificate verify failed; check the proxy and "
        "that 'cbr.cn-north-4.myhuaweicloud.com' is the right endpoint; a private CA goes "
        "into huaweicloud:caFile (or HW_CA_FILE)"
    ),
    "client-no-answer": (
        "submitting replication of backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to "
        "region 'cn-east-3': no answer from 'cbr.cn-north-4.myhuaweicloud.com': "
        "ReadTimeout; the connection broke before an answer came, run the same command "
        "again"
    ),
    "responses-refused": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 404: The backup does not "
        "exist; check the backup id, its project and its region [BackupService.6200]"
    ),
    "responses-other-form": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): the answer is not of the "
        "documented form: the body: Object missing required field `backup`; check the "
        "endpoint; a proxy may have answered in the service's place"
    ),
    "clock-interrupted": (
        "interrupted while waiting; what was begun goes on in CBR; run the same command "
        "again to go on"
    ),
    "decide-project": (
        "destination_project_id: replica (b28ce54c-70d0-42e4-ac6b-ff8723571da3) of "
        "replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) is in project "
        "(other), want (863129926600475a959e8f2efb991722); CBR keeps one replica of a "
        "backup per region: delete it, or set destination_project_id to 'other' to "
        "adopt it"
    ),
    "decide-vault": (
        "destination_vault_id: replica (b28ce54c-70d0-42e4-ac6b-ff8723571da3) of "
        "replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) is in vault "
        "(0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a), want "
        "(ca0083e4-1bda-48ca-af6d-aa9c8c93bc85); CBR keeps one replica of a backup per "
        "region: delete it, or set destination_vault_id to "
        "'0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a' to adopt it"
    ),
    "decide-vault-copying": (
        "destination_vault_id: a copy under way of replication record "
        "(22edc1e1-314b-4e5f-a443-a59fd79a71a8) is in vault "
        "(0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a), want "
        "(ca0083e4-1bda-48ca-af6d-aa9c8c93bc85); CBR keeps one replica of a backup per "
        "region: delete it, or set destination_vault_id to "
        "'0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a' to adopt it"
    ),
    "decide-no-adoption": (
        "adopt: replica (b28ce54c-70d0-42e4-ac6b-ff8723571da3) of replication record "
        "(22edc1e1-314b-4e5f-a443-a59fd79a71a8) exists already; set adopt to true to "
        "take it over, or delete it first"
    ),
    "decide-unknown-status": (
        "backup_id: replica (b28ce54c-70d0-42e4-ac6b-ff8723571da3) of replication "
        "record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) has status 'suspended', which "
        "this version does not know; look at it in the CBR console; a newer version of "
        "this package may know it"
    ),
    "find-replicas-of-resource": (
        "looking for it: neither the source backup's records nor the operation log names it "
        "any more, and vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) in region 'cn-east-3', "
        "project (863129926600475a959e8f2efb991722) holds 1 replica(s) of the same resource "
        "that could be it: 'erp-dr' (b28ce54c-70d0-42e4-ac6b-ff8723571da3); look at them in "
        "the CBR console, and delete there what is no longer needed; where all are needed, drop "
        "the resource with pulumi state delete, which deletes no replica: declared again, it "
        "adopts what CBR still names"
    ),
    "find-no-project": (
        "looking up the project of region 'cn-east-3' in IAM: found 0 of that name; "
        "check the region's name and the user's access to it, or give the project id"
    ),
    "find-endless-pages": (
        "listing backups in region 'cn-east-3', project "
        "(863129926600475a959e8f2efb991722): 2 pages, and no end; check the "
        "endpoint; a proxy may have answered in the service's place"
    ),
    "proxy-unusable": (
        "HTTPS_PROXY names a proxy that cannot be used: its scheme is 'ftp', want one of http, "
        "https, socks5, socks5h; correct it, or unset it, or add "
        "'cbr.cn-north-4.myhuaweicloud.com' to NO_PROXY"
    ),
    "list-lacks-rows": (
        "listing backups in region 'cn-east-3', project (863129926600475a959e8f2efb991722): "
        "the list lacks rows each time that it is read, 4 times so far: CBR counts 2 rows, and "
        "shows 1; nothing is taken for gone because of such a list; run the same command again "
        "later, and ask the vendor's support if it stays so"
    ),
    "list-rows-moved": (
        "listing backups in region 'cn-east-3', project (863129926600475a959e8f2efb991722): "
        "the list lacks rows each time that it is read, 4 times so far: rows moved while its "
        "pages were read; nothing is taken for gone because of such a list; run the same command "
        "again later, and ask the vendor's support if it stays so"
    ),
    "find-answer-is-about": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): the answer is about "
        "(0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a); check the endpoint; a proxy may have "
        "answered in the service's place"
    ),
    "find-id-that-does-not-exist": (
        "reading backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', "
        "project (c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 401: Malformed request url "
        "(the project answers, so it is the id that does not exist)"
    ),
    "inputs-missing": (
        "backup_id: is missing; give the id of the backup to copy | destination_region: "
        "is missing; give the id of the region to copy to, such as 'cn-east-3' | "
        "destination_vault_id: is missing; give the id of a replication vault in the "
        "destination region"
    ),
    "inputs-unknown": (
        "vault: is not an input of a backup replication; known: backup_id, "
        "destination_region, destination_vault_id, destination_project_id, name, "
        "description, enable_acceleration, source_region, source_project_id, adopt, "
        "preflight"
    ),
    "inputs-no-uuid": (
        "backup_id: 'autobk_7c1e' is not a UUID; want 32 hexadecimal digits in the form "
        "8-4-4-4-12, as the console shows it"
    ),
    "inputs-uuid-type": "backup_id: 7 is a number; want a UUID as text",
    "inputs-list": "name: is a list; want text",
    "inputs-object": "destination_region: is an object; want text",
    "inputs-name": (
        "name: 'db/nightly' contains '/'; allowed are letters, digits, CJK, '_' and "
        "'-', 1 to 64 characters"
    ),
    "inputs-region-empty": (
        "destination_region: is empty; allowed are letters, digits, '.', '_' and '-', 1 "
        "to 255 characters"
    ),
    "inputs-project": (
        "source_project_id: "
        "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' has 65 "
        "characters; allowed are letters, digits, '_' and '-', 1 to 64 characters"
    ),
    "inputs-description": (
        "description: 'a<b' contains '<'; allowed are all characters but '<' and '>', 0 "
        "to 255 of them"
    ),
    "inputs-description-long": (
        "description: "
        "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… "
        "has 256 characters; allowed are all characters but '<' and '>', 0 to 255 of "
        "them"
    ),
    "inputs-flag": "adopt: 'yes' is text; want true or false",
    "inputs-mode": "preflight: 'no' is not a mode of preflight; want 'error', 'warn' or 'off'",
    "inputs-mode-type": "preflight: True is a truth value; want 'error', 'warn' or 'off'",
    "inputs-count": "keep_newest: 1000000 is more than the 100000 backups that can be kept",
    "filters-unknown": (
        "limit: is not an input of a selection of backups; known: vault_id, resource_id, "
        "resource_name, name, created_since, created_until"
    ),
    "filters-time": (
        "created_since: '2026-11-20' is no such time; want a time in UTC, such as "
        "'2026-11-20T02:00:00Z'"
    ),
    "filters-text": "resource_name: ' ' is no name or id that a backup could have",
    "submit-never-answered": (
        "submitting replication of backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to "
        "region 'cn-east-3': 3 submissions were neither answered nor found; run pulumi "
        "up again: it looks for the copy before it submits one"
    ),
    "submit-second-copy": (
        "submitting replication of backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to "
        "region 'cn-east-3': CBR says that the backup has been copied there, but lists "
        "no replication record of it; look for the replica in the CBR console of that "
        "region, and delete it there [BackupService.1009]"
    ),
    "submit-refused": (
        "submitting replication of backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to "
        "region 'cn-east-3': a copy under way of replication record "
        "(22edc1e1-314b-4e5f-a443-a59fd79a71a8) is in vault "
        "(0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a), want "
        "(ca0083e4-1bda-48ca-af6d-aa9c8c93bc85); CBR keeps one replica of a backup per "
        "region: delete it, or set destination_vault_id to "
        "'0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a' to adopt it"
    ),
    "adopt-not-renamed": (
        "adopting replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8): renaming "
        "backup (b28ce54c-70d0-42e4-ac6b-ff8723571da3) in region 'cn-east-3', project "
        "(863129926600475a959e8f2efb991722) to 'erp-dr': HTTP 404: The backup does not "
        "exist; check the backup id, its project and its region [BackupService.6200]"
    ),
    "import-not-listed": (
        "looking for replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) of "
        "backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d): the backup does not list it; "
        "listed: other"
    ),
    "import-replica-gone": (
        "looking for replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) of "
        "backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d): its replica is gone; there is "
        "nothing to import"
    ),
    "rename-gone": (
        "renaming the replica of replication record "
        "(22edc1e1-314b-4e5f-a443-a59fd79a71a8) to 'new': it does not exist any more; "
        "run pulumi refresh, then pulumi up to copy the backup again"
    ),
    "checks-no-backup": (
        "backup_id: backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) does not exist in region "
        "'cn-north-4', project (c6cb0876eaee4f5092d0fdf4c4fc09b3); it may have expired: give "
        "another backup_id, or check source_region and source_project_id"
    ),
    "checks-no-vault": (
        "destination_vault_id: vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) does not exist in "
        "region 'cn-east-3', project (863129926600475a959e8f2efb991722); check "
        "destination_vault_id, destination_region and destination_project_id"
    ),
    "preflight-replica": (
        "backup_id: backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) is itself a replica, "
        "which cannot be copied again; give the original backup's id"
    ),
    "preflight-status": (
        "backup_id: backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) has status 'error', "
        "want 'available'; wait for it or choose another backup"
    ),
    "preflight-not-ecs": (
        "backup_id: backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) is of resource type "
        "'OS::Native::Server', which is not an ECS server; choose the backup of an ECS "
        "server or of an SFS Turbo file system"
    ),
    "preflight-disk": (
        "backup_id: backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) is of resource type "
        "'OS::Cinder::Volume', which cannot be copied; choose a server or SFS Turbo "
        "backup"
    ),
    "preflight-system-disk": (
        "backup_id: backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) lacks the server's "
        "system disk; back the server up with its system disk and copy that backup"
    ),
    "preflight-region": (
        "destination_region: 'mars' is not among the regions that 'cn-north-4' can copy "
        "to; choose one of: cn-east-3, cn-south-1"
    ),
    "preflight-no-region": (
        "destination_region: 'cn-north-4' is the source region itself; CBR copies from "
        "there to no region at all"
    ),
    "preflight-vault-type": (
        "destination_vault_id: vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) has "
        "protect_type 'backup', want 'replication'; give a replication vault's id"
    ),
    "preflight-vault-frozen": (
        "destination_vault_id: vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) has status "
        "'frozen', want 'available'; settle its bill or choose another vault"
    ),
    "preflight-vault-deleting": (
        "destination_vault_id: vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) has status "
        "'deleting', want 'available'; wait for it or choose another vault"
    ),
    "preflight-vault-object": (
        "destination_vault_id: vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) holds "
        "object type 'turbo', want 'server' for a backup of OS::Nova::Server; give a "
        "vault of that type"
    ),
    "preflight-vault-full": (
        "destination_vault_id: vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) is full "
        "(100 GB); enlarge it or free room in it"
    ),
    "preflight-vault-tight": (
        "destination_vault_id: vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) has 50.0 GB "
        "free of 100 GB, and this backup's resource has 120 GB; enlarge the vault or "
        "free room in it"
    ),
    "provider-not-configured": (
        "the provider was not configured by the engine; resources of this package are "
        "only used through pulumi"
    ),
    "provider-no-source-region": (
        "source_region: is missing; give the region of the backup here or as "
        "huaweicloud:region (or HW_REGION_NAME)"
    ),
    "provider-bad-setting": (
        ": huaweicloud:region (or HW_REGION_NAME): is 'a b'; want a region id such as 'cn-north-4'"
    ),
    "provider-time-limit": (
        "the time limit of 0 s that the program sets in custom_timeouts was reached; "
        "what was begun goes on in CBR; run the same command again to go on"
    ),
    "provider-import-id": (
        "importing 'erp': this is not a valid id of a replication; want "
        "SOURCE_REGION/BACKUP_ID/RECORD_ID, or BACKUP_ID/RECORD_ID for a backup in "
        "huaweicloud:region"
    ),
    "provider-no-state": (
        "reading replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8): backup_id, "
        "source_region, source_project_id, destination_region, destination_project_id, "
        "destination_vault_id not known; a record's id alone does not tell where it is; "
        "declare the resource, and create adopts the replica that exists"
    ),
    "functions-limit": "get_backups: limit is 0, want at least 1",
    "functions-region": (
        "no region is given; pass region, or set huaweicloud:region (or HW_REGION_NAME)"
    ),
    "settings-malformed": (
        "huaweicloud:region (or HW_REGION_NAME): is 'a b'; want a region id such as "
        "'cn-north-4' | huaweicloud:token (or HW_AUTH_TOKEN): want text | "
        "huaweicloud:pollInterval (or HW_POLL_INTERVAL): is 'soon'; want a number of "
        "seconds"
    ),
    "settings-secret-key": (
        "huaweicloud:secretKey (or HW_SECRET_KEY): want letters, digits and signs "
        "without spaces or line breaks"
    ),
    "settings-project": (
        "huaweicloud:projectId (or HW_PROJECT_ID): is 'a/b'; want a project id, 32 "
        "hexadecimal digits as a rule"
    ),
    "settings-cloud": (
        "huaweicloud:cloud (or HW_CLOUD): is 'https://x'; want a domain such as 'myhuaweicloud.com'"
    ),
    "settings-service": (
        "huaweicloud:endpoints (or HW_ENDPOINTS): is {'ecs': 'https://x'}; unknown "
        "service 'ecs', known are 'cbr' and 'iam'"
    ),
    "settings-url": (
        "huaweicloud:authUrl (or HW_AUTH_URL): is 'iam'; want a URL such as "
        "'https://cbr.{region}.myhuaweicloud.com'"
    ),
    "settings-interval": (
        "huaweicloud:pollInterval (or HW_POLL_INTERVAL): is '0'; want seconds from 0.01 to 3600"
    ),
    "settings-json": (
        "huaweicloud:tokens (or HW_AUTH_TOKENS): want a JSON object, got text that is "
        "not JSON; pulumi config set --path sets one member at a time"
    ),
    "wait-limit": "waiting for it: still 'busy' (progress 41 %) after 1 h; it goes on",
    "vault-inputs": (
        "vault_id: is missing; give the id of the vault whose backups to copy | name: is not an "
        "input of a vault's replication; known: vault_id, destination_region, "
        "destination_vault_id, destination_project_id, enable_acceleration, source_region, "
        "source_project_id, adopt, preflight"
    ),
    "vault-import": (
        "importing 'v-1': the replication of a vault has no id in CBR; declare it, and create "
        "adopts the replicas that exist"
    ),
    "vault-tells-lost": (
        "submitting replication of vault (de587d5d-f63e-4ea1-a892-5935070352ba) to region "
        "'cn-east-3': HTTP 502: the answer was empty; looking what is being copied"
    ),
    "vault-never-answered": (
        "submitting replication of vault (de587d5d-f63e-4ea1-a892-5935070352ba) to region "
        "'cn-east-3': 3 submissions were neither answered nor found; run pulumi up again: it "
        "looks for the copies before it submits any"
    ),
    "vault-elsewhere": (
        "submitting replication of vault (de587d5d-f63e-4ea1-a892-5935070352ba) to region "
        "'cn-east-3': 1 of the backups cannot come into vault "
        "(ca0083e4-1bda-48ca-af6d-aa9c8c93bc85): 'erp-db-01@2026-11-20T02:00:11': a copy under way"
        " of replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) is in vault "
        "(0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a), want (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85); CBR "
        "keeps one replica of a backup per region: delete these, or set preflight to 'warn' to "
        "copy the others only"
    ),
    "vault-no-adoption": (
        "submitting replication of vault (de587d5d-f63e-4ea1-a892-5935070352ba) to region "
        "'cn-east-3': already in vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85), or on the way to "
        "it: 'erp-db-01@2026-11-20T02:00:11'; set adopt to true to take these over, or delete them"
        " first"
    ),
    "vault-of-replicas": (
        "vault_id: vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) holds replicas, which cannot be "
        "copied again; give the vault of the original backups"
    ),
    "vault-of-disks": (
        "vault_id: vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) holds object type 'disk', which "
        "cannot be copied; choose a vault of servers or of SFS Turbo file systems"
    ),
    "vault-of-another-kind": (
        "destination_vault_id: vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) holds object type "
        "'turbo', want 'server' as the source vault; give a vault of that type"
    ),
    "vault-tight": (
        "destination_vault_id: vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) has 50.0 GB free, and "
        "the resources of the backups to copy have 120 GB; enlarge the vault or free room in it"
    ),
    "vault-orphans": (
        "replacing the replication of a vault: the source backups of 'erp' are gone, so that "
        "their replicas would be deleted and could not be made again; leave this one as it is "
        "and declare another one beside it"
    ),
    "vault-warns-let-go": (
        "not deleted, since another resource copies the same vault to the same place, and could "
        "not adopt these, because their source backups are gone or in another vault, or CBR does "
        "not list their replication records any more: 'erp'; no resource has them now: declare "
        "them, or delete them in the CBR console when they are not wanted any more; a resource "
        "that is given another name by aliases, or by pulumi state rename, keeps all that it has"
    ),
    "vault-strays": (
        "replacing the replication of a vault: the source backups of 'erp' are not in vault "
        "(de587d5d-f63e-4ea1-a892-5935070352ba) any more, so that their replicas would be deleted "
        "and not be made again; leave this one as it is and declare another one beside it; with "
        "preflight 'warn' they are deleted nevertheless"
    ),
    "vault-lost": (
        "replacing the replication of a vault: the replicas of 1 backup in region 'cn-east-3' "
        "('erp') would be deleted, and CBR does not copy a backup to the same region again with "
        "its vault; leave this one as it is, or declare a BackupReplicationSet for the other vault"
        " instead; with preflight 'warn' they are deleted nevertheless"
    ),
    "vault-tells-not-looked": (
        "preflight is off: not looked whether the vault has backups that are not copied yet; set "
        "preflight to 'error' or 'warn' to have new ones copied"
    ),
    "vault-tells-not-checked": (
        "preflight is off: not checked whether the two vaults exist and fit, whether CBR copies "
        "between the two regions, how many backups there are to copy, and whether replicas stand "
        "in the way"
    ),
    "vault-tells-due": "1 backup will be copied: 'erp-db-01@2026-11-20T02:00:11'",
    "vault-warns-busy": (
        "1 backup will be copied: 'erp-db-01@2026-11-20T02:00:11' | copies of this vault's backups"
        " that are under way: 1; CBR refuses to copy a vault again while it is being copied as a "
        "whole: if pulumi up ends with error 6130, run it again when these have ended"
    ),
    "vault-tells-to-adopt": (
        "will be adopted, so that nothing is copied: 'erp-db-01@2026-11-20T02:00:11'"
    ),
    "vault-warns-spent": (
        "not copied, because the replica in region 'cn-east-3' was deleted, and CBR copies a "
        "backup there once with its vault: 'erp-db-01@2026-11-20T02:00:11'; declare a "
        "BackupReplication for each that is to be there again"
    ),
    "vault-warns-left-out": (
        "CBR left out 1 backup when it copied the vault, and told no reason: "
        "'erp-db-01@2026-11-20T02:00:11'; declare a BackupReplication for each, which copies it or"
        " tells why not"
    ),
    "vault-warns-elsewhere": (
        "not copied, because another vault or project of region 'cn-east-3' has the replica, and "
        "CBR keeps one per region: 'erp-db-01@2026-11-20T02:00:11'"
    ),
    "vault-warns-unclear": (
        "not copied, because a replication record has a status that this version does not know: "
        "'erp-db-01@2026-11-20T02:00:11'; look at them in the CBR console"
    ),
    "vault-warns-not-adopted": (
        "in the destination vault, or on the way to it, but not made by this resource: "
        "'erp-db-01@2026-11-20T02:00:11'; left alone, unless adopt is set to true"
    ),
    "vault-tells-unfit": (
        "not copied, because they are not available or of a kind that CBR does not copy: "
        "'erp-db-01@2026-11-20T02:00:11'"
    ),
    "vault-tells-dropped": (
        "dropped from the state, because their copies failed or their replicas are gone, and they "
        "cannot be copied with the vault at present: 'erp'"
    ),
    "vault-warns-doubtful": (
        "left as they are: nothing names the replicas of 'erp' any more, and the destination vault "
        "holds some that could be theirs; look at them in the CBR console, and delete there what "
        "is no longer needed"
    ),
    "vault-tells-nothing": (
        "no backup of the vault is copied: none can be at present; later runs of pulumi up look "
        "again"
    ),
    "vault-tells-adopted": "adopted 1 of 1 copies: they exist and are not made again",
    "vault-warns-failed": (
        "failed: 'erp' (BackupService.6129: no room); the next pulumi up copies these again, and "
        "drops those that CBR cannot copy any more"
    ),
    "vault-tells-gone": (
        "gone: 'erp'; CBR copies a backup to a region once with its vault; declare a "
        "BackupReplication for each that is to be there again"
    ),
    "wait-status": (
        "waiting for it: status 'odd' (progress 41 %), want 'done' after 'busy'; it goes on"
    ),
    "set-missing": (
        "backups: is missing; give the backups to copy: labels with ids, or a list of ids"
    ),
    "set-unknown": (
        "vault: is not an input of a set of backup replications; known: backups, "
        "keep_newest, destination_region, destination_vault_id, destination_project_id, "
        "enable_acceleration, source_region, source_project_id, adopt, preflight"
    ),
    "set-backups-type": (
        "backups: '5a863daa-7265-4c0a-822f-e66b2abcfb3d' is text; want labels with backup "
        "ids, or a list of backup ids"
    ),
    "set-backups-empty": (
        "backups: is empty, and a set without members would delete all its replicas; remove "
        "the resource if that is what you want"
    ),
    "set-count": "keep_newest: 0 is no number of backups; want a whole number, at least 1",
    "set-count-endless": (
        "keep_newest: inf is no number of backups; want a whole number, at least 1"
    ),
    "set-count-type": "keep_newest: 'two' is text; want a whole number, at least 1",
    "member-missing": 'backups["erp"]: backup_id is missing; give the id of the backup to copy',
    "member-unknown-field": (
        'backups["erp"].nmae: is no field of a member; known: backup_id, name, created_at'
    ),
    "member-moment": (
        "backups[\"erp\"].created_at: 'yesterday' is not a time as CBR writes it; want one "
        "such as '2026-11-20T02:00:11.905331'"
    ),
    "member-moment-type": (
        'backups["erp"].created_at: is a list; want the time at which the backup was made, as text'
    ),
    "member-without-moment": (
        'backups["erp"]: created_at is missing, and keep_newest goes by it; as_members() gives '
        "it, where CBR tells it"
    ),
    "member-twice": "backups[\"b\"]: names the backup of 'erp' again; leave one of them out",
    "wait-inputs-missing": "replications: is missing; give a list of replications",
    "wait-inputs-unknown": (
        "record: is not an input of a wait; known: replications, timeout, poll_interval"
    ),
    "wait-inputs-type": (
        "replications: is 'all'; want a list, each of it a replication of this package or "
        "its `tracking`"
    ),
    "wait-inputs-member": (
        "replications: [0] is 'erp'; want a replication of this package or its `tracking`"
    ),
    "wait-inputs-part": (
        "replications: [0] has no 'source_project_id'; want a replication of this package or "
        "its `tracking`"
    ),
    "wait-inputs-coordinate": "replications: [0] has source_region 7; want text",
    "wait-inputs-records": (
        "replications: [0] has records ['erp']; want record ids with their backups' ids"
    ),
    "wait-inputs-duration": (
        "timeout: 'soon' is not a valid duration; want a duration such as '30m', '4h' or '1h30m', "
        "or seconds"
    ),
    "wait-inputs-limit": (
        "timeout: '800h' is 2880000 seconds; want more than 0, up to 2592000 (30 days) | "
        "poll_interval: 0 is 0 seconds; want 0.01 to 3600"
    ),
    "submit-unseen": (
        "submitting replication of backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to region "
        "'cn-east-3': CBR says that the backup has been copied there, but the replica of "
        "replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) is not to be seen in the "
        "destination; run pulumi up again in some minutes: it adopts the replica once it is "
        "there [BackupService.1009]"
    ),
    "copies-failed": (
        "waiting for a replication: 1 failed, 0 done; run pulumi up again to copy anew what "
        "failed, and to wait for it:\n"
        "  backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to region 'cn-east-3': failed: "
        "BackupService.6129: no room"
    ),
    "copies-unknown-status": (
        "waiting for a replication: 1 failed, 0 done; run pulumi up again to copy anew what "
        "failed, and to wait for it:\n"
        "  backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to region 'cn-east-3': its record "
        "(22edc1e1-314b-4e5f-a443-a59fd79a71a8) has status 'paused', which this version does "
        "not know; look at it in the CBR console"
    ),
    "copies-source-gone": (
        "waiting for a replication: 1 failed, 0 done; run pulumi refresh, then pulumi "
        "up, to copy anew what failed, and to wait for it:\n"
        "  backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to region 'cn-east-3': the source "
        "backup was deleted, and no replica is to be seen: choose another backup"
    ),
    "copies-record-gone": (
        "waiting for a replication: 1 failed, 0 done; run pulumi refresh, then pulumi "
        "up, to copy anew what failed, and to wait for it:\n"
        "  backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to region 'cn-east-3': the backup "
        "does not list the replication record any more, and no replica is to be seen"
    ),
    "copies-replica-gone": (
        "waiting for a replication: 1 failed, 0 done; run pulumi refresh, then pulumi "
        "up, to copy anew what failed, and to wait for it:\n"
        "  backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to region 'cn-east-3': CBR says "
        "that it succeeded, but the replica is not to be seen in the destination vault: "
        "(b28ce54c-70d0-42e4-ac6b-ff8723571da3)"
    ),
    "copies-unidentified": (
        "waiting for a replication: 1 failed, 0 done; run pulumi up again to copy anew what "
        "failed, and to wait for it:\n"
        "  backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to region 'cn-east-3': nothing "
        "names its replica any more, and vault (ca0083e4-1bda-48ca-af6d-aa9c8c93bc85) holds "
        "some that could be it; look there in the CBR console"
    ),
    "copies-limit": (
        "waiting for a replication: 1 still running after 5 s, 0 of 1 done, the slowest: "
        "backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) waiting; what is running goes on in "
        "CBR: run pulumi up again to go on waiting, or give a longer timeout"
    ),
    "copies-limit-running": (
        "waiting for a replication: 1 still running after 5 s, 0 of 1 done, the slowest: "
        "erp-db-01 (5a863daa-7265-4c0a-822f-e66b2abcfb3d) progress unknown; what is running "
        "goes on in CBR: run pulumi up again to go on waiting, or give a longer timeout"
    ),
    "copies-limit-source-gone": (
        "waiting for a replication: 1 still running after 5 s, 0 of 1 done, the slowest: "
        "backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) whose source was deleted meanwhile; "
        "what is running goes on in CBR: run pulumi up again to go on waiting, or give a "
        "longer timeout"
    ),
    "copies-limit-no-record": (
        "waiting for a replication: 1 still running after 5 s, 0 of 1 done, the slowest: "
        "backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) whose record is not to be seen; what "
        "is running goes on in CBR: run pulumi up again to go on waiting, or give a longer "
        "timeout"
    ),
    "copies-limit-no-replica": (
        "waiting for a replication: not all replicas seen after 5 s, 1 of 1 done; what is "
        "running goes on in CBR: run pulumi up again to go on waiting, or give a longer "
        "timeout"
    ),
    "copies-interrupted": (
        "waiting for a replication: interrupted, 0 of 1 done; the copies go on in CBR; run "
        "pulumi up again to go on waiting"
    ),
    "copies-import": (
        "importing 'x': a wait for replications has nothing that could be imported; declare "
        "it, and pulumi up waits at once for what has ended already"
    ),
    "members-failed": (
        "replicating to region 'cn-east-3': 2 of 3 failed, the others are done; put right "
        "what is listed below, then run the same command again: it does only what is left\n"
        "  'web-1', 'web-2': The maximum capacity is reached; enlarge the destination vault, "
        "or free room in it [BackupService.6129]"
    ),
    "members-all-failed": (
        "replicating to region 'cn-east-3': 1 of 1 failed; put right what is listed below, "
        "then run the same command again: it does only what is left\n"
        "  'erp': The maximum capacity is reached; enlarge the destination vault, or free "
        "room in it [BackupService.6129]"
    ),
    "member-late": (
        "submitting: not done within 0 s; run the same command again to go on, or raise the "
        "limit in custom_timeouts"
    ),
    "set-import": (
        "importing 'x': a set of replications has no id in CBR; declare it, and create "
        "adopts the replicas that exist"
    ),
    "set-no-state": (
        "reading the state of a resource with many replications: source_region, "
        "source_project_id, destination_region, destination_project_id, destination_vault_id "
        "not known; it cannot be imported by its id; declare it, and create adopts what "
        "exists"
    ),
    "set-replaced-without-source": (
        "replacing a set of replications: the source backups of 'erp' are gone, so that "
        "their replicas would be deleted and could not be made again; leave this set as it "
        "is and declare another one for the new destination"
    ),
    "set-warns-let-go": (
        "not deleted, since another rolling set goes to the same place, and knows only what is "
        "listed: 'erp'; no resource has them now: declare them, or delete them in the CBR console "
        "when they are not wanted any more; a resource that is given another name by aliases, or "
        "by pulumi state rename, keeps all that it has"
    ),
    "set-not-readable": (
        "reading replications: 1 of 1 failed; put right what is listed below, then run the "
        "same command again: it does only what is left\n"
        "  'erp': The maximum capacity is reached; enlarge the destination vault, or free "
        "room in it [BackupService.6129]"
    ),
    "set-tells-changes": (
        "preflight is off: not checked how far the copies are by now | members that enter, "
        "to be copied or adopted: 'new' | members that leave, and whose replicas will be "
        "deleted unless other resources declare them: 'erp'"
    ),
    "set-tells-renamed": "members that will be renamed: 'erp'",
    "set-tells-redone": "members that failed or are gone, and will be copied again: 'erp'",
    "set-warns-not-checked": (
        "looking how far copies are: 1 of 1 failed; put right what is listed below, then run "
        "the same command again: it does only what is left\n"
        "  'erp': The maximum capacity is reached; enlarge the destination vault, or free "
        "room in it [BackupService.6129]"
    ),
    "set-warns-unknown": (
        "statuses that this version does not know, left as they are: 'erp: paused'; look at "
        "them in the CBR console"
    ),
    "set-warns-failed": (
        "failed: 'erp' (BackupService.6129: no room); the next pulumi up copies again what is "
        "still declared"
    ),
    "set-tells-held": "not deleted, since other resources have their replicas now: 'erp'",
    "fleet-replaced-not-readable": (
        "looking at replicas: 1 of 1 failed; put right what is listed below, then run the same "
        "command again: it does only what is left\n"
        "  'erp': The maximum capacity is reached; enlarge the destination vault, or free room in "
        "it [BackupService.6129]"
    ),
    "set-tells-claimed": "not deleted, since other resources of the program declare them: 'erp'",
    "one-tells-claimed": (
        "replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8): the replica stays, since "
        "another resource of the program declares it"
    ),
    "remove-replaced-without-source": (
        "replacing replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8): source backup "
        "(5a863daa-7265-4c0a-822f-e66b2abcfb3d) is gone by now, so replica "
        "(b28ce54c-70d0-42e4-ac6b-ff8723571da3) is the last copy: it was not deleted; a remedy"
    ),
    "one-delete-first-without-source": (
        "replacing replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8): source backup "
        "(5a863daa-7265-4c0a-822f-e66b2abcfb3d) is gone by now, so replica "
        "(b28ce54c-70d0-42e4-ac6b-ff8723571da3) is the last copy: it was not deleted; declare "
        "again what was declared before, or remove the resource if nobody wants its replicas any "
        "more"
    ),
    "set-create-first-without-source": (
        "replacing replications: the source backups of 'erp' are gone by now, so their replicas "
        "are the last copies: nothing was deleted; the new copies were begun first, and the next "
        "pulumi up deletes the old replicas: run it when the new copies have succeeded"
    ),
    "set-expired-before-copied": (
        "replicating to region 'cn-east-3': 1 of 1 failed; put right what is listed below, then "
        "run the same command again: it does only what is left\n"
        "  'erp': The backup does not exist; it went before it was copied: run pulumi refresh, "
        "then pulumi up, which leaves it out [BackupService.6200]"
    ),
    "set-tells-kept": "kept for now, since newer members failed: 'erp'",
    "set-tells-gone": "gone: 'web'; the next pulumi up copies again what is still declared",
    "set-tells-adopted": "will be adopted, so that nothing is copied: 'erp'",
    "one-replaced-without-source": (
        "replacing replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8): source backup "
        "(5a863daa-7265-4c0a-822f-e66b2abcfb3d) is gone, so that its replica would be deleted and "
        "could not be made again; leave the resource as it is, or remove it if nobody wants the "
        "replica any more"
    ),
    "one-tells-looked": (
        "preflight is off, but a replacement deletes: looked nevertheless whether what it deletes "
        "could be made again"
    ),
    "one-tells-not-looked": (
        "preflight is off, and there are no credentials: not looked whether what a replacement "
        "deletes could be made again; pulumi up looks before it deletes"
    ),
    "one-tells-unchecked": "preflight is off: not checked how far the copy is by now",
    "one-warns-unchecked": (
        "not checked how far the copy is by now: reading backup "
        "(5a863daa-7265-4c0a-822f-e66b2abcfb3d) in region 'cn-north-4', project "
        "(c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 400: The maximum capacity is reached; "
        "enlarge the destination vault, or free room in it [BackupService.6129]"
    ),
    "one-tells-failed": (
        "replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) failed "
        "(BackupService.6129: no room), so the backup will be copied again"
    ),
    "one-tells-gone": (
        "the replica of replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) is gone, "
        "so the backup will be copied again"
    ),
    "one-tells-dropped": (
        "the replica of replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) is gone: "
        "dropped from the state; the next pulumi up copies the backup again"
    ),
    "one-warns-failed": (
        "replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) failed "
        "(BackupService.6129: no room); the next pulumi up copies the backup again"
    ),
    "one-tells-held": (
        "replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8): the replica stays, since a "
        "resource has adopted it"
    ),
    "submit-tells-lost": (
        "submitting replication of backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to region "
        "'cn-east-3': HTTP 502: the answer was empty; looking whether it was accepted"
    ),
    "submit-tells-adoption": (
        "adopting replication record (22edc1e1-314b-4e5f-a443-a59fd79a71a8) with status "
        "'success': nothing is copied again"
    ),
    "submit-tells-old-replica": (
        "waiting until the old replica (b28ce54c-70d0-42e4-ac6b-ff8723571da3) is deleted | "
        "submitting replication of backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to region "
        "'cn-east-3': HTTP 502: the answer was empty; looking whether it was accepted"
    ),
    "fleet-tells-adoption": "adopted 1 of 1: these are not copied again",
    "remove-tells-pending": (
        "deleting backup (b28ce54c-70d0-42e4-ac6b-ff8723571da3) in region 'cn-east-3', "
        "project (863129926600475a959e8f2efb991722): HTTP 400: The backup is being deleted "
        "[BackupService.6201]; waiting to see whether a deletion is under way"
    ),
    "copies-tells-failure": (
        "backup (5a863daa-7265-4c0a-822f-e66b2abcfb3d) to region 'cn-east-3': failed: "
        "BackupService.6129: no room; the other copies are waited for"
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_word_for_word(name: str) -> None:
    """One line: what was being done or given, what was observed, what to do.

    Where it is about many, a list of lines follows.
    """
    text = TEXTS[name]()

    assert EXPECTED[name] == text
    head, *list_ = text.splitlines()
    assert not head.endswith(":") or list_
    assert all(line.startswith("  ") for line in list_)


def test_texts_are_all_expected() -> None:
    """Each text has its words, and the other way round."""
    assert set(EXPECTED) == set(TEXTS)


def test_unexpected_error_tells_how_to_report_it() -> None:
    """A fault of ours names versions, asks for a report, and keeps its traceback, redacted."""
    remember_secret("hunter2-of-the-texts")

    @provider_base.served
    def create() -> None:
        raise RuntimeError("with hunter2-of-the-texts")

    head, *traceback = caught(create).splitlines()

    assert re.fullmatch(
        r"unexpected RuntimeError in pulumi-huaweicloud-cbr [\d.]+ "
        r"\(pulumi [\d.]+, Python [\d.]+\); this is a fault of the package, please report it "
        r"with all that follows to those you have it from. What was begun is found again: the "
        r"same command may be run again.",
        head,
    )
    assert "Traceback (most recent call last):" == traceback[0]
    assert "RuntimeError: with [secret]" == traceback[-1]


def test_unexpected_fault_of_a_member_is_to_be_reported() -> None:
    """Among what failed a fault of ours stands out, with its traceback, redacted."""
    remember_secret("hunter2-of-a-member")

    async def run(_: object) -> None:
        raise RuntimeError("with hunter2-of-a-member")

    results = anyio.run(many.for_each, {"erp": run}, "submitting", Silent())
    text = str(many.MembersFailedError("submitting", 1, results.failed))

    assert (
        "  'erp': unexpected RuntimeError; this is a fault of the package, please report it with "
        "all that follows"
    ) == text.splitlines()[1]
    assert text.rstrip().endswith("RuntimeError: with [secret]")


# -- no text without its words here ---------------------------------------------------------

# Commands talk to a terminal, and have tests of their own; the plugin host's errors are about
# resources that are not ours.
ELSEWHERE = ("commands", "plugin")
# Here every text ends up in a finding, however it is put together.
REASONS = (
    "replication/wait/copies.py",
    "replication/rules/inputs.py",
    "replication/rules/fitness.py",
    "replication/wait/tracking.py",
)
WRITERS = {"Finding", "Refuse", "ValueError", "kind", "tell", "warn"}
"""What takes a text, beside the errors: `ValueError` in a model's validator, `kind` for a class
that is chosen at run time. `tell` and `warn` show it beside a resource's row."""
SHORTEST = 6


def is_writer(node: ast.AST) -> bool:
    """Return whether a call makes an error, a finding or a refusal."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr == "tell"
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    return name in WRITERS or name in ERROR_NAMES


def subclasses(kind: type) -> set[type]:
    """Return a class and all below it."""
    found = {kind}
    below: type
    for below in kind.__subclasses__():
        found |= subclasses(below)
    return found


ERROR_NAMES = {kind.__name__ for kind in subclasses(errors.CbrError)}


def fragments(node: ast.AST, docstrings: set[int]) -> Iterator[str]:
    """Yield the constant parts of the texts below a node."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and id(inner) not in docstrings:
            value = inner.value
            if isinstance(value, str) and " " in value.strip() and len(value) >= SHORTEST:
                yield value


def docstrings_of(tree: ast.AST) -> set[int]:
    """Return the constants that are no more than documentation."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def written_texts() -> Iterator[tuple[str, str]]:
    """Yield the place of each constant part of a text, and the part."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.split("/")[0] in ELSEWHERE or name in ("base/errors.py", "base/text.py"):
            continue
        tree = ast.parse(path.read_text())
        docstrings = docstrings_of(tree)
        nodes = [tree] if name in REASONS else [n for n in ast.walk(tree) if is_writer(n)]
        for node in nodes:
            for part in fragments(node, docstrings):
                yield f"{name}:{getattr(node, 'lineno', '')}", part


def test_every_text_has_its_words_here() -> None:
    """A text that nobody has read aloud is not shown to a user."""
    pinned = "\n".join(EXPECTED.values())

    unread = {f"{place}: {part!r}" for place, part in written_texts() if part not in pinned}
    assert set() == unread, "add them to TEXTS and EXPECTED, with the code that writes them"


def test_texts_of_the_package_are_found() -> None:
    """The last test is about something: it sees the raises of all layers."""
    places = {place.split(":")[0] for place, _ in written_texts()}

    assert {
        "api/auth/choose.py",
        "api/client.py",
        "api/find.py",
        "replication/one.py",
        "replication/observe.py",
        "replication/submit.py",
        "replication/wait/polling.py",
    } <= places
    assert {
        "replication/rules/decisions.py",
        "replication/rules/inputs.py",
        "replication/rules/fitness.py",
        "config/settings.py",
    } <= places
    assert {"engine/provider.py", "engine/session.py", "resources/functions.py"} <= places
