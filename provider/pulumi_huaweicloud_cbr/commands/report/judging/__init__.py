"""Compute a report from what was read. All of it is pure.

`subjects` collects what there is, `verdicts` judges it, and `rooms` counts vaults and flows.
`ages` tells how old a copy is; `judge` puts the parts together.
"""
