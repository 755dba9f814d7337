"""The site's main pages in a real browser, as a phone and a desktop show them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tools.checks import pictures
from tools.checks.site import SITE

SMALLEST_BYTES = 8_000
"""An empty page of a phone's size has less."""


def test_pages_exist() -> None:
    """Each page has a source; the five main pages are among them."""
    docs = Path(__file__).resolve().parents[2] / "docs"

    assert len(pictures.PAGES) >= 5
    assert [] == [page for page in pictures.PAGES if not (docs / f"{page}.md").exists()]


def test_without_a_browser_one_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is removed or written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)

    (fault,) = pictures.take(tmp_path / "pictures")

    assert "CHROMIUM=" in fault
    assert [] == list(tmp_path.iterdir())


@pytest.mark.full
def test_each_picture_has_its_size_and_content(tmp_path: Path) -> None:
    """The browser shows each page at each width, and light differs from dark."""
    if pictures.browser() is None:
        pytest.skip("there is no Chromium here")
    if not SITE.exists():
        pytest.fail("run `make site` first; `make lint` does")

    assert [] == pictures.take(tmp_path / "pictures")

    taken = {path.name: path.read_bytes() for path in (tmp_path / "pictures").glob("*.png")}
    assert {picture.name for picture in pictures.pictures()} == set(taken)
    for picture in pictures.pictures():
        content = taken[picture.name]
        assert pictures.WIDTHS[picture.width] == struct.unpack(">II", content[16:24])
        assert len(content) > SMALLEST_BYTES
    assert len(set(taken.values())) == len(taken)
