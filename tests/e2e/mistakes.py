"""Wrong programs, and the line by which each is answered; a table of the site shows them.

`test_mistakes.py` runs each with the real CLI. So the table has what a user sees.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.e2e.programs import BACKUP, VAULT

HEAD = f"""
import pulumi
import pulumi_huaweicloud_cbr as cbr

BACKUP, VAULT = "{BACKUP}", "{VAULT}"
PLACE = {{"destination_region": "cn-east-3", "destination_vault_id": VAULT}}
"""


REQUEST = "REQUEST_ID"


class Mistake(NamedTuple):
    """A wrong program after `HEAD`, and the answer. `REQUEST` stands for the id of a request."""

    what: str
    program: str
    answer: str

    def is_answered_in(self, line: str) -> bool:
        """Whether a line has the answer."""
        return re.search(re.escape(self.answer).replace(REQUEST, r"[\w-]+"), line) is not None


_KEYWORDS = "give inputs as keywords (backup_id=..., destination_region=..., "
_ONE = (
    f"{_KEYWORDS}destination_vault_id=...), or all of them in a BackupReplicationArgs, and "
    "Pulumi's own options as opts"
)
_GONE = (
    "reading backup (00000000-0000-4000-8000-000000000000) in region 'cn-north-4', project "
    "(c6cb0876eaee4f5092d0fdf4c4fc09b3): HTTP 404: The backup does not exist; check the backup id, "
    f"its project and its region [BackupService.6200, request {REQUEST}]"
)
_KNOWN_VAULT = (
    "vault_id, destination_region, destination_vault_id, destination_project_id, "
    "enable_acceleration, source_region, source_project_id, adopt, preflight, force_destroy"
)

MISTAKES = {
    "no-name": Mistake(
        "no name",
        "cbr.BackupReplication(backup_id=BACKUP, **PLACE)",
        'BackupReplication: the name is missing; give it first: BackupReplication("erp-db", ...)',
    ),
    "missing": Mistake(
        "a required input is missing",
        'cbr.BackupReplication("erp", backup_id=BACKUP, destination_region="cn-east-3")',
        f"BackupReplication 'erp': destination_vault_id is missing; {_ONE}",
    ),
    "misspelt": Mistake(
        "an input in Terraform's spelling",
        'cbr.BackupReplication("erp", source_backup_id=BACKUP, **PLACE)',
        "BackupReplication 'erp': source_backup_id is not an input, did you mean backup_id?",
    ),
    "unknown": Mistake(
        "an input of another resource",
        'cbr.VaultReplication("files", keep_newest=7, **PLACE)',
        f"VaultReplication 'files': keep_newest is not an input; known: {_KNOWN_VAULT}",
    ),
    "positional": Mistake(
        "inputs without names",
        'cbr.BackupReplicationArgs(BACKUP, "cn-east-3", VAULT)',
        "BackupReplicationArgs: a str is given without the name of an input; "
        f"{_KEYWORDS}destination_vault_id=...)",
    ),
    "options": Mistake(
        "options as a dictionary",
        'cbr.BackupReplication("erp", backup_id=BACKUP, **PLACE, opts={"protect": True})',
        f"BackupReplication 'erp': opts is a dict, not a pulumi.ResourceOptions; {_ONE}",
    ),
    "two-forms": Mistake(
        "an object and keywords",
        'cbr.BackupReplication("erp", {"backup_id": BACKUP, **PLACE}, name="erp-dr")',
        f"BackupReplication 'erp': name is given beside args; {_ONE}",
    ),
    "other-args": Mistake(
        "the object of another resource",
        'cbr.BackupReplication("erp", cbr.ReplicationsCompleteArgs(replications=[]))',
        "BackupReplication 'erp': args is a ReplicationsCompleteArgs, not a "
        f"BackupReplicationArgs; {_ONE}",
    ),
    "backup-object": Mistake(
        "a backup in place of its id",
        'cbr.BackupReplication("erp", backup_id=cbr.get_backup(BACKUP), **PLACE)',
        "BackupReplication 'erp': backup_id is a Backup, which is no plain value; pass its id",
    ),
    "backups-object": Mistake(
        "backups in place of one id",
        'cbr.BackupReplication("erp", backup_id=cbr.get_backups(limit=1), **PLACE)',
        "BackupReplication 'erp': backup_id[0] is a Backup, which is no plain value; pass its id",
    ),
    "not-a-uuid": Mistake(
        "a name in place of an id",
        'cbr.BackupReplication("erp", backup_id="erp-db-01", **PLACE)',
        "'erp-db-01' is not a UUID; want 32 hexadecimal digits in the form 8-4-4-4-12, as the "
        "console shows it",
    ),
    "mode": Mistake(
        "another word",
        'cbr.BackupReplication("erp", backup_id=BACKUP, **PLACE, preflight="errors")',
        "'errors' is not a mode of preflight; want 'error', 'warn' or 'off'",
    ),
    "adopt": Mistake(
        "another word where true and false are usual",
        'cbr.BackupReplication("erp", backup_id=BACKUP, **PLACE, adopt="all")',
        "'all' is text; want true, false or 'any'",
    ),
    "description": Mistake(
        "characters that CBR refuses",
        'cbr.BackupReplication("erp", backup_id=BACKUP, **PLACE, description="<weekly>")',
        "'<weekly>' contains '<'; allowed are all characters but '<' and '>', 0 to 255 of them",
    ),
    "same-region": Mistake(
        "a copy within one region",
        'cbr.BackupReplication("erp", backup_id=BACKUP, destination_region="cn-north-4", '
        "destination_vault_id=VAULT)",
        "'cn-north-4' is the source region itself; choose one of: cn-east-3, cn-south-1, "
        "cn-southwest-2",
    ),
    "no-members": Mistake(
        "a set without members",
        'cbr.BackupReplicationSet("nightly", backups=[], **PLACE)',
        "is empty, and a set without members would delete all its replicas; remove the resource if "
        "that is what you want",
    ),
    "no-times": Mistake(
        "a rolling set of ids",
        'cbr.BackupReplicationSet("nightly", backups=[BACKUP], keep_newest=7, **PLACE)',
        "created_at is missing, and keep and keep_newest go by it; as_members() gives it, where "
        "CBR tells it",
    ),
    "one-id": Mistake(
        "one id in place of a list",
        'cbr.BackupReplicationSet("nightly", backups=BACKUP, **PLACE)',
        "'5a863daa-7265-4c0a-822f-e66b2abcfb3d' is text; want labels with backup ids, or a list of "
        "backup ids",
    ),
    "no-replication": Mistake(
        "a wait for what replicates nothing",
        'cbr.ReplicationsComplete("complete", replications=[cbr.Provider("account-b")])',
        "ReplicationsComplete 'complete': replications has a Provider, which replicates nothing; "
        "give resources of this package that replicate, or their tracking",
    ),
    "duration": Mistake(
        "a duration in words",
        'cbr.ReplicationsComplete("complete", replications=[], timeout="6 hours")',
        "'6 hours' is not a valid duration; want a duration such as '30m', '4h' or '1h30m', or "
        "seconds",
    ),
    "no-results": Mistake(
        "results of what replicates nothing",
        'cbr.results_of(cbr.Provider("account-b"))',
        "Provider replicates nothing, so it has no results; give a resource of this package that "
        "replicates",
    ),
    "limit": Mistake(
        "a limit that asks for nothing",
        "cbr.get_backups(limit=0)",
        "get_backups: limit: 0 is no number of backups; want a whole number, at least 1",
    ),
    "gone": Mistake(
        "a question about a backup that does not exist",
        'cbr.get_backup("00000000-0000-4000-8000-000000000000")',
        _GONE,
    ),
    "gone-later": Mistake(
        "the same, for later",
        'cbr.get_backup_output("00000000-0000-4000-8000-000000000000")',
        _GONE,
    ),
    "later": Mistake(
        "an answer at once from settings that are known later",
        'later = cbr.Provider("account-b", token=pulumi.Output.secret("t"))\n'
        "cbr.get_backups(opts=pulumi.InvokeOptions(provider=later))",
        "Provider 'account-b': huaweicloud:token is known later; ask with the function whose name "
        "ends with _output",
    ),
    "setting": Mistake(
        "a configuration key as an input's name",
        'cbr.Provider("account-b", accessKey="AK")',
        "Provider 'account-b': accessKey is not an input, did you mean access_key?",
    ),
}


def table() -> str:
    """Return the mistakes as a Markdown table."""
    rows = ["| what is wrong | program | answer |", "|---|---|---|"]
    for mistake in MISTAKES.values():
        program = "<br>".join(f"`{line}`" for line in mistake.program.splitlines())
        rows.append(
            f"| {mistake.what} | {program} | {mistake.answer.replace('|', chr(92) + '|')} |"
        )
    return "\n".join(rows)
