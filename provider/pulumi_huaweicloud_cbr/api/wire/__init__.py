"""The wire format: requests and responses as values, error responses and error codes.

Sending does not belong here, nor do decisions about replicas. Wire spelling stays in this package.
"""
