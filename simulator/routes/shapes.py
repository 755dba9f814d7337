"""Common rules of all requests: no unknown fields, no wrong types, no nulls."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator

from simulator.cloud.clock import parse_time

# CBR API reference, CopyBackup.
NAME = r"^[\u4E00-\u9FA5\uf900-\ufa2da-zA-Z0-9_\-]*$"
REGION = r"^[a-zA-Z0-9._\-]*$"
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
DESCRIPTION = r"^[^<>]*$"


class Body(BaseModel):
    """Base of request bodies: unknown fields and nulls are refused, types are not converted."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("null is not a value")
        return value


class Filters(BaseModel):
    """Base of queries: parameters that are not in the reference are refused."""

    model_config = ConfigDict(extra="forbid")


def _flag(value: Any) -> Any:
    if value not in ("true", "false", True, False):
        raise ValueError("want true or false")
    return value


def _moment(value: Any) -> Any:
    return parse_time(value) if isinstance(value, str) else value


Flag = Annotated[bool, BeforeValidator(_flag)]
Moment = Annotated[
    float, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Limit = Annotated[int, Field(ge=1, le=1000)]
Offset = Annotated[int, Field(ge=0)]
EVERY_ENTERPRISE_PROJECT = (None, "0", "all_granted_eps")
"""Values that match: everything here belongs to the default enterprise project."""
