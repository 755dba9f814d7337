"""What happens without the extra that has the libraries, and who pays for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.commands.report.model import Report
from pulumi_huaweicloud_cbr.commands.report.show.html.page import as_page
from pulumi_huaweicloud_cbr.commands.report.show.junit import as_junit
from pulumi_huaweicloud_cbr.commands.report.show.metrics import as_metrics

LIBRARIES = {"jinja2", "junitparser", "markupsafe", "prometheus_client", "svg"}
SHOW = "pulumi_huaweicloud_cbr.commands.report.show"


@pytest.mark.parametrize(
    ("form", "words", "missing", "modules"),
    [
        (as_page, "a page", "jinja2", ("jinja2",)),
        (
            as_page,
            "a page",
            "svg",
            ("svg", f"{SHOW}.html.flows", f"{SHOW}.html.timeline", f"{SHOW}.html.view"),
        ),
        (
            as_metrics,
            "metrics",
            "prometheus_client",
            ("prometheus_client", "prometheus_client.metrics_core"),
        ),
        (as_junit, "test results", "junitparser", ("junitparser", "junitparser.junitparser")),
    ],
)
def test_missing_extra_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch,
    form: Callable[[Report], str],
    words: str,
    missing: str,
    modules: tuple[str, ...],
) -> None:
    """Whoever lacks a library reads which one, and what to type."""
    for module in modules:
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ConfigurationError) as raised:
        form(Report(made_at="2026-11-30T06:00:00Z"))

    assert (
        f"the report cannot be written as {words}: the module {missing} is not installed;"
        " run pip install 'pulumi-huaweicloud-cbr[report]'"
    ) == str(raised.value)


def test_libraries_are_loaded_by_what_uses_them_alone() -> None:
    """The modules of all forms can be imported without any of the libraries."""
    code = (
        f"import sys; from {SHOW} import junit, metrics; from {SHOW}.html import page;"
        "print(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert set() == LIBRARIES & set(loaded)
