"""The policy pack as a process, asked in the engine's protocol as the Pulumi CLI asks it.

The CLI starts a pack through its Python language host. The one that `make toolchain` builds is too
old for that, so this test does what a newer one does: it runs the folder, and reads the port.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
import yaml
from google.protobuf import empty_pb2, json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import proto
from pulumi.runtime.proto import analyzer_pb2_grpc

import pulumi_huaweicloud_cbr as cbr

PACK = Path(__file__).parents[2] / "policies"
TYPE = f"pulumi-python:{cbr.BackupReplication._resource_type_name}"
NORTH, EAST, SOUTH = "cn-north-4", "cn-east-3", "cn-south-1"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine sends in place of a value that is not known yet (pulumi, rpc.UNKNOWN)."""
CONFIG: dict[str, dict[str, Any]] = {
    "cbr-copies-go-to-allowed-regions": {"allowed_pairs": {NORTH: [EAST]}},
    "cbr-copies-are-in-enough-regions": {"regions": 2},
    "cbr-kept-copies-say-why": {"description_required": True},
}


@pytest.fixture(scope="module")
def pack() -> Iterator[Any]:
    """The analyzer of the running pack, with a configuration."""
    process = subprocess.Popen([sys.executable, "-u", str(PACK)], stdout=subprocess.PIPE)
    with process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub: Any = analyzer_pb2_grpc.AnalyzerStub(channel)
                stub.Configure(configuration(CONFIG))
                yield stub
        finally:
            process.terminate()


def configuration(config: dict[str, dict[str, Any]]) -> Any:
    """Return the configuration of policies as the CLI sends it."""
    request = proto.ConfigureAnalyzerRequest()
    for name, values in config.items():
        request.policyConfig[name].properties.CopyFrom(struct(values))
        request.policyConfig[name].enforcementLevel = proto.EnforcementLevel.Value("MANDATORY")
    return request


def struct(values: dict[str, Any]) -> struct_pb2.Struct:
    """Return properties as the engine sends them."""
    return json_format.ParseDict(values, struct_pb2.Struct())


def asked(pack: Any, *, protect: bool = False, **props: Any) -> dict[str, str]:
    """Return what the pack says about one resource, by policy."""
    given = {"source_region": NORTH, "destination_region": EAST, "backup_id": "b1", **props}
    request = proto.AnalyzeRequest(
        type=TYPE,
        properties=struct(given),
        urn="urn:erp",
        name="erp",
        options=proto.AnalyzerResourceOptions(protect=protect),
    )
    return {one.policyName: one.message for one in pack.Analyze(request).diagnostics}


def test_pack_tells_its_policies_and_their_configuration(pack: Any) -> None:
    """The CLI checks the configuration with these schemas before the program runs."""
    info = pack.GetAnalyzerInfo(empty_pb2.Empty())
    project = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text())

    assert project["name"] == info.name
    assert {name: set(values) for name, values in CONFIG.items()} == {
        policy.name: set(json_format.MessageToDict(policy.configSchema.properties)) - {"names"}
        for policy in info.policies
    }
    assert {proto.EnforcementLevel.Value("MANDATORY")} == {
        policy.enforcementLevel for policy in info.policies
    }


def test_resource_that_breaks_rules_is_refused(pack: Any) -> None:
    """Each policy reports its own rule; a resource without faults has no report."""
    assert {} == asked(pack)

    broken = asked(pack, destination_region=SOUTH, protect=True)

    assert {"cbr-copies-go-to-allowed-regions", "cbr-kept-copies-say-why"} == set(broken)
    assert "allowed_pairs allows 'cn-east-3'" in broken["cbr-copies-go-to-allowed-regions"]


def test_value_that_is_not_known_yet_is_told_in_a_preview(pack: Any) -> None:
    """The policy does not pass silently: it says that it could not run."""
    (message,) = asked(pack, destination_region=UNKNOWN).values()

    assert message.startswith("can't run policy 'cbr-copies-go-to-allowed-regions'")


def test_stack_is_asked_for_regions(pack: Any) -> None:
    """Two copies of a backup in two regions are enough, one is not."""

    def violations(*regions: str) -> list[str]:
        request = proto.AnalyzeStackRequest()
        for region in regions:
            request.resources.add(
                type=TYPE,
                urn=f"urn:{region}",
                name=region,
                properties=struct(
                    {"backup_id": "b1", "source_region": NORTH, "destination_region": region}
                ),
            )
        return [one.message for one in pack.AnalyzeStack(request).diagnostics]

    assert 1 == len(violations(EAST))
    assert [] == violations(EAST, SOUTH)
