"""A team whose observations never repeat: vehicles that answer calls, learned from a dispatcher's log.

Two vehicles stand on a square, three calls come in, each with a place and a worth. Each vehicle sees all of that and
drives to a call of its choice; a call pays its worth once, however many come, and driving costs its way. Who answers
stays there, and new calls come in, for three rounds. The log is a dispatcher's, who assigns different calls and often
not the best ones; how it decided is not in the log. So the same positions were answered in many ways, and vehicles that
imitate it each by itself meet at the same calls. Means and standard deviations are over logs. Run it again to go on
where it was interrupted:

    python reproductions/regularized/dispatch.py
"""

from __future__ import annotations

import itertools
import time

import numpy as np
from _parts import HERE, resumed

import coffee_fast as cf
from coffee_fast.plotting import _style

SETTINGS = {
    "seeds": [0, 1, 2],
    "episodes": [300, 2000],
    "temperature": 0.3,
    "num_judged": 10_000,
    "learning": {
        "hidden_sizes": [64, 64],
        "num_sweeps": 12,
        "num_policy_steps": 200,
        "num_cloning_steps": 1500,
        "batch_size": 128,
        "learning_rate": 2e-3,
        "kl_weight": [0.4, 0.05],
    },
}
METHODS = {"inspo": cf.InSPOConfig, "alberdice": cf.AlberDICEConfig}
VEHICLES, CALLS, ROUNDS = 2, 3, 3
PER_WAY = 0.5
PLANS = np.array(list(itertools.permutations(range(CALLS), VEHICLES)))  # different calls, [6, 2]


class Dispatch:
    """The rules, for many episodes at a time."""

    def reset(self, random):
        state = {"round": np.zeros(len(random)), "at": self._draw(random, VEHICLES * 2).reshape(-1, VEHICLES, 2)}
        return state | self._calls(random)

    def _draw(self, random, count):
        return np.stack([random.uniform() for _ in range(count)], axis=1)

    def _calls(self, random):
        places = self._draw(random, CALLS * 2).reshape(-1, CALLS, 2)
        return {"calls": places, "worth": 0.5 + self._draw(random, CALLS)}

    def legal_actions(self, state):
        return np.ones((len(state["round"]), VEHICLES, CALLS), dtype=bool)

    def observe(self, state):
        count = len(state["round"])
        parts = (state["round"][:, None] / ROUNDS, state["at"], state["calls"], state["worth"])
        seen = np.concatenate([np.reshape(part, (count, -1)) for part in parts], axis=1)
        return np.repeat(seen[:, None], VEHICLES, axis=1)

    def way(self, state):
        """``[L, vehicles, calls]``."""
        return np.linalg.norm(state["at"][:, :, None] - state["calls"][:, None], axis=3)

    def paid(self, state, actions):
        """``[L]``: what the team gets."""
        lanes = np.arange(len(actions))[:, None]
        answered = np.zeros(state["worth"].shape, dtype=bool)
        answered[lanes, actions] = True
        driven = self.way(state)[lanes, np.arange(VEHICLES), actions].sum(axis=1)
        return (answered * state["worth"]).sum(axis=1) - PER_WAY * driven

    def step(self, state, actions, random):
        lanes = np.arange(len(actions))[:, None]
        paid = np.repeat(self.paid(state, actions)[:, None], VEHICLES, axis=1)
        after = {"round": state["round"] + 1, "at": state["calls"][lanes, actions], **self._calls(random)}
        return after, paid, after["round"] == ROUNDS


RULES = Dispatch()
SEEN = 1 + 2 * VEHICLES + 3 * CALLS
SPEC = cf.GameSpec(
    name="dispatch",
    num_players=VEHICLES,
    num_actions=CALLS,
    action_vectors=np.eye(CALLS),
    state_size=VEHICLES * SEEN + VEHICLES * CALLS,
    observation_size=SEEN,
    history_start=SEEN,
    max_episode_length=VEHICLES * ROUNDS,
    moves="simultaneous",
    rewards="every_step",
    roles=(1,) * VEHICLES,
)
GAME = cf.games.from_simulator(SPEC, RULES)


def told(observation):
    """The state that an observation tells."""
    at, calls, worth = np.split(observation[:, 1:], [2 * VEHICLES, 2 * VEHICLES + 2 * CALLS], axis=1)
    return {"at": at.reshape(-1, VEHICLES, 2), "calls": calls.reshape(-1, CALLS, 2), "worth": worth}


def dispatched(num_episodes: int, seed: int, temperature: float) -> tuple[dict, np.ndarray]:
    """Play by a dispatcher who draws a plan by what it pays now; return the log's columns and each episode's return."""
    rng, episodes = np.random.default_rng(seed), cf.environments.Episodes(GAME, num_episodes, seed)
    rounds = []
    for _ in range(ROUNDS):
        observation = np.array(episodes.observations)
        state = told(observation[:, 0].astype(np.float64))
        pays = np.stack([RULES.paid(state, np.tile(plan, (num_episodes, 1))) for plan in PLANS], axis=1)
        noise = temperature * rng.gumbel(size=pays.shape) if temperature else 0.0
        action = PLANS[(pays + noise).argmax(axis=1)]
        before = np.array(episodes.returns)
        for seat in range(VEHICLES):
            episodes.step(action[:, seat])
        rounds.append({"observation": observation, "action": action, "reward": np.array(episodes.returns) - before})
    log = {name: np.stack([part[name] for part in rounds], axis=1) for name in rounds[0]}
    log = {name: array.reshape(num_episodes * ROUNDS, *array.shape[2:]) for name, array in log.items()}
    return log | {"trajectory": np.repeat(np.arange(num_episodes), ROUNDS)}, np.array(episodes.returns)[:, 0]


def judged(team, seed: int) -> float:
    """What a team gets in the game itself."""
    return float(cf.simulate(GAME, team, num_episodes=SETTINGS["num_judged"], seed=1000 + seed).returns[:, 0].mean())


def learned(method: str, num_episodes: int, seed: int) -> dict[str, float]:
    log, _ = dispatched(num_episodes, seed, SETTINGS["temperature"])
    dataset, begun = cf.TrajectoryDataset.from_transitions(SPEC, log), time.process_time()
    team = cf.learn_team(dataset, METHODS[method](**SETTINGS["learning"]), seed)
    return {
        "learned": judged(list(team.mixtures), seed),
        "cloned apart": judged(list(team.clones), seed),
        "estimate": float(team.expected_return.mean()),
        "off the log": team.off_log_probability,
        "minutes": (time.process_time() - begun) / 60,
    }


def dispatcher(seed: int) -> dict[str, float]:
    """What the log's dispatcher gets, and one who takes what pays most now."""
    return {
        "as logged": float(dispatched(SETTINGS["num_judged"], 2000 + seed, SETTINGS["temperature"])[1].mean()),
        "best plan now": float(dispatched(SETTINGS["num_judged"], 2000 + seed, 0.0)[1].mean()),
    }


def draw(results: dict) -> None:
    figure, axes = _style.new_figure()
    sizes, seeds = SETTINGS["episodes"], SETTINGS["seeds"]
    curves = {
        "InSPO": ("inspo", "learned"),
        "AlberDICE": ("alberdice", "learned"),
        "cloned apart": ("inspo", "cloned apart"),
    }
    for (label, (method, name)), color in zip(curves.items(), _style.COLORS, strict=False):
        values = np.array([[results[f"{method} {n} {seed}"][name] for n in sizes] for seed in seeds])
        axes.plot(sizes, values.mean(axis=0), "o-", color=color, label=label, markersize=4)
        axes.plot(sizes, values.T, ".", color=color, markersize=3)
    for name, style in (("as logged", "--"), ("best plan now", ":")):
        axes.axhline(
            results["dispatcher"][name], color=_style.INK, linestyle=style, linewidth=0.8, label=f"together: {name}"
        )
    axes.set(xscale="log", xlabel="episodes in the log", ylabel="true return")
    axes.set_title("Vehicles that answer calls without talking", fontsize="medium", loc="left")
    axes.set_xticks(sizes, [f"{n}" for n in sizes])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize="small", loc="center right", bbox_to_anchor=(1.0, 0.4))
    figure.savefig(HERE / "dispatch.png", dpi=130)


def main() -> None:
    parts = {"dispatcher": lambda: dispatcher(0)}
    for seed in SETTINGS["seeds"]:
        for n in reversed(SETTINGS["episodes"]):
            for method in METHODS:
                parts[f"{method} {n} {seed}"] = lambda case=(method, n, seed): learned(*case)
    results = resumed("dispatch", SETTINGS, parts)
    print({name: round(value, 3) for name, value in results["dispatcher"].items()})
    for n in SETTINGS["episodes"]:
        for method in METHODS:
            rows = [results[f"{method} {n} {seed}"] for seed in SETTINGS["seeds"]]
            for name in rows[0]:
                values = np.array([row[name] for row in rows])
                each = ", ".join(f"{value:.3f}" for value in values)
                print(f"{n} {method} {name}: {values.mean():.3f} ± {values.std(ddof=1):.3f} ({each})")
    draw(results)


if __name__ == "__main__":
    main()
