"""What tells who has a replication: notes of the operation, the stack's name, and its state.

What follows from that does not belong here: see `resources._forms.owners`, and the pure rules in
`replication.rules.ownership`.
"""
