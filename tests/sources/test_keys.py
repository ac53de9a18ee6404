import os

from hypothesis import example, given
from hypothesis import strategies as st

from bowerbird.core.records import Gone, from_json, to_json
from bowerbird.sources.keys import depth, escape, join, readable, split, split_members, unescape

names = st.binary(min_size=1, max_size=40).map(os.fsdecode).filter(lambda n: "/" not in n and "\0" not in n)
text = st.text(st.characters(exclude_categories=[]), max_size=40)


@given(st.one_of(names, text))
@example("a\\x41")
@example("\\")
@example("!\n")
@example("caf\udce9!")
def test_escaping_is_reversible_and_printable(name: str) -> None:
    key = escape(name)
    assert unescape(key) == name
    assert from_json(to_json(Gone(key)), Gone).key == key
    assert not any(ord(c) < 32 or c == "/" for c in key)


@given(st.text(max_size=40), st.text(max_size=40))
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)


@given(st.lists(names.filter(lambda n: n not in (".", "..")), min_size=1, max_size=4), st.integers(1, 3))
def test_paths_and_members_split_where_they_were_joined(parts: list[str], nested: int) -> None:
    key = join(parts)
    assert split(key) == tuple(parts)
    deep = "!/".join([key] * (nested + 1))
    assert split_members(deep) == (key,) * (nested + 1) and depth(deep) == nested


@given(st.one_of(names, text))
def test_a_readable_name_is_text_in_one_line(name: str) -> None:
    shown = readable(name)
    assert shown.encode().decode() == shown and "\n" not in shown


def test_an_old_name_is_found_by_its_word() -> None:
    assert readable(os.fsdecode("Größe.txt".encode("latin-1"))) == "Größe.txt"
    assert readable("Gro\u0308ße.txt") == "Größe.txt"
