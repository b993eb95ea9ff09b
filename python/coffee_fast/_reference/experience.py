"""Twin of experience.hpp: the same episodes and decisions, one episode after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from coffee_fast._core import Purpose, Stream
from coffee_fast._reference.actor import ChooseAction, StartEpisode, choose_uniformly
from coffee_fast._reference.rng import sample_categorical
from coffee_fast.typing import Float32, Float64, LearningSeat, UInt8


def earned(learner: LearningSeat, paid: Sequence[float] | Float64) -> float:
    """What counts as gained where the seats are paid ``paid``."""
    seat, _, adversary_of = learner
    return float(paid[seat] if adversary_of is None else -paid[adversary_of])


@dataclass
class ExperienceOptions:
    """As in experience.hpp; opponents are a list of ways to choose and their probabilities, a seat each."""

    seed: int
    learning_seats: Sequence[Sequence[LearningSeat]]
    opponents: Sequence[tuple[Sequence[ChooseAction], Float64]]
    uncertainty_penalty: float = 0.0
    coverage_weight: float = 0.0


@dataclass
class Decisions:
    """A row a decision: information state, legal mask, action, reward up to the next, whether it is the seat's last."""

    states: list[Float32] = field(default_factory=list)
    masks: list[UInt8] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    is_last: list[int] = field(default_factory=list)
    episodes: list[int] = field(default_factory=list)

    def append(self, more: Decisions) -> None:
        for name, values in vars(self).items():
            values.extend(getattr(more, name))


def play_episode(
    start: StartEpisode, options: ExperienceOptions, learners: Sequence[ChooseAction], number: int
) -> tuple[dict[LearningSeat, Decisions], Float64, float, bool, list[int]]:
    """One episode: of each learning seat its decisions; returns ``[N]``, disagreement, whether it is coverage.

    And of each seat which policy of its mixture it plays, -1 where it learns and in coverage episodes.
    """

    def stream(purpose: Purpose, step: int = 0) -> Stream:
        return Stream(options.seed, purpose, 0, number, step)

    groups, num_players = options.learning_seats, len(options.opponents)
    group = groups[number % len(groups)]
    is_coverage = stream(Purpose.coverage).next_double() < options.coverage_weight
    learning = [group[number // len(groups) % len(group)]] if is_coverage else group
    own = {learner: Decisions() for learner in learning}
    by_seat = {learner[0]: learner for learner in learning}
    choices: list[ChooseAction] = []
    strategies: list[int] = []
    for seat, (policies, probabilities) in enumerate(options.opponents):
        drawn = sample_categorical(list(probabilities), stream(Purpose.strategy, seat).next_double())
        fixed = choose_uniformly if is_coverage else policies[drawn]
        choices.append(learners[by_seat[seat][1]] if seat in by_seat else fixed)
        strategies.append(-1 if is_coverage or seat in by_seat else drawn)
    episode, time, is_over = start(options.seed, 0, number), 0, False
    returns, total_disagreement = np.zeros(num_players), 0.0
    while not is_over:
        player = episode.player_to_act()
        if player == -1:
            draw = stream(Purpose.chance, time).next_double()
            action = sample_categorical(episode.chance_probabilities().tolist(), draw)
        else:
            state, mask = episode.information_state(), episode.legal_mask()
            action = choices[player](state, mask, stream(Purpose.action, time))
            if player in by_seat:
                own[by_seat[player]].append(Decisions([state], [mask], [action], [0.0], [0], [number]))
        rewards, disagreement, is_over = episode.step(action)
        time += 1
        returns += rewards
        total_disagreement += disagreement
        for learner, decisions in own.items():
            if decisions.rewards:  # what is paid before the first own decision is no decision's doing
                gain = 0.0 if is_coverage else earned(learner, rewards)
                decisions.rewards[-1] += gain - options.uncertainty_penalty * disagreement
    for decisions in own.values():
        if decisions.is_last:
            decisions.is_last[-1] = 1
    return own, returns, total_disagreement, is_coverage, strategies
