"""What our plugin host adds to the SDK's plugin, as data: one row per feature and plugin cell.

`test_features.py` runs each cell with the real CLI and compares the results. The table in the
documentation is written from here.
"""

from __future__ import annotations

from dataclasses import dataclass

PLUGINS = {
    "sdk-3.255.0": "SDK's plugin, 3.255",
    "sdk-3.272.0": "SDK's plugin, 3.272",
    "host": "this host",
}


BY_NIGHT = {
    "import_command": "test_features.test_feature",
    "custom_timeouts": "test_replications_complete.test_wait_interrupted_and_timed_out_continues",
    "interrupt": "test_replications_complete.test_wait_interrupted_and_timed_out_continues",
    "exit": "test_plugin_host.test_host_never_hangs",
    "killed": "test_crash.test_crash",
}
"""Features whose own cell runs at night, with the test that proves them on the host by day."""


@dataclass(frozen=True)
class Feature:
    """A feature, and its result with each of `PLUGINS`, in their order."""

    key: str
    title: str
    seen: tuple[str, str, str]

    def cell(self, plugin: str) -> str:
        """Return the result with a plugin."""
        return self.seen[list(PLUGINS).index(plugin)]

    def runs_by_day(self, plugin: str) -> bool:
        """Whether `make test` runs a cell, not only `make test-full`.

        What the SDK's plugin does changes with its pin, and not with this package. By day whole
        lives run on it: of a single replication, a set and an entire vault.
        """
        return plugin == "host" and self.key not in BY_NIGHT


FEATURES = (
    Feature("parallel", "parallel calls, of 6 that the engine could make", ("4", "4", "6")),
    Feature("parallel_ours", "the same for this package's resources", ("6", "6", "6")),
    Feature("import_command", "`pulumi import TYPE NAME ID`", ("fails", "fails", "works")),
    Feature("import_option", "`import_` option", ("fails", "fails", "works")),
    Feature("import_file", "`import-file` and `pulumi import --file`", ("works", "works", "works")),
    Feature("get", "`BackupReplication.get`", ("works", "works", "works")),
    Feature("detailed_diff", "`preview --json` names what differs", ("no", "no", "yes")),
    Feature("replace_on_changes", "`replaceOnChanges`", ("ignored", "ignored", "replaces")),
    Feature("custom_timeouts", "`customTimeouts` on a wait", ("end it", "end it", "end it")),
    Feature("interrupt", "one Ctrl-C during a wait", ("waits on", "waits on", "ends it")),
    Feature(
        "partial",
        "replica adopted, but not renamed",
        ("found by the next `up`", "found by the next `up`", "kept in the state"),
    ),
    Feature("error", "an expected error", ("its text alone", "its text alone", "its text alone")),
    Feature(
        "progress",
        "progress of a wait",
        ("on the resource's row", "on the resource's row", "on the resource's row"),
    ),
    Feature("secrets", "outputs that contain a secret input", ("plain", "plain", "secret")),
    Feature(
        "exit", "`SystemExit` in a provider", ("the engine hangs", "the engine hangs", "an error")
    ),
    Feature("killed", "the CLI is killed", ("the plugin stays", "the plugin stays", "all ends")),
    Feature("hint", "hint about missing features", ("once", "once", "none")),
)


def table() -> str:
    """Return the features as a Markdown table."""
    head = "| | " + " | ".join(PLUGINS.values()) + " |"
    rows = [f"| {feature.title} | " + " | ".join(feature.seen) + " |" for feature in FEATURES]
    return "\n".join([head, "|---" * (len(PLUGINS) + 1) + "|", *rows])
