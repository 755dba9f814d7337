"""Error envelopes and success bodies, as other people's services really send them."""

from __future__ import annotations

import email.utils
import time

import httpx
import pytest

from pulumi_huaweicloud_cbr import ApiError, MalformedResponseError, NotFoundError
from pulumi_huaweicloud_cbr.models import BackupEnvelope
from pulumi_huaweicloud_cbr.responses import decode, error_of, parse_error, retry_after_s

ENVELOPES = [
    pytest.param(
        '{"error_code":"BackupService.6200","error_msg":"gone"}',
        "BackupService.6200",
        "gone",
        id="cbr",
    ),
    pytest.param(
        '{"error_msg":"m","error_code":"APIGW.0301","request_id":"r"}',
        "APIGW.0301",
        "m",
        id="gateway",
    ),
    pytest.param(
        '{"error":{"code":401,"message":"wrong","title":"t"}}', "401", "wrong", id="keystone"
    ),
    pytest.param('{"error":{"code":"X.0000","message":"m"}}', "X.0000", "m", id="policy"),
    pytest.param(
        '{"unauthorized":{"code":"401","message":"Malformed request url"}}',
        "401",
        "Malformed request url",
        id="unauthorized",
    ),
    pytest.param('{"errorCode":"A.1","errorMsg":"m"}', "A.1", "m", id="camel-case"),
    pytest.param('{"code":"A.2","message":"m"}', "A.2", "m", id="plain"),
    pytest.param(
        '{"error_code":"A.3","error_msg":"备份不存在","encoded_authorization_message":"e"}',
        "A.3",
        "备份不存在",
        id="localised",
    ),
    pytest.param("<html>bad gateway</html>", None, "<html>bad gateway</html>", id="html"),
    pytest.param("", None, "", id="empty"),
    pytest.param("[1]", None, "[1]", id="list"),
    pytest.param('{"error":null}', None, '{"error":null}', id="no-code"),
]


@pytest.mark.parametrize(("text", "code", "message"), ENVELOPES)
def test_parse_error_reads_every_envelope(text: str, code: str | None, message: str) -> None:
    """Each envelope gives its code and its message; what is none is its own message."""
    envelope = parse_error(text)

    assert (code, message) == (envelope.code, envelope.message)


def test_parse_error_tells_the_unauthorized_envelope_apart() -> None:
    """Only the OpenStack-style fault is the one about the project in the path."""
    assert parse_error('{"unauthorized":{"code":"401","message":"m"}}').is_unauthorized_url
    assert not parse_error('{"error":{"code":401,"message":"m"}}').is_unauthorized_url


def test_parse_error_shortens_a_long_body() -> None:
    """A body is never quoted at length."""
    assert len(parse_error("x" * 100_000).message) == 256


@pytest.mark.parametrize(
    ("status", "text", "kind", "shown"),
    [
        pytest.param(
            404,
            '{"error_code":"BackupService.6200","error_msg":"The backup does not exist."}',
            NotFoundError,
            "reading it: HTTP 404: The backup does not exist; check the backup id, its project and "
            "its region [BackupService.6200, request abc]",
            id="missing",
        ),
        pytest.param(
            502,
            "",
            ApiError,
            "reading it: HTTP 502: the answer was empty; run pulumi up again later [request abc]",
            id="empty-502",
        ),
        pytest.param(
            401,
            '{"error":{"code":401,"message":"wrong","title":"t"}}',
            ApiError,
            "reading it: HTTP 401: wrong; check the credentials and that they belong to this cloud "
            "and region [request abc]",
            id="status-as-code-is-not-repeated",
        ),
    ],
)
def test_error_of_is_one_readable_line(
    status: int, text: str, kind: type[ApiError], shown: str
) -> None:
    """What was done, what was observed, what to do, the code and the request id: one line."""
    response = httpx.Response(status, text=text, headers={"X-Request-Id": "abc"})

    error = error_of(response, "reading it")

    assert kind is type(error)
    assert shown == str(error)


def test_error_of_takes_the_request_id_of_the_body_or_iam() -> None:
    """A request id is found in the header of either service, else in the body."""
    by_body = httpx.Response(
        429, json={"error_code": "APIGW.0308", "error_msg": "m", "request_id": "b"}
    )
    by_iam = httpx.Response(500, headers={"X-IAM-Trace-Id": "t"})

    assert "b" == error_of(by_body, "d").request_id
    assert "t" == error_of(by_iam, "d").request_id


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", None), ("12", 12.0), ("soon", None), ("-3", None)],
    ids=["none", "seconds", "nonsense", "negative"],
)
def test_retry_after_in_seconds(value: str, expected: float | None) -> None:
    """The number of seconds is read; nonsense is no wish."""
    assert expected == retry_after_s(httpx.Response(429, headers={"Retry-After": value}))


def test_retry_after_as_a_date() -> None:
    """The form with a date counts from now, and is never negative."""
    later = email.utils.formatdate(time.time() + 3600, usegmt=True)
    past = email.utils.formatdate(0, usegmt=True)

    wished = retry_after_s(httpx.Response(429, headers={"Retry-After": later}))
    assert wished is not None
    assert 3000 < wished <= 3601
    assert 0.0 == retry_after_s(httpx.Response(429, headers={"Retry-After": past}))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"backup": null}', '{"backup": {"id": 7}}', "<html></html>"],
    ids=["empty", "truncated", "list", "null", "wrong-type", "html"],
)
def test_decode_of_another_form_is_an_error(text: str) -> None:
    """A success that is not of the documented form is told, and is no success."""
    with pytest.raises(MalformedResponseError) as caught:
        decode(httpx.Response(200, text=text), BackupEnvelope, "reading it")

    assert "reading it: the answer is not of the documented form" in str(caught.value)


def test_decode_is_lenient_where_the_samples_are() -> None:
    """Nulls, unknown fields and unknown statuses are taken as they are."""
    text = '{"backup": {"id": "b", "status": "new", "expired_at": null, "more": 1}, "x": 2}'

    backup = decode(httpx.Response(200, text=text), BackupEnvelope, "reading it").backup

    assert ("b", "new", ()) == (backup.id, backup.status, backup.records)
