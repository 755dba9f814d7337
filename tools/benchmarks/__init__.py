"""The cost of fleets, the plugin host, the start and the simulator, a module per `make bench…`.

They are run by hand, and their output is committed in `results/`. A requirement for each change is
a test, and does not belong here.
"""
