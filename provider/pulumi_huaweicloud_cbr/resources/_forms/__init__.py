"""The forms of replication: what a single one, a set and an entire vault do in their own way.

What is the same for sets and entire vaults does not belong here: that is `_reconciler`. How a copy
is made is in `replication`.
"""
