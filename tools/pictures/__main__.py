"""Write a picture of each comment into the documentation, or with ``report`` those of its page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from simulator.testing import SimulatorProcess
from tests.e2e.six_comments import six_previews
from tools.pictures import report
from tools.pictures.page import page_of

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "comments"
WIDTH = 804
MOST_BYTES = 80_000
_HEIGHT = re.compile(r"<title>(\d+)</title>")
_MEASURE = (
    "<script>document.title = Math.ceil(document.body.getBoundingClientRect().height)</script>"
)


def main() -> int:
    """Draw all comments; return the exit code."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("pictures: there is no chromium on PATH; install it", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as name:
        folder = Path(name)
        for title, _, comment in six_previews(folder, SimulatorProcess):
            size = draw(chromium, comment.read_text(encoding="utf-8"), FOLDER / f"{title}.png")
            print(f"{title}: {size:,} bytes")
            if size > MOST_BYTES:
                print(f"pictures: {title} has more than {MOST_BYTES:,} bytes", file=sys.stderr)
                return 1
    return 0


def draw_report() -> int:
    """Draw the report's page; return the exit code."""
    try:
        drawn = report.draw(report.FOLDER)
    except FileNotFoundError as error:
        print(f"report-pictures: {error}", file=sys.stderr)
        return 1
    large = False
    for path in drawn:
        size = path.stat().st_size
        print(f"{path.stem}: {size:,} bytes")
        if size > report.MOST_BYTES:
            print(f"report-pictures: {path.stem} is too large to commit", file=sys.stderr)
            large = True
    return int(large)


def draw(chromium: str, comment: str, picture: Path) -> int:
    """Draw one comment; return the size of the picture in bytes."""
    with tempfile.TemporaryDirectory(prefix="picture-") as name:
        page = Path(name, "page.html")
        page.write_text(page_of(comment) + _MEASURE, encoding="utf-8")
        call = [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={name}/profile",
        ]
        dumped = subprocess.run(
            [*call, f"--window-size={WIDTH},600", "--dump-dom", page.as_uri()],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found = _HEIGHT.search(dumped)
        # A lower window shows nothing.
        height = max(int(found[1]), 160) if found else 600
        subprocess.run(
            [*call, f"--window-size={WIDTH},{height}", f"--screenshot={picture}", page.as_uri()],
            capture_output=True,
            check=True,
        )
    return picture.stat().st_size


if __name__ == "__main__":
    sys.exit(draw_report() if sys.argv[1:] == ["report"] else main())
