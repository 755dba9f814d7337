"""Questions that are asked before a copy is submitted: is it allowed, and does it fit?

What changes anything does not belong here: preflight only reads. The rules that judge the
answers are in `replication.rules`.
"""
