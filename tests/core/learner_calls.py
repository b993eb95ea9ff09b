"""Calls of what keeps a state in the compiled module: games under way, learners, models; a fresh one for each call."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
from tests.core import core_calls
from tests.core.core_calls import Call
from tests.parity.test_dynamics_ensemble import DRAWN, make_known_model, make_model

from coffee_fast import _core

NUM_ACTIONS, NUM_FEATURES = 3, 1  # of the simulator below


class CoinToss:
    """Lanes of two moves each, as `PythonDynamics` asks for them."""

    def __init__(self, capacity: int) -> None:
        self.times = np.zeros(capacity, np.int64)

    def reset(self, lanes: Any, keys: Any) -> None:
        self.times[lanes] = 0

    def players_to_act(self, lanes: Any) -> Any:
        return (self.times[lanes] % 2).astype(np.int32)

    def legal_masks(self, lanes: Any) -> Any:
        return np.ones((len(lanes), NUM_ACTIONS), np.uint8)

    def information_states(self, lanes: Any) -> Any:
        return self.times[lanes, None].astype(np.float32)

    def observations(self, lanes: Any) -> Any:
        return np.zeros((len(lanes), 2 * NUM_FEATURES), np.float32)

    def states(self, lanes: Any) -> Any:
        return np.zeros((len(lanes), 2), np.float32)

    def step(self, lanes: Any, actions: Any) -> tuple[Any, Any]:
        self.times[lanes] += 1
        over = (self.times[lanes] == 2).astype(np.uint8)
        return over[:, None] * np.array([[1.0, -1.0]]), over


@functools.cache
def models() -> tuple[Any, Any]:
    """Return a model that knows much of its game, and one that predicts all."""
    spec = DRAWN["moves at once and chance"]
    return make_known_model(spec).core, make_model(spec).core


def all_calls() -> dict[str, Call]:
    """Return a call of everything bound that takes arguments."""
    return core_calls.calls() | calls()


def calls() -> dict[str, Call]:
    """Return calls by the names of what is called; each is deterministic and changes nothing outside."""
    rng = np.random.default_rng(1)

    def f32(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    def layers(*sizes: int) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(f32(o, i), f32(o)) for i, o in itertools.pairwise(sizes)]

    # ---- things to call
    sizes = {
        **{"num_players": 2, "num_actions": NUM_ACTIONS, "num_chance_outcomes": 0, "state_size": 2},
        **{"observation_size": NUM_FEATURES, "information_state_size": NUM_FEATURES, "max_episode_length": 2},
    }
    toss = _core.PythonDynamics(CoinToss, **sizes)
    bargaining = _core.GeneralizedBargaining()
    uniform = _core.Policy.uniform_random()
    opponents = [([uniform], [1.0])] * 2
    q_layers = layers(NUM_FEATURES, 4, NUM_ACTIONS)
    network = _core.Mlp(q_layers)
    state, masks = f32(4, NUM_FEATURES), np.ones((4, NUM_ACTIONS), np.uint8)

    def chosen(policy: Any) -> Any:
        return _core.choose_actions(policy, state, masks, 1)

    def actor() -> Any:
        made = _core.Actor(toss, opponents, seed=1, num_parallel_episodes=2, replay_capacity=8)
        for _ in range(4):
            made.advance(network)
        return made

    def q_network() -> Any:
        return _core.QNetwork(q_layers, q_layers)

    def q_learner(**arguments: Any) -> Any:
        learner = _core.QLearner(actor(), q_network(), **arguments)
        learner.run(8)
        return learner.take_mean_loss()

    learner_options = {"batch_size": 4, "min_replay": 4, "learn_period": 1, "target_period": 4, "reward_scale": 1.0}
    policy_options = {
        **{
            "policies": [q_layers],
            "values": [layers(NUM_FEATURES, 4, 1)],
            "learning_seats": [[(0, 0, None), (1, 0, None)]],
        },
        **{"opponents": opponents, "references": [uniform], "seed": 7, "num_episodes": 4, "num_parallel_episodes": 2},
        **{"batch_size": 4, "num_epochs": 2, "update": "clipped", "clip": 0.2, "step_size": 1.0, "gae_lambda": 1.0},
        **{"kl_in_rewards": False, "uncertainty_penalty": 0.0, "coverage_weight": 0.1, "reward_scale": 1.0},
        "averaging": 0.5,
    }

    def policy_learner(**changes: Any) -> Any:
        return _core.PolicyLearner(toss, **(policy_options | changes))

    def updated(learner: Any, **arguments: Any) -> Any:
        learner.update(**({"kl_weight": 0.1, "learning_rate": 1e-3} | arguments))
        return learner.policy(0)

    def restored(**exported: Any) -> Any:
        learner = policy_learner()
        learner.restore(exported)
        return updated(learner)

    trained = policy_learner()
    updated(trained)

    def episodes(lanes: Any = (0, 1, 2), numbers: Any = (0, 1, 2)) -> Any:
        made = _core.Episodes(toss, 3, seed=1)
        lanes = np.array(lanes, np.int32) if isinstance(lanes, tuple) else lanes
        made.begin(lanes, np.array(numbers, np.uint64) if isinstance(numbers, tuple) else numbers)
        return made

    def seen(made: Any) -> Any:
        return made.players(), made.information_states(), made.legal_masks(), made.observations(), made.returns()

    def stepped(actions: Any) -> Any:
        made = episodes()
        return made.step(actions), seen(made)

    def counted(dynamics: Any, count: Any, seed: Any) -> Any:
        made = _core.Episodes(dynamics, count, seed=seed)
        made.begin(np.array([0], np.int32), np.array([0], np.uint64))
        return seen(made)

    def made_dynamics(**arguments: Any) -> Any:
        dynamics = _core.PythonDynamics(CoinToss, **arguments)
        return _core.rollout(dynamics, opponents, 3, 0)

    def replay_of(**arguments: Any) -> Any:
        buffer = _core.ReplayBuffer(8, 5, 3)
        for _ in range(3):
            buffer.push(np.ones(5, np.float32), 1, 1.0, np.ones(5, np.float32), False, np.ones(3, np.uint8))
        return buffer.sample(**arguments)

    def one_deal(method: str) -> Any:
        def call(**arguments: Any) -> Any:
            dealt = bargaining.new_state(1)
            answer = getattr(dealt, method)(**arguments)
            return answer, dealt.legal_actions(), dealt.returns()

        return call

    spec = DRAWN["moves at once and chance"]
    ensemble, plain = models()
    size = {"states": spec.state_size, "observations": spec.num_players * spec.observation_size}
    moves = {
        **{"states": f32(3, size["states"]), "actions": np.array([0, 1, 2], np.int32)},
        "players": np.array([0, 1, 2], np.int32),
    }
    seen_there = {"states": f32(3, size["states"]), "observations": f32(3, size["observations"])}
    log = {
        **{"offsets": np.array([0, 2, 3]), **{name: array[:2] for name, array in seen_there.items()}},
        **{"legal_masks": np.ones((2, spec.num_actions), np.uint8)},
        **{"players": moves["players"], "actions": moves["actions"]},
    }
    tree = _core.GameTree(  # chance, then a move of one player or of the other
        num_players=2,
        num_actions=2,
        num_chance_outcomes=2,
        terminal_state_value=-1.0,
        players=np.array([-1, 0, 1, -2, -2, -2], np.int8),
        actions=np.array([0, 0, 1, 0, 1, 1], np.int32),
        num_children=np.array([2, 2, 1, 0, 0, 0], np.int32),
        payoff_rows=np.zeros(6, np.int32),
        probabilities=np.array([1.0, 0.25, 0.75, 1.0, 1.0, 1.0]),
        payoffs=np.array([[1.0, 2.0]]),
        information_sets=np.array([-1, 0, 1, -1, -1, -1], np.int32),
        observations=f32(2, 3),
        observation_rows=np.array([[0, 1]] * 6, np.int32),
        hidden_rows=np.zeros(6, np.int32),
        hidden=f32(1, 2),
    )
    logs = {"log_policy": np.log([0.5, 0.5, 1.0]), "log_reference": np.log([0.25, 0.75, 1.0])}

    enumerations = (_core.OverMembers, _core.Purpose, _core.ReplicatorKind, _core.QNetwork.Part)
    return {
        **{kind.__qualname__: (lambda value, kind=kind: kind(value).value, {"value": 1}) for kind in enumerations},
        "Actor.advance": (lambda q_network: actor().advance(q_network), {"q_network": network}),
        "Actor.epsilon": (lambda call: actor().epsilon(call), {"call": 1}),
        "Actor.sample": (lambda **arguments: actor().sample(**arguments), {"batch_size": 2, "draw_index": 0}),
        "QLearner": (q_learner, learner_options),
        "QLearner.run": (
            lambda num_decisions: _core.QLearner(actor(), q_network(), **learner_options).run(num_decisions),
            {"num_decisions": 8},
        ),
        "QNetwork.read": (lambda part: q_network().read(part), {"part": _core.QNetwork.Part.online}),
        "ReplayBuffer.sample": (replay_of, {"batch_size": 2, "seed": 1, "draw_index": 0}),
        "TrainedNetwork": (lambda entries: _core.TrainedNetwork(entries).layers(), {"entries": q_layers}),
        "TrainedNetwork.adam_step": (
            lambda **arguments: _core.TrainedNetwork(q_layers).adam_step(**arguments),
            {"inputs": state, "output_gradients": f32(4, NUM_ACTIONS), "learning_rate": 1e-3},
        ),
        "Episodes": (counted, {"dynamics": bargaining, "count": 3, "seed": 1}),
        "Episodes.begin": (
            lambda **arguments: seen(episodes(**arguments)),
            {"lanes": np.array([0, 2], np.int32), "numbers": np.array([5, 6], np.uint64)},
        ),
        "Episodes.step": (stepped, {"actions": np.array([0, 1, 2], np.int32)}),
        "collect_experience": (
            lambda **arguments: _core.collect_experience(toss, **arguments),
            {
                **{
                    "learners": [uniform],
                    "learning_seats": [[(0, 0, None), (1, 0, None)]],
                    "opponents": opponents,
                    "first": 0,
                },
                **{"count": 3, "seed": 1, "num_parallel_episodes": 2, "uncertainty_penalty": 0.1},
                **{"coverage_weight": 0.1, "num_threads": 1},
            },
        ),
        "PolicyLearner": (lambda **arguments: updated(_core.PolicyLearner(toss, **arguments)), policy_options),
        "PolicyLearner.update": (
            lambda **arguments: updated(policy_learner(), **arguments),
            {"kl_weight": 0.1, "learning_rate": 1e-3, "num_threads": 1},
        ),
        "PolicyLearner.policy": (lambda k: policy_learner().policy(k), {"k": 0}),
        "PolicyLearner.average": (lambda k: policy_learner().average(k), {"k": 0}),
        "PolicyLearner.value": (lambda k: policy_learner().value(k), {"k": 0}),
        "PolicyLearner.restore": (restored, trained.export_state()),
        "PythonDynamics": (made_dynamics, sizes),
        "can_play": (_core.can_play, {"object": toss}),
        "uniform_numbers": (
            _core.uniform_numbers,
            {
                **{"keys": np.ones((2, 3), np.uint64), "purpose": _core.Purpose.chance, "steps": np.zeros(2, np.int64)},
                **{"count": 2, "start": 0},
            },
        ),
        "GeneralizedBargainingState.action_to_string": (one_deal("action_to_string"), {"action": 1}),
        "GeneralizedBargainingState.apply_action": (one_deal("apply_action"), {"action": 1}),
        "GeneralizedBargainingState.information_state": (one_deal("information_state"), {"player": 0}),
        "GeneralizedBargainingState.observation": (one_deal("observation"), {"player": 0}),
        "Policy.greedy": (lambda network: chosen(_core.Policy.greedy(network)), {"network": network}),
        "Policy.softmax": (
            lambda **arguments: chosen(_core.Policy.softmax(**arguments)),
            {"network": network, "temperature": 1.0},
        ),
        "Policy.table": (
            lambda **arguments: chosen(_core.Policy.table(**arguments)),
            {"information_states": state, "probabilities": np.full((4, NUM_ACTIONS), 1 / 3)},
        ),
        "Policy.mixture": (
            lambda **arguments: chosen(_core.Policy.mixture(**arguments)),
            {"components": [uniform, uniform], "weights": [0.5, 0.5]},
        ),
        "DynamicsEnsemble.next_states": (ensemble.next_states, {**moves, "next_players": moves["players"]}),
        "DynamicsEnsemble.rewards": (ensemble.rewards, moves),
        "DynamicsEnsemble.pays": (ensemble.pays, moves),
        "DynamicsEnsemble.outcomes": (ensemble.outcomes, moves),
        "DynamicsEnsemble.observe": (
            plain.observe,
            {"states": seen_there["states"], "players": moves["players"]},
        ),
        "DynamicsEnsemble.legal_masks": (plain.legal_masks, {**seen_there, "players": moves["players"]}),
        "DynamicsEnsemble.chance_probabilities": (ensemble.chance_probabilities, {"states": seen_there["states"]}),
        "DynamicsEnsemble.follow": (ensemble.follow, log),
        "GameTree.decision_values": (tree.decision_values, {**logs, "kl_weight": 1.0, "kl_in_rewards": True}),
        "GameTree.mirror_descent": (
            tree.mirror_descent,
            {
                **{**logs, "kl_weights": np.ones(4), "step_sizes": np.ones(4), "kl_in_rewards": True},
                **{"tolerance": 0.0, "reach_sums": np.zeros(3)},
            },
        ),
        "measure_fma_peak": (
            lambda duration_s: _core.measure_fma_peak(duration_s) > 0,
            {"duration_s": 0.0001},
        ),
    }
