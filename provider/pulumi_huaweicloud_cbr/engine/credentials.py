"""A warning about credentials that Pulumi itself would write into the state.

Pulumi keeps the stack's configuration among the inputs of the default provider: secrets encrypted,
all else as it is. Only the program is told which keys are secret; a plugin is handed plain values.
"""

from __future__ import annotations

import functools

import pulumi
from pulumi.runtime.config import get_config, is_config_secret

from pulumi_huaweicloud_cbr.config.setting_names import CREDENTIAL_KEYS


@functools.cache
def warn_of_plain_credentials() -> None:
    """Name the credentials that are plain text in the configuration; once per program."""
    for key in CREDENTIAL_KEYS:
        name = f"huaweicloud:{key.config}"
        if get_config(name) and not is_config_secret(name):
            pulumi.log.warn(
                f"{name} is plain text in the stack's configuration, which Pulumi copies into the "
                f"state as it is; set it with pulumi config set --secret {name}, or give {key.env} "
                "instead, and change it: the backend keeps older states"
            )
