"""The names of all settings: in stack configuration, in the environment, and in `Settings`.

Kept apart from `settings`, because each program checks which of them are secret, and reads none.
So this module has to stay cheap to import.
"""

from __future__ import annotations

from typing import NamedTuple

NAMESPACE = "huaweicloud"
"""The namespace of all settings in a stack's configuration."""


class Key(NamedTuple):
    """The names of one setting: in stack configuration, in the environment, and in `Settings`.

    `sdk_env` is the variable of the vendor's own tools, None if they have none. `synonym` is the
    name of the same setting in the configuration of the vendor's own Pulumi provider.
    """

    field: str
    config: str
    env: str
    sdk_env: str | None = None
    synonym: str | None = None

    def __str__(self) -> str:
        return f"huaweicloud:{self.config} (or {self.env})"


KEYS = (
    Key("region", "region", "HW_REGION_NAME"),
    Key("project_id", "projectId", "HW_PROJECT_ID"),
    Key("access_key", "accessKey", "HW_ACCESS_KEY", "HUAWEICLOUD_SDK_AK"),
    Key("secret_key", "secretKey", "HW_SECRET_KEY", "HUAWEICLOUD_SDK_SK"),
    Key("security_token", "securityToken", "HW_SECURITY_TOKEN", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
    Key("user_name", "userName", "HW_USER_NAME"),
    Key("password", "password", "HW_USER_PASSWORD"),
    Key("domain_name", "domainName", "HW_DOMAIN_NAME"),
    Key("token", "token", "HW_AUTH_TOKEN"),
    Key("tokens", "tokens", "HW_AUTH_TOKENS"),
    Key("metadata", "metadata", "HW_METADATA"),
    Key("auth_url", "authUrl", "HW_AUTH_URL"),
    Key("cloud", "cloud", "HW_CLOUD"),
    Key("endpoints", "endpoints", "HW_ENDPOINTS"),
    Key("insecure", "insecure", "HW_INSECURE"),
    Key("ca_file", "caFile", "HW_CA_FILE", synonym="cacertFile"),
    Key("poll_interval_s", "pollInterval", "HW_POLL_INTERVAL"),
    Key("owner", "owner", "HW_OWNER"),
    Key("mark_replicas", "markReplicas", "HW_MARK_REPLICAS"),
    Key("force_destroy", "forceDestroy", "HW_FORCE_DESTROY"),
    Key("max_deleted_percent", "maxDeletedPercent", "HW_MAX_DELETED_PERCENT"),
)
SECRET_FIELDS = ("access_key", "secret_key", "security_token", "password", "token", "tokens")
CREDENTIAL_KEYS = tuple(key for key in KEYS if key.field in SECRET_FIELDS)
"""Settings that a stack's configuration may have only as secrets."""

VENDOR_KEYS = frozenset(
    {
        "accessKey",
        "agencyDomainName",
        "agencyName",
        "assumeRole",
        "authUrl",
        "cacertFile",
        "cert",
        "cloud",
        "delegatedProject",
        "domainId",
        "domainName",
        "endpoints",
        "enterpriseProjectId",
        "insecure",
        "key",
        "maxRetries",
        "password",
        "profile",
        "projectId",
        "projectName",
        "region",
        "regional",
        "secretKey",
        "securityToken",
        "sharedConfigFile",
        "signingAlgorithm",
        "skipCheckUpgrade",
        "skipCheckWebsiteType",
        "tenantId",
        "tenantName",
        "token",
        "userId",
        "userName",
    }
)
"""The settings of the vendor's own Pulumi provider, which has the same namespace. Its names are
those of the vendor's Terraform provider in camel case (huaweicloud provider, "Configuration
Reference")."""
