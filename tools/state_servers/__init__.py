"""Servers that keep Pulumi's state, for tests and benchmarks: PostgreSQL, and one that speaks S3.

They listen on the loopback address, on a free port, and store in a temporary folder. A guard ends
each of them when its user ends, however that happens. ``python -m tools.state_servers`` provides
what they need. Nothing here is a part of the package, and nothing knows the package.
"""
