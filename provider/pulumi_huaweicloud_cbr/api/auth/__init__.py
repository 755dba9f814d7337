"""Credentials: which of them count, and how they authorise a request.

How a request is sent does not belong here: that is `api.transport`. Settings are read in
`config`.
"""
