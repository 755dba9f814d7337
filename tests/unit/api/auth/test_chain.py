"""Keys that the vendor's tools would find: which way is used, how long keys last, messages."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, SdkError
from huaweicloudsdkcore.utils.filepath_utils import get_home_path

from pulumi_huaweicloud_cbr.api.auth import chain
from pulumi_huaweicloud_cbr.api.auth.chain import ChainKeys, Found, Way, find_way, search
from pulumi_huaweicloud_cbr.api.auth.choose import choose, make_authenticator
from pulumi_huaweicloud_cbr.api.auth.signing import AccessKeys, Keys
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.base.errors import AuthenticationError, CbrError, ConfigurationError
from pulumi_huaweicloud_cbr.base.text import redact, remember_secret
from pulumi_huaweicloud_cbr.config.settings import Settings
from tests.unit.wire import SHOWN, SOURCE, START, FakeClock, get_backup

REGION = "cn-north-4"
HOUR_S = 3600.0
OIDC = {
    "HUAWEICLOUD_OIDC_PROVIDER_URN": "iam::acme:oidcProvider:ci",
    "HUAWEICLOUD_OIDC_AGENCY_URN": "iam::acme:agency:deploy",
    "HUAWEICLOUD_OIDC_ID_TOKEN": "header.nobodys-claims.signature",
}
IDP = {
    "HUAWEICLOUD_SDK_IDP_ID": "ci",
    "HUAWEICLOUD_SDK_ID_TOKEN_FILE": "/nowhere/token",
}
POD = {
    "HC_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/keys",
    "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere/token",
}
PROFILE = "[basic]\nak = NOBODYSACCESSKEY0001\nsk = nobodys-secret-of-the-profile\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory without a profile file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(chain, "get_home_path", get_home_path)
    return tmp_path


def put_profile(home: Path, content: str = PROFILE) -> Path:
    """Write the vendor's profile file; return its path."""
    path = home / ".huaweicloud" / "credentials"
    path.parent.mkdir()
    path.write_text(content)
    return path


def told_by_sdk(seconds: float) -> float:
    """Return a time in the SDK's form: UTC, read as if it were local."""
    return time.mktime(
        time.strptime(time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds)), "%Y%m%d%H%M%S")
    )


def credentials(number: int = 1, life_s: float | None = HOUR_S, at: float = START) -> Any:
    """Return the SDK's result: temporary keys, or permanent ones without `life_s`."""
    return SimpleNamespace(
        ak=f"NOBODYSACCESSKEY000{number}",
        sk=f"nobodys-secret-{number}",
        security_token=None if life_s is None else f"nobodys-token-{number}",
        _expired_at=0 if life_s is None else told_by_sdk(at + life_s),
    )


class Searched:
    """A way with scripted answers, the last one repeated, that counts the searches."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.regions: list[str] = []
        self.way = Way(name="a test's way", described="", remedy="put it right", look=self._look)

    def _look(self, _: Settings, region: str) -> Any:
        self.regions.append(region)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    @property
    def count(self) -> int:
        """The number of searches so far."""
        return len(self.regions)

    def keys(self, clock: FakeClock, **settings: Any) -> ChainKeys:
        """Return a source of keys that searches by this way."""
        return ChainKeys(self.way, Settings.of(**settings), clock)


# -- which way counts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "has_profile", "expected"),
    [
        pytest.param(
            {**OIDC, **IDP, **POD},
            True,
            "temporary keys of the agency in HUAWEICLOUD_OIDC_AGENCY_URN, by an OIDC token",
            id="oidc",
        ),
        pytest.param(
            {**IDP, **POD},
            True,
            "temporary keys by the token of the identity provider in HUAWEICLOUD_SDK_IDP_ID",
            id="identity-provider",
        ),
        pytest.param(
            POD,
            True,
            "temporary keys by pod identity, from HC_CONTAINER_CREDENTIALS_FULL_URI",
            id="pod",
        ),
        pytest.param({}, True, "the profile file '{home}/.huaweicloud/credentials'", id="profile"),
        pytest.param(
            {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": "/nowhere/else"},
            True,
            "the profile file '/nowhere/else'",
            id="profile-named",
        ),
        pytest.param(
            {},
            False,
            "temporary keys of this server's agency, if http://169.254.169.254 gives any",
            id="metadata",
        ),
    ],
)
def test_way_that_counts_is_the_first_that_is_there(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    has_profile: bool,
    expected: str,
) -> None:
    """The order is documented, and determined without a request."""
    if has_profile:
        put_profile(home)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert expected.format(home=home) == choose(Settings()).described


@pytest.mark.parametrize(
    "given",
    [
        {"token": "t"},
        {"access_key": "a", "secret_key": "s"},
        {"user_name": "u", "password": "p", "domain_name": "d"},
    ],
    ids=["token", "access-key", "password"],
)
def test_way_of_the_vendors_tools_is_the_last(
    home: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    """Configured credentials come before those that the vendor's tools would find."""
    put_profile(home)
    for name, value in OIDC.items():
        monkeypatch.setenv(name, value)

    make_authenticator(Settings.of(**given), FakeClock())

    assert "OIDC" not in choose(Settings.of(**given)).described


@pytest.mark.parametrize("by", ["variable", "profile"])
def test_way_that_is_given_needs_no_password_for_a_name(
    home: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """A stack that names its user can run with keys that are found."""
    chosen = Settings.of(user_name="ops", domain_name="acme")
    with pytest.raises(ConfigurationError, match="needs also huaweicloud:password"):
        choose(chosen)
    if by == "profile":
        put_profile(home)
    else:
        for name, value in OIDC.items():
            monkeypatch.setenv(name, value)

    assert choose(Settings()).described == choose(chosen).described


@pytest.mark.parametrize(
    ("environ", "gone", "expected"),
    [
        pytest.param(OIDC, "HUAWEICLOUD_OIDC_AGENCY_URN", "HUAWEICLOUD_OIDC_AGENCY_URN", id="oidc"),
        pytest.param(
            OIDC,
            "HUAWEICLOUD_OIDC_ID_TOKEN",
            "HUAWEICLOUD_OIDC_ID_TOKEN or HUAWEICLOUD_OIDC_TOKEN_FILE",
            id="token",
        ),
        pytest.param(IDP, "HUAWEICLOUD_SDK_IDP_ID", "HUAWEICLOUD_SDK_IDP_ID", id="identity"),
        pytest.param(
            POD,
            "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            id="pod",
        ),
    ],
)
def test_way_with_a_part_missing_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], gone: str, expected: str
) -> None:
    """An incomplete way is an error: the next one would sign in as another identity."""
    put_profile(home)
    for name in environ.keys() - {gone}:
        monkeypatch.setenv(name, environ[name])

    with pytest.raises(ConfigurationError) as caught:
        find_way(Settings())

    assert f"needs also {expected};" in str(caught.value)


def test_way_none_and_no_metadata_wanted_is_told_at_once() -> None:
    """With the metadata service disabled, the list of ways is shown before any request."""
    with pytest.raises(ConfigurationError, match="no credentials are configured; set huaweicloud"):
        make_authenticator(Settings.of(metadata=False), FakeClock())


def test_way_is_not_loaded_before_it_is_used() -> None:
    """Signing in by other ways does not import the vendor SDK's search for keys."""
    program = (
        "import sys, pulumi_huaweicloud_cbr.api.auth.choose\n"
        "print([name for name in ('requests', 'huaweicloudsdkcore.auth.provider')"
        " if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert b"[]" == shown.stdout.strip()


# -- what is found -------------------------------------------------------------------------


def test_profile_file_gives_permanent_keys(home: Path) -> None:
    """The vendor's own reader finds the keys; from then on no output shows them."""
    put_profile(home)

    found = search(find_way(Settings()), Settings(), REGION)

    assert Found(Keys("NOBODYSACCESSKEY0001", "nobodys-secret-of-the-profile"), None) == found
    assert "[secret]" == redact("nobodys-secret-of-the-profile")
    assert "nobodys-secret" not in repr(found)


def test_profile_file_may_hold_a_security_token(home: Path) -> None:
    """Temporary keys in the file have a token; their expiry is unknown."""
    put_profile(home, f"{PROFILE}security_token = nobodys-token-of-the-profile\n")

    found = search(find_way(Settings()), Settings(), REGION)

    assert "nobodys-token-of-the-profile" == found.keys.security_token
    assert found.expires_at is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("ak = hunter2\nsk = hunter3", "MissingSectionHeaderError", id="no-section"),
        pytest.param("[basic]\nak = a\nsk = %hunter2", "InterpolationSyntaxError", id="percent"),
        pytest.param("[basic]\nhunter2", "ParsingError", id="no-value"),
        pytest.param("[global]\nak = a\nsk = hunter2", "'basic' does not exist", id="global"),
        pytest.param("[basic]\nak = hunter2", "does not exist in credentials file", id="half"),
    ],
)
def test_profile_file_that_cannot_be_used_is_told_without_its_content(
    home: Path, content: str, words: str
) -> None:
    """The parser quotes lines of the file; our error does not, not even as a cause."""
    path = put_profile(home, content)

    with pytest.raises(AuthenticationError) as caught:
        search(find_way(Settings()), Settings(), REGION)

    assert f"getting keys with the profile file '{path}': " in str(caught.value)
    assert words in str(caught.value)
    assert "want a section [basic] with ak and sk" in str(caught.value)
    assert "hunter" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("zone", ["UTC0", "CST-8", "EST5EDT,M3.2.0,M11.1.0", "NZST-12NZDT"])
@pytest.mark.parametrize("at", [START, START + 200 * 24 * HOUR_S], ids=["winter", "summer"])
def test_expiry_is_right_in_every_time_zone(zone: str, at: float) -> None:
    """The SDK gives UTC times as if they were local; keys still expire at the right time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        try:
            found = search(Searched(credentials(at=at)).way, Settings(), REGION)
        finally:
            patch.undo()
            time.tzset()

    assert at + HOUR_S == found.expires_at


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(
            ClientRequestException(403, SdkError("req-1", "IAM.0011", "Not\nallowed.")),
            "HTTP 403: Not allowed; put it right [IAM.0011, request req-1]",
            id="refused",
        ),
        pytest.param(
            ClientRequestException(404, SdkError(None, "404", "no agency")),
            "HTTP 404: no agency; put it right",
            id="code-is-the-status",
        ),
        pytest.param(
            ConnectionRefusedError(111, "Connection refused"),
            "Connection refused; put it right",
            id="network",
        ),
        pytest.param(KeyError(), "KeyError; put it right", id="silent"),
        pytest.param(
            ValueError("with nobodys-token-of-this-text"), "with [secret]; put", id="secret"
        ),
    ],
)
def test_search_that_fails_is_told_with_its_remedy(error: Exception, expected: str) -> None:
    """Every error of the vendor's code becomes one error of ours, on one line, redacted."""
    remember_secret("nobodys-token-of-this-text")

    with pytest.raises(AuthenticationError) as caught:
        search(Searched(error).way, Settings(), REGION)

    assert f"getting keys with a test's way: {expected}" in str(caught.value)
    assert getattr(error, "status_code", None) == caught.value.status


def test_token_in_use_is_redacted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tokens that are exchanged for keys are as secret as the keys."""
    token_file = tmp_path / "token"
    token_file.write_text("nobodys.token.in-a-file\n")
    monkeypatch.setenv("A_TOKEN", "nobodys.token.in-a-variable")
    monkeypatch.setenv("A_TOKEN_FILE", str(token_file))
    way = Way("w", "", "", lambda *_: credentials(), tokens=("A_TOKEN",), files=("A_TOKEN_FILE",))

    search(way, Settings(), REGION)

    assert "[secret]" == redact("nobodys.token.in-a-file")
    assert "[secret]" == redact("nobodys.token.in-a-variable")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_metadata_service_is_not_asked_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """That connection carries keys in plain text: no proxy may see them."""
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with pytest.raises(AuthenticationError) as caught:
        search(find_way(Settings()), Settings(), REGION)

    assert "HTTP_PROXY would be handed the keys, add '169.254.169.254' to NO_PROXY" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        pytest.param("http://169.254.169.254", "169.254.169.254", id="excepted"),
        pytest.param("https://127.0.0.1/keys", "", id="encrypted"),
    ],
)
def test_proxy_that_reads_nothing_is_no_matter(
    monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str
) -> None:
    """A proxy that is not used, or that sees only ciphertext, does not prevent signing in."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    monkeypatch.setenv("no_proxy", no_proxy)

    chain._require_no_proxy(url)


@pytest.mark.parametrize(
    ("settings", "environ", "expected"),
    [
        pytest.param({}, {}, "https://sts.cn-north-4.myhuaweicloud.com", id="table"),
        pytest.param({"region": "cn-north-9"}, {}, chain.DEFAULT_STS, id="not-in-the-table"),
        pytest.param(
            {"cloud": "example.org"}, {}, "https://sts.cn-north-4.example.org", id="cloud"
        ),
        pytest.param(
            {"cloud": "example.org"},
            {"HUAWEICLOUD_SDK_STS_ENDPOINT": "https://sts.example.net"},
            "https://sts.example.net",
            id="variable",
        ),
    ],
)
def test_sts_is_asked_in_the_region(
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    environ: dict[str, str],
    expected: str,
) -> None:
    """The vendor's table has the address of STS, unless another one is set."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    chosen = Settings.of(**settings)

    assert expected == chain._sts_url(chosen, chosen.region or REGION)


@pytest.mark.parametrize(
    ("settings", "of_profile", "variable", "expected"),
    [
        pytest.param({}, None, "", "https://iam.cn-north-4.myhuaweicloud.com", id="table"),
        pytest.param({}, None, "https://v.example", "https://v.example", id="variable"),
        pytest.param({}, "https://p.example", "https://v.example", "https://p.example", id="file"),
        pytest.param(
            {"auth_url": "https://a.example/v3"},
            "https://p.example",
            "https://v.example",
            "https://a.example",
            id="auth-url",
        ),
        pytest.param(
            {"endpoints": {"iam": "https://{region}.e.example"}},
            "https://p.example",
            "",
            "https://cn-north-4.e.example",
            id="endpoints",
        ),
    ],
)
def test_iam_is_asked_where_the_configuration_says(
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    of_profile: str | None,
    variable: str,
    expected: str,
) -> None:
    """The configured IAM address comes before the one that the vendor's tools read."""
    monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", variable)

    assert expected == chain._iam_url(Settings.of(**settings), REGION, of_profile)


@pytest.mark.parametrize(
    ("environ", "attribute", "expected"),
    [
        pytest.param(OIDC, "sts_endpoint", "https://sts.cn-north-4.example.org", id="oidc"),
        pytest.param(IDP, "iam_endpoint", "https://iam.cn-north-4.example.org", id="idp"),
    ],
)
def test_vendors_sdk_is_told_where_to_ask(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], attribute: str, expected: str
) -> None:
    """In another cloud the SDK uses that cloud's addresses, and not its own."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    chosen = Settings.of(cloud="example.org")

    credentials = find_way(chosen).look(chosen, REGION)

    assert expected == getattr(credentials, attribute)


def test_home_directory_unknown_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process without a home directory has no profile file there."""
    monkeypatch.delenv("HOME")

    assert chain._METADATA is find_way(Settings())


# -- how long keys are good ------------------------------------------------------------------


@pytest.mark.anyio
async def test_keys_are_kept_and_replaced_before_they_expire() -> None:
    """One search serves all requests, until 20 minutes or a quarter of the life before expiry."""
    clock = FakeClock()
    searched = Searched(credentials(1), credentials(2, at=START + 2700))
    source = searched.keys(clock)

    first = await source.current(REGION)
    clock.slept.append(2699.0)
    again = await source.current("cn-east-3")
    clock.slept.append(1.0)
    second = await source.current(REGION)

    assert first is again
    assert ("NOBODYSACCESSKEY0001", "NOBODYSACCESSKEY0002") == (first.ak, second.ak)
    assert 2 == searched.count


@pytest.mark.anyio
async def test_keys_that_do_not_expire_are_kept() -> None:
    """Permanent keys are searched once."""
    clock = FakeClock()
    searched = Searched(credentials(life_s=None))
    source = searched.keys(clock)

    await source.current(REGION)
    clock.slept.append(1000 * HOUR_S)
    await source.current(REGION)

    assert 1 == searched.count


@pytest.mark.anyio
async def test_keys_wanted_at_once_are_searched_once() -> None:
    """Concurrent requests wait for one search."""
    searched = Searched(credentials())
    source = searched.keys(FakeClock())

    found = await asyncio.gather(*(source.current(REGION) for _ in range(8)))

    assert 1 == len({id(keys) for keys in found})
    assert 1 == searched.count


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, "cn-east-3"), ({"region": REGION}, REGION)],
    ids=["where-wanted", "at-home"],
)
async def test_keys_are_asked_for_at_home(settings: dict[str, str], expected: str) -> None:
    """The search uses the IAM of the configured region, or of the request's region."""
    searched = Searched(credentials())

    await searched.keys(FakeClock(), **settings).current("cn-east-3")

    assert [expected] == searched.regions


@pytest.mark.anyio
async def test_renewal_that_fails_leaves_the_old_keys_until_they_expire() -> None:
    """While the keys are valid, a fault of the service that issues keys stops nothing."""
    clock = FakeClock()
    searched = Searched(
        credentials(1), OSError("busy"), OSError("busy"), credentials(2, at=START + HOUR_S)
    )
    source = searched.keys(clock)
    await source.current(REGION)

    clock.slept.append(2700.0)
    during = [(await source.current(REGION)).ak for _ in range(3)]
    searches = searched.count
    clock.slept.append(900.0)
    with pytest.raises(AuthenticationError, match="getting keys with a test's way: busy"):
        await source.current(REGION)
    clock.slept.append(60.0)
    after = await source.current(REGION)

    assert ["NOBODYSACCESSKEY0001"] * 3 == during
    assert 2 == searches
    assert "NOBODYSACCESSKEY0002" == after.ak


@pytest.mark.anyio
async def test_search_that_failed_is_not_made_again_at_once() -> None:
    """All resources of a stack get their error from one search; a later run searches again."""
    clock = FakeClock()
    searched = Searched(OSError("nothing there"), credentials(at=START + 60))
    source = searched.keys(clock)

    for _ in range(5):
        with pytest.raises(AuthenticationError, match="nothing there"):
            await source.current(REGION)
    assert 1 == searched.count
    clock.slept.append(60.0)

    assert "NOBODYSACCESSKEY0001" == (await source.current(REGION)).ak


@pytest.mark.anyio
async def test_keys_that_seem_to_have_expired_are_tried() -> None:
    """With a clock far ahead, keys look expired; they are used, since the service decides."""
    clock = FakeClock()
    clock.slept.append(2 * HOUR_S)

    assert "NOBODYSACCESSKEY0001" == (await Searched(credentials()).keys(clock).current(REGION)).ak


@pytest.mark.anyio
async def test_search_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timeout covers the whole search, and the event loop is not blocked."""
    monkeypatch.setattr(chain, "LIMIT_S", 0.05)
    is_over = threading.Event()
    searched = Searched(is_over.wait)
    try:
        with pytest.raises(AuthenticationError) as caught:
            await searched.keys(FakeClock()).current(REGION)
    finally:
        is_over.set()

    assert "getting keys with a test's way: no answer within 0 s; put it right" == str(caught.value)


@pytest.mark.anyio
async def test_search_that_was_cancelled_is_made_again() -> None:
    """A call that reaches its own timeout leaves no trace for the next one."""
    has_begun, is_over = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def search_long() -> Any:
        loop.call_soon_threadsafe(has_begun.set)
        is_over.wait()
        return credentials(2)

    source = Searched(search_long, credentials()).keys(FakeClock())
    first = asyncio.create_task(source.current(REGION))
    await has_begun.wait()

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    found = await source.current(REGION)
    is_over.set()

    assert "NOBODYSACCESSKEY0001" == found.ak


def test_keys_neither_found_nor_missed_are_a_programming_error() -> None:
    """Every error that is raised has a reason."""
    with pytest.raises(RuntimeError, match="neither keys nor a reason"):
        Searched(credentials()).keys(FakeClock())._reason()


# -- keys that are refused -------------------------------------------------------------------

REFUSED = httpx.Response(
    401,
    json={
        "error_code": "APIGW.0301",
        "error_msg": "Incorrect IAM authentication information: ak NOBODYS not exist",
    },
)


class Gateway:
    """Accepts some keys and refuses all others; records which ones were sent."""

    def __init__(self, *accepted: int) -> None:
        self.accepted = {f"nobodys-token-{number}" for number in accepted}
        self.seen: list[str] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        await asyncio.sleep(0)
        token = request.headers.get("X-Security-Token", "")
        self.seen.append(token[-1:])
        if token in self.accepted:
            return httpx.Response(200, json=SHOWN)
        return httpx.Response(REFUSED.status_code, content=REFUSED.content)

    def client(self, searched: Searched, clock: FakeClock) -> CbrClient:
        """Return a client that signs with the keys of a search."""
        authenticator = AccessKeys(searched.keys(clock), clock)
        transport = httpx.MockTransport(self.answer)
        return CbrClient(Settings(), authenticator, clock=clock, transport=transport)


@pytest.mark.anyio
async def test_refused_keys_are_renewed_once_and_the_request_sent_again() -> None:
    """Revoked keys are replaced within the request, for all other requests as well."""
    clock, gateway = FakeClock(), Gateway(1)
    searched = Searched(credentials(1), credentials(2))
    async with gateway.client(searched, clock) as api:
        await get_backup(api)
        clock.slept.append(60.0)
        gateway.accepted = {"nobodys-token-2"}
        await asyncio.gather(*(get_backup(api) for _ in range(5)))
        await get_backup(api)

    assert 2 == searched.count
    assert "2" == gateway.seen[-1]
    assert 5 >= gateway.seen.count("1") - 1


@pytest.mark.anyio
async def test_renewed_keys_that_are_refused_stop_with_one_message() -> None:
    """A revoked credential is renewed once; later requests fail without being sent."""
    clock, gateway = FakeClock(), Gateway(1)
    searched = Searched(credentials(1), credentials(2), credentials(3))
    errors: list[CbrError] = []
    async with gateway.client(searched, clock) as api:
        await get_backup(api)
        clock.slept.append(60.0)
        gateway.accepted = set()
        for _ in range(4):
            with pytest.raises(AuthenticationError) as caught:
                await get_backup(api)
            errors.append(caught.value)

    assert 2 == searched.count
    assert ["1", "1", "2"] == gateway.seen
    remedy = "the keys come from a test's way; put it right"
    assert {remedy} == {error.remedy for error in errors}
    assert "refused less than 5 minutes ago" in str(errors[-1])


@pytest.mark.anyio
async def test_refused_keys_that_come_again_are_not_sent_again() -> None:
    """If the search returns the same keys, the refusal is the result."""
    clock, gateway = FakeClock(), Gateway(1)
    searched = Searched(credentials(1))
    async with gateway.client(searched, clock) as api:
        await get_backup(api)
        clock.slept.append(60.0)
        gateway.accepted = set()
        for _ in range(3):
            with pytest.raises(AuthenticationError, match="not exist; the keys come from a test"):
                await get_backup(api)

    assert 2 == searched.count
    assert ["1"] * 4 == gateway.seen


@pytest.mark.anyio
async def test_refused_keys_and_no_others_are_dropped() -> None:
    """If the search fails after a refusal, its error is the result, and nothing more is sent."""
    clock, gateway = FakeClock(), Gateway(1)
    searched = Searched(credentials(1), OSError("the agency is gone"), credentials(2))
    async with gateway.client(searched, clock) as api:
        await get_backup(api)
        clock.slept.append(60.0)
        gateway.accepted = {"nobodys-token-2"}
        for _ in range(3):
            with pytest.raises(AuthenticationError, match="the agency is gone"):
                await get_backup(api)
        clock.slept.append(60.0)
        await get_backup(api)

    assert 3 == searched.count
    assert ["1", "1", "2"] == gateway.seen


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("detail", "remedy"),
    [
        pytest.param("signature expired, signature time:a", "set this machine's clock", id="clock"),
        pytest.param("AK access failed to reach the limit", "wait 5 minutes", id="locked"),
        pytest.param("token expires, expires_at: 2025", "the keys come from", id="expired"),
        pytest.param("verify aksk signature fail", "the keys come from", id="wrong"),
    ],
)
async def test_refused_keys_that_were_found_have_remedies_of_their_own(
    detail: str, remedy: str
) -> None:
    """No remedy names a setting that is not set."""
    body = {"error_code": "APIGW.0301", "error_msg": detail}
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json=body))
    clock = FakeClock()
    authenticator = AccessKeys(Searched(credentials()).keys(clock), clock)
    async with CbrClient(Settings(), authenticator, clock=clock, transport=transport) as api:
        with pytest.raises(AuthenticationError) as caught:
            await get_backup(api)

    assert remedy in (caught.value.remedy or "")
    assert "huaweicloud:" not in (caught.value.remedy or "")


def test_authenticator_of_found_keys_signs() -> None:
    """The keys go to the same signer as access keys from the settings."""
    authenticator = make_authenticator(Settings(), FakeClock())

    assert isinstance(authenticator, AccessKeys)
    assert authenticator.for_project(SOURCE) is not None
