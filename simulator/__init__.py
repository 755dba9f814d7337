"""A local stand-in for Huawei Cloud CBR and IAM in all regions, for demos and tests.

Run it with ``python -m simulator``; drive it from tests with `simulator.testing`.
"""
