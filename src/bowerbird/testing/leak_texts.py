"""What the items of the two worlds are made of: words that both hold, and words of one world only."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from bowerbird.testing.leak_requests import Choose
from bowerbird.testing.leak_world import Thing

WORDS = (
    "harbour", "budget", "walrus", "cloud", "ticket", "lantern", "meadow", "copper", "signal", "orchard", "violin",
    "granite",
)  # fmt: skip
"""Words of what may be visible."""

SECRETS = (
    ("zqamber", "zqatlas", "zqarbor", "zqanvil", "zqalder"),
    ("zqbison", "zqbaker", "zqberyl", "zqbirch", "zqbrook"),
)
"""Words of what is hidden, of world 0 and of world 1: as many, as long, and never in what is visible."""

BEGINNINGS = (
    ("har", "wal", "cop", "hazel", "haven", "hamlet", "hasty", "habit", "halo", "hammer"),
    ("bud", "sig", "mea", "buckle", "budge", "buffet", "bugle", "bundle", "burrow", "button"),
)
"""Hidden words that are the beginning of a visible one, or begin like it: completion must not tell them."""

SHARED = (b"harbour budget\n\nThe walrus signal.", b"meadow copper granite lantern", b"violin ticket budget cloud")
"""Contents that several items have, visible and hidden ones."""

ENDINGS = ("txt", "txt", "txt", "md", "eml", "png")
_DAY0 = datetime(2025, 10, 1, 9, tzinfo=UTC)


@lru_cache
def picture(number: int) -> bytes:
    """Return one of a few small pictures."""
    from PIL import Image

    target = io.BytesIO()
    Image.new("RGB", (24, 16), (60 * number % 256, 90, 160)).save(target, "PNG")
    return target.getvalue()


def moment(number: int) -> datetime:
    """Return a time of its own for every number, spread over most of a year."""
    return _DAY0 + timedelta(days=number * 37 % 400, seconds=number)


def visible_thing(choose: Choose, number: int, folder: str) -> Thing:
    """Return an item as it may be in both worlds."""
    ending = choose(ENDINGS)
    name = f"{choose(WORDS)}{number}.{ending}"
    words = [choose(WORDS) for _ in range(choose((2, 3, 5)))]
    return _thing(folder, name, content(choose, words, "Ada Byron <ada@example.org>", ending, number), number)


def hidden_thing(choose: Choose, number: int, folder: str, world: int) -> Thing:
    """Return an item of one world, with any words."""
    ending = choose(ENDINGS)
    secrets = SECRETS[world]
    pool = (*secrets, *BEGINNINGS[world], *WORDS)
    words = [choose(pool) for _ in range(choose((2, 3, 5)))]
    who = f"Zq{'ab'[world]}nora Low <zq{'ab'[world]}nora@example.org>"
    name = f"{secrets[number % len(secrets)]}{number}.{ending}"
    return _thing(folder, name, content(choose, words, who, ending, number), number)


def hidden_pair(choose: Choose, number: int, folder: str) -> list[Thing | None]:
    """Return an item that is in both worlds, as long in each, under other names, words, people and dates."""
    ending = choose(ENDINGS)
    places = [choose(range(15)) for _ in range(choose((2, 3, 5)))]
    shared = choose((None, *SHARED))
    things: list[Thing | None] = []
    for world, secrets in enumerate(SECRETS):
        words = [(*secrets, *BEGINNINGS[world])[place] for place in places]
        who = f"Zq{'ab'[world]}nora Low <zq{'ab'[world]}nora@example.org>"
        data = shared if shared and ending == "txt" else _content(words, who, ending, number)
        things.append(_thing(folder, f"{secrets[number % 5]}{number}.{ending}", data, number + 7 * world))
    return things


def content(choose: Choose, words: Sequence[str], who: str, ending: str, number: int) -> bytes:
    """Return the bytes of an item; sometimes those of another."""
    shared = choose((None, *SHARED))
    return shared if shared and ending == "txt" else _content(words, who, ending, number)


def _content(words: Sequence[str], who: str, ending: str, number: int) -> bytes:
    text = " ".join(words)
    if ending == "png":
        return picture(number % 3)
    if ending == "eml":
        day = moment(number).strftime("%d %b %Y %H:%M:%S +0000")
        return f"From: {who}\nTo: all@example.org\nSubject: {words[0]}\nDate: {day}\n\n{text}\n".encode()
    return (f"# {words[0]}\n\n{text}\n" if ending == "md" else f"{text}\n").encode()


def _thing(folder: str, name: str, data: bytes, number: int) -> Thing:
    return Thing(f"{folder}/{name}" if folder else name, folder, data, moment(number))
