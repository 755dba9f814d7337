"""``make site-pictures``: pictures of the main pages, as a phone and a desktop show them.

They lie in ``build/site/pictures``, beside a page that shows them all, and are published with the
site: whoever changes the pages or their style looks at them there. It wants `make site` first, and
Chromium or Chrome, which the package registry does not have.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.checks.site import SITE

PAGES = ("index", "start", "recovery", "reference/resources", "explanation/when-to-use", "zh/start")
WIDTHS = {"phone": (390, 844), "desktop": (1280, 900)}
"""Width and height of a window, in CSS pixels."""
COLOURS = {"light": 1, "dark": 0}
"""What Chromium calls a reader's preference."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LIMIT_S = 60


@dataclass(frozen=True)
class Picture:
    """A page at a width, in the reader's preferred colours."""

    page: str
    width: str
    colours: str

    @property
    def name(self) -> str:
        """The name of the file."""
        return f"{self.page.replace('/', '-')}-{self.width}-{self.colours}.png"

    def options(self, profile: str, target: Path) -> list[str]:
        """Return the options that make a browser take the picture, and nothing else."""
        columns, rows = WIDTHS[self.width]
        return [
            "--headless=new",
            # Without it, the browser does not run as root, which containers do.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            f"--blink-settings=preferredColorScheme={COLOURS[self.colours]}",
            f"--window-size={columns},{rows}",
            f"--screenshot={target / self.name}",
            (SITE / f"{self.page}.html").as_uri(),
        ]


def pictures() -> Iterator[Picture]:
    """Yield each page at each width in each colour."""
    for page in PAGES:
        for width in WIDTHS:
            for colours in COLOURS:
                yield Picture(page, width, colours)


def browser() -> str | None:
    """Return the browser to use: ``CHROMIUM``, or the first one on the path."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, BROWSERS)), None)


def take(target: Path) -> list[str]:
    """Take all pictures into a folder; return a line for each that could not be taken."""
    found = browser()
    if found is None:
        return [
            "no Chromium or Chrome found on PATH; install one, or name it: CHROMIUM=/path/to/it"
        ]
    if not (SITE / "index.html").exists():
        return ["there is no site yet; run `make site` first"]
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    faults = []
    with tempfile.TemporaryDirectory() as profiles:
        for picture in pictures():
            # The site remembers a reader's colours from the first visit.
            profile = f"{profiles}/{picture.colours}"
            done = subprocess.run(
                [found, *picture.options(profile, target)],
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
                check=False,
            )
            if done.returncode or not (target / picture.name).exists():
                faults.append(f"{picture.name}: {done.stderr.strip()}")
    (target / "index.html").write_text(gallery(), encoding="utf-8")
    return faults


def gallery() -> str:
    """Return a page with all pictures, one row for each page of the site."""
    rows = []
    for page in PAGES:
        images = "\n".join(
            f'<img src="{picture.name}" width="{WIDTHS[picture.width][0] // 2}"'
            f' alt="{page}, {picture.width}, {picture.colours}">'
            for picture in pictures()
            if picture.page == page
        )
        rows.append(f"<h2>{page}</h2>\n{images}")
    head = '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Pictures</title>'
    return "\n".join([head, *rows, "</html>", ""])


def main() -> int:
    """Take the pictures; return 1 if one could not be taken."""
    faults = take(SITE / "pictures")
    for fault in faults:
        print(f"site-pictures: {fault}", file=sys.stderr)
    if not faults:
        print("site-pictures: build/site/pictures/index.html")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
