"""``python -m pulumi_huaweicloud_cbr check``: whether an account is ready for copies.

What other commands use as well does not belong here: that is beside this folder. What a copy needs
is decided in `replication`.
"""
