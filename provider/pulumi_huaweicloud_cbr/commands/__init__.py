"""What ``python -m pulumi_huaweicloud_cbr`` can do, a module for each command."""
