"""Commands that ask CBR: whether an account is ready, what it has, and who owns it.

A command that changes a stack, or that runs a preview, does not belong here.
"""
