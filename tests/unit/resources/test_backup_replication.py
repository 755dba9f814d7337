"""Why a single replication is deleted: the notes of the operation tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.call import Call, serving
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation, current_operation
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.ownership import Removal
from pulumi_huaweicloud_cbr.resources.backup_replication import _why_removed
from tests.unit.resources.test_owners import ROW, SHE

EAST = "cn-east-3"


@pytest.fixture
def session() -> Iterator[Session]:
    """A session that never sends anything here, in a new operation."""
    begin_operation()
    opened = Session(Settings.of())
    yield opened
    opened.close()


@pytest.mark.parametrize("declared", [None, "Abc", "ABC", "abc"])
@pytest.mark.parametrize("is_replaced", [False, True])
def test_same_backup_in_another_case_is_the_same(
    session: Session, declared: str | None, is_replaced: bool
) -> None:
    """So it does not roll off, which would delete a last copy."""
    if declared:
        current_operation().note_claimed(SHE, [(declared, EAST)])
    if is_replaced:
        current_operation().note_replaced(SHE, ["r1"])
    with serving(Call(urn=SHE)):
        removal = asyncio.run(_why_removed(session, ROW))

    assert (Removal.REPLACED if is_replaced else Removal.REMOVED) is removal


def test_other_backup_of_an_unknown_server_is_removed(session: Session) -> None:
    """An old state does not tell the server, so nothing is asked, and a last copy stays."""
    current_operation().note_claimed(SHE, [("other", EAST)])
    current_operation().note_replaced(SHE, ["r1"])
    with serving(Call(urn=SHE)):
        removal = asyncio.run(_why_removed(session, replace(ROW, source_resource_id=None)))

    assert Removal.REMOVED is removal
