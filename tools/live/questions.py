"""Open questions of the published references about CBR, as data; the suite answers some.

An answer is an observation in words. It is no proof for other regions or another day.
"""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """An open question; `reason` says why the suite does not ask it, and is empty if it does."""

    id: str
    text: str
    reason: str = ""

    @property
    def is_asked(self) -> bool:
        """Whether the suite can answer it."""
        return not self.reason


QUESTIONS = (
    Question("14.1", "HTTP status of the refusals 1002, 1003, 1005 and 1009: 400 or 500?"),
    Question("14.2", '401 "Malformed request url": a foreign project, or a missing backup?'),
    Question(
        "14.3",
        "What is cross_account_urn, and who may use it?",
        "needs a second account",
    ),
    Question(
        "14.4",
        "May a vault be copied again to a region after its replicas were deleted?",
        "copies a whole vault, twice",
    ),
    Question("14.5", "What becomes of the source's record when the replica is deleted?"),
    Question("14.6", "Name of a replica for which none was given?"),
    Question("14.7", "When is destination_backup_id known, and which status has the replica then?"),
    Question("14.8", "Does ShowBackup always include replication_records?"),
    Question("14.9", "Is the task of a copy of type copy or replication, and in which regions?"),
    Question("14.10", "Unit of billing.allocated of a vault: GB or MB?"),
    Question(
        "14.11",
        "Smallest size of a vault, longest description, most resources?",
        "makes and pays vaults",
    ),
    Question(
        "14.12",
        "Is an offset of 0 accepted where it is said?",
        "the package leaves it out, which both forms of the documents allow",
    ),
    Question("14.13", "Filter by several statuses: repeated, or separated by commas?"),
    Question("14.14", "Does the filter resource_type take more than the three documented values?"),
    Question("14.15", "Where does `incremental` stand, and does a list without it leave any out?"),
    Question("14.16", "Form of times: without a zone, or with +00:00?"),
    Question(
        "14.17",
        "Host of CBR in eu-west-101: .com or .eu?",
        "is told by any call there: set HW_REGION_NAME, and HW_ENDPOINTS for the other form",
    ),
    Question(
        "14.18",
        "Deletion of a source that is being copied, or of a replica that is being received?",
        "could leave what cannot be cleaned up",
    ),
    Question("14.19", "What is a replica's copy to a third place refused with?"),
    Question("14.20", "HTTP status of an accepted CopyBackup: 200, 201 or 202?"),
    Question("14.21", "How many requests are throttled, and is there a Retry-After?"),
    Question(
        "14.22",
        "Most replicas of a backup (1012), and how many are copied at the same time?",
        "copies many backups",
    ),
    Question("14.23", "Code for a signature of a clock that is off: APIGW.0301 or APIGW.0303?"),
    Question("14.24", "Path of the capabilities: with a hyphen, or with an underscore?"),
    Question("14.25", "DeleteBackup is called a preview: does it work, and with which status?"),
    Question(
        "14.26",
        "Does a replica show the description that was sent, with a mark at its end: while the copy "
        "runs, and after?",
    ),
    Question(
        "14.27",
        "Description of a replica for which none was given?",
        "the one copy is sent with a description, for 14.26",
    ),
)
BY_ID = {question.id: question for question in QUESTIONS}
