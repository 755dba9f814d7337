"""`check` without a service: its options, its output, and how it classifies results."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.__main__ import main
from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    AuthenticationError,
    CbrError,
    ConfigurationError,
    MalformedResponseError,
    NotSentError,
    OutcomeUnknownError,
)
from pulumi_huaweicloud_cbr.base.text import remember_secret
from pulumi_huaweicloud_cbr.commands._cli.text import COLUMNS
from pulumi_huaweicloud_cbr.commands.account.check.command import _owner_of, places_of
from pulumi_huaweicloud_cbr.commands.account.check.examiner import ServiceClock
from pulumi_huaweicloud_cbr.commands.account.check.refusals import check_of
from pulumi_huaweicloud_cbr.commands.account.check.report import (
    Account,
    BackupLook,
    ListedBackup,
    RecordLook,
    RegionLook,
    Remark,
    SignIn,
    TargetLook,
    VaultLook,
)
from pulumi_huaweicloud_cbr.commands.account.check.text import age, as_text
from pulumi_huaweicloud_cbr.config.settings import Settings
from tests.unit.wire import START, FakeClock, answered

TOKEN = {"token": "token-of-these-tests"}
KEY = {"access_key": "AK-of-these-tests", "secret_key": "sk-of-these-tests"}
PASSWORD = {"user_name": "ops", "password": "password-of-these-tests", "domain_name": "acme"}
VAULT = VaultLook("ca0083e4-1bda-48ca-af6d-aa9c8c93bc85", "dr", "server", "available", 100, 40.0)


def region(**changes: Any) -> RegionLook:
    """Return a destination without results."""
    return RegionLook(
        **{
            "region": "cn-east-3",
            "is_source": False,
            "is_asked": True,
            "cbr_url": "https://cbr.test",
            "iam_url": "https://iam.test",
            **changes,
        }
    )


def told(**changes: Any) -> list[str]:
    """Return the lines about an account."""
    return as_text(Account(**{"sign_in": SignIn("token", "a token", "why"), **changes})).split("\n")


# -- options ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(
            ["--destination", "no region"],
            "argument --destination: 'no region' contains ' '; allowed are letters, digits, '.', "
            "'_' and '-', 1 to 255 characters",
            id="region",
        ),
        pytest.param(
            ["--backup", "erp-db"],
            "argument --backup: 'erp-db' is not a UUID; want 32 hexadecimal digits in the form "
            "8-4-4-4-12, as the console shows it",
            id="backup",
        ),
        pytest.param(
            ["--destination", "cn-east-3/"],
            "argument --destination: is empty; allowed are letters, digits, '_' and '-', 1 to 64 "
            "characters",
            id="project",
        ),
        pytest.param(["--cwd", "."], "--cwd goes with --stack", id="cwd"),
    ],
)
def test_check_wrong_option_is_reported_with_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An invalid option ends the command before any request."""
    with pytest.raises(SystemExit) as caught:
        main(["check", *arguments])

    assert 2 == caught.value.code
    assert words in " ".join(capsys.readouterr().err.split())


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset all variables of the cloud, as on a machine outside of it."""
    for name in list(os.environ):
        if name.startswith(("HW_", "HUAWEICLOUD_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HW_METADATA", "false")


@pytest.mark.usefixtures("no_credentials")
def test_check_without_credentials_ends_with_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    """Missing credentials are a failure with a remedy, in lines and JSON; nothing is sent."""
    assert 1 == main(["check"])
    assert "Not ready: 1 thing to do, marked TO DO." == capsys.readouterr().out.split("\n")[-2]
    assert 1 == main(["check", "--json"])
    document = json.loads(capsys.readouterr().out)

    assert (False, None) == (document["is_ready"], document["source"])
    (remark,) = document["remarks"]
    assert ("sign-in", "no credentials are configured") == (remark["check"], remark["observed"])


@pytest.mark.usefixtures("no_credentials")
def test_check_with_unusable_certificates_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unusable file is reported like any other setting; nothing is sent."""
    monkeypatch.setenv("HW_AUTH_TOKEN", TOKEN["token"])
    monkeypatch.setenv("HW_CA_FILE", "/nowhere/ca.pem")

    assert 1 == main(["check"])

    (line,) = (line for line in capsys.readouterr().out.split("\n") if "TO DO " in line)
    assert "  TO DO settings     huaweicloud:caFile (or HW_CA_FILE): '/nowhere/ca.pem'" in line


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a fake CLI that records its calls."""
    script = tmp_path / "pulumi"
    script.write_text(
        f"#!{sys.executable}\n"
        "import json, pathlib, sys\n"
        f"root = pathlib.Path({str(tmp_path)!r})\n"
        "(root / 'call').write_text(json.dumps(sys.argv[1:]))\n"
        "if not (root / 'answer').exists():\n"
        "    sys.exit('error: no stack named that')\n"
        "print((root / 'answer').read_text())\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("no_credentials")
def test_check_takes_settings_from_a_stack(cli: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The CLI is called for the stack's configuration, in the project's directory."""
    entry = {"value": "cn-north-4 and more", "secret": False}
    (cli / "answer").write_text(json.dumps({"huaweicloud:region": entry}))

    assert 1 == main(["check", "--stack", "prod", "--cwd", "infra", "--json"])

    (remark,) = json.loads(capsys.readouterr().out)["remarks"]
    assert "settings" == remark["check"]
    assert "huaweicloud:region (or HW_REGION_NAME): is 'cn-north-4 and more'" in remark["observed"]
    assert [
        "--non-interactive",
        *("config", "--json", "--show-secrets", "--stack", "prod", "--cwd", "infra"),
    ] == json.loads((cli / "call").read_text())


def test_owner_of_a_stack_is_asked_for_a_backup_alone(cli: Path) -> None:
    """What a copy's mark names is compared with it; without a backup it is not needed."""
    (cli / "answer").write_text("acme/shop/prod")
    asked = {
        "stack": "prod",
        "cwd": Path("infra"),
        "backup": "5a863daa-7265-4c0a-822f-e66b2abcfb3d",
    }

    assert "shop/prod" == _owner_of(Namespace(**asked))
    expected = ("stack", "--show-name", "--fully-qualify-stack-names", "--stack", "prod")
    assert ["--non-interactive", *expected, "--cwd", "infra"] == json.loads(
        (cli / "call").read_text()
    )
    (cli / "call").unlink()
    assert _owner_of(Namespace(**{**asked, "backup": None})) is None
    assert _owner_of(Namespace(**{**asked, "stack": None})) is None
    assert not (cli / "call").exists()


def test_owner_that_the_backend_does_not_tell_is_none(cli: Path) -> None:
    """Then a copy with a mark is reported as that stack's, whoever that is."""
    (cli / "answer").write_text("prod")

    assert _owner_of(Namespace(stack="prod", cwd=None, backup="5a863daa")) is None


def test_check_of_a_missing_stack_is_one_message(
    cli: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The CLI's message is shown, and nothing is printed that looks like a document."""
    assert 1 == main(["check", "--stack", "prod", "--json"])

    assert (cli / "call").exists()
    printed = capsys.readouterr()
    assert "" == printed.out
    assert (
        "error: reading the configuration of stack 'prod': no stack named that; give one of the "
        "names that pulumi stack ls shows\n"
    ) == printed.err


# -- settings ---------------------------------------------------------------------------------


def test_settings_are_listed_with_their_sources() -> None:
    """Names only: of the configuration, the environment, the vendor's variables, the network's."""
    environ = {
        "HW_REGION_NAME": "cn-north-1",
        "HW_USER_NAME": "",
        "HUAWEICLOUD_SDK_AK": KEY["access_key"],
        "HUAWEICLOUD_SDK_SK": KEY["secret_key"],
        "https_proxy": "http://proxy.test",
        "NO_PROXY": "",
        "HOME": "/",
    }
    configured = {"huaweicloud:region": "cn-north-4", "huaweicloud:projectId": ""}
    settings = Settings.load(configured.get, environ)

    assert {
        "huaweicloud:region": "stack",
        "HUAWEICLOUD_SDK_AK": "environment",
        "HUAWEICLOUD_SDK_SK": "environment",
        "https_proxy": "environment",
    } == places_of(settings.origins, environ)


# -- classification ---------------------------------------------------------------------------


def api_error(status: int, code: str | None = None, **more: Any) -> ApiError:
    """Return a refusal."""
    return ApiError("reading", status=status, code=code, **more)


@pytest.mark.parametrize(
    ("error", "check"),
    [
        pytest.param(AuthenticationError("x", status=401), "sign-in", id="credentials"),
        pytest.param(AuthenticationError("x", status=404), "project", id="no-project"),
        pytest.param(
            AuthenticationError("x", status=404, code="APIGW.0101"), "endpoint", id="no-iam"
        ),
        pytest.param(ConfigurationError("no token for it"), "sign-in", id="no-token"),
        pytest.param(api_error(403, "APIGW.0302"), "permission", id="gateway"),
        pytest.param(api_error(403, "IAM.0003"), "permission", id="denied"),
        pytest.param(api_error(403, "CBR.9403"), "permission", id="unknown-code"),
        pytest.param(api_error(403), "permission", id="no-code"),
        pytest.param(api_error(403, "APIGW.0310"), "project", id="project"),
        pytest.param(api_error(403, "BackupService.8600"), "service", id="real-name"),
        pytest.param(api_error(401, is_unauthorized_url=True), "project", id="other-project"),
        pytest.param(api_error(404, "APIGW.0101"), "endpoint", id="no-such-api"),
        pytest.param(api_error(500, "BackupService.9910"), "service", id="service"),
        pytest.param(NotSentError("x"), "endpoint", id="no-connection"),
        pytest.param(OutcomeUnknownError("x"), "endpoint", id="no-answer"),
        pytest.param(MalformedResponseError("x"), "endpoint", id="another-service"),
    ],
)
def test_error_is_classified_by_its_cause(error: CbrError, check: str) -> None:
    """The class decides whether the rest of a region is checked, and which remedy is shown."""
    assert check == check_of(error)


@pytest.mark.parametrize("ahead_s", [[300.0, 299.0, 301.0], [-1.0, -300.0]], ids=["ahead", "both"])
def test_service_clock_uses_the_quickest_answer(ahead_s: list[float]) -> None:
    """The latency of an answer adds to the difference. An answer without a date is ignored."""
    clock = ServiceClock(FakeClock())

    clock.see(answered(200))
    for seconds in ahead_s:
        date = formatdate(START - seconds, usegmt=True)
        clock.see(answered(200, headers={"Date": date}))

    assert min(ahead_s, key=abs) == clock.ahead_s


# -- lines ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead_s", "line"),
    [
        pytest.param(None, "  -     clock        not known: no answer had a date", id="unknown"),
        pytest.param(-1.4, "  ok    clock        in step with the service's", id="in-step"),
        pytest.param(20.0, "  ok    clock        20 s ahead of the service's", id="ahead"),
        pytest.param(-30.0, "  ok    clock        30 s behind the service's", id="behind"),
    ],
)
def test_clock_difference_is_reported_if_it_matters(ahead_s: float | None, line: str) -> None:
    """Less than five seconds cannot be distinguished from the latency of an answer."""
    assert line in told(clock_ahead_s=ahead_s)


def test_lines_are_broken_between_words_only() -> None:
    """An id or an address is not broken. No other line is longer than 100 columns."""
    address = "https://" + "a-long-host." * 12 + "test"
    remark = Remark("endpoint", "word " * 60, f"look at {address} again")
    lines = told(remarks=[remark], source=region(is_source=True, cbr_url=address))

    assert 2 == sum(address in line.split() for line in lines)
    assert [] == [line for line in lines if len(line) > COLUMNS and address not in line]
    assert lines == [line.rstrip() for line in lines]


def test_names_from_the_service_neither_control_the_terminal_nor_show_secrets() -> None:
    """Anybody may give a vault any name."""
    remember_secret("hunter2-of-a-vault")
    name = "\x1b[2Jdr\nhunter2-of-a-vault"
    vault = VaultLook("v", name, None, None, 100, None, ("full",))
    look = region(vaults=(vault,))
    lines = told(destinations=[look])

    (line,) = (line for line in lines if "[secret]" in line)
    assert ["\ufffd[2Jdr", "[secret]", "v", "-", "-", "-", "100"] == line.split()
    assert "full" == lines[lines.index(line) + 1].strip()
    document = json.dumps(Account(SignIn(None, "", ""), destinations=[look]).to_json())
    assert "hunter2" not in document


def test_backup_is_shown_with_its_records_and_targets() -> None:
    """Each record has its state; each vault has a result and its reason."""
    backup = BackupLook(
        "b1",
        name="auto",
        resource_name="erp",
        resource_type="OS::Nova::Server",
        status="error",
        records=(
            RecordLook("r1", "cn-east-3", "v1", "replicating", 41, None, None),
            RecordLook("r2", "cn-south-1", "v2", "success", None, "b2", None),
            RecordLook("r3", None, None, "fail", None, None, "BackupService.6129: no room"),
        ),
        targets=(
            TargetLook("cn-east-3", "v1", "dr", "copied", ("it will be adopted",)),
            TargetLook("cn-south-1", "v2", None, "unknown", ("no answer",)),
        ),
    )

    assert [
        "Backup b1",
        "        is           auto of erp (OS::Nova::Server), size not told, made -, status error",
        "        records      3",
        "        to region   vault  status            replica, or why there is none",
        "        cn-east-3   v1     replicating 41 %  -",
        "        cn-south-1  v2     success           b2",
        "        -           -      fail              BackupService.6129: no room",
        "  ok    cn-east-3    vault dr (v1): is there, or on its way; it will be adopted",
        "  -     cn-south-1   vault - (v2): not known; no answer",
    ] == told(backup=backup)[5:14]


def test_json_has_the_clock_in_whole_seconds() -> None:
    """Dates are in whole seconds, so more digits would be invented."""
    account = Account(SignIn("token", "a token", "why"), clock_ahead_s=-61.7)

    assert -62 == account.to_json()["clock_ahead_s"]


def test_json_keeps_its_shape() -> None:
    """The members that the documentation has, in this order. A new shape needs a new number."""
    document = Account(
        SignIn(None, "", ""), source=region(vaults=(VAULT,)), backup=BackupLook("b")
    ).to_json()

    assert 1 == document["format"]
    assert [
        "format",
        "is_ready",
        "sign_in",
        "settings",
        "id",
        "clock_ahead_s",
        "source",
        "destinations",
        "copies",
        "backups",
        "backup",
        "remarks",
    ] == list(document)
    assert ["way", "text", "reason"] == list(document["sign_in"])
    assert [
        "region",
        "is_source",
        "is_asked",
        "cbr_url",
        "iam_url",
        "given_project_id",
        "project_id",
        "named_project_id",
        "destinations",
        "vaults",
        "permissions",
        "remarks",
        "unseen_because",
    ] == list(document["source"])
    assert ["id", "name", "object_type", "status", "size_gb", "free_gb", "faults"] == list(
        document["source"]["vaults"][0]
    )
    assert [
        "id",
        "name",
        "resource_name",
        "resource_type",
        "size_gb",
        "status",
        "created_at",
        "records",
        "targets",
        "remarks",
    ] == list(document["backup"])


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(59, "59 s"), (3_600 * 5 + 59, "5 h"), (86_400 * 3, "3 d"), (86_400 * 3 + 7_300, "3 d 2 h")],
)
def test_age_of_a_backup(seconds: float, shown: str) -> None:
    """Days and hours: a backup may be years old."""
    assert shown == age(seconds)


def test_empty_list_of_backups_is_told() -> None:
    """The source was looked at, and has none."""
    account = Account(SignIn(None, "", ""), source=region(), backups=[])

    assert "backups      there are none" in as_text(account)


def test_backup_without_a_time_has_no_age() -> None:
    """CBR need not tell when a backup was made."""
    backup = ListedBackup("b", None, None, None, None, None, None, None, None)
    account = Account(SignIn(None, "", ""), source=region(), backups=[backup])

    assert ["b", "-", "-", "-", "-"] in [line.split() for line in as_text(account).splitlines()]
