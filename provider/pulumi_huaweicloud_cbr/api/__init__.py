"""CBR and IAM as typed calls: a method for each operation, a model for each answer.

What to do about an answer does not belong here: `replication` decides that. Requests are sent
from this package only.
"""
