"""The games, their exact trees, and who played the logs."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from pathlib import Path
from typing import Any

import _prices
import numpy as np

import coffee_fast as cf

# Names of OpenSpiel's; moves at once are made one by one, the later ones without sight of the earlier.
OPENSPIEL = {
    "Kuhn poker": "kuhn_poker",
    "tiny Hanabi": "tiny_hanabi",
    "Kuhn poker, 3 players": "kuhn_poker(players=3)",
    "goofspiel, 4 cards": "goofspiel(imp_info=True,num_cards=4,points_order=descending)",
    "Leduc poker": "leduc_poker",
    "first-price auction": "first_sealed_auction",
    "goofspiel, 5 cards": "goofspiel(imp_info=True,num_cards=5,points_order=descending)",
    "liar's dice": "liars_dice(numdice=1)",
    "bargaining, 2 turns": "bargaining(max_turns=2)",
    "Leduc poker, 3 players": "leduc_poker(players=3)",
}
PRICING = "repeated pricing"
NAMES = (*list(OPENSPIEL)[:4], PRICING, *list(OPENSPIEL)[4:])  # from small to large
LARGE = ("liar's dice", "bargaining, 2 turns", "Leduc poker, 3 players")  # trees of 3e5 nodes and more
BEHAVIORS = ("uniform", "half trained", "near equilibrium", "mixture")

# Descents of which the one counts that leaves least regret in the tree it was made in: no other tree is asked.
# Weights in units of the scale of rewards.
DESCENTS: tuple[dict[str, Any], ...] = (
    {"kl_weight": 1.0, "final_kl_weight": 0.01},
    {"kl_weight": 1.0, "final_kl_weight": 0.001},
    {"kl_weight": 0.1, "reference_period": 100},
)
NODES_VISITED = {"game": 4e7, "log": 1.5e7}  # by a descent in the tree of either
FEWEST_ITERATIONS, MOST_ITERATIONS = 300, 10_000
HALF_TRAINED = 0.5  # weight of the divergence from uniform play at which half-trained players stopped


def num_iterations(tree: cf.GameTree) -> int:
    """Of a descent of some seconds."""
    visited = NODES_VISITED["game" if tree.log is None else "log"]
    return int(np.clip(visited / tree.num_nodes, FEWEST_ITERATIONS, MOST_ITERATIONS))


def solve_tree(tree: cf.GameTree, uncertainty_penalty: float = 0.0) -> Any:
    """Solve a tree as well as some seconds allow."""
    found = []
    for settings in DESCENTS:
        scaled = {name: value * tree.reward_scale if "weight" in name else value for name, value in settings.items()}
        more = {
            "num_iterations": num_iterations(tree),
            "uncertainty_penalty": uncertainty_penalty,
            "num_evaluations": 1,
        }
        found.append(cf.mirror_descent(tree, **scaled, **more))
    return min(found, key=lambda profile: profile.nash_conv)


@dataclasses.dataclass(frozen=True)
class Game:
    """A game: ``play`` to log it, ``tree`` to judge in; and its players, kept in a folder."""

    name: str
    cache: Path

    @cached_property
    def tree(self) -> cf.GameTree:
        return _prices.tree() if self.name == PRICING else cf.GameTree(f"openspiel:{OPENSPIEL[self.name]}")

    @cached_property
    def play(self) -> Any:
        return _prices.game() if self.name == PRICING else self.tree

    @cached_property
    def half_trained(self) -> Any:
        """What players come to who stop while leaving uniform play still costs much."""
        return cf.mirror_descent(self.tree, kl_weight=HALF_TRAINED * self.tree.reward_scale, num_iterations=200)

    @cached_property
    def solved(self) -> Any:
        """The best that the solver finds in the true game."""
        folder = self.cache / f"solved-{self.tree.fingerprint[:16]}-{cf.__version__}"
        if not folder.exists():
            solve_tree(self.tree).save(folder)
        return type(self.half_trained).load(folder)

    def profiles(self, behavior: str) -> list[Any]:
        """The profiles of which one is drawn for each logged episode."""
        uniform = ("uniform_random",) * self.tree.spec.num_players
        known = {
            "uniform": lambda: [uniform],
            "half trained": lambda: [self.half_trained.mixtures],
            "near equilibrium": lambda: [self.solved.mixtures],
            "mixture": lambda: [uniform, self.half_trained.mixtures, self.solved.mixtures],
        }
        return known[behavior]()

    def logged(self, behavior: str) -> Any:
        """What those who were logged do, each player's draw taken apart from the others': one mixture a player."""
        seats = zip(*self.profiles(behavior), strict=True)
        return [_mixed([cf.policies.as_mixture(strategy) for strategy in seat]) for seat in seats]


def _mixed(mixtures: list[Any]) -> Any:
    policies = tuple(policy for mixture in mixtures for policy in mixture.policies)
    weights = np.concatenate([mixture.probabilities for mixture in mixtures]) / len(mixtures)
    return cf.Mixture(policies, weights)
