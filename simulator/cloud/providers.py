"""The ids of CBR's providers: each kind of resource, and of vault, has one.

Source: CBR API reference, ShowBackup, provider_id.
"""

from __future__ import annotations

_SERVERS = "0daac4c5-6707-4851-97ba-169e36266b66"
_DISKS = "d1603440-187d-4516-af25-121250c7cc97"
_FILES = "3f3c3220-245c-4805-b811-758870015881"
_VMWARE = "a13639de-00be-4e94-af30-26912d75e4a2"
_OF_RESOURCE = {"OS::Cinder::Volume": _DISKS, "OS::Sfs::Turbo": _FILES}
_OF_VAULT = {"disk": _DISKS, "turbo": _FILES, "vmware": _VMWARE}


def provider_of(resource_type: str) -> str:
    """Return the provider id of a kind of resource."""
    return _OF_RESOURCE.get(resource_type, _SERVERS)


def provider_of_vault(object_type: str) -> str:
    """Return the provider id of a kind of vault."""
    return _OF_VAULT.get(object_type, _SERVERS)
