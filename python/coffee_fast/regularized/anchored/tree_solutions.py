"""What mirror descent in a game tree returns: play, its certificate, and the way there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast._sealed import SealedFolder
from coffee_fast.errors import CheckpointError, CoffeeError, shown
from coffee_fast.games import GameSpec
from coffee_fast.policies import Mixture
from coffee_fast.policy_files import policy_arrays, policy_from_arrays
from coffee_fast.policy_tables import TablePolicy
from coffee_fast.stage_games.status import Status
from coffee_fast.typing import Float64

_FOLDER = SealedFolder(
    kind="anchored_profile",
    json="profile.json",
    tensors="profile.safetensors",
    form={"spec": dict, "status": str, "num_iterations": int, "kl_weight": float},
)
_TABLE = {"policy": "table"}
_FIGURES = ("values", "regret", "gap")
_HISTORY = ("iteration", "kl_weight", "nash_conv", "gap", "entropy", "kl")


@dataclass(frozen=True, eq=False)
class AnchoredProfile:
    """One policy a player of a game tree, with exact figures that say how good they are.

    Whatever takes a solution takes it: ``simulate``, :func:`coffee_fast.exact_regret`, :class:`coffee_fast.Player`.

    Attributes
    ----------
    policies
        A :class:`coffee_fast.TablePolicy` a player, of its information sets.
    spec
        The game.
    values
        What each player earns, without penalties: f64 ``[N]``.
    regret
        What each could gain in the tree by leaving the profile alone, against all policies there are, penalties left
        out: f64 ``[N]``. Of a tree from a log, :func:`coffee_fast.exact_regret` has bounds.
    gap
        The most that each could gain, in payoff less KL penalty, by deviating at one information set, given that it is
        reached: f64 ``[N]``. It is zero for all exactly at the fixed point of the descent, and if the KL counts in
        rewards that is a Nash equilibrium of the game with penalties: by any policy a player then gains at most its
        gap times the decisions that it makes in an episode.
    kl_weight
        The weight that the gap is about: the last, as the reference is.
    status
        ``"converged"``: every gap is within the tolerance and, where the reference moved, every regret too;
        ``"max_iterations"``: some is not.
    num_iterations
        Steps taken.
    history
        What was found on the way, one entry a time that it was looked at: ``"iteration"`` int64 ``[E]``, steps taken
        before; ``"kl_weight"``, ``"nash_conv"`` (regret summed) and ``"gap"`` (the largest), f64 ``[E]``; ``"entropy"``
        and ``"kl"`` (to the reference), means over the decisions that each player meets, f64 ``[E, N]``.
    """

    policies: tuple[TablePolicy, ...]
    spec: GameSpec
    values: Float64
    regret: Float64
    gap: Float64
    kl_weight: float
    status: Status
    num_iterations: int
    history: Mapping[str, NDArray[Any]]

    @cached_property
    def mixtures(self) -> tuple[Mixture, ...]:
        """The profile as something to play, one mixture a player."""
        return tuple(Mixture((policy,), np.ones(1)) for policy in self.policies)

    @property
    def nash_conv(self) -> float:
        """``regret`` summed over players; 0 at a Nash equilibrium."""
        return float(self.regret.sum())

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the profile to a new folder ``path``: its numbers as safetensors, the rest as JSON.

        Raises
        ------
        CheckpointError
            If ``path`` exists already, or with ``overwrite`` is no profile.
        """
        tensors = {name: np.asarray(getattr(self, name)) for name in _FIGURES}
        tensors |= {f"history.{name}": np.asarray(self.history[name]) for name in _HISTORY}
        for player, policy in enumerate(self.policies):
            tensors |= policy_arrays(policy, f"player{player}.")[1]
        fields = {
            "spec": self.spec.to_json(),
            "status": self.status,
            "num_iterations": self.num_iterations,
            "kl_weight": self.kl_weight,
        }
        _FOLDER.save(path, fields, tensors, overwrite)

    @classmethod
    def load(cls, path: str | Path) -> AnchoredProfile:
        """Read a folder that :meth:`save` wrote.

        Raises
        ------
        CheckpointError
            If a file is missing, damaged or not of a profile, or its parts do not fit; the message names it.
        """
        fields, tensors = _FOLDER.load(path)
        file = Path(path) / _FOLDER.json
        try:
            spec = GameSpec.from_json(fields["spec"])
            players = range(spec.num_players)
            policies = [policy_from_arrays(_TABLE, tensors, f"player{player}.") for player in players]
            profile = cls(
                policies=tuple(policy for policy in policies if isinstance(policy, TablePolicy)),
                spec=spec,
                **{name: tensors[name] for name in _FIGURES},
                kl_weight=float(fields["kl_weight"]),
                status=fields["status"],
                num_iterations=fields["num_iterations"],
                history={name: tensors[f"history.{name}"] for name in _HISTORY},
            )
        except (KeyError, TypeError, ValueError, CoffeeError) as error:
            raise CheckpointError(f"{file}: not a complete profile ({error})") from None
        sizes = (spec.information_state_size, spec.num_actions)
        for player, policy in enumerate(profile.policies):
            if (policy.information_states.shape[1], policy.action_probabilities.shape[1]) != sizes:
                raise CheckpointError(f"{file}: the policy of player {player} is not of {shown(spec.name)}")
        for name in _FIGURES:
            if getattr(profile, name).shape != (spec.num_players,):
                raise CheckpointError(f"{file}: {name} must hold a number for each of {spec.num_players} players")
        return profile

    def __repr__(self) -> str:
        return (
            f"AnchoredProfile({shown(self.spec.name)}, NashConv {self.nash_conv:.3g}, gap {self.gap.max():.3g} at "
            f"kl_weight {self.kl_weight:.3g}, {self.status} after {self.num_iterations} iterations)"
        )
