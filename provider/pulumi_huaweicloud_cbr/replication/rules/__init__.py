"""Pure rules: what to do, the members of a set, what prevents a copy, valid inputs.

Code that calls the API or waits does not belong here: a rule gets observations as arguments.
"""
