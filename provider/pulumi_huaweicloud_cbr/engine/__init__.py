"""Between us and Pulumi: the engine's calls, messages and session.

In programs, it warns of the configuration, and ends those that Pulumi interrupts.

What a resource declares or does in a call does not belong here: that is `resources`. Rules about
copies are in `replication`.
"""
