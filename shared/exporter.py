"""Serves Prometheus metrics on loopback, where a command was given a port; without one nothing listens."""

from __future__ import annotations  # the library is imported where metrics are asked for

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.errors import FileError, Problem

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

LOOPBACK = "127.0.0.1"


@contextmanager
def exported(port: int | None, collector: Collector | None) -> Iterator[None]:
    """Serve what a collector gathers at each request, until the end of the block; FileError where the port is taken."""
    if port is None or collector is None:
        yield
        return
    from prometheus_client import CollectorRegistry, start_http_server

    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    try:
        server, thread = start_http_server(port, addr=LOOPBACK, registry=registry)
    except OSError:
        rule = f"port {port} of {LOOPBACK} cannot be listened at"
        raise FileError([Problem("--metrics", "", rule, "choose another")]) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
