"""What `make demo` runs: the whole life of some replications, against the simulator."""
