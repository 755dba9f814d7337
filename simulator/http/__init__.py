"""The HTTP side: the application, the gateway in front of it, the journal, broken connections.

What one operation accepts and answers does not belong here: see `routes`. Neither do scripted
faults and rate limits: they are part of a cloud's state, which a reset restores.
"""
