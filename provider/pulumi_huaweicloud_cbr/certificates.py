"""The authorities that vouch for servers, read while other things are being imported.

Reading them takes some 30 ms in which Python itself is free: a tenth of the start of an operation.
"""

from __future__ import annotations

import functools
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
        # Imported by whoever comes first, this thread or the one that needs it for itself.
        import httpx

        try:
            context.set_result(httpx.create_ssl_context())
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
