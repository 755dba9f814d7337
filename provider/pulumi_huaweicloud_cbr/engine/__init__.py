"""How the engine's calls reach us: call, operation, messages, session, workers.

What a resource declares or does in a call does not belong here: that is `resources`. Rules about
copies are in `replication`.
"""
