"""The commands, programs and files that a page shows, so that tests can do what it says."""

from __future__ import annotations

import re

BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
ANSWERS = {"accessKey": "DEMOACCESSKEY0000001", "secretKey": "not-a-secret-demo-key"}
"""What a user of the demo world types when `pulumi config set --secret` asks."""


def blocks_in(page: str, section: str, language: str = "") -> list[str]:
    """Return the code blocks of a section in a language; commands have none."""
    text = re.split(r"\n##+ ", page.partition(f"\n## {section}\n")[2])[0]
    return [found[3] for found in BLOCK.finditer(text) if found[2] == language]


def commands_in(page: str, section: str) -> list[str]:
    """Return the command lines of a section's code blocks, without comments."""
    lines = [line.strip() for block in blocks_in(page, section) for line in block.splitlines()]
    return [re.sub(r"\s+# .*", "", line) for line in lines]


def answered(lines: list[str]) -> list[str]:
    """Return command lines that answer their own questions, with the state in ``$HOME``."""
    typed = []
    for written in lines:
        # Pulumi resolves `~` with the system's list of users, whatever HOME is.
        line = written.replace("file://~", "file://$HOME")
        asked = re.search(r"huaweicloud:(\w+) --secret", line)
        if asked:
            line = f"echo {ANSWERS[asked[1]]} | {line}"
        elif line == "pulumi up":
            line = "pulumi up --yes"
        typed.append(line)
    return typed
