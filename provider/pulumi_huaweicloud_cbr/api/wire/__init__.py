"""The wire format: requests and responses as values, error responses and error codes.

Sending does not belong here, nor do decisions about replicas. Bodies and fields of CBR are spelled
here. Paths and the body of a rename are in `client`, and IAM's sign-in is in `auth.tokens`. Names
of filters are at the calls that use them.
"""
