"""What replication resources do alike with their inputs: defaults, timeouts, aim of preflight.

Validation does not belong here: that is `replication.rules.inputs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import NODEFAULT, Struct, structs
from pulumi.dynamic import CheckFailure

from pulumi_huaweicloud_cbr.base.errors import (
    AuthenticationError,
    CbrError,
    ConfigurationError,
    NotSentError,
)
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.output.messages import tell, warn
from pulumi_huaweicloud_cbr.engine.ownership.operation import current_operation
from pulumi_huaweicloud_cbr.engine.ownership.stack import this_owner
from pulumi_huaweicloud_cbr.engine.provider import split_unknown
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.inputs import FIELDS, check_room_for_mark
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication, Identity

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.replication.observe import Limits
    from pulumi_huaweicloud_cbr.replication.preflight.flow import Aim

DEFAULTS: dict[str, Any] = {
    **{
        field.name: field.default
        for field in structs.fields(DesiredReplication)
        if field.name in FIELDS and field.default not in (NODEFAULT, None)
    },
    "preflight": "error",
}
"""The values of inputs that a program leaves out: the model's defaults, and that of preflight."""

NOT_CHECKED = (
    "preflight is off: not checked whether the backup exists and can be copied, whether CBR copies "
    "between the two regions, whether the destination vault fits and has room, and whether another "
    "replica stands in the way"
)


def missing_source_region(
    known: dict[str, Any], unknown: frozenset[str], session: Session
) -> list[Finding]:
    """Return a finding if neither the inputs nor the configuration have the source region."""
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
    """Fill in values from our defaults, the configuration and the old inputs; no calls."""
    inputs = {field: value for field, value in known.items() if value is not None}
    if inputs.get("force_destroy") is False:
        # The default is left out: states of earlier versions do not have it.
        del inputs["force_destroy"]
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
    # Ids that were looked up once stay as long as the region does.
    for side in ("source", "destination"):
        region = inputs.get(f"{side}_region")
        if region is not None and region == olds.get(f"{side}_region"):
            fill(f"{side}_project_id", olds.get(f"{side}_project_id"))
    return inputs


def without_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the values that `split_stored` fills in: each property costs time and bytes."""
    return {
        field: value
        for field, value in values.items()
        if field not in DEFAULTS or value != DEFAULTS[field]
    }


def split_stored(properties: dict[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Return what a state or a check has, as `split_unknown`, with the defaults it leaves out.

    States of earlier versions have the defaults.
    """
    known, unknown = split_unknown(properties)
    defaults = {field: value for field, value in DEFAULTS.items() if field not in unknown}
    return {**defaults, **known}, unknown


def declared_as(desired: type[Struct], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs that a desired replication has under the same names."""
    return {
        field.name: inputs[field.name]
        for field in structs.fields(desired)
        if inputs.get(field.name) is not None
    }


def identity_of(session: Session, recorded: Iterable[str | None] = ()) -> Identity:
    """Return whose work this stack's replicas are.

    Args:
        recorded: the owners that the state of the resource has.
    """
    settings = session.settings
    former = frozenset(owner for owner in recorded if owner is not None)
    return Identity(this_owner(settings), former, settings.mark_replicas)


def is_forced(state: Mapping[str, Any]) -> bool:
    """Whether the state says that last copies may be deleted as well."""
    return bool(state.get("force_destroy"))


def no_room_for_mark(known: Mapping[str, Any], session: Session) -> list[Finding]:
    """Return a finding if a description is too long beside the mark."""
    return check_room_for_mark(known.get("description"), identity_of(session).mark_owner)


def aim_of(session: Session, inputs: Mapping[str, Any], unknown: frozenset[str]) -> Aim:
    """Return source and destination for preflight; `source_region` has to be known."""
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
        identity=identity_of(session),
    )


def may_look_before_replacing(session: Session, mode: str | None, *, is_open: bool) -> bool:
    """Whether to check what a replacement would delete, whatever preflight is; report why.

    With preflight ``off`` the check is skipped if nothing can be deleted: while a changed input is
    not known yet (`is_open`), or without credentials.
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


def tell_gap(region: object, *, is_one: bool) -> None:
    """Tell that a replacement deletes first, so that a time without a copy follows."""
    if is_one:
        tell(f"until the new copy has succeeded, there is no copy in region {region!r}")
    else:
        tell(f"until the new copies have succeeded, there are no copies in region {region!r}")


def unchecked(error: CbrError) -> str:
    """Return the text for a preflight that could not query the API."""
    told = f"preflight could not ask the API: {error}"
    if isinstance(error, AuthenticationError):
        # Without preflight, `up` would be refused just the same.
        return f"{told} (python -m pulumi_huaweicloud_cbr check tells what the credentials can do)"
    if isinstance(error, NotSentError):
        return f"{told} (python -m pulumi_huaweicloud_cbr check tells which addresses answer)"
    if isinstance(error, ConfigurationError):
        return f"{told} (a preview with preflight 'off' goes without it, pulumi up does not)"
    return f"{told} (preflight 'off' goes without it)"


def all_unchecked(errors: Iterable[CbrError]) -> list[Finding]:
    """Return a finding for each different error of a preflight that could not query the API.

    Refused credentials give one finding, since all calls share them.
    """
    told: dict[str, CbrError] = {}
    for error in errors:
        told.setdefault("" if isinstance(error, AuthenticationError) else str(error), error)
    return [Finding("", unchecked(error)) for error in told.values()]


def failures_of(faults: Iterable[Finding], mode: str) -> list[CheckFailure]:
    """Return the findings that fail a check, and warn of the others.

    Args:
        mode: of preflight; only ``error`` fails.
    """
    failures = []
    for fault in faults:
        if mode == "error" and fault.is_certain:
            failures.append(CheckFailure(fault.field, fault.reason))
        else:
            warn(f"{fault.field}: {fault.reason}" if fault.field else fault.reason)
    return failures


def limits() -> Limits:
    """Return the limits of waits; the call's timeout replaces them if the program sets one."""
    from pulumi_huaweicloud_cbr.replication.observe import Limits

    timeout_s = current_call().timeout_s
    return Limits() if timeout_s is None else Limits(copy_s=timeout_s, deletion_s=timeout_s)
