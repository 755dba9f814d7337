"""The commands of ``python -m pulumi_huaweicloud_cbr``, grouped by what they are about.

Code that programs or the engine need does not belong here. A module or folder with an underscore is
shared by commands, or is part of one.
"""
