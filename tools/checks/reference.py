"""Reference tables of the documents: inputs of the resources, and keys of the stack program.

They follow from the code: the Args classes with the text behind each field, and the stack program's
model. What a change of an input does is told by the forms and by the rules, not by that text.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.replication.rules.decisions import REPLACING_FIELDS
from pulumi_huaweicloud_cbr.resources._forms.form import Form
from pulumi_huaweicloud_cbr.resources._forms.set import SetForm
from pulumi_huaweicloud_cbr.resources._forms.vault import VaultForm
from tools.checks.arguments import described

_STACKS = Path(__file__).resolve().parents[2] / "stacks"
_CHANGE = re.compile(r" ?\bA change ([^.]*)\.")
RENAMES = "renames the replica"
REPLACES = "replaces"
STATE_ONLY = "affects only the state"
CONTENT = "adds, removes or renames members"
WAITS = "waits for the new ones"


def inputs_table(args: type[Any], changes: Mapping[str, str]) -> str:
    """Return the inputs of a resource as a Markdown table.

    Args:
        changes: what a change of an input does, by the rules. Where an input is not named, the
            text says it.
    Raises:
        ValueError: a text says that a change replaces, and the rules do not.
    """
    rows = [
        f"| `{name}` | {_in_markdown(field.line)} | "
        f"{_change_of(name, field.line, changes.get(name))} |"
        for name, field in described(args).items()
    ]
    return "\n".join(["| input | | a change |", "|---|---|---|", *rows])


def _change_of(name: str, said: str, ruled: str | None) -> str:
    """Return what a change does: by the rules, with the reason that the text gives."""
    found = _CHANGE.search(said)
    told = found[1] if found else ""
    if ruled is not None:
        return told if told.startswith(f"{ruled},") else ruled
    if re.match(rf"{REPLACES}(,|$)", told):
        raise ValueError(f"{name}: the text says that a change {told}; the rules do not")
    return told or STATE_ONLY


def _in_markdown(said: str) -> str:
    text = _CHANGE.sub("", said).replace("``", "`").strip()
    return text.removesuffix(".").replace("|", "\\|")


def one_table() -> str:
    """Return the inputs of a single replication."""
    return inputs_table(
        cbr.BackupReplicationArgs, {**dict.fromkeys(REPLACING_FIELDS, REPLACES), "name": RENAMES}
    )


def set_table() -> str:
    """Return the inputs of a set."""
    changes = {**_changes_of(SetForm), "keep_newest": "keeps more members, or removes some"}
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
        "beside the lists": (model.Configuration, (*model.LISTS, "defaults")),
        "`defaults`": (model.Defaults, ()),
        "an entry of `replications`": (model.Entry, ()),
        "a destination of `replications` and `defaults`": (model.Destination, ()),
        "an entry of `sets`": (model.SetEntry, ()),
        "`select` of a set": (model.Select, ()),
        "a member in `backups` of a set": (model.Member, ()),
        "an entry of `vaults`": (model.VaultEntry, ()),
        "a destination of `sets` and `vaults`": (model.Place, ()),
    }
    rows = [f"| {level} | {_keys_of(*keys)} |" for level, keys in levels.items()]
    return "\n".join(["| where | keys; the **bold** ones are required |", "|---|---|", *rows])


def _keys_of(part: Any, left_out: Collection[str]) -> str:
    required = [name for name, field in part.model_fields.items() if field.is_required()]
    optional = [name for name in part.model_fields if name not in (*required, *left_out)]
    return ", ".join([*(f"**`{name}`**" for name in required), *(f"`{name}`" for name in optional)])
