"""Pure rules about the members of a set: which change, which stay and for how long, their labels.

What becomes of one copy does not belong here: see `rules.decisions` and `rules.ownership`.
"""
