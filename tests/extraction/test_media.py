import io
from datetime import UTC, datetime
from types import ModuleType

import pytest
from PIL import Image

from bowerbird.core.errors import ExtractionError, NotFoundError
from bowerbird.core.records import Block
from bowerbird.extraction import Extractor


@pytest.mark.parametrize(("kind", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("TIFF", "tif"), ("WEBP", "webp")])
def test_images_are_one_block_and_what_they_say_of_themselves(
    extractor: Extractor, making: ModuleType, kind: str, ending: str
) -> None:
    document = extractor.extract(f"holiday.{ending}", making.picture(kind))
    assert document.blocks == (Block("", "media"),)
    assert document.title == "holiday"
    assert document.media_type == f"image/{kind.lower()}"
    assert (document.fields["width"], document.fields["height"]) == ("40", "30")
    assert document.created == datetime(2023, 7, 1, 12, 0, tzinfo=UTC)
    assert document.fields["camera"] == "Canon EOS"


def test_images_are_known_by_their_bytes(extractor: Extractor, making: ModuleType) -> None:
    assert extractor.extract("unnamed", making.picture()).media_type == "image/png"
    assert extractor.extract("wrong.txt", making.picture("JPEG")).media_type == "image/jpeg"


def test_sound_has_a_length(extractor: Extractor, making: ModuleType) -> None:
    document = extractor.extract("note.wav", making.sound(1.5))
    assert document.blocks == (Block("", "media", seconds=(0.0, 1.5)),)
    assert document.fields["duration"] == "1.5"


def test_film_is_a_medium(extractor: Extractor) -> None:
    document = extractor.extract("clip.mp4", b"\0\0\0\x20ftypisom" + bytes(100))
    assert (document.blocks, document.media_type) == ((Block("", "media"),), "video/mp4")


def test_pages_are_drawn_at_the_width_asked_for(extractor: Extractor, making: ModuleType) -> None:
    with Image.open(io.BytesIO(extractor.page_image("guide.pdf", making.pdf(), page=2, width=600))) as page:
        assert (page.format, page.width) == ("PNG", 600)
        assert page.height == pytest.approx(600 * 842 / 595, abs=3)
        assert len(page.convert("L").getcolors() or ()) > 2  # something is drawn on it


def test_images_are_shown_no_larger_than_they_are(extractor: Extractor, making: ModuleType) -> None:
    data = making.picture("JPEG", (400, 200))
    for width, expected in ((100, (100, 50)), (1200, (400, 200))):
        with Image.open(io.BytesIO(extractor.page_image("a.jpg", data, width=width))) as shown:
            assert shown.size == expected


def test_what_has_no_pages_says_so(extractor: Extractor, making: ModuleType) -> None:
    with pytest.raises(NotFoundError, match="no page 9"):
        extractor.page_image("guide.pdf", making.pdf(), page=9)
    with pytest.raises(NotFoundError):
        extractor.page_image("notes.txt", b"words")


def test_a_picture_that_claims_to_be_huge_is_not_decoded(extractor: Extractor, making: ModuleType) -> None:
    bomb = making.png_bomb()
    assert extractor.extract("bomb.png", bomb).fields["width"] == "400000"
    with pytest.raises(ExtractionError, match="too large"):
        extractor.page_image("bomb.png", bomb)
