"""The demo workspace: enough of everything, the same each time, and every question has its answer."""

from __future__ import annotations

import email
import io
import mailbox
import shutil
import subprocess
import sys
import time
import wave
import zipfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email import policy
from pathlib import Path, PurePosixPath

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, UnidentifiedImageError

from bowerbird.core.errors import MissingExtra, StoreError
from bowerbird.core.kinds import kind_of
from bowerbird.lab.workspace import Manifest, generate, office, outside
from bowerbird.lab.workspace.story import LAST, Calendar, pieces, team
from bowerbird.search import query

YEAR = 2025


@dataclass(frozen=True)
class Made:
    folder: Path
    manifest: Manifest
    seconds: float


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("demo") / "workspace"
    start = time.perf_counter()
    manifest = generate(folder, year=YEAR)
    return Made(folder, manifest, time.perf_counter() - start)


def test_it_is_large_and_varied_enough(made: Made) -> None:
    entries = made.manifest.entries
    assert len(entries) >= 150
    assert {kind_of(PurePosixPath(entry.path).name) for entry in entries} >= {
        "document", "presentation", "spreadsheet", "pdf", "note", "page", "message", "event", "contact", "image",
        "code", "data", "archive",
    }  # fmt: skip
    assert len(Counter(PurePosixPath(entry.path).suffix for entry in entries)) >= 15
    assert made.seconds < 25


def test_the_manifest_lists_exactly_the_files(made: Made) -> None:
    files = {
        path.relative_to(made.folder).as_posix()
        for path in made.folder.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }
    assert files == {entry.path for entry in made.manifest.entries}


def test_every_date_lies_in_the_year(made: Made) -> None:
    for entry in made.manifest.entries:
        stamp = datetime.fromtimestamp((made.folder / entry.path).stat().st_mtime, UTC)
        assert stamp == entry.modified, entry.path
        assert made.manifest.first <= stamp.date() <= made.manifest.last, entry.path
    assert abs(made.manifest.first - date(YEAR, 1, 8)) <= timedelta(days=3)


@given(today=st.dates(date(2024, 1, 1), date(2060, 12, 31)))
def test_without_a_year_the_story_ends_in_the_last_week(today: date) -> None:
    calendar = Calendar.of(None, today)
    assert timedelta(0) <= today - (LAST + calendar.shift) < timedelta(days=7)
    assert (LAST + calendar.shift).weekday() == LAST.weekday()
    assert today - calendar.day("01-08") <= timedelta(days=366)


def test_no_date_token_and_no_nameless_person_is_left() -> None:
    known = set(team().values())
    for piece in pieces(Calendar(timedelta(0))):
        assert "{{" not in piece.path + piece.body, piece.path
        assert known.issuperset(piece.people), piece.path


def test_same_seed_and_year_same_bytes(made: Made, tmp_path: Path) -> None:
    again = generate(tmp_path / "again", year=YEAR)
    assert again == made.manifest
    for entry in again.entries:
        if entry.kind != "audio":  # the speech program is not ours
            assert (tmp_path / "again" / entry.path).read_bytes() == (made.folder / entry.path).read_bytes(), entry.path


def test_every_question_has_its_answers(made: Made) -> None:
    questions = made.manifest.questions
    paths = {entry.path for entry in made.manifest.entries}
    assert len(questions) >= 40
    assert len({question.typed for question in questions}) == len(questions)
    assert len({question.sort for question in questions}) == 10
    for question in questions:
        assert question.paths and paths.issuperset(question.paths), question.text
        parsed = query.parse(question.typed)
        assert parsed.filters == question.filters and not parsed.hints, question.typed


def raw(made: Made, path: str) -> str:
    """The bytes of a file as far as they are text (figures are drawn, so the story does not hold them)."""
    return (made.folder / path).read_bytes().decode(errors="ignore")


def test_identifiers_and_filters_hold_in_the_answers(made: Made) -> None:
    texts = {piece.path: f"{piece.path} {piece.body}" for piece in pieces(Calendar.of(YEAR, LAST))}
    for question in made.manifest.questions:
        entries = [made.manifest.entry(path) for path in question.paths]
        for entry in entries:
            assert not question.filters.types or entry.kind in question.filters.types, question.typed
            assert not question.filters.people or {p.name for p in entry.people} & set(question.filters.people)
            day = entry.modified.date()
            assert (question.filters.after or day) <= day, question.typed
            assert question.filters.before is None or day < question.filters.before, question.typed
        if question.sort in ("phrase", "identifier", "language"):
            wanted = question.text.strip('"').lower().removeprefix("invoice ")
            wanted = wanted if question.sort == "phrase" else wanted.split()[0]
            for entry in entries:
                said = " ".join(f"{entry.path} {texts.get(entry.path)} {raw(made, entry.path)}".lower().split())
                assert wanted in said, f"{entry.path} does not say {wanted}"


def test_the_manifest_round_trips(made: Made, tmp_path: Path) -> None:
    made.manifest.save(tmp_path / "manifest.json")
    assert Manifest.load(tmp_path / "manifest.json") == made.manifest


def test_broken_files_are_broken(made: Made) -> None:
    broken = {PurePosixPath(entry.path).name for entry in made.manifest.entries if entry.broken}
    stick = made.folder / "attic/usb-stick"
    assert broken == {file.name for file in stick.iterdir()}
    assert not zipfile.is_zipfile(stick / "brochure-truncated.docx")
    assert not zipfile.is_zipfile(stick / "backup-cut.zip")
    assert (stick / "empty.txt").stat().st_size == 0
    with pytest.raises(UnidentifiedImageError):
        Image.open(stick / "gull.png")
    for name in ("salaries-encrypted.pdf", "price-list-damaged.pdf"):
        with pytest.raises(pypdfium2.PdfiumError):
            pypdfium2.PdfDocument(stick / name)
    assert b"%%EOF" in (stick / "manual-with-garbage.pdf").read_bytes()[:-5000]


def test_office_files_and_archives_open(made: Made) -> None:
    import docx
    import openpyxl
    import pptx

    final = docx.Document(str(made.folder / "products/minnow-2/reports/puffin-report_final.docx"))
    assert final.core_properties.author == "Tomasz Wrona" and final.core_properties.created.year == YEAR
    deck = pptx.Presentation(str(made.folder / "company/board/puffin-kickoff.pptx"))
    assert "jam jar" in deck.slides[0].notes_slide.notes_text_frame.text
    book = openpyxl.load_workbook(made.folder / "finance/puffin-budget.xlsx", data_only=True)
    assert [cell.value for cell in book["Budget"][5]] == ["Pilot run", 20000, 20050, -50]
    assert [cell.value for cell in book["Budget"][6]] == ["Total", 186000, 178450, 7550]
    with zipfile.ZipFile(made.folder / "marketing/launch/press-kit.zip") as kit:
        inside = docx.Document(io.BytesIO(kit.read("press-release.docx")))
        assert inside.paragraphs[0].text == "A smoke detector for fish"


def test_versions_grow_and_copies_are_equal(made: Made) -> None:
    reports = made.folder / "products/minnow-2/reports"
    sizes = [(reports / f"puffin-report_{v}.docx").stat().st_size for v in ("v1", "v2", "final")]
    assert sizes == sorted(sizes)
    copy = made.folder / "products/minnow-2/certification/TN-2291-emc-report.pdf"
    assert copy.read_bytes() == (reports / "TN-2291-emc-report.pdf").read_bytes()


def test_scanned_pages_have_no_text_and_other_pages_do(made: Made) -> None:
    for entry in made.manifest.entries:
        if entry.kind != "pdf" or entry.broken:
            continue
        with pypdfium2.PdfDocument(made.folder / entry.path) as document:
            page = document[0].get_textpage()
            assert (page.count_chars() == 0) == ("scan" in entry.path or "ferry" in entry.path), entry.path


def test_mail_carries_its_attachments(made: Made) -> None:
    complaint = next(made.folder.glob("mail/????-??-?? complaint lot 7C.eml"))
    mail = email.message_from_bytes(complaint.read_bytes(), policy=policy.default)
    attachments = [part.get_filename() for part in mail.iter_attachments()]
    assert attachments == ["incoming-inspection-7C.pdf"]
    assert mail["From"] == "Oskar Petersen <oskar@oarlock.example>"
    box = mailbox.mbox(made.folder / "mail/archive/roof-leak.mbox")
    try:
        assert next(message["Subject"] for message in box) == "Roof above the soldering bench"
        assert len(box) == 5
    finally:
        box.close()


def test_the_log_is_long_and_holds_the_error(made: Made) -> None:
    log = (made.folder / "logs/heron-0117.log").read_text()
    assert 90_000 < len(log) < 150_000
    assert log.count("certificate has expired") == 3


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed, so there is no history to read")
def test_repositories_have_a_history(made: Made) -> None:
    folder = made.folder / "code/minnow-firmware"
    log = subprocess.run(
        ["git", "-C", str(folder), "log", "--format=%an|%as|%s"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(log) == 7
    assert log[0].startswith("Elif Demir|") and log[0].endswith("Release 2.4.1")
    status = subprocess.run(["git", "-C", str(folder), "status", "--porcelain"], capture_output=True, check=True)
    assert status.stdout == b""


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed, so nothing can speak")
def test_memos_are_spoken(made: Made) -> None:
    memos = [entry.path for entry in made.manifest.entries if entry.kind == "audio"]
    assert len(memos) == 3 and not made.manifest.skipped
    for path in memos:
        with wave.open(str(made.folder / path)) as sound:
            assert sound.getnframes() / sound.getframerate() > 8


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed, so it cannot be misled")
def test_a_repository_named_by_the_environment_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    subprocess.run(["git", "init", "-q", str(theirs)], check=True)
    before = {file: file.stat().st_mtime_ns for file in theirs.rglob("*")}
    ours.mkdir()
    monkeypatch.setenv("GIT_DIR", str(theirs / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(theirs / ".git/index"))
    written = [p for p in pieces(Calendar(timedelta(0))) if p.fields.get("repo") == "code/tidepool-web"]
    assert outside.repository(ours, written)
    assert (ours / ".git").is_dir()
    assert {file: file.stat().st_mtime_ns for file in theirs.rglob("*")} == before


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    brochure = next(piece for piece in pieces(Calendar(timedelta(0))) if piece.suffix == ".docx")
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(MissingExtra) as problem:
        office.document(brochure)
    assert problem.value.remedy == "pip install 'bowerbird[demo]'"


def test_without_speech_and_git_the_rest_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "SPEAKER", "no-such-speech-program")
    monkeypatch.setattr(outside, "VERSIONER", "no-such-git")
    manifest = generate(tmp_path / "quiet", year=YEAR)
    assert not any(entry.kind == "audio" for entry in manifest.entries)
    assert len(manifest.skipped) == 6
    assert (tmp_path / "quiet/code/minnow-firmware/src/oxygen.c").is_file()
    assert all("recordings/" not in path for question in manifest.questions for path in question.paths)


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(StoreError, match="not empty"):
        generate(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
