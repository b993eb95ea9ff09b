"""What to play against others who play as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.checks import check_count, check_number
from coffee_fast.games import GameSpec, GameTree
from coffee_fast.players import Player, seat_of
from coffee_fast.policies import Mixture, Policy, as_profile
from coffee_fast.policy_tables import TablePolicy
from coffee_fast.responses.base import OneOrMoreOracles, ResponseOracle, as_oracles
from coffee_fast.responses.ddqn import DDQN
from coffee_fast.responses.objective import ResponseObjective
from coffee_fast.responses.policy_gradient import PolicyGradient
from coffee_fast.responses.request import ResponseRequest
from coffee_fast.responses.side_by_side import respond_side_by_side
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.simulation import check_dynamics, reward_scale, simulate
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics


@dataclass(frozen=True, eq=False, repr=False)
class BestResponse:
    """A policy for one seat, and what it earns there against the others.

    Attributes
    ----------
    policy
        What to play.
    seat
        For which player, from 0.
    payoff, standard_error
        What it earns an episode; in a model as the model says. Measured on fresh episodes, or exact, with error 0.
    payoff_before, standard_error_before
        What the seat's own part of ``against`` earns there.
    disagreement
        What a model's members disagree about an episode of it; 0 in games.
    found_by
        The oracle that found it, or ``"exact"``.
    spec
        The game.
    """

    policy: Policy
    seat: int
    payoff: float
    standard_error: float
    payoff_before: float
    standard_error_before: float
    disagreement: float
    found_by: str
    spec: GameSpec

    def __repr__(self) -> str:
        earns = f"{self.payoff:.4g} ± {self.standard_error:.2g} in place of {self.payoff_before:.4g}"
        return f"BestResponse({self.spec.name!r}, seat {self.seat}: {earns}, found by {self.found_by})"

    @property
    def gain(self) -> float:
        """How much more it earns than what the seat's part of ``against`` did."""
        return self.payoff - self.payoff_before

    def player(self, seed: int = 0) -> Player:
        """Return a player of it: ``reset()`` before each episode, then ``act(knowledge, legal_actions)``."""
        return Player(self.policy, self.seat, seed, self.spec)


def best_response(
    game: Dynamics,
    against: Any,
    player: int | str,
    seed: int,
    *,
    response: OneOrMoreOracles | None = None,
    uncertainty_penalty: float = 1.0,
    num_simulations: int = 4000,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
) -> BestResponse:
    """Find what a player should play against others who play as they are: people cloned from a log, say.

    It is no equilibrium: whoever is played against so may notice, and change.

    Parameters
    ----------
    game
        A game, a tree or a learned model. In a tree the answer is exact; in a log's, moves that nobody made pay the
        mean of the least and the most, less ``uncertainty_penalty`` times half their distance.
    against
        A solution, one strategy that all play (:func:`coffee_fast.clone_behavior` gives one), or a list of one a seat.
    player
        The seat that answers, from 0, or its name.
    seed
        In ``[0, 2**63)``.
    response
        The oracle to train, or a list, of whose answers the best is taken; double DQN and policy gradients by default.
        Not asked in a tree.
    uncertainty_penalty
        Reward lost per unit of what a model's members disagree about; in a log's tree 1 stands for the least.
    num_simulations
        Episodes by which answers are compared, and as many again by which the best is measured.
    num_threads
        Threads, 0 for all cores; the result does not depend on it.
    progress
        Called as the training goes on.

    Raises
    ------
    InvalidArgumentError
        For something that cannot be played, a seat that is not there, strategies that do not fit; in a tree for
        players who forget.
    NumericalError
        If a network left the finite numbers.

    Notes
    -----
    Cost: a training an oracle, a minute or two at the defaults; linear in the nodes of a tree.

    >>> import coffee_fast as cf
    >>> found = best_response(cf.load_game("openspiel:kuhn_poker"), "uniform_random", player=1, seed=0)
    >>> round(found.payoff, 4), round(found.payoff_before, 4), found.found_by
    (0.4167, -0.125, 'exact')
    """
    check_dynamics("best_response", "game", game)
    seed = check_seed(seed)
    profile = as_profile(against, game.spec.num_players)
    seat = seat_of("best_response: player", player, game.spec, game.spec.num_players)
    penalty = check_number("best_response: uncertainty_penalty", uncertainty_penalty)
    if isinstance(game, GameTree):
        return _exact(game.penalized(penalty), profile, seat)
    oracles = as_oracles("best_response: response", (DDQN(), PolicyGradient()) if response is None else response)
    count = check_count("best_response: num_simulations", num_simulations, at_least=2)
    num_threads = check_count("best_response: num_threads", num_threads)
    scale = reward_scale(game, derive_seed(seed, "reward_scale"), num_threads)
    requests = [
        ResponseRequest(oracle, game, tuple(profile), ResponseObjective(penalty), derive_seed(seed, kind), scale, seat)
        for oracle, kind in zip(oracles, _kinds(oracles), strict=True)
    ]
    found = respond_side_by_side(requests, num_threads, progress)

    def played(policy: Any, purpose: str) -> tuple[float, float, float]:
        """What the seat earns, its standard error and the members' disagreement."""
        seats: list[Any] = [*profile[:seat], policy, *profile[seat + 1 :]]
        episodes = simulate(game, seats, num_episodes=count, seed=derive_seed(seed, purpose), num_threads=num_threads)
        own = episodes.returns[:, seat]
        return float(own.mean()), float(own.std(ddof=1) / np.sqrt(count)), float(episodes.disagreement.mean())

    compared = [played(answer.policy, "compare") for answer in found]
    best = int(np.argmax([payoff - penalty * unsure for payoff, _, unsure in compared]))
    payoff, error, unsure = played(found[best].policy, "measure")
    before, error_before, _ = played(profile[seat], "measure")
    name = _kinds(oracles)[best]
    return BestResponse(found[best].policy, seat, payoff, error, before, error_before, unsure, name, game.spec)


def _kinds(oracles: Sequence[ResponseOracle]) -> list[str]:
    """Their kinds, numbered where one recurs."""
    kinds = [str(getattr(oracle, "kind", type(oracle).__name__)) for oracle in oracles]
    numbers = [kinds[: place + 1].count(kind) for place, kind in enumerate(kinds)]
    return [f"{kind} {number}" if kinds.count(kind) > 1 else kind for kind, number in zip(kinds, numbers, strict=True)]


def _exact(tree: GameTree, profile: list[Mixture], seat: int) -> BestResponse:
    tree.check_recall("best_response")
    sequences = sum(
        tree.sequence_probabilities("best_response", player, strategy) for player, strategy in enumerate(profile)
    )
    payoff, actions = tree.core.best_response(np.asarray(sequences), seat)
    before = tree.core.profile_values(np.asarray(sequences)).reshape(tree.spec.num_players, -1)[seat].mean()
    own = np.flatnonzero(tree.information_set_players == seat)
    policy = TablePolicy(tree.information_states[own], np.eye(tree.spec.num_actions)[actions[own]])
    return BestResponse(policy, seat, payoff, 0.0, float(before), 0.0, 0.0, "exact", tree.spec)
