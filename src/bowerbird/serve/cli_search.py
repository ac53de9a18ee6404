"""`bowerbird search`: asks a running server where there is one (it is warm), else the library itself."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.core.errors import QueryError
from bowerbird.serve.cli_call import JSON_HELP, Call, current
from bowerbird.serve.cli_output import count, out, print_json, printable, say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MOST_STDIN = 64 * 1024
"""Bytes of a query that are read from stdin; a longer one is refused, whatever it says."""

MOST_HTTP = 2000
"""Characters of a query that are sent to a running server; the library itself judges longer ones."""

Facts = Mapping[str, object]


def search(
    query: Annotated[list[str], typer.Argument(metavar="QUERY...", help="What to look for; `-` reads it from stdin.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="How many hits.")] = 10,
    sort: Annotated[str, typer.Option(help="relevance or date (newest first).")] = "relevance",
    pipeline: Annotated[str, typer.Option(help="words, meaning, hybrid, or a formula.")] = "hybrid",
    as_user: Annotated[str, typer.Option("--as", metavar="USER", help="Search with the eyes of this person.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Search, and print the hits, best first."""
    answer(read_query(query), limit=limit, sort=sort, as_json=as_json, pipeline=pipeline, as_user=as_user)


def answer(text: str, *, limit: int, sort: str, as_json: bool, pipeline: str = "hybrid", as_user: str = "") -> None:
    """Search for a text, and print the hits; days are those of this machine's time zone."""
    from bowerbird.core.zones import local_zone

    call, zone = current(), local_zone()
    found = ask_server(call, text, limit, sort, zone) if pipeline == "hybrid" and not as_user else None
    if found is None:
        from bowerbird.core.records import OWNER

        with call.open() as library:
            asker = library.identity.people.eyes(as_user) if as_user else OWNER
            found = library.search(text, asker, limit=limit, sort=sort, pipeline=pipeline, zone=zone).to_dict()
    if as_json:
        print_json(found)
    else:
        show(found)


def read_query(words: list[str]) -> str:
    """Join the words of the command line; `-` alone stands for what comes in on stdin. Raises QueryError."""
    if words != ["-"]:
        text = " ".join(words)
    else:
        data = sys.stdin.buffer.read(MOST_STDIN + 1)
        if len(data) > MOST_STDIN:
            raise QueryError(
                f"The query is longer than {MOST_STDIN // 1024} KiB.", "Search for a few words of it, or for a phrase."
            )
        text = data.decode("utf-8", "replace").strip()
    # what is not UTF-8 came in as lone surrogates, which could not be sent to a server or printed
    return text.encode("utf-8", "replace").decode("utf-8")


def ask_server(call: Call, text: str, limit: int, sort: str, zone: str) -> Facts | None:
    """Return the answer of a running server, None where there is none that answers."""
    from bowerbird.serve.client import running

    server = running(call.home) if len(text) <= MOST_HTTP else None
    if server is None:
        return None
    try:
        return server.get("/api/search", q=text, limit=limit, sort=sort, zone=zone)
    except ConnectionError:
        return None


def show(found: Facts) -> None:
    """Print the hits for a person: rank and title, what and where it is, the best passage."""
    hits = facts_of(found.get("hits"))
    for hit in hits:
        print_hit(hit)
    for hint in texts_of(found.get("hints")):
        say(hint)
    if hits:
        took = found.get("took_ms")
        say(f"{count(len(hits), 'hit')}" + (f" in {took:.0f} ms" if isinstance(took, int | float) else ""))
    else:
        say("Nothing found.")
    waiting = [
        f"{count(number, 'file')} not yet searchable by {leg}"
        for leg, number in zip(("words", "meaning"), pending_of(found.get("partial")), strict=False)
        if number
    ]
    if waiting:
        say(f"Still being indexed: {', '.join(waiting)}.")


def print_hit(hit: Facts) -> None:
    """Print one hit as a block of lines that also reads well aloud."""
    from rich.style import Style
    from rich.text import Text

    console = out()
    uri = str(hit.get("uri") or "")
    link = uri if console.is_terminal and uri.startswith(("file:", "http:", "https:")) else None
    title = printable(str(hit.get("title") or hit.get("path") or hit.get("item"))).replace("\n", " ")
    console.print(Text.assemble(f"{hit.get('rank')}. ", (title, Style(bold=True, link=link))))
    about = [str(hit.get("kind") or ""), str(hit.get("path") or hit.get("source") or ""), day(hit.get("modified"))]
    print_below(console, Text(printable(", ".join(part for part in about if part)), style="dim"))
    for passage in facts_of(hit.get("passages"))[:1]:
        print_below(console, marked(passage))
        print_below(console, Text(printable(str(passage.get("place") or "")), style="dim"))
    console.print()


def print_below(console: Console, text: Text) -> None:
    """Print what belongs to the line above, indented; on a terminal it is wrapped to the width."""
    from rich.text import Text

    if not text.plain.strip():
        return
    lines = text.wrap(console, max(console.width - 3, 20)) if console.is_terminal else [text]
    for line in lines:
        line.rstrip()
        console.print(Text("   ") + line)


def marked(passage: Facts) -> Text:
    """Return a passage's text with the found words standing out."""
    from rich.text import Text

    text = Text(printable(str(passage.get("text") or "")).replace("\n", " ").replace("\t", " "))
    spans = passage.get("highlights")
    for span in spans if isinstance(spans, Iterable) else ():
        if isinstance(span, list | tuple) and len(span) == 2:
            text.stylize("bold yellow", int(span[0]), int(span[1]))
    return text


def day(moment: object) -> str:
    """Return the day of a moment as people say it, in this machine's time zone.

    >>> day("2024-05-02T10:00:00Z"), day(None)
    ('2 May 2024', '')
    """
    if isinstance(moment, str) and moment:
        moment = datetime.fromisoformat(moment).astimezone()
    return f"{moment.day} {moment:%B %Y}" if isinstance(moment, datetime) else ""


def facts_of(value: object) -> list[Facts]:
    """Return the objects of a list that came as JSON."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def texts_of(value: object) -> list[str]:
    """Return the texts of a list that came as JSON."""
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def pending_of(value: object) -> list[int]:
    """Return how many items wait for (words, meaning)."""
    numbers = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [one for one in numbers if isinstance(one, int)]
