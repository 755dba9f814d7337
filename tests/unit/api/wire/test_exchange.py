"""Requests and responses as values: header names in any case, and no secret in printed output."""

from __future__ import annotations

import pytest

from pulumi_huaweicloud_cbr.api.wire.exchange import Headers, Request
from tests.unit.wire import answered


def test_headers_are_found_in_any_case() -> None:
    """A name matches in any case; it is sent in the case in which it was set last."""
    headers = Headers([("X-Auth-Token", "one"), ("Accept", "json")])

    headers["x-auth-TOKEN"] = "two"

    assert "two" == headers["X-AUTH-TOKEN"]
    assert "ACCEPT" in headers
    assert headers.get("Date") is None
    assert [("x-auth-TOKEN", "two"), ("Accept", "json")] == list(headers.items())
    assert list(headers.items()) == list(headers.fields)


def test_headers_that_come_again_are_one() -> None:
    """Values of one name are joined, in the order in which they came."""
    headers = Headers([("X-A", "one"), ("Date", "now"), ("x-a", "two"), ("X-A", "three")])

    assert "one, two, three" == headers["X-A"]
    assert 2 == len(headers)


def test_headers_can_be_left_out() -> None:
    """A removed field is neither found nor sent."""
    headers = Headers([("X-Security-Token", "one")])

    assert "one" == headers.pop("x-security-token")
    assert headers.pop("x-security-token", None) is None
    assert [] == list(headers)


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://cbr.example/v3/a%20b?x=1", "cbr.example", "/v3/a b"),
        ("http://[fd00::1]:8080/v3", "fd00::1", "/v3"),
        ("mailto:nobody", "", "nobody"),
    ],
)
def test_request_knows_its_host_and_path(url: str, host: str, path: str) -> None:
    """In readable form: without brackets, decoded, and without the query."""
    request = Request("GET", url)

    assert (host, path) == (request.host, request.path)


@pytest.mark.parametrize(
    ("status", "is_success"), [(199, False), (200, True), (299, True), (300, False)]
)
def test_response_of_2xx_is_a_success(status: int, is_success: bool) -> None:
    """No other status is a success, least of all a redirection."""
    assert is_success == answered(status).is_success


def test_response_that_is_no_text_is_shown_all_the_same() -> None:
    """A body that is not UTF-8 has a mark for each invalid byte."""
    response = answered(200)
    response.body = b"a\xffb\xe5"

    assert "a\ufffdb\ufffd" == response.text


def test_nothing_secret_is_printed() -> None:
    """Headers and bodies contain tokens and passwords: no form of printing shows them."""
    secret = "not-a-secret-canary"
    request = Request("POST", "https://iam.example/", Headers([("T", secret)]), secret.encode())
    response = answered(201, secret, headers={"X-Subject-Token": secret}, request=request)

    for value in (request, request.headers, response, response.headers):
        assert secret not in repr(value)
        assert secret not in str(value)
    assert "<HTTP 201 to <POST https://iam.example/>>" == repr(response)
