"""The trusted certificate authorities: the same as for httpx, from the same variables."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from pulumi_huaweicloud_cbr.api.transport.tls import begin_reading, usual_context


@pytest.fixture(autouse=True)
def read_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove this machine's variables, and the context that was read before."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    begin_reading.cache_clear()
    yield
    begin_reading.cache_clear()


def trusted(context: ssl.SSLContext) -> object:
    """Return everything that decides whether a server is trusted."""
    return (
        context.verify_mode,
        context.check_hostname,
        context.minimum_version,
        sorted(context.get_ca_certs(binary_form=True)),
    )


@pytest.mark.parametrize("variable", [None, "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_authorities_are_those_of_httpx(
    variable: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same servers are trusted as by httpx, whichever variable is set."""
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    if variable is not None:
        monkeypatch.setenv(variable, str(file if variable == "SSL_CERT_FILE" else tmp_path))

    ours = usual_context()

    assert trusted(httpx.create_ssl_context()) == trusted(ours)
    assert (variable is None) == (len(ours.get_ca_certs()) > 1)


def test_file_goes_before_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If both variables are set, the file is used, as by httpx."""
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "empty"))

    assert trusted(httpx.create_ssl_context()) == trusted(usual_context())
    assert 1 == len(usual_context().get_ca_certs())


def test_authorities_are_read_once() -> None:
    """All connections of a process share the context."""
    assert usual_context() is usual_context()
