"""Commands about the package itself: its version, and the completion of its commands.

A command that needs a stack, an account or a network does not belong here.
"""
