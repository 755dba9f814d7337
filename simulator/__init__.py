"""A local stand-in for Huawei Cloud CBR and IAM in all regions, for demos and tests.

Run it with ``python -m simulator``; drive it from tests with `simulator.testing`. At the top are
only the modules that start it or that tests use. A request goes down through `http`, `routes` or
`control`, and `cloud`. Nothing here imports the provider.
"""
