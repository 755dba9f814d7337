"""The certificate authorities that are trusted, read on a thread while modules are imported.

Reading them takes some 30 ms, and does not block other Python threads.
"""

from __future__ import annotations

import functools
import os
import ssl
import threading
from concurrent.futures import Future


@functools.cache
def begin_reading() -> Future[ssl.SSLContext]:
    """Begin to read them on a thread; once for each process.

    They are the authorities that httpx trusts: those of certifi, or of SSL_CERT_FILE or
    SSL_CERT_DIR.
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
    """Return the context for connections without a caFile; wait until it is read.

    Raises:
        OSError: SSL_CERT_FILE or SSL_CERT_DIR cannot be read.
        ssl.SSLError: the file or directory contains no certificates.
    """
    return begin_reading().result()


def _usual_context() -> ssl.SSLContext:
    # The same as `httpx.create_ssl_context`. That one would import httpx first; here the import and
    # the reading run at the same time.
    if file := os.environ.get("SSL_CERT_FILE"):
        return ssl.create_default_context(cafile=file)
    if directory := os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context(capath=directory)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())
