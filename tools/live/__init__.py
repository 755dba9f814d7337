"""The program of `make live`: the package against the real cloud, cheapest first, with clean-up.

It is never part of CI: it needs an account, and copies one backup. The tests run it against the
simulator, to its end and interrupted. So nothing here imports the simulator.
"""
