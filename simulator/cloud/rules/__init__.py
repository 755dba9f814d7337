"""The rules of CBR: what is refused, what a request starts, and how it goes on.

A module for each kind of object or change. The tables and the clock do not belong here: the folder
above has them. Neither does the format of answers: see `routes.wire`.
"""
