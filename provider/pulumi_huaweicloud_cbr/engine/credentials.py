"""Warn of credentials that Pulumi itself would write into the state as plain text.

Pulumi keeps the stack's configuration among the inputs of the default provider: secrets encrypted,
all else as it is. Only the program learns which keys are secret; a plugin gets plain values.
Nothing here reads or chooses credentials for requests: see `config.settings` and `api.auth`.
"""

from __future__ import annotations

import functools

import pulumi
from pulumi.runtime.config import get_config, is_config_secret

from pulumi_huaweicloud_cbr.config.setting_names import CREDENTIAL_KEYS


@functools.cache
def warn_of_plain_credentials() -> None:
    """Warn of each credential that is plain text in the configuration; once per program."""
    for key in CREDENTIAL_KEYS:
        name = f"huaweicloud:{key.config}"
        if get_config(name) and not is_config_secret(name):
            pulumi.log.warn(
                f"{name} is plain text in the stack's configuration, which Pulumi copies into the "
                f"state as it is; set it with pulumi config set --secret {name}, or give {key.env} "
                "instead, and change it: the backend keeps older states"
            )
