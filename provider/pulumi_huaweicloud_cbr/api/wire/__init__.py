"""The wire format: requests and answers as values, error responses and error codes.

What sends a request does not belong here, nor a decision about replicas. Wire spelling stays in
this package.
"""
