"""``python -m pulumi_huaweicloud_cbr owners``: which replicas have an owner, and which have none.

It reads only. What a mark means does not belong here: see `replication.rules.ownership`.
"""
