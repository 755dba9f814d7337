"""Get a Pulumi CLI with its Python language host onto this machine: `python -m tools.toolchain`.

Sources, in this order: a recent enough `pulumi` on PATH, the official release archive, a build from
the Go modules pinned in `cli/` and `language-host/`. Downloads and builds go into a cache that all
checkouts of a user share (`store.py`). A checkout gets links to it in `.toolchain/bin`.

Only the standard library is imported, so it works before anything is installed. Programs that use
the CLI do not belong here.
"""
