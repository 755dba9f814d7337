"""Get a Pulumi CLI with its Python language host onto this machine: `python -m tools.toolchain`.

Sources, in this order: a recent enough `pulumi` on PATH, the official release archive, a build from
the Go modules pinned in `cli/` and `language-host/`. What is downloaded or built lands in a cache
that all checkouts of a user share (`store.py`); a checkout gets links to it in `.toolchain/bin`.

Only the standard library is imported, so that it works before anything is installed. What uses the
CLI does not belong here.
"""
