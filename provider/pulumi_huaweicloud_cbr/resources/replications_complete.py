"""`ReplicationsComplete`: one wait for any number of replications, as a Pulumi resource.

The module's path and the name of `ReplicationsCompleteProvider` are state format: the engine
stores a pickle that names them, so neither may ever change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast, overload

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)
from pulumi.output import Unknown

from pulumi_huaweicloud_cbr.api.wire.requests import STATUS_SUCCESS
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.output.messages import EngineReporter
from pulumi_huaweicloud_cbr.engine.provider import CbrProvider, served, split_unknown
from pulumi_huaweicloud_cbr.replication.wait.tracking import (
    COORDINATES,
    Group,
    check_wait,
    merge_groups,
    record_ids,
    seconds_of,
    without_records,
)
from pulumi_huaweicloud_cbr.resources._arguments.reading import ArgumentsError, checked, declared
from pulumi_huaweicloud_cbr.resources._arguments.registration import (
    Registered,
    told_or,
    without_resources,
)
from pulumi_huaweicloud_cbr.resources._arguments.shared import Waitable

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.engine.session import Session
    from pulumi_huaweicloud_cbr.replication.wait.completion import CompletionPlan
    from pulumi_huaweicloud_cbr.replication.wait.copies import Copy
    from pulumi_huaweicloud_cbr.resources._arguments.dicts import ReplicationsCompleteArgsDict
    from pulumi_huaweicloud_cbr.resources.backup_replication import BackupReplication
    from pulumi_huaweicloud_cbr.resources.backup_replication_set import BackupReplicationSet
    from pulumi_huaweicloud_cbr.resources.vault_replication import VaultReplication

    ManyReplications = BackupReplicationSet | VaultReplication

ID = "replications-complete"
"""The id of every wait: CBR has no object that it could name."""
INPUTS = ("replications", "timeout", "poll_interval")
NAMED = "known_replicas"
"""The replicas that the states of the resources know. They help to poll, and cause no wait."""
OUTPUTS = ("replicas", "copies")
_TOLD = {
    "destination_checkpoint_id": "checkpoint_id",
    "resource_name": "resource_name",
    "size_gb": "size_gb",
    "backup_created_at": "backup_created_at",
    "created_at": "created_at",
}
"""What the output `copies` has of each copy, by the name of the same in `Copy`."""


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
        limits = (field for field in INPUTS if field != "replications")
        changed = [
            field for field in limits if field in unknown or declared.get(field) != state.get(field)
        ]
        if "replications" in unknown or _waited_for(state) != record_ids(declared["replications"]):
            changed.append("replications")
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
        return UpdateResult(self._wait(known, split_unknown(_olds)[0]))

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

    def _wait(self, news: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Wait for what is not done yet; return the outputs."""
        inputs = _inputs_of(news)
        groups: list[Group] = inputs["replications"]
        wanted = record_ids(groups)
        replicas, copies = (
            {key: value for key, value in (state.get(output) or {}).items() if key in wanted}
            for output in OUTPUTS
        )
        pending = without_records(groups, replicas)
        if pending:
            session = self.open()
            named: dict[str, str] = news.get(NAMED) or {}
            for record_id, copy in session.run(_complete(session, pending, inputs, named)).items():
                replicas[record_id] = copy.replica_id or ""
                copies[record_id] = _told_of(copy)
        return {
            **{field: value for field, value in inputs.items() if field != "replications"},
            "replicas": dict(sorted(replicas.items())),
            "copies": dict(sorted(copies.items())),
        }


def _waited_for(state: dict[str, Any]) -> frozenset[str]:
    """Return the records that a state's wait was for; it has the replica of each.

    A record's id tells its source and destination, so the state keeps no more of the groups.
    """
    return frozenset(state.get("replicas") or {})


async def _complete(
    session: Session, groups: list[Group], inputs: dict[str, Any], named: dict[str, str]
) -> dict[str, Copy]:
    from pulumi_huaweicloud_cbr.replication.wait.completion import wait_for_all

    plan = _plan(session, inputs)
    return await wait_for_all(session.client(), groups, plan, EngineReporter(), named)


def _told_of(copy: Copy) -> dict[str, Any]:
    """Return what the state keeps of a copy that has ended; what CBR does not tell is left out."""
    told = {output: getattr(copy, name) for output, name in _TOLD.items()}
    return {output: value for output, value in told.items() if value is not None}


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


def _with_provider_of(
    resources: Sequence[pulumi.Resource], name: str, opts: pulumi.ResourceOptions | None
) -> pulumi.ResourceOptions | None:
    """Return the options with the provider of the resources.

    With other settings, a wait would ask another account, which knows none of the copies.

    Raises:
        ArgumentsError: the resources belong to several providers, and `opts` names none.
    """
    found = {id(one): one for one in (getattr(each, "_provider", None) for each in resources)}
    if opts is not None and opts.provider is not None:
        return opts
    if len(found) > 1:
        names = " and ".join(
            sorted(
                "the stack's settings" if one is None else f"Provider {one.pulumi_resource_name!r}"
                for one in found.values()
            )
        )
        raise ArgumentsError(
            f"ReplicationsComplete {name!r}: replications belong to {names}; make a wait for "
            "each, or name in opts the provider whose account has them all"
        )
    provider = next(iter(found.values()), None)
    if provider is None:
        return opts
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=provider))


def _as_list(replications: Any) -> Any:
    """Return what a program gives to wait for as a list."""
    # Other collections are refused as a whole, and the message names them.
    is_whole = isinstance(replications, (list, tuple, AbstractSet, Iterator))
    return replications if is_whole else [replications]


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
        if value is not None and field not in (*OUTPUTS, NAMED)
    }


class CopyResult(TypedDict):
    """One copy: what the wait has seen, else what the resource's own state knows.

    None is not known, or not told by CBR. Sizes are in GB, times in UTC as CBR writes them.
    """

    backup_id: str
    """The source backup."""
    replication_record_id: str
    """The replication record of the copy."""
    status: str
    """``success`` once the wait has ended; without a wait, the last observed status."""
    destination_region: str
    destination_project_id: str
    destination_vault_id: str
    destination_backup_id: str | None
    """The replica."""
    destination_checkpoint_id: str | None
    """The replica's restore point."""
    resource_name: str | None
    """The server or file system that was backed up."""
    size_gb: float | None
    """The size of what was backed up."""
    backup_created_at: str | None
    """When the source backup was made."""
    created_at: str | None
    """When the copy began."""


@checked
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


class ReplicationsComplete(Registered, module="huaweicloud_cbr", name="ReplicationsComplete"):
    """Waits until all of the given replications have ended, and fails if one of them failed.

    All are polled together. If one fails, ``pulumi up`` fails once the others have ended. The next
    one copies it again and waits again. An interruption or a timeout loses nothing.
    """

    timeout: pulumi.Output[str | float | None]
    poll_interval: pulumi.Output[str | float | None]
    replicas: pulumi.Output[dict[str, str]]
    """The replica's id for each replication record's id."""
    copies: pulumi.Output[dict[str, dict[str, Any]]]
    """More about each copy, by replication record id; `results` has it by resource name."""
    _given = 0
    """How much was given to wait for: resources, and the `tracking` of others."""

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
        self._groups = pulumi.Output.from_input(groups).apply(merge_groups)
        self._resources = [one for one in replications if isinstance(one, pulumi.Resource)]
        self._given = len(replications)
        named = [getattr(resource, NAMED, None) for resource in self._resources]
        opts = _with_provider_of(self._resources, resource_name, opts)
        given = self._groups
        if self._resources and len(self._resources) == len(replications):
            # The engine stores a dependency of an input twice, and that of an option once.
            given = without_resources(self._groups)
            option = pulumi.ResourceOptions(depends_on=self._resources)
            opts = pulumi.ResourceOptions.merge(opts, option)
        properties = {
            "replications": given,
            "timeout": inputs["timeout"],
            "poll_interval": inputs["poll_interval"],
            # It is from the same resources.
            NAMED: without_resources(pulumi.Output.from_input(named).apply(_merged)),
            **dict.fromkeys(OUTPUTS),
        }
        self.register(ReplicationsCompleteProvider, resource_name, properties, opts)

    @property
    def replications(self) -> pulumi.Output[list[dict[str, Any]]]:
        """What is waited for, grouped by source and destination."""
        # The state has it once, as the input.
        return pulumi.Output.all(self.id, self._groups).apply(lambda known: known[1])

    @property
    def results(self) -> pulumi.Output[dict[str, Any]]:
        """The copies of the given resources, by the name of the resource.

        A single replication has a `CopyResult`. A set or an entire vault has one for each member,
        by its label. What was given by its `tracking` has no name, and is left out.

        Raises:
            ArgumentsError: two of the resources have the same name.
        """
        results: dict[str, pulumi.Output[Any]] = {}
        for resource in self._resources:
            name = resource.pulumi_resource_name
            if name in results:
                raise ArgumentsError(
                    f"ReplicationsComplete {self.pulumi_resource_name!r}: results has two "
                    f"resources named {name!r}; give one of them another name, or use replica_of"
                )
            results[name] = self.result_of(cast("Any", resource))
        return pulumi.Output.all(**results)

    @overload
    def result_of(self, resource: BackupReplication) -> pulumi.Output[CopyResult]: ...

    @overload
    def result_of(self, resource: ManyReplications) -> pulumi.Output[dict[str, CopyResult]]: ...

    def result_of(self, resource: Any) -> pulumi.Output[Any]:
        """Return the result of one resource, as in `results`.

        Raises:
            ArgumentsError: the resource replicates nothing, or is not waited for.
        """
        is_all_known = len(self._resources) == self._given
        if (
            is_all_known
            and isinstance(resource, pulumi.Resource)
            and not any(resource is one for one in self._resources)
        ):
            raise ArgumentsError(
                f"ReplicationsComplete {self.pulumi_resource_name!r}: "
                f"{type(resource).__name__} {resource.pulumi_resource_name!r} is not among its "
                "replications; add it there"
            )
        return results_of(resource, self)

    @overload
    def replica_of(self, resource: BackupReplication) -> pulumi.Output[str | None]: ...

    @overload
    def replica_of(self, resource: ManyReplications) -> pulumi.Output[dict[str, str | None]]: ...

    def replica_of(self, resource: Any) -> pulumi.Output[Any]:
        """Return the id of a resource's replica; None if it is not known.

        A set or an entire vault has one for each member, by its label.

        Raises:
            ArgumentsError: the resource replicates nothing, or is not waited for.
        """
        results = self.result_of(resource)
        if hasattr(resource, "members"):
            return results.apply(
                lambda rows: {label: row["destination_backup_id"] for label, row in rows.items()}
            )
        return results.apply(lambda result: result["destination_backup_id"])


@overload
def results_of(
    resource: BackupReplication, complete: ReplicationsComplete | None = None
) -> pulumi.Output[CopyResult]: ...


@overload
def results_of(
    resource: ManyReplications, complete: ReplicationsComplete | None = None
) -> pulumi.Output[dict[str, CopyResult]]: ...


def results_of(resource: Any, complete: ReplicationsComplete | None = None) -> pulumi.Output[Any]:
    """Return what is known of a resource's copies: one result, or one for each member by its label.

    Args:
        complete: the wait for the copies; without it, only the resource's own state is used.
    Raises:
        ArgumentsError: the resource replicates nothing.
    """
    if not hasattr(type(resource), "tracking"):
        raise ArgumentsError(
            f"{type(resource).__name__} replicates nothing, so it has no results; give a resource "
            "of this package that replicates"
        )
    has_members = hasattr(resource, "members")
    own = (*COORDINATES, "members") if has_members else _ALWAYS
    known = {name: getattr(resource, name) for name in own}
    if not has_members:
        known |= {name: told_or(getattr(resource, name), None) for name in _ONCE_TOLD}
    replicas, copies = _seen_by(complete)
    make = _results_of_members if has_members else _result_of_one
    return pulumi.Output.all(known=known, replicas=replicas, copies=copies).apply(
        lambda told: make(told["known"], told["replicas"].value, told["copies"].value)
    )


_ALWAYS = (*COORDINATES, "backup_id", "replication_record_id", "status")
_ONCE_TOLD = ("created_at", "destination_backup_id", "destination_checkpoint_id")
"""The outputs of a single replication that a result has: those of each state, and the others."""


class _Whole:
    """A value that Pulumi passes on as it is: of a mapping it makes an output for each entry."""

    def __init__(self, value: Any) -> None:
        self.value = None if isinstance(value, Unknown) else value


def _seen_by(complete: ReplicationsComplete | None) -> tuple[Any, Any]:
    """Return what a wait has seen of all its copies, made once for all results.

    What was seen of the copies may be missing in an older state, which is unknown in a preview.
    """
    if complete is None:
        return _Whole(None), _Whole(None)
    seen: tuple[Any, Any] | None = vars(complete).get("_seen")
    if seen is None:
        replicas, copies = (getattr(complete, name) for name in OUTPUTS)
        seen = replicas.apply(_Whole), copies.apply(_Whole, run_with_unknowns=True)
        vars(complete)["_seen"] = seen
    return seen


def _results_of_members(known: dict[str, Any], *waited: Any) -> dict[str, dict[str, Any]]:
    rows: dict[str, Any] = known.pop("members") or {}
    return {label: _result_of_one({**known, **row}, *waited) for label, row in rows.items()}


def _result_of_one(
    known: Mapping[str, Any],
    replicas: Mapping[str, str] | None,
    copies: Mapping[str, dict[str, Any]] | None,
) -> dict[str, Any]:
    record_id = known["replication_record_id"]
    seen = dict((copies or {}).get(record_id) or {})
    if record_id in (replicas or {}):
        seen |= {"status": STATUS_SUCCESS, "destination_backup_id": (replicas or {})[record_id]}
    return {name: seen.get(name, known.get(name)) for name in CopyResult.__annotations__}
