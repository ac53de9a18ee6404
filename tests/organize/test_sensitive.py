"""What looks as if few should read it: planted things are found, and what is only about them is left alone."""

from __future__ import annotations

import random
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.organize.numbers import cards, ibans, luhn
from bowerbird.organize.secrets import entropy, secrets_in
from bowerbird.organize.sensitive import Sign, convincing, name_signs, text_signs

NAMES = {
    "Gehaltsliste_2026.xlsx": "pay", "payroll-march.csv": "pay", "SalaryBands.xlsx": "pay",
    "Lohnabrechnung Mai.pdf": "pay",
    "passwords.txt": "secret", "Zugangsdaten.docx": "secret", ".env": "secret", "id_ed25519": "secret",
    "Abmahnung Müller.docx": "personnel", "employment contract - Ann.pdf": "personnel", "Krankmeldung 3.pdf": "health",
    "STRICTLY CONFIDENTIAL offer.pptx": "confidential", "Angebot (vertraulich).docx": "confidential",
    "Settlement Agreement.pdf": "legal", "Kontoauszug_04.pdf": "bank",
}  # fmt: skip
HARMLESS_NAMES = [
    "password-policy.md", "PasswordReset.py", "salary-guide.md", "Gehaltsabrechnung Vorlage.docx", "secrets.py",
    "confidential computing.pdf", "payroll_test.go", "how to write a performance review - template.docx", "hrx.txt",
    "personal best.md", "legal notices.html", "Kündigungsfristen Leitfaden.pdf", "environment.yml", "menu.txt",
    "attestation.md", "payload.json", "salarymen.txt",
]  # fmt: skip
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB" + "\n"
TEXTS = {
    KEY: "secret",
    "aws_access_key_id = AKIAQ3ZN7XKPLW2RVT5M": "secret",
    "export GITHUB_TOKEN=ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6": "secret",
    'api_key: "9f8a7c6e5d4b3a2918f7e6d5c4b3a291"': "secret",
    "Das WLAN-Passwort: Krähe!7Nest42": "secret",
    "CONFIDENTIAL\n\nThe merger closes in May.": "confidential",
    "*Streng vertraulich*\n\nFusion im Mai.": "confidential",
    "name,role,gross salary\nAnn,dev,64000\nBob,ops,58000\nGil,sales,71500\n": "pay",
    "Ann: salary €64,000\nBob: salary €58,000\nGil: salary €71,500\n": "pay",
    "DE75512108001245126199\nDE02120300000000202051\nDE02500105170137075030\n": "bank",
    "Company Visa card 4539 1488 0343 6467, expires 04/29": "card",
    "Arbeitsunfähigkeitsbescheinigung\nDiagnose (ICD-10): J06.9": "health",
    "SSN: 536-90-4399": "identity",
}
HARMLESS_TEXTS = [
    "Choose a password: required, at least 8 characters. password: your-password-here",
    "password = os.environ['DB_PASSWORD']\napi_key = settings.api_key\nsecret: ${SECRET}\npasswd: changeme123",
    "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
    "Use the test card 4242 4242 4242 4242 or 4111 1111 1111 1111 (Visa, cvv 123).",
    "order 4539148803436467, invoice 5425233430109903",
    "Please pay to DE89 3704 0044 0532 0130 00.",
    "The salary negotiations continue. A fair salary matters; the salary of the average teacher was debated.",
    "We treat your data as confidential. This policy tells what confidential means at our company.",
    "git commit 9f8a7c6e5d4b3a2918f7e6d5c4b3a2918f7e6d5c",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END PUBLIC KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
    "diagnosis: the cache was cold",
    "token: the smallest unit of text\nsecret: something that is not told",
]


@pytest.mark.parametrize(("name", "kind"), NAMES.items())
def test_names_that_tell(name: str, kind: str) -> None:
    assert kind in {sign.kind for sign in name_signs(name)}


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_names_that_are_only_about_it(name: str) -> None:
    assert name_signs(name) == []


def test_whole_names_of_folders_tell_parts_of_them_do_not() -> None:
    assert [sign.kind for sign in name_signs("HR", folder=True)] == ["personnel"]
    assert [sign.kind for sign in name_signs("02 Payroll", folder=True)] == ["pay"]
    assert name_signs("hr-tools", folder=True) == name_signs("HR.md") == name_signs("v1.2 secrets of cooking.d") == []


@pytest.mark.parametrize(("text", "kind"), TEXTS.items())
def test_texts_that_tell(text: str, kind: str) -> None:
    found = text_signs(f"Some words before.\n{text}" if kind != "confidential" else text)
    assert kind in {sign.kind for sign in found} and convincing(found), found


@pytest.mark.parametrize("text", HARMLESS_TEXTS)
def test_texts_that_are_only_about_it(text: str) -> None:
    assert not convincing(text_signs(text)), text_signs(text)


def test_signs_never_repeat_what_they_found() -> None:
    for text in TEXTS:
        for sign in text_signs(text):
            assert not any(
                word in sign.why for word in text.split() if len(word) > 11 and any(c.isdigit() for c in word)
            )


def test_one_weak_sign_is_not_enough_and_two_are() -> None:
    one = Sign("bank", "an IBAN", weak=True)
    assert not convincing([]) and not convincing([one]) and convincing([one, Sign("health", "ill", weak=True)])
    assert convincing([Sign("pay", "a table")])


@given(st.text(string.digits, min_size=15, max_size=15))
def test_every_wrong_digit_breaks_the_checksum_of_a_card(body: str) -> None:
    last = next(digit for digit in string.digits if luhn(body + digit))
    for digit in string.digits:
        assert luhn(body + digit) == (digit == last)


@given(st.text(string.digits, min_size=18, max_size=18), st.integers(0, 17), st.integers(1, 9))
def test_an_iban_with_one_wrong_digit_is_none(body: str, at: int, plus: int) -> None:
    check = 98 - int(f"{body}131400") % 97
    good = f"DE{check:02}{body}"
    wrong = body[:at] + str((int(body[at]) + plus) % 10) + body[at + 1 :]
    assert ibans(f"to {good}.") <= {good} and (ibans(good) or good == "DE89370400440532013000")
    assert ibans(f"DE{check:02}{wrong}") == set()


def test_random_numbers_and_words_are_hardly_ever_taken_for_anything() -> None:
    chance = random.Random(7)
    text = " ".join(str(chance.randrange(10**15, 10**16)) for _ in range(5_000))
    assert cards(text) == set()
    words = " ".join("".join(chance.choices(string.ascii_lowercase, k=chance.randrange(2, 12))) for _ in range(20_000))
    assert secrets_in(words) == [] and not convincing(text_signs(words))


@given(st.text(max_size=60))
def test_entropy_is_that_of_shannon(text: str) -> None:
    if text:
        assert 0 <= entropy(text) <= len(set(text)).bit_length()


@pytest.mark.parametrize(
    "piece",
    [" ", "-", "\n", "password:", "diagnose " * 3, "salary,\n", "1 ", "a1", "-----BEGIN PRIVATE KEY-----\n", "DE12 "],
)
def test_no_text_takes_long(piece: str) -> None:
    began = time.perf_counter()
    text_signs(piece * (200_000 // len(piece)))
    assert time.perf_counter() - began < 3
