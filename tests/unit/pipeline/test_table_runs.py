"""Runs that solve their log as a table: what they leave, what continues them, what they refuse, sweeps over them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from tests.unit.tabular.test_game import rounds_at_once, ultimatum_log
from tests.unit.tabular.test_logs import sealed_bids

import coffee_fast as cf
from coffee_fast.errors import CheckpointError, ConfigError, DatasetError, InvalidGameError
from coffee_fast.pipeline.tabular import load_table_solution
from coffee_fast.regularized import from_config, gane, known_solvers

TABLE = ["algorithm=table", "table.solver.kl_weight=0.5"]


def config(*overrides):
    return cf.RunConfig().with_overrides([*TABLE, *overrides])


def teammates():
    """Two who get 1 where they choose alike, one after the other, as the log always shows them do."""
    rng = np.random.default_rng(1)
    rows = {name: [] for name in ("trajectory", "state", "observation", "action", "acting_player", "reward")}
    for episode in range(60):
        choice = int(rng.integers(2))
        for player, state in enumerate(([0.0, 0.0], [1.0, 0.0])):
            reward = [1.0 * player] * 2
            values = (episode, state, [state, state], choice, player, reward)
            for column, value in zip(rows.values(), values, strict=True):
                column.append(value)
    return cf.TrajectoryDataset.from_transitions(cf.GameSpec("team", 2, 2, np.eye(2), 2, 2, 1, 2), rows)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table") / "run"
    return folder, cf.run_pipeline(config(), folder, ultimatum_log(100))


def test_a_run_leaves_the_solution_of_the_table(run):
    folder, summary = run
    log = ultimatum_log(100)
    game = cf.TabularGame.from_dataset(log, state_key=[tuple(row) for row in log.state.tolist()])
    wanted = gane(game, kl_weight=0.5)
    fields, arrays = load_table_solution(folder)
    for player in range(2):
        np.testing.assert_array_equal(arrays[f"policies_{player}"], wanted.policies[player])
    assert fields["figures"]["status"] == "converged"
    assert fields["figures"]["gap"] == wanted.gap.tolist()
    assert fields["figures"]["about"] == game.about
    assert [tuple(state) for state in fields["states"]] == list(game.state_keys)
    results = json.loads((folder / "results.json").read_text())
    (entry,) = results["evaluation"]["solutions"]
    assert entry["max_gap"] == wanted.gap.max()
    assert from_config(entry["meta_solver"]) == from_config({"kind": "gane", "kl_weight": 0.5})
    assert summary.final_sum_regret is None


def test_the_policies_are_a_table_for_people(run):
    folder, _ = run
    with (folder / "policies.csv").open() as file:
        rows = list(csv.DictReader(file))
    _, arrays = load_table_solution(folder)
    first = [float(row["probability"]) for row in rows if row["step"] == "0"]
    np.testing.assert_array_equal(first, arrays["policies_0"][0, 0])
    assert {row["player"] for row in rows if row["step"] == "1"} == {"1"}
    assert {row["action"] for row in rows if row["step"] == "1"} == {"1", "2"}
    report = (folder / "report.md").read_text()
    assert "by `gane`. The search ended **converged**" in report
    assert "| 0 | 0 0 | 100 | 0 | 0 | " in report


def test_a_finished_run_is_gone_on_with_and_no_other(run):
    folder, _ = run
    before = (folder / "solution" / "solution.json").read_bytes()
    cf.run_pipeline(config(), folder, ultimatum_log(100), resume=True)
    assert (folder / "solution" / "solution.json").read_bytes() == before
    with pytest.raises(CheckpointError, match=r"config.table.solver.kl_weight is 0.5 there and 0.25 here"):
        cf.run_pipeline(config("table.solver.kl_weight=0.25"), folder, ultimatum_log(100), resume=True)
    (folder / "report.md").unlink()
    cf.rewrite_report(folder)
    assert (folder / "report.md").exists()


@pytest.mark.parametrize(
    "kind",
    [
        *("gamd", "rqe", "rqe_actor_critic", "srpo", "smoothed_best_response", "robust_nash", "robust_q_ftrl"),
        *("rpq", "robust_vdn", "inspo", "alberdice", "qrpo"),
    ],
)
def test_other_solvers_solve_a_table_too(kind, tmp_path):
    log = teammates()
    overrides = [f"table.solver={kind}", "table.solver.unseen_value=0"]
    overrides = overrides[: 1 if kind in ("inspo", "alberdice", "qrpo") else 2]
    overrides += ["table.solver.num_episodes=100"] * (kind == "smoothed_best_response")
    overrides += ["table.solver.num_iterations=50"] * (kind == "robust_q_ftrl")
    cf.run_pipeline(cf.RunConfig().with_overrides(["algorithm=table", *overrides]), tmp_path / "run", log)
    fields, arrays = load_table_solution(tmp_path / "run")
    assert fields["solver"]["kind"] == kind
    assert np.allclose(arrays["policies_1"].sum(axis=2), 1.0)
    assert ("joint" in arrays) == (kind in ("gamd", "robust_q_ftrl"))
    assert f"by `{kind}`" in (tmp_path / "run" / "report.md").read_text()


def test_ranks_of_returns_are_those_of_the_logs_rows(tmp_path):
    log = ultimatum_log(100)
    overrides = ["algorithm=table", "table.solver=qrpo", "table.solver.kl_weight=0.5"]
    cf.run_pipeline(cf.RunConfig().with_overrides(overrides), tmp_path / "run", log)
    fields, arrays = load_table_solution(tmp_path / "run")
    offers, answers = log.action[0::2], log.action[1::2]
    keys = [tuple(row) for row in log.state.tolist()]
    rows = {"state": keys, "action": np.zeros((200, 2), int), "reward": np.zeros((200, 2))}
    rows["trajectory"] = np.arange(200) // 2
    rows["action"][0::2, 0], rows["action"][1::2, 1] = offers, answers
    np.add.at(rows["reward"], np.arange(200), log.reward.astype(float))
    sizes = [arrays[f"policies_{player}"].shape[2] for player in range(2)]
    wanted = cf.regularized.qrpo(rows, kl_weight=0.5, num_actions=sizes)
    for player in range(2):
        np.testing.assert_array_equal(arrays[f"policies_{player}"], wanted.policies[player])
    assert fields["figures"]["about"].startswith("ranks of the returns in 200 logged steps")


class Coins:
    """Two choose at once: alike pays 1 to both."""

    def reset(self, random):
        return np.zeros(len(random))

    def legal_actions(self, state):
        return np.ones((len(state), 2, 2), bool)

    def observe(self, state):
        return np.ones((len(state), 2, 1))

    def step(self, state, actions, random):
        return state, np.repeat((actions[:, :1] == actions[:, 1:]) * 1.0, 2, axis=1), np.ones(len(state), bool)


def test_optimistic_players_learn_in_the_logs_table(tmp_path):
    sizes = {"num_players": 2, "num_actions": 2, "action_vectors": np.eye(2), "state_size": 6, "observation_size": 1}
    spec = cf.GameSpec("coins", **sizes, history_start=1, max_episode_length=2, moves="simultaneous")
    log = cf.generate_dataset(cf.games.from_simulator(spec, Coins()), num_trajectories=100, seed=0)
    overrides = ["algorithm=table", "table.solver=optimistic_rqre", "table.solver.num_episodes=200"]
    overrides += ["table.solver.temperature=1", "table.solver.tolerance=0.05"]
    cf.run_pipeline(cf.RunConfig().with_overrides(overrides), tmp_path / "run", log)
    fields, arrays = load_table_solution(tmp_path / "run")
    assert fields["figures"]["status"] == "converged"
    np.testing.assert_allclose(arrays["policies_1"], 0.5, atol=0.1)
    told = cf.RunConfig().with_overrides([*overrides, "table.solver.unseen_value=0"])
    with pytest.raises(InvalidGameError, match="optimistic_rqre: all actions must be legal everywhere"):
        cf.run_pipeline(told, tmp_path / "turns", ultimatum_log(100))


def test_of_moves_at_once_a_cell_is_what_was_known_before(tmp_path):
    log, _ = rounds_at_once()
    cf.run_pipeline(config(), tmp_path / "run", log)
    fields, found = load_table_solution(tmp_path / "run")
    assert fields["states"] == [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    game = cf.TabularGame.from_dataset(log, state_key=lambda state: tuple(state[:2].tolist()))
    np.testing.assert_array_equal(found["policies_1"], gane(game, kl_weight=0.5).policies[1])


def test_states_that_came_of_columns_are_told_in_their_words(tmp_path):
    log = {"deal": [1, 1, 2, 2], "who": ["s", "b"] * 2, "said": ["hi", "no", "lo", "yes"], "paid": [0.0, 0.0, 0.0, 1.0]}
    columns = {"episode": "deal", "player": "who", "action": "said", "reward": "paid"}
    cf.run_pipeline(
        config("table.solver.unseen_value=0"),
        tmp_path / "run",
        cf.TrajectoryDataset.from_transitions(None, log, columns=columns),
    )
    with (tmp_path / "run" / "policies.csv").open() as file:
        states = {row["state"] for row in csv.DictReader(file)}
    assert states == {"s moves", "b moves, last: hi", "b moves, last: lo"}


def test_what_is_no_table_is_refused_before_there_is_a_folder(tmp_path):
    with pytest.raises(DatasetError, match="player 0 cannot tell cell"):
        cf.run_pipeline(config(), tmp_path / "run", sealed_bids())
    with pytest.raises(ConfigError, match="state_entries must lie below the state's size 2, got 2"):
        cf.run_pipeline(config("table.state_entries=[0, 2]"), tmp_path / "run", ultimatum_log(10))
    assert not (tmp_path / "run").exists()
    unlike = cf.RunConfig().with_overrides(["algorithm=table", "table.solver=inspo"])
    with pytest.raises(InvalidGameError, match="all players must get the same reward"):
        cf.run_pipeline(unlike, tmp_path / "run", ultimatum_log(10))
    told = config("table.state_entries=[0]", "table.is_fully_observed=true", "table.solver.unseen_value=0.0")
    cf.run_pipeline(told, tmp_path / "run", ultimatum_log(10))  # what failed leaves nothing that stands in the way


@pytest.mark.parametrize("kind", known_solvers())
def test_solvers_of_tables_come_back_from_their_configuration(kind):
    wanted = cf.RunConfig().with_overrides(["algorithm=table", f"table.solver={kind}"])
    solver = from_config({"kind": kind})
    assert wanted.table.solver == solver
    assert from_config(json.loads(json.dumps(wanted.to_json()["table"]["solver"]))) == solver
    assert cf.RunConfig.from_json(json.loads(json.dumps(wanted.to_json()))) == wanted


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("table.solver=gan", "table.solver: table solver: kind must be one of gane, .*; did you mean 'gane'"),
        ("table.solver.kl_wait=1", "no field 'table.solver.kl_wait'; did you mean 'table.solver.kl_weight'"),
        ("table.solver.kl_weight=0", "table.solver: gane: kl_weight must be a finite number > 0"),
        ('table.solver={kind="inspo", kl_weight=[]}', "inspo: kl_weight must be a number or a sequence"),
        ("table.solver.reference=mine", "table.solver.reference must be one of 'behavior', 'uniform'"),
        ("table.state_entries=[-1]", "state_entries must be an integer >= 0, got -1"),
        ("table.is_fully_observed=1", "table.is_fully_observed must be true or false"),
    ],
)
def test_impossible_options_are_refused(override, message):
    with pytest.raises(ConfigError, match=message):
        config(override)


def test_runs_of_searches_say_nothing_of_tables():
    assert "table" not in cf.RunConfig().to_json()
    assert cf.RunConfig.from_json(cf.RunConfig().to_json()) == cf.RunConfig()


def test_a_sweep_over_tables_is_one_table_of_results(tmp_path):
    pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    ultimatum_log(50).save(tmp_path / "log")
    plan = cf.sweeps.SweepPlan.from_mapping(
        {
            "base": {"algorithm": "table", "dataset": {"path": str(tmp_path / "log")}},
            "grid": {"table": {"solver": ["rqe", {"kind": "gane", "kl_weight": 0.25}]}},
        }
    )
    assert [run.config.table.solver.kind for run in plan.runs] == ["rqe", "gane"]
    assert cf.sweeps.run_sweep(plan, tmp_path / "sweep", num_workers=1).is_complete
    rows = parquet.read_table(tmp_path / "sweep" / "results.parquet").to_pylist()
    assert {row["solution.status"] for row in rows} == {"converged"}
    assert [row["meta_solver.kind"] for row in rows] == [row["config.table.solver.kind"] for row in rows]
    assert all(row["solution.max_gap"] <= 1e-9 for row in rows)
