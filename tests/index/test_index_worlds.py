"""Two libraries that differ only in what somebody may not see answer the same, but for the order of their own hits."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from bowerbird.core.records import Filters, Principal
from bowerbird.index.reading import WordQuery
from bowerbird.store import sources
from bowerbird.store.tables import scope_entries

ANN = Principal("user:ann")
TEXTS = {
    "kea.md": "the kea is a parrot that sings in the valley",
    "moa.md": "a moa was a bird of the forest, parrot or not",
    "owl.md": "an owl hunts a parrot, and a parrot hides from the owl in the forest",
    "nest.md": "a nest of twigs, built in the valley by a bird",
}
HIDDEN = ("parrot parrot forest", "valley valley valley owl", "secretword parrot", "bird nest kea moa forest " * 9)


def shared(shelf: Any, hidden: tuple[str, ...]) -> dict[str, str]:
    """Fill a library with what ann may see and what she may not, in turn; returns her items' names by id."""
    with shelf.store.database.write() as connection:
        hers = sources.add(connection, "files", "/hers", "hers")
        entry = {"acl_id": hers.acl_id, "principal": ANN.name, "effect": "allow"}
        connection.execute(insert(scope_entries).values(**entry))
    names = {}
    for number, (name, text) in enumerate(TEXTS.items()):
        for at, secret in enumerate(hidden[number::4]):
            shelf.add(f"{number}-{at}.md", secret, title="Secretword")
        names[shelf.add(name, text, source=hers)] = name
    shelf.level()
    shelf.tidy()
    return names


@pytest.mark.parametrize("filters", [Filters(), Filters(types=("note",)), Filters(within=("none",))])
def test_only_the_order_by_words_can_tell_of_hidden_texts(new_shelf: Any, filters: Filters) -> None:
    answers = []
    for hidden in ((), HIDDEN, HIDDEN * 30):
        shelf = new_shelf()
        names = shared(shelf, hidden)
        reader = shelf.reader(ANN)
        vector = shelf.encoder.query("parrot of the valley")
        near = [(names[one.item], round(one.score, 5)) for one in reader.meaning(vector, filters, 9)]
        words = [
            sorted(names[one.item] for one in reader.words(WordQuery(*asked), filters, 9))
            for asked in (
                ("parrot valley",),
                ("secretword",),
                ("", ("a parrot",)),
                ("secr", (), True),
                ("parr", (), True),
            )
        ]
        recent = sorted(names[one] for one in reader.recent(filters, 9))
        named = [[names[one] for one in reader.named(text, filters, 9)] for text in ("kea.md", "0-0.md", "secretword")]
        answers.append((near, words, recent, named, reader.pending()))
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0][0]) == (4 if filters.within == () else 0)
