"""The engine's protocol for resource providers, served for dynamic resources.

Each call gets an answer, even if a provider fails in any way: a `SystemExit` that escaped would
leave the engine waiting for ever. The state format is the SDK's: a provider's pickle under
``__provider``. Apart from the schema and the stack program's lists, nothing here knows about
backups.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import grpc  # type: ignore[import-untyped]
from google.protobuf import any_pb2, empty_pb2  # type: ignore[import-untyped]
from google.rpc import status_pb2  # type: ignore[import-untyped]
from pulumi.dynamic import CheckFailure, ReadResult, ResourceProvider
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.base.text import redact
from pulumi_huaweicloud_cbr.engine.call import call_of, serving
from pulumi_huaweicloud_cbr.engine.provider import PartialResultError, UnexpectedError
from pulumi_huaweicloud_cbr.engine.session import interrupt_waits
from pulumi_huaweicloud_cbr.plugin.properties import (
    PROVIDER_KEY,
    detailed_diff,
    differing,
    from_wire,
    serialisable,
    to_wire,
)
from pulumi_huaweicloud_cbr.plugin.providers import Providers, UnknownTypeError
from pulumi_huaweicloud_cbr.plugin.secrecy import Secrets

Answer = TypeVar("Answer")

VERSION = "0.2.0"

_LISTS = tuple(f"cbr-replication:{name}" for name in ("replications", "sets", "vaults"))
"""What the stack program's configuration lists. No resource reads these."""
_EXPECTED = (CbrError, UnexpectedError, UnknownTypeError)


class DynamicResourceServicer(provider_pb2_grpc.ResourceProviderServicer):
    """Serves every dynamic resource of a project."""

    def __init__(self) -> None:
        self._providers = Providers()
        self._calls = 0
        self._idle = threading.Condition()

    # -- the plugin itself ------------------------------------------------------------------

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Leave out the stack program's lists.

        The engine would store them twice, as inputs and as outputs of the default provider.
        """

        def check() -> Any:
            answer = provider_pb2.CheckResponse(inputs=request.news)
            for name in _LISTS:
                answer.inputs.fields.pop(name, None)
            return answer

        return self._serve(request, context, check)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take the stack's configuration, with decrypted secrets, as the SDK's plugin does."""

        def configure() -> Any:
            config, _ = from_wire(request.args)
            self._providers.configure(config)
            return provider_pb2.ConfigureResponse(acceptSecrets=True)

        return self._serve(request, context, configure)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Return the version: the engine needs one, and dynamic plugins have none of their own."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Describe this package's resources; `pulumi import` prints Python from it."""

        def describe() -> Any:
            from pulumi_huaweicloud_cbr.plugin.schema import schema_text  # noqa: PLC0415

            return provider_pb2.GetSchemaResponse(schema=schema_text(VERSION))

        return self._serve(request, context, describe)

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """End waits; running requests may finish. The engine sends this at every shutdown too."""
        interrupt_waits()
        return empty_pb2.Empty()

    def wait_until_idle(self, limit_s: float) -> None:
        """Wait until no call is running, at most `limit_s` seconds."""
        with self._idle:
            self._idle.wait_for(lambda: self._calls == 0, limit_s)

    # -- the life of a resource -------------------------------------------------------------

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Validate inputs, some of which may be unknown."""

        def check() -> Any:
            olds, _ = from_wire(request.olds, keep_unknowns=True)
            news, secrets = from_wire(request.news, keep_unknowns=True)
            result = self._provider_of(news, olds).check(olds, news)
            return provider_pb2.CheckResponse(
                inputs=to_wire({**result.inputs, PROVIDER_KEY: news[PROVIDER_KEY]}, secrets),
                failures=[_failure(failure, secrets) for failure in result.failures],
            )

        return self._serve(request, context, check)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Compare, and name each property that differs."""

        def diff() -> Any:
            olds, _ = from_wire(request.olds, keep_unknowns=True)
            news, _ = from_wire(request.news, keep_unknowns=True)
            result = self._provider_of(news, olds).diff(request.id, olds, news)
            replaces = list(result.replaces or [])
            answer = provider_pb2.DiffResponse(
                replaces=replaces,
                stables=result.stables,
                deleteBeforeReplace=bool(result.delete_before_replace),
                changes=_CHANGES[result.changes],
            )
            if result.changes:
                # The engine sends the old inputs; if it does not, the outputs serve instead.
                sent, _ = from_wire(request.old_inputs, keep_unknowns=True)
                old_inputs = sent if PROVIDER_KEY in sent else olds
                details = detailed_diff(old_inputs, news, replaces)
                # A row of the preview shows whole properties, and no paths.
                answer.diffs.extend(differing(old_inputs, news, replaces))
                answer.hasDetailedDiff = bool(details)
                for key, detail in details.items():
                    answer.detailedDiff[key].CopyFrom(detail)
            return answer

        return self._serve(request, context, diff)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Create the resource; if that fails in part, keep its id and its known values."""

        def create() -> Any:
            props, secrets = from_wire(request.properties)
            pickled = props[PROVIDER_KEY]
            try:
                result = self._provider_of(props).create(props)
            except PartialResultError as error:
                outs = {**error.outputs, PROVIDER_KEY: pickled}
                return _Partial(error.id, to_wire(outs, secrets), request.properties, str(error))
            identifier: object = result.id
            if not isinstance(identifier, str) or not identifier:
                raise UnexpectedError(f"the provider gave {identifier!r} as the resource's id")
            outs = {**(result.outs or {}), PROVIDER_KEY: pickled}
            try:
                bag = to_wire(outs, secrets)
            except Exception as error:  # noqa: BLE001 -- the resource exists: its id must be kept
                bag = to_wire({**serialisable(props), **serialisable(outs)}, secrets)
                reason = f"it was created, but its outputs cannot be stored: {redact(str(error))}"
                return _Partial(identifier, bag, request.properties, reason)
            return provider_pb2.CreateResponse(id=identifier, properties=bag)

        return self._serve(request, context, create)

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Refresh the resource; without any state, as on import, read it by type and id alone."""

        def read() -> Any:
            props, secrets = from_wire(request.properties)
            inputs, input_secrets = from_wire(request.inputs)
            secrets |= input_secrets
            if PROVIDER_KEY not in props:
                props = inputs
            pickled = props.get(PROVIDER_KEY)
            if pickled is None:
                pickled = self._providers.pickle_for_type(request.type)
                result = _import(self._providers.get(pickled), request.id)
            else:
                result = self._providers.get(pickled).read(request.id, props)
            if not result.id:
                return provider_pb2.ReadResponse(id="")
            outs = {**(result.outs or {}), PROVIDER_KEY: pickled}
            answer = provider_pb2.ReadResponse(id=result.id, properties=to_wire(outs, secrets))
            if result.inputs is not None:
                seen = {**result.inputs, PROVIDER_KEY: pickled}
                answer.inputs.CopyFrom(to_wire(seen, secrets))
            elif request.HasField("inputs"):
                answer.inputs.CopyFrom(request.inputs)
            return answer

        return self._serve(request, context, read)

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Change the resource in place; if that fails in part, keep what was changed."""

        def update() -> Any:
            olds, _ = from_wire(request.olds)
            news, secrets = from_wire(request.news)
            try:
                result = self._provider_of(news).update(request.id, olds, news)
            except PartialResultError as error:
                outs = {**error.outputs, PROVIDER_KEY: news[PROVIDER_KEY]}
                return _Partial(request.id, to_wire(outs, secrets), request.news, str(error))
            outs = {**(result.outs or {}), PROVIDER_KEY: news[PROVIDER_KEY]}
            return provider_pb2.UpdateResponse(properties=to_wire(outs, secrets))

        return self._serve(request, context, update)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Delete the resource."""

        def delete() -> Any:
            props, _ = from_wire(request.properties)
            self._provider_of(props).delete(request.id, props)
            return empty_pb2.Empty()

        return self._serve(request, context, delete)

    # -- shared -----------------------------------------------------------------------------

    def _provider_of(self, *bags: dict[str, Any]) -> ResourceProvider:
        for bag in bags:
            pickled = bag.get(PROVIDER_KEY)
            if isinstance(pickled, str) and pickled != rpc.UNKNOWN:
                return self._providers.get(pickled)
        raise UnexpectedError("the resource carries no provider; is it a dynamic resource?")

    def _serve(self, request: Any, context: Any, work: Callable[[], Answer]) -> Answer:
        with self._idle:
            self._calls += 1
        try:
            with serving(call_of(request, is_by_host=True)):
                answer = work()
            if not isinstance(answer, _Partial):
                return answer
            context.set_trailing_metadata((("grpc-status-details-bin", answer.details()),))
            message = answer.reason
        except _EXPECTED as error:
            message = str(error)
        except BaseException as error:  # noqa: BLE001 -- see the module's docstring
            told = f"{type(error).__name__}: {error}".removesuffix(": ")
            message = f"{told}\n{traceback.format_exc()}"
        finally:
            with self._idle:
                self._calls -= 1
                self._idle.notify_all()
        return _refuse(context, redact(message))


class _Partial:
    """A resource that exists although its create or update failed; the engine keeps it."""

    def __init__(self, identifier: str, outputs: Any, inputs: Any, reason: str) -> None:
        self.reason = reason
        self._failure = provider_pb2.ErrorResourceInitFailed(
            id=identifier, properties=outputs, reasons=[reason], inputs=inputs
        )

    def details(self) -> bytes:
        """Return what the engine expects in the trailing metadata of a failed call."""
        packed = any_pb2.Any()
        packed.Pack(self._failure)
        status = status_pb2.Status(
            code=grpc.StatusCode.UNKNOWN.value[0], message=self.reason, details=[packed]
        )
        encoded: bytes = status.SerializeToString()
        return encoded


_CHANGES = {
    None: provider_pb2.DiffResponse.DIFF_UNKNOWN,
    False: provider_pb2.DiffResponse.DIFF_NONE,
    True: provider_pb2.DiffResponse.DIFF_SOME,
}


def _failure(failure: CheckFailure, secrets: Secrets) -> Any:
    """Return what `check` found; the engine would print the value of the property that is named."""
    name, reason = failure.property, redact(failure.reason)
    if secrets.are_in(name):
        return provider_pb2.CheckFailure(property="", reason=f"{name}: {reason}")
    return provider_pb2.CheckFailure(property=name, reason=reason)


def _refuse(context: Any, message: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError("abort returned")


def _import(provider: ResourceProvider, identifier: str) -> ReadResult:
    """Read a resource by its id alone."""
    by_id = getattr(provider, "import_state", None)
    if by_id is not None:
        result: ReadResult = by_id(identifier)
        return result
    return provider.read(identifier, {})
