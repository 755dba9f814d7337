"""Credentials: which of them are used, and how they authorise a request.

Sending does not belong here: `api.client` sends what an authorisation yields. The exception is
`chain`, where the vendor's SDK sends its own requests for keys. `config` reads the settings.
"""
