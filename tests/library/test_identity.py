"""Signing in and out: passwords, second factors, links, sessions, tokens, and what ends them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bowerbird.core.errors import (
    LinkError,
    NotFoundError,
    PasswordError,
    RateLimitError,
    SignInError,
    UsageError,
)  # fmt: skip
from bowerbird.library import passwords, totp
from bowerbird.library.identity import Identity
from bowerbird.library.passwords import Hasher
from bowerbird.store import audit
from bowerbird.store.store import Store

GOOD, OTHER = "gravel otter seventeen", "violet teapot orbit"
DAY = 24 * 3600.0

Enter = Callable[..., str]


def actions(store: Store) -> list[str]:
    with store.database.read() as connection:
        return [event.action for event in audit.exported(connection)]


def test_an_invited_person_sets_a_password_and_signs_in(identity: Identity, store: Store) -> None:
    person, link = identity.people.invite("Ada", name="Ada Lovelace")
    assert link.path.startswith("/setup#") and identity.invited(link.secret).handle == "ada"
    first = identity.set_up(link.secret, GOOD)
    known = identity.session(first)
    assert known is not None and (known.person, known.role, known.via) == (person.id, "member", "session")
    second = identity.sign_in(" ADA", GOOD, agent="Firefox")
    assert first != second and identity.session(second) is not None
    assert {row.agent for row in identity.sessions(person.id)} == {"", "Firefox"}
    assert actions(store) == ["person.invited", "password.set", "session.started", "session.started"]
    for file in store.home.rglob("*"):
        data = file.read_bytes() if file.is_file() else b""
        assert not [secret for secret in (first, second, link.secret, GOOD) if secret.encode() in data], file


@pytest.mark.parametrize(
    ("handle", "password"),
    [("ada", OTHER), ("nobody", GOOD), ("", ""), ("ada", ""), ("ada", "x" * 5000), ("gus", GOOD)],
)
def test_all_wrong_sign_ins_are_answered_alike(identity: Identity, handle: str, password: str, enter: Enter) -> None:
    enter()
    suspended = enter("gus")
    identity.people.suspend(suspended)
    with pytest.raises(SignInError, match="The name, the password or the code is wrong"):
        identity.sign_in(handle, password)


def test_unknown_names_cost_the_same_work(identity: Identity, monkeypatch: pytest.MonkeyPatch, enter: Enter) -> None:
    import argon2

    enter()
    runs: list[str] = []
    verify = argon2.PasswordHasher.verify
    monkeypatch.setattr(argon2.PasswordHasher, "verify", lambda *args: (runs.append("one"), verify(*args))[1])
    for handle in ("ada", "nobody", "owner"):
        with pytest.raises(SignInError):
            identity.sign_in(handle, OTHER)
    assert len(runs) == 3


@pytest.mark.parametrize(
    "password",
    ["", "short", "elevenchars", "a" * 40, "abababababababab", "ada.lovelace", "Password1234", "qwertyuiop12",
     "ada.lovelace12", "bowerbird123!", "P@ssw0rd2026!",
     "summer2024!!!!", "1q2w3e4r5t6y", "gfhjkmgfhjkm", "12345678900987654321",
     "123456789012", "correct" * 200, "kolibri\ud800kolibri"],
)  # fmt: skip
def test_weak_passwords_are_refused_and_the_link_stays(identity: Identity, password: str) -> None:
    _, link = identity.people.invite("ada.lovelace")
    with pytest.raises(PasswordError):
        identity.set_up(link.secret, password)
    assert identity.set_up(link.secret, GOOD)


def test_a_password_may_be_typed_in_any_form_of_unicode(identity: Identity, enter: Enter) -> None:
    enter(password="grün wie gräser")
    assert identity.sign_in("ada", "gru\u0308n wie gra\u0308ser")


def test_hashes_are_renewed_when_the_parameters_change(
    identity: Identity, monkeypatch: pytest.MonkeyPatch, enter: Enter
) -> None:
    monkeypatch.setattr(passwords, "MEMORY_KIB", 8 * 1024)
    person = enter()
    kept = lambda: _password(identity, person)  # noqa: E731
    assert "m=8192,t=2,p=1" in kept()
    monkeypatch.undo()
    identity.sign_in("ada", GOOD)
    assert kept().startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    identity.sign_in("ada", GOOD)


def _password(identity: Identity, person: str) -> str:
    from bowerbird.store import people

    with identity._store.database.read() as connection:
        return people.proof(connection, person).password


def test_at_most_two_hashes_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher, gate, running, most = Hasher(patience=0.3), threading.Event(), [0], [0]
    import argon2

    def slow(*_: object) -> str:
        running[0] += 1
        most[0] = max(most[0], running[0])
        gate.wait(10)
        running[0] -= 1
        return "hash"

    monkeypatch.setattr(argon2.PasswordHasher, "hash", slow)
    refused: list[RateLimitError] = []

    def run() -> None:
        try:
            hasher.hash(GOOD)
        except RateLimitError as problem:
            refused.append(problem)

    threads = [threading.Thread(target=run) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads[:2] * 100:
        if len(refused) == 7:
            break
        thread.join(0.05)
    gate.set()
    for thread in threads:
        thread.join()
    assert most == [2] and len(refused) == 7 and refused[0].retry_after == 2


def test_failures_make_a_handle_wait_and_success_forgives(identity: Identity, clock: Any, enter: Enter) -> None:
    enter()
    for _ in range(5):
        with pytest.raises(SignInError):
            identity.sign_in("ada", OTHER)
    with pytest.raises(RateLimitError) as refused:
        identity.sign_in("ada", GOOD)
    assert refused.value.retry_after == 1 and refused.value.status == 429
    clock.now += 1
    with pytest.raises(SignInError):
        identity.sign_in("ada", OTHER)
    clock.now += 1.5
    with pytest.raises(RateLimitError):
        identity.sign_in("ADA ", GOOD)
    clock.now += 1
    identity.sign_in("ada", GOOD)
    for _ in range(4):
        with pytest.raises(SignInError):
            identity.sign_in("ada", OTHER)
    identity.sign_in("ada", GOOD)


def test_an_address_has_to_wait_whatever_handles_it_tries(
    identity: Identity, store: Store, clock: Any, enter: Enter
) -> None:
    enter()
    for number in range(20):
        with pytest.raises(SignInError):
            identity.sign_in(f"guess-{number}", OTHER, address=f"2001:db8::{number:x}")
    with pytest.raises(RateLimitError):
        identity.sign_in("ada", GOOD, address="2001:db8::ffff")
    assert identity.sign_in("ada", GOOD, address="2001:db8:1::1")
    for number in range(30):
        with pytest.raises(SignInError):
            identity.sign_in("bea", OTHER, address=f"10.0.{number}.1")
    with pytest.raises(RateLimitError):
        identity.sign_in("bea", GOOD, address="10.1.0.1")
    clock.now += 30
    with pytest.raises(SignInError):
        identity.sign_in("bea", OTHER, address="10.2.0.1"), "strangers keep nobody out for long"
    key = store.home / "run" / "attempts.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert b"2001:db8" not in (store.home / "bowerbird.sqlite").read_bytes()


def test_codes_are_those_of_the_standard_and_work_once(identity: Identity, clock: Any, enter: Enter) -> None:
    import base64

    secret = base64.b32encode(b"12345678901234567890").decode()
    for at, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert totp.code_at(secret, at // 30) == code  # RFC 6238, appendix B
    person = enter()
    offer = identity.credentials.offer_totp(person)
    assert offer.uri.startswith("otpauth://totp/Bowerbird:ada?secret=")
    step = int(clock.now) // 30
    with pytest.raises(UsageError, match="does not fit"):
        identity.credentials.enrol_totp(person, GOOD, offer.secret, "000000x")
    with pytest.raises(SignInError, match="present password"):
        identity.credentials.enrol_totp(person, OTHER, offer.secret, totp.code_at(offer.secret, step))
    assert identity.sign_in("ada", GOOD), "not in force yet"
    identity.credentials.enrol_totp(person, GOOD, offer.secret, totp.code_at(offer.secret, step))
    for code in ("", "123456", totp.code_at(offer.secret, step), totp.code_at(offer.secret, step + 2)):
        with pytest.raises(SignInError):
            identity.sign_in("ada", GOOD, code)
    code = totp.code_at(offer.secret, step + 1)
    clock.now += 30
    assert identity.sign_in("ada", GOOD, f"{code[:3]} {code[3:]}")
    with pytest.raises(SignInError):
        identity.sign_in("ada", GOOD, code)
    with pytest.raises(SignInError):
        identity.sign_in("ada", GOOD, totp.code_at(offer.secret, step)), "an earlier one"


def test_a_second_factor_is_removed_by_its_owner_or_an_admin(identity: Identity, clock: Any, enter: Enter) -> None:
    person = enter()
    for remove in ("own", "admin"):
        offer = identity.credentials.offer_totp(person)
        code = totp.code_at(offer.secret, int(clock.now) // 30)
        identity.credentials.enrol_totp(person, GOOD, offer.secret, code)
        link = identity.people.link(person)
        assert identity.set_up(link.secret, GOOD) == "", "a new password alone does not sign in"
        if remove == "own":
            identity.credentials.remove_totp(person, GOOD)
        else:
            identity.people.link(person, without_code=True)
        assert identity.sign_in("ada", GOOD)
    with pytest.raises(UsageError, match="no password yet"):
        identity.credentials.offer_totp("owner")


def test_links_work_once_and_expire(identity: Identity, clock: Any) -> None:
    link = identity.signin_link()
    known = identity.session(identity.redeem(link.secret))
    assert known is not None and known.role == "owner"
    with pytest.raises(LinkError, match="used before"):
        identity.redeem(link.secret)
    late, wrong = identity.signin_link(), identity.people.invite("ada")[1]
    with pytest.raises(LinkError):
        identity.redeem(wrong.secret)
    with pytest.raises(LinkError):
        identity.set_up(late.secret, GOOD)
    clock.now += 7 * DAY
    for use in (lambda: identity.redeem(late.secret), lambda: identity.set_up(wrong.secret, GOOD)):
        with pytest.raises(LinkError, match="expired"):
            use()


def test_what_works_once_works_once_for_many_at_once(identity: Identity, clock: Any, enter: Enter) -> None:
    from concurrent.futures import ThreadPoolExecutor

    person = enter()
    offer = identity.credentials.offer_totp(person)
    identity.credentials.enrol_totp(person, GOOD, offer.secret, totp.code_at(offer.secret, int(clock.now) // 30))
    code, link = totp.code_at(offer.secret, int(clock.now) // 30 + 1), identity.signin_link()

    def count(use: Callable[[], str]) -> int:
        try:
            return bool(use())
        except (SignInError, RateLimitError):
            return 0

    with ThreadPoolExecutor(8) as pool:
        uses = [lambda: identity.redeem(link.secret)] * 8 + [lambda: identity.sign_in("ada", GOOD, code)] * 4
        worked = list(pool.map(count, uses))
    assert sum(worked[:8]) == 1 and sum(worked[8:]) == 1


def test_sessions_end_by_rest_and_by_age(identity: Identity, clock: Any) -> None:
    session = identity.redeem(identity.signin_link().secret)
    for _ in range(14):
        clock.now += 2 * DAY
        assert identity.session(session) is not None
    clock.now += 2 * DAY
    assert identity.session(session) is None, "thirty days"
    session = identity.redeem(identity.signin_link().secret)
    clock.now += 3 * DAY
    assert identity.session(session) is None, "three days without a request"
    assert identity.session("") is None and identity.session("\ud800") is None


def test_a_new_password_ends_the_other_sessions(identity: Identity, enter: Enter) -> None:
    person = enter()
    first, second = identity.sign_in("ada", GOOD), identity.sign_in("ada", GOOD)
    with pytest.raises(SignInError):
        identity.change_password(person, OTHER, OTHER)
    with pytest.raises(PasswordError):
        identity.change_password(person, GOOD, "short")
    assert identity.session(first) is not None
    third = identity.change_password(person, GOOD, OTHER)
    assert identity.session(first) is None and identity.session(second) is None
    assert identity.session(third) is not None
    with pytest.raises(SignInError):
        identity.sign_in("ada", GOOD)
    assert identity.sign_in("ada", OTHER)


def test_a_session_is_ended_by_who_has_it(identity: Identity, enter: Enter) -> None:
    person, other = enter(), enter("bob")
    first, second = identity.sign_in("ada", GOOD), identity.sign_in("ada", GOOD)
    known = identity.session(second)
    assert known is not None
    current = {row.id: row.current for row in identity.sessions(person, known.key)}
    assert sorted(current.values()) == [False, False, True]
    name = next(name for name, is_current in current.items() if is_current)
    with pytest.raises(NotFoundError):
        identity.end_session(other, name)
    identity.end_session(person, name)
    assert identity.session(second) is None and identity.session(first) is not None
    identity.sign_out(first)
    identity.sign_out(first)
    assert identity.session(first) is None
