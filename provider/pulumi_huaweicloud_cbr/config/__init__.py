"""Settings: their names, where they come from, and which values are valid.

Code that uses settings does not belong here: `api.auth` chooses credentials, for instance. Nothing
here sends a request.
"""
