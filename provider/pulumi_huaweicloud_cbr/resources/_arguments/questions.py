"""Checks what a program asks a function with, before a request.

A wrong filter finds nothing, and a program that declares a resource for each backup found would
then delete replicas.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

import pulumi

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.replication.rules.inputs import check_question
from pulumi_huaweicloud_cbr.resources._arguments.reading import ArgumentsError, in_one_line


def require_answerable(
    function: str, given: Mapping[str, Any], required: tuple[str, ...] = ()
) -> None:
    """Refuse arguments that no answer could fit.

    Args:
        given: the arguments by name; None was left out.
    Raises:
        ArgumentsError: an argument is an output, or a required one is missing.
        ConfigurationError: a value is not of the form that CBR has.
    """
    for name, value in given.items():
        if isinstance(value, (pulumi.Output, Awaitable)):
            raise ArgumentsError(
                f"{function}: {name} is an Output, which is known later; ask with {function}_output"
            )
        if value is None and name in required:
            raise ArgumentsError(f"{function}: {name} is missing; give it first")
    findings = check_question(given)
    if findings:
        with in_one_line():
            raise ConfigurationError(f"{function}: {findings[0].field}: {findings[0].reason}")
