"""What makes, shows, measures and checks the project: each folder serves targets of the Makefile.

What users install does not belong here (`provider/`), nor do programs of theirs (`stacks/`). What
tests alone need lies in `tests/`.
"""
