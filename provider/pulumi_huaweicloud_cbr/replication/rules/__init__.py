"""Pure rules: what to do, who belongs to a set, what keeps a copy back, valid inputs.

What calls the API or waits does not belong here: a rule is given what was observed.
"""
