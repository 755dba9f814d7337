"""The steps of the live suite in their order, cheapest first.

They use the package itself: its client, its finders and the functions for one replication.
"""

from __future__ import annotations

from pulumi_huaweicloud_cbr.base.reporting import Reporter
from tools.live.asking import Asking
from tools.live.copying import Copying
from tools.live.ledger import Ledger
from tools.live.notes import Notes
from tools.live.observed import ObservedClient
from tools.live.plan import Plan


async def run_steps(
    api: ObservedClient, plan: Plan, notes: Notes, ledger: Ledger, report: Reporter
) -> None:
    """Run all steps; only the copy and later steps cost money.

    Raises:
        LiveError: the copy did not come about, so that nothing more can be seen.
    """
    asking = Asking(api, plan, notes, report)
    copying = Copying(api, plan, notes, ledger, report)
    for title, step in (
        ("read the backup", asking.read_backup),
        ("list with filters", asking.list_with_filters),
        ("ask for what does not exist", asking.ask_for_missing),
        ("sign with a clock that is off", asking.sign_late),
        ("read the capabilities", asking.read_capabilities),
        ("read the vault", asking.read_vault),
        ("copy the backup", copying.copy),
        ("look at the replica", copying.read_replica),
        ("look for the tasks", copying.read_tasks),
        ("rename the replica", copying.rename_replica),
        ("have a copy of the replica refused", copying.copy_the_replica),
        ("delete the replica", copying.delete),
    ):
        report.tell(title)
        await step()
    waits = ", ".join("none" if wish is None else f"{wish:.0f} s" for wish in api.throttled)
    notes.answer(
        "14.21",
        f"{len(api.throttled)} of {api.calls} requests were throttled"
        + (f"; Retry-After: {waits}" if waits else ""),
    )
