"""What the networks of a model see of a log, and which of its rows teach them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import InvalidArgumentError
from coffee_fast.models.config import EnsembleConfig
from coffee_fast.typing import Float32, Int32, Int64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.games import GameSpec
    from coffee_fast.models.normalization import Normalizers


def draws_ends(spec: GameSpec, config: EnsembleConfig) -> bool:
    """Whether a model draws ends, movers and outcomes by their probabilities, or is the paper's.

    The paper's model knows games in strict turn that pay at the end, without chance.
    """
    is_papers = (spec.moves, spec.turn_order, spec.rewards) == ("turns", "cyclic", "at_end")
    if config.ends == "state" and not is_papers:
        raise InvalidArgumentError(
            "DynamicsEnsemble: ends='state' is for games whose players move strictly in turn and are paid at the end, "
            f"got moves={spec.moves!r}, turn_order={spec.turn_order!r}, rewards={spec.rewards!r}; say ends='auto'"
        )
    if config.history_source == "actions" and (spec.num_chance_actions or spec.moves == "simultaneous"):
        raise InvalidArgumentError(
            "DynamicsEnsemble: history_source='actions' would show players what is hidden from them, outcomes of "
            "chance or choices within a round; say history_source='observations'"
        )
    return config.ends == "probability" or config.needs_drawn_ends or not is_papers


def predicts_mover(spec: GameSpec) -> bool:
    """Whether a model that draws ends predicts who moves next; else it is the next seat."""
    return spec.num_chance_actions > 0 or (spec.turn_order == "predicted" and spec.moves == "turns")


def num_movers(spec: GameSpec) -> int:
    """Who may move next: the players and, where there is chance, chance last."""
    return spec.num_players + (spec.num_chance_actions > 0)


def as_class(spec: GameSpec, players: Int32) -> Int64:
    """``int64 [B]``: players by number, chance after them."""
    return np.where(players < 0, spec.num_players, players).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a log, by what they show.

    Attributes
    ----------
    player, next_player
        ``int32 [T]``: on move, and on move in the row after it (its own at a last row, where nobody is).
    acts
        ``bool [T]``: all but choices within a round of simultaneous moves, which are known without a network.
    goes_on
        ``bool [T]``: acts, and the next row shows what follows.
    """

    player: Int32
    next_player: Int32
    acts: NDArray[np.bool_]
    goes_on: NDArray[np.bool_]

    @classmethod
    def of(cls, dataset: TrajectoryDataset) -> Rows:
        """Sort out the rows of a dataset."""
        player, last = dataset.acting_player.astype(np.int32), dataset.trajectory_offsets[1:] - 1
        following = np.roll(player, -1)
        following[last] = player[last]
        acts = np.ones(len(player), dtype=bool)
        if dataset.spec.moves == "simultaneous":
            acts = (player < 0) | (player == dataset.spec.num_players - 1)
        goes_on = acts.copy()
        goes_on[last] = False
        return cls(player, following, acts, goes_on)


def broke_off(dataset: TrajectoryDataset) -> NDArray[np.bool_]:
    """``bool [T]``: last rows of truncated trajectories, whose next state nobody saw."""
    rows = np.zeros(dataset.num_transitions, dtype=bool)
    rows[dataset.trajectory_offsets[1:][dataset.truncated] - 1] = True
    return rows


def network_inputs(dataset: TrajectoryDataset, normalizers: Normalizers, *, draws: bool) -> Float32:
    """``float32 [T, K]``: normalized states and vectors of the actions taken.

    Where ends are drawn the mover (one-hot) and the vectors of outcomes of chance as well; zeros for an action and a
    mover where chance moves, and for an outcome where it does not.
    """
    spec, state = dataset.spec, normalizers.state(dataset.state)
    action, outcome = normalized_moves(dataset, normalizers)
    if not draws:
        return np.concatenate([state, action], axis=1)
    return np.concatenate([state, action, one_hot(dataset.acting_player, spec.num_players), outcome], axis=1)


def normalized_moves(
    dataset: TrajectoryDataset, normalizers: Normalizers, rows: Int64 | slice = slice(None)
) -> tuple[Float32, Float32]:
    """Normalized vectors of actions ``[R, V]`` and of outcomes ``[R, W]``; zeros for the one that a row has not."""
    spec = dataset.spec
    return _moves(dataset, rows, normalizers.action(spec.action_vectors), normalizers.chance(spec.chance_vectors))


def raw_moves(dataset: TrajectoryDataset, rows: Int64) -> tuple[Float32, Float32]:
    """The same as the game has them."""
    return _moves(dataset, rows, dataset.spec.action_vectors, dataset.spec.chance_vectors)


def _moves(
    dataset: TrajectoryDataset, rows: Int64 | slice, actions: Float32, outcomes: Float32
) -> tuple[Float32, Float32]:
    taken, is_chance = dataset.action[rows], dataset.acting_player[rows] < 0
    action = actions[np.where(is_chance, 0, taken)]
    action[is_chance] = 0.0
    outcome = np.zeros((len(taken), outcomes.shape[1]), dtype=np.float32)
    outcome[is_chance] = outcomes[taken[is_chance]]
    return action, outcome


def delta_inputs(dataset: TrajectoryDataset, inputs: Float32, rows: Rows) -> Float32:
    """``float32 [T, K']``: the inputs and, where it is predicted, who moves next (one-hot)."""
    if not predicts_mover(dataset.spec):
        return inputs
    following = one_hot(as_class(dataset.spec, rows.next_player), num_movers(dataset.spec))
    return np.concatenate([inputs, following], axis=1)


def shared_inputs(dataset: TrajectoryDataset, normalizers: Normalizers, *, draws: bool) -> Float32:
    """``float32 [T, D]``: normalized states; where ends are drawn the mover (one-hot) as well."""
    state = normalizers.state(dataset.state)
    return np.concatenate([state, one_hot(dataset.acting_player, dataset.spec.num_players)], axis=1) if draws else state


def one_hot(numbers: NDArray[Any], count: int) -> Float32:
    """``float32 [B, count]``: a one at each number; none at those out of range."""
    return np.asarray(numbers[:, None] == np.arange(count), dtype=np.float32)


def paying_rows(dataset: TrajectoryDataset) -> Int64:
    """``int64 [P]``: rows that may pay: the ends, or wherever the game may pay."""
    may_pay = dataset.terminal != 0 if dataset.spec.rewards == "at_end" else Rows.of(dataset).acts
    return np.flatnonzero(may_pay).astype(np.int64)


def pays(dataset: TrajectoryDataset) -> tuple[Int64, NDArray[np.bool_]]:
    """Rows that may pay, ``int64 [P]``, and which of them pay anybody anything, ``bool [P]``."""
    rows = paying_rows(dataset)
    return rows, (dataset.reward[rows] != 0).any(axis=1)


def rewarded_rows(dataset: TrajectoryDataset, config: EnsembleConfig) -> Int64:
    """``int64 [R]``: rows that teach rewards: those that may pay, or where payments have a probability, that pay."""
    rows, does_pay = pays(dataset)
    return rows[does_pay] if config.payments == "probability" else rows
