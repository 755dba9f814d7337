"""The package's own log, for debugging: off by default, and never with secrets."""

from __future__ import annotations

import logging
import os

from pulumi_huaweicloud_cbr.base.text import inert

VARIABLE = "PULUMI_HUAWEICLOUD_CBR_LOG"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}


class _InertFormatter(logging.Formatter):
    """Writes lines that no terminal acts on, whatever a name in CBR contains."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return inert(super().format(record))


def start_logging() -> None:
    """Write the package's log to standard error, if the variable `VARIABLE` is set; once."""
    level = _LEVELS.get(os.environ.get(VARIABLE, "").lower())
    logger = logging.getLogger("pulumi_huaweicloud_cbr")
    # Only this package's logger: httpcore's would write headers, including tokens.
    if level is None or logger.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_InertFormatter("%(asctime)s cbr %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
