"""Commands that put a stack's state right: after a killed `up`, and for replicas to import.

They ask CBR nothing. A command that previews or updates a stack does not belong here.
"""
