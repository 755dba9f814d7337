"""Functions end a program with one line, and their errors stay what they are."""

from __future__ import annotations

import pulumi
import pytest

import pulumi_huaweicloud_cbr as cbr


def test_errors_are_shown_without_a_traceback_and_can_be_caught() -> None:
    """Pulumi shows a `RunError` in one line; a program catches the package's own class."""
    with pytest.raises(cbr.ConfigurationError) as caught:
        cbr.get_backups(limit=0)

    assert isinstance(caught.value, pulumi.RunError)
    assert "ConfigurationError" == type(caught.value).__name__
    assert "get_backups: limit is 0, want at least 1" == str(caught.value)
