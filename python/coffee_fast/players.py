"""A player: a strategy that sits down at somebody's table, one decision at a time."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _core
from coffee_fast.action_probabilities import as_features
from coffee_fast.checks import check_choice, check_count
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.games import GameSpec
from coffee_fast.policies import NetworkPolicy, PerStepMixture, Policy, as_player
from coffee_fast.policy_tables import TablePolicy
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.typing import Float32, UInt8

MOST_SEATS = 127


class Player:
    """One seat of a game, played by a strategy; it acts exactly as the kernels do in simulations.

    At the start of each episode it draws one policy of its mixture and keeps it to the end. What it draws, and each
    action, is determined by the seed, the seat and the numbers of episode and decision.

    Parameters
    ----------
    strategy
        A solution, of which the player plays its own part; a mixture, a policy or a known name.
    seat
        Which player of the game it is, from 0, or by its name where the specification names players.
    seed
        In ``[0, 2**63)``.
    spec
        The game. May be left out where a network says how large the game is; observations cannot be taken then.

    Attributes
    ----------
    episode
        Number of the running episode, from 0; None before the first :meth:`reset`.
    drawn
        Which policy of the mixture this episode is played by.

    Raises
    ------
    InvalidArgumentError
        For a seat that the game does not have, or a strategy of another game.

    Notes
    -----
    Cost: of a decision, one forward pass of a single row, some tens of microseconds.

    >>> import coffee_fast as cf
    >>> game = cf.load_game("generalized_bargaining")
    >>> players = [Player("uniform_random", seat, seed=7, spec=game.spec) for seat in (0, 1)]
    >>> for player in players:
    ...     player.reset()
    >>> state = game.new_state(seed=1)
    >>> while not state.is_terminal():
    ...     seat = state.current_player()
    ...     state.apply_action(players[seat].act(state.information_state(seat), state.legal_actions()))
    >>> state.is_terminal()
    True
    """

    def __init__(self, strategy: Any, seat: int | str, seed: int, spec: GameSpec | None = None) -> None:
        self.spec = getattr(strategy, "spec", None) if spec is None else spec
        if not (self.spec is None or isinstance(self.spec, GameSpec)):
            raise InvalidArgumentError(f"player: spec must be a GameSpec, got {type(self.spec).__name__}")
        self.seed = check_seed(seed)
        num_seats = getattr(self.spec or getattr(strategy, "table", None), "num_players", MOST_SEATS)
        self.seat = seat_of("player: seat", seat, self.spec, num_seats)
        self.mixture = as_player(strategy, self.seat, num_seats)
        self._num_features, self._num_actions = _sizes(self.mixture.policies, self.spec)
        self.episode: int | None = None
        self.drawn: int | None = None

    def reset(self, episode: int | None = None) -> None:
        """Begin an episode: the next one, or the one of this number; its policy is drawn now."""
        following = 0 if self.episode is None else self.episode + 1
        try:
            number = following if episode is None else check_seed(episode)
        except InvalidArgumentError:
            raise InvalidArgumentError(
                f"reset: episode must be an integer in [0, 2**63), got {shown(episode)}"
            ) from None
        rng = np.random.Generator(np.random.PCG64(derive_seed(self.seed, "player", self.seat, number)))
        self.drawn = int(rng.choice(len(self.mixture.policies), p=self.mixture.probabilities))
        self.episode = number
        self._num_decisions = 0
        self._form: Literal["observation", "information state"] | None = None
        self._events: list[Float32] = []  # what each move so far showed
        self._num_positions = 0  # positions this player was shown
        self._since_own: int | None = None  # those since its own last decision

    def observe(self, observation: Any) -> None:
        """Take note of this player's observation where another player, or chance, is to move.

        Needed only if :meth:`act` is given observations that show the last move alone, so that one left out would
        leave a hole in what the player knows. Where all move at once each player acts in every round, and there is
        nothing to take note of but moves of chance between rounds.

        Parameters
        ----------
        observation
            ``[O]``, finite: this player's own observation, as in the log.
        """
        seen = self._observation("observe", observation)
        if self.spec is None or not _has_history(self.spec):
            return  # whatever it needs to know is in the observation at its own move
        if self.spec.moves == "simultaneous" and not self.spec.num_chance_actions:
            raise InvalidArgumentError(
                "observe: in this game all players move at once and act in every round, those too that have no choice: "
                "call act(observation, legal_actions) once a round"
            )
        self._look("observe", seen)
        if self._since_own is not None:
            self._since_own += 1

    def act(self, knowledge: Any, legal_actions: Any) -> int:
        """Return the action to play.

        Parameters
        ----------
        knowledge
            The information state ``[I]``, laid out as :class:`coffee_fast.GameSpec` says; or this player's observation
            ``[O]``, if every position since the start of the episode was shown to it: those where others moved by
            :meth:`observe`. That none was left out can be noticed only where the order of turns is known
            (``turn_order`` is ``"cyclic"``).
        legal_actions
            Action numbers, or a mask of 0 and 1, one entry an action. Of two actions, a list of integers is numbers.

        Raises
        ------
        InvalidArgumentError
            Before :meth:`reset`; for a wrong shape, a value that is not finite, no legal action; for an observation
            after positions that were not shown.
        """
        if self.episode is None:
            raise InvalidArgumentError("act: call reset() at the start of each episode first")
        mask = _mask(legal_actions, self._num_actions)
        information_state = self._information_state(knowledge)
        policy = self.mixture.policies[self.drawn or 0]
        seed = derive_seed(self.seed, "action", self.seat, self.episode, self._num_decisions)
        action = int(_core.choose_actions(policy.core, information_state[None], mask[None], seed)[0])
        self._num_decisions += 1
        self._since_own = 0
        return action

    def _information_state(self, knowledge: Any) -> Float32:
        spec = self.spec
        try:
            size = len(knowledge)
        except TypeError:
            size = None
        is_observation = spec is not None and _has_history(spec) and spec.observation_size == size
        if spec is None or not is_observation:
            wanted = f" (or an observation [{spec.observation_size}])" if spec else ""
            features = as_features(f"act: information_state{wanted}", knowledge, (self._num_features,))
            self._take_form("act", "information state")
            return features
        observation = self._observation("act", knowledge)
        self._check_nothing_skipped(spec)
        # In a round of moves at once the seats move in turn, and see the same all the while.
        before, after = (self.seat, spec.num_players - 1 - self.seat) if spec.moves == "simultaneous" else (0, 0)
        self._look("act", observation, 1 + before)
        known = np.zeros(spec.information_state_size, dtype=np.float32)
        values = np.concatenate([observation[: spec.history_start], *self._events])
        known[: len(values)] = values
        self._look("act", observation, after)
        return known

    def _observation(self, caller: str, observation: Any) -> Float32:
        if self.episode is None:
            raise InvalidArgumentError(f"{caller}: call reset() at the start of each episode first")
        if self.spec is None:
            raise InvalidArgumentError(
                f"{caller}: an observation needs the game's specification: make the player with spec=..., "
                "or pass information states to act"
            )
        return as_features(f"{caller}: observation", observation, (self.spec.observation_size,))

    def _look(self, caller: str, observation: Float32, num_positions: int = 1) -> None:
        """Keep what the last move showed, in so many positions; before the first move there is none."""
        assert self.spec is not None
        if self._num_positions + num_positions > self.spec.max_episode_length:
            raise InvalidArgumentError(
                f"{caller}: an episode has at most {self.spec.max_episode_length} moves; call reset() when one begins"
            )
        self._take_form(caller, "observation")
        is_first = self._num_positions == 0
        self._num_positions += num_positions
        self._events += [observation[self.spec.history_start :]] * (num_positions - is_first)

    def _check_nothing_skipped(self, spec: GameSpec) -> None:
        if spec.turn_order == "predicted" or spec.moves == "simultaneous":
            return  # who moves next, nobody can say from here
        others = spec.num_players - 1
        seen, first = self._since_own, self._since_own is None
        if (self._num_positions if first else seen) == others or (first and self._num_positions < others):
            return
        since = "the start of the episode" if first else "its last move"
        raise InvalidArgumentError(
            f"act: the players move in turn, so {'at most ' if first else ''}{others} moves of others come between "
            f"{since} and this one, but {self._num_positions if first else seen} were shown; call observe(observation) "
            "with this player's observation wherever another player is to move, or pass the information state to act"
        )

    def _take_form(self, caller: str, form: Literal["observation", "information state"]) -> None:
        if self._form not in (None, form):
            raise InvalidArgumentError(
                f"{caller}: this episode began with {self._form}s, go on with them: got an {form}; "
                "or call reset() if a new episode begins"
            )
        self._form = form

    def __repr__(self) -> str:
        return f"Player(seat {self.seat}, {len(self.mixture.policies)} policies, seed {self.seed})"


def _has_history(spec: GameSpec) -> bool:
    """Whether knowledge grows by what moves showed; else the latest observation is all there is to know."""
    return spec.history_start < spec.observation_size


def seat_of(name: str, seat: Any, spec: GameSpec | None, num_seats: int) -> int:
    """Return the number of a seat that is given by number or name; ``name`` is what messages call it."""
    if isinstance(seat, str) and spec is not None and spec.player_names:
        return spec.player_names.index(check_choice(name, seat, spec.player_names))
    return check_count(name, seat, at_most=num_seats - 1)


def network_sizes(policies: tuple[Policy, ...]) -> tuple[int, int] | None:
    """Return information state size and number of actions of the first network or table, if there is one."""
    for policy in policies:
        if isinstance(policy, NetworkPolicy):
            return policy.network.input_size, policy.network.output_size
        if isinstance(policy, TablePolicy):
            return policy.information_states.shape[1], policy.action_probabilities.shape[1]
        if isinstance(policy, PerStepMixture) and (found := network_sizes(policy.components)):
            return found
    return None


def _sizes(policies: tuple[Policy, ...], spec: Any) -> tuple[int, int]:
    found = network_sizes(policies)
    if spec is None:
        if found is None:
            raise InvalidArgumentError("player: no network or table says how large the game is, so spec must be given")
        return found
    wanted = spec.information_state_size, spec.num_actions
    if found not in (None, wanted):
        raise InvalidArgumentError(
            f"player: a policy from {found[0]} features to {found[1]} actions does not play {shown(spec.name)}, "
            f"which has {wanted[0]} and {wanted[1]}"
        )
    return wanted


def _mask(legal_actions: Any, num_actions: int) -> UInt8:
    """Return ``uint8 [A]`` of action numbers or of a mask."""
    try:
        given = np.asarray(legal_actions)
    except (TypeError, ValueError, OverflowError):
        given = np.asarray(None)
    if given.ndim == 1 and given.size == 0:
        raise InvalidArgumentError("act: legal_actions must hold an action, got none")
    if given.ndim != 1 or given.dtype.kind not in "bui" or not _are_actions(given, num_actions):
        raise InvalidArgumentError(
            f"act: legal_actions must be action numbers from 0 to {num_actions - 1}, or a mask [{num_actions}] of 0 "
            f"and 1 with a 1, got {shown(legal_actions)}"
        )
    if _is_mask(given, num_actions):
        return given.astype(np.uint8)
    mask = np.zeros(num_actions, dtype=np.uint8)
    mask[given] = 1
    return mask


def _is_mask(given: NDArray[Any], num_actions: int) -> bool:
    """Whether it is as long as a mask, of 0 and 1, and typed like one or repeating itself, as numbers do not."""
    if len(given) != num_actions or not ((given == 0) | (given == 1)).all():
        return False
    return given.dtype in (np.bool_, np.uint8) or len(np.unique(given)) < len(given)


def _are_actions(given: NDArray[Any], num_actions: int) -> bool:
    if _is_mask(given, num_actions):
        return bool(given.any())
    return given.dtype != np.bool_ and bool(((given >= 0) & (given < num_actions)).all())
