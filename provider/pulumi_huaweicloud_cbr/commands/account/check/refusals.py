"""What a failed call means for an account: its subject in one word, and a remedy.

Also the IAM actions that calls need. Source: CBR API reference, "Permissions and Supported
Actions"; CBR service overview, "Permissions Management", for the policies that the vendor defines.
"""

from __future__ import annotations

from dataclasses import replace

from pulumi_huaweicloud_cbr.api.wire.error_codes import is_known
from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    AuthenticationError,
    CbrError,
    ConfigurationError,
    MalformedResponseError,
    OutcomeUnknownError,
    TransportError,
)
from pulumi_huaweicloud_cbr.commands.account.check.report import RegionLook, Remark

QUERY_CAPABILITY = "cbr:backups:queryReplicationCapability"
LIST_BACKUPS = "cbr:backups:list"
GET_BACKUP = "cbr:backups:get"
LIST_TASKS = "cbr:tasks:list"
LIST_VAULTS = "cbr:vaults:list"
GET_VAULT = "cbr:vaults:get"

WRITING_AT_SOURCE = ("cbr:backups:replicate", "cbr:vaults:replicate")
WRITING_AT_DESTINATION = ("cbr:backups:delete",)
"""The actions that replications need beside reading. No read-only call shows whether the user has
them."""

READING_POLICY = "CBR ReadOnlyAccess"

SIGN_IN = "sign-in"
PROJECT = "project"
ENDPOINT = "endpoint"
PERMISSION = "permission"
SERVICE = "service"

OF_THE_WHOLE_REGION = {
    SIGN_IN: "the credentials were refused",
    PROJECT: "there is no way into the project",
    ENDPOINT: "the service did not answer as it should",
}
"""After one of these, all other calls to the region would fail in the same way."""

# Source: API Gateway user guide and IAM API reference, "Error Codes". Other codes with a 403 are
# about the project, the region or the account.
_MISSING_PERMISSION = frozenset(
    {"APIGW.0302", "APIGW.0306", "APIG.0302", "APIG.0306", "IAM.0002", "IAM.0003"}
)

# Source: API Gateway user guide, "Error Codes".
_NO_SUCH_API = frozenset({"APIGW.0101", "APIG.0101"})
_NOT_IN_THIS_PROJECT = frozenset({"APIGW.0310", "APIG.0310", "APIGW.0802", "APIG.0802"})


def remark_on(look: RegionLook, error: CbrError, permission: str | None = None) -> Remark:
    """Return the remark about an error in a region, with a remedy.

    Args:
        permission: the action that the call needs, if any.
    """
    check = check_of(error)
    remedy = None
    if check == PERMISSION:
        remedy = f"let the user list projects in IAM, or {_way_around(look)}"
        if permission:
            remedy = _way_to(permission, look)
        return replace(Remark.of(check, error, remedy), permission=permission)
    if check == SIGN_IN and look.named_project_id and look.given_project_id:
        # IAM accepted the same credentials, so the project is not theirs.
        check = PROJECT
    given = look.given_project_id
    if check == PROJECT and given is not None and given != look.named_project_id:
        remedy = f"correct {_name_of_project(look)}, which is ({given})"
        if look.named_project_id:
            remedy += (
                f"; the project named {look.region!r} is ({look.named_project_id}), and is "
                "taken where none is given"
            )
    if isinstance(error, OutcomeUnknownError):
        # The call only reads, so its outcome does not matter.
        remedy = "check the network, the proxy and the address, then run this again"
    return Remark.of(check, error, remedy)


def _way_to(permission: str, look: RegionLook) -> str:
    return (
        f"give the user the action {permission} in project ({look.project_id}) of region "
        f"{look.region!r}; the policy '{READING_POLICY}' has all that only read"
    )


def _way_around(look: RegionLook) -> str:
    if look.is_source:
        return "set huaweicloud:projectId (or HW_PROJECT_ID)"
    return f"name the project: --destination {look.region}/PROJECT_ID"


def _name_of_project(look: RegionLook) -> str:
    if look.is_source:
        return "huaweicloud:projectId (or HW_PROJECT_ID)"
    return "the project given with --destination"


def check_of(error: CbrError) -> str:
    """Return the subject of an error, in one word."""
    if error.code in _NO_SUCH_API or isinstance(error, (TransportError, MalformedResponseError)):
        return ENDPOINT
    if isinstance(error, AuthenticationError) and error.status in (403, 404):
        return PROJECT
    if isinstance(error, (AuthenticationError, ConfigurationError)):
        return SIGN_IN
    if is_permission_missing(error):
        return PERMISSION
    is_elsewhere = isinstance(error, ApiError) and error.is_unauthorized_url
    return PROJECT if is_elsewhere or error.code in _NOT_IN_THIS_PROJECT else SERVICE


def is_permission_missing(error: CbrError) -> bool:
    """Whether a call was refused because the user lacks its permission."""
    is_forbidden = getattr(error, "status", None) == 403
    return error.code in _MISSING_PERMISSION or (is_forbidden and not is_known(error.code))
