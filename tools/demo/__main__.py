"""`python -m tools.demo`: preview, copy, compare, drift, repair, destroy; each claim is checked."""

from __future__ import annotations

import argparse
import io
import re
import sys

from rich.console import Console
from rich.table import Table

from tools.demo.interrupts import Interrupted, Interrupts
from tools.demo.workspace import STACK, DemoError, Workspace

_PROGRESS = re.compile(r"\d+ of \d+ done.*; slowest: .*")
"""The form of `ReplicationsComplete`'s progress at the end of a row."""


class Demo:
    """The steps, in their order."""

    def __init__(self, workspace: Workspace, console: Console, *, verbose: bool) -> None:
        self._work = workspace
        self._console = console
        self._verbose = verbose
        self._step = 0

    def run(self) -> None:
        """Run all steps.

        Raises:
            DemoError: a step did not do what it was to show.
        """
        self.preview()
        self.replicate()
        self.compare()
        self.repeat()
        self.drift()
        self.repair()
        self.destroy()

    def preview(self) -> None:
        """Show that a preview reports the changes, and writes nothing."""
        self._head("pulumi preview", "what would be copied; the API is asked, nothing is written")
        self._show(self._work.pulumi("preview"))
        written = [
            entry
            for entry in self._work.control.journal()
            if entry["method"] != "GET" and entry["operation"] != "CreateToken"
        ]
        self._claim(not written, "the simulator saw no write")

    def replicate(self) -> None:
        """Create the replicas."""
        self._head("pulumi up", "submit the copies, keep their records in the state, wait for all")
        output = self._work.pulumi("up", "--yes", "--skip-preview")
        self._show_waiting(output)
        self._show(output)
        posts = self._work.control.journal(operation="CopyBackup")
        state = self._work.state()
        self._claim(len(state) > 1, f"{len(state)} replications are in the state")
        self._claim(len(posts) == len(state), "one submission was sent for each")
        self._claim(self._is_all_copied(), "all copies had ended when it returned")

    def compare(self) -> None:
        """Record the replicas' ids, and show both sides next to each other."""
        self._head("pulumi refresh", "look again, and record the ids of the replicas")
        self._show(self._work.pulumi("refresh", "--yes", "--skip-preview"))
        state = self._work.state()
        records = {record["id"]: record for record in self._work.control.records()}
        replicas = {replica["id"]: replica for replica in self._work.control.replicas()}
        table = Table("replication", "id of the", "in the stack's state", "in the simulator", "")
        is_same = True
        for name, outputs in sorted(state.items()):
            record = records.get(outputs["id"], {})
            replica = replicas.get(record.get("destination_backup_id", ""), {})
            for what, ours, theirs in (
                ("record", outputs["id"], record.get("id")),
                ("replica", outputs.get("destination_backup_id"), replica.get("id")),
                (
                    "restore point",
                    outputs.get("destination_checkpoint_id"),
                    replica.get("checkpoint_id"),
                ),
                ("vault", outputs["destination_vault_id"], replica.get("vault_id")),
                ("project", outputs["destination_project_id"], replica.get("project_id")),
            ):
                same = ours is not None and ours == theirs
                is_same = is_same and same
                title = name if what == "record" else ""
                table.add_row(title, what, str(ours), str(theirs), "same" if same else "DIFFERENT")
            table.add_section()
        self._console.print(table)
        self._claim(is_same, "state and simulator name the same ids")

    def repeat(self) -> None:
        """Show that a second `up` changes nothing."""
        self._head("pulumi up, again", "nothing to do")
        before = len(self._work.control.journal(operation="CopyBackup"))
        self._show(self._work.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes"))
        after = len(self._work.control.journal(operation="CopyBackup"))
        self._claim(after == before, "no change, and nothing was submitted")

    def drift(self) -> None:
        """Delete a replica without Pulumi, and find it missing."""
        name, outputs = min(self._work.state().items())
        self._head("drift", f"the replica of {name} is deleted in the console; refresh finds out")
        self._work.control.forget_backup(outputs["destination_backup_id"])
        self._show(self._work.pulumi("refresh", "--yes", "--skip-preview"))
        self._claim(name not in self._work.state(), f"{name} is known to be gone")
        self._lost = name

    def repair(self) -> None:
        """Restore the lost replica."""
        self._head("pulumi up", "what is declared and does not exist is copied again")
        self._show(self._work.pulumi("up", "--yes", "--skip-preview"))
        record_id = self._work.state()[self._lost]["id"]
        found = {record["id"]: record for record in self._work.control.records()}
        replicas = {replica["id"] for replica in self._work.control.replicas()}
        replica_id = found[record_id]["destination_backup_id"]
        self._claim(replica_id in replicas, f"{self._lost} has a replica again ({replica_id})")

    def destroy(self) -> None:
        """Delete everything, and show that nothing is left."""
        own = {record["destination_backup_id"] for record in self._work.control.records()}
        self._head("pulumi destroy", "delete the replicas and wait until they are gone")
        self._show(self._work.pulumi("destroy", "--yes", "--skip-preview"))
        left = [row for row in self._work.control.replicas() if row["id"] in own]
        self._claim(not left, "the simulator holds none of the replicas any more")
        self._claim(not self._work.state(), "the state is empty")

    def _is_all_copied(self) -> bool:
        return {"success"} == {record["status"] for record in self._work.control.records()}

    def _head(self, title: str, meaning: str) -> None:
        self._step += 1
        self._console.print()
        self._console.print(f"[bold]{self._step}. {title}[/bold]: {meaning}", highlight=False)

    def _show(self, output: str) -> None:
        lines = [line for line in output.splitlines() if line.strip()]
        if not self._verbose:
            start = next((n for n, line in enumerate(lines) if line == "Resources:"), len(lines))
            lines = [line for line in lines[start + 1 :] if line.startswith("    ")]
        for line in lines:
            self._console.print(f"   {line.strip()}", highlight=False, markup=False)

    def _show_waiting(self, output: str) -> None:
        """Show the progress lines of the wait."""
        if not self._verbose:
            for line in dict.fromkeys(_PROGRESS.findall(output)):
                self._console.print(f"   {line}", highlight=False, markup=False)

    def _claim(self, is_true: bool, claim: str) -> None:
        if not is_true:
            raise DemoError(f"not so: {claim}")
        self._console.print(f"   [green]ok[/green] {claim}", highlight=False)


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave state and simulator database")
    parser.add_argument("--verbose", action="store_true", help="show what pulumi prints in full")
    options = parser.parse_args()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    # Two ids are side by side in the table; a log has no width of its own.
    console = Console(width=None if sys.stdout.isatty() else 132)
    interrupts = Interrupts()
    interrupts.install()
    workspace = Workspace(interrupts, keep=options.keep)
    try:
        with workspace:
            console.print(
                f"A simulator of CBR and IAM serves all regions at {workspace.url}; the stack "
                f"'{STACK}' has a backend of its own. No account is used.",
                highlight=False,
            )
            Demo(workspace, console, verbose=options.verbose).run()
    except DemoError as error:
        console.print(f"[red]demo failed[/red]: {error}", highlight=False)
        return 1
    except Interrupted as interrupted:
        console.print("interrupted; cleaned up", highlight=False)
        return interrupted.code
    console.print()
    if options.keep:
        console.print(f"Kept: {workspace.directory}", highlight=False)
    console.print("[bold green]The demo did all of it.[/bold green]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
