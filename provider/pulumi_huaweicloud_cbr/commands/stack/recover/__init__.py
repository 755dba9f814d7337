"""``python -m pulumi_huaweicloud_cbr recover``: remove what a killed `pulumi up` has left.

That is a lock of the backend, and pending operations of the state. Nothing here asks CBR.
"""
