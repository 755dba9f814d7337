"""Pure rules: the model, what to do, ownership, members of a set, what prevents a copy, inputs.

Code that calls the API or waits does not belong here: a rule gets observations as arguments.
"""
