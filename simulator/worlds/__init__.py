"""Worlds: how a file is read, the demo's file, and worlds of any size for load tests.

The parts of a world do not belong here, as the cloud is made from them: see `cloud.specs`.
"""
