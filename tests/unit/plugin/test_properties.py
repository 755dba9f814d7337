"""How a preview names what differs: whole properties in a row, and paths in detail."""

from __future__ import annotations

from pulumi_huaweicloud_cbr.plugin.properties import detailed_diff, differing

LABEL = "erp-db-01@2026-11-20T02:00:11"
OLD = {"backups": {}, "keep_newest": 7, "__provider": "a"}
NEW = {"backups": {LABEL: {"backup_id": "b"}}, "keep_newest": 7, "__provider": "b"}


def test_row_names_the_property_whose_member_is_added() -> None:
    """The CLI shows nothing for a path: a row would say `[diff: ]`."""
    assert ["backups"] == differing(OLD, NEW, [])
    assert [f'backups["{LABEL}"]'] == list(detailed_diff(OLD, NEW, []))


def test_property_that_replaces_without_a_change_is_named_too() -> None:
    """An observed status replaces, and no input differs."""
    assert ["backups", "status"] == differing(OLD, NEW, ["status"])
