"""The results of a wait: by resource and member, from what the wait saw, else from the state."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from pulumi.output import Unknown

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.resources.replications_complete import _with_provider_of

pytestmark = pytest.mark.anyio

PLACE = {
    "source_region": "cn-north-4",
    "source_project_id": "c6cb0876",
    "destination_region": "cn-east-3",
    "destination_project_id": "86312992",
    "destination_vault_id": "ca0083e4",
}
SEEN = {
    "destination_checkpoint_id": "point-1",
    "resource_name": "erp-db-01",
    "size_gb": 120,
    "backup_created_at": "2026-11-20T02:00:11.905331",
    "created_at": "2026-11-20T03:00:00.000000",
}
SUBMITTED = {"backup_id": "b1", "replication_record_id": "r1", "status": "waiting_replicate"}


def resource(kind: type[Any], name: str = "erp-db", **outputs: Any) -> Any:
    """Return a resource with these outputs, that no engine knows."""
    made = object.__new__(kind)
    made._name = name
    for output, value in outputs.items():
        # The id of a single replication is that of its record.
        stored = "id" if output == "replication_record_id" else output
        vars(made)[stored] = pulumi.Output.from_input(value)
    return made


def single(name: str = "erp-db", **changes: Any) -> Any:
    """Return a single replication as `create` leaves it, just submitted."""
    nothing = dict.fromkeys(("created_at", "destination_backup_id", "destination_checkpoint_id"))
    return resource(cbr.BackupReplication, name, **{**PLACE, **nothing, **SUBMITTED, **changes})


def wait_for(*resources: Any, **outputs: Any) -> Any:
    """Return a wait for resources, with what it has seen."""
    made = resource(cbr.ReplicationsComplete, "complete", **outputs)
    made._resources = list(resources)
    return made


async def test_result_has_what_the_wait_has_seen() -> None:
    """The state of the replication is from its submission, and the wait is newer."""
    one = single()
    wait = wait_for(one, replicas={"r1": "x1"}, copies={"r1": SEEN})

    results = await wait.results.future()

    assert {
        "erp-db": {
            "backup_id": "b1",
            "replication_record_id": "r1",
            "status": "success",
            "destination_region": "cn-east-3",
            "destination_project_id": "86312992",
            "destination_vault_id": "ca0083e4",
            "destination_backup_id": "x1",
            **SEEN,
        }
    } == results
    assert "x1" == await wait.replica_of(one).future()


async def test_result_without_a_wait_is_from_the_state() -> None:
    """What the state does not know is None, so that each result has the same keys."""
    result = await cbr.results_of(single(created_at="2026-11-20T03:00:00")).future()

    assert result is not None
    assert cbr.CopyResult.__annotations__.keys() == result.keys()
    assert "waiting_replicate" == result["status"]
    assert "2026-11-20T03:00:00" == result["created_at"]
    assert result["destination_backup_id"] is None
    assert result["size_gb"] is None


async def test_result_of_an_earlier_wait_has_the_replica() -> None:
    """A state of 0.1 has `replicas`, and no `copies`."""
    wait = wait_for(single(destination_checkpoint_id="point-1"), replicas={"r1": "x1"}, copies=None)

    result = (await wait.results.future())["erp-db"]

    assert ("success", "x1", "point-1") == tuple(
        result[name] for name in ("status", "destination_backup_id", "destination_checkpoint_id")
    )
    assert result["size_gb"] is None


@pytest.mark.parametrize("kind", [cbr.BackupReplicationSet, cbr.VaultReplication])
async def test_results_of_many_are_by_label(kind: type[Any]) -> None:
    """A label may be any text, also the name of an output."""
    label = "destination_backup_id"
    members = {label: SUBMITTED, "late": {**SUBMITTED, "replication_record_id": "r2"}}
    many = resource(kind, "nightly", **PLACE, members=members)
    wait = wait_for(many, replicas={"r1": "x1"}, copies={"r1": SEEN})

    results = (await wait.results.future())["nightly"]

    assert {label: "success", "late": "waiting_replicate"} == {
        name: result["status"] for name, result in results.items()
    }
    assert "erp-db-01" == results[label]["resource_name"]
    assert {label: "x1", "late": None} == await wait.replica_of(many).future()


async def test_results_of_a_set_without_members_yet_are_empty() -> None:
    """Some previews know no members."""
    many = resource(cbr.BackupReplicationSet, "nightly", **PLACE, members=None)

    assert {} == await wait_for(many, replicas={}, copies={}).result_of(many).future()


async def test_what_the_state_lacks_is_none_in_a_preview() -> None:
    """Pulumi calls it unknown there, so that an unchanged stack would seem to change."""
    unknown: Any = object.__new__(Unknown)
    one = single(created_at=unknown, destination_backup_id=unknown)
    wait = wait_for(one, replicas={"r1": "x1"}, copies=unknown)

    assert await wait.results.is_known()
    result = (await wait.results.future())["erp-db"]
    assert ("x1", None) == (result["destination_backup_id"], result["created_at"])


async def test_results_are_unknown_while_the_wait_is() -> None:
    """A preview must not show the old replica as the new one's."""
    unknown: Any = object.__new__(Unknown)
    wait = wait_for(single(), replicas=unknown, copies=unknown)

    assert not await wait.results.is_known()
    assert not await cbr.results_of(single(replication_record_id=unknown)).is_known()


async def test_two_resources_of_one_name_have_no_results() -> None:
    """`replica_of` still tells them apart."""
    many = resource(cbr.BackupReplicationSet, "erp-db", **PLACE, members={})
    wait = wait_for(single(), many, replicas={}, copies={})

    with pytest.raises(cbr.ArgumentsError) as caught:
        _ = wait.results

    assert (
        "ReplicationsComplete 'complete': results has two resources named 'erp-db'; give one of "
        "them another name, or use replica_of" == str(caught.value)
    )


async def test_what_replicates_nothing_has_no_results() -> None:
    """A bucket, for instance."""
    with pytest.raises(cbr.ArgumentsError) as caught:
        cbr.results_of(resource(pulumi.CustomResource))

    assert (
        "CustomResource replicates nothing, so it has no results; give a resource of this package "
        "that replicates" == str(caught.value)
    )


async def test_work_for_results_grows_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the wait has seen of all copies is not gone through anew for each of them."""
    make = pulumi.Output.from_input
    made: list[object] = []

    def count(value: Any) -> Any:
        made.append(value)
        return make(value)

    monkeypatch.setattr(pulumi.Output, "from_input", staticmethod(count))

    async def work(number: int) -> int:
        ids = [f"r{index}" for index in range(number)]
        singles = [single(name, replication_record_id=name) for name in ids]
        seen = {"replicas": dict.fromkeys(ids, "x"), "copies": dict.fromkeys(ids, SEEN)}
        wait = wait_for(*singles, **seen)
        made.clear()
        results = await wait.results.future()
        assert {"x"} == {result["destination_backup_id"] for result in results.values()}
        return len(made)

    assert await work(40) <= 2 * await work(20)


def with_provider(name: str | None) -> Any:
    """Return a single replication of a provider; None has the stack's settings."""
    made = single()
    made._provider = None if name is None else resource(cbr.Provider, name)
    return made


async def test_wait_has_the_provider_of_what_it_waits_for() -> None:
    """The stack's account knows no copy of another account."""
    one = with_provider("b")

    opts = _with_provider_of([one, one], "complete", pulumi.ResourceOptions(protect=True))

    assert opts is not None
    assert (one._provider, True) == (opts.provider, opts.protect)


async def test_wait_without_providers_keeps_its_options() -> None:
    """Nothing is added for resources with the stack's settings."""
    given = pulumi.ResourceOptions(protect=True)

    assert _with_provider_of([with_provider(None)], "complete", given) is given
    assert _with_provider_of([], "complete", None) is None


async def test_wait_for_several_providers_is_refused() -> None:
    """One request cannot ask two accounts, and a wrong account calls a good copy lost."""
    told = "ReplicationsComplete 'complete': replications belong to Provider 'b' and the stack's"
    with pytest.raises(cbr.ArgumentsError, match=told):
        _with_provider_of([with_provider(None), with_provider("b")], "complete", None)

    # Two providers may have one account: then the program says which of them knows all copies.
    named = pulumi.ResourceOptions(provider=resource(cbr.Provider, "c"))
    both = [with_provider(None), with_provider("b")]
    assert _with_provider_of(both, "complete", named) is named


async def test_replica_of_what_is_not_waited_for_is_refused() -> None:
    """It would be None for ever, and the export would be missing."""
    wait = wait_for(single("a"), replicas={}, copies={})
    wait._given = 1

    with pytest.raises(cbr.ArgumentsError, match="BackupReplication 'b' is not among its repl"):
        wait.replica_of(single("b"))
