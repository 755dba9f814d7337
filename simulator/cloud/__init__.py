"""The cloud: the state of all regions, its clock, and what the cloud is made from.

Everything that a reset restores is here, also faults that wait and calls that were counted.
Handlers and connections do not belong here; the table of operations does, because faults and limits
name them. Refusals are here as values, since the rules raise them.
"""
