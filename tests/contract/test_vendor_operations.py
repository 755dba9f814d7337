"""Every operation of the vendor's SDK for CBR, called against the simulator.

Each is answered as modelled, or refused by its name. `test_vendor_sdk_full.py` has the calls that
succeed; here, bodies are filled with anything of the right type.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from huaweicloudsdkcbr import v1 as cbr
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from simulator.cloud.errors import NOT_MODELLED as CODE
from simulator.cloud.operations import CBR_OPERATIONS, NOT_MODELLED, OF_CBR, PATHS
from simulator.testing import InProcessSimulator
from tests.contract.serving import Door, open_door
from tests.contract.vendor import Vendor
from tests.simulator.rig import SERVER_BACKUP, SOURCE_VAULT, UNKNOWN_ID

pytestmark = pytest.mark.simulator_only

CALLS = sorted(
    name
    for name, _ in inspect.getmembers(cbr.CbrClient, inspect.isfunction)
    if hasattr(cbr.CbrClient, f"_{name}_http_info")
)
"""The SDK's method for each operation."""
KNOWN = {"backup_id": SERVER_BACKUP, "vault_id": SOURCE_VAULT, "feature_key": "replication.enable"}
"""Variables of paths that name something that exists."""
PRIMITIVES: dict[str, Any] = {
    "str": UNKNOWN_ID,
    "int": 1,
    "float": 1.0,
    "bool": True,
    "object": "any",
    "dict(str, object)": {},
    "datetime": datetime(2026, 11, 20, tzinfo=UTC),
}


def name_of(call: str) -> str:
    """Return the operation's name in the vendor's reference: show_backup is ShowBackup."""
    return "".join(word.capitalize() for word in call.split("_"))


def filled(kind: str) -> Any:
    """Return a value of a type, as the SDK writes it, with every field."""
    if kind in PRIMITIVES:
        return PRIMITIVES[kind]
    if kind.startswith("list["):
        return [filled(kind[5:-1])]
    model = getattr(cbr, kind)
    return model(**{name: filled(inner) for name, inner in model.openapi_types.items()})


def request_of(call: str) -> Any:
    """Return the request of an operation, without filters."""
    model = getattr(cbr, f"{name_of(call)}Request")
    http = getattr(cbr.CbrClient, f"_{call}_http_info")(model())
    wanted = {*http["path_params"], "body"} & set(model.openapi_types)
    return model(**{name: KNOWN.get(name) or filled(model.openapi_types[name]) for name in wanted})


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """An address for all tests of this module."""
    with open_door() as door:
        yield door


@pytest.fixture
def vendor(door: Door, simulator: InProcessSimulator) -> Iterator[Vendor]:
    """The SDK's clients, with tokens."""
    with door.lead_to(simulator):
        vendor = Vendor(door.url, simulator)
        yield vendor
        vendor.close()


def test_operations_are_those_of_the_sdk() -> None:
    """The simulator knows the name, method and path of each operation of the SDK, and no other."""
    of_sdk = {}
    for call in CALLS:
        http = getattr(cbr.CbrClient, f"_{call}_http_info")(
            getattr(cbr, f"{name_of(call)}Request")()
        )
        of_sdk[name_of(call)] = (http["method"], http["resource_path"])
    ours = {name.removesuffix(OF_CBR): PATHS[name] for name in CBR_OPERATIONS | NOT_MODELLED}

    assert of_sdk == ours
    assert 74 == len(of_sdk)


@pytest.mark.parametrize("call", CALLS)
def test_call_is_answered_as_modelled_or_refused_by_name(vendor: Vendor, call: str) -> None:
    """No operation gets a 5xx, and none gets the answer of another operation."""
    refused = None
    try:
        vendor.source(call, request_of(call))
    except ClientRequestException as error:
        refused = error
    *_, entry = vendor.control.journal()

    assert name_of(call) == entry["operation"].removesuffix(OF_CBR)
    if entry["operation"] in NOT_MODELLED:
        assert refused is not None
        assert (400, CODE) == (refused.status_code, refused.error_code)
        assert f"{entry['operation']} is not modelled" in refused.error_msg
        assert refused.request_id
    elif refused is not None:
        assert refused.status_code in (400, 404)
        assert refused.error_code.startswith("BackupService.")
