"""What codes mean: the rows of the reference's table that decide about repetition."""

from __future__ import annotations

import pytest

from pulumi_huaweicloud_cbr.error_codes import Repeat, facts_of

# CBR API reference, "Error Codes": which refusals pass by themselves, and which never do.
LATER = ("1007", "1008", "4005", "6118", "6130")
NEVER = (
    *("1002", "1003", "1004", "1005", "1009", "1011", "1012", "1013"),
    *("6119", "6120", "6122", "6128", "6129", "9900"),
)


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("number", LATER)
def test_facts_of_passing_refusal(number: str, status: int) -> None:
    """A refusal that passes by itself may be repeated, whatever its status."""
    assert Repeat.LATER is facts_of(f"BackupService.{number}", status).repeat


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("number", NEVER)
def test_facts_of_final_refusal(number: str, status: int) -> None:
    """A refusal for good is not repeated, also where it comes as a 500; it has a remedy."""
    facts = facts_of(f"BackupService.{number}", status)

    assert Repeat.NEVER is facts.repeat
    assert facts.remedy


@pytest.mark.parametrize(
    ("code", "status", "repeat", "is_missing"),
    [
        pytest.param("BackupService.9910", 500, Repeat.UNKNOWN, False, id="unknown-error"),
        pytest.param("BackupService.6200", 404, Repeat.NEVER, True, id="no-backup"),
        pytest.param("APIGW.0308", 429, Repeat.LATER, False, id="throttled"),
        pytest.param("APIG.0308", 429, Repeat.LATER, False, id="throttled-older-spelling"),
        pytest.param("APIGW.0201", 504, Repeat.UNKNOWN, False, id="backend-timeout"),
        pytest.param("APIGW.0201", 413, Repeat.NEVER, False, id="body-too-large"),
        pytest.param("APIGW.0613", 503, Repeat.LATER, False, id="iam-down"),
        pytest.param("IAM.0012", 429, Repeat.LATER, False, id="iam-throttled"),
        pytest.param("IAM.0061", 401, Repeat.NEVER, False, id="locked"),
        pytest.param("BackupService.4242", 500, Repeat.UNKNOWN, False, id="new-code-5xx"),
        pytest.param("BackupService.4242", 400, Repeat.NEVER, False, id="new-code-4xx"),
        pytest.param(None, 429, Repeat.LATER, False, id="bare-429"),
        pytest.param(None, 404, Repeat.NEVER, True, id="bare-404"),
        pytest.param(None, 503, Repeat.UNKNOWN, False, id="bare-503"),
        pytest.param("", 418, Repeat.NEVER, False, id="bare-4xx"),
    ],
)
def test_facts_of(code: str | None, status: int, repeat: Repeat, is_missing: bool) -> None:
    """A known code decides; for others the status says what it can."""
    facts = facts_of(code, status)

    assert (repeat, is_missing) == (facts.repeat, facts.is_missing)
