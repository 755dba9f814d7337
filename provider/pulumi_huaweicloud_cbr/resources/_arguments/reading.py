"""Reads what programs give a resource: an Args object, a dictionary of the same, or keywords.

A wrong argument ends the program with one line, which names the argument and the expected form.
Values are not validated here: the provider's `check` does that.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import MISSING, fields
from inspect import get_annotations
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import pulumi

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.engine.output.configuration_warnings import warn_of_configuration

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Args = TypeVar("Args", bound=DataclassInstance)


_PLAIN = (str, bool, int, float, pulumi.Output, Awaitable, pulumi.Resource, pulumi.Asset)


class ArgumentsError(pulumi.RunError, TypeError):
    """A resource got arguments that it does not take; shown without a traceback."""


@contextmanager
def in_one_line() -> Iterator[None]:
    """Make an error of this package end a program with its one line, without a traceback.

    Pulumi shows a `pulumi.RunError` so. The error stays of its own class as well, for who catches
    it.
    """
    try:
        yield
    except CbrError as error:
        error.__class__ = _shown_in_one_line(type(error))
        raise


def _shown_in_one_line(kind: type[CbrError]) -> type[CbrError]:
    return type(kind.__name__, (kind, pulumi.RunError), {"__module__": kind.__module__})


def declared(
    resource: object,
    form: type[Args],
    name: object,
    positional: Sequence[Any],
    keywords: Mapping[str, Any],
    plain: Mapping[str, Callable[[Any], Any]] = MappingProxyType({}),
) -> tuple[dict[str, Any], pulumi.ResourceOptions | None]:
    """Return the inputs of a resource that a program declares, and Pulumi's options.

    Args:
        form: the resource's Args class, whose fields are the inputs.
        positional: the arguments after the resource's name.
        plain: makes the plain form of an input that may be given in several forms.

    Raises:
        ArgumentsError: the arguments fit neither form.
    """
    kind = type(resource).__name__
    if not isinstance(name, str) or not name:
        given = f"is {kind_of(name)}, not a text"
        given = "is missing" if name is None else "is empty" if name == "" else given
        raise ArgumentsError(f'{kind}: the name {given}; give it first: {kind}("erp-db", ...)')
    reading = _Reading(f"{kind} {name!r}", form)
    args, opts = reading.of(positional, dict(keywords))
    inputs = {field: getattr(args, field) for field in inputs_of(form)}
    inputs |= {field: make(inputs[field]) for field, make in plain.items()}
    reading.require_plain(inputs)
    warn_of_configuration()
    return inputs, opts


def inputs_of(form: type[DataclassInstance]) -> dict[str, bool]:
    """Return the inputs of an Args class, its own before the shared ones, and which are required.

    A dataclass lists the fields of its base first.
    """
    own = get_annotations(form)
    ordered = sorted(fields(form), key=lambda field: field.name not in own)
    return {
        field.name: field.default is MISSING and field.default_factory is MISSING
        for field in ordered
    }


def checked(form: type[Args]) -> type[Args]:
    """Make an Args class answer wrong arguments with one line, in place of Python's traceback.

    Raises:
        ArgumentsError: on a call with arguments that are no inputs, or without a required one.
    """
    make: Any = form.__init__

    @functools.wraps(make)
    def init(self: Any, *positional: Any, **keywords: Any) -> None:
        _Reading(type(self).__name__, type(self)).require_inputs(positional, keywords)
        make(self, **keywords)

    form.__init__ = init  # type: ignore[method-assign]
    return form


class _Reading:
    def __init__(self, what: str, form: type[Any]) -> None:
        self._what = what
        self._form = form
        self._inputs = inputs_of(form)
        self._required = [name for name, is_required in self._inputs.items() if is_required]

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
            self._refuse(f"opts is {kind_of(opts)}, not a pulumi.ResourceOptions")
        return (
            self._from_keywords(keywords) if args is None else self._alone(args, keywords)
        ), opts

    def _alone(self, args: Any, keywords: Mapping[str, Any]) -> Any:
        """Return the Args object; keywords may not be given as well."""
        if not isinstance(args, (self._form, Mapping)):
            self._refuse(f"args is {kind_of(args)}, not {_article(self._form.__name__)}")
        if keywords:
            self._refuse(f"{next(iter(keywords))} is given beside args")
        return self._from_keywords(args) if isinstance(args, Mapping) else args

    def require_plain(self, inputs: Mapping[str, Any]) -> None:
        """Refuse values that no state can hold: the SDK answers these with a traceback."""
        for name, value in inputs.items():
            found = _unfit_in(value)
            if found is not None:
                where, unfit = found
                hint = "; pass its id" if hasattr(unfit, "id") else ""
                if isinstance(unfit, (AbstractSet, Iterator)):
                    hint = "; give a list"
                form = f"is {kind_of(unfit)}, which is no plain value{hint}"
                raise ArgumentsError(f"{self._what}: {name}{where} {form}")

    def require_inputs(self, positional: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        """Refuse what an Args class does not take.

        Raises:
            ArgumentsError: on the first fault.
        """
        if positional:
            self._refuse(f"{kind_of(positional[0])} is given without the name of an input")
        for keyword in keywords:
            if keyword not in self._inputs:
                raise ArgumentsError(
                    f"{self._what}: {keyword} is not an input{self._meant(keyword)}"
                )
        missing = [name for name in self._required if name not in keywords]
        if missing:
            self._refuse(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")

    def _from_keywords(self, keywords: Mapping[str, Any]) -> Any:
        self.require_inputs((), keywords)
        return self._form(**keywords)

    def _meant(self, keyword: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(keyword, [*self._inputs, "opts"], 1)
        return f", did you mean {near[0]}?" if near else f"; known: {', '.join(self._inputs)}"

    def _refuse(self, fault: str) -> NoReturn:
        named = self._required or list(self._inputs)[:2]
        inputs = ", ".join(f"{name}=..." for name in named)
        form = self._form.__name__
        others = (
            ""
            if self._what == form
            else (f", or all of them in {_article(form)}, and Pulumi's own options as opts")
        )
        raise ArgumentsError(f"{self._what}: {fault}; give inputs as keywords ({inputs}){others}")


def _unfit_in(value: Any) -> tuple[str, Any] | None:
    """Return where a value has a part that is not plain, and that part; None without one.

    Outputs and awaitables are known later. A resource stands for its id.
    """
    if isinstance(value, Mapping):
        parts = ((f"[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, (list, tuple)):
        parts = ((f"[{index}]", part) for index, part in enumerate(value))
    elif value is None or isinstance(value, _PLAIN):
        return None
    else:
        return "", value
    for where, part in parts:
        if (found := _unfit_in(part)) is not None:
            return f"{where}{found[0]}", found[1]
    return None


def kind_of(value: object) -> str:
    """Return the name of a value's type with its article, such as ``an int``."""
    return _article(type(value).__name__)


def _article(name: str) -> str:
    return f"an {name}" if name[:1] in "aeiouAEIOU" else f"a {name}"
