import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bowerbird.core.errors import SourceError
from bowerbird.core.records import Checkpoint, Gone, Item
from bowerbird.core.settings import Settings
from bowerbird.sources.files import FilesSource
from bowerbird.sources.ignore import rule_list, skips_member


def make(root: Path, *files: str, **texts: str) -> None:
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * 10)


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def keys(root: Path, *exclude: Path) -> list[str]:
    source = FilesSource(str(root), Settings({}), exclude)
    return [record.key for record in source.pull(Checkpoint()) if isinstance(record, Item)]


SECRETS = [
    ".ssh/config", ".ssh/id_ed25519", ".gnupg/x", ".env",
    ".env.production", "app/.env.local", "server.pem", "tls.key",
    "id_rsa", "id_rsa.old", "id_ed25519", "a.p12",
    "a.pfx", "pw.kdbx", ".netrc", ".pgpass",
    ".aws/credentials", ".kube/config", ".docker/config.json", ".password-store/a.gpg",
    ".mozilla/firefox/x", ".config/google-chrome/x", ".config/chromium/x", ".config/BraveSoftware/x",
    "cookies.sqlite", "key4.db", "logins.json", ".local/share/keyrings/login",
    ".bash_history", ".git-credentials", "terraform.tfstate", "ID_RSA",
    "Server.PEM", ".git/config",
]  # fmt: skip


def test_secrets_cannot_be_brought_back(tmp_path: Path) -> None:
    make(tmp_path, *SECRETS, "Default/Login Data", "notes.md")
    again = "!*\n!.*\n!.ssh/\n!.env\n!*.pem\n!.git/\n!id_rsa\n!**/*\n" + "".join(f"!{name}\n" for name in SECRETS)
    write(tmp_path, ".gitignore", again)
    write(tmp_path, ".bowerbirdignore", again)
    found = keys(tmp_path)
    assert "notes.md" in found
    hidden = {name for name in found if name in SECRETS or "Login" in name}
    assert not hidden
    source = FilesSource(str(tmp_path), Settings({}))
    assert list(source.peek([".ssh/config", "server.pem", ".git"])) == [
        Gone(".git"),
        Gone(".ssh/config"),
        Gone("server.pem"),
    ]


def test_a_presentation_is_no_private_key(tmp_path: Path) -> None:
    (tmp_path / "talk.key").write_bytes(b"PK" + bytes(200_000))
    make(tmp_path, "server.key")
    assert keys(tmp_path) == ["talk.key"]


@pytest.mark.parametrize("inside", [".ssh", ".config/google-chrome/Default", ".password-store/work"])
def test_a_root_that_holds_secrets_is_refused(tmp_path: Path, inside: str) -> None:
    make(tmp_path, f"{inside}/readme.txt")
    with pytest.raises(SourceError, match="secrets"):
        keys(tmp_path / inside)


def test_what_nobody_would_search_for_is_left_out(tmp_path: Path) -> None:
    make(tmp_path, "keep.md", "docs/build/index.md", ".github/workflows/ci.yml", ".hidden", ".cache/x", ".notes/n.md")
    make(tmp_path, "__pycache__/x.py", "node_modules/a/readme.md", "Thumbs.db", ".DS_Store", "~$plan.docx", "a.md.swp")
    make(tmp_path, "film.part", "x.crdownload", "rust/Cargo.toml", "rust/target/doc.md", "target/kept.md")
    make(tmp_path, "web/package.json", "web/dist/app.js", "env/pyvenv.cfg", "env/lib/x.py", "tmp/CACHEDIR.TAG", "tmp/a")
    assert set(keys(tmp_path)) == {
        "keep.md", "docs/build/index.md", ".github/workflows/ci.yml", "rust/Cargo.toml", "target/kept.md",
        "web/package.json",
    }  # fmt: skip


def test_own_rules_name_a_default_back_but_gitignore_does_not(tmp_path: Path) -> None:
    make(tmp_path, ".notes/n.md", ".other/o.md", "node_modules/r.md")
    write(tmp_path, ".gitignore", "!.notes/\n!.*\n!node_modules/\n")
    assert keys(tmp_path) == []
    write(tmp_path, ".bowerbirdignore", "!*/\n!.notes/\n")
    assert keys(tmp_path) == [".notes/n.md"]


def test_precedence(tmp_path: Path) -> None:
    make(tmp_path, "a.log", "keep.log", "sub/a.log", "sub/b.log", "sub/deep/c.log", "out/x.md", "own.md", "git.md")
    write(tmp_path, ".gitignore", "*.log\n!keep.log\nout/\ngit.md\n")
    write(tmp_path, "sub/.gitignore", "!b.log\n/deep\n")
    write(tmp_path, "out/.gitignore", "!x.md\n")
    write(tmp_path, ".bowerbirdignore", "own.md\n!git.md\n")
    assert keys(tmp_path) == ["git.md", "keep.log", "sub/b.log"]


def test_git_info_exclude(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "b.md", "sub/a.md")
    write(tmp_path, ".git/info/exclude", "a.md\nb.md\n")
    write(tmp_path, "sub/.gitignore", "!a.md\n")
    write(tmp_path, ".gitignore", "!b.md\n")
    assert keys(tmp_path) == ["b.md", "sub/a.md"]


def test_own_data_directory(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "data/library.db")
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert keys(tmp_path, tmp_path / "link") == ["a.md"]
    assert keys(tmp_path / "data", tmp_path / "data") == []


def test_members_of_archives_follow_the_same_rules() -> None:
    assert skips_member(("p", ".ssh", "config")) and skips_member(("server.pem",)) and skips_member(("__MACOSX", "a"))
    assert not skips_member(("p", "build", "a.md"))


PARTS = st.sampled_from(["a", "b", "ab", "a.md", "b.md"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
GLOBS = st.lists(
    st.sampled_from(["a", "b", "*", "**", "*.md", "a*", "[ab]", "?", "[!a]*", "\\a", "a.md"]), min_size=1, max_size=3
)
LINES = st.builds(
    lambda bang, start, glob, end: bang + start + "/".join(glob) + end,
    st.sampled_from(["", "", "!"]), st.sampled_from(["", "/"]), GLOBS, st.sampled_from(["", "/"]),
)  # fmt: skip


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the judge")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PATHS, min_size=3, max_size=10), st.lists(LINES, max_size=4), st.lists(LINES, max_size=3))
@example(["a/a/a"], ["a/a/**/"], [])
@example(["b/a/a"], ["a/", "!b"], [])
@example(["a/a"], [], ["a", "!**"])
@example(["a/b/ab/a.md", "a.md"], ["**/a/**/ab/**"], [])
def test_gitignore_means_what_git_means(tmp_path: Path, paths: list[str], top: list[str], inner: list[str]) -> None:
    root = tmp_path / "repo"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
    for path in paths:
        if not (root / path).exists() and not any((root / p).is_file() for p in map(str, Path(path).parents)):
            make(root, path)
    write(root, ".gitignore", "\n".join(top))
    if (root / "a").is_dir():
        write(root, "a/.gitignore", "\n".join(inner))
    listed = ["git", "-c", "core.quotePath=false", "ls-files", "-o", "--exclude-standard"]
    judged = subprocess.run(listed, cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()
    assert set(keys(root)) == {path for path in judged if not path.endswith(".gitignore")}


def test_a_hostile_pattern_cannot_stop_the_listing() -> None:
    rules = rule_list("*a" * 30 + "b\n" + "**/a/" * 20 + "b\n!" + "*a" * 30 + "\n", 0)
    start = time.perf_counter()
    rules.verdict(("a" * 250,), False)
    rules.verdict(("a",) * 200, False)
    assert time.perf_counter() - start < 0.5
    assert rules.verdict(("xab",), False) == "out"


def test_lines_that_are_no_pattern_are_passed_over() -> None:
    rules = rule_list("\ufeff*.log\n# note\n\n!\n/\n[z-a]\n\\\n", 0)
    assert rules.verdict(("x.log",), False) == "out"
    assert rules.verdict(("x.md",), False) == ""
