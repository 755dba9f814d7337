"""The cloud: the state of all regions, its clock, and what the cloud is made from.

Everything that a reset restores is here, also faults that wait and calls that were counted. Routes
and connections do not belong here. Refusals are here as values, since the rules raise them.
"""
