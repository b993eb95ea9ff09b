"""What the command line lists: everything there is, with defaults and meaning; and completion by the shell."""

from __future__ import annotations

import dataclasses
import inspect
import os
import subprocess
import sys
import tomllib

import pytest

import coffee_fast as cf
from coffee_fast.field_docs import field_docs, summary_of
from coffee_fast.pipeline.config import PRESETS


def parts(config):
    """Every dataclass within a configuration, itself first."""
    yield type(config)
    for field in dataclasses.fields(config):
        if dataclasses.is_dataclass(getattr(config, field.name)):
            yield from parts(getattr(config, field.name))


CLASSES = {
    *parts(cf.RunConfig()),
    *cf.meta_solvers.known_solvers().values(),
    cf.DDQNTorch,
    cf.PolicyGradient,
    cf.responses.RPQ,
}
CLASSES |= {*cf.regularized.known_solvers().values()}


@pytest.mark.parametrize("documented", sorted(CLASSES, key=lambda part: part.__name__))
def test_every_field_is_explained_by_its_class(documented):
    docs = field_docs(documented)
    assert summary_of(documented)
    for field in dataclasses.fields(documented):
        assert docs.get(field.name), field.name
        assert "`" not in docs[field.name]
        assert "\\" not in docs[field.name]


def test_games_are_listed_with_their_parameters(invoke, invoke_json):
    found = invoke_json("games")["games"]["generalized_bargaining"]
    assert {name: entry["default"] for name, entry in found["parameters"].items()} == {
        "discount": 0.99,
        "only_feasible_offers": False,
    }
    assert all(entry["meaning"] for entry in found["parameters"].values())
    text = invoke("games").stdout
    assert "discount=0.99" in text
    assert "openspiel:leduc_poker" in text
    assert "dataset import" in text


def test_a_registered_game_is_listed_though_it_explains_nothing(invoke_json, monkeypatch):
    from coffee_fast.games import registry

    monkeypatch.setitem(registry._FACTORIES, "ours", lambda rounds, pot=3: None)
    found = invoke_json("games")["games"]["ours"]
    assert found == {
        "summary": "",
        "parameters": {"rounds": {"default": None, "meaning": ""}, "pot": {"default": 3, "meaning": ""}},
    }


def test_solvers_are_listed_with_their_fields(invoke, invoke_json):
    found = invoke_json("solvers")["solvers"]
    assert set(found) == set(cf.meta_solvers.known_solvers())
    for kind, about in found.items():
        solver = cf.meta_solvers.from_config({"kind": kind})
        defaults = {name: entry["default"] for name, entry in about["parameters"].items()}
        assert defaults == {name: value for name, value in solver.to_config().items() if name != "kind"}
        assert kind in invoke("solvers").stdout


@pytest.mark.parametrize("preset", PRESETS)
def test_what_config_show_prints_is_the_configuration(invoke, tmp_path, preset):
    file = tmp_path / "run.toml"
    file.write_text(invoke("config", "show", "--preset", preset, "--set", "psro.meta_solver=nash").stdout)
    expected = cf.RunConfig.preset(preset).with_overrides(["psro.meta_solver=nash"])
    assert cf.RunConfig().with_toml(file) == expected
    assert tomllib.loads(file.read_text())["psro"]["meta_solver"] == {"kind": "nash"}


def test_every_shown_line_is_what_set_takes(invoke, invoke_json):
    lines = [line for line in invoke("config", "show").stdout.splitlines() if line and not line.startswith("#")]
    assert len(lines) > 60
    overrides = [line.replace(" = ", "=", 1) for line in lines]
    assert cf.RunConfig().with_overrides(overrides) == cf.RunConfig.preset("quick")
    shown = invoke_json("config", "show")
    assert shown["config"] == cf.RunConfig.preset("quick").to_json()
    assert all(field["meaning"] for field in shown["fields"].values())


def test_config_show_names_a_wrong_field(invoke):
    result = invoke("config", "show", "--set", "psro.meta_solver=nsh")
    assert result.exit_code == 2
    assert "psro.meta_solver" in result.stderr
    assert "did you mean 'nash'" in result.stderr


def complete(words, shell="bash"):
    """What the shell is offered after these words, by the program that it would run."""
    environment = os.environ | {
        "_COFFEE_FAST_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    code = "from coffee_fast.cli import main; main()"
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    return ended.stdout.split()


def test_the_shell_completes_commands_and_options():
    assert complete(["coffee-fast", "sol"]) == ["solve", "solvers"]
    assert "--meta" not in complete(["coffee-fast", "run", "--pre"])
    assert complete(["coffee-fast", "run", "--pre"]) == ["--preset"]
    assert complete(["coffee-fast", "config", ""]) == ["show"]


def test_the_shell_is_told_how_to_complete(invoke):
    environment = os.environ | {"_COFFEE_FAST_COMPLETE": "source_bash"}
    code = "from coffee_fast.cli import main; main()"
    script = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True).stdout
    assert "_COFFEE_FAST_COMPLETE=complete_bash" in script
    assert "--install-completion" in invoke("--help").stdout


def test_listing_loads_no_torch():
    for command in (["games"], ["solvers"], ["config", "show"]):
        code = f"import sys; from coffee_fast.cli.app import app\ntry: app({command})\nexcept SystemExit: pass\n"
        code += "print('torch' in sys.modules)"
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ended.stdout.splitlines()[-1] == "False"


def test_docs_of_what_is_not_documented_are_empty():
    class Bare:
        pass

    assert (field_docs(Bare), summary_of(Bare)) == ({}, "")
    assert inspect.getdoc(Bare) is None
