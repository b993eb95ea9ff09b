"""Games that people bring, each from a log: every way to an answer is right, or says what is missing.

An alternating negotiation of a seller and a buyer, a repeated pricing game, a three-bidder auction with private values,
Leduc poker, and OpenSpiel's bargaining.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import coffee_fast as cf

Log = dict[str, Any]


def negotiation(num_deals: int = 300, seed: int = 0) -> tuple[cf.GameSpec, Log]:
    """A seller names a price, a buyer answers with one of its own or takes it, and so on for six moves."""
    rng = np.random.default_rng(seed)
    prices, accept = np.array([1.0, 2.0, 3.0, 4.0]), 4
    spec = cf.GameSpec(
        name="negotiation",
        num_players=2,
        num_actions=5,
        action_vectors=np.append(prices, 0.0)[:, None],
        state_size=4,  # moves made, price on the table, the seller's cost, the buyer's value
        observation_size=3,  # moves made, own cost or value, price on the table
        history_start=2,
        max_episode_length=6,
    )
    rows: list[Log] = []
    for deal in range(num_deals):
        cost, value, price = rng.uniform(0, 2), rng.uniform(2, 5), 0.0
        for move in range(6):
            legal = np.array([1, 1, 1, 1, move > 0], dtype=int)
            action = int(rng.choice(np.flatnonzero(legal)))
            is_deal = action == accept
            rows.append(
                {
                    "trajectory": deal,
                    "state": [move, price, cost, value],
                    "observation": [[move, own, price] for own in (cost, value)],
                    "action": action,
                    "acting_player": move % 2,
                    "legal_mask": legal,
                    "reward": [price - cost, value - price] if is_deal else [0.0, 0.0],
                }
            )
            if is_deal:
                break
            price = prices[action]
    return spec, columns(rows)


def pricing(num_weeks: int = 400, seed: int = 0) -> Log:
    """Two shops set one of three prices at once, week after week, and are paid every week."""
    rng = np.random.default_rng(seed)
    action = rng.integers(3, size=(num_weeks, 2))
    return {"action": action, "reward": pricing_profits()[:, action[:, 0], action[:, 1]].T}


def pricing_profits() -> np.ndarray:
    """``[2, 3, 3]``: the cheaper shop sells ten, equal ones five each, at prices 1, 2, 3 and a cost of .5."""
    margin = np.array([0.5, 1.5, 2.5])
    share = np.array([[5, 10, 10], [0, 5, 10], [0, 0, 5]])
    first = margin[:, None] * share
    return np.stack([first, first.T])


def auction(num_auctions: int = 500, seed: int = 0) -> tuple[np.ndarray, Log]:
    """Three bidders of private values 0 to 3 bid 0 to 3; the highest pays its bid, ties by lot. Values and the log."""
    rng = np.random.default_rng(seed)
    value, bid = rng.integers(4, size=(num_auctions, 3)), rng.integers(4, size=(num_auctions, 3))
    winner = np.argmax(bid + rng.uniform(0, 0.5, size=bid.shape), axis=1)
    reward = np.zeros((num_auctions, 3))
    row = np.arange(num_auctions)
    reward[row, winner] = value[row, winner] - bid[row, winner]
    return value, {"action": bid, "reward": reward}


def leduc(num_games: int = 300, seed: int = 0) -> tuple[cf.GameSpec, Log]:
    """Leduc poker, played at random: cards are dealt in the middle, and a round begins with player 0 again."""
    import pyspiel

    game, rng = pyspiel.load_game("leduc_poker"), np.random.default_rng(seed)
    size = game.information_state_tensor_size()
    spec = cf.GameSpec(
        name="leduc",
        num_players=2,
        num_actions=3,
        action_vectors=np.eye(3),
        state_size=2 * size,
        observation_size=size,
        history_start=size,
        max_episode_length=8,
    )
    rows: list[Log] = []
    for number in range(num_games):
        state = game.new_initial_state()
        while not state.is_terminal():
            if state.is_chance_node():
                outcomes, probabilities = zip(*state.chance_outcomes(), strict=True)
                state.apply_action(int(rng.choice(outcomes, p=probabilities)))
                continue
            seen, mover = [state.information_state_tensor(player) for player in range(2)], state.current_player()
            action = int(rng.choice(state.legal_actions()))
            mask = np.isin(np.arange(3), state.legal_actions()).astype(int)
            state.apply_action(action)
            rows.append(
                {
                    "trajectory": number,
                    "state": [*seen[0], *seen[1]],
                    "observation": seen,
                    "action": action,
                    "acting_player": mover,
                    "legal_mask": mask,
                    "reward": state.returns() if state.is_terminal() else [0.0, 0.0],
                }
            )
    return spec, columns(rows)


def columns(rows: list[Log]) -> Log:
    return {name: [row[name] for row in rows] for name in rows[0]}


def dataset_of(spec: cf.GameSpec, log: Log) -> cf.TrajectoryDataset:
    return cf.TrajectoryDataset.from_transitions(spec, log)


def test_a_model_of_a_negotiation_is_judged_and_searched_by_roles():
    dataset = dataset_of(*negotiation())
    assert dataset.check().is_learnable
    brief = cf.EnsembleConfig(num_members=2, hidden_sizes=(8,), num_steps=20, num_reward_steps=20)
    with pytest.warns(cf.ModelWarning, match="do not trust"):
        model = cf.DynamicsEnsemble.fit(dataset, brief, seed=0)
    sizes = {"hidden_sizes": (4,), "num_steps": 64, "replay_capacity": 64, "min_replay": 32, "batch_size": 8}
    response = cf.DDQN(**sizes, epsilon_decay_steps=16, num_parallel_episodes=4)
    result = cf.coffee_psro(model, cf.PSROConfig(num_iterations=1, num_simulations=4, response=response), seed=0)
    assert len(result.solve().mixtures) == 2


def test_a_negotiation_is_not_symmetric_however_loudly_it_is_said():
    spec, log = negotiation()
    check = dataset_of(dataclasses.replace(spec, is_symmetric=True), log).check()
    assert {finding.kind for finding in check.refused} >= {"who moves first"}
    with pytest.raises(cf.DatasetError, match="is_symmetric"):
        cf.DynamicsEnsemble.fit(dataset_of(dataclasses.replace(spec, is_symmetric=True), log))


def test_a_table_of_a_negotiation_is_refused_since_players_know_different_things():
    with pytest.raises(cf.DatasetError, match="private information"):
        cf.TabularGame.from_dataset(dataset_of(*negotiation()), state_key=lambda state: tuple(state.round(1)))


def test_pricing_at_once_is_solved_as_a_table():
    found = cf.regularized.gane(pricing(), kl_weight=0.01)
    assert found.status == "converged"
    assert [policy[0, 0].argmax() for policy in found.policies] == [1, 1]  # nobody gains by undercutting
    assert "nobody knows anything before acting" in found.about
    exact = cf.meta_solvers.Nash().solve(list(pricing_profits()))
    assert exact.status == "converged"
    first, second = pricing_profits()
    row, column = exact.mixtures  # here and at the lowest price of both
    assert (first @ column).max() - row @ first @ column == pytest.approx(0, abs=1e-12)
    assert (row @ second).max() - row @ second @ column == pytest.approx(0, abs=1e-12)


def test_pricing_in_turns_pays_every_week_once_the_game_is_said_to():
    weeks = pricing(60)
    rows = 2 * len(weeks["action"])
    paid = np.zeros((rows, 2))
    paid[1::2] = weeks["reward"]
    state = np.stack([np.arange(rows) // 2, np.arange(rows) % 2], axis=1).astype(float)
    state[1::2, 1] += weeks["action"][:, 0]
    spec = cf.GameSpec(
        name="pricing",
        num_players=2,
        num_actions=3,
        action_vectors=np.eye(3),
        state_size=2,
        observation_size=2,
        history_start=2,
        max_episode_length=6,
    )
    log = {
        "trajectory": np.arange(rows) // 6,
        "state": np.column_stack([state[:, 0] % 3, state[:, 1]]),
        "observation": np.repeat(np.column_stack([state[:, 0] % 3, state[:, 1]])[:, None], 2, axis=1),
        "action": weeks["action"].ravel(),
        "acting_player": np.arange(rows) % 2,
        "reward": paid,
    }
    dataset = dataset_of(spec, log)
    message = r"trajectory 0, step 1: there is a reward before the end.*rewards='every_step'"
    with pytest.raises(cf.DatasetError, match=message):
        cf.DynamicsEnsemble.fit(dataset)
    assert dataset_of(dataclasses.replace(spec, rewards="every_step"), log).check().is_learnable
    game = cf.TabularGame.from_dataset(dataset, state_key=lambda row: tuple(row.tolist()))
    assert game.horizon == 6


def test_an_auction_with_private_values_is_refused_as_a_table_once_the_values_are_known():
    values, log = auction()
    unseen = cf.regularized.gane(log, kl_weight=0.1)
    assert "nobody knows anything before acting" in unseen.about  # right for that game, and it says which
    for columns_known in ({"observation": values}, {"observation": values, "state": list(map(tuple, values.tolist()))}):
        with pytest.raises(cf.DatasetError, match="private information"):
            cf.regularized.gane({**log, **columns_known}, kl_weight=0.1)


def test_leduc_is_learnable_once_the_game_is_said_to_have_no_strict_turns():
    spec, log = leduc()
    dataset = dataset_of(spec, log)
    with pytest.raises(cf.DatasetError, match="player 0 moves after player 0.*turn_order='predicted'"):
        cf.DynamicsEnsemble.fit(dataset)
    assert dataset_of(dataclasses.replace(spec, turn_order="predicted"), log).check().is_learnable
    with pytest.raises(cf.DatasetError, match="private information"):
        cf.TabularGame.from_dataset(dataset, state_key=lambda state: tuple(state.tolist()))


def examples(name: str) -> Any:
    """The module of an example, which makes a log of a game without states and reads it."""
    path = Path(__file__).parents[2] / "examples" / "logs" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LOGS = {
    "negotiation": ("negotiations", {"moves": "turns", "turn_order": "cyclic", "rewards": "at_end"}),
    "pricing": ("weeks", {"moves": "simultaneous", "rewards": "every_step", "player_names": ("north", "south")}),
    "auction": ("auctions", {"moves": "simultaneous", "rewards": "at_end", "num_players": 3, "is_symmetric": True}),
    "leduc": ("hands", {"moves": "turns", "turn_order": "predicted", "num_chance_actions": 6}),
    "openspiel_bargaining": ("deals", {"moves": "turns", "turn_order": "cyclic", "num_actions": 121}),
}


@pytest.mark.parametrize("name", LOGS)
def test_a_frame_without_states_becomes_a_dataset_in_ten_lines(name, monkeypatch):
    pytest.importorskip("pandas")
    if "openspiel" in name:
        pytest.importorskip("pyspiel")
    module, (maker, expected) = examples(name), LOGS[name]
    made: list[cf.TrajectoryDataset] = []
    real = cf.TrajectoryDataset.from_transitions.__func__
    monkeypatch.setattr(
        cf.TrajectoryDataset,
        "from_transitions",
        classmethod(lambda cls, *given, **named: made.append(real(cls, *given, **named)) or made[-1]),
    )
    module.main()
    (dataset,) = made
    assert {field: getattr(dataset.spec, field) for field in expected} == expected
    assert dataset.check().is_learnable
    lines = inspect.getsource(module.main).splitlines()
    first = next(place for place, line in enumerate(lines) if "log = " in line)
    last = next(place for place, line in enumerate(lines) if ".describe()" in line)
    assert last - first <= 10
    paid = getattr(module, maker)().filter(regex="^(gain|profit|won|return)").fillna(0).to_numpy()
    np.testing.assert_allclose(dataset.reward.sum(dtype=np.float64), paid.sum(), rtol=1e-4, atol=1e-3)


def test_each_log_of_people_can_be_kept_and_read_again(tmp_path):
    frame = pytest.importorskip("pandas")
    log = examples("leduc").hands(40)
    columns = {"episode": "hand", "player": "who", "action": "move", "reward": "won_"}
    columns["observation"] = ["card", "public", "own", "other"]
    dataset = cf.TrajectoryDataset.from_transitions(None, log, columns=columns, chance="dealer")
    dataset.save(tmp_path / "data")
    loaded = cf.TrajectoryDataset.load(tmp_path / "data")
    assert loaded.fingerprint == dataset.fingerprint
    assert loaded.spec.describe() == dataset.spec.describe()
    assert isinstance(loaded.to_frame(), frame.DataFrame)
    more = cf.TrajectoryDataset.from_transitions(loaded.spec, log, columns=columns, chance="dealer")
    assert more.fingerprint == dataset.fingerprint
