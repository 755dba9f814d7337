"""The control routes under ``/_simulator/``, with the OpenAPI document of the others.

Tests and demos use them to look at the cloud, and to change it without the API. What a client of
the real services could call does not belong here.
"""
