"""The OpenAPI document of the routes. `test_openapi_full.py` sends requests that follow it."""

from __future__ import annotations

from typing import Any

from simulator.cloud.operations import OPERATIONS
from simulator.control.openapi import document
from simulator.http.services import CONTROL, make_services
from simulator.testing import InProcessSimulator

NAMES = sorted(OPERATIONS)


def described() -> dict[str, Any]:
    """Return the document."""
    return document(make_services(), CONTROL)


def test_document_has_every_operation_once() -> None:
    """The document has the operations of the references, and no control routes."""
    paths = described()["paths"]
    names = [operation["operationId"] for row in paths.values() for operation in row.values()]

    assert NAMES == sorted(names)
    assert not [path for path in paths if path.startswith(CONTROL)]


def test_document_is_served(simulator: InProcessSimulator) -> None:
    """A control route returns the document."""
    assert described() == simulator.control.describe()


def test_document_takes_no_null() -> None:
    """Null is refused in every position, and the document says so."""
    assert "null" not in str(described()["components"]["schemas"]).split("'")


def test_document_takes_no_unknown_field() -> None:
    """Every object in a request is closed."""
    schemas = described()["components"]["schemas"]
    open_ones = [
        name
        for name, schema in schemas.items()
        if "properties" in schema and schema.get("additionalProperties") is not False
    ]

    assert [] == open_ones


def test_document_has_times_as_text() -> None:
    """Filters by time are text, not parsed values."""
    (listed,) = (
        row["get"] for path, row in described()["paths"].items() if path.endswith("/backups")
    )
    kinds = {row["name"]: row["schema"] for row in listed["parameters"]}

    assert ("string", "date-time") == (kinds["start_time"]["type"], kinds["end_time"]["format"])
