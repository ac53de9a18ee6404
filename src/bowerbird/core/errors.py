"""The whole tree of errors. Each has a stable code, a cause in one sentence and a remedy in one.

BowerbirdError
├── UsageError              usage               the command or request is not of the right form (exit 2, HTTP 422)
│   ├── SettingError        setting-unknown     a setting has a wrong name or value
│   ├── QueryError          query-invalid       the query cannot be run (too long, not text)
│   ├── ExposureError       exposure-refused    the server would be reachable without accounts or without TLS
│   ├── PasswordError       password-weak       the password does not follow the rules
│   └── CycleError          group-cycle         a group would hold itself
├── NotFoundError           not-found           no such item, source or model (or not yours: the same answer)
├── SignInError             signin-required     the request carries no valid session or token (HTTP 401)
│   └── LinkError           link-invalid        a one-time link was used, has ended or is unknown (HTTP 401)
├── RateLimitError          too-many-attempts   too many failed sign-ins; wait (HTTP 429)
├── ProviderError           provider-failed     the OpenID provider does not answer as it must (HTTP 502)
├── RefusedError            request-refused     another site or host name stands behind the request (HTTP 403)
├── ForbiddenError          forbidden           the role or the token of the asker does not suffice (HTTP 403)
├── DesktopError            no-desktop          there is no desktop session to show a folder in (HTTP 409)
├── SourceError             source-unreadable   a source cannot be listed or read
│   ├── FetchRefusedError   fetch-refused       a web address must not be fetched, or answers too much or too slowly
│   └── FetchFailedError    fetch-failed        a web address does not answer
├── ExtractionError         extraction-failed   the bytes could not be parsed; the file is quarantined
│   ├── SandboxTimeout      sandbox-timeout     the parser ran longer than its limit and was killed
│   ├── SandboxCrash        sandbox-crash       the parser died (signal, memory limit)
│   ├── SandboxOutput       sandbox-output      the parser's answer is larger than the output cap
│   └── ContainerError      container-unsafe    an archive is broken, too deep or expands too far
├── ModelError              model-missing       a model is not there, or not what its sha256 says
├── StoreError              store-failed        the library cannot be read or written
│   ├── LockedError         library-locked      another process is the writer
│   ├── SchemaError         schema-unknown      the library was written by a newer Bowerbird
│   ├── BackupError         backup-unusable     a backup is damaged or incomplete, or its place is taken
│   └── DiskFullError       disk-full           there is no room left
├── MissingExtra            extra-missing       an optional part is not installed
└── Interrupted             interrupted         the person asked to stop (exit 130)
"""

from __future__ import annotations

from typing import ClassVar


class BowerbirdError(Exception):
    """Base of all. `cause` says what is wrong and where, `remedy` what to do; both are whole sentences."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1
    status: ClassVar[int] = 500

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy


class UsageError(BowerbirdError):
    """The command or the request is not of the right form."""

    code, exit_code, status = "usage", 2, 422


class SettingError(UsageError):
    """A setting has a wrong name or a wrong value."""

    code = "setting-unknown"


class QueryError(UsageError):
    """The query cannot be run."""

    code = "query-invalid"


class ExposureError(UsageError):
    """Other machines could reach the server although there are no accounts, or no TLS."""

    code = "exposure-refused"


class PasswordError(UsageError):
    """The password does not follow the rules."""

    code = "password-weak"


class CycleError(UsageError):
    """A group would hold itself, directly or through others."""

    code = "group-cycle"


class NotFoundError(BowerbirdError):
    """There is no such thing, or it is not the asker's: both look the same."""

    code, status = "not-found", 404


class SignInError(BowerbirdError):
    """The request carries no valid session and no valid token."""

    code, status = "signin-required", 401


class LinkError(SignInError):
    """A one-time link was used before, has ended, or was never made."""

    code = "link-invalid"


class RateLimitError(BowerbirdError):
    """Too many attempts failed; `retry_after` is how many seconds to wait."""

    code, status = "too-many-attempts", 429

    def __init__(self, cause: str, remedy: str = "", retry_after: int = 1) -> None:
        super().__init__(cause, remedy)
        self.retry_after = retry_after


class ProviderError(BowerbirdError):
    """The OpenID provider does not answer, or not as it must."""

    code, status = "provider-failed", 502


class RefusedError(BowerbirdError):
    """The request comes from another site, or was sent to a name that is not this machine's own."""

    code, status = "request-refused", 403


class ForbiddenError(BowerbirdError):
    """The asker is known, but their role or their token does not suffice."""

    code, status = "forbidden", 403


class DesktopError(BowerbirdError):
    """There is no desktop session in which a folder could be shown."""

    code, status = "no-desktop", 409


class SourceError(BowerbirdError):
    """A source cannot be listed or read."""

    code, status = "source-unreadable", 409


class FetchRefusedError(SourceError):
    """A web address must not be fetched, or its answer is too large or too slow."""

    code, status = "fetch-refused", 422


class FetchFailedError(SourceError):
    """A web address does not answer, or not as it must."""

    code, status = "fetch-failed", 502


class ExtractionError(BowerbirdError):
    """Foreign bytes could not be parsed."""

    code, status = "extraction-failed", 409


class SandboxTimeout(ExtractionError):
    """A sandboxed call ran longer than its wall-clock limit and was killed."""

    code = "sandbox-timeout"


class SandboxCrash(ExtractionError):
    """A sandboxed call died: a signal, or the memory limit."""

    code = "sandbox-crash"


class SandboxOutput(ExtractionError):
    """A sandboxed call answered more than the output cap."""

    code = "sandbox-output"


class ContainerError(ExtractionError):
    """An archive is broken, encrypted, nested too deep, or expands too far."""

    code = "container-unsafe"


class ModelError(BowerbirdError):
    """A model is not there, or its files are not what the manifest says."""

    code, status = "model-missing", 503


class StoreError(BowerbirdError):
    """The library cannot be read or written."""

    code, status = "store-failed", 503


class LockedError(StoreError):
    """Another process holds the writer's lock."""

    code = "library-locked"


class SchemaError(StoreError):
    """The library was written by a newer Bowerbird."""

    code = "schema-unknown"


class BackupError(StoreError):
    """A backup is damaged or incomplete, or there is something already where it is to go."""

    code, status = "backup-unusable", 409


class DiskFullError(StoreError):
    """There is no room left on the disk."""

    code, status = "disk-full", 507


class MissingExtra(BowerbirdError):
    """An optional part is not installed."""

    code = "extra-missing"


class Interrupted(BowerbirdError):
    """The person asked to stop; what was finished stays finished."""

    code, exit_code = "interrupted", 130
