"""Refusals, in the envelopes of their senders: CBR, the gateway, IAM.

Source: CBR API reference, "Error Codes"; API Gateway user guide; IAM API reference.
"""

from __future__ import annotations

from typing import Any


class RefusalError(Exception):
    """An error answer: HTTP status, JSON body, and headers besides the usual ones."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.body = body
        self.headers: dict[str, str] = {}
        super().__init__(f"{status}: {body}")


# Codes that older regions return with 500, and newer ones with 400.
EITHER_STATUS = frozenset({"1001", "1002", "1003", "1004", "1005", "1009", "1013"})

_CBR: dict[str, tuple[int, str]] = {
    "0001": (400, "There are no resources to back up."),
    "1001": (400, "The backup is not available and cannot be replicated."),
    "1002": (400, "Replication is not allowed for the current type of backups."),
    "1003": (400, "Replication is not allowed because the backup source is not an ECS."),
    "1004": (400, "The ECS backup does not contain the system disk."),
    "1005": (400, "The destination region does not support replication."),
    "1009": (
        400,
        "The backup is being replicated or has been replicated to the destination region.",
    ),
    "1011": (400, "The destination project does not support replication."),
    "6000": (404, "The policy does not exist."),
    "6001": (400, "The maximum number of policies of this type has been reached."),
    "6002": (404, "The vault is not associated with the policy."),
    "6003": (
        400,
        "The destination region cannot be changed because the policy is applied to a vault.",
    ),
    "6100": (400, "The vault has too many resources."),
    "6101": (400, "Invalid vault capacity."),
    "6102": (400, "The resource type is not supported by the vault."),
    "6103": (400, "The resource has been associated with a vault."),
    "6104": (400, "Duplicate resources exist."),
    "6105": (404, "The vault does not exist."),
    "6108": (400, "The resources cannot be associated."),
    "6110": (400, "The vault cannot be updated."),
    "6111": (400, "The vault cannot be deleted."),  # Prepaid.
    "6112": (400, "Invalid vault status."),
    "6113": (400, "The vault status does not allow backup."),
    "6114": (400, "The used capacity exceeds the maximum capacity of the vault."),
    "6115": (400, "The backups of the resources cannot be deleted."),
    "6116": (400, "Unsupported protection type."),
    "6119": (400, "The destination vault does not support replication."),
    "6120": (400, "The destination vault does not exist."),
    "6122": (400, "The resource type does not support replication."),
    "6124": (400, "The vault type does not allow backup."),
    "6125": (400, "A backup task is being performed."),
    "6127": (400, "This policy cannot be applied to this vault."),
    "6128": (400, "Replication is not allowed for the current type of vaults."),
    "6129": (400, "The maximum capacity of the destination vault has been reached."),
    "6130": (400, "The vault is being replicated."),
    "6134": (400, "The resources are being removed."),
    "6135": (400, "The resource is not in the vault."),
    "6200": (404, "The backup does not exist."),
    "6201": (400, "The backup cannot be deleted."),
    "6203": (400, "Backups are being performed."),
    "6216": (400, "The backup cannot be deleted because it is in use."),
    "6217": (404, "The backup restore point does not exist."),
    "6500": (404, "The operation log does not exist."),
    "6600": (400, "The number of tags exceeds the maximum."),
    "6601": (404, "The tag key does not exist."),
    "9900": (400, "Parameter verification failed."),
}


def cbr(number: str, message: str | None = None, status: int | None = None) -> RefusalError:
    """Return CBR's refusal with a code, such as ``6200``."""
    usual_status, usual_message = _CBR[number]
    return RefusalError(
        status or usual_status,
        {"error_code": f"BackupService.{number}", "error_msg": message or usual_message},
    )


_GATEWAY: dict[str, int] = {"0101": 404, "0301": 401, "0307": 401, "0308": 429}


def gateway(number: str, message: str) -> RefusalError:
    """Return the gateway's refusal; the request id is added when it is sent."""
    return RefusalError(_GATEWAY[number], {"error_msg": message, "error_code": f"APIGW.{number}"})


NOT_MODELLED = "Simulator.NotModelled"


def not_modelled(operation: str) -> RefusalError:
    """Return the refusal of an operation that the service has and the simulator lacks.

    No code of the service says this. The status is 400, since clients take a 404 for something
    that is gone, and repeat requests after a 501.
    """
    message = f"{operation} is not modelled by this simulator; a scripted fault can answer for it."
    return RefusalError(400, {"error_code": NOT_MODELLED, "error_msg": message})


def wrong_project() -> RefusalError:
    """Return CBR's answer to a project in the path that is not the credential's."""
    body = {"unauthorized": {"code": "401", "message": "Malformed request url"}}
    return RefusalError(401, body)


def keystone(status: int, title: str, message: str) -> RefusalError:
    """Return IAM's refusal in Keystone's form: the code is the status."""
    return RefusalError(status, {"error": {"code": status, "message": message, "title": title}})


def iam(status: int, number: str, message: str) -> RefusalError:
    """Return IAM's refusal in its own form."""
    return RefusalError(status, {"error_code": f"IAM.{number}", "error_msg": message})
