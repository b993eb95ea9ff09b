"""Exact evaluation of game trees, and steps of mirror descent in them, against LiteEFG's C++."""

from __future__ import annotations

import functools
import tempfile

import numpy as np
import pytest

import coffee_fast as cf

WHY = "the rival, LiteEFG, is not installed: pip install LiteEFG"
leg = pytest.importorskip("LiteEFG", reason=WHY)
pyspiel = pytest.importorskip("pyspiel")

GAMES = ("kuhn_poker", "leduc_poker", "liars_dice")
KL_WEIGHT, STEP_SIZE, NUM_STEPS = 0.1, 0.01, 30  # of many more, LiteEFG holds the least probabilities at some 1e-9
NO_AVERAGE = np.zeros(0)


class Rival:
    """LiteEFG's game and its graph of magnetic mirror descent, after as many steps."""

    def __init__(self, game):
        with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", home)  # where it keeps what it makes of a game
            self.env = leg.OpenSpielEnv(game)
        self.graph = leg.baselines.MMD.graph(eta=STEP_SIZE, tau=KL_WEIGHT)
        self.env.set_graph(self.graph)
        self.descend()

    def descend(self):
        for _ in range(NUM_STEPS):
            self.graph.update_graph(self.env)

    def evaluate(self):
        """Best responses and values, which it returns as regrets."""
        return self.env.exploitability(self.graph.current_strategy())

    def probabilities(self):
        policy, _ = self.env.get_strategy(self.graph.current_strategy())
        for name, row in policy.state_lookup.items():
            yield name, policy.action_probability_array[row][policy.legal_actions_mask[row] > 0]


class Ours:
    def __init__(self, game):
        self.tree = cf.GameTree(game)
        counts = np.diff(self.tree.sequence_starts)
        self.log_uniform = np.repeat(-np.log(counts), counts)
        self.weights, self.sizes = np.full(NUM_STEPS, KL_WEIGHT), np.full(NUM_STEPS, STEP_SIZE)
        self.profile = np.exp(self.descend())

    def descend(self):
        steps = (self.log_uniform, self.log_uniform, self.weights, self.sizes)
        return self.tree.core.mirror_descent(*steps, False, 0.0, NO_AVERAGE)[1]

    def evaluate(self):
        best = [self.tree.core.best_response(self.profile, player)[0] for player in range(2)]
        return best - self.tree.core.profile_values(self.profile).ravel()


@functools.cache
def sides(name):
    """Both sides, once their probabilities at every information set are the same."""
    game = pyspiel.load_game(name)
    ours, rival = Ours(game), Rival(game)
    tree, starts = ours.tree, ours.tree.sequence_starts
    known = enumerate(zip(tree.information_set_players, tree.information_states, strict=True))
    there = {(player, state.tobytes()): slice(*starts[place : place + 2]) for place, (player, state) in known}
    at = dict(_information_sets(game.new_initial_state(), there))
    compared = 0
    for state, probabilities in rival.probabilities():
        np.testing.assert_allclose(ours.profile[at[state]], probabilities, rtol=0, atol=1e-12)
        compared += len(probabilities)
    assert compared == len(ours.profile)
    np.testing.assert_allclose(ours.evaluate(), rival.evaluate(), rtol=0, atol=1e-12)
    return {"coffee_fast": ours, "liteefg": rival}


def _information_sets(state, there):
    """Yield what OpenSpiel calls each information set, and where its probabilities lie in our tree."""
    if state.is_player_node():
        tensor = np.array(state.information_state_tensor(), dtype=np.float32).tobytes()
        yield state.information_state_string(), there[state.current_player(), tensor]
    if not state.is_terminal():
        for action in state.legal_actions():
            yield from _information_sets(state.child(action), there)


@pytest.mark.slow
@pytest.mark.parametrize("implementation", ["coffee_fast", "liteefg"])
@pytest.mark.parametrize("name", GAMES)
def test_exact(benchmark, name, implementation):
    benchmark.group = f"values and best responses of a profile, {name}"
    benchmark(sides(name)[implementation].evaluate)


@pytest.mark.slow
@pytest.mark.parametrize("implementation", ["coffee_fast", "liteefg"])
@pytest.mark.parametrize("name", GAMES)
def test_descent(benchmark, name, implementation):
    benchmark.group = f"mirror descent, {name}"
    benchmark.pedantic(sides(name)[implementation].descend, rounds=5, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["microseconds_per_iteration"] = round(1e6 * benchmark.stats.stats.median / NUM_STEPS, 2)
