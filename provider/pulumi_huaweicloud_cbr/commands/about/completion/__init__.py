"""``python -m pulumi_huaweicloud_cbr completion``: scripts with which shells complete commands.

The words are those of the parser. What an option means does not belong here.
"""
