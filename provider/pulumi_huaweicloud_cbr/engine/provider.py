"""The base of all provider classes: configuration, and errors that a user can read.

The SDK's plugin shows `str(error)` after a prefix up to 3.264, and a whole traceback from 3.265 on.
On either, an expected error is shown as its one line; an unexpected one keeps its traceback. What a
resource does in a call does not belong here.
"""

from __future__ import annotations

import functools
import os
import platform
import sys
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, TypeVar

import pulumi
from pulumi.dynamic import ConfigureRequest, DiffResult, ResourceProvider

from pulumi_huaweicloud_cbr.api.transport.tls import begin_reading
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError, ConflictError
from pulumi_huaweicloud_cbr.base.text import redact
from pulumi_huaweicloud_cbr.engine.call import refuse, serving
from pulumi_huaweicloud_cbr.engine.output import preview_facts
from pulumi_huaweicloud_cbr.engine.output.messages import end_progress, slow_call
from pulumi_huaweicloud_cbr.engine.ownership.operation import current_operation
from pulumi_huaweicloud_cbr.engine.session import Session, open_session
from pulumi_huaweicloud_cbr.engine.workers import raise_worker_limit

DISTRIBUTION = "pulumi-huaweicloud-cbr"

Method = TypeVar("Method", bound=Callable[..., Any])


class UnexpectedError(Exception):
    """A fault of this package; its text is the redacted traceback and where to report it."""


class PartialResultError(CbrError):
    """A resource exists, but not yet as declared; another `up` updates it.

    Our plugin host keeps it in the state with its error. The SDK's plugin keeps nothing, and the
    next create finds the resource again.

    Args:
        outputs: the known values of the resource, for the state.
    """

    def __init__(self, cause: CbrError, identifier: str, outputs: dict[str, Any]) -> None:
        self.id = identifier
        self.outputs = outputs
        super().__init__(
            cause.message, remedy=cause.remedy, code=cause.code, request_id=cause.request_id
        )


def served(method: Method) -> Method:
    """Wrap a provider's method: set the current call, and let only readable exceptions out.

    A `SystemExit` that left a method would kill the plugin's worker and hang the engine.
    """

    @functools.wraps(method)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with serving(), slow_call(method.__name__):
            is_about_program = method.__name__ in ("check", "diff")
            operation = current_operation()
            try:
                with operation.call_about_program() if is_about_program else nullcontext():
                    answer = method(*args, **kwargs)
            except ConflictError as error:
                if method.__name__ == "diff" and preview_facts.are_wanted():
                    preview_facts.note_refusal(str(error))
                    return DiffResult(changes=True)
                refuse(str(error))
                raise
            except CbrError as error:
                refuse(str(error))
                raise
            except BaseException as error:  # noqa: BLE001 -- all of it is reported
                told = _report(error)
                refuse(told)
                # Not chained: showing the chain would show what is redacted here.
                raise UnexpectedError(told) from None
            end_progress()
            return answer

    return wrapper  # type: ignore[return-value]


def _report(error: BaseException) -> str:
    """Return the text about a fault of this package, for a report to its maintainers."""
    from importlib.metadata import version

    return (
        f"unexpected {type(error).__name__} in {DISTRIBUTION} {version(DISTRIBUTION)} (pulumi "
        f"{version('pulumi')}, Python {platform.python_version()}); this is a fault of the "
        "package, please report it with all that follows to those you have it from. What was "
        "begun is found again: the same command may be run again.\n"
        f"{redact(traceback.format_exc())}"
    )


def split_unknown(properties: dict[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the inputs that are known, and the names of those that are not known yet."""
    known, unknown = {}, set()
    for field, value in properties.items():
        if field.startswith("__"):
            continue
        if isinstance(value, pulumi.output.Unknown):
            unknown.add(field)
        else:
            known[field] = value
    return known, frozenset(unknown)


class CbrProvider(ResourceProvider):
    """Base of the provider classes.

    Instances are pickled into the state. So they keep nothing before `configure`, which the engine
    calls in the plugin process, and never anything secret.
    """

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the getter of the stack's configuration; called once per process."""
        self._get_config = req.config.get
        raise_worker_limit()
        _show_expected_errors_without_traceback()

    def open(self) -> Session:
        """Return the session that the stack's configuration describes.

        Raises:
            ConfigurationError: a setting is malformed.
        """
        get = getattr(self, "_get_config", None)
        if get is None:
            raise ConfigurationError(
                "the provider was not configured by the engine",
                remedy="resources of this package are only used through pulumi",
            )
        begin_reading()
        from pulumi_huaweicloud_cbr.config.settings import Settings

        return open_session(Settings.load(get, os.environ))


def _show_expected_errors_without_traceback() -> None:
    """Make the plugin of SDK 3.265 and later show our errors as one line.

    That plugin calls ``traceback.format_exc()`` for every exception of a provider. Replacing that
    name in its module, for our own classes only, is the smallest change that works. If the plugin
    is another one, nothing is changed.
    """
    plugin = sys.modules["__main__"]
    if not hasattr(plugin, "_abort_with_traceback") or not hasattr(plugin, "traceback"):
        return

    def format_exc(*args: Any, **kwargs: Any) -> str:
        error = sys.exc_info()[1]
        if isinstance(error, (CbrError, UnexpectedError)):
            return str(error)
        return traceback.format_exc(*args, **kwargs)

    vars(plugin)["traceback"] = SimpleNamespace(format_exc=format_exc)
