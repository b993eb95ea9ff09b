"""Whatever is passed in the place of an argument, what comes back is a result or a sentence."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.empirical import simulate_missing
from coffee_fast.errors import CoffeeError
from coffee_fast.evaluation import fidelity, play_near_log, regret_by_iteration
from coffee_fast.responses import DDQN, ConservativeObjective, ResponseObjective, ResponseRequest, respond_side_by_side

WRONG = [
    None,
    1.5,
    "x",
    "\0",
    b"x",
    [],
    {},
    -1,
    True,
    10**30,
    math.nan,
    math.inf,
    object(),
    np.float64(-2.5),
    np.zeros(3),
]
GAME = cf.load_game("generalized_bargaining")
UNIFORM = cf.Mixture((cf.UniformRandom(),), np.ones(1))
# Where None stands for the paper's sizes, which take hours.
FULL_SIZE = [("equilibrium_profiles", "config"), ("true_regret", "response"), ("regret_by_iteration", "response")]


@pytest.fixture
def result(model, config):
    return cf.coffee_psro(model, config, seed=3)


@pytest.fixture
def calls(model, config, result):
    """Functions and arguments that they accept."""
    oracle = DDQN(hidden_sizes=(4,), num_steps=400, min_replay=16, batch_size=8, replay_capacity=40)
    config = dataclasses.replace(config, num_iterations=1)
    run = {"seed": 1, "run_dir": None, "resume": False, "num_threads": 1, "progress": None}
    judged = {"seed": 1, "response": config.response, "num_simulations": 4, "num_threads": 1, "cache_dir": None}
    judged["progress"] = None
    response = {"opponents": UNIFORM, "objective": ResponseObjective(), "seed": 1, "reward_scale": 1.0, "player": 0}
    request = ResponseRequest(oracle, GAME, UNIFORM, ResponseObjective(), 1, 1.0)
    mixed = {"result": result, "model": model, "cloned_policy": cf.UniformRandom(), "weight": 0.5}
    found = {"config": cf.EquilibriumConfig(1, 1, 4, response=config.response), "seed": 1, "cache_dir": None}
    simulated = {"game": cf.EmpiricalGame(1), "dynamics": model, "strategies": [cf.UniformRandom()]}
    return {
        "coffee_psro": (cf.coffee_psro, {"model": model, "config": config} | run),
        "oef": (cf.oef, {"model": model, "config": config} | run),
        "online_psro": (cf.online_psro, {"game": GAME, "config": config} | run),
        "oef_bc": (cf.oef_bc, mixed | {name: run[name] for name in run if name != "seed"}),
        "equilibrium_profiles": (cf.equilibrium_profiles, {"game": GAME, "num_threads": 1, "progress": None} | found),
        "true_regret": (cf.true_regret, {"game": GAME, "solution": result.solve()} | judged),
        "regret_by_iteration": (regret_by_iteration, {"game": GAME, "result": result, "every": 3} | judged),
        "simulate_missing": (simulate_missing, simulated | {"num_simulations": 4, "seed": 1, "num_threads": 1}),
        "respond": (oracle.respond, {"dynamics": GAME} | response),
        "respond_side_by_side": (respond_side_by_side, {"requests": [request], "num_threads": 1}),
        "DDQN": (DDQN, oracle.to_config() | {"init": "torch"}),
        "DDQNTorch": (cf.DDQNTorch, oracle.to_config() | {"init": "torch"}),
        "PolicyGradient": (cf.PolicyGradient, cf.PolicyGradient().__dict__),
        "PSROConfig": (cf.PSROConfig, {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}),
        "EquilibriumConfig": (cf.EquilibriumConfig, cf.EquilibriumConfig().__dict__),
        "ConservativeObjective": (ConservativeObjective, ConservativeObjective().__dict__),
        "ResponseObjective": (ResponseObjective, {"uncertainty_penalty": 1.0, "coverage_weight": 0.1}),
        "ConservativeObjective.at": (ConservativeObjective().at, {"iteration": 0}),
        "solution_at": (result.solution_at, {"iteration": 0, "solver": config.meta_solver}),
        "solve": (result.solve, {"solver": config.meta_solver}),
        "fidelity": (fidelity, {"game": GAME, "result": result, "seed": 1, "num_simulations": 4, "model": None}),
        "play_near_log": (
            play_near_log,
            {
                "game": GAME,
                "dataset": cf.generate_dataset(GAME, num_trajectories=6, seed=1),
                "solution": result.solve(),
                "seed": 1,
                "num_episodes": 4,
                "num_threads": 1,
            },
        ),
    }


NAMES = [
    "coffee_psro", "oef", "online_psro", "oef_bc", "equilibrium_profiles", "true_regret", "regret_by_iteration",
    "simulate_missing", "respond", "respond_side_by_side", "DDQN", "DDQNTorch", "PolicyGradient", "PSROConfig",
    "EquilibriumConfig", "ConservativeObjective", "ResponseObjective", "ConservativeObjective.at", "solution_at",
    "solve", "fidelity", "play_near_log",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_numpy_are_numbers_and_what_is_wrong_ends_in_a_sentence(calls, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # "x" is a fine name for a folder
    function, arguments = calls[name]
    arguments = {key: value for key, value in arguments.items() if key != "kind"}
    scalars = {
        key: np.int64(value) if isinstance(value, int) else np.float64(value)
        for key, value in arguments.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    function(**arguments | scalars)
    for argument in arguments:
        for wrong in WRONG:
            if wrong is None and (name, argument) in FULL_SIZE:
                continue
            try:
                function(**arguments | {argument: wrong})
            except CoffeeError as error:
                assert 10 < len(str(error)) < 700
            except Exception as error:
                pytest.fail(f"{name}({argument}={wrong!r}): {type(error).__name__}: {error}")
