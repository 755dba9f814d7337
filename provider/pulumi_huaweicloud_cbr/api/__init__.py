"""CBR and IAM as typed calls: a method for each operation, a model for each response.

Decisions about a response do not belong here: `replication` makes them. Only this package sends
requests.
"""
