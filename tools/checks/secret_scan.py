"""``python -m tools.checks.secret_scan``: find secrets in the repository's files, offline.

detect-secrets finds the forms of other services' secrets, and names such as "password" beside a
value. This module has those of Huawei Cloud's keys and tokens. Randomness alone is no criterion:
ids and hashes are random too. Invented values are allowed one by one, by their words.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

REPOSITORY = Path(__file__).resolve().parents[2]

DETECTORS = (
    *("ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector"),
    *("CloudantDetector", "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector"),
    *("IbmCloudIamDetector", "IbmCosHmacDetector", "JwtTokenDetector", "KeywordDetector"),
    *("MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector"),
    *("PypiTokenDetector", "SendGridDetector", "SlackDetector", "SoftlayerDetector"),
    *("SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector"),
)
FILTERS = (
    *("is_sequential_string", "is_potential_uuid", "is_likely_id_string", "is_templated_secret"),
    *("is_not_alphanumeric_string", "is_indirect_reference", "is_prefixed_with_dollar_sign"),
)
SETTINGS = {
    "plugins_used": [{"name": name} for name in DETECTORS],
    "filters_used": [{"path": f"detect_secrets.filters.heuristic.{name}"} for name in FILTERS],
}

# An access key is 20 capitals and digits, its secret key 40 characters of all three kinds. A token
# is a long run of base64 that begins with MII (IAM user guide, "Access Keys"; IAM API reference).
VENDORS = {
    "Huawei Cloud access key": re.compile(
        r"(?<![A-Za-z0-9_/+-])(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])[A-Z0-9]{20}(?![A-Za-z0-9_/+-])"
    ),
    "Huawei Cloud secret key": re.compile(
        r"(?<![A-Za-z0-9_/+=-])(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])(?=[A-Za-z]*[0-9])"
        r"[A-Za-z0-9]{40}(?![A-Za-z0-9_/+=-])"
    ),
    "Huawei Cloud token": re.compile(r"MII[A-Za-z0-9+/=_\-]{200,}"),
}
# Files of hashes, which other tools write and check.
UNREAD = re.compile(r"(requirements/.*\.txt|tools/toolchain/.*go\.sum|.*\.b64)")

# The values that are allowed in some files. Passwords in tests are invented lower-case words;
# issued secrets look different.
ALLOWED = (
    (r".*", r"not-a-secret(-[a-z0-9-]+)?"),
    (r".*", r"DEMOACCESSKEY[0-9]{7}|NOBODYSACCESSKEY[0-9]{4}"),
    (r"tests/.*", r"(?=.{1,24}$)[a-z]+[0-9]?(-[a-z]+|[ ][a-z]+)*"),
    # This is the name of a variable, not a secret.
    (r"tests/e2e/test_access_keys\.py", r"HUAWEICLOUD_SDK_SK"),
    # Keys under which Pulumi stores encrypted values.
    (r"provider/pulumi_huaweicloud_cbr/commands/ci/run/offline_project\.py", r"secure"),
    (r"provider/pulumi_huaweicloud_cbr/plugin/secrecy\.py", r"1b47061264138c4ac30d75fd1eb44270"),
)


class Finding(NamedTuple):
    """A possible secret, and its position."""

    path: str
    line: int
    kind: str
    value: str

    def __str__(self) -> str:
        # Never the whole value: CI may print this.
        return f"{self.path}:{self.line}: {self.kind}: {self.value[:4]}…"


def findings(paths: Iterable[Path]) -> Iterator[Finding]:
    """Yield possible secrets in files, whether they are allowed or not."""
    with transient_settings(SETTINGS):
        for path in paths:
            name = path.as_posix()
            for found in scan_file(name):
                yield Finding(name, found.line_number, found.type, found.secret_value or "")
            text = path.read_text(encoding="utf-8", errors="replace")
            for number, line in enumerate(text.splitlines(), 1):
                for kind, pattern in VENDORS.items():
                    for match in pattern.finditer(line):
                        yield Finding(name, number, kind, match[0])


def is_allowed(finding: Finding) -> bool:
    """Whether the words of a value say, in this file, that it is invented."""
    return any(
        re.fullmatch(path, finding.path) and re.fullmatch(value, finding.value)
        for path, value in ALLOWED
    )


def faults(paths: Iterable[Path]) -> list[Finding]:
    """Return the possible secrets in files that are not allowed."""
    return [finding for finding in findings(paths) if not is_allowed(finding)]


def files() -> list[Path]:
    """Return the files that are, or may be, committed, as paths from the repository's root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [Path(name) for name in listed.split("\0") if name and not UNREAD.fullmatch(name)]
    return [path for path in paths if (REPOSITORY / path).is_file()]


def main() -> int:
    """Print the findings; return 1 if there are any."""
    os.chdir(REPOSITORY)
    paths = files()
    parts = os.cpu_count() or 1
    with ProcessPoolExecutor(parts) as pool:
        found = sorted(chain(*pool.map(faults, (paths[part::parts] for part in range(parts)))))
    for finding in found:
        print(finding)
    if found:
        print(
            "secret_scan: what is a secret has to be taken out, and changed; what is invented may "
            "say so in its words: not-a-secret-..."
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
