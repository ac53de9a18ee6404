"""What looks as if few should read it, by its name and by its content, in English and German.

Made to be right when it speaks, not to speak often: a sign is a word or a shape that is hardly ever meant otherwise,
numbers have to pass their checksum, and what is about such things (a policy, a template, a training) is left alone.
A `weak` sign says nothing by itself; two different ones do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from bowerbird.organize.numbers import cards, ibans
from bowerbird.organize.secrets import secrets_in

MOST_CHARACTERS = 200_000
"""Characters of a text that are looked at."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Why something looks sensitive: its kind (`pay`, `secret`, ...), and it in words. Values are never repeated."""

    kind: str
    why: str
    weak: bool = False


_NAMES: dict[str, tuple[str, ...]] = {
    "pay": (
        "salary", "salaries", "payroll", "payslip", "payslips", "paystub", "compensation review", "bonus plan",
        "gehalt", "gehälter", "gehaltsliste", "gehaltsabrechnung", "gehaltsabrechnungen", "gehaltserhöhung",
        "lohnabrechnung", "lohnabrechnungen", "lohnbuchhaltung", "lohnliste", "lohnsteuer", "entgeltabrechnung",
    ),
    "secret": (
        "passwords", "passwörter", "passwoerter", "kennwörter", "zugangsdaten", "passwortliste",
        "credentials", "api keys", "private key", "recovery codes", "id rsa",
    ),
    "personnel": (
        "personalakte", "personalakten", "personnel file", "personnel files", "personalwesen", "personalabteilung",
        "human resources", "performance review", "performance reviews", "mitarbeiterbeurteilung",
        "leistungsbeurteilung", "disciplinary", "abmahnung", "abmahnungen", "kündigung", "kündigungen",
        "kündigungsschreiben", "severance", "termination letter", "layoffs", "bewerbungen", "bewerbung",
        "arbeitsvertrag", "arbeitsverträge",
        "employment contract", "employment contracts",
    ),
    "health": (
        "krankmeldung", "krankmeldungen", "krankschreibung", "arbeitsunfähigkeitsbescheinigung", "arztbrief",
        "arztbriefe", "attest", "sick note", "sick notes", "medical record", "medical records", "patientenakte",
        "patientenakten",
    ),
    "confidential": ("confidential", "vertraulich", "geheim", "top secret"),
    "legal": (
        "settlement agreement", "vergleichsvereinbarung", "attorney client", "legal hold", "anwaltsschreiben",
        "klageschrift", "rechtsstreit", "aufhebungsvertrag",
    ),
    "bank": ("bankverbindung", "bankverbindungen", "kontoauszug", "kontoauszüge", "bank statement", "bank statements"),
}  # fmt: skip
"""Words of names of files and folders."""

_FOLDERS = {
    "hr": "personnel", "personal": "personnel", "legal": "legal", "rechtsabteilung": "legal", "medical": "health",
    "betriebsrat": "personnel", "works council": "personnel", "secrets": "secret", "private": "confidential",
    "gehälter": "pay", "löhne": "pay", "lohn": "pay",
}  # fmt: skip
"""Whole names of folders; the same words inside a longer name say nothing."""

_ALONE = {word: "secret" for word in ("password", "passwort", "kennwort", "secret", "secrets", "env", "id ed")}
"""Whole names of files (without ending and digits)."""

_ABOUT = frozenset((
    "policy", "policies", "guide", "guideline", "guidelines", "template", "templates", "training", "faq",
    "howto", "tutorial", "example", "examples", "sample", "samples", "demo", "blog", "article", "test", "tests",
    "testing", "form", "richtlinie", "richtlinien", "leitfaden", "vorlage", "vorlagen", "muster", "schulung",
    "beispiel", "beispiele", "anleitung", "formular", "reset", "generator", "manager", "strength", "hash",
    "hasher", "hashing", "checker", "validator", "benchmark", "survey", "umfrage", "portal", "computing",
    "process", "prozess",
))  # fmt: skip
"""Words of a name that is about such things, and has none of them in it."""

_CODE = frozenset((
    "py", "js", "ts", "tsx", "jsx", "go", "rs", "c", "h", "cc", "cpp", "java", "kt", "rb", "php", "cs", "swift",
    "scala", "css", "html", "vue", "svelte", "sql", "proto", "lock", "po",
))  # fmt: skip

_MARKS = re.compile(
    r"(?mi)^[\W_]*(?:(?:strictly|company|highly) )?(?:private (?:and|&) )?(?:confidential|privileged|vertraulich"
    r"|streng vertraulich|nur für den dienstgebrauch|verschlusssache|attorney[- ]client privileged?)"
    r"(?: (?:and|&|und) (?:confidential|proprietary|persönlich))?[\W_]*$"
)
_MARK_CHARACTERS = 1_500
_MONEY = re.compile(r"(?:€|\$|£|eur|usd|gbp|chf)\s?\d{1,3}(?:[.,' ]?\d{3})+|\d{1,3}(?:[.,' ]\d{3})+|\b\d{4,6}\b", re.I)
_PAY_WORD = re.compile(
    r"(?i)\b(?:base salary|gross salary|net salary|salary|annual pay|gross pay|net pay|bruttogehalt|nettogehalt"
    r"|grundgehalt|jahresgehalt|monatsgehalt|gehalt|bruttolohn|nettolohn)\b"
)
_PAY_LINES, _PAY_ROWS = 3, 3
_HEALTH = re.compile(
    r"(?i)\b(?:arbeitsunfähigkeitsbescheinigung|arbeitsunfähig(?:keit)? (?:erkrankt|seit)|certificate of incapacity"
    r"|unfit for work|diagnos(?:e|is)\s{0,3}(?:\(icd[^)]{0,20}\))?\s{0,3}:)"
)
_ICD = re.compile(r"\b[A-TV-Z]\d{2}\.\d{1,2}\b")
_STAFF = re.compile(
    r"(?i)\b(?:written warning|final warning|termination of (?:your|the) employment|hiermit mahnen wir sie ab"
    r"|kündigen wir (?:ihr|das) arbeitsverhältnis|performance improvement plan|aufhebungsvertrag)\b"
)
_TAX_ID = re.compile(
    r"(?i)\b(?:ssn|social security (?:number|no)|steuer-?id(?:entifikationsnummer)?|sozialversicherungsnummer)\b"
    r"\W{0,5}(?:\d{3}-\d{2}-\d{4}|\d{2} ?\d{3} ?\d{3} ?\d{3}|\d{8}[A-Z]\d{3})\b"
)


def name_signs(part: str, folder: bool = False) -> list[Sign]:
    """Return what the name of a file or a folder says.

    >>> [sign.kind for sign in name_signs("Gehaltsliste 2026.xlsx")], name_signs("password-policy.md")
    (['pay'], [])
    """
    plain = unicodedata.normalize("NFKC", part)
    stem, _, ending = plain.rpartition(".") if not folder and "." in plain.strip(".") else (plain, "", "")
    words = _words(stem)
    if not words or _ABOUT & set(words) or ending.lower() in _CODE:
        return []
    text = f" {' '.join(words)} "
    found = [Sign(kind, f"the name says “{word}”") for word, kind in _by_word() if f" {word} " in text]
    if not folder and (kind := _ALONE.get(" ".join(words))):
        found.append(Sign(kind, f"the file is named “{part[:60]}”"))
    if folder and (kind := _FOLDERS.get(" ".join(words))):
        found.append(Sign(kind, f"the folder is named “{part[:60]}”"))
    return _first_of_each(found)


def text_signs(text: str) -> list[Sign]:
    """Return what a text says: marks, pay, health, numbers with a checksum, and secrets by shape and entropy."""
    some = text[:MOST_CHARACTERS]
    found = [sign for look in _LOOKS for sign in look(some)]
    return _first_of_each(found)


def convincing(signs: Sequence[Sign]) -> bool:
    """Tell whether signs together say enough: a strong one, or two weak ones of different kinds."""
    return any(not sign.weak for sign in signs) or len({sign.kind for sign in signs}) > 1


def _words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-zäöü])(?=[A-ZÄÖÜ])", " ", name)
    return [word for word in re.split(r"[\W_\d]+", spaced.lower()) if word]


@cache
def _by_word() -> tuple[tuple[str, str], ...]:
    return tuple((word, kind) for kind, words in _NAMES.items() for word in words)


def _first_of_each(signs: Iterable[Sign]) -> list[Sign]:
    """Keep one sign of each kind, a strong one where there is one."""
    kept: dict[str, Sign] = {}
    for sign in signs:
        if sign.kind not in kept or (kept[sign.kind].weak and not sign.weak):
            kept[sign.kind] = sign
    return list(kept.values())


def _marked(text: str) -> Iterator[Sign]:
    if found := _MARKS.search(text[:_MARK_CHARACTERS]):
        yield Sign("confidential", f"it is marked “{found[0].strip(' *_#[]()-=|.:')[:40]}”")


def _paid(text: str) -> Iterator[Sign]:
    lines = text.splitlines()
    told = sum(bool(_PAY_WORD.search(line) and _MONEY.search(line)) for line in lines)
    if told >= _PAY_LINES:
        yield Sign("pay", f"{told} lines name pay with an amount")
        return
    for at, line in enumerate(lines):
        if _PAY_WORD.search(line) and re.search(r"[,;|\t]", line):
            rows = sum(bool(_MONEY.search(row) and re.search(r"[,;|\t]", row)) for row in lines[at + 1 : at + 50])
            if rows >= _PAY_ROWS:
                yield Sign("pay", f"a table with a column of pay and {rows} rows of amounts")
                return


def _ill(text: str) -> Iterator[Sign]:
    found = _HEALTH.search(text)
    if found is None:
        return
    coded = _ICD.search(text[max(0, found.start() - 400) : found.end() + 400])
    yield Sign("health", "it speaks of somebody's illness" + (" with an ICD code" if coded else ""), weak=coded is None)


def _staff(text: str) -> Iterator[Sign]:
    if found := _STAFF.search(text[:20_000]):
        yield Sign("personnel", f"it says “{found[0].lower()}”", weak=True)
    if _TAX_ID.search(text):
        yield Sign("identity", "it holds a tax or social security number")


def _numbered(text: str) -> Iterator[Sign]:
    if count := len(ibans(text)):
        many = count > 1
        yield Sign("bank", f"{count} IBAN{'s' if many else ''} with the right checksum", weak=count < 3)
    if count := len(cards(text)):
        yield Sign("card", f"{count} number{'s' if count > 1 else ''} of credit cards with the right checksum")


def _secret(text: str) -> Iterator[Sign]:
    for why in secrets_in(text)[:1]:
        yield Sign("secret", why)


_LOOKS = (_marked, _paid, _ill, _staff, _numbered, _secret)
