"""What is made of a log, and what each method claims of it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from _games import Game, num_iterations, solve_tree

import coffee_fast as cf

SHARE_OF_UNIFORM, ANCHOR, STEP = 0.05, 0.1, 0.03  # in the reference; what leaving it costs, and steps, by reward_scale
WEIGHTS = (0.2, 0.4, 0.6, 0.8)  # of the cloned policy in OEF-BC
BEST = cf.EnsembleConfig.preset("best")
CLONING = cf.BehaviorCloningConfig(hidden_sizes=(64, 64), num_steps=3000, batch_size=128, learning_rate=1e-3)
SELF_PLAY = cf.SelfPlayConfig(
    hidden_sizes=(64, 64),
    num_updates=100,
    num_episodes=1000,
    judge=cf.PolicyGradient(hidden_sizes=(64, 64), num_updates=40),
)
PSRO = cf.PSROConfig(
    num_iterations=8,
    num_simulations=500,
    objective=cf.ConservativeObjective(uncertainty_penalty=0.5, coverage_weight=0.1, anneal_iterations=4),
    response=cf.DDQN(
        hidden_sizes=(64, 64),
        num_steps=10_000,
        replay_capacity=10_000,
        min_replay=500,
        epsilon_decay_steps=5_000,
    ),
)
Found = tuple[Any, dict[str, Any]]  # one strategy a player, and figures of the search


@dataclasses.dataclass(frozen=True)
class Log:
    """A log, and what several methods make of it; models are kept in the game's folder."""

    game: Game
    behavior: str
    size: int
    seed: int

    @cached_property
    def dataset(self) -> cf.TrajectoryDataset:
        profiles = self.game.profiles(self.behavior)
        return cf.generate_dataset(self.game.play, behavior=profiles, num_trajectories=self.size, seed=self.seed)

    @cached_property
    def tree(self) -> cf.GameTree:
        return cf.GameTree.from_dataset(self.dataset)

    @cached_property
    def cautious_tree(self) -> cf.GameTree:
        """The tree in which what was never seen pays the least."""
        return self.tree.penalized(1.0)

    @cached_property
    def clones(self) -> tuple[Any, ...]:
        """One policy a role."""
        return cf.clone_roles(self.dataset, CLONING, self.seed)

    @cached_property
    def model(self) -> cf.DynamicsEnsemble:
        folder = self._folder
        if not folder.exists():
            begin = time.process_time()
            cf.DynamicsEnsemble.fit(self.dataset, BEST, seed=self.seed).save(folder)
            folder.with_suffix(".seconds").write_text(str(time.process_time() - begin))
        return cf.DynamicsEnsemble.load(folder)

    @cached_property
    def _folder(self) -> Path:
        return self.game.cache / f"model-{self.dataset.fingerprint[:16]}-{self.seed}"

    @cached_property
    def oef(self) -> Any:
        return cf.oef(self.model, PSRO, self.seed)

    def of_model(self) -> dict[str, Any]:
        """What the fit says of itself, and the processor time it took."""
        report = self.model.fit_report
        seconds = float(self._folder.with_suffix(".seconds").read_text())
        reasons = (
            [f"{reason.level}: {reason.text}"[:200] for reason in report.verdict.reasons] if report.verdict else []
        )
        verdict = report.verdict.level if report.verdict else None
        return {"verdict": verdict, "reasons": reasons[:4], "fit_seconds": round(seconds, 1)}


def frequencies(log: Log) -> Found:
    """What each player did how often, by what it knew; uniform play where it never was."""
    return list(cf.behavior_frequencies(log.dataset)), {}


def cloning(log: Log) -> Found:
    roles = log.dataset.spec.roles
    return [policy for policy, size in zip(log.clones, roles, strict=True) for _ in range(size)], {}


def tree_of_log(log: Log, uncertainty_penalty: float = 0.0) -> Found:
    """Its claim is its regret in the tree in which it was found; for bounds see what is said of every profile."""
    profile = solve_tree(log.tree, uncertainty_penalty)
    return profile.mixtures, {"claimed": profile.nash_conv}


def near_the_players(log: Log) -> Found:
    """Anchored to what was logged, so that players who could as well do otherwise do what others did."""
    tree, share = log.tree, 1.0 - SHARE_OF_UNIFORM
    reference = [
        cf.PerStepMixture((policy, cf.UniformRandom()), (share, SHARE_OF_UNIFORM)) for policy in frequencies(log)[0]
    ]
    profile = cf.mirror_descent(
        tree,
        reference=reference,
        kl_weight=ANCHOR * tree.reward_scale,
        step_size=STEP / tree.reward_scale,  # small, as descents with the usual ones may circle around an equilibrium
        num_iterations=num_iterations(tree),
        uncertainty_penalty=1.0,
        num_evaluations=1,
    )
    return profile.mixtures, {"claimed": profile.nash_conv}


def self_play(log: Log) -> Found:
    return _claims(cf.anchored_self_play(log.model, SELF_PLAY, log.seed), log.of_model())


def self_play_near_the_players(log: Log) -> Found:
    """From what the players did on, and near to it."""
    near = dataclasses.replace(SELF_PLAY, reference="cloned")
    return _claims(cf.anchored_self_play(log.model, near, log.seed, reference=log.clones), log.of_model())


def self_play_in_tree(log: Log) -> Found:
    return _claims(cf.anchored_self_play(log.tree, SELF_PLAY, log.seed), {})


def self_play_in_true_game(log: Log) -> Found:
    """What the search makes of the game itself, whatever was logged: the rest is the model's."""
    return _claims(cf.anchored_self_play(log.game.play, SELF_PLAY, log.seed), {})


def coffee_psro(log: Log) -> Found:
    return _extracted(cf.coffee_psro(log.model, PSRO, log.seed), log)


def oef(log: Log) -> Found:
    return _extracted(log.oef, log)


def oef_bc(log: Log) -> Found:
    """The weight is the one of least regret in the tree of the log; what each has in the true game is noted, too."""
    found = {weight: cf.oef_bc(log.oef, log.model, log.clones, weight) for weight in WEIGHTS}
    solved = {weight: result.solve(cf.meta_solvers.GANE()) for weight, result in found.items()}
    inside = {weight: float(cf.exact_regret(log.tree, one.mixtures).nash_conv) for weight, one in solved.items()}
    true = {weight: float(cf.exact_regret(log.game.tree, one.mixtures).nash_conv) for weight, one in solved.items()}
    chosen = min(WEIGHTS, key=lambda weight: inside[weight])
    by_weight = {str(weight): [inside[weight], true[weight]] for weight in WEIGHTS}
    mixtures, figures = _claims(solved[chosen], log.of_model())
    return mixtures, figures | {"weight": chosen, "by_weight": by_weight, "nash_conv_best": min(true.values())}


def _extracted(result: Any, log: Log) -> Found:
    """By GANE, whose solutions lean least on small differences of payoffs; R2D's regret, too."""
    by_default = cf.exact_regret(log.game.tree, result.solve().mixtures)
    mixtures, figures = _claims(result.solve(cf.meta_solvers.GANE()), log.of_model())
    return mixtures, figures | {"nash_conv_r2d": float(by_default.nash_conv)}


def _claims(solution: Any, figures: dict[str, Any]) -> Found:
    claims = {
        "claimed": float(solution.pessimistic_regret.sum()),
        "model_regret": float(solution.model_regret.sum()),
    }
    return solution.mixtures, claims | figures


TRUE_GAME = "true game, solved"
METHODS: dict[str, Callable[[Log], Found]] = {
    "frequencies": frequencies,
    "cloning": cloning,
    "tree of the log": tree_of_log,
    "tree of the log, penalty 1": partial(tree_of_log, uncertainty_penalty=1.0),
    "tree of the log, near its players": near_the_players,
    "self-play in the model": self_play,
    "self-play in the model, near its players": self_play_near_the_players,
    "COffeE-PSRO": coffee_psro,
    "OEF": oef,
    "OEF-BC": oef_bc,
    "self-play in the tree": self_play_in_tree,
    "self-play in the true game": self_play_in_true_game,
}
CHEAP, OF_MODEL = tuple(METHODS)[:5], tuple(METHODS)[5:10]
