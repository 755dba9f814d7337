"""The meaning of each error code of CBR, the API gateway and IAM for a caller, as data.

Owns the one table that says whether a request may be repeated and what the user should do.
Codes decide, not HTTP statuses. CBR returns 1002, 1003, 1005 and 1009 with 400 or 500, depending
on region and age (CBR API reference, "Error Codes", 2021 and current editions).
"""

from __future__ import annotations

import re
from enum import Enum

from msgspec import Struct


class Repeat(Enum):
    """Whether a request that got this code may be sent again.

    `NEVER`: the same request will be refused again.
    `LATER`: it was refused, certainly not carried out, and may succeed later.
    `UNKNOWN`: it may or may not have been carried out; repeat reads, look before repeating writes.
    """

    NEVER = "never"
    LATER = "later"
    UNKNOWN = "unknown"


class CodeFacts(Struct, frozen=True):
    """The meaning of a code; `remedy` completes the sentence "…; <remedy>".

    `below_500` replaces it for a status below 500. Only the few codes have it that mean one
    thing as a 4xx and another as a 5xx.
    """

    repeat: Repeat
    remedy: str | None = None
    is_missing: bool = False
    below_500: CodeFacts | None = None


_NEVER, _LATER, _UNKNOWN = Repeat.NEVER, Repeat.LATER, Repeat.UNKNOWN

# Any command may end with a code, `destroy` and `refresh` too.
_AGAIN = "run the same command again later"
_AGAIN_OR_ASK = "run the same command again later; if it stays, ask the vendor's support"
_ASK = "ask the vendor's support"
_MALFORMED = "correct the input that it names; if it names none, please report this"
_OTHER_STATE = "wait until the vault is available, then run the same command again"

# Source: CBR API reference, "Error Codes" (replication, backups, vaults, policies, general).
_CBR: dict[str, CodeFacts] = {
    "0001": CodeFacts(_NEVER, "nothing in the vault is left to copy, or to back up"),
    "0002": CodeFacts(_LATER, f"the resource is being backed up, {_AGAIN}"),
    # Replication, and other codes that its requests get.
    "1001": CodeFacts(_NEVER, "wait until the backup is available, then run pulumi up again"),
    "1002": CodeFacts(_NEVER, "choose an original backup: a replica cannot be copied again"),
    "1003": CodeFacts(_NEVER, "choose the backup of an ECS server"),
    "1004": CodeFacts(_NEVER, "choose a server backup that contains the system disk"),
    "1005": CodeFacts(
        _NEVER,
        "choose a destination_region that get_replication_capabilities lists",
    ),
    "1006": CodeFacts(_UNKNOWN, _AGAIN_OR_ASK),
    "1007": CodeFacts(_LATER, _AGAIN),
    "1008": CodeFacts(_LATER, _AGAIN),
    "1009": CodeFacts(_NEVER, "adopt the replica that exists, or delete it first"),
    "1011": CodeFacts(_NEVER, f"choose another destination_project_id, or {_ASK}"),
    "1012": CodeFacts(_NEVER, "delete replicas of this backup that are no longer needed"),
    "1013": CodeFacts(_NEVER, "choose a backup whose system disk was not user-specified"),
    "2004": CodeFacts(_NEVER, "create an image from the replica instead of restoring it"),
    "4005": CodeFacts(_LATER, _AGAIN),
    "6003": CodeFacts(_NEVER, "unbind the policy from its vault first"),
    "6118": CodeFacts(_LATER, _AGAIN),
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
    "6130": CodeFacts(_LATER, f"a copy of the whole vault is running, {_AGAIN}"),
    "6131": CodeFacts(_NEVER, _ASK),
    # Backups and restore points.
    "6200": CodeFacts(_NEVER, "check the backup id, its project and its region", is_missing=True),
    "6201": CodeFacts(_LATER, _AGAIN),
    "6202": CodeFacts(_NEVER, _OTHER_STATE),
    "6203": CodeFacts(_LATER, f"a backup is running, {_AGAIN}"),
    "6204": CodeFacts(_NEVER, "delete the image that was made from the backup first"),
    "6206": CodeFacts(_LATER, _AGAIN),
    "6215": CodeFacts(_NEVER, "bring the backed-up resource into a state that allows a backup"),
    "6216": CodeFacts(_LATER, f"the backup is in use, {_AGAIN}"),
    "6217": CodeFacts(_NEVER, "check the id of the restore point", is_missing=True),
    "6220": CodeFacts(_NEVER, "the vault is locked: the backup goes when its retention ends"),
    "6300": CodeFacts(_NEVER, "choose a resource type that fits the provider id"),
    "6301": CodeFacts(_NEVER, "correct the provider id"),
    "6302": CodeFacts(_NEVER, "check the id of the backed-up resource", is_missing=True),
    "6500": CodeFacts(_NEVER, "check the id of the task", is_missing=True),
    "6501": CodeFacts(_NEVER, "check the id of the task", is_missing=True),
    # Vaults and policies.
    "6000": CodeFacts(_NEVER, "check the id of the policy", is_missing=True),
    "6001": CodeFacts(_NEVER, "delete policies of this type that are no longer needed"),
    "6002": CodeFacts(_NEVER, "check which policy the vault is bound to", is_missing=True),
    "6100": CodeFacts(_NEVER, "remove resources from the vault, or choose another vault"),
    "6101": CodeFacts(_NEVER, "check the vault's capacity"),
    "6102": CodeFacts(_NEVER, "choose a vault whose object type fits the backup"),
    "6103": CodeFacts(_NEVER, "unbind the resource from its vault first"),
    "6104": CodeFacts(_NEVER, "name each resource once"),
    "6105": CodeFacts(_NEVER, "check the vault id, its project and its region", is_missing=True),
    "6106": CodeFacts(_NEVER, "use the vault that exists, or choose another name"),
    "6107": CodeFacts(_NEVER, "look at the vault and its orders in the console"),
    "6108": CodeFacts(_NEVER, "check that the vault takes resources of this kind"),
    "6109": CodeFacts(_NEVER, "look at the vault's orders in the billing center"),
    "6110": CodeFacts(_NEVER, "the vault cannot be changed in its present state"),
    "6111": CodeFacts(_NEVER, "the vault cannot be deleted in its present state"),
    "6112": CodeFacts(_NEVER, _OTHER_STATE),
    "6113": CodeFacts(_NEVER, _OTHER_STATE),
    "6114": CodeFacts(_NEVER, "enlarge the vault"),
    "6115": CodeFacts(_UNKNOWN, "look which backups of the resources are left"),
    "6116": CodeFacts(_NEVER, "choose a protect_type that CBR knows"),
    "6117": CodeFacts(_NEVER, "choose an operation type that CBR knows"),
    "6121": CodeFacts(_UNKNOWN, "look at the vault in the console; it may be deleted in part"),
    "6123": CodeFacts(_NEVER, "pay or cancel the pending order of the vault"),
    "6124": CodeFacts(_NEVER, "choose a vault whose type allows backups"),
    "6125": CodeFacts(_LATER, f"a backup task is running, {_AGAIN}"),
    "6126": CodeFacts(_NEVER, "the vault takes no database backups, choose another"),
    "6132": CodeFacts(_UNKNOWN, "look in the console whether the vault was made"),
    "6133": CodeFacts(_NEVER, "delete vaults that are no longer needed, or raise the quota"),
    "6134": CodeFacts(_LATER, f"resources are being removed from the vault, {_AGAIN}"),
    "6135": CodeFacts(_NEVER, "check which vault the resource is in"),
    "6136": CodeFacts(_NEVER, "choose another vault: a hybrid one takes no backup policy"),
    "6137": CodeFacts(_NEVER, "bind the servers that share a disk to one vault"),
    "6138": CodeFacts(_LATER, _AGAIN),
    "6139": CodeFacts(_LATER, _AGAIN),
    "6142": CodeFacts(_NEVER, "enlarge one of the vaults, or free room in it"),
    "6600": CodeFacts(_NEVER, "remove tags that are no longer needed"),
    "6601": CodeFacts(_NEVER, "check the key of the tag", is_missing=True),
    "7301": CodeFacts(_NEVER, "empty the vault first"),
    "7303": CodeFacts(_NEVER, "delete vaults that are no longer needed, or raise the quota"),
    # General.
    "8300": CodeFacts(_NEVER, "raise the snapshot quota"),
    "8400": CodeFacts(_LATER, _AGAIN),
    "8600": CodeFacts(_NEVER, "complete the account's real-name authentication"),
    "9900": CodeFacts(_NEVER, _MALFORMED),
    "9910": CodeFacts(_UNKNOWN, _AGAIN_OR_ASK),
    "9998": CodeFacts(_NEVER, "check the user's permissions for CBR"),
}

# Source: the definition of DeleteBackup lists them, and the error codes of CSBS, the predecessor of
# CBR, explain them: 2003 is a backup, restore or deletion under way.
_CSBS: dict[str, CodeFacts] = {
    "2003": CodeFacts(_LATER, f"a task works on the backup, {_AGAIN}"),
    "3001": CodeFacts(_NEVER, "check the backup id, its project and its region", is_missing=True),
}

WANTS_A_USER = "wants a user and a password: give them in the variable that names it"
_SIGN_IN = "check the credentials and that they belong to this cloud and region"
_PERMISSION = (
    "give the user the permission for this call; python -m pulumi_huaweicloud_cbr check tells "
    "which are needed"
)
_GATEWAY_FAULT = CodeFacts(_UNKNOWN, _AGAIN_OR_ASK)
# Sent as a 500 in the edition of 2021, as a 404 or 400 since.
_NO_BACKEND = CodeFacts(_UNKNOWN, _AGAIN_OR_ASK, below_500=CodeFacts(_NEVER, _ASK))

# Source: API Gateway user guide, "Error Codes", and the gateway's FAQ on signing. The family is
# spelled APIG in older editions and APIGW in newer ones; the numbers are the same.
_GATEWAY: dict[str, CodeFacts] = {
    "0101": CodeFacts(_NEVER, "check the endpoint: this API is not published there"),
    "0103": _NO_BACKEND,
    "0104": _NO_BACKEND,
    "0105": _NO_BACKEND,
    "0106": CodeFacts(_NEVER, "the gateway misses something in the request, please report this"),
    # A lost or slow backend as a 5xx; a body, a URI or headers that are too long as a 4xx.
    "0201": CodeFacts(
        _UNKNOWN,
        _AGAIN,
        below_500=CodeFacts(
            _NEVER, "the gateway refused the request as malformed or too long, please report this"
        ),
    ),
    "0204": CodeFacts(_NEVER, "use TLS 1.2 or newer"),
    "0301": CodeFacts(_NEVER, _SIGN_IN),
    "0302": CodeFacts(_NEVER, _PERMISSION),
    "0303": CodeFacts(_NEVER, _SIGN_IN + "; check this machine's clock"),
    "0304": CodeFacts(_NEVER, _SIGN_IN),
    "0305": CodeFacts(_NEVER, _SIGN_IN),
    "0306": CodeFacts(_NEVER, _PERMISSION),
    "0307": CodeFacts(_NEVER, "get a new token; check that the endpoint is of the token's region"),
    "0308": CodeFacts(_LATER, f"requests are throttled, {_AGAIN}"),
    "0310": CodeFacts(_NEVER, "the project is unavailable, choose another"),
    "0401": CodeFacts(_NEVER, "the gateway does not know this machine's address, check the proxy"),
    "0402": CodeFacts(_NEVER, "the gateway refuses this machine's address, check the proxy"),
    "0404": CodeFacts(_NEVER, _ASK),
    "0501": CodeFacts(_NEVER, "raise the quota of API calls, or wait for the next period"),
    "0502": CodeFacts(_NEVER, f"the quota of API calls is frozen, {_ASK}"),
    "0601": _GATEWAY_FAULT,
    "0602": CodeFacts(_NEVER, "the gateway refused the request as malformed, please report this"),
    "0605": _GATEWAY_FAULT,
    "0606": _GATEWAY_FAULT,
    "0607": CodeFacts(_NEVER, "use https in the endpoint"),
    "0608": _GATEWAY_FAULT,
    "0609": _GATEWAY_FAULT,
    "0610": _GATEWAY_FAULT,
    "0611": _GATEWAY_FAULT,
    "0612": _GATEWAY_FAULT,
    "0613": CodeFacts(_LATER, f"IAM is not available, {_AGAIN}"),
    "0802": CodeFacts(_NEVER, "the user may not work in this region"),
}

_ACCESS_KEY = "check the access key and its secret key"

# Source: IAM API reference, "Error Codes".
_IAM: dict[str, CodeFacts] = {
    "0001": CodeFacts(_NEVER, _SIGN_IN),
    "0002": CodeFacts(_NEVER, _PERMISSION),
    "0003": CodeFacts(_NEVER, "a policy denies this call to the user"),
    "0004": CodeFacts(_NEVER, "check the name, and that the account has it", is_missing=True),
    "0005": CodeFacts(_NEVER, "use what exists, or choose another name"),
    "0006": CodeFacts(_UNKNOWN, _AGAIN),
    "0007": CodeFacts(_NEVER, _MALFORMED),
    "0011": CodeFacts(_NEVER, _MALFORMED),
    "0012": CodeFacts(_LATER, f"sign-ins are throttled, {_AGAIN}"),
    "0061": CodeFacts(_NEVER, "the user is locked after wrong passwords: wait or have it unlocked"),
    "0062": CodeFacts(_NEVER, "check huaweicloud:password"),
    "0066": CodeFacts(_NEVER, "the token has expired, get a new one"),
    "0067": CodeFacts(_NEVER, "the token is not valid here, get a new one"),
    "0072": CodeFacts(_NEVER, _MALFORMED),
    "0073": CodeFacts(_NEVER, _MALFORMED),
    "0081": CodeFacts(_NEVER, "allow the user programmatic access"),
    "0082": CodeFacts(_NEVER, "the user is disabled, have it enabled"),
    "0083": CodeFacts(_NEVER, "the region is private, choose another"),
    "1101": CodeFacts(_NEVER, _ACCESS_KEY),
    "1102": CodeFacts(_NEVER, _ACCESS_KEY),
    "1103": CodeFacts(_NEVER, _ACCESS_KEY),
    "1104": CodeFacts(_NEVER, "the access key is blocked, make a new one"),
    "1105": CodeFacts(_NEVER, "the access key has expired, make a new one"),
    "1106": CodeFacts(_NEVER, _ACCESS_KEY),
    "1107": CodeFacts(_NEVER, "the access key is inactive, have it activated"),
    "1108": CodeFacts(_NEVER, "the security token has expired, get a new one"),
    "1109": CodeFacts(_NEVER, "check the project id", is_missing=True),
}

_FAMILIES: dict[str, dict[str, CodeFacts]] = {
    "BackupService": _CBR,
    "CSBS": _CSBS,
    "APIGW": _GATEWAY,
    "APIG": _GATEWAY,
    "IAM": _IAM,
}
_CODE = re.compile(r"(?P<family>[A-Za-z]+)\.(?P<number>\d{4})")

CODE_ALREADY_REPLICATED = "BackupService.1009"
CODE_VAULT_BEING_REPLICATED = "BackupService.6130"
CODES_NOTHING_TO_COPY = frozenset({"BackupService.0001"})
"""The only documented refusal of CopyCheckpoint: no backup of the vault is left to copy."""
CODES_BACKUP_MISSING = frozenset({"BackupService.6200", "CSBS.3001"})
"""Only these mean that the requested backup is gone; a missing vault or tag does not."""
CODES_VAULT_MISSING = frozenset({"BackupService.6105", "BackupService.6120"})
CODES_DELETION_PENDING = frozenset({"BackupService.6201", "BackupService.6216", "CSBS.2003"})
"""The possible codes of a second DELETE while the first is still at work. Only ``CSBS.2003`` is
documented with that meaning."""


def facts_of(code: str | None, status: int) -> CodeFacts:
    """Return the facts about a code; for an unknown one, those about its HTTP status.

    An unknown code on a 5xx leaves open whether the request was carried out; on any other
    status it counts as a refusal.
    """
    known = _known(code)
    if known:
        return known.below_500 if known.below_500 and status < 500 else known
    if status >= 500:
        return CodeFacts(_UNKNOWN, _AGAIN)
    return _BY_STATUS.get(status, CodeFacts(_NEVER))


def known_codes() -> dict[str, CodeFacts]:
    """Return all codes with their facts, such as ``BackupService.1009``; ``APIG`` as ``APIGW``."""
    return {
        f"{family}.{number}": facts
        for family, codes in _FAMILIES.items()
        if family != "APIG"
        for number, facts in codes.items()
    }


def is_known(code: str | None) -> bool:
    """Whether the table has the code; if not, only its HTTP status counts."""
    return _known(code) is not None


def _known(code: str | None) -> CodeFacts | None:
    match = _CODE.fullmatch(code or "")
    return _FAMILIES.get(match["family"], {}).get(match["number"]) if match else None


_BY_STATUS = {
    401: CodeFacts(_NEVER, _SIGN_IN),
    403: CodeFacts(_NEVER, _PERMISSION),
    404: CodeFacts(_NEVER, is_missing=True),
    407: CodeFacts(_NEVER, f"the proxy {WANTS_A_USER}"),
    429: CodeFacts(_LATER, f"requests are throttled, {_AGAIN}"),
}
