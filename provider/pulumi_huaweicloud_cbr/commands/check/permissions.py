"""The IAM actions that calls need, and whether a refusal means that one is missing.

Source: CBR API reference, "Permissions and Supported Actions"; CBR service overview, "Permissions
Management", for the policies that the vendor defines.
"""

from __future__ import annotations

from pulumi_huaweicloud_cbr.api.wire.error_codes import is_known
from pulumi_huaweicloud_cbr.base.errors import CbrError

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

# Source: API Gateway user guide and IAM API reference, "Error Codes". Other codes with a 403 are
# about the project, the region or the account.
_CODES = frozenset({"APIGW.0302", "APIGW.0306", "APIG.0302", "APIG.0306", "IAM.0002", "IAM.0003"})


def is_permission_missing(error: CbrError) -> bool:
    """Whether a call was refused because the user lacks its permission."""
    is_forbidden = getattr(error, "status", None) == 403
    return error.code in _CODES or (is_forbidden and not is_known(error.code))
