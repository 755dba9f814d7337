"""Judge a stack's objectives for a report of a pipeline, if its configuration declares any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.clock import SystemClock
from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.commands._cli.pulumi_cli import default_owner, read_configuration
from pulumi_huaweicloud_cbr.commands._cli.stack import export
from pulumi_huaweicloud_cbr.commands.ci.objectives import (
    facts_of_failure,
    facts_of_prices,
    facts_of_report,
)
from pulumi_huaweicloud_cbr.commands.report.command import account_of, make_report
from pulumi_huaweicloud_cbr.commands.report.model import Report
from pulumi_huaweicloud_cbr.commands.report.prices import Prices
from pulumi_huaweicloud_cbr.config.entries import PROGRAM
from pulumi_huaweicloud_cbr.config.objectives import read_declared

_HIDDEN = "a name in secret configuration"
_HIDDEN_REASON = (
    "the reason may quote secret configuration: it is told by report, run with the stack's secrets"
)


def judged(
    stack: str, directory: Path | None, environ: Mapping[str, str], prices: Prices | None
) -> list[dict[str, Any]]:
    """Return what is known about a stack's objectives, as facts; none if it declares none.

    What cannot be read is a fact too: no failure of this ends a preview.

    Args:
        directory: the project's; default: the current one.
        prices: what a gigabyte costs; None leaves costs out.
    """
    facts = list(facts_of_prices(prices)) if prices is not None else []
    is_secret = False
    try:
        configured, secret_keys = read_configuration(stack, directory)
        is_secret = any(key.startswith(PROGRAM) for key in secret_keys)
        if not any(one.objective.rpo_s for one in read_declared(configured)):
            return facts
        account = account_of(
            stack,
            configured,
            environ,
            export(stack, directory),
            default_owner=partial(default_owner, stack, directory),
        )
        report = make_report([account], SystemClock())
    except CbrError as error:
        return [*facts, *facts_of_failure(_HIDDEN_REASON if is_secret else str(error))]
    if is_secret:
        report = _without_names(report)
    return [*facts, *facts_of_report(report)]


def _without_names(report: Report) -> Report:
    """Return a report without what secret configuration could name.

    What could not be read is one remark: regions and resources have their names from there, too.
    """
    return replace(
        report,
        areas=(),
        remarks=() if report.is_complete else (_HIDDEN_REASON,),
        resources=tuple(
            replace(one, name=_HIDDEN, reason=None, owner=None, tier=None)
            for one in report.resources
        ),
    )
