"""Policies of a team that were learned from its log, with what the log says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from coffee_fast._sealed import SealedFolder
from coffee_fast.errors import CheckpointError, CoffeeError, shown
from coffee_fast.games import GameSpec
from coffee_fast.players import Player
from coffee_fast.policies import Mixture, NetworkPolicy
from coffee_fast.policy_files import policy_arrays, policy_from_arrays
from coffee_fast.teams.config import TeamConfig, from_config
from coffee_fast.typing import Float64

Status = Literal["complete", "off_log", "by_heart"]
MOST_OFF_LOG = 0.05  # of the probability of a decision that the log does not show
MOST_BY_HEART = 2.0  # times the error of values of decisions that they were learned from
LEAST_BY_HEART = 0.1  # of the scale of returns: a smaller error is none to speak of
_FOLDER = SealedFolder(
    kind="team_policies",
    json="team.json",
    tensors="team.safetensors",
    form={
        "spec": dict,
        "config": dict,
        "policies": [dict],
        "clones": [dict],
        "logged_return": float,
        "return_scale": float,
        "divergence": float,
        "off_log_probability": float,
        "num_episodes": int,
        "num_held_out": int,
    },
)
_NUMBERS = ("logged_return", "return_scale", "divergence", "off_log_probability", "num_episodes", "num_held_out")
_OF_PLAYERS = ("expected_return", "gap", "effective_sample_size", "training_error", "held_out_error")
_HISTORY = {"kl_weight": 1, "entropy_weight": 1, "value_error": 2, "policy_change": 2}  # and how many axes


@dataclass(frozen=True, eq=False)
class TeamPolicies:
    """One policy a player, which they play without talking; whatever takes a solution takes it.

    All figures are estimates by values learned from the log, in the game that the log shows, about the episodes that
    were kept out of learning; what the log never shows they know nothing of. A few hundred episodes or fewer networks
    can know by heart: then the return said can be far too high.

    Attributes
    ----------
    policies
        One a player, softmax networks.
    clones
        One a player: its own play in the log, cloned, where the policies began.
    spec, config
        The game; how it was learned.
    expected_return
        Discounted rewards of an episode, f64 ``[N]``: the team's, once by the values of each player. How far they lie
        apart is how far they can be trusted at best. Play that leaves the log is left out.
    logged_return
        What the log's players got in those episodes, discounted likewise.
    return_scale
        By how much returns of the episodes learned from deviate from each other.
    gap
        What each could add to the objective by another policy at one decision that it meets in the log, f64 ``[N]``;
        a mean over decisions, by the last weights, as what it learned of its actions has it.
    divergence
        Mean KL divergence of joint play from the log's at a decision.
    off_log_probability
        How likely a decision of joint play is one that the log does not show there (``support`` of the configuration).
    effective_sample_size
        Share of the decisions, f64 ``[N]``, that as good as remain once they are weighted by what the others now do.
    training_error, held_out_error
        Root mean squared error of the values behind ``expected_return``, f64 ``[N]`` in its units, of decisions that
        they were learned from and of those kept out, each weighted by what the others now do.
    num_episodes, num_held_out
        Episodes learned from, and judged by.
    history
        Figures of each sweep: ``kl_weight`` and ``entropy_weight`` ``[num_sweeps]``; ``value_error``, the mean squared
        error of values in units of the log's returns, and ``policy_change``, the mean total variation by which a
        policy moved, ``[num_sweeps, N]``.
    """

    policies: tuple[NetworkPolicy, ...]
    clones: tuple[NetworkPolicy, ...]
    spec: GameSpec
    config: TeamConfig
    expected_return: Float64
    logged_return: float
    return_scale: float
    gap: Float64
    divergence: float
    off_log_probability: float
    effective_sample_size: Float64
    training_error: Float64
    held_out_error: Float64
    num_episodes: int
    num_held_out: int
    history: Mapping[str, Float64]

    @property
    def status(self) -> Status:
        """``"off_log"``: one decision in 20 or more is one that the log does not show, so that figures are a guess.

        Else ``"by_heart"``: values are off by more than twice as much where episodes were kept out, so that the
        policies suit the episodes learned from, and the return said is too high; more episodes help, or fewer
        ``num_value_steps`` and ``num_judging_steps``. Else ``"complete"``: all sweeps were made; that they came to a
        fixed point, or to the best one, is not claimed.
        """
        if self.off_log_probability >= MOST_OFF_LOG:
            return "off_log"
        least = np.maximum(MOST_BY_HEART * self.training_error, LEAST_BY_HEART * self.return_scale)
        return "by_heart" if (self.held_out_error > least).any() else "complete"

    @property
    def about(self) -> str:
        """What the figures are about."""
        return (
            f"the game that {self.num_episodes} logged episodes show, by {self.num_held_out} others, with learned "
            "values; nothing is known of what the log never shows"
        )

    @cached_property
    def mixtures(self) -> tuple[Mixture, ...]:
        """The policies as something to play, one mixture a player."""
        return tuple(Mixture((policy,), np.ones(1)) for policy in self.policies)

    def player(self, seat: int | str, seed: int = 0) -> Player:
        """Return a player of this team; see :meth:`coffee_fast.Solution.player`."""
        return Player(self, seat, seed)

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the policies and figures to a new folder ``path``.

        Raises
        ------
        CheckpointError
            If ``path`` exists already, or with ``overwrite`` holds something else.
        """
        tensors: dict[str, NDArray[Any]] = {name: np.asarray(getattr(self, name)) for name in _OF_PLAYERS}
        tensors |= {f"history.{name}": np.ascontiguousarray(self.history[name]) for name in _HISTORY}
        described: dict[str, list[Any]] = {"policies": [], "clones": []}
        for kind, found in described.items():
            for player, policy in enumerate(getattr(self, kind)):
                description, arrays = policy_arrays(policy, f"{kind}{player}.")
                found.append(description)
                tensors |= arrays
        fields = {"spec": self.spec.to_json(), "config": self.config.to_config(), **described}
        _FOLDER.save(path, fields | {name: getattr(self, name) for name in _NUMBERS}, tensors, overwrite)

    @classmethod
    def load(cls, path: str | Path) -> TeamPolicies:
        """Read a folder that :meth:`save` wrote.

        Raises
        ------
        CheckpointError
            If a file is missing, damaged or not of a team, or its parts do not fit; the message names it.
        """
        fields, tensors = _FOLDER.load(path)
        file = Path(path) / _FOLDER.json
        try:
            figures: dict[str, Any] = {name: tensors[name] for name in _OF_PLAYERS}
            figures |= {name: fields[name] for name in _NUMBERS}
            team = cls(
                policies=_policies(fields, tensors, "policies"),
                clones=_policies(fields, tensors, "clones"),
                spec=GameSpec.from_json(fields["spec"]),
                config=from_config(fields["config"]),
                **figures,
                history={name: tensors[f"history.{name}"] for name in _HISTORY},
            )
        except (KeyError, TypeError, ValueError, CoffeeError) as error:
            raise CheckpointError(f"{file}: not a complete team ({error})") from None
        team._check(file)
        return team

    def _check(self, file: Path) -> None:
        N, sizes = self.spec.num_players, (self.spec.information_state_size, self.spec.num_actions)
        for policies in (self.policies, self.clones):
            if len(policies) != N or any((p.network.input_size, p.network.output_size) != sizes for p in policies):
                raise CheckpointError(f"{file}: must hold a network for each of {N} players of {shown(self.spec.name)}")
        for name in _OF_PLAYERS:
            if getattr(self, name).shape != (N,):
                raise CheckpointError(f"{file}: {name} must hold a number for each of {N} players")
        for name, num_axes in _HISTORY.items():
            if self.history[name].shape != (self.config.num_sweeps, N)[:num_axes]:
                raise CheckpointError(f"{file}: history of {name} must have an entry a sweep")

    def __repr__(self) -> str:
        return (
            f"TeamPolicies({shown(self.spec.name)}, {self.config.kind}, {self.spec.num_players} players, expected "
            f"return {self.expected_return.mean():.3g} (log: {self.logged_return:.3g}), off the log "
            f"{self.off_log_probability:.1%}, {self.status})"
        )


def _policies(fields: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]], kind: str) -> tuple[NetworkPolicy, ...]:
    found = [policy_from_arrays(one, tensors, f"{kind}{player}.") for player, one in enumerate(fields[kind])]
    if not all(isinstance(policy, NetworkPolicy) for policy in found):
        raise CheckpointError(f"{kind} must be networks")
    return tuple(policy for policy in found if isinstance(policy, NetworkPolicy))
