"""All settings in one table, and the only reader of the environment and of TOML.

A value comes from the first that has it: the environment (`BOWERBIRD_` + the name in capitals), `settings.toml` in the
data directory, the default. A name or value that does not fit is an error that names the nearest right one.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bowerbird.core.errors import SettingError

Value = int | float | str | bool
Kind = TypeVar("Kind", int, float, str, bool)


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table; the type of the default is the type of the setting, `least` the smallest number allowed.

    A `secret` is never shown and not handed to child processes.
    """

    name: str
    default: Value
    help: str
    least: float = 1
    secret: bool = False


TABLE: tuple[Setting, ...] = (
    Setting("encoder", "minilm", "which model of the manifest turns text into vectors"),
    Setting(
        "embed_threads", 0, "threads that embed, one passage each; 0 means one fewer than the cores, at least 1", 0
    ),
    Setting("sandbox_workers", 2, "processes that parse foreign bytes side by side"),
    Setting("sandbox_seconds", 20.0, "wall-clock seconds one file may take before its parser is killed", 0.1),
    Setting("sandbox_memory_mb", 1024, "address-space growth allowed to one parser, in MiB"),
    Setting("sandbox_output_mb", 64, "largest answer accepted from one parser, in MiB"),
    Setting("max_file_mb", 100, "larger files are found by their name only, in MiB"),
    Setting("max_archive_mb", 512, "total expanded size accepted from one archive, in MiB"),
    Setting("max_archive_members", 10_000, "members accepted from one archive"),
    Setting("max_archive_depth", 3, "archives within archives opened", 0),
    Setting("preview_above", 2_000, "`add` asks before it indexes more files than this for the first time", 0),
    Setting("rescan_seconds", 600, "seconds between full rescans of a watched folder"),
    Setting("passage_tokens", 220, "target length of a passage, in tokens of the encoder"),
    Setting("audit_days", 400, "days that the audit log goes back; 0 keeps all of it", 0),
    Setting("jobs_days", 30, "days that ended jobs are remembered; 0 for ever", 0),
    Setting("failures_days", 90, "days that a file that could not be listed is remembered; 0 for ever", 0),
    Setting("queries_kept", 500, "own past queries kept for each person, to be offered again; 0 keeps none", 0),
    Setting("queries_days", 365, "days after which a past query is forgotten if it is not asked again; 0 for ever", 0),
    Setting("backups_kept", 7, "backups kept in the data directory's own folder, the newest; 0 keeps all", 0),
    Setting("migration_backups", 2, "copies kept of the database from before it was migrated"),
    Setting(
        "oversharing_people", 50, "a group with more people than this counts as everybody in the oversharing report"
    ),
    Setting("host", "127.0.0.1", "address the server listens on"),
    Setting("port", 7310, "port the server listens on; 0 takes a free one", 0),
    Setting("base_url", "", "where browsers find the server, `https://find.example.org`; empty: where it listens"),
    Setting("trusted_hosts", "", "more host names that the server answers to, separated by commas"),
    Setting("trusted_proxies", "", "addresses or networks of proxies whose X-Forwarded headers are believed"),
    Setting("tls_certificate", "", "file with the server's certificate chain in PEM; empty: no TLS"),
    Setting("tls_key", "", "file with the key of that certificate in PEM"),
    Setting("fetch_ports", "", "ports beside 80 and 443 from which web sources may fetch, separated by commas"),
    Setting("session_idle_hours", 72, "hours without a request after which a browser is signed out"),
    Setting("session_days", 30, "days after which a browser is signed out, used or not"),
    Setting("oidc_issuer", "", "the OpenID provider's address (its `issuer`); empty: none"),
    Setting("oidc_client_id", "", "what the OpenID provider calls this library"),
    Setting("oidc_client_secret", "", "the secret shared with the OpenID provider; never shown", secret=True),
    Setting("oidc_groups_claim", "groups", "the claim that lists somebody's groups"),
    Setting("oidc_admin_group", "", "the group whose members are admins, and nobody else who signs in this way"),
    Setting("oidc_create", False, "whether somebody unknown who signs in by OpenID Connect becomes a member"),
    Setting("log_level", "warning", "debug, info, warning or error"),
)

_ROWS = {row.name: row for row in TABLE}


class Settings:
    """The values in force; `get("name")` returns one with the type of its default."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        for name in values:
            check_name(name)
        self._values = {row.name: values.get(row.name, row.default) for row in TABLE}

    def get(self, name: str, kind: type[Kind]) -> Kind:
        """Return the value of a setting; `kind` must be the type of its default.

        >>> Settings({}).get("port", int)
        7310
        """
        check_name(name)
        value = self._values[name]
        if not isinstance(value, kind):
            raise TypeError(f"the setting {name} is a {type(value).__name__}, not a {kind.__name__}")
        return value

    def listed(self) -> list[tuple[Setting, Value]]:
        """Return every row of the table with the value in force; of a secret, only whether there is one."""
        return [(row, "(set)" if row.secret and self._values[row.name] else self._values[row.name]) for row in TABLE]

    def replace(self, **values: Value) -> Settings:
        """Return a copy with some values changed."""
        return Settings({**self._values, **values})


def check_name(name: str) -> None:
    """Raise SettingError with the nearest right name where there is no such setting."""
    if name in _ROWS:
        return
    near = difflib.get_close_matches(name, _ROWS, n=1, cutoff=0.5)
    remedy = f"Did you mean `{near[0]}`?" if near else "`bowerbird doctor --settings` lists all of them."
    raise SettingError(f"There is no setting named `{name}`.", remedy)


def parse(name: str, text: str) -> Value:
    """Turn text into the type of the named setting; raises SettingError where it does not fit."""
    check_name(name)
    default = _ROWS[name].default
    try:
        if isinstance(default, bool):
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
        value = type(default)(text)
        if isinstance(value, str) or value >= _ROWS[name].least:
            return value
        raise SettingError(
            f"The setting `{name}` is {text}, but must be at least {_ROWS[name].least:g}.", f"Default: {default}."
        )
    except (ValueError, KeyError) as problem:
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
        raise SettingError(
            f"The setting `{name}` is `{text}`, but must be {wanted}.", f"Default: {default}."
        ) from problem


def load(home: Path) -> Settings:
    """Read the settings in force for a data directory."""
    values: dict[str, Value] = {}
    file = home / "settings.toml"
    if file.is_file():
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise SettingError(f"{file} is not valid TOML: {problem}.", "Mend or remove the file.") from problem
        values.update({name: parse(name, str(value)) for name, value in table.items()})
    for variable, text in os.environ.items():
        name = variable.removeprefix("BOWERBIRD_").lower()
        if variable.startswith("BOWERBIRD_") and name not in ("home", "token"):
            values[name] = parse(name, text)
    return Settings(values)


def home_directory(override: Path | None = None) -> Path:
    """Return the data directory: `--home`, else BOWERBIRD_HOME, else XDG data (XDG Base Directory 0.8)."""
    if override is not None:
        return override.expanduser().absolute()
    if named := os.environ.get("BOWERBIRD_HOME"):
        return Path(named).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser().absolute() / "bowerbird"


def cache_directory() -> Path:
    """Return the directory for what can be made again at any time: XDG cache (XDG Base Directory 0.8)."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "bowerbird"


def api_token() -> str | None:
    """Return the token for a running server given by BOWERBIRD_TOKEN, if any."""
    return os.environ.get("BOWERBIRD_TOKEN")


def zone_setting() -> str:
    """Return the time zone that TZ names, "" where it says nothing (POSIX.1-2017, 8.3: it may begin with a colon)."""
    return os.environ.get("TZ", "").removeprefix(":")


def quiet_engine() -> None:
    """Let Lance say errors only, unless LANCE_LOG says otherwise; it reads the variable when it is first imported."""
    os.environ.setdefault("LANCE_LOG", "error")


def child_environment(**changes: str) -> dict[str, str]:
    """Return the environment for a child process: this one's with changes, without Bowerbird's secrets."""
    hidden = {"BOWERBIRD_TOKEN", *(f"BOWERBIRD_{row.name.upper()}" for row in TABLE if row.secret)}
    return {**{k: v for k, v in os.environ.items() if k not in hidden}, **changes}
