"""Combines the cloud, the services, the control routes and the gateway."""

from __future__ import annotations

from simulator.cloud import Cloud
from simulator.gateway import Gateway
from simulator.services import make_services


def make_app(cloud: Cloud) -> Gateway:
    """Return the simulator as one ASGI application."""
    return Gateway(make_services(), cloud)
