"""A report whose texts can be written into any document: valid, without secrets, inert."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, NewType

from pulumi_huaweicloud_cbr.base.text import inert, redact
from pulumi_huaweicloud_cbr.commands.report.model import Report

CleanReport = NewType("CleanReport", Report)
"""A report that `cleaned` returned. Forms take only this, so that none can forget to clean."""

_NOT_TEXT = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""Halves of characters, which JSON can have and UTF-8 cannot, and what XML 1.0 does not allow."""


def cleaned(report: Report) -> CleanReport:
    """Return the report with each text cleaned. Line breaks become spaces.

    Characters that act, such as ESC, are escaped: they are no part of XML or OpenMetrics, or they
    reorder what follows. What looks like a secret is replaced.
    """
    # Most texts of a report stand in it many times: regions, vaults, ids of what is protected.
    return CleanReport(_Cleaner().cleaned(report))


class _Cleaner:
    """Cleans one report. Each different text is cleaned once."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            clean = self.texts.get(value)
            if clean is None:
                clean = self.texts[value] = _clean_text(value)
            return clean
        if isinstance(value, tuple):
            return tuple(self.cleaned(one) for one in value)
        if not is_dataclass(value) or isinstance(value, type):
            return value
        changed = {}
        for one in fields(value):
            before = getattr(value, one.name)
            after = self.cleaned(before)
            if after != before:
                changed[one.name] = after
        return replace(value, **changed) if changed else value


def _clean_text(text: str) -> str:
    return _NOT_TEXT.sub("\ufffd", inert(redact(" ".join(text.split("\n")))))
