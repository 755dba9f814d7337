"""The libraries of the extra ``report``: who does not have it gets the command that installs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError

MODULES = {
    "a page": ("jinja2", "svg"),
    "metrics": ("prometheus_client",),
    "test results": ("junitparser",),
}
"""What each form is made with."""
REMEDY = "run pip install 'pulumi-huaweicloud-cbr[report]'"


@contextmanager
def needing_extra(form: str) -> Iterator[None]:
    """Import libraries of the extra within this context.

    Args:
        form: what is being made, such as ``a page``.

    Raises:
        ConfigurationError: a module is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise ConfigurationError(
            f"the report cannot be written as {form}: the module {missing} is not installed",
            remedy=REMEDY,
        ) from error


def check_extra(form: str) -> None:
    """Load the libraries of a form, such as ``a page``, before it is made.

    Raises:
        ConfigurationError: one of them is not installed.
    """
    with needing_extra(form):
        for name in MODULES[form]:
            import_module(name)
