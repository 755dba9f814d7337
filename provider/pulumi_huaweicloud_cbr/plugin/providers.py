"""The provider objects of a project's dynamic resources: un-pickled and configured once."""

from __future__ import annotations

import base64
import os
import threading
from importlib.metadata import entry_points
from typing import Any

import dill  # type: ignore[import-untyped]
import pulumi
from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

# Providers may have captured outputs, which un-pickle only within this function. The SDK's own
# plugin does the same, and has no public name for it.
from pulumi.runtime._serialization import _deserialize

from pulumi_huaweicloud_cbr.resources._arguments.registration import pickle_of

_OURS = __name__.partition(".")[0]
ENTRY_POINTS = "pulumi.dynamic_resources"
"""The group in which packages name the provider class of a resource type, for imports by type."""


class UnknownTypeError(Exception):
    """No installed package declares the type of a resource that is imported."""


class Providers:
    """Un-pickles, configures and keeps providers; safe to use from many threads."""

    def __init__(self) -> None:
        self._config: dict[str, Any] = {}
        self._by_pickle: dict[str, ResourceProvider] = {}
        self._lock = threading.Lock()

    def configure(self, config: dict[str, Any]) -> None:
        """Keep the stack's configuration, for providers that are created from now on."""
        self._config = config

    def get(self, pickled: str) -> ResourceProvider:
        """Return the provider that a resource carries in its properties."""
        # The engine's settings are per thread in the SDK.
        pulumi.runtime.configure(
            pulumi.runtime.Settings(
                project=os.environ.get("PULUMI_PROJECT", "project"),
                stack="stack",
                organization="organization",
            )
        )
        with self._lock:
            if pickled not in self._by_pickle:
                # The bytes are the stack's own: the engine got them from the program that it runs.
                stored = base64.b64decode(pickled)
                provider: ResourceProvider = _deserialize(
                    lambda: dill.loads(stored)  # noqa: S301
                )
                config = Config(self._config, os.environ.get("PULUMI_PROJECT", "project"))
                provider.configure(ConfigureRequest(config))
                self._by_pickle[pickled] = provider
            return self._by_pickle[pickled]

    def pickle_for_type(self, resource_type: str) -> str:
        """Return the pickled provider of a type, for a resource that has no state yet.

        Raises:
            UnknownTypeError: no installed package declares the type.
        """
        for entry in entry_points(group=ENTRY_POINTS):
            if entry.name == resource_type.replace(":", "."):
                provider = entry.load()
                if provider.__module__.partition(".")[0] == _OURS:
                    # As a program declares it: another spelling would show as a change.
                    return pickle_of(provider)
                pickled: str = serialize_provider(provider())
                return pickled
        raise UnknownTypeError(
            f"importing a resource of type {resource_type!r}: no installed package declares its "
            f"provider (entry points of group {ENTRY_POINTS!r})"
        )
