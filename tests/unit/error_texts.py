"""Every text that a user can read, produced by the code that writes it.

`make tables` writes the texts to `tests/fixtures/texts.txt`, for review in the diff. Read a new
text aloud before you commit it.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from configparser import ParsingError
from dataclasses import astuple
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
from pulumi_huaweicloud_cbr.api.transport.shared_rate import VARIABLE, SharedRate, shared_rate
from pulumi_huaweicloud_cbr.api.transport.tls import begin_reading
from pulumi_huaweicloud_cbr.api.wire import bodies
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica, ReplicationRecord, Vault
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base import errors
from pulumi_huaweicloud_cbr.base.clock import InterruptibleClock
from pulumi_huaweicloud_cbr.base.documents import load_document
from pulumi_huaweicloud_cbr.base.process import new_process_state
from pulumi_huaweicloud_cbr.config.objectives import Declared, Objective, without_texts
from pulumi_huaweicloud_cbr.config.rules import fault_of_deletions
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine import provider as provider_base
from pulumi_huaweicloud_cbr.engine import session as engine_session
from pulumi_huaweicloud_cbr.engine.call import Call, serving
from pulumi_huaweicloud_cbr.engine.output import messages
from pulumi_huaweicloud_cbr.engine.ownership.operation import VaultClaim, current_operation
from pulumi_huaweicloud_cbr.engine.ownership.state import UnreadableStateError, use_export
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from pulumi_huaweicloud_cbr.replication import many, one
from pulumi_huaweicloud_cbr.replication import vault as whole_vault
from pulumi_huaweicloud_cbr.replication.observe import Limits, find_replication
from pulumi_huaweicloud_cbr.replication.preflight import backup as backup_preflight
from pulumi_huaweicloud_cbr.replication.preflight import flow as preflight_flow
from pulumi_huaweicloud_cbr.replication.preflight import vault as vault_preflight
from pulumi_huaweicloud_cbr.replication.rules import fitness
from pulumi_huaweicloud_cbr.replication.rules.decisions import Attempt, Refuse, decide_create
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.inputs import (
    check_inputs,
    check_members,
    check_question,
    check_room_for_mark,
    check_set_inputs,
    check_vault_inputs,
)
from pulumi_huaweicloud_cbr.replication.rules.model import (
    DesiredReplication,
    DesiredVaultReplication,
    Identity,
    TrackedReplication,
)
from pulumi_huaweicloud_cbr.replication.rules.ownership import DeletionRules, Removal
from pulumi_huaweicloud_cbr.replication.submit import submit_or_adopt
from pulumi_huaweicloud_cbr.replication.wait.completion import CompletionPlan, wait_for_all
from pulumi_huaweicloud_cbr.replication.wait.polling import Look, WaitPlan, wait
from pulumi_huaweicloud_cbr.replication.wait.tracking import COORDINATES, check_wait
from pulumi_huaweicloud_cbr.resources import functions
from pulumi_huaweicloud_cbr.resources._forms.inputs import unchecked
from pulumi_huaweicloud_cbr.resources._forms.members import require_ours
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
    """A reporter that records its lines."""

    def tell(self, message: str) -> None:
        """Record the line."""

    progress = waiting = tell


class Telling(Silent):
    """A reporter that records permanent lines, each once."""

    def __init__(self) -> None:
        self.lines: dict[str, None] = {}

    def tell(self, message: str) -> None:
        """Record the line."""
        self.lines[message] = None


class Routes(Wire):
    """A network that answers by method and end of the path.

    A list is answered in turn, a mapping by the last part of the path.
    """

    def __init__(self, **answers: Any) -> None:
        super().__init__(EMPTY)
        self.routes = answers

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Return the answer of the route."""
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
    """Return a record of a completed copy."""
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
    """Return the text of the error that an operation raises."""
    with pytest.raises((errors.CbrError, provider_base.UnexpectedError)) as error:
        work()
    return str(error.value)


def ends(work: Callable[[CbrClient], Coroutine[Any, Any, Any]], wire: Wire, **given: Any) -> str:
    """Return the text of the error that an API operation raises."""

    async def run() -> None:
        async with wire.client(**given) as api:
            await work(api)

    return caught(lambda: anyio.run(run))


def tells(work: Callable[[CbrClient, Telling], Coroutine[Any, Any, Any]], **answers: Any) -> str:
    """Return the reported lines of an API operation, or its error."""
    report = Telling()

    async def run() -> None:
        async with Routes(**answers).client() as api:
            with contextlib.suppress(errors.CbrError):
                await work(api, report)

    anyio.run(run)
    return " | ".join(report.lines)


def refusal(
    desired: DesiredReplication = DESIRED,
    description: str | None = None,
    *,
    is_seen: bool = True,
    **changes: Any,
) -> str:
    """Return why a replication is refused because of a record, and of its replica."""
    seen = Backup(id=REPLICA, status="available", description=description)
    replica = Replica(REPLICA, seen if is_seen else None)
    decision = decide_create(desired, [Attempt(record(**changes), replica)])
    assert isinstance(decision, Refuse)
    return f"{decision.field}: {decision.reason}; {decision.remedy}"


def finding(found: list[Finding]) -> str:
    """Return the only finding."""
    (only,) = found
    return f"{only.field}: {only.reason}"


def given(**changes: Any) -> str:
    """Return the failures of inputs."""
    inputs = {"backup_id": BACKUP, "destination_region": "cn-east-3", "destination_vault_id": VAULT}
    return " | ".join(
        f"{fault.field}: {fault.reason}" for fault in check_inputs({**inputs, **changes})
    )


def given_set(**changes: Any) -> str:
    """Return the failures of a set's inputs."""
    inputs = {"backups": [BACKUP], "destination_region": "cn-east-3", "destination_vault_id": VAULT}
    return " | ".join(
        f"{fault.field}: {fault.reason}" for fault in check_set_inputs({**inputs, **changes})
    )


def member(*, is_rolling: bool = False, **fields: Any) -> str:
    """Return the failures of a set's member."""
    found = check_members({"erp": fields}, is_rolling=is_rolling)
    return " | ".join(f"{fault.field}: {fault.reason}" for fault in found)


def of_wait(**changes: Any) -> str:
    """Return the failures of a wait's inputs."""
    found = check_wait({"replications": [], **changes})
    return " | ".join(f"{fault.field}: {fault.reason}" for fault in found)


def too_many(**changes: Any) -> str:
    """Return the failures for a number of backups that is too large for a set."""
    (fault,) = (found for found in cbr.check_set_inputs(changes) if found.field in changes)
    return f"{fault.field}: {fault.reason}"


def filtered(**filters: Any) -> str:
    """Return the failures of the filters of a selection."""
    return "\n".join(f"{fault.field}: {fault.reason}" for fault in cbr.check_filters(filters))


def objective(**values: Any) -> str:
    """Return the failures of an objective."""
    return "\n".join(f"{fault.field}: {fault.reason}" for fault in cbr.check_objective(values))


def rule(**values: Any) -> str:
    """Return the failures of rules themselves."""
    return "\n".join(f"{fault.field}: {fault.reason}" for fault in cbr.check_rules(values))


def broken(work: Callable[[cbr.Rules], str | None], **values: Any) -> str:
    """Return what a rule says about an entry that breaks it."""
    return work(cbr.rules_of(values)) or ""


def questioned(**asked: Any) -> str:
    """Return the failures of a function's arguments."""
    return "\n".join(f"{fault.field}: {fault.reason}" for fault in check_question(asked))


def backup(**changes: Any) -> Backup:
    """Return a backup that can be copied."""
    fields = {"id": BACKUP, "status": "available", "resource_type": "OS::Nova::Server", **changes}
    return msgspec.convert(fields, Backup)


def vault(**billing: Any) -> Vault:
    """Return a vault."""
    return msgspec.convert({"id": VAULT, "billing": billing}, Vault)


def waited(status: str) -> str:
    """Return the result of a wait that always sees one status."""
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
    """Return the result of a wait for one copy."""
    plan = CompletionPlan(timeout_s=timeout_s, interval_s=10.0)
    group = {**WAY, "records": {RECORD: BACKUP}}
    return ends(lambda api: wait_for_all(api, [group], plan, Silent()), Routes(**answers))


def copy_wait_interrupted() -> str:
    """Return the message of an interrupted wait for a copy."""
    event = threading.Event()
    event.set()
    wire = Routes(one=shown(record(status="replicating")))
    wire.clock = InterruptibleClock(event)  # type: ignore[assignment]
    plan = CompletionPlan(timeout_s=3600.0, interval_s=10.0)
    group = {**WAY, "records": {RECORD: BACKUP}}
    return ends(lambda api: wait_for_all(api, [group], plan, Silent()), wire)


def members_refused(*labels: str, of: int) -> str:
    """Return the message about members that CBR refused, out of `of`."""
    wanted = dict.fromkeys(labels, DESIRED)

    async def submit(api: CbrClient) -> None:
        failed = (await many.submit_all(api, wanted, Silent())).failed
        raise many.MembersFailedError("replicating to region 'cn-east-3'", of, failed)

    return ends(submit, Routes(one=shown(), post=REFUSED_POST))


def member_late() -> str:
    """Return the message about a member that exceeded the time limit."""
    work = {"erp": lambda _: anyio.sleep_forever()}
    results = anyio.run(many.for_each, work, "submitting", Silent(), 0.0)
    return str(results.failed["erp"])


def interrupted() -> str:
    """Return the message of an interrupted wait."""
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
    """Return the error of a call, empty if there is none, and its messages."""
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
    with new_process_state(), pytest.MonkeyPatch.context() as patch:
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
    """Return the text of the error of a set's call."""
    return with_provider(cbr.BackupReplicationSetProvider, work, **answers)[0]


def set_tells(work: Work, **answers: Any) -> str:
    """Return the messages of a set's call."""
    return with_provider(cbr.BackupReplicationSetProvider, work, **answers)[1]


def one_ends(work: Work, **answers: Any) -> str:
    """Return the text of the error of a single replication's call."""
    return with_provider(cbr.BackupReplicationProvider, work, **answers)[0]


def one_tells(work: Work, **answers: Any) -> str:
    """Return the messages of a single replication's call."""
    return with_provider(cbr.BackupReplicationProvider, work, **answers)[1]


REPLACED = DeletionRules(Removal.REPLACED, remedy="a remedy")
REMOVED = DeletionRules(Removal.REMOVED, remedy="a remedy")


def state(**changes: Any) -> dict[str, Any]:
    """Return the state of a set of one member."""
    return {**SET_STATE, **changes}


ANOTHER_STACK = "[pulumi shop/prod]"
"""A description with the mark of another stack."""
URN = "urn:pulumi:test::dr::pulumi-python:dynamic/huaweicloud_cbr:{}::nightly"
THEIRS = URN.format("BackupReplication").replace("nightly", "erp")


def in_stack(work: Work, kind: str = "BackupReplicationSet", *others: str) -> Work:
    """Return the same work for a resource of a stack.

    Args:
        others: URNs of resources that have the same replica in the stack's state.
    """

    def export(_urn: str, _with_secrets: bool) -> bytes:
        outputs = {"destination_vault_id": VAULT}
        rows = [
            {"urn": urn, "type": urn.split("::")[2], "id": RECORD, "outputs": outputs}
            for urn in others
        ]
        return msgspec.json.encode({"deployment": {"resources": rows}})

    def run(provider: Any) -> None:
        use_export(export)
        with serving(Call(urn=URN.format(kind))):
            work(provider)

    return run


def without_state(work: Work) -> Work:
    """Return the same work for a resource of a stack whose state cannot be read."""

    def refuse(_urn: str, _with_secrets: bool) -> bytes:
        raise UnreadableStateError("the pulumi CLI was not found")

    def run(provider: Any) -> None:
        use_export(refuse)
        with serving(Call(urn=URN.format("BackupReplication"))):
            work(provider)

    return run


def beside_another(work: Work) -> Work:
    """Return the same work, after another resource of the program has declared the copy."""

    def run(provider: Any) -> None:
        current_operation().note_claimed(THEIRS, [(BACKUP, DESTINATION.region)])
        work(provider)

    return run


def beside_vault(work: Work, source_vault_id: str) -> Work:
    """Return the same work, after another resource has declared the copy of a vault."""

    def run(provider: Any) -> None:
        claim = VaultClaim(SOURCE.region, source_vault_id, DESTINATION.region, VAULT)
        urn = URN.format("VaultReplication").replace("nightly", "files")
        current_operation().note_vault_claimed(urn, claim)
        work(provider)

    return run


def leaving(**changes: Any) -> Work:
    """Return a set's preview in which its only member leaves; another one enters."""
    seen = {"members": {"erp": {**SEEN, "backup_id": BACKUP}}}
    declared = {"backups": {"web": OTHER}, **changes}
    return lambda provider: provider.diff("set", state(**seen), state(**declared))


def rolling(**changes: Any) -> Work:
    """Return a rolling set's preview in which its only member leaves."""
    older = {"erp": {"backup_id": BACKUP, "created_at": "2026-11-20T02:00:00"}}
    seen = {"members": {"erp": {**SEEN, "backup_id": BACKUP}}, "backups": older}
    declared = {"backups": NEWER, "keep_newest": 1, **changes}
    return lambda provider: provider.diff("set", state(**seen), state(**declared))


MONTHLY = {"months": 1.0, "timezone": "UTC+08:00"}


def days_of(count: int) -> dict[str, Any]:
    """Return members of the first days of a month, each with its time."""
    return {
        f"erp-{day}": {"backup_id": f"{day:08}", "created_at": f"2026-11-{day:02}T02:00:00"}
        for day in range(1, count + 1)
    }


def keeping(**changes: Any) -> Work:
    """Return a preview of a set that keeps one member of a month, and has six others as well."""
    given = days_of(7)
    members = {
        label: {
            **SEEN,
            "backup_id": member["backup_id"],
            "destination_backup_id": label,
            "source_resource_id": label[:3] if label == "erp-1" else "web",
        }
        for label, member in given.items()
    }
    newest = {"erp-7": given["erp-7"]}
    declared = {"backups": newest, "keep": MONTHLY, "preflight": "off", **changes}
    seen = {"members": members, "backups": given}
    return lambda provider: provider.diff("set", state(**seen), state(**declared))


def list_more_than_is_kept(provider: Any) -> None:
    """Check a new set that lists more backups than its rule keeps."""
    backups = {label: {**one, "backup_id": BACKUP} for label, one in days_of(1).items()}
    provider.check(
        {}, {**WAY, "preflight": "off", "backups": {**backups, **NEWER}, "keep": MONTHLY}
    )


def remove_what_another_has(provider: Any) -> None:
    """Delete a replica that another resource of the operation has adopted."""
    current_operation().note_held("", [RECORD])
    provider.delete(RECORD, {**ONE_STATE, **SET_STATE})


def remove_what_another_declares(provider: Any) -> None:
    """Delete a replica that another resource of the program declares, but does not have yet."""
    current_operation().note_claimed("another", [(BACKUP, DESTINATION.region)])
    provider.delete(RECORD, {**ONE_STATE, **SET_STATE})


def beside_holder(work: Work) -> Work:
    """Return the same work, after another resource of the program has declared and has the copy."""

    def run(provider: Any) -> None:
        current_operation().note_claimed(THEIRS, [(BACKUP, DESTINATION.region)])
        current_operation().note_held(THEIRS, [RECORD])
        with serving(Call(urn=URN.format("VaultReplication"))):
            work(provider)

    return run


def delete_seen(provider: Any) -> None:
    """Delete a replica that an earlier run has seen."""
    provider.delete(RECORD, LAST_ONE)


def failures_of_check(
    kind: type[provider_base.CbrProvider], beside: Callable[[Work], Work], **inputs: Any
) -> str:
    """Return the failures of the check of a resource of a stack."""
    failures: list[str] = []

    def check(provider: Any) -> None:
        found = provider.check({}, {**WAY, "preflight": "off", **inputs}).failures
        failures.extend(f"{failure.property}: {failure.reason}" for failure in found)

    with_provider(kind, beside(in_stack(check, kind.__name__.removesuffix("Provider"))))
    return " | ".join(failures)


def plan_with_another_stacks_replica() -> None:
    """Plan a set of which a refresh has seen another stack's mark."""
    row = structs.replace(TRACKED, seen_owner="shop/prod")
    require_ours("planning a set", {"erp": row}, Identity("shop/test"), adopt=True)


def delete_replaced(provider: Any) -> None:
    """Delete a replaced resource before its successor is created."""
    current_operation().note_replaced("", [RECORD])
    provider.delete(RECORD, {**ONE_STATE, "destination_backup_id": REPLICA})


def delete_after_create(provider: Any) -> None:
    """Delete a replaced set after its successor was created."""
    current_operation().note_replaced("", [RECORD])
    current_operation().note_made("", ())
    members = {"erp": {**SET_STATE["members"]["erp"], "destination_backup_id": REPLICA}}
    provider.delete("set", state(members=members))


def delete_beside_another(provider: Any) -> None:
    """Delete a rolling set after another one was created that has none of its members."""
    place = tuple(SET_STATE[field] for field in COORDINATES)
    current_operation().note_rolling(place, [], is_new=True)
    provider.delete("set", state(keep_newest=2))


def checked(**config: str) -> str:
    """Return the message of a check."""
    inputs = {
        "backup_id": BACKUP,
        "destination_region": "cn-east-3",
        "destination_vault_id": VAULT,
        "preflight": "off",
    }
    failures = provider(**config).check({}, inputs).failures
    return " | ".join(f"{failure.property}: {failure.reason}" for failure in failures)


def settings(**config: Any) -> str:
    """Return the failures of settings."""
    full = {f"huaweicloud:{key}": value for key, value in config.items()}
    return caught(lambda: Settings.load(full.get, {}))


@contextlib.contextmanager
def short_limits() -> Iterator[None]:
    """Reach all limits at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_session, "LAST_REQUEST_S", 0.0)
        patch.setattr(pages, "PAGES_LIMIT", 2)
        patch.setattr(pages, "PAGE_SIZE", 2)
        yield


async def never(_: httpx.Request) -> httpx.Response:
    """Never answer."""
    await anyio.sleep_forever()
    raise AssertionError("nothing lasts for ever")


def unanswered() -> str:
    """Return the message if an answer exceeds the time limit of a call."""
    wire = Wire(EMPTY)
    wire.handle = never  # type: ignore[assignment]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "CALL_LIMIT_S", 0.0)
        return ends(replicate, wire)


def no_authorities() -> str:
    """Return the message if the environment names missing authorities."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
        begin_reading.cache_clear()
        try:
            return caught(lambda: client._tls_context(Settings()))
        finally:
            begin_reading.cache_clear()


def too_large(bound: str, value: int, count: int) -> str:
    """Return the message about an answer with too many bytes or values."""
    wire = Wire(httpx.Response(200, stream=httpx.ByteStream(b"," * count)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, bound, value)
        return ends(get_backup, wire)


def refused_signature(detail: str, **headers: str) -> httpx.Response:
    """Return the gateway's answer to a signature."""
    message = f"Incorrect IAM authentication information: {detail}"
    body = {"error_code": "APIGW.0301", "error_msg": message}
    return httpx.Response(401, json=body, headers=headers)


def refused_token() -> httpx.Response:
    """Return the gateway's answer to a token that has expired."""
    body = {"error_code": "APIGW.0307", "error_msg": "The token must be updated."}
    return httpx.Response(401, json=body)


def unsigned(detail: str, **headers: str) -> str:
    """Return the message about a signature that the gateway refuses."""
    return ends(get_backup, Wire(refused_signature(detail, **headers)), **ACCESS_KEY)


def refused_before() -> str:
    """Return the message that the second call receives."""

    async def twice(api: CbrClient) -> None:
        with pytest.raises(errors.AuthenticationError):
            await get_backup(api)
        await get_backup(api)

    return ends(twice, Wire(refused_signature("verify aksk signature fail")), **ACCESS_KEY)


class ByProxy(Wire):
    """A network behind a proxy."""

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Note the proxy as the real way does, and answer."""
        request.extensions[proxies.PROXY] = "'proxy.test' (HTTPS_PROXY)"
        return super().handle(request)


def certificate_refused() -> httpx.ConnectError:
    """Return httpx's error for an untrusted certificate."""
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError()
    return error


def insecure_told() -> str:
    """Return the warning about unverified certificates."""
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


def document(content: str | bytes | None) -> str:
    """Return the text of the error about a user's file with this content; None is no file."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        path = Path("prices.yaml")
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return caught(lambda: load_document(path, "prices", "give the file with --prices"))


def caught_with(environ: dict[str, str], work: Callable[[], Any]) -> str:
    """Return the text of the error that an operation raises, in an environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        return caught(work)


def way_with(environ: dict[str, str]) -> chain.Way:
    """Return the source of keys that an environment selects."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        return chain.find_way(Settings())


def not_found_by(environ: dict[str, str]) -> str:
    """Return the message about a source without keys."""
    refusal = ClientRequestException(403, SdkError(error_msg="no"))
    return str(chain._failure_of(way_with(environ), chain._observed(refusal), refusal))


def not_readable() -> str:
    """Return the message about an invalid profile file."""

    def look(*_: Any) -> Any:
        raise ParsingError("/home/ops/credentials")

    way = way_with({"HUAWEICLOUD_SDK_CREDENTIALS_FILE": "/home/ops/credentials"})
    return caught(lambda: chain.search(structs.replace(way, look=look), Settings(), SOURCE.region))


def no_vault() -> str:
    """Return the message about a vault that does not exist."""
    gone = {"error_code": "BackupService.6105", "error_msg": "no"}

    async def ask() -> list[Finding]:
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
    """Return the message about a proxy of an unknown kind."""
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


def replicate_vault(page: httpx.Response, answer: httpx.Response, **desired: Any) -> str:
    """Return the text of the error that the copy of a vault raises."""
    wanted = DesiredVaultReplication(SOURCE_VAULT, SOURCE, DESTINATION, VAULT, **desired)

    async def work(api: CbrClient) -> None:
        brought = await whole_vault.replicate_vault(
            api, wanted, {}, Silent(), is_new=True, is_strict=True
        )
        raise brought.failure or AssertionError("nothing failed")

    return ends(work, Routes(backups=page, post=answer, one=MISSING))


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
LAST = {"members": {"erp": {**SEEN, "backup_id": BACKUP}}}
LAST_ONE = {**ONE_STATE, "status": "success", "destination_backup_id": REPLICA}
LAST_COPY = {BACKUP: MISSING, OTHER: MISSING, REPLICA: shown(id_=REPLICA, status="available")}
MARKED = {
    BACKUP: shown(record()),
    REPLICA: shown(id_=REPLICA, status="available", description=ANOTHER_STACK),
}


def vault_state(**changes: Any) -> dict[str, Any]:
    """Return the state of an entire vault with one backup."""
    return {**VAULT_STATE, **changes}


def vault_ends(work: Work, **answers: Any) -> str:
    """Return the text of the error of an entire vault's call."""
    return with_provider(cbr.VaultReplicationProvider, work, **answers)[0]


def vault_tells(work: Work, **answers: Any) -> str:
    """Return the messages of an entire vault's call."""
    return with_provider(cbr.VaultReplicationProvider, work, **answers)[1]


def let_go_of_last_copies(provider: Any) -> None:
    """Delete a resource that was renamed in the program."""
    current_operation().note_vault((SOURCE_VAULT, *(VAULT_STATE[field] for field in COORDINATES)))
    provider.delete("v", vault_state())


def vault_diff_tells(*records: ReplicationRecord, records_told: bool = True, **changes: Any) -> str:
    """Return a preview's messages for a vault with one backup, without row and replica."""
    given = vault_state(members={}, **changes)
    page = shown_in_list(*records)
    if not records_told:
        (row,) = page.json()["backups"]
        page = httpx.Response(200, json={"backups": [{**row, "replication_records": None}]})
    return vault_tells(
        lambda provider: provider.diff("v", given, given), backups=[page, EMPTY], one=MISSING
    )


NIGHTLY = Declared(
    entry="nightly",
    kind="sets",
    source_region="cn-north-4",
    source_project_id=None,
    destinations=(("cn-east-3", None),),
    objective=Objective(owner="operations"),
    backup_ids=frozenset(),
    filters={},
    vault_id=None,
)

TEXTS: dict[str, Callable[[], str]] = {
    "report-secret-entry": lambda: without_texts([NIGHTLY])[0].entry,
    "shared-rate": lambda: caught(lambda: shared_rate({VARIABLE: "10"})),
    "shared-rate-file": lambda: caught(
        lambda: anyio.run(SharedRate(9.5, Path("/missing/acme.rate")).wait_for_turn, FakeClock())
    ),
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
    "auth-exchanged-keys": lambda: ends(
        get_backup,
        Wire(refused_signature("ak DEMO not exist")),
        token=None,
        access_key="not-a-secret-but-forty-characters-of-one",
        secret_key="DEMOACCESSKEY0000001",
    ),
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
    "auth-token": lambda: ends(get_backup, Wire(refused_token())),
    "auth-token-of-project": lambda: ends(
        get_backup, Wire(refused_token()), token=None, tokens={SOURCE.project_id: "t"}
    ),
    "auth-misspelt-region": lambda: ends(
        lambda api: api.list_projects("cn-north-44"),
        Wire(httpx.Response(401, json={"error": {"code": 401, "message": "Wrong.", "title": "t"}})),
        **PASSWORD_SIGN_IN,
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
    "id-of-another-path": lambda: ends(lambda api: api.get_backup(SOURCE, ".."), Wire(EMPTY)),
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
    "client-not-sent-to-misspelt-region": lambda: ends(
        lambda api: api.get_backup(ProjectScope("cn-nroth-4", "p"), BACKUP),
        Wire(httpx.ConnectError("[Errno -2] Name or service not known")),
    ),
    "client-not-sent-by-proxy": lambda: ends(
        replicate, ByProxy(httpx.ConnectError("Connection refused"))
    ),
    "client-proxy-wants-a-user": lambda: ends(
        replicate, ByProxy(httpx.ProxyError("407 Proxy Authentication Required"))
    ),
    "client-proxy-answers": lambda: ends(get_backup, Wire(httpx.Response(407))),
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
    "decide-another-stack": lambda: refusal(description=ANOTHER_STACK),
    "decide-no-status": lambda: refusal(status=None, is_seen=False, destination_backup_id=None),
    "decide-record-unreadable": lambda: refusal(status=None, is_seen=False, id="<unreadable:1>"),
    "decide-no-vault": lambda: refusal(status="replicating", destination_vault_id=None),
    "decide-unknown-status": lambda: refusal(status="suspended"),
    "find-replicas-of-resource": lambda: ends(
        lambda api: find.require_no_replica(api, DESTINATION, VAULT, "r", "looking for it"),
        Routes(backups=[ONE_BACKUP, EMPTY]),
    ),
    "find-unreadable-row": lambda: ends(
        lambda api: find.find_backups(api, DESTINATION),
        Routes(backups=[httpx.Response(200, json={"backups": [{"id": None}]}), EMPTY]),
    ),
    "unchecked-credentials": lambda: unchecked(errors.AuthenticationError("refused", status=401)),
    "unchecked-address": lambda: unchecked(errors.NotSentError("no answer")),
    "unchecked-settings": lambda: unchecked(
        errors.ConfigurationError("no credentials are configured")
    ),
    "unchecked-answer": lambda: unchecked(errors.ApiError("HTTP 500", status=500)),
    "find-no-project": lambda: ends(
        lambda api: find.find_project_id(api, "cn-east-3"),
        Wire(httpx.Response(200, json={"projects": []})),
    ),
    "find-no-project-misspelt": lambda: ends(
        lambda api: find.find_project_id(api, "cn-east-33"),
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
    "inputs-adoption": lambda: given(adopt="all"),
    "inputs-flag": lambda: given(enable_acceleration="yes"),
    "set-plan-of-another-stack": lambda: caught(plan_with_another_stacks_replica),
    "inputs-text-like-a-mark": lambda: finding(check_room_for_mark("a [pulumi x/y]", None)),
    "inputs-no-room-for-mark": lambda: finding(check_room_for_mark("x" * 250, "shop/prod")),
    "inputs-mode": lambda: given(preflight="no"),
    "inputs-mode-type": lambda: given(preflight=True),
    "set-missing": lambda: given_set(backups=None),
    "set-unknown": lambda: given_set(vault="x"),
    "set-backups-type": lambda: given_set(backups=BACKUP),
    "set-backups-empty": lambda: given_set(backups=[]),
    "set-count": lambda: given_set(keep_newest=0),
    "set-count-endless": lambda: given_set(keep_newest=float("inf")),
    "set-count-type": lambda: given_set(keep_newest="two"),
    "keep-nothing": lambda: given_set(keep={}),
    "keep-type": lambda: given_set(keep=7),
    "keep-zeros": lambda: given_set(keep={"days": 0, "timezone": "UTC+08:00"}),
    "keep-unknown-part": lambda: given_set(keep={"newest": 7, "hours": 24}),
    "keep-number": lambda: given_set(keep={"newest": 1e6, "days": 101, "weeks": -1, "months": 1.5}),
    "keep-number-type": lambda: given_set(keep={"newest": True, "days": "14"}),
    "keep-zone": lambda: given_set(keep={"days": 14, "timezone": "CST"}),
    "keep-zone-type": lambda: given_set(keep={"days": 14, "timezone": 8}),
    "keep-and-newest": lambda: given_set(keep={"newest": 7}, keep_newest=7),
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
    "question-unknown": lambda: questioned(colour="red"),
    "document-not-text": lambda: document(b"currency: \xff"),
    "document-missing": lambda: document(None),
    "document-malformed": lambda: document("currency: [CNY"),
    "objective-rpo": lambda: objective(rpo="1h30m"),
    "objective-rpo-type": lambda: objective(rpo=["26h"]),
    "objective-rpo-zero": lambda: objective(rpo="0h"),
    "objective-owner": lambda: objective(owner=" "),
    "objective-tier": lambda: objective(tier={"name": "gold"}),
    "objective-unknown": lambda: objective(rto="4h"),
    "rules-unknown": lambda: rule(colours=["red"]),
    "rules-pairs-type": lambda: rule(allowed_pairs=["cn-east-3"]),
    "rules-pairs-source": lambda: rule(allowed_pairs={"cn north": ["cn-east-3"]}),
    "rules-pairs-list": lambda: rule(allowed_pairs={"cn-north-4": "cn-east-3"}),
    "rules-pairs-region": lambda: rule(allowed_pairs={"cn-north-4": ["cn east"]}),
    "rules-tiers-type": lambda: rule(regions_for_tier="gold"),
    "rules-tiers-name": lambda: rule(regions_for_tier={"gold one": 2}),
    "rules-tiers-count": lambda: rule(regions_for_tier={"gold": 0}),
    "rules-described-type": lambda: rule(description_required="yes"),
    "rules-described-tier": lambda: rule(description_required=["gold one"]),
    "rules-broken-pair": lambda: broken(
        lambda rules: rules.fault_of_pair("cn-north-4", "eu-west-101"),
        allowed_pairs={"cn-north-4": ["cn-east-3", "cn-south-1"]},
    ),
    "rules-broken-pair-none": lambda: broken(
        lambda rules: rules.fault_of_pair("eu-west-101", "cn-east-3"), allowed_pairs={"a": []}
    ),
    "rules-broken-regions": lambda: broken(
        lambda rules: rules.fault_of_regions("gold", "cn-north-4", ["cn-east-3", "cn-north-4"]),
        regions_for_tier={"gold": 2},
    ),
    "rules-broken-regions-none": lambda: broken(
        lambda rules: rules.fault_of_regions("gold", None, []), regions_for_tier={"gold": 2}
    ),
    "rules-broken-description": lambda: broken(
        lambda rules: rules.fault_of_description(None, " ", is_kept=True), description_required=True
    ),
    "rules-broken-description-of-tier": lambda: broken(
        lambda rules: rules.fault_of_description("gold", None, is_kept=False, key="owner"),
        description_required=["gold"],
    ),
    "rules-broken-deletions": lambda: " | ".join(
        astuple(fault_of_deletions(20, ["web-1", "web-2"], 7))  # type: ignore[arg-type]
    ),
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
        Routes(one={BACKUP: shown(record(status="replicating", destination_vault_id=OTHER))}),
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
    "import-place-not-told": lambda: ends(
        lambda api: find_replication(api, SOURCE, BACKUP, RECORD, Silent()),
        Routes(one=shown(record(destination_region="eastchina"))),
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
    "preflight-status-not-told": lambda: finding(fitness.check_backup(backup(status=None))),
    "preflight-records-not-told": lambda: finding(fitness.check_records(backup())),
    "preflight-kind-in-doubt": lambda: finding(
        fitness.check_backup(backup(resource_type="OS::Workspace::DesktopV2"))
    ),
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
    "preflight-vault-room-not-told": lambda: finding(fitness.check_vault(vault(), backup())),
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
    "provider-no-state": lambda: caught(
        lambda: provider(token="t").read(RECORD, {"backup_id": BACKUP})
    ),
    "functions-limit": lambda: caught(lambda: functions.get_backups(limit=0)),
    "functions-region": lambda: caught(lambda: functions.get_vault(VAULT)),
    "settings-malformed": lambda: settings(region="a b", pollInterval="soon", token=["t"]),
    "settings-secret-key": lambda: settings(secretKey="no secret"),
    "settings-project": lambda: settings(projectId="a/b"),
    "settings-cloud": lambda: settings(cloud="https://x"),
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
    "vault-never-answered": lambda: replicate_vault(shown_in_list(), FAILED_POST),
    "vault-tells-lost": lambda: tells(
        lambda api, report: whole_vault.replicate_vault(
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
    "vault-elsewhere": lambda: replicate_vault(
        shown_in_list(record(status="replicating", destination_vault_id=OTHER)), SECOND
    ),
    "vault-no-adoption": lambda: replicate_vault(
        shown_in_list(record(status="replicating")), SECOND, adopt=False
    ),
    "vault-of-replicas": lambda: finding(
        vault_preflight.check_source_vault(vault(protect_type="replication"))
    ),
    "vault-of-disks": lambda: finding(
        vault_preflight.check_source_vault(vault(object_type="disk"))
    ),
    "vault-in-doubt": lambda: finding(
        vault_preflight.check_source_vault(vault(object_type="vmware"))
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
    "vault-leaving-last": lambda: vault_ends(
        lambda provider: provider.diff(
            "v", vault_state(), vault_state(destination_region="cn-south-1")
        ),
        one={REPLICA: PRESENT},
    ),
    "vault-may-have-successor": lambda: vault_ends(let_go_of_last_copies, one={REPLICA: PRESENT}),
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
    "vault-warns-untold": lambda: vault_diff_tells(records_told=False),
    "vault-warns-doubled": lambda: vault_diff_tells(
        record(status="replicating"), record(id="twin", status="replicating")
    ),
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
        one=MISSING,
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
    "set-may-have-successor": lambda: set_ends(
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
    "set-warns-not-told": lambda: set_tells(
        lambda provider: provider.read("set", state()),
        one=shown(record(status=None, destination_backup_id=None)),
    ),
    "set-warns-doubled": lambda: set_tells(
        lambda provider: provider.read("set", state()),
        one=shown(record(status="replicating"), record(id="twin", status="replicating")),
    ),
    "one-warns-not-told": lambda: one_tells(
        lambda provider: provider.read(RECORD, ONE_STATE),
        one=shown(record(status=None, destination_backup_id=None)),
    ),
    "one-warns-doubled": lambda: one_tells(
        lambda provider: provider.read(RECORD, ONE_STATE),
        one=shown(record(status="replicating"), record(id="twin", status="replicating")),
    ),
    "one-warns-perhaps-doubled": lambda: one_tells(
        lambda provider: provider.read(RECORD, ONE_STATE),
        one=shown(record(status="replicating"), record(id="twin", destination_backup_id=OTHER)),
        backups=httpx.Response(
            403, json={"error_code": "APIGW.0302", "error_msg": "not authorized"}
        ),
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
        lambda api: one.remove(api, TRACKED, Silent(), REPLACED),
        Routes(one={BACKUP: [shown(record()), MISSING], REPLICA: shown(id_=REPLICA)}),
    ),
    "fleet-replaced-not-readable": lambda: ends(
        lambda api: many.remove_all(api, {"erp": TRACKED}, Silent(), Limits(), rules=REPLACED),
        Routes(one=REFUSED_POST),
    ),
    "remove-tells-pending": lambda: tells(
        lambda api, report: one.remove(api, TRACKED, report, REMOVED),
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
    "set-tells-gone-for-ever": lambda: set_tells(
        lambda provider: provider.read("set", state(members={"web": SEEN})), one=MISSING
    ),
    "set-tells-last-copies": lambda: set_tells(
        lambda provider: provider.read("set", state(members={"web": SEEN})), one=LAST_COPY
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
    "one-tells-gap": lambda: one_tells(
        lambda provider: provider.diff(RECORD, ONE_STATE, MOVED),
        one=shown(record(status="replicating")),
    ),
    "set-tells-gap": lambda: set_tells(
        lambda provider: provider.diff("set", state(), state(destination_vault_id=OTHER)),
        one=shown(record(status="replicating")),
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
    "one-tells-last-copy": lambda: one_tells(
        lambda provider: provider.read(RECORD, {**ONE_STATE, **SEEN, "backup_id": BACKUP}),
        one=LAST_COPY,
    ),
    "one-tells-dropped": lambda: one_tells(
        lambda provider: provider.read(RECORD, ONE_STATE), one={BACKUP: shown(record())}
    ),
    "one-warns-failed": lambda: one_tells(
        lambda provider: provider.read(RECORD, ONE_STATE), one=FAILED_COPY
    ),
    "one-tells-held": lambda: one_tells(remove_what_another_has),
    "one-not-had-yet": lambda: one_ends(
        remove_what_another_declares, one={BACKUP: shown(record()), REPLICA: PRESENT}
    ),
    "one-delete-first-without-source": lambda: one_ends(
        delete_replaced, one={REPLICA: shown(id_=REPLICA)}
    ),
    "set-tells-held": lambda: set_tells(remove_what_another_has),
    "set-not-had-yet": lambda: set_ends(remove_what_another_declares),
    "set-create-first-without-source": lambda: set_ends(
        delete_after_create, one={REPLICA: shown(id_=REPLICA)}
    ),
    "set-tells-staying": lambda: set_tells(rolling(), backups=[listed(REPLICA), EMPTY]),
    "set-tells-staying-unchecked": lambda: set_tells(rolling(preflight="off")),
    "set-tells-why-they-leave": lambda: set_tells(keeping()),
    "set-tells-why-they-stay": lambda: set_tells(
        rolling(keep_newest=None, keep=MONTHLY), backups=[listed(REPLICA), EMPTY]
    ),
    "set-tells-what-is-not-copied": lambda: set_tells(list_more_than_is_kept),
    "set-tells-leaving-to-another": lambda: set_tells(
        in_stack(leaving(), "BackupReplicationSet", THEIRS)
    ),
    "set-tells-leaving-later": lambda: set_tells(beside_another(leaving())),
    "set-warns-leaving-later": lambda: set_tells(
        beside_another(lambda provider: provider.update("set", state(), state(backups=[OTHER]))),
        one=[shown(record(status="replicating")), shown(id_=OTHER)],
    ),
    "set-leaving-last-copies": lambda: set_ends(leaving(), one={REPLICA: PRESENT}),
    "set-warns-leaving-last-copies": lambda: set_tells(
        leaving(preflight="warn"), one={REPLICA: PRESENT}
    ),
    "set-leaving-not-readable": lambda: set_ends(
        beside_vault(leaving(), SOURCE_VAULT), one=REFUSED_POST
    ),
    "set-last-copies": lambda: set_ends(
        lambda provider: provider.delete("set", state(members=LAST["members"])),
        one={REPLICA: PRESENT},
    ),
    "set-declared-twice": lambda: failures_of_check(
        cbr.BackupReplicationSetProvider, beside_another, backups={"erp": BACKUP}
    ),
    "one-declared-twice": lambda: failures_of_check(
        cbr.BackupReplicationProvider, beside_another, backup_id=BACKUP
    ),
    "vault-declared-twice": lambda: failures_of_check(
        cbr.VaultReplicationProvider,
        lambda work: beside_vault(work, SOURCE_VAULT),
        vault_id=SOURCE_VAULT,
    ),
    "one-last-copy": lambda: one_ends(delete_seen, one={REPLICA: PRESENT}),
    "one-of-another-stack": lambda: one_ends(
        lambda provider: provider.diff(RECORD, ONE_STATE, ONE_STATE), one=MARKED
    ),
    "one-warns-of-another-stack": lambda: one_tells(
        lambda provider: provider.read(RECORD, ONE_STATE), one=MARKED
    ),
    "one-warns-left": lambda: one_tells(delete_seen, one=MARKED),
    "one-tells-no-state": lambda: one_tells(without_state(delete_seen), one=MARKED),
    "one-not-completed": lambda: ends(
        lambda api: one.complete(api, TRACKED, Silent(), Limits()), Routes(one=FAILED_COPY)
    ),
    "one-not-completed-without-replica": lambda: ends(
        lambda api: one.complete(api, TRACKED, Silent(), Limits()),
        Routes(one={BACKUP: shown(record())}),
    ),
    "one-other-backup-without-source": lambda: one_ends(
        lambda provider: provider.diff(RECORD, LAST_ONE, {**LAST_ONE, "backup_id": OTHER}),
        one={REPLICA: PRESENT},
    ),
    "submit-tells-adoption-of-another-stack": lambda: tells(
        lambda api, report: submit_or_adopt(api, structs.replace(DESIRED, adopt="any"), report),
        one={**MARKED, REPLICA: shown(id_=REPLICA, name="erp-dr", description=ANOTHER_STACK)},
    ),
    "submit-tells-adoption-of-a-running-copy": lambda: tells(
        lambda api, report: submit_or_adopt(
            api, DesiredReplication(BACKUP, SOURCE, DESTINATION, VAULT), report
        ),
        one={BACKUP: shown(record(status="replicating", destination_backup_id=None))},
    ),
    "set-of-another-stack": lambda: set_ends(
        lambda provider: provider.diff("set", state(), state()), one=MARKED
    ),
    "set-warns-of-many-doubts": lambda: set_tells(
        lambda provider: provider.check(
            {}, {**WAY, "backups": [f"{number}{BACKUP[1:]}" for number in range(7)]}
        ),
        one={
            **{
                f"{number}{BACKUP[1:]}": httpx.Response(
                    200,
                    json={
                        "backup": {"id": f"{number}{BACKUP[1:]}", "status": "available"},
                    },
                )
                for number in range(7)
            },
            VAULT: httpx.Response(
                200, json={"vault": {"id": VAULT, "billing": {"size": 100, "used": 0}}}
            ),
            "replication-capabilities": CAPABILITIES,
        },
    ),
    "set-tells-taken-over": lambda: set_tells(
        lambda provider: provider.check({}, {**WAY, "backups": {"erp": BACKUP}}),
        one={
            BACKUP: shown(record(), status="available"),
            REPLICA: PRESENT,
            VAULT: httpx.Response(200, json={"vault": {"id": VAULT, "billing": {}}}),
            "replication-capabilities": CAPABILITIES,
        },
    ),
    "vault-of-another-stack": lambda: vault_ends(
        lambda provider: provider.create({**WAY, "vault_id": SOURCE_VAULT, "preflight": "error"}),
        backups=[shown_in_list(record()), EMPTY],
        one=MARKED,
    ),
    "vault-warns-of-another-stack": lambda: vault_tells(
        lambda provider: provider.diff("v", vault_state(members={}), vault_state(members={})),
        backups=[shown_in_list(record()), EMPTY],
        one=MARKED,
    ),
    "vault-warns-dropped-of-another-stack": lambda: vault_tells(
        lambda provider: provider.diff("v", UNSEEN, UNSEEN),
        backups=[shown_in_list(record()), EMPTY],
        one=MARKED,
    ),
    "vault-tells-left-to-others": lambda: vault_tells(
        beside_holder(lambda provider: provider.update("v", UNSEEN, UNSEEN)),
        backups=[shown_in_list(record()), EMPTY],
        one={REPLICA: PRESENT},
    ),
    "set-warns-tight": lambda: set_tells(
        lambda provider: provider.check({}, {**WAY, "backups": {"erp": BACKUP, "web": OTHER}}),
        one={
            BACKUP: shown(status="available", resource_size=60),
            OTHER: shown(id_=OTHER, status="available", resource_size=60),
            VAULT: httpx.Response(
                200, json={"vault": {"id": VAULT, "billing": {"size": 100, "used": 0}}}
            ),
            "replication-capabilities": CAPABILITIES,
        },
    ),
    "set-expired-before-copied": lambda: set_ends(
        lambda provider: provider.create(state(keep_newest=1)), one=MISSING
    ),
}


EXPECTED_FILE = Path(__file__).parents[1] / "fixtures" / "texts.txt"
_HEADING = "== "


def expected_texts() -> dict[str, str]:
    """Return the texts as they were last reviewed, by name."""
    _, *parts = f"\n{EXPECTED_FILE.read_text(encoding='utf-8')}".split(f"\n{_HEADING}")
    named = (part.partition("\n") for part in parts)
    return {name: text.rstrip("\n") for name, _, text in named}


def write_expected_texts() -> None:
    """Write all texts in their current wording."""
    with short_limits(), new_process_state(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "get_home_path", lambda: None)
        for name in [
            name for name in os.environ if name.startswith(("HW_", "HUAWEICLOUD_", "HC_"))
        ]:
            patch.delenv(name)
        parts = (f"{_HEADING}{name}\n{write()}\n" for name, write in sorted(TEXTS.items()))
        EXPECTED_FILE.write_text("\n".join(parts), encoding="utf-8")
