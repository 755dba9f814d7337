"""The routes of IAM and CBR: who calls, what a request may contain, how an answer is written.

A module for each kind of object, and what they share. Rules of the service, and changes that take
time, do not belong here: see `cloud.rules`.
"""
