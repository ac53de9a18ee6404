"""Rules for the code itself, and what a new library has no default of; named by docs/security.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bowerbird.core.errors import BowerbirdError
from bowerbird.core.settings import Settings
from bowerbird.library import Library

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "bowerbird"
STATIC = SOURCE / "serve" / "static"
TEMPLATES = SOURCE / "serve" / "templates"


def lines(folder: Path, ending: str) -> list[tuple[str, str]]:
    return [
        (str(file.relative_to(SOURCE)), line)
        for file in sorted(folder.rglob(f"*{ending}"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


def found(pattern: str, folder: Path = SOURCE, ending: str = ".py") -> list[str]:
    wanted = re.compile(pattern)
    return [f"{name}: {line.strip()}" for name, line in lines(folder, ending) if wanted.search(line)]


def test_no_code_is_made_of_text() -> None:
    assert not found(r"(?<![\w.])(eval|exec|compile|__import__)\(")
    assert not found(r"\b(eval\(|new Function|setTimeout\(\s*['\"]|document\.write|javascript:)", STATIC, ".js")
    assert not found(r"from_string\(|Template\(", SOURCE / "serve")


def test_no_shell_is_asked() -> None:
    assert not found(r"shell\s*=\s*True|os\.system|os\.popen|create_subprocess_shell|getoutput")


def test_nothing_is_unpickled() -> None:
    assert not found(r"^\s*(import|from)\s+(pickle|marshal|shelve|dill|joblib|yaml)\b|allow_pickle\s*=\s*True")


def test_xml_is_read_in_the_sandbox_only() -> None:
    assert not found(r"^\s*(import|from)\s+(xml|lxml)\b")


def test_pages_put_text_in_as_text() -> None:
    assert not found(
        r"\.(innerHTML|outerHTML)\s*\+?=|insertAdjacentHTML|createContextualFragment|srcdoc", STATIC, ".js"
    )
    assert not found(r"\|\s*safe\b|autoescape\s+false|<script>|\son[a-z]+=|style=", TEMPLATES, ".html")


def test_pages_keep_nothing_but_the_theme() -> None:
    kept = found(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.|serviceWorker", STATIC, ".js")
    assert kept and all("bowerbird-theme" in line for line in kept)
    assert not found(r"postMessage|addEventListener\(['\"]message", STATIC, ".js")


def test_hashes_and_dice_are_strong() -> None:
    assert not found(r"\bmd5\b")
    assert [line.split(":")[0] for line in found(r"sha-?1\b['\"]")] == ["library/totp.py"]  # HMAC-SHA-1 of RFC 6238
    dice = {line.split(":")[0].split("/")[0] for line in found(r"^\s*(import random|from random)\b")}
    assert dice <= {"lab", "testing"}  # everything else draws from `secrets`


def test_passwords_are_masked_and_may_be_pasted() -> None:
    fields = [
        line for _, line in lines(TEMPLATES, ".html") if re.search(r"name=\"(password|again|current|new)\"", line)
    ]
    assert len(fields) >= 3
    assert all('type="password"' in line and 'autocomplete="' in line for line in fields)
    assert not found(r"onpaste|addEventListener\(['\"]paste|preventDefault\(\).*paste", STATIC, ".js")


def test_tls_is_never_unchecked() -> None:
    assert not found(r"verify\s*=\s*False|CERT_NONE|_create_unverified_context")
    assert [line.split(":")[0] for line in found(r"check_hostname\s*=\s*False")] == ["serve/client.py"]  # one pinned


@pytest.mark.parametrize("handle", ["owner", "admin", "root", "bowerbird", "guest", "test"])
def test_a_new_library_has_no_default_account(tmp_path: Path, handle: str) -> None:
    with Library.open(tmp_path / "home", Settings({})) as library:
        assert not library.identity.has_passwords() and not library.identity.tokens("owner")
        for password in ("", handle, "password", "admin", "bowerbird", "changeme"):
            with pytest.raises(BowerbirdError):
                library.identity.sign_in(handle, password, address=f"192.0.2.{len(password)}")


def test_sessions_cannot_be_guessed(tmp_path: Path) -> None:
    with Library.open(tmp_path / "home", Settings({})) as library:
        made = [library.identity.redeem(library.identity.signin_link().secret) for _ in range(50)]
    assert len(set(made)) == 50
    assert min(len(secret) for secret in made) * 6 >= 192  # letters of 6 random bits, `secrets.token_urlsafe`
    assert not set.intersection(*({secret[i : i + 8] for i in range(len(secret) - 8)} for secret in made[:2]))
