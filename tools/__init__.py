"""Programs for the work on this repository: each folder serves targets of the Makefile.

Programs that users install or run do not belong here: see `provider/` and `stacks/`. Neither do
helpers of tests: see `tests/`.
"""
