"""Which passwords are among the first that anybody would try: without the usual parts, too little is left of them.

The usual parts are common words and names, walks over the keyboard, and repetitions, also with signs for letters
(`p@ssw0rd`). Long phrases are never refused for their words.
"""

from __future__ import annotations

import re

PHRASE = 20
"""From so many characters on, the words that a password is made of do not count against it."""

_FEWEST_SIGNS, _FEWEST_FREE, _SHORTEST_BLOCK = 5, 4, 8
_ROWS = ("1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LETTERS = str.maketrans("@$!013457", "asioieast")

_PARTS = """
    password passwort passwd letmein welcome administrator admin login access changeme default secret qwerty
    azerty qwertz iloveyou loveyou iloveu lovely forever family whatever trustno1 abc123 123abc test guest user
    root hello sunshine princess superman batman spiderman football baseball basketball soccer hockey monkey
    dragon tiger master shadow killer hunter ranger ninja pokemon naruto starwars startrek minecraft
    counterstrike playstation nintendo transformers supernatural warcraft warhammer finalfantasy residentevil
    needforspeed matrix phoenix mustang ferrari porsche mercedes harley yamaha corvette manchester united
    liverpool chelsea arsenal barcelona madrid juventus bayern michael jackson justin bieber avril lavigne
    hannah montana james bond christopher alexander jennifer jessica michelle daniel david robert thomas joshua
    matthew andrew anthony jordan george charlie ashley nicole amanda samantha maria anna peter martin sebastian
    jesus christ angel heaven devil summer winter spring autumn january february march april june july august
    september october november december monday tuesday wednesday thursday friday saturday sunday berlin london
    paris newyork america deutschland international professional computer internet samsung google facebook
    linkedin twitter microsoft windows linkin chocolate cookie peanut butter banana orange cheese coffee flower
    butterfly freedom company office bowerbird love baby girl boy sweet
"""


def is_guessable(password: str, handle: str) -> bool:
    """Tell whether too little is left of a password (folded by case) without the usual parts.

    >>> [is_guessable(one, "ada") for one in ("p@ssw0rd2024", "1q2w3e4r5t6y", "gfhjkmgfhjkm", "adaadaadaada")]
    [True, True, True, True]
    >>> is_guessable("gravel otter", "ada"), is_guessable("kT9#vRw2!pLx".casefold(), "ada")
    (False, False)
    """
    if len(set(password)) < _FEWEST_SIGNS or password == handle:
        return True
    if password.isdigit() or len(_block(password)) < _SHORTEST_BLOCK or _free(password) < _FEWEST_FREE:
        return True
    if len(password) >= PHRASE:
        return False
    dateless = _YEAR.sub(" ", password)
    return any(_free(_without(form, handle)) < _FEWEST_FREE for form in (dateless, dateless.translate(_LETTERS)))


def _without(password: str, handle: str) -> str:
    rest = password
    for part in (handle, *sorted(_PARTS.split(), key=len, reverse=True)):
        rest = rest.replace(part, " ")
    return rest


def _block(password: str) -> str:
    """Return the shortest block that the password is a repetition of."""
    return password[: (password + password).find(password, 1)]


def _free(password: str) -> int:
    """Count the characters that do not follow from the two before them, by the keyboard or the alphabet."""
    return sum(
        not sign.isspace() and not any(_is_near(sign, before) for before in password[max(at - 2, 0) : at])
        for at, sign in enumerate(password)
    )


def _is_near(one: str, other: str) -> bool:
    if abs(ord(one) - ord(other)) <= 1:
        return True
    first, second = _PLACES.get(one), _PLACES.get(other)
    if first is None or second is None:
        return False
    return abs(first[0] - second[0]) <= 1 and abs(first[1] - second[1]) <= 1


_PLACES = {sign: (row, column) for row, signs in enumerate(_ROWS) for column, sign in enumerate(signs)}
