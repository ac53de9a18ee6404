"""A small OpenID provider that keeps to the standard, and can be told to break it in one place.

    with OpenIDProvider("client", "secret") as provider:
        provider.people["ada"] = {"sub": "ada-1", "groups": ["staff"]}
        provider.claims = {"nonce": "another"}     # what its ID tokens say wrongly from now on

It signs with RS256, asks for PKCE (S256), checks the client's secret and the redirect, and gives out each code once.
`/authorize?...&login_hint=ada` stands for the person who signs in there.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

TOKEN_SECONDS = 300


class OpenIDProvider:
    """Listens on a free port of this machine while it is entered.

    `claims` overrides claims of ID tokens (None leaves one out), `header` overrides their header, `answer` overrides
    the answer of the token endpoint, `document` the discovery document. `key` signs; `published` is shown.
    """

    def __init__(self, client: str, secret: str) -> None:
        self.client = client
        self.secret = secret
        self.people: dict[str, dict[str, Any]] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.answer: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.key = self.published = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
        self.in_user_info_only: set[str] = set()
        self._codes: dict[str, dict[str, str]] = {}
        self._access: dict[str, str] = {}
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.issuer = ""

    def __enter__(self) -> Self:
        """Start to listen."""
        routes = [
            Route("/.well-known/openid-configuration", self._discovery), Route("/keys", self._keys),
            Route("/authorize", self._authorize), Route("/token", self._token, methods=["POST"]),
            Route("/userinfo", self._user_info),
        ]  # fmt: skip
        config = uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="error")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)
        self.issuer = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Stop to listen."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()

    def new_key(self, kid: str) -> None:
        """Sign with another key, and show that one."""
        self.key = self.published = RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})

    def _discovery(self, _: Request) -> Response:
        paths = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        endpoints = {f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in paths.items()}
        return JSONResponse(
            {
                "issuer": self.issuer, **endpoints, "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
                **self.document,
            }
        )  # fmt: skip

    def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.published.as_dict(private=False)]})

    def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        person = asked.pop("login_hint", "")
        if asked.get("client_id") != self.client or "openid" not in asked.get("scope", "").split():
            return JSONResponse({"error": "invalid_request"}, 400)
        answer = {"state": asked["state"], "iss": self.issuer}
        if person not in self.people:
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({**answer, 'error': 'access_denied'})}", 303)
        if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({**answer, 'error': 'invalid_request'})}", 303)
        code = secrets.token_urlsafe(24)
        self._codes[code] = {**asked, "person": person}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({**answer, 'code': code})}", 303)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        credentials = base64.b64encode(f"{self.client}:{self.secret}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {credentials}":
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self._codes.pop(form.get("code", ""), {})
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            not asked
            or asked["redirect_uri"] != form.get("redirect_uri")
            or asked["code_challenge"] != base64.urlsafe_b64encode(challenge).decode().rstrip("=")
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        access = secrets.token_urlsafe(24)
        self._access[access] = asked["person"]
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return JSONResponse({**answer, "id_token": self._id_token(asked, access), **self.answer})

    def _id_token(self, asked: dict[str, str], access: str) -> str:
        now = int(time.time())
        half = hashlib.sha256(access.encode()).digest()[:16]
        person = {k: v for k, v in self.people[asked["person"]].items() if k not in self.in_user_info_only}
        claims = {
            "iss": self.issuer, "aud": self.client, "iat": now, "exp": now + TOKEN_SECONDS, "nonce": asked.get("nonce"),
            "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="), **person, **self.claims,
        }  # fmt: skip
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        known = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, known, self.key, algorithms=[header["alg"]])

    def _user_info(self, request: Request) -> Response:
        person = self._access.get(request.headers.get("authorization", "").removeprefix("Bearer "), "")
        if not person:
            return JSONResponse({"error": "invalid_token"}, 401)
        return JSONResponse(self.people[person])
