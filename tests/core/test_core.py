"""Records round-trip, settings explain themselves, kinds and errors keep their word."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.core import errors, ids, kinds, settings
from bowerbird.core.errors import BowerbirdError, SettingError
from bowerbird.core.records import Block, Document, Item, Person, Place, from_json, to_json
from bowerbird.core.settings import Settings

texts = st.text(st.characters(exclude_categories=("Cs",)))


@given(texts, texts, st.binary(), st.datetimes(timezones=st.just(UTC)))
def test_an_item_round_trips_through_json(key: str, name: str, content: bytes, moment: datetime) -> None:
    item = Item(key, name, f"file:///{key}", "1", 3, moment, people=(Person(name, key),), content=content)
    assert from_json(to_json(item), Item) == item


@given(st.lists(st.tuples(texts, st.sampled_from(["heading", "paragraph", "table", "media"])), max_size=5))
def test_a_document_round_trips_through_json(blocks: list[tuple[str, str]]) -> None:
    made = tuple(Block(text, kind, page=1, seconds=(0.5, 2.0)) for text, kind in blocks)  # type: ignore[arg-type]
    document = Document("title", made, "test-1", created=datetime(2026, 1, 2, tzinfo=UTC), fields={"to": "ada"})
    assert from_json(to_json(document), Document) == document


def test_json_that_does_not_fit_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="not a Place"):
        from_json(b'{"headings": 3}', Place)


def test_places_read_as_a_person_would_say_them() -> None:
    assert str(Place(("Setup", "Network"), page=3)) == "page 3 · Setup › Network"
    assert str(Place(seconds=(65.0, 70.0))) == "1:05"


def test_ids_are_distinct_and_sortable_by_nothing() -> None:
    made = {ids.new_id() for _ in range(2000)}
    assert len(made) == 2000
    assert {len(one) for one in made} == {13}


@pytest.mark.parametrize("module", [ids, kinds, settings])
def test_examples_in_docstrings_hold(module: object) -> None:
    failed, tried = doctest.testmod(module)  # type: ignore[arg-type]
    assert (failed, tried > 0) == (0, True)


def test_every_error_has_a_code_of_its_own_and_stands_in_the_tree() -> None:
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, BowerbirdError)]
    codes = [one.code for one in classes]
    assert len(set(codes)) == len(codes)
    for one in classes:
        assert one.__name__ in (errors.__doc__ or "")


def test_a_wrong_setting_names_the_nearest_right_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError) as wrong:
        Settings({"prot": 1})
    assert "`port`" in wrong.value.remedy
    (tmp_path / "settings.toml").write_text("port = 'many'\n")
    with pytest.raises(SettingError, match="whole number"):
        settings.load(tmp_path)
    (tmp_path / "settings.toml").write_text("port = ")
    with pytest.raises(SettingError, match="not valid TOML"):
        settings.load(tmp_path)
    (tmp_path / "settings.toml").write_text("port = 8000\nsandbox_seconds = 3\n")
    monkeypatch.setenv("BOWERBIRD_PORT", "9000")
    loaded = settings.load(tmp_path)
    assert (loaded.get("port", int), loaded.get("sandbox_seconds", float)) == (9000, 3.0)


def test_home_is_the_override_then_the_environment_then_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.delenv("BOWERBIRD_HOME", raising=False)
    assert settings.home_directory() == Path("/data/bowerbird")
    monkeypatch.setenv("BOWERBIRD_HOME", "/elsewhere")
    assert settings.home_directory() == Path("/elsewhere")
    assert settings.home_directory(tmp_path) == tmp_path
