"""Turn the JSON of `pulumi preview --json` into a Markdown comment for a pull request.

Standard library only. Every value from a program, a configuration or an API is shown as text: it
can form no Markdown, no HTML and no mention. The configuration section is never shown.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# GitHub refuses comments of more than 65,536 characters.
MAX_COMMENT_CHARS = 60_000
_MAX_TABLE_CHARS = 30_000
_MAX_MESSAGES_CHARS = 20_000
_MAX_MESSAGE_CHARS = 4_000
_MAX_VALUE_CHARS = 160
_MAX_STACK_CHARS = 200
_MAX_LABELS = 10

_STACK_TYPE = "pulumi:pulumi:Stack"
# Pulumi's sign for a value that is known only after an update (sdk, plugin.UnknownStringValue).
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
# The key that marks a special value, and its value for a secret (sdk, resource.SigKey, SecretSig).
_SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
# Every character with a meaning in Markdown, also an underscore at the edge of a word and the dot
# of a "www." link.
_SYNTAX = re.compile(r"[^\w ./,→…()-]|(?<![^\W_])_|_(?![^\W_])|(?<=www)\.", re.IGNORECASE)
_COLOUR = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*m")

# The steps of a replacement; the one named "replace" represents all of them.
_REPLACEMENT_PARTS = (
    "create-replacement",
    "delete-replaced",
    "discard-replaced",
    "read-replacement",
)
_DELETING = ("delete", "replace")
_HEADINGS = (("error", "Errors"), ("warning", "Warnings"), ("info", "Notes"))


@dataclass(frozen=True)
class Message:
    """One diagnostic, and the resources that reported it with this text."""

    severity: str
    text: str
    resources: tuple[str, ...]


def render(
    preview: dict[str, Any],
    errors: str,
    stack: str,
    *,
    exit_code: int,
    offline: bool,
    note: str = "",
) -> str:
    """Return the comment.

    Args:
        preview: the parsed JSON; empty when the command printed none.
        errors: what the command printed beside it.
        offline: the preview was made without credentials, against an empty state.
        note: what to do before anything else, on one line; shown last.
    """
    steps = list(_shown_steps(preview.get("steps") or []))
    messages = _messages(preview.get("diagnostics") or [], errors)
    sections = [
        marker(stack),
        f"### Preview of {_code(stack[:_MAX_STACK_CHARS])}: {_verdict(steps, exit_code)}",
    ]
    if offline:
        sections.append(
            "Made without credentials: compared with an empty state, so every resource shows as "
            "new, and nothing was asked of the API. The notes say what was not checked. "
            "Ids of zeros stand for secrets of the configuration."
        )
    if steps:
        sections.append(_table(steps))
    sections.extend(_message_sections(messages))
    if note:
        sections.append(f"**Before the next `up`:** {_text(_plain(note))}")
    comment = "\n\n".join(sections) + "\n"
    return comment[:MAX_COMMENT_CHARS]


def marker(stack: str) -> str:
    """Return the invisible first line that identifies this stack's comment for a later run."""
    return f"<!-- pulumi-preview:{re.sub(r'[^A-Za-z0-9._/-]', '_', stack[:_MAX_STACK_CHARS])} -->"


def _shown_steps(steps: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        state = step.get("newState") or step.get("oldState") or {}
        if step.get("op") in ("same", *_REPLACEMENT_PARTS) or state.get("type") == _STACK_TYPE:
            continue
        yield step


def _last_copies(step: dict[str, Any]) -> list[str] | None:
    """Return the labels of what a deletion takes that nothing can make again, None if nothing.

    A single replication has no labels, so the list is empty.
    """
    old = step.get("oldState") or {}
    if step.get("op") not in _DELETING or old.get("retainOnDelete"):
        return None
    outputs = old.get("outputs") or {}
    rows = outputs.get("members")
    if isinstance(rows, dict):
        labels = [
            str(label)
            for label, row in rows.items()
            if isinstance(row, dict) and row.get("source_deleted") is True
        ]
        return sorted(labels) or None
    return [] if outputs.get("source_deleted") is True else None


def _shout(step: dict[str, Any], labels: list[str]) -> str:
    """Return the words about last copies in the row of a deletion."""
    if labels:
        named = ", ".join(_code(label[:_MAX_VALUE_CHARS]) for label in labels[:_MAX_LABELS])
        if len(labels) > _MAX_LABELS:
            named += f" and {len(labels) - _MAX_LABELS} more"
        gone = f"the source backups of {named} are gone, and nothing can make the replicas again"
    else:
        gone = "the source backup is gone, and nothing can make the replica again"
    outputs = (step.get("oldState") or {}).get("outputs") or {}
    if step.get("op") == "delete" and outputs.get("force_destroy") is True:
        then = "force_destroy is set, so up deletes it"
    else:
        then = "up refuses this unless it is forced"
    return f"**LAST COPY**: {gone}; {then}"


def _verdict(steps: list[dict[str, Any]], exit_code: int) -> str:
    if exit_code != 0:
        return f"failed (exit code {exit_code})"
    if not steps:
        return "no changes"
    counts: dict[str, int] = {}
    for step in steps:
        counts[str(step.get("op"))] = counts.get(str(step.get("op")), 0) + 1
    told = [f"{count} to {_text(op)}" for op, count in sorted(counts.items())]
    found = [labels for labels in map(_last_copies, steps) if labels is not None]
    if found:
        count = sum(max(1, len(labels)) for labels in found)
        told.append(f"**{count} last {'copy' if count == 1 else 'copies'}**")
    return ", ".join(told)


def _table(steps: list[dict[str, Any]]) -> str:
    lines = ["| | resource | properties |", "|---|---|---|"]
    size = 0
    for position, step in enumerate(steps):
        name, type_ = _name_and_type(str(step.get("urn", "")))
        kind = _text(type_.rpartition(":")[2])
        cells = (_text(str(step.get("op"))), f"{_code(name)}<br>{kind}", _properties(step))
        row = f"| {' | '.join(cells)} |"
        size += len(row)
        if size > _MAX_TABLE_CHARS:
            lines.append(f"| … | and {len(steps) - position} more | |")
            break
        lines.append(row)
    return "\n".join(lines)


def _properties(step: dict[str, Any]) -> str:
    old = (step.get("oldState") or {}).get("inputs") or {}
    new = (step.get("newState") or {}).get("inputs") or {}
    labels = _last_copies(step)
    shown = [] if labels is None else [_shout(step, labels)]
    if step.get("op") == "delete":
        if (step.get("oldState") or {}).get("retainOnDelete"):
            shown.append("retained: the replica stays")
        return "<br>".join(shown)
    causes = step.get("replaceReasons") or []
    for key in sorted({*old, *new} - {"__provider"}):
        if old.get(key) == new.get(key):
            continue
        change = _code(_value(new[key])) if key in new else "removed"
        if key in old:
            change = f"{_code(_value(old[key]))} → {change}"
        if key == "force_destroy" and new.get(key) is True:
            change += " (last copies may be deleted)"
        shown.append(f"{_text(key)}: {change}{' (replaces)' if key in causes else ''}")
    return "<br>".join(shown)


def _value(value: Any) -> str:
    value = _without_secrets(value)
    if value == _UNKNOWN:
        return "known after the update"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_VALUE_CHARS else f"{text[:_MAX_VALUE_CHARS]}…"


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        if _SIGNATURE_KEY in value:
            return "[secret]"
        return {key: _without_secrets(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_without_secrets(member) for member in value]
    return value


def _messages(diagnostics: Iterable[dict[str, Any]], errors: str) -> list[Message]:
    """Join equal messages of several resources; the command's own errors come first."""
    found: dict[tuple[str, str], list[str]] = {}
    if errors.strip():
        found["error", _plain(errors)] = []
    for diagnostic in diagnostics:
        severity = str(diagnostic.get("severity", "info")).removesuffix("#err")
        text = _plain(str(diagnostic.get("message", ""))).removeprefix(f"{severity}: ")
        if not text or severity == "debug":
            continue
        resources = found.setdefault((severity, text), [])
        name, type_ = _name_and_type(str(diagnostic.get("urn") or ""))
        if name and type_ != _STACK_TYPE and name not in resources:
            resources.append(name)
    return [Message(severity, text, tuple(names)) for (severity, text), names in found.items()]


def _message_sections(messages: list[Message]) -> Iterator[str]:
    room = _MAX_MESSAGES_CHARS
    for severity, heading in _HEADINGS:
        blocks = []
        for message in messages:
            if message.severity != severity:
                continue
            names = ", ".join(_code(name[:_MAX_VALUE_CHARS]) for name in message.resources[:10])
            if len(message.resources) > 10:
                names += f" and {len(message.resources) - 10} more"
            block = f"{names}\n{_block(message.text)}" if names else _block(message.text)
            room -= len(block)
            if room < 0:
                blocks.append("The rest is in the job's log.")
                break
            blocks.append(block)
        if blocks:
            yield f"**{heading}**\n\n" + "\n\n".join(blocks)
        if room < 0:
            return


def _name_and_type(urn: str) -> tuple[str, str]:
    parts = urn.split("::", 3)
    return (parts[3], parts[2].split("$")[-1]) if len(parts) == 4 else ("", "")


def _plain(text: str) -> str:
    cleaned = _COLOUR.sub("", text).strip()
    return cleaned if len(cleaned) <= _MAX_MESSAGE_CHARS else f"{cleaned[:_MAX_MESSAGE_CHARS]}…"


def _text(text: str) -> str:
    """Return the text for a line of Markdown: no character of it is syntax."""
    return _SYNTAX.sub(lambda found: f"&#{ord(found[0])};", text.replace("\n", " "))


def _code(text: str) -> str:
    """Return an inline code element; mentions and links are not formed inside one."""
    return f"<code>{_text(text)}</code>"


def _block(text: str) -> str:
    """Return a preformatted block; Markdown reads nothing before its end tag."""
    return f"<pre>\n{html.escape(text)}\n</pre>"


def main(arguments: list[str] | None = None) -> int:
    """Write the comment for a preview file to standard output."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("preview", type=Path, help="what `pulumi preview --json` printed")
    parser.add_argument("--errors", type=Path, required=True, help="what it printed as errors")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--exit-code", type=int, required=True)
    parser.add_argument("--offline", action="store_true", help="made without credentials")
    parser.add_argument("--note", default="", help="what to do before the next up, on one line")
    options = parser.parse_args(arguments)
    printed = options.preview.read_text(encoding="utf-8", errors="replace")
    errors = options.errors.read_text(encoding="utf-8", errors="replace")
    try:
        preview = json.loads(printed) if printed.strip() else {}
    except json.JSONDecodeError:
        preview, errors = {}, f"{printed}\n{errors}"
    # A text file in every run; half a character, which JSON may contain, is replaced.
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    sys.stdout.write(
        render(
            preview,
            errors,
            options.stack,
            exit_code=options.exit_code,
            offline=options.offline,
            note=options.note,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
