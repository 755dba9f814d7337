"""Programs for the work on this repository: each folder serves targets of the Makefile.

What users install or run does not belong here: see `provider/` and `stacks/`. Neither do helpers
of tests: see `tests/`.
"""
