"""``python -m pulumi_huaweicloud_cbr check``: whether an account is ready for copies.

Code that other commands use too does not belong here: it is in the folder above. The requirements
of a copy are in `replication`.
"""
