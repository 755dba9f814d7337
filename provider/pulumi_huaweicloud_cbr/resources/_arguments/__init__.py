"""What programs give a resource: Args classes, typed dictionaries, keywords, and their reading.

What the inputs mean to CBR does not belong here: see `replication.rules`.
"""
