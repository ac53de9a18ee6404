"""`bowerbird up`, `demo` and `serve`: from a folder to a search box."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.serve.cli_call import JSON_HELP, Call, current
from bowerbird.serve.cli_index import report
from bowerbird.serve.cli_indexing import pull_model, synchronize
from bowerbird.serve.cli_output import count, out, print_json, say

if TYPE_CHECKING:
    from bowerbird.library import Library
    from bowerbird.serve.server import Ready

HOST_HELP = "The address to listen on; others than this machine's own need accounts and TLS."
PORT_HELP = "The port to listen on; 0 takes a free one."
NO_SERVE_HELP = "Stop once everything is indexed."

Host = Annotated[str | None, typer.Option(help=HOST_HELP)]
Port = Annotated[int | None, typer.Option(help=PORT_HELP)]
NoServe = Annotated[bool, typer.Option("--no-serve", help=NO_SERVE_HELP)]
AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]


@dataclass(frozen=True, slots=True)
class Serving:
    """How a command is to serve: None means what the settings say."""

    host: str | None = None
    port: int | None = None
    watch: bool = True
    as_json: bool = False


def up(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", help="Folders to search in.")] = None,
    host: Host = None,
    port: Port = None,
    no_serve: NoServe = False,
    as_json: AsJson = False,
) -> int:
    """Index folders and serve the search page: everything in one go."""
    return bring_up(current(), paths or [], Serving(host, port, as_json=as_json), no_serve=no_serve)


def demo(
    folder: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write the demo workspace.")] = None,
    host: Host = None,
    port: Port = None,
    no_serve: NoServe = False,
    as_json: AsJson = False,
) -> int:
    """Look around in the workspace of a made-up team.

    It is written, indexed and served as `up` does. It has a library of its own beside yours, unless --home names one.
    """
    call = current()
    if call.override is None:
        call = Call(call.home.with_name(f"{call.home.name}-demo"))
    workspace = (folder or call.home / "demo-workspace").expanduser().absolute()
    if not workspace.is_dir() or not any(workspace.iterdir()):
        write_workspace(workspace)
    return bring_up(call, [str(workspace)], Serving(host, port, as_json=as_json), no_serve=no_serve)


def write_workspace(folder: Path) -> None:
    """Write the demo workspace beside the folder, then move it there: a run that was stopped leaves nothing half."""
    import shutil

    from bowerbird.lab.workspace import generate

    draft = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    made = generate(draft)
    draft.rename(folder)
    say(f"Wrote {count(len(made.entries), 'file')} to {folder}.")


def serve(
    host: Host = None,
    port: Port = None,
    no_watch: Annotated[bool, typer.Option("--no-watch", help="Do not follow changes of the files.")] = False,
    as_json: AsJson = False,
) -> None:
    """Serve the search page and the API, and keep the index up to date. Ctrl-C stops it."""
    with current().open() as library:
        run_server(library, Serving(host, port, not no_watch, as_json))


def bring_up(call: Call, paths: list[str], serving: Serving, *, no_serve: bool) -> int:
    """Register the paths, get the model, index, then serve; return the exit code."""
    with call.open() as library:
        names = [library.add(path).name for path in paths]
        pull_model(library)
        if names or no_serve:
            synchronize(library, names, vectors=no_serve)
        if no_serve:
            return report(library, names, serving.as_json)
        if not serving.as_json:
            report(library, names, as_json=False)
        if not tell_running(library, serving):
            run_server(library, serving)
    return 0


def tell_running(library: Library, serving: Serving) -> bool:
    """Where a server for this library runs already, print a link to it and return True."""
    from bowerbird.serve.client import running

    server = running(library.home)
    if server is None:
        return False
    try:
        link = server.invitation()
    except ConnectionError:
        return False
    tell(server.shown or server.url, link, serving, f"A server for this library runs already (process {server.pid}).")
    return True


def run_server(library: Library, serving: Serving) -> None:
    """Serve with what the command said, else the settings."""
    from bowerbird.serve.server import run

    settings = library.settings
    host = serving.host if serving.host is not None else settings.get("host", str)
    port = serving.port if serving.port is not None else settings.get("port", int)

    def announce(ready: Ready) -> None:
        tell(ready.url, ready.link, serving, "Bowerbird is ready; Ctrl-C stops it.")

    run(library, host, port, watch=serving.watch, announce=announce)
    say("Stopped.")


def tell(url: str, link: str, serving: Serving, message: str) -> None:
    """Print where the search page is; the link signs in one browser, once."""
    if serving.as_json:
        print_json({"url": url, "link": link})
        return
    say(message)
    say("Open this link in your browser (it signs in one browser, once):")
    out().print(link, markup=False, soft_wrap=True)
