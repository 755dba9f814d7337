"""Warn of the stack's configuration: credentials in plain text, and settings that nobody knows.

Pulumi keeps the stack's configuration among the inputs of the default provider: secrets encrypted,
all else as it is. Only the program learns which keys there are, and which of them are secret. A
plugin gets plain values. Nothing here reads or chooses settings for requests: see `config.settings`
and `api.auth`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import pulumi
from pulumi.runtime.config import CONFIG, get_config, get_config_env, is_config_secret

from pulumi_huaweicloud_cbr.config.setting_names import (
    CREDENTIAL_KEYS,
    KEYS,
    NAMESPACE,
    VENDOR_KEYS,
)

_ALL_OF_THEM = "see docs/reference/settings.md for all of them"


@functools.cache
def warn_of_configuration() -> None:
    """Warn of each credential in plain text, and of each unknown setting; once per program."""
    for key in CREDENTIAL_KEYS:
        name = f"{NAMESPACE}:{key.config}"
        if get_config(name) and not is_config_secret(name):
            pulumi.log.warn(
                f"{name} is plain text in the stack's configuration, which Pulumi copies into the "
                f"state as it is; set it with pulumi config set --secret {name}, or give {key.env} "
                "instead, and change it: the backend keeps older states"
            )
    for text in unknown_settings({*CONFIG.get(), *get_config_env()}):
        pulumi.log.warn(text)


def unknown_settings(given: Iterable[str]) -> list[str]:
    """Return a text about each key of our namespace that nobody knows, with the key that is meant.

    The vendor's own Pulumi provider has the same namespace. Its keys are known, and ignored.
    """
    from difflib import get_close_matches

    known = [key.config for key in KEYS]
    texts = []
    for name in sorted(given):
        namespace, _, key = name.partition(":")
        if namespace != NAMESPACE or key in known or key in VENDOR_KEYS:
            continue
        near = get_close_matches(key, known, 1)
        meant = f"did you mean {NAMESPACE}:{near[0]}?" if near else _ALL_OF_THEM
        texts.append(f"{name} is no setting, and has no effect; {meant}")
    return texts
