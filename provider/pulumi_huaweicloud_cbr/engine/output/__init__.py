"""What calls of the engine tell the user: messages, warnings of settings, facts for `ci preview`.

What is worth telling does not belong here: that is decided where it is found.
"""
