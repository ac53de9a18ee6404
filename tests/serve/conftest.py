"""A small library of real files, indexed by the real worker, and a real server in front of it."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
import threading
import wave
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from PIL import Image

from bowerbird.core.settings import Settings
from bowerbird.library import Library
from bowerbird.serve.app import create_app
from bowerbird.serve.edge import Edge
from bowerbird.serve.server import configured

TOKEN = "a-token-for-tests"
NOTES = 45

HTML = """<!doctype html><title>Press page</title><h1>Press page</h1><p>The narwhal speaks.</p>
<script>document.title = "pwned"; fetch("/api/status")</script>"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><rect width="9" height="9"/></svg>'
POLICY = """# Travel policy

Whoever travels, decides how. Trips under 300 km go by train.

## Nights

The allowance for a night is 140 euros in cities; breakfast with cloudberry jam is on top. 🚆 A night train counts.

## Receipts

| what | limit |
|---|---|
| taxi | 40 euros |
| cloudberry jam | 9 euros |
"""


def picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (320, 180), "#2540a6").save(target, "PNG")
    return target.getvalue()


def sound() -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(16000))
    return target.getvalue()


def paper() -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    target = io.BytesIO()
    canvas = Canvas(target)
    for page, words in enumerate(("First things about harbours.", "The cormorant dives on the second page."), 1):
        canvas.drawString(72, 700, words)
        canvas.drawString(72, 680, f"This is page {page}.")
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def write_files(folder: Path) -> None:
    """Write what the tests look for; words that no other file holds name what is wanted."""
    for name, data in {
        "hr/travel policy.md": POLICY.encode(),
        "press/page.html": HTML.encode(),
        "press/drawing.svg": SVG.encode(),
        "press/photo.png": picture(),
        "press/birds.pdf": paper(),
        "press/standup.wav": sound(),
        "Plan “é” ½.txt": b"An aardvark in a file with a difficult name.",
        "latin.txt": "Der Bär heißt Zottelbart.".encode("cp1252"),
        "tool.bin": b"\0\1\2\3" * 64,
        "broken.pdf": b"%PDF-1.7\nthis is not the inside of a PDF",
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    with zipfile.ZipFile(folder / "letters.zip", "w") as archive:
        archive.writestr("old/lease.txt", "The lease of the lighthouse ends with the year.")
    (folder / "notes").mkdir()
    for number in range(NOTES):
        text = f"# Note {number:02}\n\nA walrus was seen {number} times at pier {number % 5}.\n"
        (folder / f"notes/note-{number:02}.md").write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Site:
    """A server with a library behind it. `folder` is what is indexed."""

    url: str
    app: FastAPI
    library: Library
    folder: Path

    def client(self, **headers: str) -> httpx.Client:
        """An HTTP client with the bearer token, or with just these headers."""
        return httpx.Client(base_url=self.url, headers=headers or {"authorization": f"Bearer {TOKEN}"})

    @contextmanager
    def signed_in(self, **headers: str) -> Iterator[httpx.Client]:
        """An HTTP client with a session cookie, as a browser has it."""
        with httpx.Client(base_url=self.url, headers=headers) as client:
            client.get("/signin", params={"token": self.app.state.doors.invite()}).raise_for_status()
            yield client

    def item(self, text: str) -> str:
        """The id of the item that is found first."""
        return str(self.library.search(text).hits[0].item)


def serve(app: FastAPI) -> tuple[uvicorn.Server, threading.Thread, str]:
    config = configured(app, Edge())
    config.port = 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the server did not start"
    return server, thread, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server over the small library; everything is indexed by words."""
    root = tmp_path_factory.mktemp("site")
    write_files(root / "files")
    with Library.open(root / "home") as library:
        library.add(str(root / "files"), "Office")
        library.enqueue("sync")
        worker = library.worker()
        worker.run_until_idle(lambda _: None, threading.Event(), vectors=False)
        worker.close()
        app = create_app(library, token=TOKEN, worker=False)
        server, thread, url = serve(app)
        yield Site(url, app, library, root / "files")
        server.should_exit = True
        thread.join()


@contextmanager
def served(library: Library, folder: Path) -> Iterator[Site]:
    """A server over a library, on a free port."""
    app = create_app(library, token=TOKEN, worker=False)
    server, thread, url = serve(app)
    yield Site(url, app, library, folder)
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def site_of() -> Callable[..., Any]:
    """`with site_of(library, folder) as site`: a server over a library."""
    return served


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[Site]:
    """A server over a library without sources, with a worker that reads what is added."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "first.md").write_text("The first pelican.", encoding="utf-8")
    with Library.open(tmp_path / "home") as library:
        app = create_app(library, token=TOKEN, worker=True)
        server, thread, url = serve(app)
        yield Site(url, app, library, folder)
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def client(site: Site) -> Iterator[httpx.Client]:
    """A client of the site with the bearer token."""
    with site.client() as client:
        yield client


GOOD = "gravel otter seventeen"


class Browser:
    """Talks to an application without a socket, as a browser whose page is Bowerbird's own. Keeps cookies."""

    def __init__(self, app: FastAPI, portal: BlockingPortal, base: str, headers: dict[str, str]) -> None:
        self._portal = portal
        own = {"origin": base, "accept": "application/json", **headers}
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base, headers=own)
        self.cookies = self._client.cookies
        self.get, self.post = partial(self.request, "GET"), partial(self.request, "POST")
        self.patch, self.delete = partial(self.request, "PATCH"), partial(self.request, "DELETE")

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._portal.call(partial(self._client.request, method, path, **more))

    def sign_in(self, handle: str = "ada", password: str = GOOD, code: str = "") -> httpx.Response:
        return self.post("/api/signin", json={"handle": handle, "password": password, "code": code})


class House:
    """An application over an empty library, with people in it."""

    def __init__(self, library: Library, portal: BlockingPortal) -> None:
        self.library = library
        self.portal = portal
        self.app = create_app(library, token=TOKEN, worker=False)
        self.ids = {"owner": "owner"}

    def again(self) -> House:
        """The same library behind another application, as after a restart."""
        return House(self.library, self.portal)

    def browser(self, base: str = "http://127.0.0.1", **headers: str) -> Browser:
        return Browser(self.app, self.portal, base, headers)

    def enter(self, handle: str = "ada", role: str = "member") -> str:
        """Invite somebody who sets the password GOOD; returns their id."""
        person, link = self.library.identity.people.invite(handle, role)
        self.library.identity.set_up(link.secret, GOOD)
        self.ids[handle] = person.id
        return person.id

    def program(self, handle: str, *grants: str) -> Browser:
        """A program with a token of somebody."""
        _, secret = self.library.identity.make_token(self.ids[handle], "test", grants or ("read", "write"))
        return self.browser(authorization=f"Bearer {secret}")


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="session")
def house_of(portal: BlockingPortal) -> Callable[[Library], House]:
    """`house_of(library)`: an application over a library, without a server."""
    return lambda library: House(library, portal)


@pytest.fixture
def house(tmp_path: Path, portal: BlockingPortal) -> Iterator[House]:
    """An application over an empty library, without a server."""
    with Library.open(tmp_path / "home", Settings({})) as library:
        yield House(library, portal)


CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium for all browser tests; skips where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=str(CHROMIUM), args=options)
        yield browser
        browser.close()


@pytest.fixture
def browse(request: pytest.FixtureRequest, chromium: Any) -> Iterator[Callable[..., Any]]:
    """`browse(path, site=..., signed_in=..., **context)`: open a page; any error in its console fails the test.

    A test sets `page.allowed` to the part of a message that it expects.
    """
    pages: list[Any] = []

    def browse(path: str = "/", site: Site | None = None, signed_in: bool = True, **options: Any) -> Any:
        site = site or request.getfixturevalue("site")
        context = chromium.new_context(**{"viewport": {"width": 1360, "height": 860}, "locale": "en-GB", **options})
        page = context.new_page()
        page.allowed, page.complaints = "", []
        page.on("pageerror", lambda problem: page.complaints.append(str(problem)))
        page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
        if signed_in:
            page.goto(f"{site.url}/signin?token={site.app.state.doors.invite()}")
            page.wait_for_url(f"{site.url}/")
        if path != "/" or not signed_in:
            page.goto(f"{site.url}{path}")
        pages.append(page)
        return page

    yield browse
    complaints = [
        said for page in pages for said in page.complaints if not (page.allowed and re.search(page.allowed, said))
    ]
    for page in pages:
        page.context.close()
    assert complaints == []


AXE_CACHE = Path("~/.cache/bowerbird-tests/axe").expanduser()
AXE = "axe-core@4.11"


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core (MPL-2.0), packed by npm into a cache; it is never part of Bowerbird."""
    script = AXE_CACHE / "package/axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not installed: axe-core cannot be fetched")
        AXE_CACHE.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run([npm, "pack", AXE], cwd=AXE_CACHE, capture_output=True, text=True, check=False)
        if packed.returncode:
            pytest.skip(f"npm cannot fetch axe-core: {packed.stderr.strip().splitlines()[-1:]}")
        with tarfile.open(AXE_CACHE / packed.stdout.split()[-1]) as archive:
            archive.extract("package/axe.min.js", AXE_CACHE, filter="data")
    return script.read_text(encoding="utf-8")


@pytest.fixture
def violations(axe: str) -> Callable[[Any], list[str]]:
    """What axe-core finds wrong with a page as it is now."""

    def found(page: Any) -> list[str]:
        page.evaluate(axe)
        rules = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        return [
            f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for rule in rules
            for node in rule["nodes"]
        ]

    return found
