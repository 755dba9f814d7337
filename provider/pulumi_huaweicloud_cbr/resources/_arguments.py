"""What programs give a resource, as an Args object or as keywords.

Also the inputs and outputs that single replications, sets and entire vaults share.

A wrong argument ends the program with one line, which names the argument and the expected form.
Values are not validated here: the provider's `check` does that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, NoReturn, Required, TypedDict, TypeVar

import pulumi

from pulumi_huaweicloud_cbr.engine.configuration import warn_of_configuration

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Args = TypeVar("Args", bound=DataclassInstance)


class CopyInputs(TypedDict, total=False):
    """The inputs that single replications, sets and entire vaults have in common."""

    destination_region: Required[pulumi.Input[str]]
    destination_vault_id: Required[pulumi.Input[str]]
    destination_project_id: pulumi.Input[str] | None
    enable_acceleration: pulumi.Input[bool] | None
    source_region: pulumi.Input[str] | None
    source_project_id: pulumi.Input[str] | None
    adopt: pulumi.Input[bool | str] | None
    preflight: pulumi.Input[str] | None
    force_destroy: pulumi.Input[bool] | None


class CopyOutputs:
    """The same as outputs, resolved."""

    destination_region: pulumi.Output[str]
    destination_vault_id: pulumi.Output[str]
    destination_project_id: pulumi.Output[str]
    enable_acceleration: pulumi.Output[bool]
    source_region: pulumi.Output[str]
    source_project_id: pulumi.Output[str]
    adopt: pulumi.Output[bool | str]
    preflight: pulumi.Output[str]
    force_destroy: pulumi.Output[bool | None]


class ArgumentsError(pulumi.RunError, TypeError):
    """A resource got arguments that it does not take; shown without a traceback."""


def declared(
    resource: object,
    form: type[Args],
    name: object,
    positional: Sequence[Any],
    keywords: Mapping[str, Any],
) -> tuple[dict[str, Any], pulumi.ResourceOptions | None]:
    """Return the inputs of a resource that a program declares, and Pulumi's options.

    Args:
        form: the resource's Args class, whose fields are the inputs.
        positional: the arguments after the resource's name.

    Raises:
        ArgumentsError: the arguments fit neither form.
    """
    reading = _Reading(f"{type(resource).__name__} {name!r}", form)
    args, opts = reading.of(positional, dict(keywords))
    warn_of_configuration()
    return {field.name: getattr(args, field.name) for field in fields(args)}, opts


class _Reading:
    def __init__(self, what: str, form: type[Any]) -> None:
        self._what = what
        self._form = form
        self._inputs = [field.name for field in fields(form)]
        self._required = [
            field.name
            for field in fields(form)
            if field.default is MISSING and field.default_factory is MISSING
        ]

    def of(self, positional: Sequence[Any], keywords: dict[str, Any]) -> tuple[Any, Any]:
        given = list(positional)
        args, opts = keywords.pop("args", None), keywords.pop("opts", None)
        if args is None and given and not isinstance(given[0], pulumi.ResourceOptions):
            args = given.pop(0)
        if given:
            if opts is not None:
                self._refuse("opts is given twice")
            opts = given.pop(0)
        if given:
            self._refuse(f"{len(positional)} arguments follow the name, at most two can")
        if opts is not None and not isinstance(opts, pulumi.ResourceOptions):
            self._refuse(f"opts is {_kind(opts)}, not a pulumi.ResourceOptions")
        return (
            self._from_keywords(keywords) if args is None else self._alone(args, keywords)
        ), opts

    def _alone(self, args: Any, keywords: Mapping[str, Any]) -> Any:
        """Return the Args object; keywords may not be given as well."""
        if not isinstance(args, self._form):
            self._refuse(f"args is {_kind(args)}, not {_article(self._form.__name__)}")
        if keywords:
            self._refuse(f"{next(iter(keywords))} is given beside args")
        return args

    def _from_keywords(self, keywords: Mapping[str, Any]) -> Any:
        for keyword in keywords:
            if keyword not in self._inputs:
                self._refuse(f"{keyword} is not an input{self._meant(keyword)}")
        missing = [name for name in self._required if name not in keywords]
        if missing:
            self._refuse(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
        return self._form(**keywords)

    def _meant(self, keyword: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(keyword, [*self._inputs, "opts"], 1)
        return f", did you mean {near[0]}?" if near else f"; known: {', '.join(self._inputs)}"

    def _refuse(self, fault: str) -> NoReturn:
        inputs = ", ".join(f"{name}=..." for name in self._required)
        form = self._form.__name__
        raise ArgumentsError(
            f"{self._what}: {fault}; give inputs as keywords ({inputs}), or all of them in "
            f"{_article(form)}, and Pulumi's own options as opts"
        )


def _kind(value: object) -> str:
    return _article(type(value).__name__)


def _article(name: str) -> str:
    return f"an {name}" if name[:1] in "aeiouAEIOU" else f"a {name}"
