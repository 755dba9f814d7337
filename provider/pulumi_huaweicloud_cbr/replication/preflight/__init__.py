"""Preflight: read-only checks before a submission. Will the API accept the copy?

Code that changes anything does not belong here: preflight only reads. The rules that judge its
observations are in `replication.rules`.
"""
