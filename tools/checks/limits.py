"""What each input and each setting accepts, for the reference: in words, and with examples.

A unit test gives the examples to the package's own checks. So words and rules cannot drift apart
unnoticed, and an input or a setting that is missing here fails.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pulumi_huaweicloud_cbr.base.text import REGION_LIMIT
from pulumi_huaweicloud_cbr.config.objectives import OWNER_LIMIT, TIER_LIMIT
from pulumi_huaweicloud_cbr.config.settings import DEFAULT_CLOUD, DEFAULT_POLL_INTERVAL_S
from pulumi_huaweicloud_cbr.replication.rules.inputs import (
    COUNT_LIMIT,
    NAME_LIMIT,
    PERIODS_LIMIT,
    PROJECT_LIMIT,
)
from pulumi_huaweicloud_cbr.replication.rules.ownership import TEXT_LIMIT


class Limit(NamedTuple):
    """What is accepted, in words; values that are, and values that are not."""

    text: str
    good: tuple[Any, ...]
    bad: tuple[Any, ...]


class Setting(NamedTuple):
    """A setting: its default in words, what it is for, and what it accepts."""

    default: str
    text: str
    limit: Limit


_ID = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
_UUID = Limit("a UUID", (_ID, _ID.upper()), ("5a863daa", "", 5))
_FLAG = Limit("`true` or `false`", (True, False), ("maybe", 2))
_REGION = Limit(
    f"1 to {REGION_LIMIT} letters, digits, `.`, `_` or `-`",
    ("cn-east-3", "x" * REGION_LIMIT),
    ("", "cn east", "x" * (REGION_LIMIT + 1)),
)
_PROJECT = Limit(
    f"1 to {PROJECT_LIMIT} letters, digits, `_` or `-`",
    ("863129926600475a959e8f2efb991722", "x" * PROJECT_LIMIT),
    ("", "a.b", "x" * (PROJECT_LIMIT + 1)),
)

INPUTS: dict[str, Limit] = {
    "backup_id": _UUID,
    "vault_id": _UUID,
    "name": Limit(
        f"1 to {NAME_LIMIT} letters, digits, CJK, `_` or `-`",
        ("web-dr", "备份_1", "x" * NAME_LIMIT),
        ("", "web dr", "x" * (NAME_LIMIT + 1)),
    ),
    "description": Limit(
        f"at most {TEXT_LIMIT} characters with the mark, no `<` or `>`",
        ("", "x" * TEXT_LIMIT),
        ("a<b", "x" * (TEXT_LIMIT + 1), 5),
    ),
    "backups": Limit(
        "at least one; no backup under two labels. In a list of ids, an id that is there twice "
        "counts once",
        ({"erp": _ID}, [_ID], [_ID, _ID]),
        ({}, [], "all", 1),
    ),
    "keep_newest": Limit(
        f"a whole number, 1 to {COUNT_LIMIT:,}", (1, COUNT_LIMIT), (0, 1.5, COUNT_LIMIT + 1, True)
    ),
    "keep": Limit(
        f"an object of `newest`, 0 to {COUNT_LIMIT:,}; `days`, `weeks`, `months` and `years`, "
        f"each 0 to {PERIODS_LIMIT}; and `timezone`, such as `UTC+08:00`. At least one number; no "
        "`keep_newest` beside it",
        (
            {"newest": COUNT_LIMIT},
            {"days": PERIODS_LIMIT, "newest": 0, "timezone": "UTC-12:00"},
            {"weeks": 5, "months": 12.0, "years": None, "timezone": "UTC+14:00"},
        ),
        (
            *({}, {"days": 0, "timezone": "UTC+08:00"}, {"days": 1, "hours": 1}, 7),
            *(
                {"days": PERIODS_LIMIT + 1},
                {"newest": COUNT_LIMIT + 1},
                {"days": -1},
                {"days": 1.5},
            ),
            *({"days": 1, "timezone": zone} for zone in ("UTC", "+08:00", "UTC+8:00", "UTC+15:00")),
        ),
    ),
    "destination_region": _REGION,
    "destination_vault_id": _UUID,
    "destination_project_id": _PROJECT,
    "enable_acceleration": _FLAG,
    "source_region": _REGION,
    "source_project_id": _PROJECT,
    "adopt": Limit("`true`, `false` or `any`", (True, False, "any"), ("all", 1)),
    "preflight": Limit("`error`, `warn` or `off`", ("error", "warn", "off"), ("on", True)),
    "force_destroy": _FLAG,
    "replications": Limit(
        "resources of this package that replicate, or their `tracking`", ([],), ("erp", [{}])
    ),
    "timeout": Limit(
        "`30m`, `4h`, `1h30m` or seconds; at most 30 days",
        ("30m", "4h", "1h30m", 60, "720h"),
        ("soon", 0, "721h", -1),
    ),
    "poll_interval": Limit(
        "in the same form, 0.01 to 3600 seconds", (0.01, "10s", 3600), (0, 3601, "often")
    ),
}
"""Inputs of all resources, by name: a name has one meaning."""

OBJECTIVES: dict[str, Limit] = {
    "rpo": Limit(
        "a number of minutes, hours, days or weeks: `90m`, `26h`, `7d`, `2w`",
        ("90m", "26h", "7d", "2w"),
        ("0h", "26", 26, "1h30m", "soon"),
    ),
    "owner": Limit(
        f"1 to {OWNER_LIMIT} printable characters",
        ("Storage team", "x" * OWNER_LIMIT),
        ("", " ", "x" * (OWNER_LIMIT + 1), 7),
    ),
    "tier": Limit(
        f"1 to {TIER_LIMIT} letters, digits, `_` or `-`",
        ("gold", "tier-1", "x" * TIER_LIMIT),
        ("", "gold one", "x" * (TIER_LIMIT + 1), 1),
    ),
}
"""What the keys of an objective accept."""

_WORD = Limit("no spaces or line breaks", ("AK0",), ("a b", ""))
_TEXT = Limit("text", ("ops",), ())
_URL = Limit(
    "a URL, perhaps with `{region}`",
    ("https://iam.example.com/v3", "http://[::1]:8080/{region}"),
    ("iam.example.com", "ftp://example.com", "https://example.com/?x"),
)
_URLS = Limit(
    "a JSON object: `cbr` and `iam` to a URL, perhaps with `{region}`",
    ({"cbr": "https://cbr.{region}.example.com"}, {}),
    ({"cbr": "example.com"}, "https://example.com"),
)
_REGION_ID = Limit("a region's id", ("cn-north-4",), ("cn north 4", "https://x"))
_OWNER = Limit(
    "1 to 100 letters, digits, `.`, `_`, `-` or `/`",
    ("team-a/prod", "x" * 100),
    ("a b", "x" * 101),
)

SETTINGS: dict[str, Setting] = {
    "region": Setting("none", "the region of the backups", _REGION_ID),
    "project_id": Setting(
        "the project with the region's name", "the project of the backups", _PROJECT
    ),
    "access_key": Setting("none", "an access key, which signs each request", _WORD),
    "secret_key": Setting("none", "its secret key", _WORD),
    "security_token": Setting("none", "for temporary access keys", _WORD),
    "user_name": Setting("none", "or an IAM user", _TEXT),
    "password": Setting("none", "the user's password", _TEXT),
    "domain_name": Setting("none", "the name of the user's account", _TEXT),
    "token": Setting("none", "or one token for everything", _TEXT),
    "tokens": Setting(
        "none",
        "or a token for each project: source and destination are two projects",
        Limit("a JSON object: project id to token", ({"p1": "t1"},), ("t1", ["t1"])),
    ),
    "metadata": Setting("`true`", "false: never ask a server's metadata service for keys", _FLAG),
    "auth_url": Setting("none", "the address of IAM alone", _URL),
    "cloud": Setting(
        "the vendor's own addresses",
        "the domain of the endpoints. Open Telekom Cloud: `otc.t-systems.com`",
        Limit("a domain", (DEFAULT_CLOUD, "otc.t-systems.com"), ("https://x.com", "-x")),
    ),
    "endpoints": Setting("those of the cloud", "any addresses; `{region}` is substituted", _URLS),
    "insecure": Setting(
        "`false`", "true: no certificate is verified; each run warns about it", _FLAG
    ),
    "ca_file": Setting("the usual authorities", "PEM certificates of a private CA", _TEXT),
    "poll_interval_s": Setting(
        f"{DEFAULT_POLL_INTERVAL_S:g}",
        "seconds between polls while waiting",
        Limit("0.01 to 3600", (0.01, 3600, "10"), (0, 3601, "often")),
    ),
    "owner": Setting(
        "`project/stack`",
        "the name in the [marks](../explanation/ownership.md) on replicas",
        _OWNER,
    ),
    "mark_replicas": Setting("`true`", "false: new replicas get no mark", _FLAG),
    "force_destroy": Setting(
        "`false`", "true: last copies may be deleted as well; meant for one run", _FLAG
    ),
    "max_deleted_percent": Setting(
        "100",
        "the [part of a set's members](../how-to/rules.md#a-limit-for-deletions) that an update "
        "may delete; the environment goes before the configuration",
        Limit("0 to 100", (0, 20, "12.5", 100), (-1, 101, "some", "")),
    ),
}
"""Settings, by their field in `Settings`."""

ARGUMENTS = {
    "backup_id": "the backup's id",
    "image_type": "the kind of backup",
    "limit": "at most this many",
    "name": "only backups of this name",
    "opts": "its `provider` has the settings, in place of the stack's configuration",
    "project_id": "default: `huaweicloud:projectId`, else the project named like the region",
    "region": "default: `huaweicloud:region`",
    "resource_id": "only backups of this server or file system",
    "resource_name": "only backups of servers or file systems of this name",
    "resource_type": "only backups of this kind, such as `OS::Nova::Server`",
    "vault_id": "the vault's id; for backups: only those in this vault",
}
"""Arguments of the functions whose docstring does not describe them."""
