"""Waiting: for one copy, for many at once, and until a replica is deleted.

What submits, renames or deletes does not belong here: a wait only looks, until its limit.
"""
