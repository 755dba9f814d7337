"""The routes of IAM: tokens, and the lists of accounts, users and projects that a caller sees.

Who may call CBR does not belong here: see `routes.caller` and `routes.signatures`.
"""
