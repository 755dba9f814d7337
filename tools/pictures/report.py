"""``make report-pictures``: the report's page, as the documentation shows it.

A phone, a desktop in light and in dark colours, and the first sheet of paper. The report is made up
by the tests' own code, so whoever changes the page sees the same report before and after.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import sync_playwright

from pulumi_huaweicloud_cbr.commands.report.show.clean import cleaned
from pulumi_huaweicloud_cbr.commands.report.show.html.page import as_page
from tests.report_worlds import World
from tools.checks.pictures import browser

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "report"
MOST_BYTES = 180_000


@dataclass(frozen=True)
class Picture:
    """A picture: a size in CSS pixels, colours, and the section where it begins, if not the top."""

    name: str
    width: int
    height: int
    is_dark: bool = False
    is_paper: bool = False
    section: str | None = None


PICTURES = (
    Picture("desktop", 1080, 740),
    Picture("dark", 1080, 700, is_dark=True, section="flows"),
    Picture("timeline", 1080, 600, section="timeline"),
    Picture("phone", 360, 760),
    # What the margins leave of A4.
    Picture("paper", 703, 1032, is_paper=True),
)


def draw(folder: Path) -> list[Path]:
    """Draw all pictures into a folder, and return their paths.

    Raises:
        FileNotFoundError: there is no Chromium or Chrome.
    """
    executable = browser()
    if executable is None:
        raise FileNotFoundError("no Chromium or Chrome found on PATH; install one, or set CHROMIUM")
    report = World(servers=24, copies=40, has_prices=True, seed=21).report()
    folder.mkdir(exist_ok=True)
    drawn = []
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        page_file = Path(name, "report.html")
        page_file.write_text(as_page(cleaned(report)), encoding="utf-8")
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        for one in PICTURES:
            page = chromium.new_page(
                viewport={"width": one.width, "height": one.height},
                color_scheme="dark" if one.is_dark else "light",
                reduced_motion="reduce",
            )
            page.goto(page_file.as_uri())
            if one.is_paper:
                page.emulate_media(media="print")
                page.evaluate("dispatchEvent(new Event('beforeprint'))")
            if one.section:
                page.evaluate("name => document.getElementById(name).scrollIntoView()", one.section)
            drawn.append(folder / f"{one.name}.png")
            page.screenshot(path=drawn[-1])
            page.close()
        chromium.close()
    return drawn
