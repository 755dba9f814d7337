"""The Pulumi-aware part: resources, their providers and the functions for programs.

Code that serves the engine's calls does not belong here: that is `engine`. How a copy is made is
in `replication`. States name these modules and classes, so both keep their names.
"""
