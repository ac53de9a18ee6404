"""What the house demands of itself: sizes, names, and that the documentation is whole."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from bowerbird.core import errors, settings
from bowerbird.serve.cli import app

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "bowerbird"
PARTS = ("src", "tests", "benchmarks", "docs", "scripts", ".ci")
CODE = {".py", ".js", ".css", ".html", ""}
CACHES = {"__pycache__", ".hypothesis"}


def files(*parts: str, endings: set[str] | None = None) -> Iterator[Path]:
    for part in parts:
        for file in sorted((ROOT / part).rglob("*")):
            if file.is_file() and not CACHES & set(file.parts) and (endings is None or file.suffix in endings):
                yield file


def text_files() -> Iterator[tuple[str, str]]:
    tops = [file for file in sorted(ROOT.iterdir()) if file.suffix in (".md", ".toml")]
    for file in [*tops, *files(*PARTS)]:
        try:
            yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures


def rooms() -> list[Path]:
    return [folder for folder in sorted(SOURCE.iterdir()) if (folder / "__init__.py").is_file()]


def folders() -> Iterator[Path]:
    for folder in sorted(SOURCE.rglob("*")):
        if folder.is_dir() and not CACHES & set(folder.parts) and any(child.is_file() for child in folder.iterdir()):
            yield folder


def commands() -> Iterator[tuple[str, object]]:
    def walk(name: str, command: object) -> Iterator[tuple[str, object]]:
        below = getattr(command, "commands", {})
        if not below:
            yield name, command
        for child, sub in below.items():
            yield from walk(f"{name} {child}", sub)

    yield from walk("bowerbird", typer.main.get_command(app))


def test_files_are_small() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in files("src", "tests", "benchmarks", endings={".py", ".js", ".css"})
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long


def test_functions_are_small() -> None:
    long = []
    for file in files("src", "tests", "benchmarks", endings={".py"}):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                if node.end_lineno - first + 1 > 60:
                    long.append(f"{file.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not long


def test_architecture_names_every_folder() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    missing = [path for folder in folders() if f"`{(path := f'{folder.relative_to(SOURCE).as_posix()}/')}`" not in page]
    assert not missing


def test_architecture_names_no_folder_that_is_gone() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_/]+)/`", "\n".join(line for line in page.splitlines() if line.startswith("| `")))
    assert named
    assert not [name for name in named if not (SOURCE / name).is_dir()]


@pytest.mark.parametrize("row", settings.TABLE, ids=lambda row: row.name)
def test_every_setting_is_documented(row: settings.Setting) -> None:
    page = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    assert f"| `{row.name}` | `{row.default}` | {row.help} |" in page


def error_classes() -> list[type[errors.BowerbirdError]]:
    found = [errors.BowerbirdError]
    for known in found:
        found.extend(known.__subclasses__())
    return [known for known in found if known.__module__.startswith("bowerbird.")]


@pytest.mark.parametrize("known", error_classes(), ids=lambda known: known.code)
def test_every_error_is_documented(known: type[errors.BowerbirdError]) -> None:
    page = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    assert f"| `{known.code}` | {known.exit_code} | {known.status} |" in page
    assert known is errors.BowerbirdError or known.code in (errors.__doc__ or "")


def test_error_codes_are_unique() -> None:
    codes = [known.code for known in error_classes()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_and_option_is_documented(name: str, command: object) -> None:
    page = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    assert f"`{name}" in page, f"{name} is not in docs/reference/cli.md"
    parent = name
    while f"## `{parent}" not in page and " " in parent:
        parent = parent.rpartition(" ")[0]
    section = page.partition(f"## `{parent}")[2].partition("\n## ")[0]
    options = [flag for parameter in command.params for flag in parameter.opts if flag.startswith("--")]  # type: ignore[attr-defined]
    assert not [flag for flag in options if flag != "--help" and flag not in section]


def documented_calls() -> list[str]:
    pages = [*ROOT.glob("*.md"), *files("docs", endings={".md"})]
    lines = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines()]
    indented = [line.strip() for line in lines if line.startswith("    ")]
    inline = [found for line in lines for found in re.findall(r"`(bowerbird [^`]+)`", line)]
    calls = [line.removeprefix(".venv/bin/") for line in [*indented, *inline]]
    return sorted({call for call in calls if re.match(r"bowerbird [a-z]+", call)})


@pytest.mark.parametrize("call", documented_calls())
def test_every_call_in_the_documentation_exists(call: str) -> None:
    words = [word.strip("[]") for word in call.partition("#")[0].split()[1:]]
    words = words[2:] if words[0] == "--home" else words
    known = dict(commands())
    name = next((n for n in (f"bowerbird {' '.join(words[:count])}" for count in (3, 2, 1)) if n in known), "")
    assert name or any(n.startswith(f"bowerbird {words[0]} ") for n in known), f"there is no command {call}"
    options = {flag for parameter in getattr(known.get(name), "params", ()) for flag in parameter.opts}
    assert not [word for word in words if word.startswith("--") and word not in options | {"--help"}]


@pytest.mark.parametrize(
    "module",
    [
        file.relative_to(SOURCE.parent).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for file in files("src", endings={".py"})
        if ">>> " in file.read_text(encoding="utf-8")
    ],
)  # fmt: skip
def test_examples_in_docstrings_are_true(module: str) -> None:
    ran = doctest.testmod(importlib.import_module(module))
    assert ran.attempted
    assert not ran.failed


def test_the_environment_is_read_in_one_place() -> None:
    reading = [
        str(file.relative_to(ROOT))
        for file in files("src", endings={".py"})
        if re.search(r"\bos\.(environ|getenv|putenv)\b", file.read_text(encoding="utf-8"))
    ]
    assert reading == ["src/bowerbird/core/settings.py"]


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(
        r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "raise NotImplemented" + "Error")) + r")\b"
    )
    left = [
        f"{file.relative_to(ROOT)}: {found[0]}"
        for file in files("src", "tests", "benchmarks", "scripts", endings=CODE)
        if (found := marks.search(file.read_text(encoding="utf-8", errors="replace")))
    ]
    assert not left


def test_every_room_has_tests() -> None:
    missing = [room.name for room in rooms() if not list((ROOT / "tests" / room.name).glob("test_*.py"))]
    assert [name for name in missing if name != "testing"] == []


def test_dependencies_are_few() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert len(project["dependencies"]) <= 30


def test_no_hosts_of_registries_and_no_paths_of_a_machine() -> None:
    hosts = ("py" + "pi.org", "python" + "hosted", "npm" + "js.org", "deb." + "debian.org", "proxy." + "golang")
    paths = ("/wo" + "rk/", "/ro" + "ot/.", "/tmp/" + "bash")
    found = [f"{name}: {word}" for name, text in text_files() for word in (*hosts, *paths) if word in text]
    assert not found


def test_scripts_are_executable() -> None:
    for name in ("scripts/demo", "scripts/test", "scripts/check", ".ci/run"):
        assert (ROOT / name).stat().st_mode & 0o111, name


def test_contributing_is_short() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) < 60


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *files("docs", endings={".md"})]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken
