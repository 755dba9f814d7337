"""The configuration that the engine stores with a provider, on our host."""

from __future__ import annotations

from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2

from pulumi_huaweicloud_cbr.plugin.servicer import DynamicResourceServicer


def test_lists_of_the_stack_program_are_not_stored() -> None:
    """All else is: providers of any package may read it, also below the same namespace."""
    kept = {"huaweicloud:region": "cn-north-4", "other:sets": "[]", "cbr-replication:wait": "true"}
    lists = {f"cbr-replication:{name}": "[]" for name in ("replications", "sets", "vaults")}
    news = Struct()
    news.update({**kept, **lists})

    answer = DynamicResourceServicer().CheckConfig(provider_pb2.CheckRequest(news=news), None)

    assert kept == dict(answer.inputs)
    assert {**kept, **lists} == dict(news)
