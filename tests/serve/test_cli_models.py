"""`bowerbird models` lists, gets and checks the models of a data directory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bowerbird.serve.cli_call import Call, begin
from bowerbird.serve.cli_models import models
from bowerbird.understanding import ModelStore

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(*arguments: str) -> Result:
        begin(Call(tmp_path))
        return CliRunner().invoke(models, list(arguments), standalone_mode=False)

    return run


def test_list_names_every_model_and_that_it_is_not_here(run: Run) -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["minilm", "bge-small"]
    assert all("not here" in line for line in lines)
    assert not any(model["present"] for model in json.loads(run("list", "--json").stdout)["models"])


def test_pull_gets_the_encoder_in_use_and_verify_finds_what_was_altered(
    run: Run, tmp_path: Path, model_store: ModelStore
) -> None:
    pulled = run("pull", "--from", str(model_store.directory / "minilm"), "--json")
    assert [(model["name"], model["verified"]) for model in json.loads(pulled.stdout)["models"]] == [("minilm", True)]
    assert run("verify").return_value == 0
    assert "ready" in run("list").stdout
    (tmp_path / "models" / "minilm" / "config.json").write_text("{}")
    answer = run("verify", "--json")
    assert answer.return_value == 1
    assert "models pull minilm" in json.loads(answer.stdout)["models"][0]["problem"]
