"""The estate file: what is read, and that all of its faults are told in one run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import redact
from pulumi_huaweicloud_cbr.commands.fleet.estate import (
    Account,
    Estate,
    StackEntry,
    read_estate,
    remember_secrets,
    require_variables,
    selected,
)
from pulumi_huaweicloud_cbr.commands.fleet.stack_files import (
    config_folder,
    read_stack_file,
    stacks_in,
)

ESTATE = """\
accounts:
  acme:
    environment: {HW_ACCESS_KEY: ACME_ACCESS_KEY, HW_SECRET_KEY: ACME_SECRET_KEY}
    calls_per_second: 10
    config: {"huaweicloud:owner": acme/replicas}
  beta: {}
defaults:
  huaweicloud:region: cn-north-4
stacks:
  prod-acme-east:
    account: acme
    config: {"cbr-replication:sets": [{name: nightly}]}
  prod-beta:
    account: beta
    config: {"huaweicloud:region": cn-south-1}
  test:
"""
FAULTY = """\
accounts:
  acme:
    environment: {"HW ACCESS": KEY, HW_SECRET_KEY: "hunter2 is a secret", PULUMI_HOME: X, CBR_X: Y}
    calls_per_second: 0
    colour: red
  acme:
    calls_per_second: .nan
  beta: []
defaults: {region: cn-north-4, "huaweicloud:secretKey": hunter2-is-a-secret}
stacks:
  prod/east: {account: gamma}
  8: {}
  prod: {account: [acme], config: 5}
secrets_provider: {a: b}
surplus: 1
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where an estate file may be."""
    return tmp_path / "estate.yaml"


def test_estate_is_read(file: Path) -> None:
    """A stack's configuration is the defaults, then its account's, then its own."""
    file.write_text(ESTATE)

    estate = read_estate(file)

    names = yaml.safe_load(ESTATE)["accounts"]["acme"]["environment"]
    acme = Account("acme", names, 10, {"huaweicloud:owner": "acme/replicas"})
    east = {
        "huaweicloud:region": "cn-north-4",
        "huaweicloud:owner": "acme/replicas",
        "cbr-replication:sets": [{"name": "nightly"}],
    }
    beta = Account("beta")
    assert estate == Estate(
        (
            StackEntry("prod-acme-east", acme, east),
            StackEntry("prod-beta", beta, {"huaweicloud:region": "cn-south-1"}),
            StackEntry("test", None, {"huaweicloud:region": "cn-north-4"}),
        ),
        (acme, beta),
    )


def test_all_faults_are_told_at_once(file: Path) -> None:
    """Each with its place and what is wanted; a value that may be a secret is not quoted."""
    file.write_text(FAULTY)

    with pytest.raises(ConfigurationError) as raised:
        read_estate(file)

    head, *lines = str(raised.value).splitlines()
    assert f"reading estate {str(file)!r}: {len(lines)} faults:" == head
    places = [line.strip().split(": ")[0] for line in lines]
    # YAML has kept the second acme only; the first one's faults come up after that correction.
    assert [
        "acme",
        "estate",
        "accounts.acme.calls_per_second",
        "accounts.beta",
        "defaults",
        "defaults.huaweicloud:secretKey",
        "stacks.prod/east",
        "stacks.prod/east.account",
        "stacks",
        "stacks.prod.account",
        "stacks.prod.config",
        "secrets_provider",
    ] == places
    assert "hunter2" not in str(raised.value)


def test_faults_of_an_account_are_told(file: Path) -> None:
    """What holds for a whole run is no account's, and a value is no name of a variable."""
    file.write_text(FAULTY.replace("  acme:\n    calls_per_second: .nan\n", ""))

    with pytest.raises(ConfigurationError) as raised:
        read_estate(file)

    told = str(raised.value)
    for place in ("'colour'", ".environment: 'HW ACCESS'", ".PULUMI_HOME: ", ".CBR_X: "):
        assert place in told
    assert "HW_SECRET_KEY: want the name of a variable" in told
    assert "accounts.acme.calls_per_second: 0; want a number above 0" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "stacks: there is none"),
        ("[]", "the file: "),
        ("a: [", "line 1: not valid YAML"),
        ("{[a]: b}", "not valid YAML"),
        ("stacks: {a: {}, a: {}}", "a: stands twice in the mapping that begins at line 1"),
        ("a: !!python/object:os.system {}", "not valid YAML"),
    ],
)
def test_file_that_is_no_estate_is_told(file: Path, text: str, told: str) -> None:
    """Whatever stands there ends in one message."""
    file.write_text(text)

    with pytest.raises(ConfigurationError) as raised:
        read_estate(file)

    assert told in str(raised.value)


def test_missing_estate_is_told(file: Path) -> None:
    """A file that was named has to be there."""
    with pytest.raises(ConfigurationError, match="No such file or directory; give the file"):
        read_estate(file)


def test_stacks_are_chosen_by_patterns(file: Path) -> None:
    """In the order of the file, each once; a pattern that fits none is a mistake."""
    file.write_text(ESTATE)
    stacks = read_estate(file).stacks

    assert ["prod-acme-east", "prod-beta"] == [
        one.name for one in selected(stacks, ["prod-beta", "prod-*"])
    ]
    with pytest.raises(ConfigurationError, match=r"'dev-\*' fits none of 3 stacks: "):
        selected(stacks, ["prod-*", "dev-*"])


def test_account_signs_in_by_its_own_variables_alone(file: Path) -> None:
    """Neither another account's variables nor another way to sign in reach its stacks."""
    file.write_text(ESTATE)
    estate = read_estate(file)
    environ = {
        "PATH": "/bin",
        "ACME_ACCESS_KEY": "ak",
        "ACME_SECRET_KEY": "sk",
        "HW_AUTH_TOKEN": "token",
        "HW_USER_PASSWORD": "pw",
        "HW_PROJECT_ID": "p",
        "HUAWEICLOUD_SDK_AK": "other",
        "HW_ENDPOINTS": "{}",
    }
    acme, beta, test = estate.stacks

    assert {
        "PATH": "/bin",
        "HW_ENDPOINTS": "{}",
        "HW_ACCESS_KEY": "ak",
        "HW_SECRET_KEY": "sk",
    } == estate.environment_of(acme, environ)
    without = {name: value for name, value in environ.items() if not name.startswith("ACME_")}
    assert without == estate.environment_of(beta, environ) == estate.environment_of(test, environ)


def test_missing_variables_are_told_at_once(file: Path) -> None:
    """Those of the chosen stacks only."""
    file.write_text(ESTATE)
    stacks = read_estate(file).stacks

    with pytest.raises(ConfigurationError) as raised:
        require_variables(stacks, {"ACME_ACCESS_KEY": ""})

    assert 3 == len(str(raised.value).splitlines())
    require_variables(selected(stacks, ["prod-beta"]), {})


def test_secrets_of_accounts_are_redacted(file: Path) -> None:
    """Output of the CLI that quotes one is not shown as it is."""
    file.write_text(ESTATE)

    remember_secrets(
        read_estate(file).stacks, {"ACME_ACCESS_KEY": "a", "ACME_SECRET_KEY": "not-a-secret-sk"}
    )

    assert "not-a-secret-sk" not in redact("signed by not-a-secret-sk")


# -- the stacks' files --------------------------------------------------------------------------


def test_stacks_of_a_checkout_are_those_with_files(tmp_path: Path) -> None:
    """Wherever the project keeps them."""
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\nstackConfigDir: stacks\n")
    (tmp_path / "stacks").mkdir()
    for name in ("Pulumi.b.yaml", "Pulumi.a.b.yaml", "Pulumi.yaml", "other.yaml"):
        (tmp_path / "stacks" / name).write_text("")

    assert ("a.b", "b") == tuple(one.name for one in stacks_in(config_folder(tmp_path)))


def test_missing_project_is_told(tmp_path: Path) -> None:
    """The CLI would tell it once for each stack."""
    with pytest.raises(ConfigurationError, match=r"there is no Pulumi\.yaml"):
        config_folder(tmp_path)


def test_estate_keeps_what_is_encrypted(tmp_path: Path) -> None:
    """Keys of the encryption and secret values stay; plain values are the estate's."""
    path = tmp_path / "Pulumi.prod.yaml"
    secret = {"secure": "v1:abc"}
    path.write_text(
        yaml.safe_dump(
            {
                "encryptionsalt": "v1:salt",
                "config": {
                    "huaweicloud:password": secret,
                    "x:y": [{"a": secret}],
                    "x:old": 1,
                    "x:z": 1,
                },
            }
        )
    )
    path.chmod(0o640)

    file = read_stack_file(tmp_path, StackEntry("prod", config={"x:z": 2}))
    assert file.differs
    file.write()

    written = yaml.safe_load(path.read_text())
    assert {"huaweicloud:password": secret, "x:y": [{"a": secret}], "x:z": 2} == written["config"]
    assert "v1:salt" == written["encryptionsalt"]
    assert 0o640 == path.stat().st_mode & 0o777
    assert not read_stack_file(tmp_path, StackEntry("prod", config={"x:z": 2})).differs
    assert [path] == list(tmp_path.iterdir())


def test_scalar_that_the_cli_has_quoted_is_no_difference(tmp_path: Path) -> None:
    """It writes numbers and flags as texts when it adds the key of the encryption."""
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {'x:y': '0.2', 'x:z': 'true', 'x:a': [1]}")
    declared = {"x:y": 0.2, "x:z": True, "x:a": [1]}

    assert not read_stack_file(tmp_path, StackEntry("prod", config=declared)).differs
    other = {**declared, "x:y": 0.3}
    assert read_stack_file(tmp_path, StackEntry("prod", config=other)).differs


def test_secret_that_the_estate_would_replace_is_refused(tmp_path: Path) -> None:
    """Nobody could bring it back."""
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text("config: {'x:y': [{a: {secure: v1}}]}")

    with pytest.raises(ConfigurationError, match="has a secret in 'x:y', which the estate"):
        read_stack_file(tmp_path, StackEntry("prod", config={"x:y": []}))


def test_file_without_an_estate_stays_as_it_is(tmp_path: Path) -> None:
    """It is the stack's whole configuration."""
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {'x:y': 1}")

    assert not read_stack_file(tmp_path, StackEntry("prod")).differs


@pytest.mark.parametrize("text", ["[]", "a: [", "config: 5", "\x00"])
def test_broken_file_of_a_stack_is_told(tmp_path: Path, text: str) -> None:
    """By its name."""
    (tmp_path / "Pulumi.prod.yaml").write_text(text)

    with pytest.raises(ConfigurationError, match=r"^reading Pulumi\.prod\.yaml: "):
        read_stack_file(tmp_path, StackEntry("prod", config={}))
