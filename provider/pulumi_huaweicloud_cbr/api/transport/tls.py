"""The authorities that vouch for servers, read while other things are being imported.

Reading them takes some 30 ms, in which Python itself is free.
"""

from __future__ import annotations

import functools
import os
import ssl
import threading
from concurrent.futures import Future


@functools.cache
def begin_reading() -> Future[ssl.SSLContext]:
    """Begin to read them in a thread of its own; once for each process.

    They are those that httpx takes: of certifi, or of SSL_CERT_FILE or SSL_CERT_DIR.
    """
    context: Future[ssl.SSLContext] = Future()

    def read() -> None:
        try:
            context.set_result(_usual_context())
        except (OSError, ssl.SSLError) as error:
            context.set_exception(error)

    threading.Thread(target=read, name="cbr-certificates", daemon=True).start()
    return context


def usual_context() -> ssl.SSLContext:
    """Return the context for connections where no caFile is given; waits until it is read.

    Raises:
        OSError: SSL_CERT_FILE or SSL_CERT_DIR cannot be read.
        ssl.SSLError: what they name holds no certificates.
    """
    return begin_reading().result()


def _usual_context() -> ssl.SSLContext:
    # What `httpx.create_ssl_context` does, which would import httpx first: that and the reading go
    # on at the same time so.
    if file := os.environ.get("SSL_CERT_FILE"):
        return ssl.create_default_context(cafile=file)
    if directory := os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context(capath=directory)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())
