"""What fleets, the plugin host, the start and the simulator cost: a module for each `make bench…`.

They are run by hand, and their output is committed in `results/`. What must hold in each change is
a test, and does not belong here.
"""
