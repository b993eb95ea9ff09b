"""A call of every bound function of the compiled module, and what its arguments are spoiled with."""

from __future__ import annotations

import itertools
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from coffee_fast import _core

SAME, OTHER = "the same values", "other values"
# Of these anybody may ask for more than there is time for; what there is time for.
PATIENT = {
    **dict.fromkeys(("max_iterations", "num_iterations", "num_episodes", "num_decisions", "num_epochs"), 1),
    "duration_s": 0.001,
}
MEMORY = 1 << 30  # bytes that calls may ask for: beyond them they are told that there are no more
ENORMOUS = [-1, 2**31, 2**40, 2**61, 2**63, 2**64, 1.5, float("nan"), -1e300, None, "a"]


def limit_memory() -> None:
    """Let the process have no more than `MEMORY` beyond what it has."""
    num_pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = num_pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def forms(array: np.ndarray) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield (name, whether the values are the same, array) of an array in every form it may come in."""
    shifted = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    shifted[...] = array
    read_only = array.copy()
    read_only.flags.writeable = False
    yield "misaligned", SAME, shifted
    yield "read-only", SAME, read_only
    yield "big-endian", SAME, array.astype(array.dtype.newbyteorder(">"))
    yield "strided", SAME, np.stack([array, array], axis=-1)[..., 0]
    yield "Fortran", SAME, np.asfortranarray(array)
    yield "masked", SAME, np.ma.masked_array(array, np.zeros(array.shape, bool))
    yield "empty", OTHER, array[:0]
    yield "no columns", OTHER, array[..., :0]
    yield "longer", OTHER, np.concatenate([array, array])
    yield "wider", OTHER, np.concatenate([array, array], axis=-1)
    yield "deeper", OTHER, array[None]
    yield "flat", OTHER, array.ravel()[:1].copy()
    yield "scalar", OTHER, np.array(array.ravel()[0])
    yield "objects", OTHER, array.astype(object)
    for name, value in (("NaN", np.nan), ("inf", np.inf), ("-inf", -np.inf), ("large", 1e300), ("tiny", 5e-324)):
        if array.dtype.kind == "f":
            with np.errstate(over="ignore"):
                yield name, OTHER, np.full_like(array, value)
    if array.dtype.kind in "iu":
        yield "largest", OTHER, np.full_like(array, np.iinfo(array.dtype).max)
        yield "least", OTHER, np.full_like(array, np.iinfo(array.dtype).min)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where arrays and numbers stand in nested lists, tuples and dicts."""
    if isinstance(value, np.ndarray | int | float) and not isinstance(value, bool):
        yield path
    elif isinstance(value, list | tuple | dict):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(entry, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def put(value: Any, path: tuple[Any, ...], entry: Any) -> Any:
    """Return a copy of ``value`` with ``entry`` at ``path``."""
    if not path:
        return entry
    if isinstance(value, dict):
        return value | {path[0]: put(value[path[0]], path[1:], entry)}
    parts = list(value)
    parts[path[0]] = put(parts[path[0]], path[1:], entry)
    return type(value)(parts)


def is_patient(path: tuple[Any, ...], entry: Any) -> bool:
    """Return whether ``entry`` at ``path`` asks for more than there is time for."""
    limits = [PATIENT[key] for key in path if key in PATIENT]
    try:
        return bool(limits) and float(entry) > min(limits)
    except (TypeError, ValueError, OverflowError):
        return False


def flat(value: Any) -> list[Any]:
    """Return all numbers of a result."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [number for part in value for number in flat(part)]
    if isinstance(value, np.ndarray):
        return value.ravel().tolist()
    return [value] if isinstance(value, bool | int | float) else []


Call = tuple[Callable[..., Any], dict[str, Any]]


def calls() -> dict[str, Call]:
    """Return a call of every bound function that takes arrays; each is deterministic and changes nothing outside."""
    rng = np.random.default_rng(0)

    def f32(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    def layers(*sizes: int) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(f32(o, i), f32(o)) for i, o in itertools.pairwise(sizes)]

    game = _core.GeneralizedBargaining()
    uniform = _core.Policy.uniform_random()
    masks, actions = np.ones((4, 3), np.uint8), np.array([0, 1, 2, 0], np.int32)
    payoffs = [rng.normal(size=(2, 2, 3)) for _ in range(2)]  # two games
    logs = [np.log(np.full((2, 2), 0.5)), np.log(np.full((2, 3), 1 / 3))]
    weight = np.full((2, 2), 0.5)
    values, nominal = rng.normal(size=(2, 3)), np.full((2, 3), 1 / 3)
    table = _core.PayoffTable([rng.normal(size=(2, 2, 3)) for _ in range(2)])
    mixtures = [np.full(2, 0.5), np.full(3, 1 / 3)]
    learner_arguments = {"online": layers(5, 4, 3), "target": layers(5, 4, 3), "discount": 0.9, "learning_rate": 1e-3}
    pushed = {
        **{"information_state": f32(5), "action": 1, "reward": 1.0, "next_information_state": f32(5)},
        **{"is_final": False, "next_legal_mask": np.ones(3, np.uint8)},
    }
    batch = {
        **{"information_states": f32(4, 5), "actions": actions, "rewards": f32(4)},
        **{"next_information_states": f32(4, 5), "is_final": np.zeros(4, np.uint8), "next_legal_masks": masks},
    }
    ensemble_numbers = {
        **{"num_players": 2, "history_start": 2, "max_episode_length": 4, "terminal_state_value": -1.0},
        **{"terminal_threshold": 0.5, "reward_scale": 1.0},
        **{"disagreement": "range_max", "history_source": "observations"},
    }
    ensemble_arguments = {
        **{f"{kind}_mean": np.zeros(size, np.float32) for kind, size in (("state", 4), ("action", 2))},
        **{f"{kind}_scale": np.ones(size, np.float32) for kind, size in (("state", 4), ("action", 2))},
        **{"observation_mean": np.zeros(6, np.float32), "observation_scale": np.ones(6, np.float32)},
        **{"action_vectors": f32(3, 2), "initial_states": f32(2, 4), "initial_observations": f32(2, 6)},
        **{"initial_legal_masks": np.ones((2, 3), np.uint8), "initial_players": np.zeros(2, np.int32)},
    }

    tree_arguments = {  # chance, then a move of one player or of the other
        **{"num_players": 2, "num_actions": 2, "num_chance_outcomes": 2, "terminal_state_value": -1.0},
        **{"players": np.array([-1, 0, 1, -2, -2, -2], np.int8), "actions": np.array([0, 0, 1, 0, 1, 1], np.int32)},
        **{"num_children": np.array([2, 2, 1, 0, 0, 0], np.int32), "payoff_rows": np.zeros(6, np.int32)},
        **{"probabilities": np.array([1.0, 0.25, 0.75, 1.0, 1.0, 1.0]), "payoffs": np.array([[1.0, 2.0]])},
        **{"information_sets": np.array([-1, 0, 1, -1, -1, -1], np.int32), "observations": f32(2, 3)},
        **{"observation_rows": np.array([[0, 1]] * 6, np.int32), "hidden_rows": np.zeros(6, np.int32)},
        "hidden": f32(1, 2),
    }

    def in_tree(**arguments: Any) -> Any:
        made = _core.GameTree(**arguments)
        played = _core.rollout(made, [([uniform], [1.0])] * 2, 3, 0, record=True)
        return made.information_states(), made.profile_values(np.array([0.5, 0.5, 1.0])), played

    tree = _core.GameTree(**tree_arguments)

    def replay(**arguments: Any) -> Any:
        buffer = _core.ReplayBuffer(8, 5, 3)
        for _ in range(3):
            buffer.push(**arguments)
        return buffer.sample(2, 1, 0)

    def restored(**state: Any) -> Any:
        buffer = _core.ReplayBuffer(8, 5, 3)
        buffer.restore(state)
        return buffer.sample(2, 1, 0)

    def sampled(**arguments: Any) -> Any:
        buffer = _core.ReplayBuffer(**arguments)
        buffer.push(**pushed)
        return buffer.sample(1, 1, 0)

    def step(**arguments: Any) -> Any:
        network = _core.QNetwork(**learner_arguments)
        return network.gradient_step(**arguments), network.read(_core.QNetwork.Part.online)

    def made(**arguments: Any) -> Any:
        network = _core.QNetwork(**arguments)
        return network.gradient_step(**batch), network.read(_core.QNetwork.Part.online)

    def written(entries: Any) -> Any:
        network = _core.QNetwork(**learner_arguments)
        network.write(_core.QNetwork.Part.target, entries)
        return network.gradient_step(**batch)

    def acted(probabilities: Any, **arguments: Any) -> Any:
        actor = _core.Actor(game, [([uniform], probabilities)] * 2, **arguments)
        network = _core.Mlp([(np.ones((109, 41), np.float32), np.zeros(109, np.float32))])
        for _ in range(5):
            actor.advance(network)
        return actor.mean_return, actor.num_decisions

    def restored_actor(**state: Any) -> Any:
        actor = _core.Actor(game, [([uniform], [1.0])] * 2, seed=1, num_parallel_episodes=2, replay_capacity=8)
        actor.restore(state)
        return actor.export_state()

    def in_ensemble(**arguments: Any) -> Any:
        networks = {
            "delta": [_core.Mlp(layers(6, 5, 4))] * 2,
            "reward": [_core.Mlp(layers(6, 5, 2))] * 2,
            "shared": _core.Mlp(layers(4, 5, 9)),
        }
        dynamics = _core.DynamicsEnsemble(**ensemble_numbers, **arguments, **networks)
        return dynamics.observe(f32(2, 4)), _core.rollout(dynamics, [([uniform], [1.0])] * 2, 3, 0)

    seed_buffer = _core.ReplayBuffer(8, 5, 3)
    for _ in range(3):
        seed_buffer.push(**pushed)
    seed_actor = _core.Actor(game, [([uniform], [1.0])] * 2, seed=1, num_parallel_episodes=2, replay_capacity=8)
    for _ in range(30):
        seed_actor.advance(_core.Mlp([(np.ones((109, 41), np.float32), np.zeros(109, np.float32))]))
    greedy = _core.Policy.greedy(_core.Mlp(layers(5, 4, 3)))
    rows = {"values": values, "probabilities": nominal}
    anchored = {"payoffs": payoffs, "reference": logs, "kl_weight": weight}
    risky = {"payoffs": payoffs, "risk_aversion": weight, "legal": [np.zeros((2, 2)), np.zeros((2, 3))]}
    kinds = {"divergence": 0, "regularizer": 0}
    found: dict[str, Call] = {
        "Mlp": (lambda entries: _core.Mlp(entries).forward(np.ones((2, 5), np.float32)), {"entries": layers(5, 4, 3)}),
        "Mlp.forward": (_core.Mlp(layers(5, 4, 3)).forward, {"inputs": f32(4, 5)}),
        "choose_actions": (
            _core.choose_actions,
            {"policy": greedy, "information_states": f32(4, 5), "legal_masks": masks, "seed": 1},
        ),
        "project_to_simplex": (_core.project_to_simplex, {"x": rng.normal(size=4), "min_probability": 0.01}),
        "entropy": (_core.entropy, {"p": np.full(4, 0.25)}),
        "kl_divergence": (_core.kl_divergence, {"p": np.full(4, 0.25), "q": np.full(4, 0.25)}),
        "symmetric_orbit": (_core.symmetric_orbit, {"profile": [0, 1]}),
        "PayoffTable": (lambda arrays: _core.PayoffTable(arrays).regret(mixtures), {"arrays": payoffs}),
        "PayoffTable.deviation_payoffs": (table.deviation_payoffs, {"player": 0, "mixtures": mixtures}),
        "PayoffTable.expected_payoffs": (table.expected_payoffs, {"mixtures": mixtures}),
        "PayoffTable.regret": (table.regret, {"mixtures": mixtures}),
        "PayoffTable.pessimistic_regret": (table.pessimistic_regret, {"mixtures": mixtures}),
        "solve_replicator": (
            _core.solve_replicator,
            {"table": table, "kind": _core.ReplicatorKind.robust, "step_size": 0.1, "max_iterations": 5},
        ),
        "replicator_step": (
            _core.replicator_step,
            {"mixture": np.full(3, 1 / 3), "payoffs": rng.normal(size=3), "step_size": 0.1, "min_probability": 0.01},
        ),
        "robust_replicator_step": (
            _core.robust_replicator_step,
            {
                **{"mixture": np.full(3, 1 / 3), "optimistic": rng.normal(size=3), "pessimistic": rng.normal(size=3)},
                **{"step_size": 0.1, "min_probability": 0.01},
            },
        ),
        "GeneralizedBargaining": (
            lambda **arguments: _core.GeneralizedBargaining(**arguments).num_actions,
            {"discount": 0.9},
        ),
        "GeneralizedBargaining.new_state": (
            lambda **arguments: game.new_state(**arguments).returns(),
            {"seed": 1, "rollout": 1, "pool": [2, 2, 1], "first_player": 0},
        ),
        "Stream": (
            lambda **arguments: _core.Stream(purpose=_core.Purpose.action, **arguments).next_double(),
            {"seed": 1, "profile": 1, "rollout": 1, "step": 1},
        ),
        "Stream.next_below": (
            lambda bound: _core.Stream(1, _core.Purpose.action).next_below(bound),
            {"bound": 3},
        ),
        "philox4x32": (_core.philox4x32, {"counter": [1, 2, 3, 4], "key": [1, 2]}),
        "rollout": (
            lambda **arguments: _core.rollout(game, [([uniform], [1.0])] * 2, record=True, **arguments),
            {
                **{"num_episodes": 3, "seed": 0, "profile": 0, "first_rollout": 0, "num_threads": 1},
                "chunk_size": 2,
            },
        ),
        "estimate_payoffs": (
            lambda **arguments: _core.estimate_payoffs(game, [uniform], **arguments),
            {"profiles": np.zeros((2, 2), np.int32), "num_episodes": 2, "seed": 0, "num_threads": 1},
        ),
        "ReplayBuffer": (sampled, {"capacity": 8, "information_state_size": 5, "num_actions": 3}),
        "ReplayBuffer.push": (replay, pushed),
        "ReplayBuffer.restore": (restored, seed_buffer.export_state()),
        "Actor": (
            acted,
            {
                **{"probabilities": [1.0], "seed": 1, "seats": [0], "num_parallel_episodes": 2, "replay_capacity": 8},
                **{"uncertainty_penalty": 0.1, "coverage_weight": 0.1, "epsilon_start": 1.0, "epsilon_end": 0.1},
                "epsilon_decay_steps": 5,
            },
        ),
        "Actor.restore": (restored_actor, seed_actor.export_state()),
        "QNetwork": (made, learner_arguments),
        "QNetwork.gradient_step": (step, batch),
        "QNetwork.write": (written, {"entries": layers(5, 4, 3)}),
        "solve_anchored": (
            _core.solve_anchored,
            {**anchored, "method": 3, "tolerance": 1e-6, "max_iterations": 5, "num_threads": 1},
        ),
        "anchored_mirror_descent": (
            _core.anchored_mirror_descent,
            {**anchored, "num_iterations": 5, "tolerance": 0.0, "step_size": np.full(2, 0.1), "num_threads": 1},
        ),
        "regularized_gap": (_core.regularized_gap, {**anchored, "mixtures": logs}),
        "log_sum_exp": (_core.log_sum_exp, {"values": values}),
        "anchored_best_response": (
            _core.anchored_best_response,
            {"values": values, "reference": np.log(nominal), "kl_weight": np.ones(2)},
        ),
        "log_kl_divergence": (_core.log_kl_divergence, {"mixture": np.log(nominal), "other": np.log(nominal)}),
        "deviation_payoffs_of_logs": (_core.deviation_payoffs_of_logs, {"payoffs": payoffs, "mixtures": logs}),
        "contraction": (_core.contraction, {"payoffs": payoffs, "kl_weight": weight}),
        "is_zero_sum": (_core.is_zero_sum, {"payoffs": payoffs, "kl_weight": weight}),
        "nearest_potential": (_core.nearest_potential, {"payoffs": payoffs}),
        "concentrability": (
            _core.concentrability,
            {"reference": [np.full((2, 2), 0.5), nominal], "frequencies": np.full((2, 2, 3), 1 / 6)},
        ),
        "solve_risk_averse": (
            _core.solve_risk_averse,
            {**risky, "allowed": weight, **kinds, "initial": logs, "max_iterations": 5, "num_threads": 1},
        ),
        "risk_averse_figures": (_core.risk_averse_figures, {**risky, "mixtures": logs, **kinds}),
        "solve_action_risk": (
            _core.solve_action_risk,
            {
                **{"payoffs": payoffs, "temperature": np.ones(2), "risk_aversion": np.full(2, 0.1), "damping": 0.5},
                **{"tolerance": 1e-6, "max_iterations": 5, "num_threads": 1},
            },
        ),
        "entropic_certainty_equivalent": (_core.entropic_certainty_equivalent, {**rows, "risk_aversion": 0.5}),
        "DynamicsEnsemble": (in_ensemble, ensemble_arguments),
        "GameTree": (in_tree, tree_arguments),
        "GameTree.profile_values": (tree.profile_values, {"profile": np.array([0.5, 0.5, 1.0])}),
        "GameTree.best_response": (tree.best_response, {"profile": np.array([0.5, 0.5, 1.0]), "player": 0}),
        "GameTree.mixture_behavior": (
            tree.mixture_behavior,
            {"player": 0, "policies": np.array([[0.5, 0.5, 1.0]] * 2), "weights": np.array([0.5, 0.5])},
        ),
    }
    for name in ("contamination", "total_variation_ball", "kl_ball"):
        found[name] = (getattr(_core, name), {**rows, "radius": 0.1})
    for name in ("kl_penalized", "total_variation_penalized", "chi_squared_penalized"):
        found[name] = (getattr(_core, name), {**rows, "weight": 0.5})
    return found
