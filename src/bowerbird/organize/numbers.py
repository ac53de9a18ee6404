"""Numbers that prove themselves: IBANs (ISO 13616) and numbers of payment cards (ISO/IEC 7812)."""

from __future__ import annotations

import re

_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b")
_LENGTHS = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "TR": 26,
}  # fmt: skip
_KNOWN_IBANS = frozenset({
    "DE89370400440532013000", "GB29NWBK60161331926819", "GB82WEST12345698765432", "FR1420041010050500013M02606",
    "NL91ABNA0417164300", "AT611904300234573201", "CH9300762011623852957", "ES9121000418450200051332",
    "IT60X0542811101000000123456",
})  # fmt: skip
"""What documentation everywhere uses as an example."""

_CARD = re.compile(r"(?<![\d.,/-])\d(?:[ -]?\d){12,18}(?![\d/-])")
_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|6(?:011|5\d\d)\d{12}"
)
_NEAR = re.compile(r"(?i)card|karte|visa|master|amex|cvv|cvc|expir|gültig|ablauf")
_NEAR_CHARACTERS = 120
_KNOWN_CARDS = frozenset({
    "4111111111111111", "4242424242424242", "4012888888881881", "4000056655665556", "5555555555554444",
    "5105105105105100", "378282246310005", "371449635398431", "6011111111111117", "6011000990139424",
    "2223003122003222", "5200828282828210", "4000000000000002",
})  # fmt: skip
"""Numbers that payment services give to testers."""

_MOST_SAME = 6


def ibans(text: str) -> set[str]:
    """Return the IBANs in a text whose country, length and checksum (ISO 7064, mod 97-10) are right.

    >>> sorted(ibans("DE75 5121 0800 1245 1261 99, and DE76512108001245126199 is mistyped"))
    ['DE75512108001245126199']
    """
    found = set[str]()
    for match in _IBAN.finditer(text):
        plain = match[0].replace(" ", "")
        length = _LENGTHS.get(plain[:2], 0)
        plain = plain[:length]
        if len(plain) == length > 0 and plain not in _KNOWN_IBANS and _mod_97(plain) == 1:
            found.add(plain)
    return found


def _mod_97(iban: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97


def cards(text: str) -> set[str]:
    """Return the numbers of payment cards in a text: an issuer's range, the checksum, and a word about cards nearby.

    >>> cards("Visa card 4539 1488 0343 6467"), cards("order 4539148803436467"), cards("test card 4242424242424242")
    ({'4539148803436467'}, set(), set())
    """
    found = set[str]()
    for match in _CARD.finditer(text):
        plain = re.sub(r"\D", "", match[0])
        near = text[max(0, match.start() - _NEAR_CHARACTERS) : match.end() + _NEAR_CHARACTERS]
        if plain in _KNOWN_CARDS or max(map(plain.count, plain)) > len(plain) - _MOST_SAME:
            continue
        if _ISSUERS.fullmatch(plain) and luhn(plain) and _NEAR.search(near):
            found.add(plain)
    return found


def luhn(digits: str) -> bool:
    """Tell whether the last digit is the check digit of those before (ISO/IEC 7812-1, annex B).

    >>> luhn("4539148803436467"), luhn("4539148803436468")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 * (number > 9)
    return total % 10 == 0
