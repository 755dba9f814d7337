"""``python -m pulumi_huaweicloud_cbr backups``: backups of a region, and where their copies are.

It reads only. Whether a copy is possible does not belong here: see `commands.check`.
"""
