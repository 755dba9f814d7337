"""Waiting: for one copy, for many at once, and until a replica is deleted.

Code that submits, renames or deletes does not belong here: a wait only polls, until its timeout.
"""
