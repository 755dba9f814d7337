"""Each code of the reference, sent to the real client: the code decides, not the HTTP status.

This second copy of the table is intended: its source is the reference, not the package.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from pulumi_huaweicloud_cbr.api.transport.retry import RetryBudget, is_outcome_unknown
from pulumi_huaweicloud_cbr.api.wire import error_codes
from pulumi_huaweicloud_cbr.api.wire.error_codes import Repeat, facts_of
from pulumi_huaweicloud_cbr.base.errors import ApiError, AuthenticationError, NotFoundError
from tests.unit.wire import Wire, error_from, get_backup, get_vault, list_projects, replicate

ATTEMPTS = RetryBudget().attempts

# Requests sent for a read, and for a submission, if every response is this refusal.
REQUESTS = {
    "never": (1, 1),
    "later": (ATTEMPTS, ATTEMPTS),
    "unknown": (ATTEMPTS, 1),
}

# CBR API reference, "Error Codes": the replication codes have 400 or 500, by region and age.
REPLICATION = """
    never    1001 1002 1003 1004 1005 1009 1011 1012 1013 2004 6003
    never    6119 6120 6122 6127 6128 6129 6131
    later    1007 1008 4005 6118 6130
    unknown  1006
"""
# The definition of DeleteBackup (2025 and 2026), and CSBS API reference, "Error Codes".
CSBS = """
    later    400  2003
    never    400  3001
    never    404  3001
"""
# The same, for backups, restore points, vaults, policies and in general: status, then codes.
CBR = """
    never    400  0001 6202 6204 6215 6220 6300 6301
    later    400  6201 6203 6206 6216
    later    500  0002
    never    404  6200 6217 6302 6500 6501
    never    404  6000 6002 6105 6601
    never    400  6001 6100 6101 6102 6103 6104 6106 6107 6108 6109 6110 6111 6112 6113 6114
    never    400  6116 6117 6123 6124 6126 6133 6135 6136 6142 6600 7301 7303
    unknown  400  6115 6121
    later    400  6125 6134
    unknown  500  6132
    never    500  6137
    later    500  6138 6139
    never    400  8300 9900
    never    403  8600
    later    500  8400
    unknown  500  9910
    never    500  9998
"""
# API Gateway user guide, "Error Codes".
GATEWAY = """
    never    400  0104 0105 0106 0201 0204 0602 0607
    never    401  0301 0303 0305 0307
    never    403  0302 0304 0306 0310 0401 0402 0404 0802
    never    404  0101 0103
    never    405  0501 0502
    never    413  0201
    never    414  0201
    never    494  0201
    later    429  0308
    unknown  500  0103 0104 0105 0201 0601 0605 0606 0608 0609 0611 0612
    unknown  502  0201 0610
    unknown  504  0201
    later    503  0613
"""
# IAM API reference, "Error Codes".
IAM = """
    never    400  0007 0011 0072 0073 1101 1102 1103 1104 1105 1106 1107 1108 1109
    never    401  0001 0061 0062 0066 0067
    never    403  0002 0003 0081 0082 0083
    never    404  0004
    never    409  0005
    later    429  0012
    unknown  500  0006
"""


@dataclass(frozen=True)
class Row:
    """A code, the statuses that it has, and whether the request may be sent again."""

    code: str
    status: int
    repeat: str

    def __str__(self) -> str:
        return f"{self.code}-{self.status}"

    def answer(self) -> httpx.Response:
        """Return the refusal in the envelope of CBR and of the gateway."""
        body = {"error_code": self.code, "error_msg": "备份\n副本 was refused."}
        return httpx.Response(self.status, json=body, headers={"X-Request-Id": "req-1"})


def rows() -> Iterator[Row]:
    """Yield each code with each of its statuses."""
    for line in REPLICATION.split("\n"):
        repeat, *numbers = line.split() or [""]
        for number in numbers:
            yield Row(f"BackupService.{number}", 400, repeat)
            yield Row(f"BackupService.{number}", 500, repeat)
    families = (
        ("BackupService", CBR),
        ("CSBS", CSBS),
        ("APIGW", GATEWAY),
        ("APIG", GATEWAY),
        ("IAM", IAM),
    )
    for family, table in families:
        for line in table.strip().split("\n"):
            repeat, status, *numbers = line.split()
            for number in numbers:
                yield Row(f"{family}.{number}", int(status), repeat)


ROWS = list(rows())


@pytest.mark.anyio
@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_code_decides_how_often_a_request_is_sent(row: Row) -> None:
    """A read is repeated if that may help, a submission if it was certainly not accepted."""
    read, submitted = Wire(row.answer()), Wire(row.answer())

    await error_from(read, get_backup)
    await error_from(submitted, replicate)

    assert REQUESTS[row.repeat] == (len(read.requests), len(submitted.requests))


@pytest.mark.anyio
@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_code_gives_class_remedy_and_one_line(row: Row) -> None:
    """The error has code, request and remedy on one line, and does not hide an unknown outcome."""
    error = await error_from(Wire(row.answer()), replicate)

    kind = AuthenticationError if row.status == 401 else ApiError
    assert isinstance(error, kind)
    assert (row.code, "req-1") == (error.code, error.request_id)
    assert error.remedy
    assert f"HTTP {row.status}: 备份 副本 was refused; {error.remedy} [{row.code}, " in str(error)
    assert 1 == len(str(error).splitlines())
    assert (row.repeat == "unknown") == is_outcome_unknown(error)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_remedy_ends_any_command(row: Row) -> None:
    """A remedy goes on after a semicolon; if waiting helps, it fits `destroy` as well as `up`."""
    remedy = facts_of(row.code, row.status).remedy or ""

    assert remedy[:1] in (remedy[:1].lower(), "I", "U")
    assert not remedy.endswith((".", "!"))
    if row.repeat == "later":
        assert "run the same command again later" in remedy


def test_table_knows_no_other_code() -> None:
    """Package and reference name the same codes: a code that is added here is tested here too."""
    here = {row.code for row in ROWS}
    known = {
        f"{family}.{number}"
        for family, numbers in error_codes._FAMILIES.items()
        for number in numbers
    }

    assert here == known
    assert 181 == len(here)


# The subject of a code: a requested backup is not gone because a vault or a tag is.
GONE_BACKUP = {"BackupService.6200", "CSBS.3001"}
GONE_VAULT = {"BackupService.6105", "BackupService.6120"}
MISSING = sorted({row for row in ROWS if facts_of(row.code, row.status).is_missing}, key=str)


def test_missing_codes_are_those_of_things_that_do_not_exist() -> None:
    """Every code that comes as a 404 is about a missing thing, except the gateway's own."""
    expected = {row.code for row in ROWS if row.status == 404 and not row.code.startswith("APIG")}

    assert expected | {"BackupService.6120", "IAM.1109"} == {row.code for row in MISSING}


@pytest.mark.anyio
@pytest.mark.parametrize("row", MISSING, ids=str)
async def test_missing_thing_is_the_one_asked_for(row: Row) -> None:
    """A backup is gone by its own code only: with any other, a replica would be forgotten."""
    backup = await error_from(Wire(row.answer()), get_backup)
    vault = await error_from(Wire(row.answer()), get_vault)
    project = await error_from(Wire(row.answer()), list_projects)

    assert (row.code in GONE_BACKUP) == isinstance(backup, NotFoundError)
    assert (row.code in GONE_VAULT) == isinstance(vault, NotFoundError)
    assert isinstance(project, NotFoundError)


@pytest.mark.parametrize(
    ("code", "status", "repeat", "is_missing"),
    [
        pytest.param("BackupService.4242", 500, Repeat.UNKNOWN, False, id="new-code-5xx"),
        pytest.param("BackupService.4242", 400, Repeat.NEVER, False, id="new-code-4xx"),
        pytest.param("Backup.1009", 500, Repeat.UNKNOWN, False, id="other-family"),
        pytest.param("BackupService.10090", 500, Repeat.UNKNOWN, False, id="longer-number"),
        pytest.param("1009", 500, Repeat.UNKNOWN, False, id="bare-number"),
        pytest.param(None, 401, Repeat.NEVER, False, id="bare-401"),
        pytest.param(None, 403, Repeat.NEVER, False, id="bare-403"),
        pytest.param(None, 404, Repeat.NEVER, True, id="bare-404"),
        pytest.param(None, 429, Repeat.LATER, False, id="bare-429"),
        pytest.param(None, 500, Repeat.UNKNOWN, False, id="bare-500"),
        pytest.param(None, 503, Repeat.UNKNOWN, False, id="bare-503"),
        pytest.param("", 418, Repeat.NEVER, False, id="bare-4xx"),
    ],
)
def test_facts_of_unknown_code(
    code: str | None, status: int, repeat: Repeat, is_missing: bool
) -> None:
    """For a code that is not in the table, the status decides."""
    facts = facts_of(code, status)

    assert not error_codes.is_known(code)
    assert (repeat, is_missing) == (facts.repeat, facts.is_missing)
