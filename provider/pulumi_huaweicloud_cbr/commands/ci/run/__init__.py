"""Runs Pulumi for a pipeline: its output in files, its outcome as an exit code.

Reading what it printed does not belong here: see `plan`.
"""
