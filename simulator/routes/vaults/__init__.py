"""The routes of vaults: lists, changes, contents, tags.

The policies of vaults do not belong here, and neither does what a copy needs of a vault: see
`routes.policies` and `cloud.rules`.
"""
