"""Errors, text, times, reports to the user, the state of the process: all other parts use it.

Code that knows requests, settings or Pulumi does not belong here. These modules import nothing else
of the package.
"""
