import bz2
import gzip
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from types import ModuleType

import pytest

from bowerbird.core.errors import ContainerError, ExtractionError
from bowerbird.core.records import Document, Person
from bowerbird.core.settings import child_environment
from bowerbird.extraction import PARSER_VERSION, Extractor


def shape(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, block.text.split("\n")[0][:40]) for block in document.blocks]


def test_word(extractor: Extractor, making: ModuleType) -> None:
    document = extractor.extract("plan.docx", making.word())
    assert (document.title, document.authors) == ("Quarterly plan", (Person("Ada Lovelace"),))
    assert document.created == datetime(2024, 3, 1, 9, 30, tzinfo=UTC)
    assert document.parser == PARSER_VERSION
    assert "xberg-" in PARSER_VERSION
    assert document.language == "en"
    assert shape(document) == [
        ("heading", "Plan"),
        ("paragraph", "The harvest festival needs a larger tent"),
        ("heading", "Budget"),
        ("table", "Item | Cost | By"),
        ("list", "- rope"),
        ("quote", "Measure twice, cut once."),
    ]
    assert [block.level for block in document.blocks if block.kind == "heading"] == [1, 2]
    assert "Tent | 100 | June" in document.text


def test_slides_have_titles_and_pages(extractor: Extractor, making: ModuleType) -> None:
    document = extractor.extract("deck.pptx", making.slides())
    assert (document.title, document.pages) == ("Launch", 2)
    assert [(block.text, block.page) for block in document.blocks if block.kind == "heading"] == [
        ("Launch", 1),
        ("Risks", 2),
    ]
    assert "Speak slowly." in document.text


def test_sheets_are_tables_under_their_names(extractor: Extractor, making: ModuleType) -> None:
    document = extractor.extract("costs.xlsx", making.sheets())
    assert document.title == "costs"
    assert shape(document) == [
        ("heading", "Costs"),
        ("table", "Item | Cost"),
        ("heading", "People"),
        ("table", "Ada | Countess"),
    ]
    assert document.authors == ()


def test_pdf_keeps_pages_headings_and_tables(extractor: Extractor, making: ModuleType) -> None:
    document = extractor.extract("guide.pdf", making.pdf())
    assert (document.title, document.authors, document.pages) == ("Field guide", (Person("Bob Birder"),), 2)
    assert [(block.text, block.page) for block in document.blocks if block.kind == "heading"] == [
        ("Nests", 1),
        ("Songs", 2),
    ]
    assert any(block.kind == "table" and "Satin | blue" in block.text for block in document.blocks)
    assert all(block.page in (1, 2) for block in document.blocks)


def test_a_scanned_page_is_left_as_a_medium(extractor: Extractor, making: ModuleType) -> None:
    document = extractor.extract("scan.pdf", making.scan())
    assert [(block.kind, block.page) for block in document.blocks] == [("paragraph", 1), ("media", 2)]
    assert document.pages == 2


def test_a_message_has_people_fields_and_its_attachments(extractor: Extractor, making: ModuleType) -> None:
    for name in ("mail.eml", "no-ending-at-all", "saved.txt"):
        document = extractor.extract(name, making.message())
        assert document.title == "The tent – again"
        assert document.authors == (Person("Ada Lövelace", "ada@example.org"),)
        assert document.created == datetime(2024, 1, 1, 9, 0, tzinfo=UTC)
        assert document.blocks[0].kind == "header"
        assert "the tent leaks." in document.text
        assert ("ropes and pegs" in document.text) == (name != "mail.eml")  # there it is an item of its own
        assert dict(document.fields) == {
            "from": "Ada Lövelace <ada@example.org>",
            "to": "Bob <bob@example.org>, carol@example.org",
            "cc": "Dan <dan@example.org>",
            "subject": "The tent – again",
            "date": "2024-01-01T09:00:00+00:00",
            "message-id": "1@example.org",
            "in-reply-to": "0@example.org",
            "attachments": "list.txt",
        }


def test_an_event_can_be_read(extractor: Extractor, making: ModuleType) -> None:
    document = extractor.extract("invite.ics", making.event())
    assert document.title == "Autumn planning, part two"
    assert document.authors == (Person("Ada Lovelace", "ada@example.org"), Person("Bob, B.", "bob@example.org"))
    assert document.created == datetime(2024, 9, 5, 13, 0, tzinfo=UTC)
    assert document.fields["location"] == "Room 5"
    assert [block.text for block in document.blocks] == [
        "Autumn planning, part two",
        "When: Thursday, 05 September 2024, 13:00 to Thursday, 05 September 2024, 14:00\n"
        "Where: Room 5\nOrganizer: Ada Lovelace <ada@example.org>\nWith: Bob, B. <bob@example.org>",
        "Bring the long list.\nAnd tea.",
    ]


def test_a_contact_can_be_read(extractor: Extractor, making: ModuleType) -> None:
    document = extractor.extract("ada.vcf", making.card())
    assert (document.title, document.authors) == ("Ada Lovelace", (Person("Ada Lovelace", "ada@example.org"),))
    assert document.text == (
        "Ada Lovelace\n\nOrganization: Engines, Analysis\nMail: ada@example.org\nPhone: +44 1\n\nLikes numbers"
    )


def test_web_pages_keep_their_structure(extractor: Extractor) -> None:
    page = (
        "<html lang=de><head><title>Laubenvögel</title></head><body><h2>Nester</h2><p>Ein <b>blauer</b> Fund.</p>"
        "<ul><li>Federn<li>Beeren</ul><pre>x = 1</pre><table><tr><th>Art<th>Farbe<tr><td>Seide<td>blau</table>"
        "<script>alert('never read')</script></body></html>"
    )
    document = extractor.extract("seite.html", page.encode())
    assert document.title == "Laubenvögel"
    assert shape(document) == [
        ("heading", "Nester"),
        ("paragraph", "Ein blauer Fund."),
        ("list", "- Federn"),
        ("code", "x = 1"),
        ("table", "Art | Farbe"),
    ]
    assert extractor.extract("download", page.encode()).title == "Laubenvögel"


def test_notebooks_subtitles_rich_text_and_xml(extractor: Extractor, making: ModuleType) -> None:
    assert shape(extractor.extract("songs.ipynb", making.notebook())) == [
        ("heading", "Analysis of songs"),
        ("paragraph", "Some words."),
        ("code", "print(1)"),
    ]
    film = b"WEBVTT\n\n00:01:14.500 --> 00:01:18.000\nWhere are we now?\n"
    assert extractor.extract("film.vtt", film).blocks[0].seconds == (74.5, 78.0)
    rich = rb"{\rtf1\ansi{\info{\title Rich}{\author Zed Zee}}Hello \b bold\b0\par Second}"
    assert extractor.extract("a.rtf", rich).authors == (Person("Zed Zee"),)
    xml = extractor.extract("data.xml", b"<?xml version='1.0'?><zoo><bird kind='x'>Satin</bird><nest>blue</nest></zoo>")
    assert xml.text == "bird: Satin\nnest: blue"


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.txt", "Grüße".encode(), "Grüße"),
        ("a.txt", "Grüße aus Köln".encode("cp1252"), "Grüße aus Köln"),
        ("a.txt", "Grüße".encode("utf-16"), "Grüße"),
        ("a.txt.gz", gzip.compress(b"pressed"), "pressed"),
        ("changelog.Debian.gz", gzip.compress(b"bower (1.0) stable"), "bower (1.0) stable"),
        ("a.md.bz2", bz2.compress(b"# Pressed"), "Pressed"),
        ("README", b"read me", "read me"),
        ("odd.ending", b"some words", "some words"),
        ("really-text.doc", b"not a Word file at all", "not a Word file at all"),
        ("run", b"#!/bin/sh\necho", "#!/bin/sh\necho"),
        ("a.csv", "name;age\nZoë;3".encode(), "name | age\nZoë | 3"),
        ("br\udcfcder.txt", b"words", "words"),
        ("a.html", '<meta charset="iso-8859-2"><p>Příliš žluťoučký</p>'.encode("iso-8859-2"), "Příliš žluťoučký"),
        ("a.html", "<html><body><p>Grüße aus Köln</p>".encode("cp1252"), "Grüße aus Köln"),
        ("a.html", "<html><body><p>Grüße aus Köln</p>".encode("utf-16"), "Grüße aus Köln"),
        ("empty.txt", b"", ""),
        ("blank.md", b" \n\n", ""),
    ],
)
def test_text_in_any_dress(extractor: Extractor, name: str, data: bytes, text: str) -> None:
    assert extractor.extract(name, data).text == text


def test_languages(extractor: Extractor) -> None:
    def language(text: str) -> str:
        return extractor.extract("a.txt", text.encode()).language

    assert language("Die Versammlung findet am Donnerstag im großen Saal des Rathauses statt.") == "de"
    assert language("La réunion aura lieu jeudi dans la grande salle de la mairie.") == "fr"
    assert language("Собрание состоится в четверг в большом зале ратуши города.") == "ru"
    assert language("Too short.") == ""


@pytest.mark.parametrize(
    ("name", "data", "cause"),
    [
        ("lib.so", b"\x7fELF\x02\x01\x01" + bytes(100), "a program or library"),
        ("data.db", b"SQLite format 3\0" + bytes(100), "a database"),
        ("face.ttf", b"\0\x01\0\0\0\x0b" + bytes(100), "a font"),
        ("old.7z", b"7z\xbc\xaf\x27\x1c" + bytes(100), "an archive"),
        ("noise.bin", bytes(range(256)) * 4, "no text"),
        ("cut.docx", b"PK\x03\x04" + bytes(50), "damaged"),
        ("cut.pdf", b"%PDF-1.7\n1 0 obj", "damaged"),
        ("cut.png", b"\x89PNG\r\n\x1a\n" + bytes(10), "damaged"),
    ],
)
def test_what_cannot_be_read_says_why(extractor: Extractor, name: str, data: bytes, cause: str) -> None:
    with pytest.raises(ExtractionError, match=cause) as refused:
        extractor.extract(name, data)
    assert name in refused.value.cause


def test_a_locked_file_is_called_locked(extractor: Extractor, making: ModuleType) -> None:
    office = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)
    for name, data in (("locked.pdf", making.pdf("sesame")), ("locked.docx", office)):
        with pytest.raises(ExtractionError, match=r"locked\.\w+ is protected by a password"):
            extractor.extract(name, data)


def test_archives_are_not_documents(extractor: Extractor, making: ModuleType) -> None:
    with pytest.raises(ExtractionError, match="archive"):
        extractor.extract("a.zip", making.zipped(**{"a.txt": "words"}))


def test_drawings_that_are_zips_of_xml(extractor: Extractor, making: ModuleType) -> None:
    shape_ = "<Shape><Text>Water &amp; <cp/>light</Text></Shape>"
    drawing = making.zipped(**{"visio/pages/page10.xml": "<Text>last</Text>", "visio/pages/page2.xml": shape_})
    document = extractor.extract("plan.vsdx", drawing)
    assert [(block.text, block.page) for block in document.blocks] == [("Water & light", 1), ("last", 2)]


def test_bombs_end_as_errors(extractor: Extractor, making: ModuleType) -> None:
    with pytest.raises(ExtractionError):
        extractor.extract("bomb.docx", making.bomb_docx())
    zeros = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(zeros.compress(bytes(1 << 20)) for _ in range(150)) + zeros.flush()
    with pytest.raises(ContainerError, match="expands"):
        extractor.extract("bomb.txt.gz", packed)
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(3))
    entity = f"<?xml version='1.0'?><!DOCTYPE x [{laughs}<!ENTITY big '{'&l2;' * 1000}'>]><x>{'&big;' * 1000}</x>"
    deep = b"<?xml version='1.0'?>" + b"<a>" * 200_000
    for data in (entity.encode(), deep):
        try:
            assert len(extractor.extract("bomb.xml", data).text) < 2_000_001
        except ExtractionError as refused:
            assert refused.cause


def test_the_main_process_never_loads_the_parsers() -> None:
    parsers = ("xberg", "PIL", "pypdfium2", "py3langid")
    check = f"import sys, bowerbird.extraction; print([name for name in {parsers} if name in sys.modules])"
    environment = child_environment(PYTHONPATH=":".join(sys.path))
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, env=environment, check=True)
    assert done.stdout.strip() == b"[]"
