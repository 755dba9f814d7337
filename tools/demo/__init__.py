"""What `make demo` runs: the whole life of some replications, against the simulator.

It shows what users get, and checks each claim. What only tests look at does not belong here, nor
does anything that needs an account.
"""
