"""Signing in by an OpenID provider: authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1).

    url, flow = provider.begin(redirect)         # the browser goes to url; flow waits in its cookie
    account = provider.finish(flow, redirect, answer)

Endpoints and keys come from the issuer's own discovery document. Signature, issuer, audience, expiry and nonce of the
ID token are checked; algorithms are those with a key pair, whatever the document says.
"""

from __future__ import annotations

import hmac
import re
import secrets
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from bowerbird.core.errors import ProviderError, SignInError
from bowerbird.core.settings import Settings
from bowerbird.library.accounts import Account

ALGORITHMS = tuple(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512))
SCOPE = "openid profile"
KEPT_SECONDS = 3600.0
TIMEOUT = 10.0
LEEWAY = 60
"""Seconds that the provider's clock may differ from ours."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in under way, kept by the browser that began it. `session` is the key of a session to link, or ""."""

    state: str
    nonce: str
    verifier: str
    session: str = ""

    def __str__(self) -> str:
        """Write it as a cookie's value."""
        return f"{self.state}.{self.nonce}.{self.verifier}.{self.session}"

    @classmethod
    def parse(cls, value: str) -> Flow:
        """Read what was written; raises SignInError where it is missing or cut."""
        parts = value.split(".")
        if len(parts) != 4 or not all(len(part) >= 40 for part in parts[:3]):
            raise _refused("it did not begin in this browser, or too long ago")
        return cls(*parts)


class Provider:
    """The OpenID provider of the settings. Thread-safe; keeps its document and keys for an hour."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.get("oidc_issuer", str)
        self._client = (settings.get("oidc_client_id", str), settings.get("oidc_client_secret", str))
        self._groups_claim = settings.get("oidc_groups_claim", str)
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Document]] = {}

    def begin(self, redirect: str, session: str = "") -> tuple[str, Flow]:
        """Return where the browser has to go, and what it has to keep; raises ProviderError."""
        flow = Flow(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(32), session)
        with httpx.Client(timeout=TIMEOUT) as http:
            document = self._document(http)
            url, _ = self._oauth(http, document, redirect).create_authorization_url(
                document["authorization_endpoint"], state=flow.state, nonce=flow.nonce, code_verifier=flow.verifier
            )
        return str(url), flow

    def finish(self, flow: Flow, redirect: str, answer: Mapping[str, str]) -> Account:
        """Return whose account it is, by what the browser was sent back with; raises SignInError, ProviderError.

        `answer` are the query parameters: `code` and `state`, or `error`; `iss` where the provider sends it (RFC 9207).
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), flow.state.encode()):
            raise _refused("the answer belongs to another sign-in")
        if "error" in answer:
            known = re.fullmatch(r"[a-z_]{1,40}", answer["error"])
            raise _refused(f"the provider said {known[0] if known else 'no'}")
        if answer.get("iss", self.issuer) != self.issuer:
            raise _refused("the answer came from another provider")
        with httpx.Client(timeout=TIMEOUT) as http:
            document = self._document(http)
            token = self._token(http, document, redirect, answer.get("code", ""), flow)
            claims = self._claims(http, document, token, flow)
            if self._groups_claim not in claims or "preferred_username" not in claims:
                claims = {**self._user_info(http, document, token, str(claims["sub"])), **claims}
        return self._account(claims)

    def _document(self, http: httpx.Client) -> Document:
        if not _is_safe(self.issuer):
            raise ProviderError("The setting `oidc_issuer` is not an address that begins with https://.", "Mend it.")
        if not self._client[0]:
            raise ProviderError("The setting `oidc_client_id` is empty.", "Say what the provider calls this library.")
        document = self._fetched(http, f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self.issuer:
            raise ProviderError(
                "The provider calls itself by another address than `oidc_issuer` (OpenID Connect Discovery 1.0, 4.3).",
                f"It says {str(document.get('issuer'))[:200]}.",
            )
        for name in _ENDPOINTS:
            if not _is_safe(str(document.get(name, ""))):
                raise ProviderError(f"The provider's document has no safe `{name}`.", "Look at the provider.")
        return document

    def _oauth(self, http: httpx.Client, document: Document, redirect: str) -> OAuth2Client:
        name, secret = self._client
        offered = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        return _OAuth(
            http, client_id=name, client_secret=secret, token_endpoint_auth_method=method if secret else "none",
            scope=SCOPE, redirect_uri=redirect, code_challenge_method="S256",
        )  # fmt: skip

    def _token(self, http: httpx.Client, document: Document, redirect: str, code: str, flow: Flow) -> Document:
        client = self._oauth(http, document, redirect)
        try:
            token: Document = client.fetch_token(
                document["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=flow.verifier
            )
        except OAuth2Error as problem:
            raise _refused("the provider does not take its own code back") from problem
        except (httpx.HTTPError, ValueError) as problem:
            raise _silent(self.issuer) from problem
        return token

    def _claims(self, http: httpx.Client, document: Document, token: Document, flow: Flow) -> dict[str, Any]:
        """Return the claims of the ID token, all checked (OpenID Connect Core 1.0, 3.1.3.7)."""
        try:
            decoded = self._decoded(http, document, str(token.get("id_token", "")))
            options = {
                "iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self._client[0]},
                "sub": {"essential": True},
            }  # fmt: skip
            expected = {"nonce": flow.nonce, "client_id": self._client[0], "access_token": token.get("access_token")}
            claims = CodeIDToken(decoded.claims, decoded.header, options, expected)
            claims.validate(leeway=LEEWAY)
        except (JoseError, ValueError, TypeError) as problem:
            raise _refused("its ID token is not valid") from problem
        return dict(claims)

    def _decoded(self, http: httpx.Client, document: Document, token: str) -> jwt.Token:
        address = str(document["jwks_uri"])
        try:
            return jwt.decode(token, _keys(self._fetched(http, address)), algorithms=ALGORITHMS)
        except InvalidKeyIdError:  # the provider has new keys
            with self._lock:
                self._kept.pop(address, None)
            return jwt.decode(token, _keys(self._fetched(http, address)), algorithms=ALGORITHMS)

    def _user_info(self, http: httpx.Client, document: Document, token: Document, subject: str) -> Document:
        address = str(document.get("userinfo_endpoint", ""))
        if not _is_safe(address):
            return {}
        found = _loaded(http, address, self.issuer, {"authorization": f"Bearer {token.get('access_token', '')}"})
        if found.get("sub") != subject:  # OpenID Connect Core 1.0, 5.3.2
            raise _refused("its token and its user info are of different people")
        return found

    def _account(self, claims: Document) -> Account:
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise _refused("its ID token names nobody")
        named = claims.get(self._groups_claim)
        named = [named] if isinstance(named, str) else named
        groups = frozenset(one for one in named if isinstance(one, str)) if isinstance(named, list) else None
        handle = str(claims.get("preferred_username") or claims.get("nickname") or "")
        return Account(self.issuer, subject, handle, str(claims.get("name") or ""), groups)

    def _fetched(self, http: httpx.Client, address: str) -> Document:
        with self._lock:
            at, kept = self._kept.get(address, (0.0, {}))
        if kept and time.monotonic() - at < KEPT_SECONDS:
            return kept
        found = _loaded(http, address, self.issuer, {})
        with self._lock:
            self._kept[address] = (time.monotonic(), found)
        return found


class _Auth(ClientAuth, httpx.Auth):  # type: ignore[misc]  # authlib has no types
    """Lets Authlib sign a request of httpx with the client's secret (RFC 6749, 2.3.1)."""

    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Yield the request with the secret in it."""
        kept = {"content-type": request.headers["content-type"], "accept": "application/json"}
        url, headers, body = self.prepare(request.method, str(request.url), kept, request.content)
        yield httpx.Request(request.method, url, headers=headers, content=body)


class _OAuth(OAuth2Client):  # type: ignore[misc]  # authlib has no types
    client_auth_class = _Auth


def _keys(document: Document) -> KeySet:
    return KeySet.import_key_set({"keys": list(document.get("keys", []))})


def _loaded(http: httpx.Client, address: str, issuer: str, headers: dict[str, str]) -> Document:
    try:
        response = http.get(address, headers={"accept": "application/json", **headers})
        response.raise_for_status()
        found = response.json()
    except (httpx.HTTPError, ValueError) as problem:
        raise _silent(issuer) from problem
    if not isinstance(found, dict):
        raise _silent(issuer)
    return found


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _refused(reason: str) -> SignInError:
    return SignInError(
        f"The sign-in by OpenID Connect did not succeed: {reason}.", "Begin again from the sign-in page."
    )


def _silent(issuer: str) -> ProviderError:
    return ProviderError(
        f"The OpenID provider {urlsplit(issuer).hostname} does not answer as it must.",
        "Try again later, or sign in with a password.",
    )
