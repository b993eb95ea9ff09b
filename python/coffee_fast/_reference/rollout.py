"""Twin of rollout.hpp: episodes one by one, action by action."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from coffee_fast._reference.policy import Decision, choose_action
from coffee_fast._reference.rng import Stream, sample_categorical
from coffee_fast.policies import Mixture
from coffee_fast.typing import Float32

STRATEGY, ACTION, CHANCE = 2, 3, 8  # Purpose


class Episode(Protocol):
    """A running episode of a game; chance is player -1, whose probabilities only games with chance have."""

    def is_terminal(self) -> bool: ...
    def current_player(self) -> int: ...
    def chance_probabilities(self) -> list[float]: ...
    def information_state(self, player: int) -> Float32: ...
    def legal_actions(self) -> list[int]: ...
    def apply_action(self, action: int) -> None: ...
    def returns(self) -> list[float]: ...


@dataclass
class Rollout:
    """One episode: what each player drew, the actions, and the returns."""

    strategies: list[int]
    actions: list[int] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)


def rollout(episode: Episode, players: list[Mixture], seed: int, profile: int, number: int) -> Rollout:
    """Play episode ``number`` of a profile: each player draws a policy, then a stream a move its action."""
    drawn = [
        sample_categorical(
            mixture.probabilities.tolist(), Stream(seed, STRATEGY, profile, number, player).next_double()
        )
        for player, mixture in enumerate(players)
    ]
    result = Rollout(drawn)
    while not episode.is_terminal():
        player = episode.current_player()
        if player == -1:
            stream = Stream(seed, CHANCE, profile, number, len(result.actions))
            outcome = sample_categorical(episode.chance_probabilities(), stream.next_double())
            result.actions.append(outcome)
            episode.apply_action(outcome)
            continue
        decision = Decision(episode.information_state(player), episode.legal_actions())
        stream = Stream(seed, ACTION, profile, number, len(result.actions))
        action = choose_action(players[player].policies[drawn[player]], decision, stream)
        result.actions.append(action)
        episode.apply_action(action)
    result.returns = episode.returns()
    return result
