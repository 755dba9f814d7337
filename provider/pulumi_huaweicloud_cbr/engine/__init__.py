"""How the engine's calls reach us: the call, its operation, messages, the session, worker limits.

What a resource declares or does in a call does not belong here: that is `resources`. Rules about
copies are in `replication`.
"""
