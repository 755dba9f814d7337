"""Disables one rule of the package at a time, and checks which tests notice.

``python -m tools.checks.mutants`` patches a copy of the package and runs a few fast tests against
each mutant. It fails if a mutant survives, or if a patch no longer applies. With ``--write`` it
updates docs/mutants.md. Names of mutants as arguments select some.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROVIDER = REPOSITORY / "provider"
PACKAGE = "pulumi_huaweicloud_cbr"
DOCUMENT = REPOSITORY / "docs" / "mutants.md"
TEST_LIMIT_S = 600
"""Far above the time of a mutant's tests; only a hang reaches it."""
SHOWN = 3


class MutantError(Exception):
    """The check could not run: a patch does not apply, or no test was run."""


@dataclass(frozen=True)
class Mutant:
    """A rule, and how to disable it: `old`, which must be unique in `file`, becomes `new`.

    `tests` are files of tests, `chosen` is pytest's ``-k`` for those that must notice.
    """

    name: str
    rule: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    chosen: str = ""

    def apply(self, package: Path) -> None:
        """Patch a copy of the package.

        Raises:
            MutantError: the file does not contain the old text exactly once.
        """
        path = package / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise MutantError(
                f"{self.name}: {self.file} has {text.count(self.old)} places to patch, want 1; "
                "bring the patch in tools/checks/mutants.py up to date"
            )
        path.write_text(text.replace(self.old, self.new))


TABLES = ("tests/contract/test_tables.py",)
AMBIGUITY = ("tests/contract/test_ambiguity.py",)
PREFLIGHT = ("tests/contract/test_preflight.py",)
LIFETIMES = ("tests/contract/test_lifetimes.py",)
SETS = ("tests/contract/test_set.py",)
SHARING = ("tests/contract/test_sharing.py",)
WAITS = (
    "tests/unit/replication/wait/test_completion.py",
    "tests/contract/test_replications_complete.py",
)
CLIENT = ("tests/unit/api/test_client.py",)
WHOLE_VAULTS = ("tests/contract/test_vault.py",)
FINDERS = ("tests/unit/api/test_find.py",)
LISTS = ("tests/unit/api/test_pages.py", "tests/contract/test_lists.py")
CODES = ("tests/unit/api/wire/test_error_codes.py",)
BODIES = ("tests/unit/api/wire/test_bodies.py",)
HOSTS = ("tests/unit/test_hosts.py",)
AUTH = ("tests/unit/api/auth/test_choose.py", "tests/unit/api/auth/test_signing.py")
CHAIN = ("tests/unit/api/auth/test_chain.py",)
DELETION_LIMIT = ("tests/contract/test_deletion_limit.py",)
OWNERS = ("tests/contract/test_ownership.py",)
REPORTS = (
    "tests/unit/commands/ci/plan/test_changes.py",
    "tests/unit/commands/ci/run/test_commands.py",
    "tests/unit/commands/ci/show/test_properties.py",
)
LAST_COPIES = ("tests/contract/test_last_copy.py",)
ADOPTION = ("tests/contract/test_adoption.py",)
CREATE_FIRST = ("tests/contract/test_create_first.py",)
RULES = (
    "tests/unit/replication/rules/test_adoption.py",
    "tests/unit/replication/rules/test_members.py",
    "tests/unit/replication/rules/test_ownership.py",
    "tests/unit/replication/rules/test_retention.py",
)
NOTES = (
    "tests/unit/engine/ownership/test_operation.py",
    "tests/unit/engine/ownership/test_state.py",
    "tests/unit/resources/test_owners.py",
)
SALVAGE = ("tests/unit/api/wire/test_salvage.py",)
UNKNOWN = ("tests/unit/replication/rules/test_unknown.py",)
PARTIAL = ("tests/contract/test_partial_answers.py",)
UPGRADE = ("tests/contract/test_upgrade.py",)
REGISTRATION = ("tests/unit/resources/test_registration.py",)
HOLDERS = ("tests/unit/commands/stack/test_holders.py", "tests/unit/commands/stack/test_recover.py")
SHARED_RATE = ("tests/unit/api/transport/test_shared_rate.py",)
FLEET = (
    "tests/unit/commands/fleet/test_command.py",
    "tests/unit/commands/fleet/test_estate.py",
)
MOMENTS = ("tests/unit/base/test_moments.py", "tests/unit/api/test_find.py")

MUTANTS = (
    Mutant(
        "no-adoption",
        "a matching copy is adopted, not submitted again",
        "replication/rules/decisions.py",
        "    return Adopt(attempt)\n",
        "    return Submit()\n",
        TABLES,
        "create_matching or adopted_replica",
    ),
    Mutant(
        "foreign-vault-adopted",
        "a replica in another vault is refused",
        "replication/rules/decisions.py",
        "    if attempt.vault_id != desired.destination_vault_id:\n",
        "    if False:\n",
        TABLES,
        "other_vault",
    ),
    Mutant(
        "unknown-status-submits",
        "a record with an unknown status is refused",
        "replication/rules/decisions.py",
        "    return _unclear(possible[0]) if possible else Submit()\n",
        "    return Submit()\n",
        TABLES,
        "create_unknown_status",
    ),
    Mutant(
        "skip-always-failed",
        "`skip` with a replica did not fail",
        "api/wire/answers.py",
        "            return self.destination_backup_id is None\n",
        "            return True\n",
        ("tests/unit/api/wire/test_answers.py",),
    ),
    Mutant(
        "skip-never-failed",
        "`skip` without a replica failed",
        "api/wire/answers.py",
        "            return self.destination_backup_id is None\n",
        "            return False\n",
        ("tests/unit/api/wire/test_answers.py",),
    ),
    Mutant(
        "resend-without-look",
        "after a submission without an answer, `create` looks for the copy before it sends again",
        "replication/submit.py",
        "        found = await submission.look(unsettled)\n",
        "        found = None if unsettled else await submission.look(unsettled)\n",
        AMBIGUITY,
        "accepted",
    ),
    Mutant(
        "second-copy-is-an-error",
        "if the submission is refused with 1009, the existing copy is adopted",
        "replication/submit.py",
        "            if not (submission.may_be_ours(error) or is_outcome_unknown(error)):\n",
        "            if not is_outcome_unknown(error):\n",
        AMBIGUITY,
        "second_copy",
    ),
    Mutant(
        "submission-repeated-blindly",
        "the client repeats a submission only if it was certainly not accepted",
        "api/client.py",
        '"replicate"),\n            json=request.to_wire(),\n            is_repeatable=False,\n'
        "        )\n        return (await self._call(call, ReplicationEnvelope))",
        '"replicate"),\n            json=request.to_wire(),\n            is_repeatable=True,\n'
        "        )\n        return (await self._call(call, ReplicationEnvelope))",
        CLIENT,
        "submission_is_sent_again_only",
    ),
    Mutant(
        "expired-source-loses-replica",
        "the replica of an expired source counts as present",
        "replication/rules/decisions.py",
        "    if backup is None:\n        standing = _decide_without_replica(",
        "    if backup is None or observation.source is None:\n"
        "        standing = _decide_without_replica(",
        TABLES,
        "source_expired",
    ),
    Mutant(
        "preflight-of-what-exists",
        "preflight skips a replication that exists: its source may have expired",
        "resources/backup_replication.py",
        "        if not failures and not olds:\n",
        "        if not failures:\n",
        (*TABLES, *PREFLIGHT),
        "source_expired or no_op",
    ),
    Mutant(
        "record-proves-replica",
        "a record that says `success` proves nothing: the replica itself is checked",
        "replication/rules/decisions.py",
        "    if record.is_succeeded:\n        return Standing.GONE\n",
        "    if record.is_succeeded:\n        return Standing.PRESENT\n",
        TABLES,
        "replica_gone",
    ),
    Mutant(
        "guessed-gone",
        "a replica that cannot be identified is an error, not gone",
        "replication/observe.py",
        "    await require_no_replica(\n",
        "    if False: await require_no_replica(\n",
        TABLES,
        "cannot_be_identified",
    ),
    Mutant(
        "delete-does-not-wait",
        "delete waits until the replica is gone",
        "replication/one.py",
        "    await wait_gone(api, found.tracked.destination, replica_id, limits, report)\n",
        "    return\n",
        (*TABLES, *AMBIGUITY),
        "source_expired_and_replica_found or lost_answer_of_deletion",
    ),
    Mutant(
        "delete-during-copy",
        "delete waits for a running copy",
        "replication/one.py",
        "        pending=frozenset({Standing.COPYING.value}),\n"
        "        target=frozenset(standing.value for standing in _SETTLED),\n",
        "        pending=frozenset(),\n"
        "        target=frozenset(s.value for s in (Standing.COPYING, *_SETTLED)),\n",
        TABLES,
        "delete_waits",
    ),
    Mutant(
        "never-seen-is-gone",
        "a replica that was never seen is polled several times before it counts as gone",
        "replication/observe.py",
        "            if is_final or decide_read(seen) is not Standing.GONE:\n",
        "            if True:\n",
        LIFETIMES,
        "late or never_seen",
    ),
    Mutant(
        "success-is-believed",
        "a wait accepts a success only if the replica is in the destination",
        "replication/wait/copies.py",
        "        copy.outcome = Outcome.COPIED\n",
        "        copy.end(Outcome.DONE)\n",
        WAITS,
        "replica",
    ),
    Mutant(
        "held-replicas-deleted",
        "deleting a resource leaves the replicas that another resource of the same operation has",
        "resources/_forms/owners.py",
        "        if not operation.is_held(row.replication_record_id, besides=urn)\n",
        "        if True\n",
        SETS,
        "another_has_taken_over",
    ),
    Mutant(
        "leaving-members-deleted",
        "removing a member leaves the replica if another resource has or declares it",
        "resources/_forms/members.py",
        "    owners = await owners_of(session, rows)\n",
        "    owners = await owners_of(session, rows)\n"
        "    owners.done.update(dict.fromkeys(rows))\n",
        SETS,
        "move_to_another_set or single_resource_declares",
    ),
    Mutant(
        "claimed-members-deleted",
        "removing a member leaves the replica to a resource that is still to be created with it",
        "resources/_forms/owners.py",
        "        elif operation.is_claimed(\n"
        "            row.backup_id, row.destination.region, besides=urn\n"
        "        ) or _is_declared_by_successor(operation, urn, row, state):\n",
        "        elif False:\n",
        SETS,
        "single_resource_declares",
    ),
    Mutant(
        "empty-set-accepted",
        "a set without members is refused",
        "replication/rules/inputs.py",
        '    if not value:\n        return (\n            "is empty, and a set',
        '    if False:\n        return (\n            "is empty, and a set',
        SETS,
        "wrong_inputs and empty",
    ),
    Mutant(
        "expired-members-leave",
        "a rolling set keeps members whose source has expired",
        "replication/rules/sets/members.py",
        "        if member.backup_id not in known:\n",
        "        if False:\n",
        SETS,
        "rolling_set",
    ),
    Mutant(
        "newer-failed-older-deleted",
        "a rolling set deletes nothing while a newer member fails",
        "resources/_forms/set/rolling.py",
        '        if row.backup_id in ages and there.get(row.destination_backup_id or "")\n',
        "        if row.backup_id in ages\n",
        SETS,
        "rolling_set",
    ),
    Mutant(
        "not-listed-is-gone",
        "a rolling set reads a replica by itself that the list lacks, before it counts as gone",
        "replication/many.py",
        "    backups += [found.backup for found in await asyncio.gather(*looks) if found.backup]\n",
        "    [await one for one in looks]\n",
        SETS,
        "rolling_set",
    ),
    Mutant(
        "members-of-one-server-stand-for-all",
        "a rolling set of several servers looks at the replicas of all of them",
        "resources/_forms/set/rolling.py",
        "resources.pop() if len(resources) == 1 else None,\n",
        "resources.pop(),\n",
        SETS,
        "rolling_set",
    ),
    Mutant(
        "kept-without-its-age",
        "what a rolling set keeps while a newer member fails is still kept after a refresh",
        "resources/_forms/set/form.py",
        "        if state and is_rolling(inputs):\n            staying",
        '        if "" in inputs:\n            staying',
        SETS,
        "rolling_set",
    ),
    Mutant(
        "silence-is-missing",
        "a backup that a list lacks is read by itself before it counts as missing",
        "api/cache.py",
        "                    shelf.useless_lists = shelf.useless_lists + 1 if is_useless else 0\n",
        "                    from pulumi_huaweicloud_cbr.base.errors import NotFoundError\n"
        "                    for future in missing.values():\n"
        '                        _fail(future, NotFoundError("not listed"))\n'
        "                    missing.clear()\n",
        SHARING,
        "missing_is_only or refused",
    ),
    Mutant(
        "own-change-forgotten",
        "after a change by this process, stale answers are not used",
        "api/cache.py",
        ".changed[backup_id] = next(self._numbers)\n",
        "\n",
        SHARING,
        "own_change",
    ),
    Mutant(
        "stored-answer-taken-for-fresh",
        "who asks for a fresh answer gets none that is stored",
        "api/cache.py",
        "        return await self._backups.ask(scope, backup_id)\n",
        "        stored = self._backups.stored(scope, backup_id)\n"
        "        return stored or await self._backups.ask(scope, backup_id)\n",
        SHARING,
        "fresh or a_while_only",
    ),
    Mutant(
        "wrong-path-is-gone",
        'a 401 "Malformed request url" means gone only if the project answers',
        "api/find.py",
        "            await api.list_backups(scope, limit=1)\n",
        "            pass\n",
        FINDERS,
        "wrong_path",
    ),
    Mutant(
        "short-page-is-the-last",
        "a list with fewer rows than CBR counts is incomplete",
        "api/pages.py",
        "        has_all = page.count is None or len(seen) >= page.count\n",
        "        has_all = True\n",
        LISTS,
        "cut_short or lacks or incomplete",
    ),
    Mutant(
        "pages-without-overlap",
        "pages overlap by a row, which shows if rows moved between two pages",
        "api/pages.py",
        "        if seen and not (page.rows and page.rows[0].id in seen):\n",
        "        if False:\n",
        LISTS,
        "vanishes or shrinks",
    ),
    Mutant(
        "incomplete-list-taken",
        "a list that stays incomplete is an error, and nothing counts as gone",
        "api/pages.py",
        '            raise _NotWholeError(f"CBR counts {counted} rows, and shows {len(seen)}")\n',
        "            return\n",
        LISTS,
        "stays_incomplete or proves_nothing",
    ),
    Mutant(
        "other-answer-taken",
        "an answer about another backup is refused",
        "api/find.py",
        "    if asked_id.lower() != answered_id.lower():\n",
        "    if False:\n",
        ("tests/unit/test_error_texts.py",),
        "answer-is-about",
    ),
    Mutant(
        "any-404-is-gone",
        "a backup counts as gone by its own error code alone",
        "api/wire/decoding.py",
        "        is_missing = code in missing_codes\n",
        "        pass\n",
        CODES,
        "missing_thing",
    ),
    Mutant(
        "status-decides",
        "the error code decides whether to repeat a request, not the HTTP status",
        "api/transport/retry.py",
        "    return facts_of(error.code, error.status).repeat\n",
        "    return facts_of(None, error.status).repeat\n",
        CODES,
        "how_often and BackupService",
    ),
    Mutant(
        "waits-beyond-budget",
        "a Retry-After beyond the budget ends the call at once",
        "api/transport/retry.py",
        "            or elapsed + state.upcoming_sleep > budget.seconds\n",
        "            or elapsed > budget.seconds\n",
        CLIENT,
        "beyond_the_budget",
    ),
    Mutant(
        "secrets-quoted",
        "known secrets are redacted in every error",
        "base/text.py",
        '        text = text.replace(secret, "[secret]")\n',
        "        pass\n",
        ("tests/unit/base/test_errors.py",),
    ),
    Mutant(
        "tokens-quoted",
        "what looks like a token is redacted, even if it is not a known secret",
        "base/text.py",
        '    return re.sub(_CONFIDENTIAL, "[secret]", text)\n',
        "    return text\n",
        ("tests/unit/base/test_errors.py",),
    ),
    Mutant(
        "vault-submission-repeated-blindly",
        "the client repeats the copy of an entire vault only if it was certainly not accepted",
        "api/client.py",
        '("checkpoints", "replicate"),\n            json=request.to_wire(),\n'
        "            is_repeatable=False,\n",
        '("checkpoints", "replicate"),\n            json=request.to_wire(),\n'
        "            is_repeatable=True,\n",
        CLIENT,
        "replicate_vault",
    ),
    Mutant(
        "vault-resend-without-look",
        "the copy of an entire vault is looked for before it is submitted again",
        "replication/submit.py",
        "        found = await submission.look(unsettled)\n",
        "        found = None if unsettled else await submission.look(unsettled)\n",
        WHOLE_VAULTS,
        "unanswered or not_accepted",
    ),
    Mutant(
        "vault-busy-is-an-error",
        "if the copy of an entire vault is refused with 6130, the running copy may be ours",
        "replication/submit.py",
        "            if not (submission.may_be_ours(error) or is_outcome_unknown(error)):\n",
        "            if not is_outcome_unknown(error):\n",
        WHOLE_VAULTS,
        "busy_with_our_own",
    ),
    Mutant(
        "vault-difference-for-ever",
        "what CBR does not copy again with its vault is not a difference",
        "replication/vault.py",
        "        elif any(not attempt.record.is_failed for attempt in attempts):\n",
        '        elif label == "":\n',
        WHOLE_VAULTS,
        "behind_our_back or deleted_before",
    ),
    Mutant(
        "vault-replacement-loses-replicas",
        "a replacement deletes no replicas that CBR would not copy again",
        "resources/_forms/vault.py",
        '        if mode != "warn" and not is_open:\n            raise',
        '        if mode == "":\n            raise',
        WHOLE_VAULTS,
        "would_lose",
    ),
    Mutant(
        "vault-replacement-unseen",
        "a replacement deletes no replicas that could not be checked",
        "resources/_forms/members.py",
        "    if looked.failed:\n        # Of these",
        '    if looked.failed and mode != "warn":\n        # Of these',
        WHOLE_VAULTS,
        "cannot_look",
    ),
    Mutant(
        "vault-renamed-loses-orphans",
        "after a rename, replicas of an entire vault that "
        "the new resource cannot adopt are not lost",
        "resources/_forms/vault.py",
        "        return current_operation().is_vault_copied(self._identity_of(state))\n",
        "        return not rows\n",
        WHOLE_VAULTS,
        "another_name",
    ),
    Mutant(
        "vault-replacement-loses-strays",
        "a replacement deletes no replicas of backups that are in another vault now",
        "resources/_forms/vault.py",
        "        if rows[label].backup_id not in there and",
        '        if rows[label].backup_id == "" and',
        WHOLE_VAULTS,
        "left_the_vault",
    ),
    Mutant(
        "replacement-loses-last-copy",
        "a replacement never deletes the last copy of a backup, even with preflight warn or off",
        "resources/backup_replication.py",
        "        if not tracked.source_deleted or standing in TO_BE_REDONE:\n",
        "        if True:\n",
        TABLES,
        "replacement",
    ),
    Mutant(
        "preflight-off-loses-last-copies",
        "with preflight off, a replacement still checks what it would delete",
        "resources/_forms/inputs.py",
        '    if mode != "off":\n        return True\n    if is_open:\n',
        '    if mode != "off":\n        return True\n    if mode:\n',
        (*SETS, *WHOLE_VAULTS),
        "replacement",
    ),
    Mutant(
        "moved-set-forgets-kept",
        "a rolling set that moves to another destination takes along what it keeps",
        "resources/_forms/set/rolling.py",
        "    operation.note_kept(asked, former)\n",
        "",
        SETS,
        "rolling",
    ),
    Mutant(
        "renamed-set-loses-kept",
        "after a rename, a rolling set deletes nothing that the new one does not know",
        "resources/_forms/set/form.py",
        "        return is_rolling(state) and current_operation().is_rolling_on(",
        "        return not rows and current_operation().is_rolling_on(",
        SETS,
        "rolling",
    ),
    Mutant(
        "later-copy-taken-for-earlier",
        "a replica that a listed record names is never assigned to a copy without a record",
        "replication/observe.py",
        "        if record.id != tracked.replication_record_id\n",
        "        if record.id == tracked.replication_record_id\n",
        WHOLE_VAULTS,
        "later_copy",
    ),
    Mutant(
        "refresh-notes-owners",
        "what a refresh reads of a resource does not stop its deletion in the same operation",
        "engine/ownership/operation.py",
        "                return DiffOf.REFRESH\n",
        "                return DiffOf.PROGRAM\n",
        OWNERS,
        "refresh_stops_no_deletion and destroy",
    ),
    Mutant(
        "dependency-notes-owners",
        "a diff that the engine asks for a dependency does not stop a deletion",
        "engine/ownership/operation.py",
        "            return DiffOf.DEPENDENCY\n",
        "            return DiffOf.PROGRAM\n",
        OWNERS,
        "diff_for_a_dependency and single",
    ),
    Mutant(
        "replacement-looks-once",
        "a deletion for a replacement checks the source immediately before its request",
        "replication/one.py",
        "        is_source_gone = is_gone(await look_for_source(api.fresh, found.tracked))\n",
        "        is_source_gone = False\n",
        OWNERS,
        "immediately_before and single",
    ),
    Mutant(
        "replacement-deletes-some",
        "a replacement deletes no replica of a set while the source of any member is gone",
        "replication/many.py",
        "    if not last:\n        return\n",
        "    if True:\n        return\n",
        OWNERS,
        "before_delete and declared and set",
    ),
    Mutant(
        "replacement-believes-old-answers",
        "a replacement of many checks their sources again before it deletes any",
        "resources/_forms/members.py",
        "    # What other resources have put into the cache may be stale.\n    session.forget()\n",
        "",
        OWNERS,
        "before_delete and declared and vault",
    ),
    Mutant(
        "replacement-by-option-unseen",
        "a replacement that the engine plans without a diff checks the source as well",
        "engine/ownership/operation.py",
        "            return urn in self._replaced or bool(urn and urn in self._checked_anew)\n",
        "            return urn in self._replaced\n",
        OWNERS,
        "before_delete and option and single",
    ),
    Mutant(
        "vault-claims-nothing",
        "removing a member leaves the replica to an entire vault that is still to be copied",
        "resources/_forms/vault.py",
        "        operation.note_vault_claimed(urn, claim)\n",
        "",
        OWNERS,
        "yet_to_be_copied and plain",
    ),
    Mutant(
        "vault-claims-what-it-does-not-adopt",
        "an entire vault with `adopt: false` claims nothing",
        "resources/_forms/vault.py",
        ' or not inputs.get("adopt", True):\n        return None',
        ":\n        return None",
        OWNERS,
        "take_it_over and adopts",
    ),
    Mutant(
        "settled-before-answers",
        "a set that removes a member waits for checks and diffs that have no answer yet",
        "engine/ownership/operation.py",
        "            if self._calls_under_way:\n",
        "            if False:\n",
        OWNERS,
        "settled",
    ),
    Mutant(
        "removal-waits-for-nobody",
        "a member is removed only after all resources have declared their copies",
        "resources/_forms/members.py",
        "    await current_operation().settled(session.client().clock.sleep)\n",
        "",
        LAST_COPIES,
        "waits",
    ),
    Mutant(
        "two-owners-in-a-program",
        "a second declaration of the same copy in a program is refused",
        "resources/_forms/owners.py",
        "        if other is not None and urn:\n",
        "        if False:\n",
        ADOPTION,
        "two_declarations",
    ),
    Mutant(
        "two-owners-of-a-vault",
        "a second declaration of the same vault's copy in a program is refused",
        "resources/_forms/vault.py",
        "        if other is None:\n",
        "        if True:\n",
        ADOPTION,
        "two_declarations",
    ),
    Mutant(
        "claims-with-case",
        "claims compare ids without regard to case",
        "engine/ownership/operation.py",
        "        copy = (backup_id.lower(), region)\n",
        "        copy = (backup_id, region)\n",
        (*NOTES, *ADOPTION),
        "case or declarations",
    ),
    Mutant(
        "copies-without-a-mark",
        "the description of a new copy ends with the stack's mark",
        "replication/rules/model.py",
        "description=self.description if owner is None else marked(self.description, owner),",
        "description=self.description,",
        (*RULES, *ADOPTION),
        "mark",
    ),
    Mutant(
        "mark-not-recorded",
        "the state records the mark that a copy had when it was made",
        "replication/submit.py",
        "            owner=desired.identity.mark_owner,\n",
        "",
        ADOPTION,
        "recorded",
    ),
    Mutant(
        "recorded-mark-ignored",
        "a replica with the recorded mark is ours, whatever the stack is called now",
        "replication/rules/ownership.py",
        "owner in ours or owner == recorded",
        "owner in ours",
        (*RULES, *ADOPTION),
        "deletion_table or renamed_stack",
    ),
    Mutant(
        "another-stacks-adopted",
        "a replica of another stack is adopted only with `adopt: any`",
        "replication/rules/decisions.py",
        "    if maker is Maker.ANOTHER_STACK and desired.adopt != ADOPT_ANY:\n",
        "    if False:\n",
        (*RULES, *ADOPTION),
        "adoption_table",
    ),
    Mutant(
        "own-copy-refused",
        "with `adopt: false` a copy of this stack is recognised",
        "replication/rules/decisions.py",
        "    if not desired.adopt and maker is not Maker.US:\n",
        "    if not desired.adopt:\n",
        (*RULES, *ADOPTION),
        "adoption_table",
    ),
    Mutant(
        "later-mark-unnoticed",
        "a running copy that turns out to be another stack's is refused by `diff`",
        "resources/_forms/members.py",
        "    if foreign := foreign_in(with_owners(rows, identity, adopt), identity):\n",
        "    if foreign := {}:\n",
        (*NOTES, *ADOPTION),
        "foreign or shown_later",
    ),
    Mutant(
        "seen-mark-forgotten",
        "another stack's mark that a refresh has seen is still refused by the next `diff`",
        "replication/rules/model.py",
        "        return None if self.seen_owner == self.owner else self.seen_owner\n",
        "        return None\n",
        ADOPTION,
        "refresh_saw",
    ),
    Mutant(
        "another-stacks-deleted",
        "a replica of another stack is never deleted",
        "replication/rules/ownership.py",
        "    if maker_of(owner, rules.ours, recorded) is Maker.ANOTHER_STACK:\n",
        "    if False:\n",
        (*RULES, *ADOPTION),
        "deletion_table or shown_later",
    ),
    Mutant(
        "create-first-waits-not",
        "a replacement that creates a single copy first returns when the copy has succeeded",
        "resources/backup_replication.py",
        "    if is_completed:\n",
        "    if False:\n",
        CREATE_FIRST,
        "single",
    ),
    Mutant(
        "create-first-waits-not-for-many",
        "a replacement that creates many copies first returns when all have succeeded",
        "resources/_forms/reconciler.py",
        "        if operation.is_created_first(urn):\n",
        "        if False:\n",
        CREATE_FIRST,
        "set or vault",
    ),
    Mutant(
        "last-copy-deleted",
        "`destroy` and a removal delete a last copy only if `force_destroy` says so",
        "replication/rules/ownership.py",
        "        return self.removal is Removal.REMOVED and not self.is_forced\n",
        "        return False\n",
        (*RULES, *OWNERS),
        "deletion_table or only_if_forced",
    ),
    Mutant(
        "replacement-forced",
        "`force_destroy` never lets a replacement delete a last copy",
        "replication/rules/ownership.py",
        "        if self.removal is Removal.REPLACED:\n            return True\n",
        "        if self.removal is Removal.REPLACED:\n            return not self.is_forced\n",
        RULES,
        "deletion_table",
    ),
    Mutant(
        "too-many-deleted",
        "an update deletes no larger part of a set's members than the stack allows",
        "resources/_forms/set/form.py",
        "    if not (going or staying) or not change.is_declared:\n        return\n",
        "    return\n",
        DELETION_LIMIT,
        "too_much or zero or smaller_number",
    ),
    Mutant(
        "too-many-deleted-later",
        "a rule that keeps less is held to the limit also if newer copies still run",
        "resources/_forms/set/form.py",
        "        going = {**going, **staying}\n",
        "        pass\n",
        DELETION_LIMIT,
        "newer_copies_run",
    ),
    Mutant(
        "state-not-asked",
        "a replica that another entry of the stack's state has is not deleted",
        "resources/_forms/owners.py",
        "    return bool(others) and operation.give_up(urn, record_id, others)\n",
        "    return False\n",
        NOTES,
        "entry_of_the_state",
    ),
    Mutant(
        "both-owners-leave",
        "of two owners that are both deleted, one deletes the replica",
        "engine/ownership/operation.py",
        "            if set(others) <= self._given_up[record_id]:\n",
        "            if False:\n",
        (*NOTES, *OWNERS),
        "owner",
    ),
    Mutant(
        "declared-is-had",
        "a member stays in the state, as leaving, while who declares its copy does not have it yet",
        "resources/_forms/set/form.py",
        "        staying |= frozenset(waiting)\n",
        "",
        OWNERS,
        "vault",
    ),
    Mutant(
        "submitted-is-succeeded",
        "a rolling set lets an old replica go only if enough newer copies have succeeded",
        "replication/rules/sets/retention.py",
        "        if newer < self._keep.newest:\n",
        "        if newer < min(self._keep.newest, len(self._ages)):\n",
        RULES,
        "leaves_when",
    ),
    Mutant(
        "leaving-stands-for-leaving",
        "a replica leaves a set only if one that exists stands for its periods",
        "replication/rules/sets/retention.py",
        "    among = Retention(keep, map(age_of, succeeded))\n",
        "    among = Retention(keep, map(age_of, [*succeeded, *leaving.values()]))\n",
        RULES,
        "failed_or_is_late",
    ),
    Mutant(
        "undated-stands-for-undated",
        "a member without a time stands for no other one: it may be of any day",
        "replication/rules/sets/retention.py",
        '            return dict.fromkeys(self._counts, ("", backup_id))\n',
        '            return dict.fromkeys(self._counts, ("", ""))\n',
        RULES,
        "without_a_time",
    ),
    Mutant(
        "period-without-a-copy-counts",
        "a month without a backup, or with failed copies alone, shortens no history",
        "replication/rules/sets/retention.py",
        "        newer = len(periods) - bisect_right(periods, period)\n",
        "        newer = len(periods) - bisect_right(periods, period)\n"
        "        if word == 'month' and period[0]:\n"
        "            last, this = periods[-1][0], period[0]\n"
        "            newer = 12 * (int(last[:4]) - int(this[:4]))\n"
        "            newer += int(last[5:]) - int(this[5:])\n",
        RULES,
        "does_not_count",
    ),
    Mutant(
        "own-note-stops-deletion",
        "what a resource notes of itself never stops its own deletion",
        "engine/ownership/operation.py",
        "                holders - {besides} if besides else holders\n",
        "                holders\n",
        NOTES,
        "own_note or nobody",
    ),
    Mutant(
        "times-as-texts",
        "members sort by moments, not by the texts of their times",
        "replication/rules/sets/members.py",
        "    return moment(member.created_at), member.backup_id\n",
        '    return member.created_at or "", member.backup_id\n',
        RULES,
        "times or offset",
    ),
    Mutant(
        "zone-ignored",
        "a time with an offset is the same moment as its equivalent in UTC",
        "base/moments.py",
        "    return found.replace(tzinfo=UTC) if found.tzinfo is None else found\n",
        "    return found.replace(tzinfo=UTC)\n",
        MOMENTS,
        "moment",
    ),
    Mutant(
        "go-times-unread",
        "a time without quotes, which Pulumi passes in Go's spelling, is the same moment",
        "base/moments.py",
        "    if found is None:\n        return text\n",
        "    if True:\n        return text\n",
        MOMENTS,
        "spelled or every_form",
    ),
    Mutant(
        "times-spelled-anew",
        "another spelling of a member's time changes nothing in a set",
        "resources/_forms/set/declared.py",
        "        created_at=former.created_at if is_same_time else member.created_at,\n",
        "        created_at=member.created_at,\n",
        SETS,
        "yaml",
    ),
    Mutant(
        "secret-property-named",
        "a refused secret input is not named to the engine, which would print its value",
        "plugin/servicer.py",
        "    if secrets.are_in(name):\n",
        "    if False:\n",
        ("tests/unit/plugin/test_secrecy.py",),
        "names_no_secret",
    ),
    Mutant(
        "check-forgets-the-stack",
        "`check` names what a preview of the stack would refuse as something to do",
        "commands/account/check/copies.py",
        "remark if is_certain and copy.is_required else remark.as_note()",
        "remark.as_note()",
        ("tests/contract/test_check.py",),
        "stack_is_refused",
    ),
    Mutant(
        "word-outweighs-what-is-seen",
        "a lock's holder that is seen alive keeps its lock, whatever the user says",
        "commands/stack/recover/holders.py",
        "    if evidence.names_this_host and evidence.seen is Seen.OLDER:\n",
        "    if False:\n",
        HOLDERS,
    ),
    Mutant(
        "any-host-is-this-one",
        "a lock that names another host is not removed",
        "commands/stack/recover/holders.py",
        "    if not evidence.names_this_host:\n",
        "    if False:\n",
        HOLDERS,
    ),
    Mutant(
        "name-proves-a-machine",
        "where other machines can lock, an equal host name proves nothing",
        "commands/stack/recover/holders.py",
        "    if evidence.is_shared:\n",
        "    if False:\n",
        HOLDERS,
    ),
    Mutant(
        "name-proves-a-container",
        "a lock that is older than a container may be another one's of the same name",
        "commands/stack/recover/holders.py",
        "    if evidence.predates_container:\n",
        "    if False:\n",
        HOLDERS,
    ),
    Mutant(
        "later-cli-is-another",
        "a later CLI with the holder's number may be the holder, if the clock was set",
        "commands/stack/recover/holders.py",
        "    if evidence.seen is Seen.LATER_CLI and not evidence.predates_boot:\n",
        "    if False:\n",
        HOLDERS,
    ),
    Mutant(
        "holder-outlives-its-machine",
        "the holder of a lock from before this machine's start is dead",
        "commands/stack/recover/holders.py",
        "    if evidence.seen is Seen.LATER_CLI and not evidence.predates_boot:\n",
        "    if evidence.seen is Seen.LATER_CLI:\n",
        HOLDERS,
    ),
    Mutant(
        "word-for-any-holder",
        "`--dead` speaks of the one holder that it names",
        "commands/stack/recover/locks.py",
        "is_confirmed=lock.holder in confirmed",
        "is_confirmed=bool(confirmed)",
        HOLDERS,
    ),
    Mutant(
        "network-is-this-machine",
        "a file on a file system of a network can be another machine's",
        "commands/stack/recover/places.py",
        "    return kind in _OF_NETWORKS or kind.startswith(_OF_USER_SPACE)\n",
        "    return False\n",
        HOLDERS,
    ),
    Mutant(
        "backups-trusts-records",
        "`backups --without-copy-in` asks the destination which replicas exist",
        "commands/account/backups/examiner.py",
        "record.destination_backup_id in there.replica_ids or",
        "record.is_succeeded or",
        ("tests/contract/test_backups.py",),
        "no_copy",
    ),
    Mutant(
        "backups-takes-any-region",
        "`backups --without-copy-in` refuses a region that CBR does not copy to",
        "commands/account/backups/examiner.py",
        "    if isinstance(known, CbrError) or known is None or region in known:\n",
        "    if True:\n",
        ("tests/contract/test_backups.py",),
        "refused",
    ),
    Mutant(
        "report-trusts-a-fate",
        "in a report, a member whose fate is not known counts as deleted",
        "commands/ci/plan/changes.py",
        "_FATES.get(fate, What.DELETED)",
        "_FATES.get(fate, What.STAYS)",
        REPORTS,
        "becomes_of_a_member or counted_and_named",
    ),
    Mutant(
        "report-merges-unread-rows",
        "in a report, each row of a deleted set counts, also those with unreadable backups",
        "commands/ci/plan/changes.py",
        "        self._add(self._removed(one, what) for one in replicas if not one.has_failed)\n",
        "        listed = {one.backup_id: one for one in replicas if not one.has_failed}.values()\n"
        "        self._add(self._removed(one, what) for one in listed)\n",
        REPORTS,
        "one_by_one",
    ),
    Mutant(
        "report-cuts-deletions",
        "what is deleted and does not fit into a comment goes on in the next one",
        "commands/ci/show/markdown.py",
        "        return rows[count:]\n",
        "        return []\n",
        REPORTS,
        "no_deletion_is_cut",
    ),
    Mutant(
        "report-publishes-secrets",
        "facts about a resource with a secret input stay on the machine",
        "commands/ci/plan/facts.py",
        'is_open = text(fact.get("urn")) not in secret or fact.get("kind") == "refused"',
        "is_open = True or secret",
        REPORTS,
        "stay_on_the_machine",
    ),
    Mutant(
        "up-defers-refusals",
        "`ci up` never defers a refusal, whatever the environment says",
        "commands/ci/run/update.py",
        "if key != VARIABLE",
        "if key or VARIABLE",
        REPORTS,
        "never_defers",
    ),
    Mutant(
        "refused-preview-succeeds",
        "a preview in which a resource would be refused fails, and leaves no plan",
        "commands/ci/run/reporting.py",
        "if has_failed or plan.refusals else",
        "if has_failed else",
        REPORTS,
        "a_refusal_fails",
    ),
    Mutant(
        "refusal-is-not-noted",
        "a preview tells the refusals of all resources in one run",
        "engine/output/preview_facts.py",
        "        note_refusal(failure.reason, failure.property)\n",
        "        pass\n",
        ("tests/contract/test_preview_facts.py",),
        "faults_of_all",
    ),
    Mutant(
        "records-as-texts",
        "records sort by moments, not by the texts of their times",
        "api/find.py",
        "key=lambda record: moment(record.created_at)",
        'key=lambda record: record.created_at or ""',
        MOMENTS,
        "records",
    ),
    Mutant(
        "preview-hides-the-refusal",
        "a preview refuses the removal of a last copy, as `up` does",
        "resources/_forms/set/form.py",
        '    if mode != "warn":\n        raise ConflictError(reason, remedy=rules.remedy)\n',
        "    if False:\n        raise ConflictError(reason, remedy=rules.remedy)\n",
        LAST_COPIES,
        "preview_refuses",
    ),
    Mutant(
        "left-out-description-replaces",
        "a description that is left out replaces nothing",
        "replication/rules/decisions.py",
        '_OPTIONAL_FIELDS = COMPUTED_FIELDS | {"name", "description"}\n',
        '_OPTIONAL_FIELDS = COMPUTED_FIELDS | {"name"}\n',
        (*RULES, *ADOPTION),
        "description",
    ),
    Mutant(
        "adopted-text-replaces",
        "a replica that was adopted with another text is not replaced for it",
        "replication/rules/decisions.py",
        '    if field == "description" and wanted == state.get("declared_description"):\n',
        "    if False:\n",
        (*RULES, *ADOPTION),
        "description or text",
    ),
    Mutant(
        "seen-replica-asks-the-log",
        "a replica that was seen and is gone does not ask the task log",
        "replication/observe.py",
        "        if not replica.is_gone or record is not None or tracked.has_been_seen:\n",
        "        if not replica.is_gone or record is not None:\n",
        ADOPTION,
        "true_words",
    ),
    Mutant(
        "without-source-one-look",
        "a replica whose source is gone is looked for again before it is dropped",
        "replication/observe.py",
        "            is_final = tracked.has_been_seen and seen.source is not None\n",
        "            is_final = tracked.has_been_seen\n",
        ADOPTION,
        "looked_for_again or true_words",
    ),
    Mutant(
        "adoption-needs-room",
        "an existing copy is adopted again where the vault is full or frozen",
        "replication/preflight/backup.py",
        "    if vault and not standing.is_adopted:\n",
        "    if vault:\n",
        ADOPTION,
        "needs_no_room",
    ),
    Mutant(
        "adoption-of-a-vault-needs-room",
        "the copies of an entire vault are adopted again where the destination is full or frozen",
        "replication/preflight/vault.py",
        "    is_written = view is None or bool(due)\n",
        "    is_written = True\n",
        ADOPTION,
        "needs_no_room",
    ),
    Mutant(
        "body-without-end",
        "an answer is read only up to a number of bytes",
        "api/wire/bodies.py",
        "        if count > BODY_LIMIT:\n",
        "        if count < 0:\n",
        BODIES,
        "refused or at_the_bound or too_long",
    ),
    Mutant(
        "packed-body-uncounted",
        "a compressed answer is measured by its decompressed size",
        "api/wire/bodies.py",
        "                self._require_within(unpacked, values)\n",
        "                self._require_within(arrived, values)\n",
        BODIES,
        "refused or at_the_bound or too_long",
    ),
    Mutant(
        "values-uncounted",
        "an answer is read only up to a number of values",
        "api/wire/bodies.py",
        "        if values > VALUE_LIMIT:\n",
        "        if values < 0:\n",
        BODIES,
        "refused or at_the_bound or too_long",
    ),
    Mutant(
        "redirects-followed",
        "a redirection is not followed: credentials would go to a host that nobody configured",
        "api/transport/http.py",
        "self._transport.handle_async_request(sent)\n",
        "httpx.AsyncClient(transport=self._transport, follow_redirects=True).send(sent)\n",
        HOSTS,
        "redirection and not of_a_sign_in",
    ),
    Mutant(
        "redirected-token-taken",
        "a token that comes with a redirection is not used",
        "api/auth/tokens.py",
        "        if not response.is_success:\n",
        "        if response.status < 200:\n",
        HOSTS,
        "redirection_with_a_token or redirection_of_a_sign_in",
    ),
    Mutant(
        "certificates-unverified",
        "certificates are verified unless `insecure` is set",
        "api/client.py",
        "    if settings.insecure:\n        return False\n",
        "    if not settings.ca_file:\n        return False\n",
        HOSTS,
        "tls",
    ),
    Mutant(
        "insecure-unsaid",
        "`insecure` causes a warning",
        "engine/session.py",
        "            if self.settings.insecure:\n",
        '            if self.settings.region == "":\n',
        ("tests/contract/test_network.py", "tests/unit/test_error_texts.py"),
        "insecure_is_warned or session-insecure",
    ),
    Mutant(
        "password-before-key",
        "a token takes precedence over an access key, and that over a password",
        "api/auth/choose.py",
        "    _ACCESS_KEY,\n    _PASSWORD,\n)\n",
        "    _PASSWORD,\n    _ACCESS_KEY,\n)\n",
        AUTH,
        "precedence or choose",
    ),
    Mutant(
        "found-before-given",
        "what the vendor's tools find is used only if the settings have no credentials",
        "api/auth/choose.py",
        "    if not given:\n        found = find_way(settings)\n",
        "    if not given or is_way_given():\n        found = find_way(settings)\n",
        CHAIN,
        "way_of_the_vendors_tools_is_the_last",
    ),
    Mutant(
        "chain-order",
        "of what the vendor's tools find, the first that is configured wins",
        "api/auth/chain.py",
        "    for way in _BY_VARIABLES:\n",
        "    for way in reversed(_BY_VARIABLES):\n",
        CHAIN,
        "way_that_counts",
    ),
    Mutant(
        "half-a-way-passed-over",
        "an incomplete source of keys is an error: the next one would sign in as somebody else",
        "api/auth/chain.py",
        "        if not any(given):\n",
        "        if not all(given):\n",
        CHAIN,
        "part_missing",
    ),
    Mutant(
        "keys-renewed-late",
        "found keys are renewed before they expire",
        "api/auth/chain.py",
        "            self._renew_at = now + max(life_s - margin_s, ASK_AGAIN_AFTER_S)\n",
        "            self._renew_at = self._expires_at\n",
        CHAIN,
        "keys",
    ),
    Mutant(
        "token-renewed-late",
        "a token is renewed before it expires",
        "api/auth/tokens.py",
        "            renew_at=self._clock.monotonic() + lifetime_s - margin_s,\n",
        "            renew_at=self._clock.monotonic() + lifetime_s,\n",
        ("tests/unit/api/auth/test_tokens.py",),
        "near_its_end or is_a_day",
    ),
    Mutant(
        "refused-secret-tried-again",
        "a wrong password or access key is tried once, however many requests wait for it",
        "api/auth/trust.py",
        "                    self._require_no_refusal(secret)\n",
        "",
        ("tests/unit/api/auth/test_tokens.py", "tests/unit/api/auth/test_signing.py"),
        "password or refus",
    ),
    Mutant(
        "odd-value-spoils-an-answer",
        "an odd value makes one thing of an answer unknown, and the rest counts",
        "api/wire/decoding.py",
        '    is_lenient = getattr(model, "is_lenient", False)\n',
        "    is_lenient = False\n",
        SALVAGE,
    ),
    Mutant(
        "unreadable-record-is-none",
        "a replication record that cannot be read is not taken for no record",
        "api/wire/salvage.py",
        "            rows += [stand_in] if _fits(model, stand_in) else []\n",
        "",
        (*SALVAGE, *PARTIAL),
        "no_list or preview_refuses or without_an_id",
    ),
    Mutant(
        "unreadable-row-is-left-out",
        "a list with a row that cannot be read is not taken for a whole list",
        "api/find.py",
        "    if unreadable:\n",
        "    if False:\n",
        FINDERS,
        "cannot_be_read",
    ),
    Mutant(
        "untold-copy-is-submitted",
        "a copy of which CBR tells no status is not submitted again",
        "replication/rules/decisions.py",
        "        return self.record.is_failed or (self.record.is_succeeded and is_gone)\n",
        "        return self.record.is_failed or (not self.record.is_pending and is_gone)\n",
        (*UNKNOWN, *PARTIAL),
        "untold_records or too_little",
    ),
    Mutant(
        "untold-records-are-gone",
        "a copy whose records CBR does not tell is not gone",
        "replication/rules/decisions.py",
        "        is_unknown = standing is Standing.GONE and not observation.are_records_told\n",
        "        is_unknown = False\n",
        UNKNOWN,
    ),
    Mutant(
        "untold-status-fails-a-wait",
        "a wait goes on for a copy of which CBR tells no status",
        "replication/wait/copies.py",
        "    if record.is_pending or copy.is_untold:\n",
        "    if record.is_pending:\n",
        ("tests/unit/replication/wait/test_completion.py",),
        "without_a_status",
    ),
    Mutant(
        "other-name-of-a-region-is-another-region",
        "a record that names its region otherwise is known by its vault",
        "api/find.py",
        '        if (record.destination_vault_id or "").lower() == vault_id.lower():\n',
        "        if False:\n",
        FINDERS,
        "vault_and_project",
    ),
    Mutant(
        "other-names-of-destinations-refuse",
        "destinations under other names of regions refuse nothing",
        "api/find.py",
        " and all(is_region_id(name) for name in destinations)\n",
        "\n",
        FINDERS,
        "destinations",
    ),
    Mutant(
        "doubled-copy-is-silent",
        "several live copies of a backup in a region are told by a preview",
        "replication/rules/decisions.py",
        "    return live if len(live) > 1 else ()\n",
        "    return ()\n",
        (*UNKNOWN, *PARTIAL),
        "doubled",
    ),
    Mutant(
        "refresh-tells-no-doubled-copy",
        "several live copies of a backup in a region are told by a refresh",
        "replication/observe.py",
        "        if not (is_ours or record.is_failed) and (record.is_pending or not is_same):\n",
        "        if False:\n",
        PARTIAL,
        "doubled",
    ),
    Mutant(
        "earlier-copy-is-a-double",
        "an earlier copy whose replica is gone is no second copy",
        "replication/observe.py",
        "                found += [named] if is_there else []\n",
        "                found += [named]\n",
        PARTIAL,
        "no_double",
    ),
    Mutant(
        "tasks-of-earlier-versions-are-missed",
        "the log is searched for the tasks of earlier versions of CBR as well",
        "api/find.py",
        'COPY_OPERATIONS = ("replication", "copy")\n',
        'COPY_OPERATIONS = ("replication",)\n',
        FINDERS,
        "both_types",
    ),
    Mutant(
        "doubt-refuses-a-vault",
        "vaults of which it is not certain that CBR copies them are warned of, not refused",
        "replication/rules/fitness.py",
        'UNCERTAIN_OBJECT_TYPES = frozenset({"vmware", "workspace"})\n',
        "UNCERTAIN_OBJECT_TYPES: frozenset[str] = frozenset()\n",
        UNKNOWN,
        "as_a_whole",
    ),
    Mutant(
        "limit-stays",
        "after a declaration, a program's tracebacks are as long as before",
        "resources/_arguments/registration.py",
        "                _put_back(limit.theirs)\n",
        "                pass\n",
        REGISTRATION,
    ),
    Mutant(
        "limit-everywhere",
        "a declaration cuts no traceback of another thread",
        "resources/_arguments/registration.py",
        "self.levels.get(threading.get_ident())",
        "next(iter(self.levels.values()), None)",
        REGISTRATION,
    ),
    Mutant(
        "path-in-state",
        "the state names no file of this package",
        "resources/_arguments/registration.py",
        "_TO_CALLER = 7\n",
        "_TO_CALLER = 70\n",
        REGISTRATION,
    ),
    Mutant(
        "defaults-differ",
        "what an older state has and a newer leaves out is no difference",
        "resources/_forms/inputs.py",
        "    return {**defaults, **known}, unknown\n",
        "    return known, unknown\n",
        UPGRADE,
    ),
    Mutant(
        "wait-once",
        "a wait for other replications than before waits again",
        "resources/replications_complete.py",
        ' or _waited_for(state) != record_ids(declared["replications"])',
        "",
        ("tests/contract/test_replications_complete_provider.py",),
        "diff",
    ),
    Mutant(
        "rate-of-each",
        "processes of one account share its rate",
        "api/transport/shared_rate.py",
        "return free_at - now",
        "pass",
        SHARED_RATE,
    ),
    Mutant(
        "turn-in-a-pause",
        "a shared turn that comes during a pause is not used",
        "api/transport/pacing.py",
        "while self._clock.monotonic() < self._closed_until:\n                # The",
        "while False:\n                # The",
        SHARED_RATE,
    ),
    Mutant(
        "anybodys-credentials",
        "a stack of an account signs in by that account's variables alone",
        "commands/fleet/estate.py",
        "if name not in _SIGNING_IN and not name.startswith(_VENDORS)",
        "if name",
        FLEET,
        "account",
    ),
    Mutant(
        "estate-over-secrets",
        "the estate replaces no secret of a stack's file",
        "commands/fleet/stack_files.py",
        "    if both:\n",
        "    if not both and both:\n",
        FLEET,
        "secret or refused",
    ),
    Mutant(
        "drift-without-sames",
        "an unchanged resource is no drift: the CLI is asked for its step",
        "commands/fleet/workspace.py",
        'if args[0] == "preview" and "--refresh" in args:',
        'if args[0] == "drift":',
        FLEET,
        "drift",
    ),
)


@dataclass(frozen=True)
class Outcome:
    """The test results of a mutant."""

    mutant: Mutant
    killers: tuple[str, ...]
    count: int
    seconds: float

    def __str__(self) -> str:
        if not self.killers:
            return f"{self.mutant.name}: SURVIVED {self.count} tests ({self.seconds:.0f} s)"
        return (
            f"{self.mutant.name}: killed by {len(self.killers)} of {self.count} tests "
            f"({self.seconds:.0f} s): {', '.join(self.named)}"
        )

    @property
    def named(self) -> list[str]:
        """Return the first few of the tests that noticed, each once."""
        return list(dict.fromkeys(self.killers))[:SHOWN]


def copy_package(folder: Path) -> Path:
    """Copy the package into a folder from which it can be imported; return it."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(PROVIDER / PACKAGE, folder / PACKAGE, ignore=ignored))


def judge(mutant: Mutant) -> Outcome:
    """Run the tests of a mutant against it.

    Raises:
        MutantError: the patch does not apply, or the tests did not run.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        mutant.apply(copy_package(Path(folder)))
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        _require_imported_from(folder, environment)
        command = [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider"]
        command += ["-n", "0", *mutant.tests, *(["-k", mutant.chosen] if mutant.chosen else [])]
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TEST_LIMIT_S,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise MutantError(f"{mutant.name}: the tests did not run:\n{done.stdout}{done.stderr}")
    count = sum(map(int, re.findall(r"(\d+) (?:passed|failed)", done.stdout.splitlines()[-1])))
    failed = re.findall(r"^FAILED \S+?::([^\s\[]+)", done.stdout, re.MULTILINE)
    return Outcome(mutant, tuple(failed), count, time.monotonic() - started)


def _require_imported_from(folder: str, environment: dict[str, str]) -> None:
    code = f"import {PACKAGE}; print({PACKAGE}.__file__)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    )
    if not done.stdout.startswith(folder):
        raise MutantError(f"the tests would not see the copy, but {done.stdout.strip()}")


def row_of(outcome: Outcome) -> str:
    """Return a mutant's row of the documentation."""
    killed = f"{len(outcome.killers)} of {outcome.count}"
    named = ", ".join(f"`{name}`" for name in outcome.named)
    return f"| {outcome.mutant.rule} | {killed} | {named} |"


def with_rows(text: str, outcomes: Sequence[Outcome]) -> str:
    """Return the page of the documentation with these outcomes instead of earlier ones."""
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in text.splitlines()}
    rows |= {outcome.mutant.rule: row_of(outcome) for outcome in outcomes}
    return "\n".join(
        [
            "# Rules that tests hold",
            "",
            "Each of these rules was disabled in a copy of the package, and a few fast tests were",
            "run against it. `make mutants` does it again, and fails if no test notices.",
            "",
            "| rule | tests that notice | such as |",
            "|---|---|---|",
            *(rows[mutant.rule] for mutant in MUTANTS if mutant.rule in rows),
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the mutants; return 0 if all were killed."""
    parser = argparse.ArgumentParser(prog="python -m tools.checks.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these mutants")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    given = parser.parse_args(arguments)
    outcomes = []
    for mutant in MUTANTS:
        if given.names and mutant.name not in given.names:
            continue
        outcomes.append(judge(mutant))
        print(outcomes[-1], flush=True)
    survivors = [outcome for outcome in outcomes if not outcome.killers]
    print(f"{len(outcomes) - len(survivors)} of {len(outcomes)} mutants were killed")
    if given.write and not survivors:
        DOCUMENT.write_text(with_rows(DOCUMENT.read_text(), outcomes))
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
