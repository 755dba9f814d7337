"""Tables of who may take over a replica, and who may delete it: the decisions' own answers.

The guide shows them. They follow from `decide_create` and `decide_deletion`.
"""

from __future__ import annotations

import msgspec

from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica, ReplicationRecord
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    Adopt,
    Attempt,
    Refuse,
    consequence,
    decide_create,
)
from pulumi_huaweicloud_cbr.replication.rules.inputs import ADOPT_ANY
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication, Identity
from pulumi_huaweicloud_cbr.replication.rules.ownership import (
    Deletion,
    DeletionRules,
    Maker,
    Removal,
    decide_deletion,
    mark_of,
)

_OURS, _THEIRS = "dr/prod", "shop/prod"
_MADE_BY = {
    "this stack": Maker.US,
    "another stack": Maker.ANOTHER_STACK,
    "somebody else: no mark": Maker.SOMEBODY,
    "nobody knows yet: the copy runs": Maker.NOT_SHOWN,
}
_ADOPT: dict[str, bool | str] = {"true": True, "false": False, ADOPT_ANY: ADOPT_ANY}
_DELETED = {
    "removed from the program, or `destroy`": DeletionRules(Removal.REMOVED),
    "the same, with `force_destroy`": DeletionRules(Removal.REMOVED, is_forced=True),
    "replaced": DeletionRules(Removal.REPLACED, is_forced=True),
    "rolled off by `keep_newest`": DeletionRules(Removal.ROLLED_OFF),
}
_SITUATIONS = {
    "another stack's mark": (_THEIRS, True),
    "the source is gone: the last copy": (None, True),
    "anything else": (_OURS, False),
}
_FATES = {
    Deletion.DELETE: "deleted",
    Deletion.LEAVE: "left, with a warning",
    Deletion.REFUSE: "**refused**",
}


def adoption_table() -> str:
    """Return what a create does with an existing copy: by its maker, and by `adopt`."""
    head = ["the copy was made by", *(f"`adopt: {words}`" for words in _ADOPT)]
    rows = [
        [words, *(_adopted(maker, adopt) for adopt in _ADOPT.values())]
        for words, maker in _MADE_BY.items()
    ]
    return _table(head, rows)


def deletion_table() -> str:
    """Return what a deletion does with a replica: by what is found, and by the reason."""
    rows = [
        [words, *(_deleted(rules, *found) for rules in _DELETED.values())]
        for words, found in _SITUATIONS.items()
    ]
    return _table(["the replica, just before the request", *_DELETED], rows)


def _adopted(maker: Maker, adopt: bool | str) -> str:
    owner = {Maker.US: _OURS, Maker.ANOTHER_STACK: _THEIRS}.get(maker)
    scope = ProjectScope("r", "p")
    desired = DesiredReplication("b", scope, scope, "v", adopt=adopt, identity=Identity(_OURS))
    decision = decide_create(desired, [_attempt(maker, owner)])
    if isinstance(decision, Refuse):
        return "refused; the stack is named" if owner and owner in decision.reason else "refused"
    if not isinstance(decision, Adopt):
        raise TypeError(f"an existing copy is neither adopted nor refused: {decision}")
    said = consequence(maker, owner)
    if maker is Maker.NOT_SHOWN and said:
        return "adopted; the mark decides as soon as CBR shows it"
    return "adopted, with a message" if said else "adopted"


def _attempt(maker: Maker, owner: str | None) -> Attempt:
    is_shown = maker is not Maker.NOT_SHOWN
    record = msgspec.convert(
        {
            "id": "r",
            "status": "success" if is_shown else "replicating",
            "destination_region": "r",
            "destination_project_id": "p",
            "destination_vault_id": "v",
        },
        ReplicationRecord,
    )
    text = mark_of(owner) if owner else None
    shown = Replica("x", Backup(id="x", status="available", description=text))
    return Attempt(record, shown if is_shown else None)


def _deleted(rules: DeletionRules, owner: str | None, is_source_gone: bool) -> str:
    ours = DeletionRules(rules.removal, frozenset({_OURS}), rules.is_forced)
    return _FATES[decide_deletion(ours, owner, None, is_source_gone=is_source_gone)]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])
