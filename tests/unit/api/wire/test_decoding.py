"""Error envelopes and success bodies in the forms that services really send."""

from __future__ import annotations

import email.utils
import time

import pytest

from pulumi_huaweicloud_cbr import ApiError, MalformedResponseError, NotFoundError
from pulumi_huaweicloud_cbr.api.wire.answers import BackupEnvelope
from pulumi_huaweicloud_cbr.api.wire.decoding import decode, error_of, parse_error, retry_after_s
from tests.unit.wire import answered

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
    pytest.param(
        '{"error":{"code":"PAP5.0010","message":"没有权限"},"encoded_authorization_message":"e"}',
        "PAP5.0010",
        "没有权限",
        id="policy-check",
    ),
    pytest.param('{"error_code":6200,"error_msg":"m"}', "6200", "m", id="numeric-code"),
    pytest.param('{"code":404,"message":"m"}', "404", "m", id="numeric-status"),
    pytest.param(
        '{"code":"A.5","message":"m","error_code":"A.4","error_msg":"n"}',
        "A.4",
        "n",
        id="first-spelling-counts",
    ),
    pytest.param('{"error_code":"A.6"}', None, '{"error_code":"A.6"}', id="code-alone"),
    pytest.param('{"error_code":"A.7","error_msg":""}', "A.7", "", id="empty-message"),
    pytest.param(
        '{"errors":[{"code":"A.8","message":"m"}]}',
        None,
        '{"errors":[{"code":"A.8","message":"m"}]}',
        id="list-of-errors",
    ),
    pytest.param(
        "<html>\r\n<head><title>503</title></head>\r\n</html>",
        None,
        "<html> <head><title>503</title></head> </html>",
        id="html-lines",
    ),
    pytest.param('"down"', None, '"down"', id="text"),
    pytest.param("upstream \x1b[31mdied", None, "upstream \ufffd[31mdied", id="terminal-codes"),
]


@pytest.mark.parametrize(("text", "code", "message"), ENVELOPES)
def test_parse_error_reads_every_envelope(text: str, code: str | None, message: str) -> None:
    """Each envelope gives its code and its message; a body without one is its own message."""
    envelope = parse_error(text)

    assert (code, message) == (envelope.code, envelope.message)


def test_parse_error_tells_the_unauthorized_envelope_apart() -> None:
    """Only the OpenStack-style fault is the one about the project in the path."""
    assert parse_error('{"unauthorized":{"code":"401","message":"m"}}').is_unauthorized_url
    assert not parse_error('{"error":{"code":401,"message":"m"}}').is_unauthorized_url


def test_parse_error_shortens_a_long_body() -> None:
    """A long body is never quoted in full."""
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
            "reading it: HTTP 502: the answer was empty; run the same command again later "
            "[request abc]",
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
        pytest.param(
            401,
            '{"unauthorized":{"code":"401","message":"Malformed request url"}}',
            ApiError,
            "reading it: HTTP 401: Malformed request url; check that the id, its project and its "
            "region belong together [request abc]",
            id="malformed-request-url",
        ),
        pytest.param(
            400,
            '{"error_code":"BackupService.6119","error_msg":"目标存储库不支持复制。"}',
            ApiError,
            "reading it: HTTP 400: 目标存储库不支持复制; set destination_vault_id to a vault with "
            "protect_type 'replication' [BackupService.6119, request abc]",
            id="localised",
        ),
        pytest.param(
            403,
            '{"error_code":"PAP5.0010","error_msg":"denied","encoded_authorization_message":"AQID"}',
            ApiError,
            "reading it: HTTP 403: denied; give the user the permission for this call; "
            "python -m pulumi_huaweicloud_cbr check tells which are needed "
            "[PAP5.0010, request abc]",
            id="policy-check",
        ),
        pytest.param(
            502,
            "<html>\n<body>\n<h1>502 Bad Gateway</h1>\n</body>\n</html>\n",
            ApiError,
            "reading it: HTTP 502: <html> <body> <h1>502 Bad Gateway</h1> </body> </html>; run the "
            "same command again later [request abc]",
            id="html-502",
        ),
        pytest.param(
            404,
            "<html>not here</html>",
            ApiError,
            "reading it: HTTP 404: <html>not here</html>; check the endpoint; a proxy may have "
            "answered in the service's place [request abc]",
            id="html-404-is-not-the-services-word",
        ),
        pytest.param(
            418,
            '{"code":"418","message":"teapot"}',
            ApiError,
            "reading it: HTTP 418: teapot [request abc]",
            id="nothing-is-known",
        ),
    ],
)
def test_error_of_is_one_readable_line(
    status: int, text: str, kind: type[ApiError], shown: str
) -> None:
    """What was done, what was observed, what to do, the code and the request id: one line."""
    response = answered(status, text, headers={"X-Request-Id": "abc"})

    error = error_of(response, "reading it")

    assert kind is type(error)
    assert shown == str(error)


def test_error_of_takes_the_request_id_of_the_body_or_iam() -> None:
    """A request id is found in the header of either service, else in the body."""
    by_body = answered(429, json={"error_code": "APIGW.0308", "error_msg": "m", "request_id": "b"})
    by_iam = answered(500, headers={"X-IAM-Trace-Id": "t"})

    assert "b" == error_of(by_body, "d").request_id
    assert "t" == error_of(by_iam, "d").request_id


SERVED = "Fri, 20 Nov 2026 08:00:00 GMT"
"""The service's own time, which is not this machine's."""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("", None, id="none"),
        pytest.param("12", 12.0, id="seconds"),
        pytest.param("0", 0.0, id="no-seconds"),
        pytest.param("9" * 400, float("inf"), id="endless"),
        pytest.param("soon", None, id="nonsense"),
        pytest.param("-3", None, id="negative"),
        pytest.param("1.5", None, id="fraction"),
        pytest.param("²", None, id="not-ascii"),
        pytest.param("Fri, 20 Nov 2026 08:01:30 GMT", 90.0, id="date"),
        pytest.param("Fri, 20 Nov 2026 16:01:30 +0800", 90.0, id="date-elsewhere"),
        pytest.param("Fri, 20 Nov 2026 07:59:59 GMT", 0.0, id="date-that-has-passed"),
        pytest.param("Fri, 31 Dec 99999 23:59:59 GMT", None, id="date-beyond-all"),
    ],
)
def test_retry_after_both_forms_are_read(value: str, expected: float | None) -> None:
    """Seconds, or a date on the service's clock; nonsense is ignored."""
    headers = {"Retry-After": value, "Date": SERVED}

    assert expected == retry_after_s(answered(429, headers=headers))


@pytest.mark.parametrize("date", ["", "yesterday"], ids=["none", "nonsense"])
def test_retry_after_date_without_the_services_time(date: str) -> None:
    """If the response has no date, this machine's time is used."""
    later = email.utils.formatdate(time.time() + 3600, usegmt=True)

    wished = retry_after_s(answered(429, headers={"Retry-After": later, "Date": date}))
    assert wished is not None
    assert 3000 < wished <= 3601


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param("", "over ratelimit; requests are throttled, run", id="none"),
        pytest.param("0", "over ratelimit; requests are throttled, run", id="at-once"),
        pytest.param("900", "; the service asks to wait 15 min: requests are", id="minutes"),
        pytest.param("86400", "; the service asks to wait 24 h: requests are", id="a-day"),
        pytest.param("86401", "asks to wait more than a day: requests are", id="longer"),
        pytest.param("9" * 400, "asks to wait more than a day: requests are", id="endless"),
    ],
)
def test_error_of_tells_how_long_the_service_asks_to_wait(value: str, words: str) -> None:
    """An early retry is throttled again, so the message says how long to wait."""
    body = {"error_code": "APIGW.0308", "error_msg": "over ratelimit"}
    response = answered(429, json=body, headers={"Retry-After": value})

    assert words in str(error_of(response, "reading it"))


def test_error_of_wish_without_a_remedy_stands_alone() -> None:
    """A refusal without other facts still names the wait that the service asks for."""
    response = answered(409, json={}, headers={"Retry-After": "5"})

    assert str(error_of(response, "it")).endswith("{}; the service asks to wait 5 s")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"backup": null}', '{"backup": {"id": 7}}', "<html></html>"],
    ids=["empty", "truncated", "list", "null", "wrong-type", "html"],
)
def test_decode_of_another_form_is_an_error(text: str) -> None:
    """A success that is not of the documented form is reported as an error."""
    with pytest.raises(MalformedResponseError) as caught:
        decode(answered(200, text), BackupEnvelope, "reading it")

    assert "reading it: the answer is not of the documented form" in str(caught.value)


def test_decode_is_lenient_where_the_samples_are() -> None:
    """Nulls, unknown fields and unknown statuses are accepted."""
    text = '{"backup": {"id": "b", "status": "new", "expired_at": null, "more": 1}, "x": 2}'

    backup = decode(answered(200, text), BackupEnvelope, "reading it").backup

    assert ("b", "new", ()) == (backup.id, backup.status, backup.records)
