"""Waiting: the poll loop, the wait for many copies, and the wait for a deletion.

The wait for one copy is `one.settle`. Code that submits, renames or deletes does not belong here: a
wait only polls, until its timeout.
"""
