"""Texts of a report, made fit for any document."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import asdict

import pytest

from pulumi_huaweicloud_cbr.base.text import remember_secret
from pulumi_huaweicloud_cbr.commands.report.model import Area, Report
from pulumi_huaweicloud_cbr.commands.report.show.clean import cleaned
from tests.report_worlds import HOSTILE, worlds


@pytest.mark.parametrize("text", HOSTILE)
def test_text_fits_into_any_document(text: str) -> None:
    """It can be encoded, XML can have it, and it stays on its line."""
    (remark,) = cleaned(Report(made_at="", remarks=(text,))).remarks

    element = ET.Element("remark")
    element.text = remark
    assert remark == (ET.fromstring(ET.tostring(element, encoding="utf-8")).text or "")
    assert 1 >= len(remark.splitlines())


def test_all_texts_are_cleaned_and_nothing_else_changes() -> None:
    """However deep a text is; numbers and truth values stay."""
    remember_secret("not-a-secret-of-anyone")
    report = worlds()["hostile"]
    area = Area("not-a-secret-of-anyone", None, is_source=True)
    both = Report(made_at="now", areas=(area,), resources=report.resources)

    clean = cleaned(both)

    assert (Area("[secret]", None, is_source=True),) == clean.areas
    assert "\x1b" not in repr(clean)
    assert [one.rpo_s for one in report.resources] == [one.rpo_s for one in clean.resources]


def test_plain_report_stays_as_it_is() -> None:
    """Ids and names of the usual kind are not touched."""
    report = worlds()["priced"]

    assert asdict(report) == asdict(cleaned(report))
