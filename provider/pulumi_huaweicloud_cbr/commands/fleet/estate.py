"""The estate file: which stacks there are, the account of each, and its configuration.

All faults are told in one run. No secret stands in the file: an account names the variables of the
environment that have them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.api.transport.shared_rate import MOST_HZ
from pulumi_huaweicloud_cbr.base.documents import load_document
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import counted, listed, quoted, remember_secret
from pulumi_huaweicloud_cbr.config.setting_names import CREDENTIAL_KEYS, KEYS, NAMESPACE

STACK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""A stack's name that is also a file's name. Source: the CLI's rule, without organisations."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_OF_AN_ACCOUNT = ("PULUMI_", "CBR_")
"""Beginnings of variables that hold for a run as a whole."""
_CONFIG_KEY = re.compile(r"[^:\s]+:[^:\s]+")
_SECRET_CONFIG = frozenset(f"{NAMESPACE}:{key.config}" for key in CREDENTIAL_KEYS)
_SIGNING_IN = (
    *(key.env for key in CREDENTIAL_KEYS),
    *(key.sdk_env for key in CREDENTIAL_KEYS if key.sdk_env),
    *(key.env for key in KEYS if key.field in ("user_name", "domain_name", "project_id")),
)
_VENDORS = ("HUAWEICLOUD_", "HC_CONTAINER_")


@dataclass(frozen=True)
class Account:
    """An account: its variables, and how many calls a second all of its stacks may make.

    `environment` has the name of a variable of the run, and that of the variable here which has
    the value. `config` holds for each of its stacks.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    calls_per_second: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StackEntry:
    """A stack; without an estate file it has no account, and its configuration is not declared."""

    name: str
    account: Account | None = None
    config: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Estate:
    """The stacks in the file's order. `secrets_provider` is that of stacks to be created."""

    stacks: tuple[StackEntry, ...]
    accounts: tuple[Account, ...] = ()
    secrets_provider: str | None = None

    def environment_of(self, stack: StackEntry, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a stack's run.

        A stack of an account that names variables signs in by these alone. Another account's
        variables, and other ways to sign in, are left out: a token would go before an access key.
        """
        account = stack.account
        theirs = {name for one in self.accounts for name in one.environment.values()}
        kept = {name: value for name, value in environ.items() if name not in theirs}
        if account is None or not account.environment:
            return kept
        own = {name: environ[source] for name, source in account.environment.items()}
        kept = {
            name: value
            for name, value in kept.items()
            if name not in _SIGNING_IN and not name.startswith(_VENDORS)
        }
        return {**kept, **own}


def read_estate(path: Path) -> Estate:
    """Read an estate file.

    Raises:
        ConfigurationError: it cannot be read, or has faults; all of them are named.
    """
    document, faults = load_document(path, "estate", "give the file with --estate")
    reader = _Reader(faults)
    estate = reader.estate(document)
    if reader.faults:
        lines = "".join(f"\n  {fault}" for fault in reader.faults)
        raise ConfigurationError(
            f"reading estate {str(path)!r}: {counted(len(reader.faults), 'fault')}:{lines}"
        )
    return estate


def selected(stacks: Iterable[StackEntry], patterns: Iterable[str]) -> tuple[StackEntry, ...]:
    """Return the stacks whose names fit a pattern, in their order.

    Raises:
        ConfigurationError: a pattern fits none.
    """
    known = tuple(stacks)
    chosen: set[str] = set()
    for pattern in patterns:
        fitting = {one.name for one in known if fnmatchcase(one.name, pattern)}
        if not fitting:
            raise ConfigurationError(
                f"choosing stacks: {pattern!r} fits none of {counted(len(known), 'stack')}"
                + (f": {listed(one.name for one in known)}" if known else ""),
                remedy="name stacks or patterns such as 'prod-*', in quotes",
            )
        chosen |= fitting
    return tuple(one for one in known if one.name in chosen)


def require_variables(stacks: Iterable[StackEntry], environ: Mapping[str, str]) -> None:
    """Require the variables that the accounts of stacks name.

    Raises:
        ConfigurationError: some are missing or empty; all of them are named.
    """
    accounts = {one.account.name: one.account for one in stacks if one.account is not None}
    missing = [
        f"accounts.{account.name}.environment.{name}: {source} is not set"
        for account in accounts.values()
        for name, source in account.environment.items()
        if not environ.get(source)
    ]
    if missing:
        lines = "".join(f"\n  {one}" for one in missing)
        raise ConfigurationError(
            f"reading the environment: {counted(len(missing), 'variable')} of the estate "
            f"cannot be used:{lines}"
        )


def remember_secrets(stacks: Iterable[StackEntry], environ: Mapping[str, str]) -> None:
    """Make output that quotes an account's keys or passwords redacted."""
    secret = {name for key in CREDENTIAL_KEYS for name in (key.env, key.sdk_env)}
    for stack in stacks:
        for name, source in stack.account.environment.items() if stack.account else ():
            if name in secret:
                remember_secret(environ[source])


class _Reader:
    """Collects faults while it reads, so that one run tells all of them."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults

    def estate(self, document: Any) -> Estate:
        known = ("accounts", "defaults", "stacks", "secrets_provider")
        parts = self._mapping("the file", document, known)
        accounts = {
            name: self._account(name, given)
            for name, given in self._named("accounts", parts.get("accounts"))
        }
        defaults = self._config("defaults", parts.get("defaults"))
        stacks = tuple(
            self._stack(name, given, accounts, defaults)
            for name, given in self._named("stacks", parts.get("stacks"))
        )
        if not stacks and not self.faults:
            self.faults.append("stacks: there is none; want a mapping of names to stacks")
        provider = parts.get("secrets_provider")
        if provider is not None and not isinstance(provider, str):
            self._wrong("secrets_provider", provider, "a URL of a key service, as a text")
            provider = None
        return Estate(stacks, tuple(accounts.values()), provider)

    def _account(self, name: str, given: Any) -> Account:
        at = f"accounts.{name}"
        parts = self._mapping(at, given, ("environment", "calls_per_second", "config"))
        rate = parts.get("calls_per_second")
        if rate is not None and not _is_rate(rate):
            self._wrong(f"{at}.calls_per_second", rate, f"a number above 0, up to {MOST_HZ:g}")
            rate = None
        return Account(
            name,
            dict(self._environment(f"{at}.environment", parts.get("environment"))),
            rate,
            self._config(f"{at}.config", parts.get("config")),
        )

    def _environment(self, at: str, given: Any) -> Iterator[tuple[str, str]]:
        for name, source in self._mapping(at, given).items():
            if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
                self._wrong(at, name, "names of variables")
            elif name.startswith(_NOT_OF_AN_ACCOUNT):
                self.faults.append(f"{at}.{name}: holds for a whole run; set it where fleet runs")
            elif not isinstance(source, str) or not _VARIABLE.fullmatch(source):
                # The value may be a secret, written here by mistake.
                self.faults.append(
                    f"{at}.{name}: want the name of a variable that has the value, such as "
                    "ACME_ACCESS_KEY"
                )
            else:
                yield name, source

    def _stack(
        self, name: str, given: Any, accounts: Mapping[str, Account], defaults: Mapping[str, Any]
    ) -> StackEntry:
        at = f"stacks.{name}"
        if not STACK_NAME.fullmatch(name):
            self._wrong(at, name, "letters, digits, '.', '_' and '-', at most 100")
        parts = self._mapping(at, given, ("account", "config"))
        chosen = parts.get("account")
        account = accounts.get(chosen) if isinstance(chosen, str) else None
        if chosen is not None and account is None:
            wanted = f"one of accounts: {listed(accounts)}" if accounts else "none: no accounts"
            self._wrong(f"{at}.account", chosen, wanted)
        config = {
            **defaults,
            **(account.config if account else {}),
            **self._config(f"{at}.config", parts.get("config")),
        }
        return StackEntry(name, account, config)

    def _config(self, at: str, given: Any) -> dict[str, Any]:
        found = {}
        for key, value in self._mapping(at, given).items():
            if not isinstance(key, str) or not _CONFIG_KEY.fullmatch(key):
                self._wrong(at, key, "keys such as huaweicloud:region")
            elif key in _SECRET_CONFIG:
                self.faults.append(
                    f"{at}.{key}: a secret does not belong in this file; name a variable in "
                    "accounts.NAME.environment"
                )
            else:
                found[key] = value
        return found

    def _named(self, at: str, given: Any) -> Iterator[tuple[str, Any]]:
        for name, value in self._mapping(at, given).items():
            if isinstance(name, str):
                yield name, value
            else:
                self._wrong(at, name, "names as texts, in quotes")

    def _mapping(self, at: str, given: Any, known: tuple[str, ...] = ()) -> dict[Any, Any]:
        if given is None:
            return {}
        if not isinstance(given, dict):
            self._wrong(at, given, "a mapping")
            return {}
        for key in given:
            if known and key not in known:
                where = at if at != "the file" else "estate"
                self._wrong(where, key, f"only {', '.join(known)}")
        return given

    def _wrong(self, at: str, value: Any, wanted: str) -> None:
        self.faults.append(f"{at}: {quoted(value)}; want {wanted}")


def _is_rate(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and 0 < value <= MOST_HZ
