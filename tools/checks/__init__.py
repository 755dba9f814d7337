"""What checks the repository's text and its tests: secrets, sentences, mutants and tables.

Each module is a program of a target of the Makefile, with unit tests of its own. What checks the
package's behaviour is a test, and does not belong here.
"""
