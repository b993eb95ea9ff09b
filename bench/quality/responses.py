"""Strength of the compiled double DQN and of its torch twin: mean returns in the true game against fixed opponents.

    python bench/quality/responses.py

trains both oracles with many seeds against each opponent, one JSON line a finished run in `responses.jsonl`, then
compares them: the table in bench/README.md and `responses.png`. Stop it at any time, the next call goes on.
Seeds of the two sides are unrelated, since runs of equal seeds would share their experience and initial weights.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import stats

import coffee_fast as cf
from coffee_fast._files import write_atomically
from coffee_fast.evaluation.best_responses import reward_scale
from coffee_fast.policies import Mixture, NetworkPolicy, as_mixture
from coffee_fast.responses import DDQN, DDQNTorch, ResponseObjective
from coffee_fast.seeding import derive_seed

HERE = Path(__file__).parent
DATA, FIGURE = HERE / "responses.jsonl", HERE / "responses.png"
ORACLES = {"native": DDQN, "torch": DDQNTorch}
NUM_SEEDS, NUM_EPISODES, SEED = 12, 20_000, 0
BUDGET = {"num_steps": 40_000, "min_replay": 2_000, "replay_capacity": 40_000, "epsilon_decay_steps": 20_000}
SETTINGS = {"num_episodes": NUM_EPISODES, "seed": SEED, **BUDGET}

Run = dict[str, object]


def respond(oracle: DDQN, game: object, opponents: Mixture, scale: float, *purpose: object) -> NetworkPolicy:
    seed = derive_seed(SEED, "/".join(map(str, purpose)))
    return oracle.respond(game, opponents, ResponseObjective(), seed=seed, reward_scale=scale).policy


def make_opponents(game: object, scale: float) -> dict[str, Mixture]:
    """Uniform random play, a response to it, and one of uniform play, that response and a response to it, drawn."""
    uniform = as_mixture("uniform_random")
    first = respond(DDQN(**BUDGET), game, uniform, scale, "opponent", 1)
    second = respond(DDQN(**BUDGET), game, as_mixture(first), scale, "opponent", 2)
    mixture = Mixture((cf.UniformRandom(), first, second), np.full(3, 1 / 3))
    return {"uniform random play": uniform, "a trained response": as_mixture(first), "a mixture of three": mixture}


def read() -> list[Run]:
    """The finished runs; refuses those of other settings."""
    if not DATA.exists():
        return []
    settings, *runs = map(json.loads, DATA.read_text().splitlines())
    if settings != SETTINGS:
        raise SystemExit(f"{DATA} was made with {settings}, not with {SETTINGS}; move it away")
    return runs


def keep(runs: list[Run]) -> None:
    runs = sorted(runs, key=lambda run: (run["index"], run["opponent"], run["oracle"]))
    write_atomically(DATA, "".join(json.dumps(line) + "\n" for line in (SETTINGS, *runs)).encode())


def train_missing(runs: list[Run]) -> None:
    """Train and evaluate every run that is not in ``runs``, keeping each."""
    finished = {(run["opponent"], run["oracle"], run["index"]) for run in runs}
    names = ("uniform random play", "a trained response", "a mixture of three")
    missing = [
        (opponent, name, index)
        for index in range(NUM_SEEDS)
        for opponent in names
        for name in ORACLES
        if (opponent, name, index) not in finished
    ]
    if not missing:
        return
    game = cf.load_game("generalized_bargaining")
    scale = reward_scale(game, derive_seed(SEED, "reward_scale"))
    opponents = make_opponents(game, scale)
    for opponent, name, index in missing:
        started = time.process_time()
        policy = respond(ORACLES[name](**BUDGET), game, opponents[opponent], scale, opponent, name, index)
        duration = time.process_time() - started
        seed = derive_seed(SEED, "evaluation", index)
        returns = cf.simulate(game, [policy, opponents[opponent]], num_episodes=NUM_EPISODES, seed=seed).returns[:, 0]
        run = {"opponent": opponent, "oracle": name, "index": index, "mean_return": returns.mean()}
        runs.append(run | {"processor_s": round(duration, 2)})
        keep(runs)
        print(runs[-1], flush=True)


def compare(runs: list[Run]) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Yield each opponent with the mean returns of the two sides."""
    for opponent in dict.fromkeys(str(run["opponent"]) for run in runs):
        chosen = [run for run in runs if run["opponent"] == opponent]
        yield opponent, {name: np.array([r["mean_return"] for r in chosen if r["oracle"] == name]) for name in ORACLES}


def standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def table(runs: list[Run]) -> Iterator[str]:
    yield "| opponent | seeds each | native | torch | difference | within its standard error | Welch's p |"
    yield "|---|---|---|---|---|---|---|"
    for opponent, sides in compare(runs):
        native, torch = sides["native"], sides["torch"]
        cells = [f"{side.mean():.3f} ± {standard_error(side):.3f}" for side in (native, torch)]
        difference = native.mean() - torch.mean()
        error = float(np.hypot(standard_error(native), standard_error(torch)))
        cells += [f"{difference:+.3f} ± {error:.3f}", "yes" if abs(difference) < error else "no"]
        p = stats.ttest_ind(native, torch, equal_var=False).pvalue
        yield f"| {opponent} | {len(native)} | {' | '.join(cells)} | {p:.2f} |"


def draw(runs: list[Run]) -> None:
    """Every run a dot, means with bars of one standard error."""
    from matplotlib.figure import Figure

    from coffee_fast.plotting._style import ACCENT, SECOND

    groups = list(compare(runs))
    figure = Figure(figsize=(3.0 * len(groups), 3.2), layout="constrained")
    for axes, (opponent, sides) in zip(figure.subplots(1, len(groups)), groups, strict=True):
        for place, (name, color) in enumerate(zip(sides, (ACCENT, SECOND), strict=True)):
            values = sides[name]
            axes.scatter(place + np.linspace(-0.15, 0.15, len(values)), values, s=14, color=color, alpha=0.5)
            axes.errorbar(place, values.mean(), standard_error(values), fmt="_", color=color, markersize=28, capsize=6)
        axes.set_xticks(range(len(sides)), sides)
        axes.set_xlim(-0.6, len(sides) - 0.4)
        axes.set_title(f"against {opponent}", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supylabel("mean return in the true game", fontsize=9)
    figure.savefig(FIGURE, dpi=150, metadata={"Software": None})


def main() -> None:
    sys.path.insert(0, str(HERE.parent))
    from report import rewrite

    runs = read()
    train_missing(runs)
    lines = list(table(runs))
    print("\n".join(lines))
    rewrite(HERE.parent / "README.md", "quality", lines, writer="quality/responses.py")
    draw(runs)


if __name__ == "__main__":
    main()
