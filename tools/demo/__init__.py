"""The program of `make demo`: the whole life of some replications, against the simulator.

It shows the product to users, and checks each claim. Details for tests do not belong here, nor does
anything that needs an account.
"""
