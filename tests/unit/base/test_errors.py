"""Messages are one line, and contain no secrets."""

from __future__ import annotations

import pytest

from pulumi_huaweicloud_cbr import CbrError
from pulumi_huaweicloud_cbr.base import errors
from pulumi_huaweicloud_cbr.base.text import excerpt, redact, remember_secret


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        pytest.param(CbrError("reading it: gone"), "reading it: gone", id="bare"),
        pytest.param(CbrError("it broke", remedy="mend it"), "it broke; mend it", id="remedy"),
        pytest.param(
            CbrError("it broke", remedy="mend it", code="X.1", request_id="r"),
            "it broke; mend it [X.1, request r]",
            id="whole",
        ),
        pytest.param(CbrError("it broke", code="X.1"), "it broke [X.1]", id="code"),
    ],
)
def test_error_text(error: CbrError, shown: str) -> None:
    """`str(error)` is what was observed, a remedy, and in brackets code and request id."""
    assert shown == str(error)


def test_error_observed_omits_the_remedy() -> None:
    """`observed` has no remedy, for a user with nothing to do."""
    error = CbrError("it broke", remedy="mend it", code="X.1", request_id="r")

    assert "it broke [X.1, request r]" == error.observed
    assert "it broke" == CbrError("it broke", remedy="mend it").observed


def test_redact_password_in_an_address() -> None:
    """User and password of an address are redacted; the rest of it is not."""
    text = "no answer from 'http://me:hunter2@proxy.example.org:3128/', mail me@example.org"

    assert "from 'http://[secret]@proxy.example.org:3128/', mail me@" in redact(text)


def test_redact_known_secret() -> None:
    """A remembered secret is redacted wherever it appears."""
    remember_secret("hunter2-canary")

    assert "before [secret] after" == redact("before hunter2-canary after")
    assert "hunter2" not in str(CbrError("with hunter2-canary", remedy="or hunter2-canary"))


def test_redact_short_value_is_left_alone() -> None:
    """A value too short to be a secret does not redact ordinary words."""
    remember_secret("a")

    assert "banana" == redact("banana")


def test_redact_what_looks_like_a_token() -> None:
    """Tokens and signatures are redacted even if they were not remembered."""
    assert "token [secret]." == redact("token MII" + "A" * 60 + ".")
    assert "token [secret]" == redact("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjaSJ9.c2lnbmF0-_cmU")
    assert "[secret]" == redact("Signature=" + "0a" * 32)


def test_excerpt_redacts_before_it_cuts() -> None:
    """A secret at the edge of an excerpt is not shown in part."""
    remember_secret("canary-at-the-edge-of-it")

    shown = excerpt("x" * 240 + "canary-at-the-edge-of-it" + "y" * 100)

    assert 256 == len(shown)
    assert "canary" not in shown


def test_excerpt_is_one_line() -> None:
    """Line breaks do not break a message."""
    assert "a b c" == excerpt("a\n  b\tc")


def test_restated_keeps_what_support_asks_for() -> None:
    """The words are new; class, code, request id and status stay."""
    error = errors.NotFoundError(
        "it is gone", status=404, service_message="gone", code="X.1", request_id="r-1"
    )

    restated = error.restated(remedy="make another")

    assert type(restated) is errors.NotFoundError
    assert str(restated) == "it is gone; make another [X.1, request r-1]"
    assert (restated.status, restated.service_message) == (404, "gone")
    assert str(error) == "it is gone [X.1, request r-1]"


def test_restated_as_another_kind_is_that_kind_alone() -> None:
    """A refusal of the credentials is no answer to the request."""
    error = errors.ApiError("refused", status=401, remedy="sign in", code="X.2")

    restated = error.restated_as(errors.AuthenticationError)

    assert type(restated) is errors.AuthenticationError
    assert restated.status == 401
    assert str(restated) == "refused; sign in [X.2]"
