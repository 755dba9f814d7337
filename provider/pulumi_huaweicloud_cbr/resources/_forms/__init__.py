"""The forms of a set and of an entire vault, and what all replication resources share.

The engine's calls do not belong here: `reconciler` serves them for both forms, and
`backup_replication` for a single replication. How a copy is made is in `replication`.
"""
