"""Twin of rollout.hpp: episodes of the true game one by one, action by action."""

from __future__ import annotations

from dataclasses import dataclass, field

from coffee_fast._reference.generalized_bargaining import Episode
from coffee_fast._reference.policy import Decision, choose_action
from coffee_fast._reference.rng import Stream, sample_categorical
from coffee_fast.policies import Mixture

STRATEGY, ACTION = 2, 3  # Purpose


@dataclass
class Rollout:
    """One episode: what each player drew, the actions, and the returns."""

    strategies: list[int]
    actions: list[int] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)


def rollout(players: list[Mixture], seed: int, profile: int, number: int, discount: float) -> Rollout:
    """Play episode ``number`` of a profile: each player draws a policy, then a stream a decision draws its action."""
    episode = Episode.draw(seed, profile, number, discount)
    drawn = [
        sample_categorical(
            mixture.probabilities.tolist(), Stream(seed, STRATEGY, profile, number, player).next_double()
        )
        for player, mixture in enumerate(players)
    ]
    result = Rollout(drawn)
    while not episode.is_terminal():
        player = episode.current_player()
        decision = Decision(episode.information_state(player), episode.legal_actions())
        stream = Stream(seed, ACTION, profile, number, len(result.actions))
        action = choose_action(players[player].policies[drawn[player]], decision, stream)
        result.actions.append(action)
        episode.apply_action(action)
    result.returns = episode.returns()
    return result
