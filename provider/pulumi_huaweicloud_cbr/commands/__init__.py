"""What ``python -m pulumi_huaweicloud_cbr`` can do, a module for each command.

What programs or the engine need does not belong here. A module with an underscore is shared by
commands, or is part of one.
"""
