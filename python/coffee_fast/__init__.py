"""Offline game solving: strategies from logged play that hold up in the real game.

The names below are the public face; each is imported from its room on first use, so ``import coffee_fast`` loads
neither torch nor matplotlib nor pyspiel.
"""

from __future__ import annotations

import importlib
from typing import Any

_FACE = {
    # the build
    "__version__": "_build",
    "build_info": "_build",
    "get_cmake_dir": "_build",
    # errors
    "CoffeeError": "errors",
    "InvalidArgumentError": "errors",
    "InvalidGameError": "errors",
    "DatasetError": "errors",
    "ConfigError": "errors",
    "CheckpointError": "errors",
    "NumericalError": "errors",
    "ModelWarning": "errors",
    "OutOfMemoryError": "errors",
    # games and play
    "GameSpec": "games",
    "GameTree": "games",
    "load_game": "games",
    "register_game": "games",
    "UniformRandom": "policies",
    "NetworkPolicy": "policies",
    "PerStepMixture": "policies",
    "TablePolicy": "policy_tables",
    "Mixture": "policies",
    "Player": "players",
    "simulate": "simulation",
    "SimulationResult": "simulation",
    # data and models
    "TrajectoryDataset": "data",
    "generate_dataset": "data",
    "DatasetCard": "data",
    "DatasetCheck": "data",
    "DynamicsEnsemble": "models",
    "EnsembleConfig": "models",
    "BehaviorCloningConfig": "models",
    "behavior_frequencies": "models",
    "clone_behavior": "models",
    "clone_roles": "models",
    "SoftImitationConfig": "models",
    "imitate_behavior": "models",
    # payoff tables
    "PayoffTable": "empirical",
    "EmpiricalGame": "empirical",
    "load_payoffs": "empirical",
    "save_payoffs": "empirical",
    "TabularGame": "tabular",
    # game trees
    "mirror_descent": "regularized",
    # responses
    "ConservativeObjective": "responses",
    "DDQN": "responses",
    "DDQNTorch": "responses",
    "PolicyGradient": "responses",
    "BestResponse": "responses",
    "best_response": "responses",
    # the main loop
    "PSROConfig": "psro",
    "PSROResult": "psro",
    "Solution": "psro",
    "coffee_psro": "psro",
    "oef": "psro",
    "oef_bc": "psro",
    "online_psro": "psro",
    "SelfPlayConfig": "self_play",
    "SelfPlaySnapshots": "self_play",
    "anchored_self_play": "self_play",
    "self_play_snapshots": "self_play",
    "InSPOConfig": "teams",
    "AlberDICEConfig": "teams",
    "TeamPolicies": "teams",
    "learn_team": "teams",
    "EquilibriumConfig": "psro",
    "equilibrium_profiles": "psro",
    "RegretReport": "evaluation",
    "true_regret": "evaluation",
    "ExactRegret": "evaluation",
    "exact_regret": "evaluation",
    "RegretFromLog": "evaluation",
    "regret_from_log": "evaluation",
    "RunConfig": "pipeline",
    "run_pipeline": "pipeline",
    "rewrite_report": "pipeline",
    "list_runs": "pipeline",
    "RunRecord": "pipeline",
    "report_sweep": "reports",
}
_ROOMS = frozenset(
    {
        "data",
        "empirical",
        "environments",
        "evaluation",
        "games",
        "meta_solvers",
        "models",
        "plotting",
        "policies",
        "psro",
        "regularized",
        "reports",
        "responses",
        "self_play",
        "sweeps",
        "teams",
        "trackers",
    }
)


def __getattr__(name: str) -> Any:
    if name in _FACE:
        value = getattr(importlib.import_module(f"coffee_fast.{_FACE[name]}"), name)
        globals()[name] = value
        return value
    if name in _ROOMS:
        return importlib.import_module(f"coffee_fast.{name}")
    raise AttributeError(f"module 'coffee_fast' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_FACE, *_ROOMS})
