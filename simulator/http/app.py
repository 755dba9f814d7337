"""Combines the cloud, the services, the control routes and the gateway."""

from __future__ import annotations

from simulator.cloud.cloud import Cloud
from simulator.http.gateway import Gateway
from simulator.http.services import make_services


def make_app(cloud: Cloud) -> Gateway:
    """Return the simulator as one ASGI application."""
    return Gateway(make_services(), cloud)
