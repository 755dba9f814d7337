"""Checks of the repository's text and tests: secrets, sentences, mutants, tables, the site.

Each module is a program of a Makefile target, with its own unit tests. A check of the package's
behaviour is a test, and does not belong here.
"""
