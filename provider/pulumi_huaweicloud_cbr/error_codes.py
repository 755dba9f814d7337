"""What each error code of CBR, the API gateway and IAM means for a caller, as data.

Owns the one table that says whether a request may be repeated and what the user should do.
Codes decide, not HTTP statuses: CBR answers 1002, 1003, 1005 and 1009 with 400 or with 500,
depending on region and age (CBR API reference, "Error Codes", 2021 and current editions).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Repeat(Enum):
    """Whether a request that got this code may be sent again.

    `NEVER`: the same request will be refused again.
    `LATER`: it was refused, certainly not carried out, and may succeed in a while.
    `UNKNOWN`: it may or may not have been carried out; repeat reads, look before repeating writes.
    """

    NEVER = "never"
    LATER = "later"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class CodeFacts:
    """What a code means; `remedy` completes the sentence "…; <remedy>"."""

    repeat: Repeat
    remedy: str | None = None
    is_missing: bool = False


_NEVER, _LATER, _UNKNOWN = Repeat.NEVER, Repeat.LATER, Repeat.UNKNOWN

# Source: CBR API reference, "Error Codes" (replication, backups, vaults, general).
_CBR: dict[str, CodeFacts] = {
    "0001": CodeFacts(_NEVER, "there is nothing to back up"),
    "0002": CodeFacts(_LATER, "the resource is being backed up, run pulumi up again later"),
    "1001": CodeFacts(_NEVER, "wait until the backup is available, then run pulumi up again"),
    "1002": CodeFacts(_NEVER, "choose an original backup: a replica cannot be copied again"),
    "1003": CodeFacts(_NEVER, "choose the backup of an ECS server"),
    "1004": CodeFacts(_NEVER, "choose a server backup that contains the system disk"),
    "1005": CodeFacts(
        _NEVER,
        "choose a destination_region that get_replication_capabilities lists",
    ),
    "1006": CodeFacts(_UNKNOWN, "run pulumi up again later; if it stays, ask the vendor's support"),
    "1007": CodeFacts(_LATER, "run pulumi up again later"),
    "1008": CodeFacts(_LATER, "run pulumi up again later"),
    "1009": CodeFacts(_NEVER, "adopt the replica that exists, or delete it first"),
    "1011": CodeFacts(_NEVER, "choose another destination_project_id, or ask the vendor's support"),
    "1012": CodeFacts(_NEVER, "delete replicas of this backup that are no longer needed"),
    "1013": CodeFacts(_NEVER, "choose a backup whose system disk was not user-specified"),
    "2004": CodeFacts(_NEVER, "create an image from the replica instead of restoring it"),
    "4005": CodeFacts(_LATER, "run pulumi up again later"),
    "6000": CodeFacts(_NEVER, "the policy does not exist", is_missing=True),
    "6003": CodeFacts(_NEVER, "unbind the policy from its vault first"),
    "6105": CodeFacts(_NEVER, "check the vault id, its project and its region", is_missing=True),
    "6101": CodeFacts(_NEVER, "check the vault's capacity"),
    "6102": CodeFacts(_NEVER, "choose a vault whose object type fits the backup"),
    "6110": CodeFacts(_NEVER, "the vault cannot be changed in its present state"),
    "6111": CodeFacts(_NEVER, "the vault cannot be deleted in its present state"),
    "6112": CodeFacts(_NEVER, "wait until the vault is available, then run pulumi up again"),
    "6113": CodeFacts(_NEVER, "wait until the vault is available, then run pulumi up again"),
    "6114": CodeFacts(_NEVER, "enlarge the vault"),
    "6118": CodeFacts(_LATER, "run pulumi up again later"),
    "6119": CodeFacts(
        _NEVER, "set destination_vault_id to a vault with protect_type 'replication'"
    ),
    "6120": CodeFacts(
        _NEVER,
        "check destination_vault_id, destination_project_id and destination_region",
        is_missing=True,
    ),
    "6122": CodeFacts(_NEVER, "only server and SFS Turbo backups can be copied"),
    "6127": CodeFacts(_NEVER, "match the policy's type to the vault's"),
    "6128": CodeFacts(_NEVER, "choose a vault of a type that can be replicated"),
    "6129": CodeFacts(_NEVER, "enlarge the destination vault, or free room in it"),
    "6130": CodeFacts(_LATER, "a copy of the whole vault is running, run pulumi up again later"),
    "6131": CodeFacts(_NEVER, "ask the vendor's support"),
    "6200": CodeFacts(_NEVER, "check the backup id, its project and its region", is_missing=True),
    "6201": CodeFacts(_LATER, "run pulumi up again later"),
    "6203": CodeFacts(_LATER, "a backup is running, run pulumi up again later"),
    "6204": CodeFacts(_NEVER, "delete the image that was made from the backup first"),
    "6206": CodeFacts(_LATER, "run pulumi up again later"),
    "6216": CodeFacts(_LATER, "the backup is in use, run pulumi up again later"),
    "6217": CodeFacts(_NEVER, "the restore point does not exist", is_missing=True),
    "6220": CodeFacts(_NEVER, "the vault is locked: the backup goes when its retention ends"),
    "6302": CodeFacts(_NEVER, "the resource does not exist", is_missing=True),
    "6500": CodeFacts(_NEVER, "the task does not exist", is_missing=True),
    "6501": CodeFacts(_NEVER, "the task does not exist", is_missing=True),
    "8300": CodeFacts(_NEVER, "raise the snapshot quota"),
    "8400": CodeFacts(_LATER, "run pulumi up again later"),
    "8600": CodeFacts(_NEVER, "complete the account's real-name authentication"),
    "9900": CodeFacts(_NEVER, "the request was refused as malformed"),
    "9910": CodeFacts(_UNKNOWN, "run pulumi up again; if it stays, ask the vendor's support"),
    "9998": CodeFacts(_NEVER, "check the user's permissions for CBR"),
}

_SIGN_IN = "check the credentials and that they belong to this cloud and region"

# Source: API Gateway user guide, "Error Codes", and the gateway's FAQ on signing. The family is
# spelled APIG in older editions and APIGW in newer ones; the numbers are the same.
_GATEWAY: dict[str, CodeFacts] = {
    "0101": CodeFacts(_NEVER, "check the endpoint: this API is not published there"),
    "0103": CodeFacts(_UNKNOWN, "ask the vendor's support"),
    "0104": CodeFacts(_NEVER, "ask the vendor's support"),
    "0105": CodeFacts(_NEVER, "ask the vendor's support"),
    "0106": CodeFacts(_NEVER, "the gateway refused the request's headers"),
    "0201": CodeFacts(_UNKNOWN, "run pulumi up again later"),
    "0204": CodeFacts(_NEVER, "use TLS 1.2 or newer"),
    "0301": CodeFacts(_NEVER, _SIGN_IN),
    "0302": CodeFacts(_NEVER, "give the user the permission for this call"),
    "0303": CodeFacts(_NEVER, _SIGN_IN + "; check this machine's clock"),
    "0304": CodeFacts(_NEVER, _SIGN_IN),
    "0305": CodeFacts(_NEVER, _SIGN_IN),
    "0306": CodeFacts(_NEVER, "give the user the permission for this call"),
    "0307": CodeFacts(_NEVER, "get a new token; check that the endpoint is of the token's region"),
    "0308": CodeFacts(_LATER, "requests are throttled, run pulumi up again later"),
    "0310": CodeFacts(_NEVER, "the project is unavailable, choose another"),
    "0401": CodeFacts(_NEVER, "the gateway does not know this client's address"),
    "0402": CodeFacts(_NEVER, "the gateway refuses this client's address"),
    "0404": CodeFacts(_NEVER, "ask the vendor's support"),
    "0501": CodeFacts(_NEVER, "the quota of calls is used up"),
    "0502": CodeFacts(_NEVER, "the quota of calls is frozen"),
    "0601": CodeFacts(_UNKNOWN, "run pulumi up again later"),
    "0602": CodeFacts(_NEVER, "the gateway refused the request as malformed"),
    "0605": CodeFacts(_UNKNOWN, "run pulumi up again later"),
    "0606": CodeFacts(_UNKNOWN, "run pulumi up again later"),
    "0607": CodeFacts(_NEVER, "use https in the endpoint"),
    "0608": CodeFacts(_UNKNOWN, "run pulumi up again later"),
    "0609": CodeFacts(_UNKNOWN, "run pulumi up again later"),
    "0610": CodeFacts(_UNKNOWN, "run pulumi up again later"),
    "0611": CodeFacts(_UNKNOWN, "run pulumi up again later"),
    "0612": CodeFacts(_NEVER, "ask the vendor's support"),
    "0613": CodeFacts(_LATER, "IAM is not available, run pulumi up again later"),
    "0802": CodeFacts(_NEVER, "the user may not work in this region"),
}

# Source: IAM API reference, "Error Codes".
_IAM: dict[str, CodeFacts] = {
    "0001": CodeFacts(_NEVER, _SIGN_IN),
    "0002": CodeFacts(_NEVER, "give the user the permission for this call"),
    "0003": CodeFacts(_NEVER, "a policy denies this call to the user"),
    "0004": CodeFacts(_NEVER, "check the name, and that the account has it", is_missing=True),
    "0006": CodeFacts(_UNKNOWN, "run pulumi up again later"),
    "0007": CodeFacts(_NEVER, "the request was refused as malformed"),
    "0011": CodeFacts(_NEVER, "the request was refused as malformed"),
    "0012": CodeFacts(_LATER, "sign-ins are throttled, run pulumi up again later"),
    "0061": CodeFacts(_NEVER, "the user is locked after wrong passwords: wait or have it unlocked"),
    "0062": CodeFacts(_NEVER, "check huaweicloud:password"),
    "0066": CodeFacts(_NEVER, "the token has expired, get a new one"),
    "0067": CodeFacts(_NEVER, "the token is not valid here, get a new one"),
    "0072": CodeFacts(_NEVER, "the request was refused as malformed"),
    "0073": CodeFacts(_NEVER, "the request was refused as malformed"),
    "0081": CodeFacts(_NEVER, "allow the user programmatic access"),
    "0082": CodeFacts(_NEVER, "the user is disabled"),
    "0083": CodeFacts(_NEVER, "the region is private, choose another"),
    "1104": CodeFacts(_NEVER, "the access key is blocked"),
    "1105": CodeFacts(_NEVER, "the access key has expired, make a new one"),
    "1107": CodeFacts(_NEVER, "the access key is inactive"),
    "1108": CodeFacts(_NEVER, "the security token has expired, get a new one"),
    "1109": CodeFacts(_NEVER, "check the project id", is_missing=True),
}

_FAMILIES: dict[str, dict[str, CodeFacts]] = {
    "BackupService": _CBR,
    "APIGW": _GATEWAY,
    "APIG": _GATEWAY,
    "IAM": _IAM,
}
_CODE = re.compile(r"(?P<family>[A-Za-z]+)\.(?P<number>\d{4})")

CODE_ALREADY_REPLICATED = "BackupService.1009"
CODES_DELETION_PENDING = frozenset({"BackupService.6201", "BackupService.6216"})
"""What a second DELETE may answer while the first is still at work (undocumented)."""


def facts_of(code: str | None, status: int) -> CodeFacts:
    """Return what is known of a code; for an unknown one, what its HTTP status allows to say.

    An unknown code on a 5xx leaves open whether the request was carried out; on any other
    status it is taken as a refusal.
    """
    match = _CODE.fullmatch(code or "")
    if match:
        known = _FAMILIES.get(match["family"], {}).get(match["number"])
        if known and known.repeat is _UNKNOWN and status < 500:
            # APIGW.0201 covers an oversized body as well as a lost backend: 4xx is a refusal.
            return CodeFacts(_NEVER)
        if known:
            return known
    if status >= 500:
        return CodeFacts(_UNKNOWN, "run pulumi up again later")
    return _BY_STATUS.get(status, CodeFacts(_NEVER))


_BY_STATUS = {
    401: CodeFacts(_NEVER, _SIGN_IN),
    403: CodeFacts(_NEVER, "give the user the permission for this call"),
    404: CodeFacts(_NEVER, is_missing=True),
    429: CodeFacts(_LATER, "requests are throttled, run pulumi up again later"),
}
