"""The typed dictionaries of the Args classes, which are written from these.

Type checkers need them word for word, and editors show the text of a field. So they are generated,
and the Args class remains the only place where an input is described.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.plugin.schema import ARGUMENTS
from pulumi_huaweicloud_cbr.resources._arguments.reading import inputs_of
from pulumi_huaweicloud_cbr.resources.provider import ProviderArgs

_RESOURCES = Path(__file__).parents[2] / "provider" / "pulumi_huaweicloud_cbr" / "resources"
MODULE = _RESOURCES / "_arguments" / "dicts.py"
_HEAD = '''"""Typed dictionaries of the Args classes, for keywords and in place of an Args object.

`make tables` writes this module from the Args classes. Change those instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Required, TypedDict

import pulumi

from pulumi_huaweicloud_cbr.resources._arguments.members import KeepArgsDict, Members
from pulumi_huaweicloud_cbr.resources._arguments.shared import Adopt, Preflight, Waitable
'''


@dataclass(frozen=True)
class Described:
    """An input as the source of its Args class has it: its type, and its text with the quotes."""

    annotation: str
    text: str

    @property
    def line(self) -> str:
        """Return the text on one line, without the quotes."""
        return " ".join(self.text.strip('"').split())


def described(form: type[Any]) -> dict[str, Described]:
    """Return the inputs of an Args class by name, its own before the shared ones.

    Raises:
        ValueError: an input has no text.
    """
    found = {name: one for base in form.__mro__[:-1] for name, one in fields_of(base)}
    inputs = inputs_of(form)
    if missing := inputs.keys() - found.keys():
        raise ValueError(f"{form.__name__}: no text behind {', '.join(sorted(missing))}")
    return {name: found[name] for name in inputs}


def fields_of(form: type[Any]) -> Iterator[tuple[str, Described]]:
    """Yield the annotated fields of a class that have a text behind them."""
    source = textwrap.dedent(inspect.getsource(form))
    (node,) = ast.parse(source).body
    parts = node.body if isinstance(node, ast.ClassDef) else []
    for field, after in itertools.pairwise(parts):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(after, ast.Expr)
        ):
            text = ast.get_source_segment(source, after) or ""
            yield field.target.id, Described(ast.unparse(field.annotation), text)


def module_text() -> str:
    """Return the module of the typed dictionaries."""
    forms = sorted([*ARGUMENTS.values(), ProviderArgs], key=lambda form: form.__name__)
    return "\n".join([_HEAD, *(_dictionary_of(form) for form in forms)])


def _dictionary_of(form: type[Any]) -> str:
    lines = [
        "",
        f"class {form.__name__}Dict(TypedDict, total=False):",
        f'    """The inputs of `{form.__name__}`, as a dictionary or as keywords."""',
        "",
    ]
    for name, field in described(form).items():
        kind = field.annotation
        lines.append(f"    {name}: {f'Required[{kind}]' if inputs_of(form)[name] else kind}")
        lines.append(f"    {field.text}")
    return "\n".join([*lines, ""])


def write_module() -> None:
    """Write the module of the typed dictionaries."""
    MODULE.write_text(module_text())
