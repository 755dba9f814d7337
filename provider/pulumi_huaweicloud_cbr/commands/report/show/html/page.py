"""The page: the templates, filled with what a report says.

The page loads nothing and sends nothing. Its policy allows the one script and the one style that
are in it, by their hashes. So a name from the cloud could not run, even if it were not escaped.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from pulumi_huaweicloud_cbr.commands.report.show.clean import CleanReport
from pulumi_huaweicloud_cbr.commands.report.show.extra import needing_extra
from pulumi_huaweicloud_cbr.commands.report.show.html import words

PACKAGE = "pulumi_huaweicloud_cbr.commands.report.show.html"


def as_page(report: CleanReport) -> str:
    """Return the report as an HTML document that is complete in itself.

    Raises:
        ConfigurationError: the extra ``report`` is not installed.
    """
    with needing_extra("a page"):
        from jinja2 import Environment, PackageLoader, StrictUndefined
        from markupsafe import Markup

        from pulumi_huaweicloud_cbr.commands.report.show.html import flows, timeline
        from pulumi_huaweicloud_cbr.commands.report.show.html.view import View

    loader = PackageLoader(PACKAGE)
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "age": words.age,
        "gb": words.number,
        "money": words.money,
        "when": words.when,
        "named": words.named,
        "kind": words.kind,
    }
    # Ours, and written as they are: an escaped quote in them would be another text.
    style, script = (
        Markup(loader.get_source(environment, name)[0])  # noqa: S704
        for name in ("style.css", "page.js")
    )
    view = View(report)
    return environment.get_template("page.html").render(
        view=view,
        report=report,
        style=style,
        script=script,
        policy=policy(script, style),
        # Drawn by us, with their texts escaped.
        wide=Markup(flows.flow_map(report, flows.WIDE)),  # noqa: S704
        narrow=Markup(flows.flow_map(report, flows.NARROW)),  # noqa: S704
        map_words=flows.summary(view.flows),
        lanes=[
            (resource, [(lane, Markup(lane.drawing)) for lane in its])  # noqa: S704
            for resource, its in timeline.lanes(report)
        ],
        days=timeline.DAYS,
    )


def policy(script: str, style: str) -> str:
    """Return the content security policy that allows this script and this style, and no request."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}';"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
