"""The form of a set, member by member: what is declared, what rolls off, and what is done.

What an entire vault does too does not belong here: see the modules beside this folder.
"""
