"""Reference tables of the documents, which follow from the code.

Inputs and outputs come from the Args classes and the resource classes, with the text behind each
field. Functions come from their signatures and docstrings. Settings, error codes and keys of the
stack program come from the tables that the package itself goes by. What a change of an input does
is told by the forms and by the rules, not by that text.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.api.wire.error_codes import CodeFacts, Repeat, known_codes
from pulumi_huaweicloud_cbr.commands.report.show.metrics import METRICS
from pulumi_huaweicloud_cbr.config.setting_names import KEYS, SECRET_FIELDS
from pulumi_huaweicloud_cbr.replication.rules.decisions import REPLACING_FIELDS
from pulumi_huaweicloud_cbr.resources._arguments.reading import inputs_of
from pulumi_huaweicloud_cbr.resources._forms.form import Form
from pulumi_huaweicloud_cbr.resources._forms.set.form import SetForm
from pulumi_huaweicloud_cbr.resources._forms.vault import VaultForm
from tools.checks import limits
from tools.checks.arguments import Described, described, fields_of

_STACKS = Path(__file__).resolve().parents[2] / "stacks"
_CHANGE = re.compile(r" ?\bA change ([^.]*)\.")
_DEFAULT = re.compile(r" ?\bDefault: ([^.]*(?:\.\d[^.]*)*)\.")
RENAMES = "renames the replica"
REPLACES = "replaces"
STATE_ONLY = "affects only the state"
CONTENT = "adds, removes or renames members"
WAITS = "waits for the new ones"
REQUIRED = "**required**"

_TYPES = {
    "Adopt": "bool | 'any'",
    "Members": "backups by label, or a list of backups",
    "Preflight": "'error' | 'warn' | 'off'",
    "Waitable | Sequence[Waitable]": "a resource, or a list of resources",
}
"""What readers see in place of the package's own names of types."""


def inputs_table(
    args: type[Any],
    changes: Mapping[str, str],
    known: Mapping[str, limits.Limit] = limits.INPUTS,
) -> str:
    """Return the inputs of a resource as a Markdown table.

    Args:
        changes: what a change of an input does, by the rules. Where an input is not named, the
            text says it.
        known: what each input accepts.
    Raises:
        ValueError: a text says that a change replaces, and the rules do not. Or an input lacks a
            description, a default or a limit.
    """
    rows = []
    for name, field in described(args).items():
        if name not in known:
            raise ValueError(f"{name}: no limit in tools/checks/limits.py")
        cells = (
            f"`{name}`",
            _in_markdown(name, field.line),
            f"`{_type_of(field.annotation)}`".replace("|", "\\|") + f": {known[name].text}",
            _default_of(name, field.line, is_required=inputs_of(args)[name]),
            _change_of(name, field.line, changes.get(name)),
        )
        rows.append(f"| {' | '.join(cells)} |")
    head = "| input | | accepted | default | a change |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def _type_of(annotation: str) -> str:
    plain = re.sub(r"pulumi\.(?:Input|Output)\[(.*)\]", r"\1", annotation.removesuffix(" | None"))
    return _TYPES.get(plain, plain)


def _default_of(name: str, said: str, *, is_required: bool) -> str:
    found = _DEFAULT.search(said)
    if is_required == bool(found):
        raise ValueError(f"{name}: want a default in the text if, and only if, it is optional")
    return found[1].replace("``", "`").replace("|", "\\|") if found else REQUIRED


def _change_of(name: str, said: str, ruled: str | None) -> str:
    """Return what a change does: by the rules, with the reason that the text gives."""
    found = _CHANGE.search(said)
    told = found[1] if found else ""
    if ruled is not None:
        return told if told.startswith(f"{ruled},") else ruled
    if re.match(rf"{REPLACES}(,|$)", told):
        raise ValueError(f"{name}: the text says that a change {told}; the rules do not")
    return told or STATE_ONLY


def _in_markdown(name: str, said: str) -> str:
    text = _DEFAULT.sub("", _CHANGE.sub("", said)).replace("``", "`").strip()
    if not text:
        raise ValueError(f"{name}: no description beside default and change")
    return text.removesuffix(".").replace("|", "\\|")


def outputs_table(resource: type[Any], args: type[Any]) -> str:
    """Return the outputs of a resource that are no inputs as a Markdown table.

    Raises:
        ValueError: an output has no description, or an input is no output.
    """
    inputs = inputs_of(args)
    found = dict(_outputs_of(resource))
    own = {name: field for name, field in found.items() if name not in inputs}
    if missing := [name for name, field in own.items() if not field.text]:
        raise ValueError(f"{resource.__name__}: no text behind {', '.join(missing)}")
    if missing := sorted(inputs.keys() - found.keys()):
        raise ValueError(f"{resource.__name__}: no outputs {', '.join(missing)}")
    rows = [
        f"| `{name}` | `{_output_type_of(field.annotation)}` | {_sentence(field.line)} |"
        for name, field in own.items()
    ]
    table = "\n".join(["| output | type | |", "|---|---|---|", *rows])
    return f"{table}\n\nAll inputs are outputs as well, resolved."


def _output_type_of(annotation: str) -> str:
    plain = re.sub(r"pulumi\.Output\[(.*)\]", r"\1", annotation)
    return plain.replace("|", "\\|")


def _sentence(said: str) -> str:
    return said.replace("``", "`").removesuffix(".").replace("|", "\\|")


def _outputs_of(resource: type[Any]) -> Iterator[tuple[str, Described]]:
    for base in resource.__mro__:
        if base.__module__.partition(".")[0] in {"builtins", "pulumi"}:
            continue
        texts = dict(fields_of(base))
        for name, annotation in inspect.get_annotations(base).items():
            yield name, texts.get(name, Described(annotation, ""))
        for name, member in vars(base).items():
            if isinstance(member, property) and member.fget:
                returned = member.fget.__annotations__["return"]
                yield name, Described(returned, (member.__doc__ or "").partition("\n")[0])


def outputs_of_one() -> str:
    """Return the outputs of a single replication."""
    return outputs_table(cbr.BackupReplication, cbr.BackupReplicationArgs)


def outputs_of_set() -> str:
    """Return the outputs of a set."""
    return outputs_table(cbr.BackupReplicationSet, cbr.BackupReplicationSetArgs)


def outputs_of_vault() -> str:
    """Return the outputs of an entire vault."""
    return outputs_table(cbr.VaultReplication, cbr.VaultReplicationArgs)


def outputs_of_wait() -> str:
    """Return the outputs of a wait."""
    return outputs_table(cbr.ReplicationsComplete, cbr.ReplicationsCompleteArgs)


def provider_table() -> str:
    """Return the inputs of a provider as a Markdown table: what each of them accepts as a setting.

    Raises:
        ValueError: an input has no setting of its name.
    """
    keys = {key.field.removesuffix("_s"): key for key in KEYS}
    rows = []
    for name, field in described(cbr.ProviderArgs).items():
        if name not in keys:
            raise ValueError(f"{name}: no setting has this name")
        setting = limits.SETTINGS[keys[name].field]
        rows.append(
            f"| `{name}` | {_in_markdown(name, field.line)} | {setting.limit.text} | "
            f"{setting.default} | `huaweicloud:{keys[name].config}` |"
        )
    head = "| input | | accepted | default | like the setting |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def functions_text() -> str:
    """Return a section for each function that looks something up: arguments, result, errors."""
    names = [name for name in cbr.__all__ if name.startswith("get_")]
    plain = [name for name in names if not name.endswith("_output")]
    if {f"{name}_output" for name in plain} != {*names} - {*plain}:
        raise ValueError("want a form with `_output` for each function")
    return "\n\n".join(_function_text(getattr(cbr, name)) for name in plain)


def _function_text(function: Callable[..., Any]) -> str:
    signature = inspect.signature(function)
    first, parts = _docstring_of(function)
    texts = _entries_of(parts.get("Args", ""))
    if unknown := texts.keys() - signature.parameters.keys():
        raise ValueError(f"{function.__name__}: no arguments {', '.join(sorted(unknown))}")
    texts = {name: texts.get(name) or limits.ARGUMENTS[name] for name in signature.parameters}
    for name, one in signature.parameters.items():
        if one.default is inspect.Parameter.empty and texts[name].startswith("default: "):
            raise ValueError(f"{function.__name__}: {name} is required, and the text has a default")
    rows = [
        f"| `{name}` | `{_plain_type(one.annotation)}` | {_shown_default(one)} | "
        f"{_sentence(texts[name])} |"
        for name, one in signature.parameters.items()
    ]
    lines = [
        f"## {function.__name__}",
        _sentence(first) + ".",
        "",
        "| argument | type | default | |",
        "|---|---|---|---|",
        *rows,
        "",
        f"It returns `{signature.return_annotation}`.",
    ]
    if raised := _entries_of(parts.get("Raises", "")):
        lines += ["", "| error | when |", "|---|---|"]
        lines += [f"| `{name}` | {_sentence(text)} |" for name, text in raised.items()]
    return "\n".join(lines)


def _plain_type(annotation: str) -> str:
    return annotation.replace("|", "\\|")


def _shown_default(one: inspect.Parameter) -> str:
    if one.default is inspect.Parameter.empty:
        return REQUIRED
    return f"`{one.default!r}`".replace("'", '"')


def _docstring_of(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    text = inspect.getdoc(function) or ""
    first, *rest = re.split(r"^(Args|Raises|Source|Returns):", text, flags=re.MULTILINE)
    parts = dict(zip(rest[::2], map(textwrap.dedent, rest[1::2]), strict=True))
    return " ".join(first.split()), parts


def _entries_of(part: str) -> dict[str, str]:
    found = re.findall(r"^ *(\w+): (.*(?:\n {4,}.*)*)", part, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


_RESULTS = (cbr.Backup, cbr.ReplicationRecord, cbr.Vault, cbr.RegionCapability)
_WIRE_TYPES = re.compile(r"\b(Id|IdIfAny|RegionName|Word)\b")


def results_text() -> str:
    """Return a section for each class that functions return: fields, and what they tell."""
    return "\n\n".join(_result_text(result) for result in _RESULTS)


def _result_text(result: type[Any]) -> str:
    rows = [
        f"| `{name}` | `{_plain_type(_wire_type(annotation))}` | |"
        for name, annotation in inspect.get_annotations(result).items()
        if "ClassVar" not in annotation
    ]
    rows += [
        f"| `{name}` | `{_plain_type(member.fget.__annotations__['return'])}` | "
        f"{_sentence((member.__doc__ or '').partition(chr(10))[0]).removeprefix('Return ')} |"
        for name, member in vars(result).items()
        if isinstance(member, property) and member.fget
    ]
    head = [f"### {result.__name__}", "| field | type | |", "|---|---|---|"]
    return "\n".join([*head, *rows])


def _wire_type(annotation: str) -> str:
    return _WIRE_TYPES.sub("str", annotation).replace("Number", "int")


def settings_table() -> str:
    """Return all settings as a Markdown table."""
    rows = []
    for key in KEYS:
        setting = limits.SETTINGS[key.field]
        secret = " (secret)" if key.field in SECRET_FIELDS else ""
        variables = ", ".join(f"`{name}`" for name in (key.env, key.sdk_env) if name)
        rows.append(
            f"| `huaweicloud:{key.config}`{secret} | {variables} | {setting.default} | "
            f"{setting.limit.text} | {setting.text} |"
        )
    head = "| configuration | environment | default | accepted | |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


_REPEATED = {
    Repeat.NEVER: "never",
    Repeat.LATER: "yes: it was not carried out",
    Repeat.UNKNOWN: "reads only: it may have been carried out",
}


def codes_table() -> str:
    """Return all known error codes as a Markdown table."""
    rows = []
    for code, facts in known_codes().items():
        if facts.below_500:
            rows.append(_code_row(f"`{code}` with a 5xx", facts))
            rows.append(_code_row(f"`{code}` with a 4xx", facts.below_500))
        else:
            rows.append(_code_row(f"`{code}`", facts))
    return "\n".join(["| code | repeated | what to do |", "|---|---|---|", *rows])


def _code_row(code: str, facts: CodeFacts) -> str:
    return f"| {code} | {_REPEATED[facts.repeat]} | {facts.remedy or 'nothing more'} |"


def errors_table() -> str:
    """Return the public error classes as a Markdown table."""
    found = [getattr(cbr, name) for name in cbr.__all__ if name.endswith("Error")]
    rows = [
        f"| `{error.__name__}` | {', '.join(_bases_of(error))} | "
        f"{_sentence((error.__doc__ or '').partition(chr(10))[0])} |"
        for error in found
    ]
    return "\n".join(["| class | is a | when |", "|---|---|---|", *rows])


def _bases_of(error: type[BaseException]) -> Iterator[str]:
    return (f"`{base.__name__}`" for base in error.__bases__)


def one_table() -> str:
    """Return the inputs of a single replication."""
    return inputs_table(
        cbr.BackupReplicationArgs, {**dict.fromkeys(REPLACING_FIELDS, REPLACES), "name": RENAMES}
    )


def set_table() -> str:
    """Return the inputs of a set."""
    rolls = dict.fromkeys(("keep_newest", "keep"), "keeps more members, or removes some")
    changes = {**_changes_of(SetForm), **rolls}
    return inputs_table(cbr.BackupReplicationSetArgs, changes)


def vault_table() -> str:
    """Return the inputs of an entire vault."""
    return inputs_table(cbr.VaultReplicationArgs, _changes_of(VaultForm))


def wait_table() -> str:
    """Return the inputs of a wait."""
    return inputs_table(cbr.ReplicationsCompleteArgs, {"replications": WAITS})


def _changes_of(form: type[Form]) -> dict[str, str]:
    return {**dict.fromkeys(form.identity, REPLACES), **dict.fromkeys(form.content, CONTENT)}


def keys_table() -> str:
    """Return the keys of the stack program's configuration, level by level; required ones bold."""
    if str(_STACKS) not in sys.path:
        sys.path.append(str(_STACKS))
    import model  # noqa: PLC0415 -- a module of the stack program, which is no package

    levels: dict[str, tuple[Any, Collection[str]]] = {
        "beside the lists": (model.Configuration, (*model.LISTS, "defaults", "rules")),
        "`defaults`": (model.Defaults, ()),
        "`rules`": (model.HouseRules, ()),
        "an entry of `replications`": (model.Entry, ()),
        "a destination of `replications` and `defaults`": (model.Destination, ()),
        "an entry of `sets`": (model.SetEntry, ()),
        "`select` of a set": (model.Select, ()),
        "`keep` of a set": (model.Keep, ()),
        "a member in `backups` of a set": (model.Member, ()),
        "an entry of `vaults`": (model.VaultEntry, ()),
        "a destination of `sets` and `vaults`": (model.Place, ()),
    }
    rows = [f"| {level} | {_keys_of(*keys)} |" for level, keys in levels.items()]
    return "\n".join(["| where | keys; the **bold** ones are required |", "|---|---|", *rows])


_OBJECTIVES = {
    "rpo": "recovery point objective: the newest copy is at most this old",
    "owner": "the team or person that answers for the copies",
    "tier": "a class of service, in a word of your own",
}


def objectives_table() -> str:
    """Return the keys of an objective as a Markdown table."""
    rows = [
        f"| `{key}` | {limit.text} | {_OBJECTIVES[key]} |"
        for key, limit in limits.OBJECTIVES.items()
    ]
    return "\n".join(["| key | accepted | |", "|---|---|---|", *rows])


def _keys_of(part: Any, left_out: Collection[str]) -> str:
    required = [name for name, field in part.model_fields.items() if field.is_required()]
    optional = [name for name in part.model_fields if name not in (*required, *left_out)]
    return ", ".join([*(f"**`{name}`**" for name in required), *(f"`{name}`" for name in optional)])


def metrics_table() -> str:
    """Return the metrics of a report, with their labels, as a Markdown table."""
    rows = [
        f"| `{name}` | {', '.join(f'`{label}`' for label in labels) or 'none'} | {text} |"
        for name, (text, labels) in METRICS.items()
    ]
    return "\n".join(["| metric | labels | value |", "|---|---|---|", *rows])
