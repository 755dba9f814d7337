"""Inputs that resources of replications share: defaults, time limits, what is being replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import NODEFAULT, Struct, structs

from pulumi_huaweicloud_cbr.base.errors import AuthenticationError, CbrError, ConfigurationError
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.messages import tell
from pulumi_huaweicloud_cbr.engine.operation import current_operation
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.fitness import Finding
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.replication.observe import Limits
    from pulumi_huaweicloud_cbr.replication.preflight.flow import Aim

DEFAULTS: dict[str, Any] = {
    **{
        field.name: field.default
        for field in structs.fields(DesiredReplication)
        if field.default not in (NODEFAULT, None)
    },
    "preflight": "error",
}
"""What the inputs are that a program leaves out: the model says it, and preflight is ours."""

NOT_CHECKED = (
    "preflight is off: not checked whether the backup exists and can be copied, whether CBR copies "
    "between the two regions, whether the destination vault fits and has room, and whether another "
    "replica stands in the way"
)


def missing_source_region(
    known: dict[str, Any], unknown: frozenset[str], session: Session
) -> list[Finding]:
    """Return what to say where neither the inputs nor the configuration tell the source region."""
    is_given = known.get("source_region") is not None or "source_region" in unknown
    if is_given or session.settings.region is not None:
        return []
    return [
        Finding(
            "source_region",
            "is missing; give the region of the backup here or as huaweicloud:region "
            "(or HW_REGION_NAME)",
        )
    ]


def with_defaults(
    known: dict[str, Any], unknown: frozenset[str], olds: dict[str, Any], session: Session
) -> dict[str, Any]:
    """Fill in what the configuration, the old inputs or our defaults say; no calls."""
    inputs = {field: value for field, value in known.items() if value is not None}
    settings = session.settings

    def fill(field: str, value: Any) -> None:
        if value is not None and field not in inputs and field not in unknown:
            inputs[field] = value

    for field, value in DEFAULTS.items():
        fill(field, value)
    fill("source_region", settings.region)
    region = inputs.get("source_region")
    if region is not None and region == settings.region:
        fill("source_project_id", settings.project_id)
    # Ids that were looked up once stay, as long as the region does.
    for side in ("source", "destination"):
        region = inputs.get(f"{side}_region")
        if region is not None and region == olds.get(f"{side}_region"):
            fill(f"{side}_project_id", olds.get(f"{side}_project_id"))
    return inputs


def declared_as(desired: type[Struct], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs that a desired replication has under the same names."""
    return {
        field.name: inputs[field.name]
        for field in structs.fields(desired)
        if inputs.get(field.name) is not None
    }


def aim_of(inputs: Mapping[str, Any], unknown: frozenset[str]) -> Aim:
    """Return source and destination as the inputs tell them, for preflight."""
    from pulumi_huaweicloud_cbr.replication.preflight.flow import Aim

    return Aim(
        source_region=inputs["source_region"],
        source_project_id=inputs.get("source_project_id"),
        destination_region=inputs.get("destination_region"),
        destination_project_id=inputs.get("destination_project_id"),
        destination_vault_id=inputs.get("destination_vault_id"),
        is_project_unknown="destination_project_id" in unknown,
        adopt=inputs.get("adopt", True),
        own_record_ids=current_operation().replaced,
    )


def may_look_before_replacing(session: Session, mode: str | None, *, is_open: bool) -> bool:
    """Whether what a replacement would delete is looked at, whatever preflight is set to; tell.

    With preflight ``off`` it is left out where nothing can be deleted: as long as what is declared
    is not known yet (`is_open`), and without credentials.
    """
    from pulumi_huaweicloud_cbr.api.auth.choose import choose

    if mode != "off":
        return True
    if is_open:
        return False
    try:
        choose(session.settings)
    except ConfigurationError:
        tell(
            "preflight is off, and there are no credentials: not looked whether what a replacement "
            "deletes could be made again; pulumi up looks before it deletes"
        )
        return False
    tell(
        "preflight is off, but a replacement deletes: looked nevertheless whether what it deletes "
        "could be made again"
    )
    return True


def unchecked(error: CbrError) -> str:
    """Return what to say where preflight failed to ask."""
    return f"preflight could not ask the API: {error} (preflight 'off' goes without it)"


def all_unchecked(errors: Iterable[CbrError]) -> list[Finding]:
    """Return what to say where preflight failed to ask, each thing once.

    Of refused credentials the first word is enough: all calls have them in common.
    """
    told: dict[str, CbrError] = {}
    for error in errors:
        told.setdefault("" if isinstance(error, AuthenticationError) else str(error), error)
    return [Finding("", unchecked(error)) for error in told.values()]


def limits() -> Limits:
    """Return the limits of waits, shortened to what the program set for the call."""
    from pulumi_huaweicloud_cbr.replication.observe import Limits

    timeout_s = current_call().timeout_s
    return Limits() if timeout_s is None else Limits(copy_s=timeout_s, deletion_s=timeout_s)
