"""The commands of ``python -m pulumi_huaweicloud_cbr``, a module or a folder for each.

Code that programs or the engine need does not belong here. A module with an underscore is shared by
commands, or is part of one.
"""
