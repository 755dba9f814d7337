"""What a copy is, and how it is brought about, watched and removed.

Pulumi and HTTP do not belong here: `resources` calls this package, and this package calls `api`.
"""
