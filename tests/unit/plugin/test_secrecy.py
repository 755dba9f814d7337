"""Secrets in property bags: unwrapped for the provider, wrapped again in its answer."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from pulumi.dynamic import CheckFailure, CheckResult, ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from pulumi_huaweicloud_cbr.base.text import redact
from pulumi_huaweicloud_cbr.engine.ownership.state import SIGNATURE_KEY
from pulumi_huaweicloud_cbr.plugin import secrecy
from pulumi_huaweicloud_cbr.plugin.properties import from_wire, to_wire
from pulumi_huaweicloud_cbr.plugin.secrecy import Secrets
from pulumi_huaweicloud_cbr.plugin.servicer import DynamicResourceServicer

PASSWORD = "correct-horse"


def secret(value: Any) -> dict[str, Any]:
    """Return a value as the engine marks secrets on the wire."""
    return {SIGNATURE_KEY: secrecy.SECRET_SIGNATURE, "value": value}


def bag(**properties: Any) -> Struct:
    """Return a property bag as the engine sends it."""
    struct = Struct()
    struct.update(properties)
    return struct


def answer(outputs: dict[str, Any], secrets: Secrets) -> dict[str, Any]:
    """Return what the engine receives, as plain data with its marks."""
    wire = to_wire(outputs, secrets)
    expected = Struct()
    expected.CopyFrom(wire)
    return {key: _plain(value) for key, value in expected.fields.items()}


def _plain(value: Any) -> Any:
    if value.HasField("struct_value"):
        return {key: _plain(member) for key, member in value.struct_value.fields.items()}
    if value.HasField("list_value"):
        return [_plain(member) for member in value.list_value.values]
    return getattr(value, value.WhichOneof("kind"))


def test_signatures_are_those_of_the_sdk() -> None:
    """The protocol's markers have no public name in the SDK."""
    wire = asyncio.run(rpc.serialize_properties({"x": rpc.wrap_rpc_secret("y")}, {}))

    assert {"x": secret("y")} == {key: _plain(value) for key, value in wire.fields.items()}


def test_from_wire_returns_plain_values() -> None:
    """A provider receives what the program declared, at any depth."""
    sent = bag(a=secret(PASSWORD), b={"c": [1.0, secret({"d": PASSWORD})]}, e="plain")

    properties, secrets = from_wire(sent)

    assert {"a": PASSWORD, "b": {"c": [1.0, {"d": PASSWORD}]}, "e": "plain"} == properties
    assert {("a",), ("b", "c", 1)} == secrets.paths
    assert PASSWORD not in repr(secrets)


def test_to_wire_marks_the_same_place_again() -> None:
    """A secret input is secret at the same path, also if it is nested or not text."""
    _, secrets = from_wire(bag(a=secret(7.0), b={"c": secret("x"), "d": "y"}))

    assert {"a": secret(7.0), "b": {"c": secret("x"), "d": "y"}} == answer(
        {"a": 7, "b": {"c": "x", "d": "y"}}, secrets
    )


def test_to_wire_marks_texts_that_contain_a_secret() -> None:
    """A derived output is secret; its neighbours are not."""
    _, secrets = from_wire(bag(a=secret(PASSWORD)))

    outputs = {"url": f"https://u:{PASSWORD}@host", "list": ["x", PASSWORD], "other": "x"}
    assert {
        "url": secret(f"https://u:{PASSWORD}@host"),
        "list": ["x", secret(PASSWORD)],
        "other": "x",
    } == answer(outputs, secrets)


def test_to_wire_short_secrets_mark_their_own_place_only() -> None:
    """A secret such as 'no' would redact half of every text."""
    _, secrets = from_wire(bag(a=secret("no")))

    assert {"a": secret("no"), "b": "not"} == answer({"a": "no", "b": "not"}, secrets)


def test_to_wire_unknown_secret_marks_no_other_unknown() -> None:
    """In a preview all unknowns look the same. Only the secret one is secret."""
    _, secrets = from_wire(bag(a=secret(rpc.UNKNOWN), b=rpc.UNKNOWN), keep_unknowns=True)

    assert {"a": secret(rpc.UNKNOWN), "b": rpc.UNKNOWN} == answer(
        {"a": rpc.UNKNOWN, "b": rpc.UNKNOWN}, secrets
    )


def test_from_wire_keeps_secrets_out_of_messages() -> None:
    """A provider's message about its inputs does not contain the secret."""
    from_wire(bag(a=secret("tell-nobody")))

    assert "the name [secret] is taken" == redact("the name tell-nobody is taken")


def test_from_wire_leaves_the_request_as_it_is() -> None:
    """The request may be sent back with its marks, as with partial results."""
    sent = bag(a=secret(PASSWORD))
    before = sent.SerializeToString()

    from_wire(sent)

    assert before == sent.SerializeToString()


class Refusing(ResourceProvider):
    """A provider that finds a fault in each property."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse everything but the provider itself."""
        names = ["a", 'members["x"].id', "plain"]
        return CheckResult(news, [CheckFailure(name, f"{news['a']} is bad") for name in names])


def test_check_names_no_secret_property_to_the_engine() -> None:
    """The engine prints the value of a property that a failure names, even if it is secret."""
    news = bag(
        __provider=serialize_provider(Refusing()),
        a=secret("tell-no-engine"),
        members={"x": {"id": secret("tell-no-reader")}},
        plain="x",
    )
    request = provider_pb2.CheckRequest(urn="urn:pulumi:s::p::t::n", news=news)

    failures = DynamicResourceServicer().Check(request, None).failures

    assert [
        ("", "a: [secret] is bad"),
        ("", 'members["x"].id: [secret] is bad'),
        ("plain", "[secret] is bad"),
    ] == [(failure.property, failure.reason) for failure in failures]
