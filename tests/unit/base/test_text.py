"""Text that users see."""

from __future__ import annotations

import logging

import pytest

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.base.logging import VARIABLE, start_logging
from pulumi_huaweicloud_cbr.base.text import counted, inert

ACTING = "a\x1b[2Jb\x07c\x9bd\u202ee\u2066f\u200bg\r"
SHOWN = r"a\x1b[2Jb\x07c\x9bd\u202ee\u2066f\u200bg\r"


def test_acting_characters_are_escaped() -> None:
    assert inert(ACTING) == SHOWN
    assert inert("line 1\n\tline 2, 云备份 \u3000副本 é") == "line 1\n\tline 2, 云备份 \u3000副本 é"


def test_errors_are_inert() -> None:
    assert str(CbrError(ACTING, remedy=ACTING)) == f"{SHOWN}; {SHOWN}"


def test_log_is_inert(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("pulumi_huaweicloud_cbr")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", logger.propagate)
    monkeypatch.setattr(logger, "level", logger.level)
    monkeypatch.setenv(VARIABLE, "debug")

    start_logging()
    logger.debug("backup %s", ACTING)

    assert f"backup {SHOWN}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1000, "1000 rows")]
)
def test_counted_things_have_their_number(number: int, text: str) -> None:
    """One thing is singular, all other numbers are plural."""
    assert text == counted(number, "row")
