"""A call that works of each public function, for `test_front_door` to spoil."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import coffee_fast as cf
from coffee_fast import _core, evaluation, games, meta_solvers, plotting, regularized, reports, responses, sweeps

Call = tuple[Callable[..., Any], dict[str, Any]]


@functools.cache
def world() -> dict[str, Any]:
    """Return small things to call functions with."""
    game = cf.load_game("generalized_bargaining")
    dataset = cf.generate_dataset(game, num_trajectories=20, seed=1)
    sizes = {"num_members": 2, "hidden_sizes": (4,), "num_steps": 3, "num_reward_steps": 3}
    model = cf.DynamicsEnsemble.fit(dataset, cf.EnsembleConfig(**sizes), seed=0)
    oracle = {"hidden_sizes": (4,), "num_steps": 64, "replay_capacity": 64, "min_replay": 32, "batch_size": 8}
    ddqn = cf.DDQN(**oracle, epsilon_decay_steps=16, num_parallel_episodes=4)
    config = cf.PSROConfig(num_iterations=1, num_simulations=4, response=ddqn)
    result = cf.coffee_psro(model, config, seed=0)
    self_play = {"hidden_sizes": (4,), "num_updates": 2, "num_episodes": 4, "batch_size": 16, "num_snapshots": 1}
    self_play |= {"num_simulations": 4, "judge": ddqn}
    payoffs = np.array([[3.0, 0.0], [5.0, 1.0]])
    tree = cf.GameTree("openspiel:kuhn_poker")
    game_log = cf.generate_dataset(tree, num_trajectories=40)
    return {
        **{"tree": tree, "game_log": game_log, "log_tree": cf.GameTree.from_dataset(game_log)},
        **{"game": game, "dataset": dataset, "model": model, "oracle": oracle, "ddqn": ddqn, "config": config},
        **{"result": result, "solution": result.solve(), "sizes": sizes, "payoffs": payoffs},
        "profile": cf.mirror_descent(tree, num_iterations=5),
        "self_play": self_play,
        "table": cf.PayoffTable.symmetric(payoffs),
        "mixtures": [np.array([0.5, 0.5]), np.array([0.5, 0.5])],
        "log": {
            "state": np.array([0, 1, 0, 1]),
            "action": np.array([[0, 0], [0, 1], [1, 0], [1, 1]]),
            "reward": np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [2.0, 2.0]]),
            "trajectory": np.array([0, 0, 1, 1]),
        },
        "table_of_play": {
            "episode": [1, 1, 1, 2, 2, 2],
            "player": ["nature", "p", "q"] * 2,
            "action": ["h", "x", "y", "t", "y", "x"],
            "seen": [None, 1.0, 2.0, None, 0.0, 1.0],
            "paid_p": [0.0, 0.0, 1.0, 0.0, 1.0, 2.0],
            "paid_q": [0.0, 0.0, 0.0, 0.0, 0.0, 2.0],
        },
        "report": evaluation.RegretReport(
            *(np.zeros(2) for _ in range(6)), "strategy 0", np.zeros(1), ("strategy 0",), {}, 10, 0
        ),
    }


class Coin:
    """A simulator."""

    def reset(self, random: games.LaneRandom) -> np.ndarray:
        return random.uniform()

    def legal_actions(self, state: np.ndarray) -> np.ndarray:
        return np.ones((len(state), 2, 2), bool)

    def observe(self, state: np.ndarray) -> np.ndarray:
        return np.ones((len(state), 2, 1))

    def step(self, state: np.ndarray, actions: np.ndarray, random: games.LaneRandom) -> tuple[np.ndarray, ...]:
        return state, np.zeros((len(state), 2)), np.ones(len(state), bool)


def play_calls(w: dict[str, Any], folder: Path) -> dict[str, Call]:
    """Calls of games, policies, play and logs."""
    game, dataset, spec = w["game"], w["dataset"], w["game"].spec
    layers = ((np.zeros((4, 41), np.float32), np.zeros(4, np.float32)),)
    uniform = cf.UniformRandom()
    state = game.new_state(seed=1)
    spec_fields = {name: value for name, value in spec.to_json().items() if name not in ("state_swap", "state_flip")}
    rows = dict(dataset.arrays)
    coin = {"num_players": 2, "num_actions": 2, "action_vectors": np.eye(2), "state_size": 6, "observation_size": 1}
    coin_spec = cf.GameSpec("coin", **coin, history_start=1, max_episode_length=2, moves="simultaneous")
    numbers = np.zeros((3, 3), np.uint64)
    lanes_random = games.LaneRandom(numbers, _core.Purpose.chance, np.zeros(3, np.int64))
    return {
        "load_game": (cf.load_game, {"name": "generalized_bargaining", "discount": 0.9, "only_feasible_offers": True}),
        "register_game": (cf.register_game, {"name": "my own game", "factory": lambda: game}),
        "GameSpec": (cf.GameSpec, {**spec_fields, "state_swap": spec.state_swap, "state_flip": spec.state_flip}),
        "GameSpec.from_json": (cf.GameSpec.from_json, {"values": spec.to_json()}),
        "games.GeneralizedBargaining": (
            games.GeneralizedBargaining,
            {"discount": 0.9, "only_feasible_offers": False},
        ),
        "best_response": (
            cf.best_response,
            {
                "game": game,
                "against": "uniform_random",
                "player": 1,
                "seed": 0,
                "response": cf.DDQN(hidden_sizes=(8,), num_steps=200, replay_capacity=200, min_replay=100),
                "uncertainty_penalty": 0.5,
                "num_simulations": 20,
                "num_threads": 1,
                "progress": lambda *_: None,
            },
        ),
        "environments.Episodes": (cf.environments.Episodes, {"dynamics": game, "num_episodes": 3, "seed": 0}),
        "environments.Episodes.step": (
            lambda actions: cf.environments.Episodes(cf.GameTree("openspiel:kuhn_poker"), 2, 0).step(actions),
            {"actions": [0, 1]},
        ),
        "environments.Episodes.begin": (
            lambda which: cf.environments.Episodes(cf.GameTree("openspiel:kuhn_poker"), 2, 0).begin(which),
            {"which": [1]},
        ),
        "environments.from_pettingzoo": (
            cf.environments.from_pettingzoo,
            {"make": lambda: cf.environments.to_pettingzoo(game), "name": "there and back", "max_episode_length": 20},
        ),
        "environments.to_gymnasium": (
            cf.environments.to_gymnasium,
            {"game": game, "player": 1, "others": "uniform_random", "num_envs": 3},
        ),
        "environments.to_pettingzoo": (cf.environments.to_pettingzoo, {"game": game}),
        "games.save_efg": (games.save_efg, {"tree": cf.GameTree("openspiel:kuhn_poker"), "path": folder / "kuhn.efg"}),
        "games.from_simulator": (games.from_simulator, {"spec": coin_spec, "simulator": Coin()}),
        "games.LaneRandom.uniform": (lanes_random.uniform, {}),
        "games.LaneRandom.integers": (lanes_random.integers, {"bound": 6}),
        "games.new_state": (
            game.new_state,
            {"pool": (2, 2, 1), "valuations": state.valuations, "first_player": 0, "seed": 1},
        ),
        "games.State.apply_action": (game.new_state(seed=1).clone().apply_action, {"action": 0}),
        "games.State.action_to_string": (state.action_to_string, {"action": 0}),
        "games.State.observation": (state.observation, {"player": 0}),
        "games.State.information_state": (state.information_state, {"player": 0}),
        "games.Bridge.expected_return": (
            games.Bridge().expected_return,
            {"policies": [np.full((324, 5), 0.2)] * 2, "horizon": 2, "discount": 1.0},
        ),
        "games.Bridge.optimal_return": (games.Bridge().optimal_return, {"horizon": 2, "discount": 1.0}),
        "GameTree": (cf.GameTree, {"game": "openspiel:kuhn_poker", "max_nodes": 100}),
        "GameTree.from_dataset": (
            cf.GameTree.from_dataset,
            {"dataset": w["game_log"], "max_nodes": 100, "payoff_range": (-9, 9)},
        ),
        "GameTree.members": (w["log_tree"].members, {"num": 2, "seed": 0}),
        "GameTree.behavior": (w["tree"].behavior, {"player": 0, "strategy": "uniform_random"}),
        "NetworkPolicy": (cf.NetworkPolicy, {"layers": layers, "kind": "greedy", "temperature": 1.0}),
        "TablePolicy": (
            cf.TablePolicy,
            {"information_states": np.eye(2, dtype=np.float32), "action_probabilities": np.full((2, 4), 0.25)},
        ),
        "PerStepMixture": (cf.PerStepMixture, {"components": (uniform, uniform), "weights": (0.5, 0.5)}),
        "Mixture": (cf.Mixture, {"policies": (uniform, uniform), "probabilities": np.array([0.5, 0.5])}),
        "simulate": (
            cf.simulate,
            {
                **{"dynamics": game, "policies": ["uniform_random"] * 2, "num_episodes": 3, "seed": 0},
                **{"num_threads": 1, "record": True},
            },
        ),
        "generate_dataset": (
            cf.generate_dataset,
            {
                **{"game": game, "behavior": "uniform_random", "num_trajectories": 4, "seed": 0, "mirrored": True},
                **{"description": "play", "num_threads": 1},
            },
        ),
        "TrajectoryDataset": (
            cf.TrajectoryDataset,
            {
                **{"spec": spec, "arrays": rows, "behavior": "", "seed": 0, "is_mirrored": True},
                **{"num_independent_episodes": 10},
            },
        ),
        "GameSpec.from_log": (
            cf.GameSpec.from_log,
            {
                **{
                    "table": w["table_of_play"],
                    "columns": {"observation": "seen", "reward": "paid_"},
                    "chance": "nature",
                },
                **{"name": "a game", "roles": (1, 1), "player_names": ["p", "q"], "action_names": ["x", "y"]},
                **{"num_players": 2, "num_actions": 2, "action_vectors": np.eye(2), "max_episode_length": 9},
                **{"moves": "turns", "turn_order": "predicted", "rewards": "every_step", "public_moves": True},
                **{"num_chance_actions": 2, "chance_names": ["h", "t"], "chance_vectors": np.eye(2)},
                **{"is_symmetric": False, "role_names": ["a", "b"], "terminal_state_value": -9.0, "parameters": {}},
            },
        ),
        "GameSpec.from_log columns": (
            lambda **columns: cf.GameSpec.from_log(w["table_of_play"], columns=columns, chance="nature"),
            {
                **{"observation": "seen", "reward": "paid_", "episode": "episode", "player": "player"},
                **{"action": "action", "state": None, "step": None, "legal_mask": None, "truncated": None},
            },
        ),
        "GameSpec.from_log table": (
            lambda **table: cf.GameSpec.from_log(table, columns={"observation": "seen", "reward": "paid_"}),
            {
                **{"episode": np.array([1, 1, 1, 2, 2, 2]), "player": np.array([-1, 0, 1] * 2)},
                **{"action": np.array([0, 0, 1, 1, 1, 0]), "seen": np.array([0.0, 1.0, 2.0, 0.0, 0.0, 1.0])},
                **{"paid_p": np.array([0.0, 0.0, 1.0, 0.0, 1.0, 2.0]), "paid_q": np.array([0.0] * 5 + [2.0])},
            },
        ),
        "GameSpec.from_log experience": (
            lambda **arrays: cf.GameSpec.from_log(arrays),
            {
                **{"observations": np.arange(24.0).reshape(1, 6, 2, 2), "actions": np.arange(12).reshape(1, 6, 2) % 3},
                **{"rewards": np.ones((1, 6, 2)), "terminals": np.arange(12).reshape(1, 6, 2) % 6 > 3},
                **{"truncations": np.zeros((1, 6, 2)), "infos": {"state": np.ones((1, 6, 1))}},
            },
        ),
        "TrajectoryDataset.from_transitions": (
            cf.TrajectoryDataset.from_transitions,
            {
                **{"spec": None, "transitions": w["table_of_play"], "chance": "nature", "behavior": "play", "seed": 1},
                **{"columns": {"observation": "seen", "reward": "paid_"}, "num_independent_episodes": 2},
                "is_mirrored": False,
            },
        ),
        "TrajectoryDataset.to_frame": (dataset.to_frame, {"features": False}),
        "data.export_table": (
            cf.data.export_table,
            {"dataset": dataset, "path": folder / "table.csv", "features": False},
        ),
        "TrajectoryDataset.select": (dataset.select, {"trajectories": np.array([0, 1])}),
        "TrajectoryDataset.split": (dataset.split, {"fraction": 0.5, "seed": 0}),
        "TrajectoryDataset.save": (dataset.save, {"path": folder / "dataset"}),
        "TrajectoryDataset.load": (cf.TrajectoryDataset.load, {"path": folder / "nowhere"}),
        "clone_behavior": (
            cf.clone_behavior,
            {"dataset": dataset, "config": cf.BehaviorCloningConfig(num_steps=2, hidden_sizes=(4,)), "seed": 0}
            | {"seats": [0]},
        ),
        "behavior_frequencies": (cf.behavior_frequencies, {"dataset": dataset}),
        "clone_roles": (
            cf.clone_roles,
            {"dataset": dataset, "config": cf.BehaviorCloningConfig(num_steps=2, hidden_sizes=(4,)), "seed": 0},
        ),
        "BehaviorCloningConfig": (
            cf.BehaviorCloningConfig,
            {
                **{"hidden_sizes": (4,), "num_steps": 2, "batch_size": 4, "learning_rate": 1e-3},
                **{"holdout_fraction": 0.1},
            },
        ),
        "imitate_behavior": (
            cf.imitate_behavior,
            {"dataset": dataset, "config": cf.SoftImitationConfig(num_steps=2, hidden_sizes=(4,)), "seed": 0},
        ),
        "SoftImitationConfig": (
            cf.SoftImitationConfig,
            {
                **{"divergence": "kl", "temperature": 0.2, "discount": 0.9, "hidden_sizes": (4,), "num_steps": 2},
                **{"batch_size": 4, "learning_rate": 1e-3, "holdout_fraction": 0.1},
            },
        ),
        "EnsembleConfig": (
            cf.EnsembleConfig,
            {
                **w["sizes"],
                **{"batch_size": 8, "learning_rate": 1e-3, "holdout_fraction": 0.1, "same_batches": True},
                **{"normalization": "scalar", "terminal_threshold": 0.5, "disagreement": "range_max"},
                **{"history_source": "actions", "ends": "auto"},
            },
        ),
        "DynamicsEnsemble.fit": (
            cf.DynamicsEnsemble.fit,
            {
                **{"dataset": dataset, "config": cf.EnsembleConfig(**w["sizes"]), "seed": 0, "num_threads": 1},
                "progress": None,
            },
        ),
        "DynamicsEnsemble.layers": (w["model"].layers, {"network": "reward.0"}),
        "DynamicsEnsemble.save": (w["model"].save, {"path": folder / "model"}),
        "DynamicsEnsemble.load": (cf.DynamicsEnsemble.load, {"path": folder / "nowhere"}),
    }


def table_calls(w: dict[str, Any], folder: Path) -> dict[str, Call]:
    """Calls of payoff tables and the solvers on them."""
    table, payoffs, mixtures = w["table"], w["payoffs"], w["mixtures"]
    game = cf.EmpiricalGame(1)
    game.add_strategies(2)
    recorded = {"profiles": [[0, 1]], "counts": [2], "sums": [[[6.0], [2.0]]], "sums_of_squares": [[[20.0], [4.0]]]}
    names = "expected_payoffs deviation_payoffs optimistic_payoffs pessimistic_payoffs regret pessimistic_regret"
    options = {"step_size": 1e-3, "max_iterations": 5, "min_probability": 1e-6}
    solvers: dict[str, dict[str, Any]] = {
        "Replicator": {**options, "regret_threshold": 0.1},
        "RobustReplicator": {**options, "regret_threshold": 0.1},
        "ProjectedReplicator": options,
        "AnnealedReplicator": {
            **{"is_robust": False, "initial_regret_threshold": 5.0, "final_regret_threshold": 1e-5},
            **{"num_anneal_steps": 20, **options},
        },
        "Nash": {},
        "CorrelatedEquilibrium": {"coarse": False, "objective": "entropy"},
        "GANE": {"kl_weight": 0.1, "risk_aversion": 0.0, "tolerance": 1e-6, "max_iterations": 5},
        "GAMD": {"kl_weight": 0.1, "num_iterations": 5, "last_iterate": False, "risk_aversion": 0.0, "tolerance": 0.0},
        "LogitQRE": {"temperature": 0.1},
        "RQE": {
            **{"temperature": 1.0, "risk_aversion": 0.1, "divergence": "kl", "regularizer": "entropy"},
            **{"environment_risk_aversion": 0.0, "tolerance": 1e-6, "max_iterations": 5},
        },
    }
    return {
        "PayoffTable": (cf.PayoffTable, {"arrays": (payoffs[None], payoffs.T[None].copy()), "is_symmetric": True}),
        "PayoffTable.symmetric": (
            cf.PayoffTable.symmetric,
            {"payoffs": payoffs, "strategy_names": ["u", "d"], "player_names": ["A", "B"]},
        ),
        "PayoffTable.from_arrays": (
            cf.PayoffTable.from_arrays,
            {"payoffs": [payoffs, payoffs], "strategy_names": [["u", "d"], ["l", "r"]], "player_names": ["A", "B"]},
        ),
        "PayoffTable.member": (table.member, {"index": 0}),
        "PayoffTable.payoffs": (table.payoffs, {"player": 0}),
        **{f"PayoffTable.{name}": (getattr(table, name), {"mixtures": mixtures}) for name in names.split()},
        "load_payoffs": (cf.load_payoffs, {"path": folder / "nowhere.csv"}),
        "save_payoffs": (cf.save_payoffs, {"table": table, "path": folder / "payoffs.nfg"}),
        "EmpiricalGame": (cf.EmpiricalGame, {"num_members": 2}),
        "EmpiricalGame.add_strategies": (cf.EmpiricalGame(1).add_strategies, {"count": 1}),
        "EmpiricalGame.record": (game.record, recorded),
        "EmpiricalGame.disagreement": (game.disagreement, {"strategies": [0, 1]}),
        "EmpiricalGame.from_arrays": (cf.EmpiricalGame.from_arrays, {"arrays": game.to_arrays()}),
        **{f"meta_solvers.{name}": (getattr(meta_solvers, name), given) for name, given in solvers.items()},
        **{
            f"meta_solvers.{name}.solve": (
                getattr(meta_solvers, name)(**given).solve,
                {"table": table},
            )
            for name, given in solvers.items()
        },
        "meta_solvers.Uniform.solve": (meta_solvers.Uniform().solve, {"table": table}),
        "meta_solvers.register_solver": (meta_solvers.register_solver, {"solver": meta_solvers.Nash}),
        "meta_solvers.from_config": (meta_solvers.from_config, {"config": {"kind": "replicator", "step_size": 0.1}}),
        "Solution.extract": (
            cf.Solution.extract,
            {"policies": w["solution"].policies, "table": w["solution"].table, "solver": meta_solvers.Uniform()},
        ),
        "Solution.save": (w["solution"].save, {"path": folder / "solution"}),
        "Solution.load": (cf.Solution.load, {"path": folder / "nowhere"}),
        "Solution.support": (w["solution"].support, {"min_probability": 0.01}),
    }


def tabular_calls(w: dict[str, Any], folder: Path) -> dict[str, Call]:
    """Calls of games and logs in tables."""
    log, table, payoffs = w["log"], w["table"], w["payoffs"]
    game = cf.TabularGame.from_dataset(log)
    rewards = np.zeros((2, 1, 1, 2, 2))
    common = regularized.CommonPayoffGame.from_arrays(payoffs)
    seen_by_all = {name: log[name] for name in ("action", "reward", "trajectory")} | {"observation": np.eye(4)}
    networks_of = {"hidden_sizes": (4,), "num_iterations": 2, "num_steps": 2, "batch_size": 4, "learning_rate": 0.01}
    networks_of |= {"tolerance": 0.1, "seed": 0, "progress": lambda *_: None}
    answered = regularized.network_rpq(seen_by_all, **networks_of)
    sweeps_of = {"num_sweeps": 2, "batch_size": 2, "learning_rate": 0.1, "floor": 1e-6, "seed": 0}
    features = regularized.one_hot_features(2, (2, 2))
    solvers = {
        "gane": {"kl_weight": 0.1, "method": "auto", "tolerance": 1e-6, "max_iterations": 5},
        "gamd": {"kl_weight": 0.1, "num_iterations": 5, "last_iterate": False, "tolerance": 0.0},
    }
    moves_on = cf.TabularGame(rewards, np.ones((1, 1, 2, 2, 1)))
    feared = {"distance": "total_variation", "radius": 0.1}
    anchored = {"reference": None, "risk_aversion": 0.0, "smoothing": 1.0, "unseen_value": 0.0}
    return {
        "TabularGame": (
            cf.TabularGame,
            {
                **{"rewards": rewards, "transitions": None, "initial": np.ones(1), "legal": None, "counts": None},
                **{"reward_variance": None, "state_keys": None},
            },
        ),
        "TabularGame.from_dataset": (
            cf.TabularGame.from_dataset,
            {"dataset": log, "state_key": None, "num_actions": (2, 2), "num_states": 2},
        ),
        "TabularGame.from_model": (
            cf.TabularGame.from_model,
            {
                **{"model": lambda step, state, actions: (np.zeros(2), np.ones(1)), "horizon": 1},
                **{"num_actions": (2, 2), "initial": (1.0,), "legal": None},
            },
        ),
        **{
            f"regularized.{name} of a {kind}": (getattr(regularized, name), {"game": of, **given, **anchored})
            for name, given in solvers.items()
            for kind, of in (("table", table), ("log", log), ("game", game))
        },
        "regularized.rqe": (
            regularized.rqe,
            {
                **{"game": table, "temperature": 1.0, "risk_aversion": 0.1, "divergence": "kl", "initial": None},
                **{"regularizer": "entropy", "environment_risk_aversion": 0.0, "environment_radius": 0.0},
                **{"unseen_value": None, "discount": None, "tolerance": 1e-6, "max_iterations": 5},
            },
        ),
        "regularized.rqe_actor_critic": (
            regularized.rqe_actor_critic,
            {
                **{"game": table, "temperature": 1.0, "risk_aversion": 1.0, "regularizer": "entropy", "initial": None},
                **{"unseen_value": None, "discount": None, "actor_step": 0.1, "critic_step": 0.1, "is_sampled": False},
                **{"tolerance": 1e-6, "max_iterations": 5, "seed": 0},
            },
        ),
        "regularized.srpo": (
            regularized.srpo,
            {
                **{"game": table, "temperature": 1.0, "risk_aversion": 1.0, "initial": None, "unseen_value": None},
                **{"discount": None, "step_size": 0.1, "tolerance": 1e-6, "max_iterations": 5},
            },
        ),
        "regularized.optimistic_rqre": (
            regularized.optimistic_rqre,
            {
                **{"game": cf.TabularGame(rewards), "features": None, "temperature": 1.0, "risk_aversion": 0.1},
                **{"num_episodes": 4, "episodes_per_update": 2, "ridge": 1.0, "bonus": 0.1, "reward_bound": 5.0},
                **{"tolerance": 0.0, "seed": 0},
            },
        ),
        "regularized.rqre": (
            regularized.rqre,
            {
                **{"log": log, "features": features, "num_actions": (2, 2), "temperature": 1.0, "risk_aversion": 0.1},
                **{"ridge": 1.0, "bonus": 0.0, "reward_bound": 5.0, "damping": 0.5, "tolerance": 1e-6},
                "max_iterations": 5,
            },
        ),
        "regularized.qrpo": (
            regularized.qrpo,
            {
                **{"log": log, "kl_weight": 0.1, "reference": "behavior", "discount": 0.9, "num_actions": (2, 2)},
                "is_fully_observed": False,
            },
        ),
        "regularized.mafis": (
            regularized.mafis,
            {
                **{"log": log, "divergence": "kl", "temperature": 0.2, "discount": 0.9, "smoothing": 1.0},
                **{"tolerance": 1e-3, "max_iterations": 20},
            },
        ),
        "regularized.recover_payoffs": (
            regularized.recover_payoffs,
            {
                "leader": np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5], [0.3, 0.7], [0.5, 0.5]]),
                "learner": np.array([[0.5, 0.5], [0.6, 0.4], [0.5, 0.5], [0.5, 0.5], [0.4, 0.6]]),
                **{"learning_rate": 0.1, "confidence": 0.9},
            },
        ),
        "regularized.commit": (
            regularized.commit,
            {"payoffs": payoffs, "learner_payoffs": payoffs.T.copy(), "margin": 0.1, "radius": 0.0},
        ),
        "regularized.smoothed_best_response": (
            regularized.smoothed_best_response,
            {
                **{"game": table, "temperature": 1.0, "num_episodes": 5, "num_epochs": 1, "step_size": 1.0},
                **{"step_offset": 2.0, "policy_rate": 0.5, "fixed": [None, [0.5, 0.5]], "unseen_value": 0.0},
                **{"tolerance": 0.1, "seed": 0},
            },
        ),
        "regularized.from_config": (regularized.from_config, {"config": {"kind": "gane", "kl_weight": 0.5}}),
        "regularized.one_hot_features": (
            regularized.one_hot_features,
            {"num_states": 2, "num_actions": (2, 2)},
        ),
        "regularized.robust_expectation": (
            regularized.robust_expectation,
            {"values": np.array([1.0, 2.0]), "nominal": np.array([0.5, 0.5]), "distance": "kl", "radius": 0.1},
        ),
        "regularized.robust_nash": (
            regularized.robust_nash,
            {"game": game, **feared, "weight": None, "unseen_value": 0.0, "tolerance": 1e-6},
        ),
        "regularized.robust_q_ftrl": (
            regularized.robust_q_ftrl,
            {"game": game, **feared, "weight": None, "unseen_value": 0.0, "num_iterations": 5, "tolerance": 0.1},
        ),
        "regularized.rpq": (
            regularized.rpq,
            {
                **{"game": moves_on, "distance": "kl", "weight": 1.0, "opponents": [[0.5, 0.5], [0.5, 0.5]]},
                **{"has_fail_state": False, "unseen_value": 0.0, "discount": 0.5, "tolerance": 1e-6},
            },
        ),
        "regularized.network_rpq": (
            regularized.network_rpq,
            {
                **{"log": seen_by_all, "player": 0, "distance": "kl", "weight": 1.0, "has_fail_state": False},
                **{"discount": 0.9, **networks_of},
            },
        ),
        "regularized.particle_best_response_flow": (
            regularized.particle_best_response_flow,
            {
                **{"gradient": lambda player, own, particles: -own, "reference_mean": [[0.0], [0.0, 1.0]]},
                **{"reference_deviation": 1.0, "temperature": 1.0, "rate": 0.5, "num_iterations": 2},
                **{"num_particles": 4, "inner_step": 0.1, "num_inner_steps": 2, "tolerance": 0.1, "seed": 0},
            },
        ),
        "regularized.save_answer": (regularized.save_answer, {"answer": answered, "folder": folder / "answer"}),
        "regularized.load_answer": (regularized.load_answer, {"folder": folder / "no answer"}),
        "regularized.hytq": (
            regularized.hytq,
            {
                **{"log": w["dataset"], "dynamics": w["game"], "player": 0, "against": "uniform_random", "weight": 1.0},
                **{"num_rounds": 1, "num_episodes": 4, "exploration": 0.1, "discount": 0.9, **networks_of},
            },
        ),
        "regularized.robust_qmix": (
            regularized.robust_qmix,
            {
                **{"log": seen_by_all, "mixer": "monotone", **feared, "weight": None, "has_fail_state": True},
                **{"discount": 0.9, "mixer_size": 4, **networks_of},
            },
        ),
        "regularized.robust_vdn": (
            regularized.robust_vdn,
            {
                **{"game": moves_on, **feared, "weight": None, "has_fail_state": True, "unseen_value": 0.0},
                **{"discount": 0.5, "tolerance": 1e-6},
            },
        ),
        "regularized.clone_independently": (regularized.clone_independently, {"game": log}),
        "regularized.clone_jointly": (regularized.clone_jointly, {"game": log}),
        "regularized.alberdice": (
            regularized.alberdice,
            {
                **{"game": log, "kl_weight": 0.1, "discount": 0.9, "end_share": 0.1, "perturbation": 1e-3},
                **{"has_random_order": False, "seed": 0, "tolerance": 1e-6, "max_iterations": 5},
            },
        ),
        "regularized.inspo": (
            regularized.inspo,
            {
                **{"game": common, "kl_weight": 0.1, "entropy_weight": 0.1, "discount": None, "perturbation": 1e-3},
                **{"has_random_order": False, "seed": 0, "tolerance": 1e-6, "max_iterations": 5},
            },
        ),
        "regularized.sampled_inspo": (
            regularized.sampled_inspo,
            {"log": log, "kl_weight": 0.1, "entropy_weight": 0.1, "discount": 0.9, "num_actions": (2, 2), **sweeps_of},
        ),
        "regularized.sampled_alberdice": (
            regularized.sampled_alberdice,
            {
                **{"log": log, "kl_weight": 0.1, "discount": 0.9, "num_actions": (2, 2), **sweeps_of},
                **{"value_rate": 0.02, "conservatism": 0.1, "end_share": 0.1},
            },
        ),
        "regularized.CommonPayoffGame.from_arrays": (
            regularized.CommonPayoffGame.from_arrays,
            {
                **{"rewards": payoffs, "behavior": np.full((2, 2), 0.25), "transitions": None, "initial": None},
                **{"discount": 0.9, "floor": 1e-8},
            },
        ),
        "regularized.CommonPayoffGame.from_log": (
            regularized.CommonPayoffGame.from_log,
            {"log": log, "discount": 0.9, "num_actions": (2, 2), "floor": 1e-8},
        ),
    }


def run_calls(w: dict[str, Any], folder: Path) -> dict[str, Call]:
    """Calls of the loop and of what judges and shows its results."""
    model, config, game, result, solution = w["model"], w["config"], w["game"], w["result"], w["solution"]
    run = {"config": config, "seed": 0, "run_dir": None, "resume": False, "num_threads": 1, "progress": None}
    curve = plotting.Curve(np.arange(3.0), np.zeros(3), np.zeros(3), np.ones(3))
    rows, matrix = np.linspace(0.0, 1.0, 3), np.zeros((3, 2))
    history = {"returns": matrix, "disagreement": rows, "entropy": matrix, "kl": matrix, "kl_weight": rows}
    history |= {"snapshot_update": rows[:2], "snapshot_chosen": rows[:2]}
    history |= dict.fromkeys(("snapshot_model_regret", "snapshot_pessimistic_regret"), matrix[:2])
    points = plotting.Points("a", "x", "y", {"g": (np.zeros(2), np.ones(2))})
    judged = {"num_simulations": 4, "num_threads": 1}
    oracle = {
        **w["oracle"],
        **{"learning_rate": 1e-3, "discount": 0.9, "target_period": 10, "learn_period": 2, "epsilon_start": 1.0},
        **{"epsilon_end": 0.1, "epsilon_decay_steps": 16, "num_parallel_episodes": 4, "init": "torch"},
    }
    played = {**run, "config": cf.SelfPlayConfig(**w["self_play"])}
    layers = ((np.zeros((109, 41), np.float32), np.zeros(109, np.float32)),)
    cloned = {"config": cf.SelfPlayConfig(**w["self_play"], reference="cloned"), "seed": 0}
    cloned |= {"reference": cf.NetworkPolicy(layers, kind="softmax")}
    updates = {
        **{"hidden_sizes": (4,), "num_updates": 2, "num_episodes": 8, "num_parallel_episodes": 4, "batch_size": 8},
        **{"num_epochs": 1, "update": "clipped", "clip": 0.2, "step_size": 1.0, "gae_lambda": 0.9, "averaging": 0.5},
        **{"learning_rate": 1e-3, "learning_rate_end": 1e-4, "kl_weight": 0.1, "kl_weight_end": 0.1},
        "play": "softmax",
    }
    of_rounds = {
        **{"distance": "kl", "weight": 1.0, "has_fail_state": False, "num_rounds": 1, "num_episodes": 4},
        **{"exploration": 0.1, "discount": 0.9, "hidden_sizes": (4,), "num_iterations": 1, "num_steps": 2},
        **{"batch_size": 4, "learning_rate": 0.01, "tolerance": 0.1},
    }
    solvers = {"meta_solver": meta_solvers.Uniform(), "response": w["ddqn"]}
    small = {"num_profiles": 1, "num_iterations": 1, "num_simulations": 4, **solvers}
    asked = {
        **{"dynamics": model, "opponents": solution.mixture, "objective": responses.ResponseObjective(0.0, 0.0)},
        **{"seed": 0, "reward_scale": 1.0, "player": 0, "progress": None},
    }
    pair = {"first": np.arange(5.0), "second": np.arange(5.0) + 1.0}
    return {
        "ConservativeObjective": (
            cf.ConservativeObjective,
            {"uncertainty_penalty": 1.0, "coverage_weight": 0.1, "anneal_iterations": 3},
        ),
        "ConservativeObjective.at": (cf.ConservativeObjective().at, {"iteration": 1}),
        "DDQN": (cf.DDQN, oracle),
        "DDQNTorch": (cf.DDQNTorch, {**oracle, "device": "cpu"}),
        "PolicyGradient": (cf.PolicyGradient, updates),
        "responses.RPQ": (responses.RPQ, of_rounds),
        "responses.RPQ.respond": (responses.RPQ(**of_rounds).respond, asked),
        "DDQN.respond": (w["ddqn"].respond, asked),
        "PolicyGradient.respond": (cf.PolicyGradient(**updates).respond, asked),
        "PSROConfig": (
            cf.PSROConfig,
            {"num_iterations": 1, "num_simulations": 4, "objective": cf.ConservativeObjective(), **solvers},
        ),
        "PSROConfig.from_json": (cf.PSROConfig.from_json, {"values": config.to_json()}),
        "EquilibriumConfig": (cf.EquilibriumConfig, small),
        "equilibrium_profiles": (
            cf.equilibrium_profiles,
            {
                **{"game": game, "config": cf.EquilibriumConfig(**small), "seed": 0, "cache_dir": None},
                **{"num_threads": 1, "progress": None},
            },
        ),
        "coffee_psro": (cf.coffee_psro, {"model": model, **run, "start": [solution.policies[:1]]}),
        "SelfPlayConfig": (
            cf.SelfPlayConfig,
            {
                **{**w["self_play"], "num_parallel_episodes": 4, "num_epochs": 1, "update": "clipped", "clip": 0.2},
                **{"step_size": 1.0, "gae_lambda": 0.9, "learning_rate": 1e-3, "learning_rate_end": 1e-4},
                **{"kl_weight": 0.3, "kl_weight_end": 0.1, "kl_in_rewards": True, "reference": "uniform"},
                **{"uncertainty_penalty": 1.0, "coverage_weight": 0.1, "averaging": 0.5},
            },
        ),
        "SelfPlayConfig.from_json": (cf.SelfPlayConfig.from_json, {"values": cf.SelfPlayConfig().to_json()}),
        "SelfPlayConfig.kl_weight_at": (cf.SelfPlayConfig().kl_weight_at, {"update": 3}),
        "anchored_self_play": (cf.anchored_self_play, {"model": model, **played, "reference": None}),
        "anchored_self_play near a policy": (cf.anchored_self_play, {"model": model, **cloned}),
        "self_play_snapshots": (cf.self_play_snapshots, {"model": model, **played, "reference": None}),
        "oef": (cf.oef, {"model": model, **run}),
        "oef_bc": (
            cf.oef_bc,
            {
                **{"result": result, "model": model, "cloned_policy": cf.UniformRandom(), "weight": 0.5},
                **{"run_dir": None, "resume": False, "num_threads": 1, "progress": None},
            },
        ),
        "online_psro": (cf.online_psro, {"game": game, **run}),
        "PSROResult.solve": (result.solve, {"solver": meta_solvers.Uniform()}),
        "PSROResult.solution_at": (result.solution_at, {"iteration": 0, "solver": meta_solvers.Uniform()}),
        "true_regret": (
            cf.true_regret,
            {
                **{"game": game, "solution": solution, "seed": 0, "response": w["ddqn"], **judged, "cache_dir": None},
                "progress": None,
            },
        ),
        "exact_regret": (cf.exact_regret, {"game": w["tree"], "policies": ["uniform_random"] * 2}),
        "regret_from_log": (
            cf.regret_from_log,
            {"log": w["log_tree"], "policies": ["uniform_random"] * 2, "seed": 0, "num_members": 2},
        ),
        "mirror_descent": (
            cf.mirror_descent,
            {
                **{"game": w["tree"], "reference": "uniform", "kl_weight": 1.0, "final_kl_weight": 0.1},
                **{"step_size": 0.5, "reference_period": 2, "num_iterations": 5, "kl_in_rewards": True},
                **{"averaging": False, "tolerance": 1e-10, "num_evaluations": 2},
            },
        ),
        "mirror_descent of a log": (
            cf.mirror_descent,
            {"game": w["log_tree"], "reference": [cf.UniformRandom()] * 2, "uncertainty_penalty": 1.0},
        ),
        "AnchoredProfile.save": (w["profile"].save, {"path": folder / "profile", "overwrite": False}),
        "AnchoredProfile.load": (regularized.AnchoredProfile.load, {"path": folder / "nowhere"}),
        "exact_regret of a log": (cf.exact_regret, {"game": w["log_tree"], "policies": ["uniform_random"] * 2}),
        "exact_regret of one strategy": (cf.exact_regret, {"game": w["tree"], "policies": cf.UniformRandom()}),
        "evaluation.regret_by_iteration": (
            evaluation.regret_by_iteration,
            {
                **{"game": game, "result": result, "seed": 0, "every": 1, "solver": meta_solvers.Uniform()},
                **{"response": w["ddqn"], **judged, "cache_dir": None},
            },
        ),
        "evaluation.fidelity": (
            evaluation.fidelity,
            {"game": game, "result": result, "seed": 0, "model": model, **judged},
        ),
        "evaluation.play_near_log": (
            evaluation.play_near_log,
            {
                **{"game": game, "dataset": w["dataset"], "solution": solution, "seed": 0},
                **{"num_episodes": 4, "num_threads": 1},
            },
        ),
        "evaluation.combined_game": (
            evaluation.combined_game,
            {"game": game, "solutions": [solution], "seed": 0, "response": w["ddqn"], **judged, "cache_dir": None},
        ),
        "evaluation.bootstrap_interval": (
            evaluation.bootstrap_interval,
            {
                **{"values": np.arange(5.0), "confidence": 0.9, "method": "percentile", "num_resamples": 99},
                "seed": 0,
            },
        ),
        "evaluation.summarize": (evaluation.summarize, {"values": np.arange(5.0), "confidence": 0.9, "seed": 0}),
        "evaluation.compare": (
            evaluation.compare,
            {"results": pair, "reference": "first", "alternative": "less", "seed": 0},
        ),
        "RunConfig": (
            cf.RunConfig,
            {
                **{"algorithm": "self_play_psro", "psro": config, "cloning_weights": (0.1,), "seed": 0},
                "self_play": cf.SelfPlayConfig(**w["self_play"]),
            },
        ),
        "EnsembleConfig.preset": (cf.EnsembleConfig.preset, {"name": "best"}),
        "RunConfig.preset": (cf.RunConfig.preset, {"name": "quick"}),
        "RunConfig.from_json": (cf.RunConfig.from_json, {"values": cf.RunConfig().to_json()}),
        "RunConfig.with_overrides": (cf.RunConfig().with_overrides, {"overrides": ["seed=3"]}),
        "RunConfig.with_toml": (cf.RunConfig().with_toml, {"path": folder / "nowhere.toml"}),
        "run_pipeline": (
            cf.run_pipeline,
            # A configuration that asks for nothing that is there: what is spoiled besides is looked at first or last.
            {
                **{"config": cf.RunConfig(), "run_dir": folder / "run", "dataset": folder / "nowhere", "resume": False},
                **{"cache_dir": None, "num_threads": 1, "progress": None},
            },
        ),
        "trackers.tracked_by": (lambda callback: cf.trackers.tracked_by(callback), {"callback": lambda *_: None}),
        "list_runs": (cf.list_runs, {"folder": folder}),
        "rewrite_report": (cf.rewrite_report, {"run_dir": folder / "nowhere"}),
        "report_sweep": (cf.report_sweep, {"sweep_dir": folder / "nowhere", "out": folder / "out", "num_last": 5}),
        "reports.read_results": (reports.read_results, {"sweep_dir": folder / "nowhere"}),
        "sweeps.SweepPlan.from_mapping": (
            sweeps.SweepPlan.from_mapping,
            {"values": {"name": "a", "preset": "quick", "seeds": 2}},
        ),
        "sweeps.SweepPlan.read": (sweeps.SweepPlan.read, {"path": folder / "nowhere.toml"}),
        "sweeps.run_sweep": (
            sweeps.run_sweep,
            {
                **{"plan": folder / "nowhere.toml", "sweep_dir": folder / "sweep", "num_workers": 1, "retries": 1},
                **{"threads_per_run": 1, "keep_going": False, "engine": "local", "address": None},
            },
        ),
        "sweeps.states": (
            sweeps.states,
            {
                "plan": sweeps.SweepPlan.from_mapping({"name": "a", "preset": "quick", "seeds": 1}),
                "sweep_dir": folder / "sweep",
            },
        ),
        "plotting.regret_curve": (plotting.regret_curve, {"result": {0: w["report"]}, "true_regret": None}),
        "plotting.regret_curve of a run": (
            plotting.regret_curve,
            {"result": result, "true_regret": {0: w["report"]}},
        ),
        "plotting.payoff_table": (plotting.payoff_table, {"table": solution.table, "solution": solution, "player": 1}),
        "plotting.mixtures": (plotting.mixtures, {"solution": solution}),
        "plotting.self_play": (plotting.self_play, {"history": history, "names": ["buyer"]}),
        "plotting.self_play figures": (lambda **given: plotting.self_play(history | given), dict(history)),
        "plotting.disagreement_vs_utility_error": (
            plotting.disagreement_vs_utility_error,
            {"fidelity": evaluation.fidelity(game, result, 0, num_simulations=4)},
        ),
        "plotting.Curve": (
            plotting.Curve,
            {"iterations": np.arange(3.0), "mean": np.zeros(3), "low": np.zeros(3), "high": np.ones(3)},
        ),
        "plotting.Points": (
            plotting.Points,
            {"title": "a", "x_label": "x", "y_label": "y", "groups": points.groups, "note": ""},
        ),
        "plotting.curves": (
            plotting.curves,
            {"panels": {"a": {"b": curve}}, "y_label": "y", "x_label": "x", "num_columns": 3},
        ),
        "plotting.scatters": (plotting.scatters, {"panels": [points]}),
        "plotting.text_table": (
            plotting.text_table,
            {"header": ["a", "b"], "rows": [["1", "2"]], "title": "t", "rules": [1]},
        ),
    }


def team_calls(w: dict[str, Any], folder: Path) -> dict[str, Call]:
    """Calls of teammates that learn from a log."""
    log = cf.generate_dataset(cf.load_game("openspiel:tiny_hanabi"), num_trajectories=20, seed=0)
    sizes = {"hidden_sizes": (4,), "num_sweeps": 1, "num_value_steps": 1, "num_policy_steps": 1, "batch_size": 4}
    sizes |= {"num_cloning_steps": 1, "num_judging_steps": 1, "learning_rate": 1e-3}
    fields = {**sizes, "kl_weight": (1.0, 0.1), "discount": 0.9, "support": 0.1, "holdout_fraction": 0.2}
    team = cf.learn_team(log, cf.InSPOConfig(**sizes), seed=0)
    return {
        "learn_team": (
            cf.learn_team,
            {"dataset": log, "config": cf.InSPOConfig(**sizes), "seed": 0, "progress": lambda *_: None},
        ),
        "InSPOConfig": (cf.InSPOConfig, {**fields, "entropy_weight": (1.0, 0.0)}),
        "AlberDICEConfig": (cf.AlberDICEConfig, {**fields, "end_share": 0.1}),
        "teams.from_config": (cf.teams.from_config, {"config": {"kind": "inspo", "num_sweeps": 3}}),
        "teams.TeamConfig": (cf.teams.TeamConfig, fields),
        "TeamPolicies.player": (team.player, {"seat": 1, "seed": 0}),
        "TeamPolicies.save": (team.save, {"path": folder / "team", "overwrite": True}),
        "TeamPolicies.load": (cf.TeamPolicies.load, {"path": folder / "no team"}),
    }


MAKERS = (play_calls, table_calls, tabular_calls, run_calls, team_calls)


@functools.cache
def calls() -> dict[str, Call]:
    """Return every call that works, by the name of what is called."""
    folder = Path(tempfile.mkdtemp())
    found: dict[str, Call] = {}
    for make in MAKERS:
        found |= make(world(), folder)
    return found
