"""Worlds of any size, for load tests and benchmarks."""

from __future__ import annotations

from simulator.cloud.specs import CopyScript, Options, World

FLEET_ACCOUNT = "fleet"
FLEET_USER = "fleet-replicator"
FLEET_PASSWORD = "not-a-secret-fleet"  # noqa: S105 - opens nothing
SOURCE_REGION = "cn-north-4"
DESTINATION_REGIONS = ("cn-east-3", "cn-south-1")
MOST_GB = 10_485_760
"""The size of the biggest vault. Source: CBR API reference, CreateVault, size."""


def fleet_world(
    backups: int = 1000,
    destinations: int = 1,
    copy: CopyScript | None = None,
    options: Options | None = None,
) -> World:
    """Return a world with one vault of many backups, and a big replication vault per destination.

    Args:
        backups: their number; each of one GB, named ``backup-0001`` etc., in the vault ``fleet``.
        destinations: how many regions they can be copied to, one or two; the vault there is
            named ``replicas-`` and the region.
        copy: the script of copies; default: none ever ends, so all run together.
        options: the rest of the world's options.
    """
    regions = DESTINATION_REGIONS[:destinations]
    chosen = options or Options()
    script = copy or CopyScript(mode="never")
    return World.model_validate(
        {
            "accounts": [
                {
                    "name": FLEET_ACCOUNT,
                    "users": [{"name": FLEET_USER, "password": FLEET_PASSWORD}],
                }
            ],
            "regions": [
                {"name": SOURCE_REGION, "replicates_to": regions},
                *({"name": region} for region in regions),
            ],
            "vaults": [
                {"name": "fleet", "region": SOURCE_REGION, "size_gb": MOST_GB},
                *(
                    {
                        "name": f"replicas-{region}",
                        "region": region,
                        "protect_type": "replication",
                        "size_gb": MOST_GB,
                    }
                    for region in regions
                ),
            ],
            "backups": [{"name": "backup", "vault": "fleet", "size_gb": 1, "repeat": backups}],
            "options": {
                **chosen.model_dump(exclude_unset=True),
                "default_copy": script.model_dump(),
            },
        }
    )
