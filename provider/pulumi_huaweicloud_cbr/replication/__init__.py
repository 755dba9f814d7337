"""What a copy is, and how it is submitted, observed, waited for and removed.

Pulumi and HTTP do not belong here: `resources` calls this package, and this package calls `api`.
"""
