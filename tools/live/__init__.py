"""What `make live` runs: the package against the real cloud, cheapest first, cleaned up after.

Never part of CI: it needs an account, and copies one backup. The tests run it against the
simulator, to its end and interrupted. So nothing here knows the simulator.
"""
