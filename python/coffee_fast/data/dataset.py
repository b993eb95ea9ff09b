"""Logged play: the trajectories that everything is learned from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.checks import check_flag, check_path
from coffee_fast.data.validation import (
    as_arrays,
    as_python,
    as_truncated,
    check_about,
    check_arrays,
)
from coffee_fast.errors import DatasetError, InvalidArgumentError
from coffee_fast.games import GameSpec
from coffee_fast.typing import Float32, Int8, Int32, Int64, UInt8

if TYPE_CHECKING:
    from coffee_fast.data.card import DatasetCard
    from coffee_fast.data.findings import DatasetCheck

ARRAYS = (  # and "truncated", where a trajectory is
    "trajectory_offsets",
    "state",
    "observation",
    "action",
    "acting_player",
    "legal_mask",
    "reward",
    "next_state",
    "terminal",
    "behavior_log_prob",
)


class TrajectoryDataset:
    """``N`` trajectories of a game, their ``T`` transitions one after another.

    Attributes
    ----------
    spec
        Sizes and layout of the game.
    trajectory_offsets
        ``int64 [N + 1]``: trajectory ``i`` has transitions ``trajectory_offsets[i]`` to ``trajectory_offsets[i + 1]``.
    state, next_state
        ``float32 [T, D]``: before and after the action; after the last one ``spec.terminal_state_value`` everywhere,
        unless the trajectory broke off.
    observation
        ``float32 [T, players, O]``: what each player sees before the action.
    action, acting_player
        ``int32 [T]``, ``int8 [T]``; where chance moves, its outcome and -1. Moves at once lie seat by seat.
    legal_mask
        ``uint8 [T, ceil(A / 8)]``: legal actions of the acting player, bit ``a % 8`` of byte ``a // 8``; none of
        chance.
    reward
        ``float32 [T, players]``: after the action; of moves at once, after the last of them.
    terminal
        ``uint8 [T]``: 1 for the last transition of each trajectory that came to its end.
    truncated
        ``bool [N]``: trajectories that broke off; they show moves, and not how the game ends.
    behavior_log_prob
        ``float32 [T]`` or None: logarithm of the probability with which the action was chosen.
    behavior, seed, is_mirrored, num_independent_episodes
        Who played, as the log's owner puts it; the seed, if it was generated; whether each episode is followed by its
        mirror image; how many episodes were really played.

    Any log that is well formed makes a dataset; whether a model can be learned from it is what :meth:`check` says.

    Raises
    ------
    DatasetError
        For arrays that are malformed or do not fit each other, naming trajectory and step.
    """

    trajectory_offsets: Int64
    state: Float32
    observation: Float32
    action: Int32
    acting_player: Int8
    legal_mask: UInt8
    reward: Float32
    next_state: Float32
    terminal: UInt8
    truncated: NDArray[np.bool_]
    behavior_log_prob: Float32 | None

    def __init__(
        self,
        spec: GameSpec,
        arrays: Mapping[str, NDArray[Any]],
        *,
        behavior: str = "",
        seed: int | None = None,
        is_mirrored: bool = False,
        num_independent_episodes: int | None = None,
    ) -> None:
        if not isinstance(spec, GameSpec):
            raise InvalidArgumentError(f"TrajectoryDataset: spec must be a GameSpec, got {type(spec).__name__}")
        arrays = as_arrays(arrays)
        check_arrays(spec, arrays)
        self.spec = spec
        for name in ARRAYS:
            array = np.array(arrays[name], order="C") if name in arrays else None
            if array is not None:
                array.flags.writeable = False
            setattr(self, name, array)
        self.truncated = as_truncated(arrays, len(self.trajectory_offsets) - 1)
        self.truncated.flags.writeable = False
        self.behavior = behavior
        self.seed = as_python(seed)
        self.is_mirrored = check_flag("is_mirrored", is_mirrored, error=DatasetError)
        num_episodes = self.num_trajectories // (2 if self.is_mirrored else 1)
        self.num_independent_episodes = num_episodes if num_independent_episodes is None else num_independent_episodes
        self.num_independent_episodes = as_python(self.num_independent_episodes)
        self._check_about()

    def validate(self) -> None:
        """Check everything again; ``DatasetError`` names the first fault. A dataset was checked when it was made."""
        check_arrays(self.spec, self.arrays)
        self._check_about()

    def _check_about(self) -> None:
        check_about(self.spec, self.arrays, self.behavior, self.seed, self.is_mirrored, self.num_independent_episodes)

    def check(self, terminal_threshold: float = 0.5) -> DatasetCheck:
        """Look for what would lead a model of this log astray; it runs by itself before every fit.

        A dataset that :meth:`validate` passes is well formed; this asks whether a model learned from it would be one
        of the game that was played, and says what to do where it would not.

        Parameters
        ----------
        terminal_threshold
            That of the :class:`EnsembleConfig` with which a model is to be learned, in units of the state.

        Returns
        -------
        DatasetCheck
            Its findings, ``refused`` and ``warnings``, each with place, consequence and remedy.

        Notes
        -----
        Refused are logs that their specification contradicts (rewards before the end of a game that pays ``"at_end"``,
        players out of a ``"cyclic"`` turn order), logs of which no trajectory ends, states nearer to
        ``terminal_state_value`` than ``terminal_threshold``, payoffs that never differ; and seats of one role that
        differ by what only the rules can bring about: who moves first (by a tenth of a
        fair share or more), the legal actions at the first move, sets of actions never shared where no ``legal_mask``
        says that they could be, payoffs at the same end. Seats are refused where chance makes them so unlike with
        probability below 1e-6, and warned of below 1e-4; unequal returns, which unlike players may bring about, are
        only warned of. Mirrored logs pass these by what they store. Cost: milliseconds for 20,000 transitions.

        >>> import coffee_fast as cf
        >>> log = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=40, seed=0)
        >>> log.check().is_learnable
        True
        """
        from coffee_fast.data.check import check_log

        return check_log(self, terminal_threshold)

    def mirrored(self) -> TrajectoryDataset:
        """Return each trajectory followed by its mirror image, the same play with the players exchanged.

        For a log of a symmetric two-player game in which the seats were not drawn, one player always having opened,
        say. Actions keep their numbers; the exchange of states is ``state_swap`` and ``state_flip`` of the game.

        Raises
        ------
        InvalidGameError
            If the game is not symmetric, has not two players, or does not say how states are exchanged.
        DatasetError
            If the log is mirrored already.

        >>> import coffee_fast as cf
        >>> log = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=5, mirrored=False)
        >>> log.mirrored()
        TrajectoryDataset(generalized_bargaining, 10 trajectories, 90 transitions)
        """
        from coffee_fast.data.mirror import interleave_mirrored

        if self.is_mirrored:
            raise DatasetError("mirrored: the dataset is mirrored already, each episode is followed by its image")
        return TrajectoryDataset(
            self.spec,
            interleave_mirrored(self.spec, self.arrays),
            behavior=self.behavior,
            seed=self.seed,
            is_mirrored=True,
            num_independent_episodes=self.num_independent_episodes,
        )

    @property
    def num_trajectories(self) -> int:
        """Stored trajectories, mirror images included."""
        return len(self.trajectory_offsets) - 1

    @property
    def num_transitions(self) -> int:
        """``T``: actions of all players, and of chance, in all trajectories."""
        return len(self.action)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, those that are there."""
        found = {name: getattr(self, name) for name in ARRAYS if getattr(self, name) is not None}
        return found | ({"truncated": self.truncated.astype(np.uint8)} if self.truncated.any() else {})

    def legal_masks(self) -> UInt8:
        """``uint8 [T, A]``: one byte of 0 or 1 for every action."""
        return np.unpackbits(self.legal_mask, axis=1, count=self.spec.num_actions, bitorder="little")

    def information_states(self) -> Float32:
        """``float32 [T, I]``: what the acting player knew before each action, laid out as policies take it.

        The part of its observation before ``history_start``, then the rest of its observations after the 1st, 2nd, ...
        move; zeros where no move was made yet. Where chance is on move, the information state is player 0's.
        """
        from coffee_fast.data.information import information_states

        return information_states(self)

    def select(self, trajectories: NDArray[Any]) -> TrajectoryDataset:
        """The dataset of these trajectories, in this order; mirrored if every episode comes with its image."""
        from coffee_fast.data.selection import select

        return select(self, trajectories)

    def split(self, fraction: float, seed: int) -> tuple[TrajectoryDataset, TrajectoryDataset]:
        """Keep about ``fraction`` of the trajectories out: ``(the others, those kept out)``, at least one in each.

        An episode and its mirror image stay together.
        """
        from coffee_fast.data.selection import split

        return split(self, fraction, seed)

    def to_frame(self, features: bool = False) -> Any:
        """Return a pandas data frame with one row a move: who did what, in names where there are names, and the pay.

        With ``features`` also states, observations and legal actions, an entry a column.

        Raises
        ------
        DatasetError
            Where pandas is not installed.
        """
        from coffee_fast.data.frames import frame_of

        return frame_of(self, features)

    def describe(self) -> DatasetCard:
        """Figures a reader wants before trusting the log; ``str()`` of it is a card."""
        from coffee_fast.data.card import DatasetCard

        return DatasetCard.of(self)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of game and content, in hexadecimal; who played it and how it was seeded do not enter."""
        about = {"game": self.spec.to_json(), "is_mirrored": self.is_mirrored}
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        for name, array in self.arrays.items():
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write a new folder, all at once; with ``overwrite`` a dataset that is at ``path`` gives way.

        It is of format 1, or of format 2 if there is in it what format 1 did not know.
        """
        from coffee_fast.data.io import save_dataset

        save_dataset(self, check_path("TrajectoryDataset.save: path", path), overwrite)

    @classmethod
    def load(cls, path: str | Path) -> TrajectoryDataset:
        """Read and check a folder that :meth:`save` wrote; ``DatasetError`` names file and place of any damage."""
        from coffee_fast.data.io import load_dataset

        return load_dataset(path)

    @classmethod
    def from_transitions(
        cls,
        spec: GameSpec | None,
        transitions: Any,
        *,
        columns: Mapping[str, Any] | None = None,
        chance: Any = None,
        **about: Any,
    ) -> TrajectoryDataset:
        """Build a dataset from a log of one's own; see :func:`coffee_fast.data.from_transitions`."""
        from coffee_fast.data.convert import from_transitions

        return from_transitions(spec, transitions, columns=columns, chance=chance, **about)

    def __repr__(self) -> str:
        counts = f"{self.num_trajectories} trajectories, {self.num_transitions} transitions"
        return f"TrajectoryDataset({self.spec.name}, {counts})"
