"""One method for each API operation: it takes a request and returns a model or raises an error.

`Api` names the operations; code that uses the API takes an `Api`. `CbrClient` sends the requests.

Owns sending: addresses, timeouts, the rate limiter, retries within a budget, the requests of an
authorisation, and one log line for each response. `call` maps failures to errors. There is no
policy about replicas here, and no polling. Source of each operation: CBR and IAM API references,
under the name in its docstring.
"""

from __future__ import annotations

import logging
import os
import re
import ssl
from collections.abc import Callable, Coroutine, Hashable, Iterable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import quote, urlsplit

import anyio

from pulumi_huaweicloud_cbr.api.auth.authorisation import Authorisation
from pulumi_huaweicloud_cbr.api.auth.choose import Authenticator
from pulumi_huaweicloud_cbr.api.auth.tokens import PasswordAuth
from pulumi_huaweicloud_cbr.api.call import Call, raise_for_refusal, transport_error
from pulumi_huaweicloud_cbr.api.transport.http import (
    Connection,
    Connections,
    Timeouts,
    Transport,
    connector,
)
from pulumi_huaweicloud_cbr.api.transport.pacing import RateLimiter
from pulumi_huaweicloud_cbr.api.transport.retry import Pause, RetryBudget, may_repeat, retrying
from pulumi_huaweicloud_cbr.api.transport.shared_rate import shared_rate
from pulumi_huaweicloud_cbr.api.transport.tls import usual_context
from pulumi_huaweicloud_cbr.api.wire.answers import (
    Backup,
    BackupEnvelope,
    BackupPage,
    CapabilitiesEnvelope,
    Project,
    ProjectPage,
    RegionCapability,
    Replication,
    ReplicationEnvelope,
    Task,
    TaskPage,
    Vault,
    VaultCopies,
    VaultCopiesEnvelope,
    VaultEnvelope,
    VaultPage,
    WireModel,
)
from pulumi_huaweicloud_cbr.api.wire.bodies import BodyTooLongError
from pulumi_huaweicloud_cbr.api.wire.decoding import (
    NOT_THE_SERVICE,
    decode,
    request_id_of,
    retry_after_s,
)
from pulumi_huaweicloud_cbr.api.wire.error_codes import (
    CODES_BACKUP_MISSING,
    CODES_DELETION_PENDING,
    CODES_NOTHING_TO_COPY,
    CODES_VAULT_MISSING,
)
from pulumi_huaweicloud_cbr.api.wire.exchange import Request, Response, UnansweredError
from pulumi_huaweicloud_cbr.api.wire.requests import (
    UNREADABLE,
    ProjectScope,
    ReplicateRequest,
    ReplicateVaultRequest,
)
from pulumi_huaweicloud_cbr.base.clock import Clock, SystemClock, slow_reporter
from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    ConfigurationError,
    OutcomeUnknownError,
    ResponseTooLargeError,
)
from pulumi_huaweicloud_cbr.base.text import REGION_ID, excerpt, quoted
from pulumi_huaweicloud_cbr.config.settings import Settings

logger = logging.getLogger(__name__)

Model = TypeVar("Model", bound=WireModel)
Shared = TypeVar("Shared")

PAGE_SIZE = 1000
"""The largest page that ListBackups and ListOpLogs return."""

# The vendor's SDK has timeouts of 60 s to connect and 120 s to read. A page of 1,000 backups with
# children is slow. `CALL_LIMIT_S` bounds a response that trickles in; no read timeout does that.
TIMEOUTS = Timeouts(connect_s=15.0, read_s=60.0, write_s=30.0, pool_s=60.0)
CALL_LIMIT_S = 120.0


def _require_region(region: str, doing: str) -> None:
    """Refuse a region that would send credentials to another host than the configured one.

    Regions in inputs and responses are validated earlier. Those from a state or from an id to
    import are not.
    """
    if not REGION_ID.fullmatch(region):
        raise ConfigurationError(
            f"{doing}: {quoted(region)} is not a valid region",
            remedy="want one such as 'cn-north-4'",
        )


_PATH_STEP = re.compile(rf"(?!\.{{1,2}}\Z|{UNREADABLE})[!-~]{{1,255}}")
"""An id in a path: ``.`` and ``..`` would make it the path of something else. It must not stand for
a row that could not be read either."""


def _require_ids(steps: Iterable[str], doing: str) -> None:
    """Refuse an id that would make a request about something else; see `_require_region`."""
    for step in steps:
        if not _PATH_STEP.fullmatch(step):
            raise ConfigurationError(
                f"{excerpt(doing)}: {quoted(step)} is not a valid id",
                remedy="want the id as the CBR console shows it; an id in the state can be put "
                "right with pulumi state edit, or by pulumi state delete and adoption",
            )


def _ignore(_: object) -> None:
    """Do nothing."""


class Api(Protocol):
    """The operations of CBR and IAM; `CbrClient` documents how each of them fails.

    With a cache in front of the client (`cache.CachedApi`), reads may return a stored answer.
    A write always sends its request.
    """

    @property
    def settings(self) -> Settings: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def fresh(self) -> Api:
        """The same API without stored answers: each request is sent after the call."""

    async def shared(
        self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Shared]], /
    ) -> Shared:
        """Return what `ask` returns; with a cache, once for all who ask with the same key.

        This is for what may be some seconds old, so `fresh` shares it too.
        """

    async def get_backup(self, scope: ProjectScope, backup_id: str) -> Backup: ...

    async def list_backups(
        self, scope: ProjectScope, *, limit: int, offset: int = 0, **filters: Any
    ) -> tuple[Backup, ...]: ...

    async def get_backup_page(
        self, scope: ProjectScope, *, limit: int, offset: int = 0, **filters: Any
    ) -> BackupPage: ...

    async def get_vault(self, scope: ProjectScope, vault_id: str) -> Vault: ...

    async def get_vault_page(
        self, scope: ProjectScope, *, limit: int, offset: int = 0, **filters: Any
    ) -> VaultPage: ...

    async def get_replication_capabilities(
        self, scope: ProjectScope
    ) -> tuple[RegionCapability, ...]: ...

    async def list_tasks(
        self, scope: ProjectScope, *, limit: int, offset: int = 0, **filters: Any
    ) -> tuple[Task, ...]: ...

    async def get_task_page(
        self, scope: ProjectScope, *, limit: int, offset: int = 0, **filters: Any
    ) -> TaskPage: ...

    async def list_projects(self, region: str) -> tuple[Project, ...]: ...

    async def sign_in(self, region: str) -> str | None: ...

    async def replicate_backup(
        self, scope: ProjectScope, backup_id: str, request: ReplicateRequest
    ) -> Replication: ...

    async def replicate_vault(
        self, scope: ProjectScope, request: ReplicateVaultRequest
    ) -> VaultCopies: ...

    async def rename_backup(self, scope: ProjectScope, backup_id: str, name: str) -> Backup: ...

    async def delete_backup(self, scope: ProjectScope, backup_id: str) -> None: ...


class CbrClient:
    """Calls CBR and IAM in every region, over connections that are kept open.

    GET, PUT and DELETE are retried on transport errors, throttling, 5xx and the codes that
    `error_codes` marks so. A submission is retried only if it was certainly not carried out.
    Retries end at a number of attempts or of seconds, whichever comes first. All requests share
    one rate limiter (`pacing`).

    Args:
        on_pause: called before each wait, for instance to show the user that a call is throttled.
        on_slow: called with what is being tried, if a host or keys take longer than usual.
        on_answer: called with each response before its body is read, sign-ins included.
        timeouts: for the parts of one request.
        call_limit_s: for one request as a whole, sign-in included.
        transport: replaces the network, in tests.
    """

    def __init__(
        self,
        settings: Settings,
        authenticator: Authenticator,
        *,
        clock: Clock | None = None,
        budget: RetryBudget | None = None,
        on_pause: Callable[[Pause], None] = _ignore,
        on_slow: Callable[[str], None] = _ignore,
        on_answer: Callable[[Response], None] = _ignore,
        timeouts: Timeouts = TIMEOUTS,
        call_limit_s: float | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self._authenticator = authenticator
        self._budget = budget or RetryBudget()
        self._on_pause = on_pause
        self._on_slow = on_slow
        self._call_limit_s = CALL_LIMIT_S if call_limit_s is None else call_limit_s
        self._rate_limiter = RateLimiter(self.clock, shared=shared_rate(os.environ))
        verify = _tls_context(settings) if transport is None else True
        self._connections = Connections(connector(transport, verify, timeouts, on_answer))

    @property
    def fresh(self) -> Self:
        """This client itself, since it stores no answers."""
        return self

    async def __aenter__(self) -> CbrClient:  # noqa: PYI034 -- no typing.Self before 3.11
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()

    async def shared(
        self, _key: Hashable, ask: Callable[[], Coroutine[Any, Any, Shared]], /
    ) -> Shared:
        """Return what `ask` returns."""
        return await ask()

    async def replicate_backup(
        self, scope: ProjectScope, backup_id: str, request: ReplicateRequest
    ) -> Replication:
        """Submit the copy of a backup to another region (CopyBackup).

        The request is sent again only if it was certainly not accepted.

        Raises:
            ApiError: CBR refused it; the code says why.
            OutcomeUnknownError, MalformedResponseError: CBR may have accepted it. Look first.
            NotSentError: CBR certainly did not accept it.
        """
        call = self._cbr(
            f"submitting replication of backup ({backup_id}) "
            f"to region {request.destination_region!r}",
            "POST",
            scope,
            ("backups", backup_id, "replicate"),
            json=request.to_wire(),
            is_repeatable=False,
        )
        return (await self._call(call, ReplicationEnvelope)).replication

    async def replicate_vault(
        self, scope: ProjectScope, request: ReplicateVaultRequest
    ) -> VaultCopies:
        """Submit copies of all backups of a vault that have none yet (CopyCheckpoint).

        Raises the same errors as `replicate_backup`, and is sent again under the same condition.
        A refusal because nothing is left to copy is an answer without copies.
        """
        call = self._cbr(
            f"submitting replication of vault ({request.vault_id}) "
            f"to region {request.destination_region!r}",
            "POST",
            scope,
            ("checkpoints", "replicate"),
            json=request.to_wire(),
            is_repeatable=False,
        )
        try:
            return (await self._call(call, VaultCopiesEnvelope)).replication
        except ApiError as refusal:
            if refusal.code not in CODES_NOTHING_TO_COPY:
                raise
            return VaultCopies(backups=(), vault_id=request.vault_id)

    async def get_backup(self, scope: ProjectScope, backup_id: str) -> Backup:
        """Read a backup with its replication records (ShowBackup).

        Raises:
            NotFoundError: the project has no backup with that id.
        """
        doing = f"reading backup ({backup_id}) in {scope}"
        call = self._cbr(
            doing, "GET", scope, ("backups", backup_id), missing_codes=CODES_BACKUP_MISSING
        )
        return (await self._call(call, BackupEnvelope)).backup

    async def list_backups(
        self, scope: ProjectScope, *, limit: int, offset: int = 0, **filters: Any
    ) -> tuple[Backup, ...]:
        """Read one page of backups (ListBackups); a page after the last one is empty.

        Args:
            limit: rows, 1 to 1000.
            filters: query parameters under their API names; None is left out.
        """
        return (await self.get_backup_page(scope, limit=limit, offset=offset, **filters)).backups

    async def get_backup_page(
        self, scope: ProjectScope, *, limit: int, offset: int = 0, **filters: Any
    ) -> BackupPage:
        """Read one page of backups with the count of the whole list; see `list_backups`."""
        params = _params(limit=limit, offset=offset or None, **filters)
        call = self._cbr(f"listing backups in {scope}", "GET", scope, ("backups",), params=params)
        return await self._call(call, BackupPage)

    async def rename_backup(self, scope: ProjectScope, backup_id: str, name: str) -> Backup:
        """Rename a backup (UpdateBackup, which can change nothing else)."""
        call = self._cbr(
            f"renaming backup ({backup_id}) in {scope} to {name!r}",
            "PUT",
            scope,
            ("backups", backup_id),
            json={"backup": {"name": name}},
            missing_codes=CODES_BACKUP_MISSING,
        )
        return (await self._call(call, BackupEnvelope)).backup

    async def delete_backup(self, scope: ProjectScope, backup_id: str) -> None:
        """Start the deletion of a backup (DeleteBackup); it is gone some time later.

        Raises:
            NotFoundError: it is gone already.
            ApiError: with code 6201, 6216 or CSBS.2003, if a deletion may already be under way.
        """
        doing = f"deleting backup ({backup_id}) in {scope}"
        call = self._cbr(
            doing,
            "DELETE",
            scope,
            ("backups", backup_id),
            final_codes=CODES_DELETION_PENDING,
            missing_codes=CODES_BACKUP_MISSING,
        )
        await self._respond(call)

    async def get_vault(self, scope: ProjectScope, vault_id: str) -> Vault:
        """Read a vault (ShowVault).

        Raises:
            NotFoundError: the project has no vault with that id.
        """
        doing = f"reading vault ({vault_id}) in {scope}"
        call = self._cbr(
            doing, "GET", scope, ("vaults", vault_id), missing_codes=CODES_VAULT_MISSING
        )
        return (await self._call(call, VaultEnvelope)).vault

    async def list_vaults(
        self, scope: ProjectScope, *, limit: int, offset: int = 0, **filters: Any
    ) -> tuple[Vault, ...]:
        """Read one page of vaults (ListVault)."""
        return (await self.get_vault_page(scope, limit=limit, offset=offset, **filters)).vaults

    async def get_vault_page(
        self, scope: ProjectScope, *, limit: int, offset: int = 0, **filters: Any
    ) -> VaultPage:
        """Read one page of vaults with the count of the whole list; see `list_vaults`."""
        params = _params(limit=limit, offset=offset or None, **filters)
        call = self._cbr(f"listing vaults in {scope}", "GET", scope, ("vaults",), params=params)
        return await self._call(call, VaultPage)

    async def get_replication_capabilities(
        self, scope: ProjectScope
    ) -> tuple[RegionCapability, ...]:
        """Read the regions that backups can be copied to (ShowReplicationCapabilities)."""
        doing = f"reading replication capabilities of {scope}"
        call = self._cbr(doing, "GET", scope, ("replication-capabilities",))
        return (await self._call(call, CapabilitiesEnvelope)).regions

    async def list_tasks(
        self, scope: ProjectScope, *, limit: int, offset: int = 0, **filters: Any
    ) -> tuple[Task, ...]:
        """Read one page of the operation log (ListOpLogs); kept for about 30 days."""
        page = await self.get_task_page(scope, limit=limit, offset=offset, **filters)
        return page.operation_logs

    async def get_task_page(
        self, scope: ProjectScope, *, limit: int, offset: int = 0, **filters: Any
    ) -> TaskPage:
        """Read one page of the log with the count of the whole list; see `list_tasks`."""
        params = _params(limit=limit, offset=offset or None, **filters)
        doing = f"listing tasks in {scope}"
        call = self._cbr(doing, "GET", scope, ("operation-logs",), params=params)
        return await self._call(call, TaskPage)

    async def list_projects(self, region: str) -> tuple[Project, ...]:
        """Read the projects with the name of a region (IAM, KeystoneListProjects)."""
        doing = f"looking up the project named {region!r} in IAM"
        _require_region(region, doing)
        at, auth = self._authenticator.for_lookup(region)
        call = Call(
            doing=doing,
            method="GET",
            url=f"{self.settings.iam_url(at)}/v3/projects",
            auth=auth,
            params={"name": region},
        )
        return (await self._call(call, ProjectPage)).projects

    async def sign_in(self, region: str) -> str | None:
        """Sign in to a region; return the id of its project if IAM names it.

        Return None if IAM names no project. With an access key or a given token there is no
        sign-in, so the result is None as well.
        Source: IAM API reference, KeystoneCreateUserTokenByPassword, ``token.project``.
        """
        doing = f"signing in to region {region!r}"
        _require_region(region, doing)
        _, auth = self._authenticator.for_lookup(region)
        if not isinstance(auth, PasswordAuth):
            return None
        if auth.project_id is None:
            await self._respond(Call(doing=doing, method="POST", url=auth.sign_in_url, auth=auth))
        return auth.project_id

    def _cbr(
        self,
        doing: str,
        method: str,
        scope: ProjectScope,
        path: tuple[str, ...],
        *,
        params: dict[str, Any] | None = None,
        json: dict[str, Any] | None = None,
        is_repeatable: bool = True,
        final_codes: frozenset[str] = frozenset(),
        missing_codes: frozenset[str] | None = None,
    ) -> Call:
        _require_region(scope.region, doing)
        _require_ids((scope.project_id, *path), doing)
        steps = "/".join(quote(step, safe="") for step in (scope.project_id, *path))
        return Call(
            doing=doing,
            method=method,
            url=f"{self.settings.cbr_url(scope.region)}/v3/{steps}",
            auth=self._authenticator.for_project(scope),
            params=params,
            json=json,
            is_repeatable=is_repeatable,
            final_codes=final_codes,
            missing_codes=missing_codes,
            unsent_remedy=_way_elsewhere(self.settings, scope.region),
        )

    async def _call(self, call: Call, model: type[Model]) -> Model:
        return decode(await self._respond(call), model, call.doing)

    async def _respond(self, call: Call) -> Response:
        def should_repeat(error: BaseException) -> bool:
            if isinstance(error, ApiError) and error.code in call.final_codes:
                return False
            return may_repeat(error, is_repeatable=call.is_repeatable)

        waited_s = 0.0

        async def send_in_turn() -> Response:
            nonlocal waited_s
            asked_at = self.clock.monotonic()
            async with self._rate_limiter:
                waited_s += self.clock.monotonic() - asked_at
                return await self._send(call)

        loop = retrying(
            call.doing, self._budget, self.clock, should_repeat, self._pause, lambda: waited_s
        )
        response: Response = await loop(send_in_turn)
        return response

    def _pause(self, pause: Pause) -> None:
        logger.info("%s", pause)
        self._on_pause(pause)

    async def _send(self, call: Call) -> Response:
        async with self._connections.lent(call.url) as http:
            request = http.build_request(call.method, call.url, params=call.params, json=call.json)
            response = await self._answer(call, http, request)
        logger.debug(
            "%s %s -> %d (request %s)",
            call.method,
            request.path,
            response.status,
            request_id_of(response),
        )
        if response.status == 429:
            self._rate_limiter.throttled(retry_after_s(response))
        else:
            self._rate_limiter.accepted()
        raise_for_refusal(call, response)
        return response

    async def _answer(self, call: Call, http: Connection, request: Request) -> Response:
        """Send a request with its authorisation; return the response, with its body."""
        slow_reporter.set(lambda what: self._on_slow(f"{call.doing}: {what}"))
        try:
            with anyio.fail_after(self._call_limit_s):
                return await send_authorised(http, request, call.auth)
        except TimeoutError as error:
            raise OutcomeUnknownError(
                f"{call.doing}: no complete answer within {self._call_limit_s:.0f} s",
                remedy="run the same command again",
            ) from error
        except BodyTooLongError as error:
            raise ResponseTooLargeError(
                f"{call.doing}: the answer of {error.host!r} {error.beyond}, "
                "and was not read to its end",
                remedy=NOT_THE_SERVICE,
            ) from error
        except UnansweredError as error:
            raise transport_error(call, request, error) from error


async def send_authorised(http: Connection, request: Request, auth: Authorisation) -> Response:
    """Send the requests that an authorisation yields; return the last response.

    Raises:
        UnansweredError, BodyTooLongError: as `Connection.answer` does.
        AuthenticationError, ApiError, MalformedResponseError: as the authorisation does.
    """
    async with aclosing(auth.flow(request)) as flow:
        following = await anext(flow)
        while True:
            response = await http.answer(following)
            try:
                following = await flow.asend(response)
            except StopAsyncIteration:
                return response


def _way_elsewhere(settings: Settings, region: str) -> str | None:
    doubt = settings.doubt_about(region)
    if doubt is not None:
        return f"check the network, the proxy and the region's name: {doubt}"
    endpoint = settings.other_cbr_endpoint(region)
    if endpoint is None:
        return None
    other = urlsplit(endpoint.replace("{region}", region)).hostname
    return (
        f"check the network and the proxy; if they are well, CBR may be at {other!r}, as another "
        "of the vendor's tables says: set the 'cbr' member of huaweicloud:endpoints "
        f"(or HW_ENDPOINTS) to {endpoint!r}"
    )


def _params(**values: Any) -> dict[str, Any]:
    # None would be sent as an empty value.
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in values.items()
        if value is not None
    }


def _tls_context(settings: Settings) -> ssl.SSLContext | bool:
    if settings.insecure:
        return False
    given = settings.ca_file
    where = f"huaweicloud:caFile (or HW_CA_FILE): {given!r}" if given else "SSL_CERT_FILE"
    try:
        return ssl.create_default_context(cafile=given) if given else usual_context()
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"{where} cannot be used: {error.strerror or error}",
            remedy="want a file of PEM certificates",
        ) from error
