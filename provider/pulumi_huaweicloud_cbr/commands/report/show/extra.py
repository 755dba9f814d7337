"""The libraries of the extra ``report``: who does not have it gets the command that installs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError

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
