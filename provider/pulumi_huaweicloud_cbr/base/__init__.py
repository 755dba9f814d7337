"""Errors, the clock and what is told to the user: what every other part needs.

What knows requests, settings or Pulumi does not belong here. These modules import nothing else
of the package.
"""
