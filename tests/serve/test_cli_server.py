"""Commands and servers side by side: one writer, many readers, and Ctrl-C at any time."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import stat
import time
from pathlib import Path

import pytest

from bowerbird.serve.client import Server, running
from bowerbird.store.store import WriterLock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two notes."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "heron.txt").write_text("The heron stands still in shallow water.\n")
    (folder / "owl.txt").write_text("Owls turn their heads by 270 degrees.\n")
    return folder


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Enough files that there is time to stop."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(600):
        (folder / f"{number:04}.txt").write_text(f"Ring number {number} was read at the lake. " * 30)
    return folder


@pytest.fixture
def serve(bowerbird):
    """Start a server and return (process, url, link)."""

    def start(*arguments, command="serve"):
        process = bowerbird.start(command, *arguments, "--port", "0", "--json")
        text = ""
        for line in process.stdout:
            text += line
            if line == "}\n":
                break
        assert text, process.stderr.read()
        ready = json.loads(text)
        return process, ready["url"], ready["link"]

    return start


def fetch(url: str) -> tuple[int, dict[str, str]]:
    """Return status and headers of a page."""
    place, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(place, timeout=10)
    connection.request("GET", "/" + path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def test_serve_writes_how_to_reach_it_and_takes_it_back(bowerbird, serve):
    process, url, link = serve()
    file = bowerbird.home / "run" / "server.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    said = json.loads(file.read_text())
    assert (said["pid"], said["url"]) == (process.pid, url)
    assert link.startswith(f"{url}/signin?token=")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert time.monotonic() - began < 5
    assert not file.exists()


def test_ctrl_c_stops_a_server(serve):
    process, _, _ = serve()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert "Traceback" not in process.stderr.read()


def test_the_link_signs_in_once(serve):
    _, _, link = serve()
    status, headers = fetch(link)
    assert status in (200, 302, 303)
    assert "set-cookie" in headers
    assert fetch(link)[0] == 401


def test_search_asks_the_server(bowerbird, folder, serve):
    bowerbird("add", str(folder))
    direct = bowerbird("search", "heron", "--json").json
    serve()
    through = bowerbird("search", "heron", "--json").json
    assert [hit["item"] for hit in through["hits"]] == [hit["item"] for hit in direct["hits"]]
    assert bowerbird("search", "heron").out.startswith("1. heron")
    assert bowerbird("status", "--json").json["server"]


def test_search_with_a_dead_server_goes_on(bowerbird, folder, serve):
    bowerbird("add", str(folder))
    process, _, _ = serve()
    process.kill()
    process.wait()
    assert (bowerbird.home / "run" / "server.json").exists()
    assert bowerbird("search", "heron", "--json").json["hits"]


def test_search_with_a_server_file_of_somebody_else(bowerbird, folder):
    bowerbird("add", str(folder))
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    (bowerbird.home / "run" / "server.json").write_text(
        json.dumps({"pid": os.getpid(), "url": f"http://127.0.0.1:{port}", "token": "x"})
    )
    assert bowerbird("search", "heron", "--json").json["hits"]


def test_add_beside_a_running_server(bowerbird, folder, serve):
    serve()
    added = bowerbird("add", str(folder), "--json")
    assert added.code == 0, added.err
    assert added.json["items"] == 2
    assert "another" in added.err.lower()
    assert bowerbird("search", "heron", "--json").json["hits"]


def test_a_server_follows_changes(bowerbird, folder, serve, eventually):
    bowerbird("add", str(folder))
    serve()
    (folder / "rail.txt").write_text("The corncrake is a rail of meadows.\n")
    assert eventually(lambda: bool(bowerbird("search", "corncrake", "--json").json["hits"]), 20)


def test_a_second_server_says_where_the_first_is(bowerbird, serve):
    process, url, _ = serve()
    second = bowerbird("serve", "--port", "0", "--json")
    assert second.code == 1
    assert second.json["error"]["code"] == "library-locked"
    assert url in second.json["error"]["cause"]
    assert str(process.pid) in second.json["error"]["remedy"]


def test_up_beside_a_server_gives_a_link_to_it(bowerbird, folder, serve):
    _, url, _ = serve()
    up = bowerbird("up", str(folder), "--json")
    assert up.code == 0, up.err
    assert up.json["url"] == url
    assert fetch(up.json["link"])[0] in (200, 302, 303)


def test_up_serves_what_it_indexed(bowerbird, folder, serve):
    _, url, _ = serve(str(folder), command="up")
    assert url
    assert bowerbird("search", "owls", "--json").json["hits"]


def test_a_port_that_is_taken(bowerbird):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = bowerbird("serve", "--port", str(port))
    assert done.code == 2
    assert f"error: the port {port} is taken by another program" in done.err
    assert "--port 0" in done.err


def test_a_server_beside_a_busy_writer_serves_and_takes_over(bowerbird, folder, serve, eventually):
    bowerbird("add", str(folder))
    lock = WriterLock(bowerbird.home)
    lock.acquire()
    try:
        serve()
        assert bowerbird("search", "heron", "--json").json["hits"]
    finally:
        lock.release()
    (folder / "rail.txt").write_text("The corncrake is a rail of meadows.\n")
    assert eventually(lambda: bool(bowerbird("search", "corncrake", "--json").json["hits"]), 30)


def test_add_waits_for_a_writer_and_takes_over(bowerbird, folder):
    bowerbird("status")
    lock = WriterLock(bowerbird.home)
    lock.acquire()
    process = bowerbird.start("add", str(folder))
    try:
        time.sleep(3)
        assert process.poll() is None, "it follows the job"
    finally:
        lock.release()
    assert process.wait(60) == 0
    assert bowerbird("search", "heron", "--json").json["hits"]


def indexed(home: Path) -> int:
    """How many items have been read so far."""
    try:
        with sqlite3.connect(f"file:{home / 'bowerbird.sqlite'}?mode=ro", uri=True) as connection:
            found = connection.execute("SELECT count(*) FROM items WHERE state = 'indexed'").fetchone()[0]
        connection.close()
    except sqlite3.OperationalError:
        return 0
    return int(found)


def test_ctrl_c_stops_cleanly_and_the_next_run_goes_on(bowerbird, many, eventually):
    process = bowerbird.start("add", str(many), "--yes")
    assert eventually(lambda: indexed(bowerbird.home) > 0 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    code = process.wait(30)
    told = process.stderr.read()
    assert "Traceback" not in told
    if code == 0:
        pytest.skip("this machine was done before the signal came")
    assert code == 130
    assert "what is finished stays finished" in told
    kept = indexed(bowerbird.home)
    assert kept > 0
    again = bowerbird("add", str(many), "--yes", "--json")
    assert again.code == 0
    assert again.json["items"] == 600
    assert indexed(bowerbird.home) == 600


def test_ctrl_c_twice_ends_at_once(bowerbird, many, eventually):
    process = bowerbird.start("add", str(many), "--yes")
    assert eventually(lambda: indexed(bowerbird.home) > 0 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) in (130, 0)
    assert bowerbird("add", str(many), "--yes", "--json").json["items"] == 600


def test_a_file_that_is_no_server_file(tmp_path):
    (tmp_path / "run").mkdir()
    for text in ("", "[]", '{"pid": "x"}', '{"pid": 1}'):
        (tmp_path / "run" / "server.json").write_text(text)
        assert running(tmp_path) is None
    (tmp_path / "run" / "server.json").write_text(json.dumps({"pid": 2**22 + 1, "url": "http://x", "token": "y"}))
    assert running(tmp_path) is None


def test_what_is_not_bowerbird_is_a_connection_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionError, match="does not answer"):
        Server(1, f"http://127.0.0.1:{port}", "token").get("/api/status")
