from textwrap import dedent

from bowerbird.core.records import Block, Document, Person
from bowerbird.extraction.code import code
from bowerbird.extraction.draft import MAX_CHARACTERS, Draft, finish
from bowerbird.extraction.prose import markdown
from bowerbird.extraction.restructured import plain, restructured
from bowerbird.extraction.tables import delimited, records


def shape(document: Document) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.text) for block in document.blocks]


def test_markdown_keeps_its_structure() -> None:
    text = dedent("""\
        ---
        title: "The plan"
        author: Ada Lovelace <ada@example.org>, Bob
        date: 2024-03-01
        ---
        # Overview
        First line
        second line.

        Sub title
        ---------
        - one
        - two

          more of two
        1. three

        ```python
        # not a heading
        ```
        | a | b |
        |---|--:|
        | 1 | 2 |

            indented

        > quoted
        > again
        """)
    document = finish(markdown(text), "notes.md")
    assert (document.title, document.authors) == (
        "The plan",
        (Person("Ada Lovelace", "ada@example.org"), Person("Bob")),
    )
    assert document.created is not None
    assert document.created.isoformat() == "2024-03-01T00:00:00+00:00"
    assert shape(document)[1:] == [
        ("heading", 1, "Overview"),
        ("paragraph", 0, "First line\nsecond line."),
        ("heading", 2, "Sub title"),
        ("list", 0, "- one\n- two\n  more of two\n1. three"),
        ("code", 0, "# not a heading"),
        ("table", 0, "a | b\n1 | 2"),
        ("code", 0, "indented"),
        ("quote", 0, "quoted\nagain"),
    ]


def test_restructured_text_levels_follow_the_order_of_appearance() -> None:
    text = dedent("""\
        =========
        The guide
        =========

        :Author: Ada Lovelace <ada@example.org>

        Setup
        -----
        Run this::

            make
            make install

              deeper

        Network
        ~~~~~~~
        .. code-block:: c

           int x;

        Usage
        -----
        * one
        * two

        ===== =====
        Key   Value
        ===== =====
        a     1
        ===== =====

        +-----+-----+
        | x   | y   |
        +=====+=====+
        | 1   | 2   |
        +-----+-----+
        """)
    document = finish(restructured(text), "guide.rst")
    assert document.title == "The guide"
    assert document.authors == (Person("Ada Lovelace", "ada@example.org"),)
    assert shape(document) == [
        ("heading", 1, "The guide"),
        ("header", 0, ":Author: Ada Lovelace <ada@example.org>"),
        ("heading", 2, "Setup"),
        ("paragraph", 0, "Run this::"),
        ("code", 0, "make\nmake install"),
        ("code", 0, "deeper"),
        ("heading", 3, "Network"),
        ("paragraph", 0, ".. code-block:: c"),
        ("code", 0, "int x;"),
        ("heading", 2, "Usage"),
        ("list", 0, "* one\n* two"),
        ("table", 0, "Key | Value\na | 1"),
        ("table", 0, "x | y\n1 | 2"),
    ]


def test_plain_text_is_paragraphs_lists_and_underlined_headings() -> None:
    document = finish(plain("News\n====\nfirst\nsecond\n\n* a\n* b\n\nlast"), "NEWS.txt")
    assert shape(document) == [
        ("heading", 1, "News"),
        ("paragraph", 0, "first\nsecond"),
        ("list", 0, "* a\n* b"),
        ("paragraph", 0, "last"),
    ]


def test_code_is_parted_at_definitions_and_comments_stay_with_them() -> None:
    body = "\n".join(f"    value_{number} = compute({number})" for number in range(30))
    head = '"""Licence and purpose."""\n\nimport os\n\n\n# Says hello.\n\n'
    text = f"{head}def hello():\n{body}\n\n    return 1\n\n\ndef bye():\n{body}\n"
    document = finish(code(text), "greet.py")
    assert document.title == "greet.py"
    starts = [block.text.split("\n")[0] for block in document.blocks]
    assert starts == ['"""Licence and purpose."""', "# Says hello.", "def bye():"]
    assert {block.kind for block in document.blocks} == {"code"}
    assert document.blocks[1].text.endswith("return 1")


def test_long_tables_repeat_their_head() -> None:
    rows = "\n".join(f"Person {number};{number}" for number in range(100))
    document = finish(delimited(f"name;age\n{rows}\n"), "people.csv")
    assert len(document.blocks) == 3
    assert all(block.text.startswith("name | age\n") for block in document.blocks)
    assert document.title == "people"


def test_json_reads_as_lines_and_escapes_are_undone() -> None:
    document = finish(records('{"name": "Zo\\u00eb", "tags": ["a", {"b": null}], "none": {}}'), "x.json")
    assert document.text == "name: Zoë\ntags:\n  - a\n  -\n    b: null\n\nnone: {}"
    lines = finish(records('{"a": 1}\n{"a": 2}\n'), "x.jsonl")
    assert lines.text == "a: 1\na: 2"
    assert finish(records("{broken"), "x.json").text == "{broken"
    assert finish(records("[" * 100_000), "deep.json").text == "[" * 100_000


def test_the_title_is_sensible() -> None:
    def title(own: str, *headings: str, name: str = "folder/Quarterly numbers.docx") -> str:
        blocks = [Block(text, "heading", 1) for text in headings]
        return finish(Draft(blocks=blocks, title=own), name).title

    assert title("Plan 2024", "Other") == "Plan 2024"
    assert title("Microsoft Word - plan.doc") == "plan"
    assert title("PowerPoint Presentation", "Slide 1", "Launch") == "Launch"
    assert title("untitled") == "Quarterly numbers"
    assert title("(anonymous)", name="") == "untitled"


def test_endless_text_is_cut_and_says_so() -> None:
    document = finish(plain("word " * (MAX_CHARACTERS // 4)), "big.txt")
    assert len(document.text) <= MAX_CHARACTERS
    assert document.fields["truncated"] == "yes"
