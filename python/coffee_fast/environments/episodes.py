"""Episodes that are stepped by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _core
from coffee_fast.checks import check_count
from coffee_fast.dynamics import Dynamics
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.seeding import check_seed
from coffee_fast.simulation import LARGEST_INT, check_dynamics
from coffee_fast.typing import Float32, Float64, Int32, UInt8

OVER = -2
MOST_EPISODES = 1_000_000


class Episodes:
    """Episodes of a game, a tree or a learned model, many at a time, for loops and learners of one's own.

    Chance moves by itself. Moves at once are made one seat after the other, none of them shown before all are made.
    Whoever always does what the policies of :func:`coffee_fast.simulate` do has the same episodes for the same seed.

    Parameters
    ----------
    dynamics
        What is played.
    num_episodes
        How many go on side by side, ``L``.
    seed
        Of all chance; they begin as its episodes 0 to ``L - 1``.

    Raises
    ------
    InvalidArgumentError
        For something that cannot be played, and for actions that are not legal.

    Notes
    -----
    Cost: a call of the kernel a step for all episodes.

    >>> import coffee_fast as cf
    >>> episodes = Episodes(cf.load_game("openspiel:kuhn_poker"), num_episodes=3, seed=0)
    >>> while not episodes.is_over.all():
    ...     rewards, _ = episodes.step([0, 0, 0])  # pass
    >>> episodes.returns.tolist()
    [[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]]
    """

    def __init__(self, dynamics: Dynamics, num_episodes: int, seed: int) -> None:
        check_dynamics("Episodes", "dynamics", dynamics)
        self.num_episodes = check_count("Episodes: num_episodes", num_episodes, at_least=1, at_most=MOST_EPISODES)
        self.spec = dynamics.spec
        self._core = _core.Episodes(dynamics.core, self.num_episodes, seed=check_seed(seed))
        self._num_begun = 0
        self.begin(range(self.num_episodes))

    @property
    def players(self) -> Int32:
        """``int32 [L]``: the seat on move, -2 where the episode is over."""
        return self._core.players()

    @property
    def is_over(self) -> NDArray[np.bool_]:
        """``bool [L]``."""
        return np.equal(self.players, OVER)

    @property
    def information_states(self) -> Float32:
        """``float32 [L, I]``: what the player on move knows, as policies take it; zeros where it is over."""
        return self._core.information_states()

    @property
    def legal_masks(self) -> UInt8:
        """``uint8 [L, A]``: what it may do; zeros where it is over."""
        return self._core.legal_masks()

    @property
    def observations(self) -> Float32:
        """``float32 [L, N, O]``: what all players see; zeros where it is over."""
        return self._core.observations()

    @property
    def returns(self) -> Float64:
        """``float64 [L, N]``: what was paid since the episodes began; in a model the mean over members."""
        return self._core.returns()

    def step(self, actions: Sequence[int] | Int32) -> tuple[Float64, Float64]:
        """Play one action in each episode.

        Parameters
        ----------
        actions
            ``int [L]``, legal ones; -1 leaves an episode where it is. In those that are over they may be anything.

        Returns
        -------
        float64 [L, N], float64 [L]
            What each player is paid up to the next decision, and what the members of a model disagree about.
        """
        return self._core.step(_integers("step: actions", actions, self.num_episodes).astype(np.int32))

    def begin(self, which: Sequence[int] | Int32 | None = None) -> None:
        """Begin anew, as the seed's next episodes.

        Parameters
        ----------
        which
            Numbers of places, from 0; None for all in which the episode is over.
        """
        places = np.flatnonzero(self.is_over) if which is None else _integers("begin: which", which)
        if len(np.unique(places)) < len(places) or not np.isin(places, np.arange(self.num_episodes)).all():
            raise InvalidArgumentError(
                f"Episodes.begin: which must be different numbers in [0, {self.num_episodes}), got {shown(which)}"
            )
        numbers = np.arange(self._num_begun, self._num_begun + len(places), dtype=np.uint64)
        self._core.begin(places.astype(np.int32), numbers)
        self._num_begun += len(places)

    def __repr__(self) -> str:
        return f"Episodes({shown(self.spec.name)}, {self.num_episodes} at a time)"


def _integers(name: str, values: Any, count: int | None = None) -> NDArray[np.int64]:
    """Return a row of integers, of that length where it is given."""
    try:
        array = np.asarray(values)
        is_row = array.ndim == 1 and (array.dtype.kind in "iu" or array.size == 0)
    except (TypeError, ValueError, OverflowError):
        is_row = False
    if not is_row or count not in (None, len(array)) or (array.size and np.abs(array).max() > LARGEST_INT):
        raise InvalidArgumentError(f"Episodes.{name} must be {count or 'some'} integers, got {shown(values)}")
    return array.astype(np.int64)
