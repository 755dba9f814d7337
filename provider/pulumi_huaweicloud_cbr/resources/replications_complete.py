"""`ReplicationsComplete`: one wait for any number of replications, as a Pulumi resource.

The module's path and the name of `ReplicationsCompleteProvider` are state format: the engine
stores a pickle that names them, so neither may ever change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack, overload

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    UpdateResult,
)

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.messages import EngineReporter
from pulumi_huaweicloud_cbr.engine.provider import CbrProvider, served, split_unknown
from pulumi_huaweicloud_cbr.replication.wait.tracking import (
    Group,
    check_wait,
    merge_groups,
    record_ids,
    seconds_of,
    without_records,
)
from pulumi_huaweicloud_cbr.resources._arguments.reading import ArgumentsError, declared
from pulumi_huaweicloud_cbr.resources._arguments.shared import Waitable

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.engine.session import Session
    from pulumi_huaweicloud_cbr.replication.wait.completion import CompletionPlan
    from pulumi_huaweicloud_cbr.resources._arguments.dicts import ReplicationsCompleteArgsDict

ID = "replications-complete"
"""The id of every wait: CBR has no object that it could name."""
INPUTS = ("replications", "timeout", "poll_interval")
NAMED = "known_replicas"
"""The replicas that the states of the resources know. They help to poll, and cause no wait."""


class ReplicationsCompleteProvider(CbrProvider):
    """Waits in `create` and `update`; the state has the replicas that it has waited for."""

    @served
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs, without any call; replications may be unknown in previews."""
        known, unknown = split_unknown(news)
        findings = check_wait(_inputs_of(known), unknown)
        inputs = _inputs_of(known)
        if not findings and "replications" in inputs:
            inputs["replications"] = merge_groups(inputs["replications"])
        failures = [CheckFailure(finding.field, finding.reason) for finding in findings]
        if NAMED in known:
            inputs[NAMED] = known[NAMED]
        # Unknown inputs stay as they are: the engine replaces them when they are known.
        return CheckResult({**inputs, **{field: news[field] for field in unknown}}, failures)

    @served
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare, without any call: every difference is an update, and nothing replaces."""
        state, _ = split_unknown(_olds)
        declared, unknown = split_unknown(_news)
        changed = [
            field for field in INPUTS if field in unknown or declared.get(field) != state.get(field)
        ]
        return DiffResult(changes=bool(changed), replaces=[])

    @served
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Wait for all replications."""
        known, _ = split_unknown(props)
        return CreateResult(ID, self._wait(known, {}))

    @served
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Wait for new replications; if there are none, send no request."""
        known, _ = split_unknown(_news)
        return UpdateResult(self._wait(known, _olds.get("replicas") or {}))

    @served
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return the state unchanged: a copy that has ended stays so."""
        return ReadResult(id_, split_unknown(props)[0])

    @served
    def import_state(self, id_: str) -> ReadResult:
        """Refuse; our plugin host calls this on import.

        Raises:
            ConfigurationError: always.
        """
        raise ConfigurationError(
            f"importing {id_!r}: a wait for replications has nothing that could be imported",
            remedy="declare it, and pulumi up waits at once for what has ended already",
        )

    @served
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Do nothing: other resources own the replications."""

    def _wait(self, news: dict[str, Any], done: dict[str, str]) -> dict[str, Any]:
        """Wait for what is not done yet; return the outputs."""
        inputs = _inputs_of(news)
        groups: list[Group] = inputs["replications"]
        wanted = record_ids(groups)
        replicas = {key: replica for key, replica in done.items() if key in wanted}
        pending = without_records(groups, replicas)
        if pending:
            session = self.open()
            named: dict[str, str] = news.get(NAMED) or {}
            replicas |= session.run(_complete(session, pending, inputs, named))
        return {**inputs, "replicas": dict(sorted(replicas.items()))}


async def _complete(
    session: Session, groups: list[Group], inputs: dict[str, Any], named: dict[str, str]
) -> dict[str, str]:
    from pulumi_huaweicloud_cbr.replication.wait.completion import wait_for_all

    plan = _plan(session, inputs)
    return await wait_for_all(session.client(), groups, plan, EngineReporter(), named)


def _plan(session: Session, inputs: dict[str, Any]) -> CompletionPlan:
    """Return the limits: the shorter of `timeout` and the program's `custom_timeouts`."""
    from pulumi_huaweicloud_cbr.replication.observe import Limits
    from pulumi_huaweicloud_cbr.replication.wait.completion import CompletionPlan

    given = (seconds_of(inputs.get("timeout")), current_call().timeout_s)
    interval_s = seconds_of(inputs.get("poll_interval"))
    return CompletionPlan(
        timeout_s=min((limit_s for limit_s in given if limit_s), default=Limits().copy_s),
        interval_s=interval_s or session.settings.poll_interval_s,
    )


def _as_list(replications: Any) -> Any:
    """Return what a program gives to wait for as a list."""
    return list(replications) if isinstance(replications, (list, tuple)) else [replications]


def _tracking_of(replication: object, name: str) -> Any:
    if not isinstance(replication, pulumi.Resource):
        return replication
    tracking = getattr(replication, "tracking", None)
    if tracking is None:
        raise ArgumentsError(
            f"ReplicationsComplete {name!r}: replications has a {type(replication).__name__}, "
            "which replicates nothing; give resources of this package that replicate, or their "
            "tracking"
        )
    return tracking


def _merged(named: list[dict[str, str] | None]) -> dict[str, str]:
    return {key: replica for part in named for key, replica in (part or {}).items()}


def _inputs_of(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        field: value
        for field, value in properties.items()
        if value is not None and field not in ("replicas", NAMED)
    }


@dataclass(kw_only=True)
class ReplicationsCompleteArgs:
    """The inputs of `ReplicationsComplete`; those without a default are required.

    A change of any of them is an update, which waits for replications that are not done yet.
    """

    replications: Waitable | Sequence[Waitable]
    """A resource that replicates, or its `tracking`, or several of these. A new one is waited for;
    a removed one is dropped from the outputs."""
    timeout: pulumi.Input[str | float] | None = None
    """``30m``, ``4h``, ``1h30m`` or seconds, at most 30 days, from the first poll. Default: 4
    hours. The shorter of this and ``custom_timeouts`` counts."""
    poll_interval: pulumi.Input[str | float] | None = None
    """The shortest pause between polls, in the same form, 0.01 to 3600 seconds. Default:
    ``huaweicloud:pollInterval``, which is 10 seconds if not set."""


class ReplicationsComplete(Resource, module="huaweicloud_cbr", name="ReplicationsComplete"):
    """Waits until all of the given replications have ended, and fails if one of them failed.

    All are polled together. If one fails, ``pulumi up`` fails once the others have ended. The next
    one copies it again and waits again. An interruption or a timeout loses nothing.
    """

    replications: pulumi.Output[list[dict[str, Any]]]
    """What is waited for, grouped by source and destination."""
    timeout: pulumi.Output[str | float | None]
    poll_interval: pulumi.Output[str | float | None]
    replicas: pulumi.Output[dict[str, str]]
    """The replica's id for each replication record's id."""

    @overload
    def __init__(
        self,
        resource_name: str,
        args: ReplicationsCompleteArgs | ReplicationsCompleteArgsDict,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Unpack[ReplicationsCompleteArgsDict],
    ) -> None: ...

    def __init__(self, resource_name: Any = None, *positional: Any, **keywords: Any) -> None:
        inputs, opts = declared(
            self,
            ReplicationsCompleteArgs,
            resource_name,
            positional,
            keywords,
            plain={"replications": _as_list},
        )
        replications = inputs["replications"]
        groups = [_tracking_of(replication, resource_name) for replication in replications]
        named = [
            getattr(replication, NAMED, None)
            for replication in replications
            if isinstance(replication, pulumi.Resource)
        ]
        properties = {
            "replications": pulumi.Output.from_input(groups).apply(merge_groups),
            "timeout": inputs["timeout"],
            "poll_interval": inputs["poll_interval"],
            NAMED: pulumi.Output.from_input(named).apply(_merged),
            "replicas": None,
        }
        super().__init__(ReplicationsCompleteProvider(), resource_name, properties, opts)
