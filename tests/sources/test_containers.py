import bz2
import io
import lzma
import struct
import tarfile
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowerbird.core.errors import ContainerError, SourceError
from bowerbird.core.records import Failure, Item
from bowerbird.core.settings import Settings
from bowerbird.sandbox import Sandbox
from bowerbird.sources.containers import CONTAINER_PRELOAD, Budget, is_container, member, members
from bowerbird.sources.unpack import path_parts

PLAIN = Settings({})


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=1, seconds=20, preload=CONTAINER_PRELOAD) as box:
        yield box


def item(name: str, data: bytes) -> Item:
    return Item(name, name, f"file:///x/{name}", "1", len(data), scope="team")


def zipped(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name, (2024, 2, 29, 12, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def tarred(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_700_000_000
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Opened:
    """What members() gave, sorted out."""

    def __init__(self, sandbox: Sandbox, name: str, data: bytes, settings: Settings = PLAIN) -> None:
        self.all = list(members(sandbox, item(name, data), data, settings))
        self.items = {one.key: one for one in self.all if isinstance(one, Item)}
        self.failures = {one.key: one.cause for one in self.all if isinstance(one, Failure)}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", zipped(("docs/a.txt", b"alpha"), ("docs/", b""), ("b.pdf", b"%PDF"))),
        ("a.tar", tarred(("docs/a.txt", b"alpha"), ("b.pdf", b"%PDF"))),
        ("a.tar.bz2", bz2.compress(tarred(("docs/a.txt", b"alpha"), ("b.pdf", b"%PDF")))),
        ("a.tgz", lzma.compress(tarred(("docs/a.txt", b"alpha"), ("b.pdf", b"%PDF")))),
    ],
)
def test_members_are_items(sandbox: Sandbox, name: str, data: bytes) -> None:
    found = Opened(sandbox, name, data)
    assert list(found.items) == [f"{name}!/docs/a.txt", f"{name}!/b.pdf"] and not found.failures
    one = found.items[f"{name}!/docs/a.txt"]
    assert (one.name, one.content, one.size, one.container, one.scope) == ("a.txt", b"alpha", 5, name, "team")
    assert one.media_type == "text/plain" and one.uri == f"file:///x/{name}!/docs/a.txt"
    assert one.modified in (datetime(2024, 2, 29, 12, tzinfo=UTC), datetime.fromtimestamp(1_700_000_000, UTC))
    assert member(sandbox, one.key, data, PLAIN) == b"alpha"


def test_a_member_that_did_not_change_keeps_its_version(sandbox: Sandbox) -> None:
    before = Opened(sandbox, "a.zip", zipped(("a.md", b"same"), ("b.md", b"old"))).items
    after = Opened(sandbox, "a.zip", zipped(("b.md", b"new"), ("a.md", b"same"))).items
    assert before["a.zip!/a.md"].version == after["a.zip!/a.md"].version
    assert before["a.zip!/b.md"].version != after["a.zip!/b.md"].version


def test_what_is_a_container() -> None:
    assert all(is_container(f"x{end}") for end in (".zip", ".TAR", ".tar.gz", ".tgz", ".tar.xz", ".mbox", ".eml"))
    assert not any(is_container(f"x{end}") for end in (".docx", ".jar", ".whl", ".epub", ".odt", ".gz", ".pdf", "zip"))


def test_nested_archives_open_by_their_key(sandbox: Sandbox) -> None:
    inner = tarred(("deep/c.txt", b"deep"))
    data = zipped(("in/b.tar", inner), ("a!/x.txt", b"bang"))
    found = Opened(sandbox, "a.zip", data)
    nested = found.items["a.zip!/in/b.tar"]
    assert is_container(nested.name) and nested.content == inner
    deeper = [one.key for one in members(sandbox, nested, inner, PLAIN)]
    assert deeper == ["a.zip!/in/b.tar!/deep/c.txt"]
    assert member(sandbox, deeper[0], data, PLAIN) == b"deep"
    assert member(sandbox, r"a.zip!/a\x21/x.txt", data, PLAIN) == b"bang"
    with pytest.raises(SourceError, match="no longer"):
        member(sandbox, "a.zip!/nothing", data, PLAIN)
    with pytest.raises(SourceError):
        member(sandbox, "a.zip!/in/b.tar!/deep/c.txt!/no container", data, PLAIN)


def test_nesting_has_an_end(sandbox: Sandbox) -> None:
    data = zipped(("a.txt", b"x"))
    deep = Item("a.zip!/b.zip!/c.zip!/d.zip", "d.zip", "file:///x", "1")
    assert [type(one) for one in members(sandbox, deep, data, PLAIN)] == [Failure]


def test_paths_that_would_leave_are_made_harmless(sandbox: Sandbox) -> None:
    names = [
        "../../etc/passwd.txt",
        "/root/a.txt",
        "C:\\x\\b.txt",
        "./a/../c.txt",
        "..",
        "new\nline.txt",
        "\x1b[31m.txt",
    ]
    found = Opened(sandbox, "a.zip", zipped(*[(name, b"x") for name in names]))
    assert list(found.items) == [
        "a.zip!/etc/passwd.txt", "a.zip!/root/a.txt", "a.zip!/x/b.txt", "a.zip!/a/c.txt", "a.zip!/member 5",
        r"a.zip!/new\x0aline.txt", r"a.zip!/\x1b[31m.txt",
    ]  # fmt: skip
    assert Opened(sandbox, "a.tar", tarred(("../../x.txt", b"x"))).items.keys() == {"a.tar!/x.txt"}


@given(st.text(max_size=60))
def test_no_part_of_a_member_path_leads_up(path: str) -> None:
    assert not {"", ".", ".."} & set(path_parts(path))


def test_doubled_names_are_told_apart(sandbox: Sandbox) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(("a.txt", b"1"), ("a.txt", b"2"), ("../a.txt", b"3"))
    found = Opened(sandbox, "a.zip", data)
    assert {key: one.content for key, one in found.items.items()} == {
        "a.zip!/a.txt": b"1", "a.zip!/a.txt (2)": b"2", "a.zip!/a.txt (3)": b"3"
    }  # fmt: skip
    assert member(sandbox, "a.zip!/a.txt (2)", data, PLAIN) == b"2"


def test_secrets_and_noise_inside_are_left_out(sandbox: Sandbox) -> None:
    names = ["p/.env", "p/id_rsa", "p/.git/config", "__MACOSX/p/a", "p/.DS_Store", "p/node_modules/x/a.md", "p/a.md"]
    assert list(Opened(sandbox, "a.zip", zipped(*[(name, b"x") for name in names])).items) == ["a.zip!/p/a.md"]


def test_links_and_devices_are_passed_over(sandbox: Sandbox) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo(f"x{kind!r}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        archive.addfile(tarfile.TarInfo("real.txt"))
    assert list(Opened(sandbox, "a.tar", out.getvalue()).items) == ["a.tar!/real.txt"]
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        target.writestr(link, "/etc/passwd")
        target.writestr("real.txt", "x")
    assert list(Opened(sandbox, "a.zip", packed.getvalue()).items) == ["a.zip!/real.txt"]


def test_bombs_are_stopped_by_what_they_say_and_by_what_they_do(sandbox: Sandbox) -> None:
    few = PLAIN.replace(max_archive_mb=4)
    zeros = bytes(3 << 20)
    found = Opened(sandbox, "a.zip", zipped(("a.txt", b"x"), ("b.bin", zeros), ("c.bin", zeros)), few)
    assert list(found.items) == ["a.zip!/a.txt", "a.zip!/b.bin"] and "more than 4 MiB" in found.failures["a.zip"]
    tar = lzma.compress(tarred(("a.txt", b"x"), *[(f"{n}.bin", zeros) for n in range(9)]))
    found = Opened(sandbox, "a.tar.xz", tar, few)
    assert "a.tar.xz!/a.txt" in found.items and len(found.items) < 4 and "more than" in found.failures["a.tar.xz"]
    liar = bytearray(zipped(("b.bin", zeros)))
    for place in (liar.find(b"PK\x03\x04") + 22, liar.find(b"PK\x01\x02") + 24):
        liar[place : place + 4] = struct.pack("<I", 100)
    found = Opened(sandbox, "a.zip", bytes(liar), few)
    assert not found.items and list(found.failures) == ["a.zip!/b.bin"]


def test_too_many_members(sandbox: Sandbox) -> None:
    found = Opened(
        sandbox, "a.zip", zipped(*[(f"{n}.txt", b"x") for n in range(20)]), PLAIN.replace(max_archive_members=7)
    )
    assert len(found.items) == 7 and "more than 7" in found.failures["a.zip"]


def test_one_budget_for_all_that_is_nested(sandbox: Sandbox) -> None:
    inner = zipped(("x.bin", bytes(3 << 20)))
    data = zipped(*[(f"{n}.zip", inner) for n in range(5)])
    settings = PLAIN.replace(max_archive_mb=10)
    budget = Budget.of(settings)
    outer = [one for one in members(sandbox, item("a.zip", data), data, settings, budget) if isinstance(one, Item)]
    assert len(outer) == 5
    opened = [one for each in outer for one in members(sandbox, each, each.content or b"", settings, budget)]
    assert [type(one) for one in opened] == [Item] * 3 + [Failure] * 2


def test_members_larger_than_a_file_may_be(sandbox: Sandbox) -> None:
    found = Opened(sandbox, "a.zip", zipped(("a.txt", b"x"), ("b.bin", bytes(3 << 20))), PLAIN.replace(max_file_mb=2))
    assert list(found.items) == ["a.zip!/a.txt"] and "larger than the 2 MiB" in found.failures["a.zip!/b.bin"]


def test_large_archives_come_in_slices(sandbox: Sandbox) -> None:
    files = [(f"{n}.bin", bytes([n]) * (1 << 20)) for n in range(8)]
    settings = PLAIN.replace(sandbox_output_mb=4, max_archive_mb=9)
    for name, data in (("a.zip", zipped(*files)), ("a.tar.bz2", bz2.compress(tarred(*files)))):
        found = Opened(sandbox, name, data, settings)
        assert [one.content for one in found.items.values()] == [content for _, content in files]


def test_one_member_that_ends_its_reader_does_not_take_the_others_along() -> None:
    texts = [(f"{n}.txt", b"text %d" % n) for n in range(20)]
    data = zipped(*texts[:7], ("zeros.bin", bytes(90 << 20)), *texts[7:])
    with Sandbox(workers=1, memory_mb=32, preload=CONTAINER_PRELOAD) as small:
        found = Opened(small, "a.zip", data, PLAIN.replace(sandbox_output_mb=100))
    assert [one.content for one in found.items.values()] == [content for _, content in texts]
    assert list(found.failures) == ["a.zip!/zeros.bin"]


def test_a_mailbox_with_one_identifier_many_times_is_no_trap(sandbox: Sandbox) -> None:
    start = time.perf_counter()
    found = Opened(sandbox, "a.mbox", b"From x\nMessage-ID: <one@x>\n\nhello\n\n" * 5000)
    assert len(found.items) == 5000 and "a.mbox!/one@x (5000)" in found.items
    assert time.perf_counter() - start < 15


def test_encrypted_members_say_so(sandbox: Sandbox) -> None:
    data = bytearray(zipped(("open.txt", b"x"), ("locked.txt", b"y")))
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rfind(magic) + at] |= 1
    found = Opened(sandbox, "a.zip", bytes(data))
    assert list(found.items) == ["a.zip!/open.txt"]
    assert found.failures == {"a.zip!/locked.txt": "It is encrypted with a password."}


def test_damaged_archives_give_what_they_can(sandbox: Sandbox) -> None:
    good = tarred(("a.txt", b"alpha"), ("b.txt", b"x" * 5000))
    found = Opened(sandbox, "a.tar", good[:3000])
    assert "a.tar!/a.txt" in found.items and found.failures
    for name in ("a.zip", "a.tar", "a.tar.gz", "a.mbox"):
        found = Opened(sandbox, name, b"this is none of it" * 100)
        assert list(found.failures) == [name] and not found.items
    data = bytearray(zipped(("a.txt", b"alpha" * 50), ("b.txt", b"beta" * 50)))
    data[40] ^= 0xFF
    found = Opened(sandbox, "a.zip", bytes(data))
    assert list(found.failures) == ["a.zip!/a.txt"] and list(found.items) == ["a.zip!/b.txt"]
    with pytest.raises(ContainerError, match=r"a\.txt"):
        member(sandbox, "a.zip!/a.txt", bytes(data), PLAIN)


def test_zip_names_in_utf8_that_nobody_declared(sandbox: Sandbox) -> None:
    data = bytearray(zipped(("gr\xfcn.txt", b"x")))
    for magic, at in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        data[data.find(magic) + at] &= ~0x08
    assert list(Opened(sandbox, "a.zip", bytes(data)).items) == ["a.zip!/grün.txt"]


MBOX = b"""From ann@example.org Mon Jan  1 10:00:00 2024
From: Ann <ann@example.org>
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from Ann
Message-ID: <one/1@example.org>
Date: Mon, 1 Jan 2024 10:00:00 +0000

Hello
>From here on all is quoted.

From bob@example.org Mon Jan  1 11:00:00 2024
Subject: budget.xlsx
Message-ID: <two@example.org>

Text with From in it
From inside a paragraph

From cid@example.org Mon Jan  1 12:00:00 2024
From: Cid <cid@example.org>

No subject, no id.
"""


@pytest.mark.parametrize("data", [MBOX, MBOX.replace(b"\n", b"\r\n")])
def test_a_mailbox_is_its_messages(sandbox: Sandbox, data: bytes) -> None:
    found = Opened(sandbox, "in.mbox", data)
    assert [(one.key, one.name) for one in found.items.values()] == [
        (r"in.mbox!/one\x2f1@example.org", "Grüße from Ann.eml"),
        ("in.mbox!/two@example.org", "budget.xlsx.eml"),
        ("in.mbox!/message 3", "message 3.eml"),
    ]
    first = found.items[r"in.mbox!/one\x2f1@example.org"]
    assert first.media_type == "message/rfc822" and b"\nFrom here on" in (first.content or b"").replace(b"\r", b"")
    assert first.modified == datetime(2024, 1, 1, 10, tzinfo=UTC)
    assert b"From inside" in (found.items["in.mbox!/two@example.org"].content or b"")
    assert member(sandbox, first.key, data, PLAIN) == first.content


def letter() -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "With attachments"
    message.set_content("See below.")
    message.add_alternative("<p>See below.<img src=cid:logo></p>", subtype="html")
    return message


def test_attachments_are_members_of_their_message(sandbox: Sandbox) -> None:
    message = letter()
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="Übersicht/2024.pdf")
    message.add_attachment(
        b"img", maintype="image", subtype="png", filename="logo.png", disposition="inline", cid="<logo>"
    )
    inner = letter()
    inner.replace_header("Subject", "The first letter")
    message.add_attachment(inner)
    message.add_attachment(zipped(("a.txt", b"alpha")), maintype="application", subtype="zip", filename="a.zip")
    data = message.as_bytes()
    found = Opened(sandbox, "mail.eml", data)
    assert [(one.key, one.media_type) for one in found.items.values()] == [
        (r"mail.eml!/Übersicht\x2f2024.pdf", "application/pdf"),
        ("mail.eml!/The first letter.eml", "message/rfc822"),
        ("mail.eml!/a.zip", "application/zip"),
    ]
    assert member(sandbox, "mail.eml!/a.zip!/a.txt", data, PLAIN) == b"alpha"


def test_a_plain_message_costs_nothing() -> None:
    message = EmailMessage()
    message.set_content("No attachment.")
    never_started = Sandbox(preload=CONTAINER_PRELOAD)
    plain = b"Subject: x\n\nNo attachment."
    assert list(members(never_started, item("a.eml", plain), plain, PLAIN)) == []


def test_a_message_with_only_text_has_no_members(sandbox: Sandbox) -> None:
    data = letter().as_bytes()
    assert Opened(sandbox, "a.eml", data).all == []


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_readers(sandbox: Sandbox, data: bytes) -> None:
    for name, start in (
        ("a.zip", b"PK\x03\x04"),
        ("a.tgz", b"\x1f\x8b\x08"),
        ("a.mbox", b"From x\n"),
        ("a.eml", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n"),
    ):
        for one in members(sandbox, item(name, data), start + data, PLAIN):
            assert isinstance(one, Item | Failure)
