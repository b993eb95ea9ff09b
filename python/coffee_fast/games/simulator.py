"""Games of your own, written in Python: a simulator of many episodes at a time, or of one."""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _core
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.games.lane_random import LaneRandom
from coffee_fast.games.one_at_a_time import OneAtATime
from coffee_fast.games.simulated_batch import Rules, SimulatedBatch
from coffee_fast.games.spec import GameSpec
from coffee_fast.games.true_game import TrueGame
from coffee_fast.typing import Float64, Int64

METHODS = ("reset", "legal_actions", "observe", "step")
MOST_DEPTH = 6  # to which attributes of attributes tell simulators apart


class Simulator(Protocol):
    """The rules of a game, for ``L`` episodes at a time.

    A state is whatever you like that is made of arrays with ``L`` rows: a dict, a dataclass, a tuple, or an array. The
    object itself keeps nothing between calls, since episodes come in any number and order.

    Optional are ``chance_probabilities(state)``, ``float [L, C]``, where the specification has outcomes of chance; and
    ``state_vector(state)``, ``float [L, D]``, what a log shows of the state. Without it that is the observations of all
    players, side by side. The choices of a round of simultaneous moves always come after it.
    """

    def reset(self, random: LaneRandom) -> Any:
        """Return the states in which ``len(random)`` episodes begin."""
        ...

    def player(self, state: Any) -> NDArray[Any]:
        """Return who is on move, ``int [L]``; -1 for chance. Not asked where only simultaneous moves are made."""
        ...

    def legal_actions(self, state: Any) -> NDArray[Any]:
        """Return what is legal, ``bool [L, A]``, or ``[L, N, A]`` if moves are simultaneous."""
        ...

    def observe(self, state: Any) -> NDArray[Any]:
        """Return what each player sees, ``float [L, N, O]``."""
        ...

    def step(self, state: Any, actions: Int64, random: LaneRandom) -> tuple[Any, Float64, NDArray[Any]]:
        """Return the states after ``actions``, rewards ``float [L, N]`` and which episodes are over, ``bool [L]``.

        ``actions`` is ``int64 [L]``, chance's outcomes among them; ``[L, N]`` where moves are simultaneous, an outcome
        of chance then in all of a row.
        """
        ...


class SimulatorGame(TrueGame):
    """A game whose rules are a simulator in Python; make it with :func:`from_simulator`."""

    def __init__(self, spec: GameSpec, simulator: Any, rules: Rules) -> None:
        self.spec, self.simulator = spec, simulator
        self.core = _core.PythonDynamics(
            partial(SimulatedBatch, rules),
            num_players=spec.num_players,
            num_actions=spec.num_actions,
            num_chance_outcomes=spec.num_chance_actions,
            state_size=spec.state_size,
            observation_size=spec.observation_size,
            information_state_size=spec.information_state_size,
            max_episode_length=spec.max_episode_length,
        )

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 (hex) of the specification and of what the simulator is; see :func:`from_simulator`."""
        told = getattr(self.simulator, "fingerprint", None)
        about = told if isinstance(told, str) else _identity(self.simulator)
        text = json.dumps([self.spec.to_json(), about], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def __repr__(self) -> str:
        return f"from_simulator({shown(self.spec.name)}, {shown(self.simulator)})"


def from_simulator(spec: GameSpec, simulator: Any) -> SimulatorGame:
    """Make a game of a simulator of your own; it plays wherever a game does.

    Parameters
    ----------
    spec
        Sizes, and who moves and is paid when. ``state_size`` must be ``N * O`` (plus ``N * V`` where moves are
        simultaneous), unless the simulator has ``state_vector``.
    simulator
        A :class:`coffee_fast.games.Simulator`, which advances many episodes at a time. Or, slower, a class whose
        objects play one episode each, a function that makes such objects, or one of them, to be copied:
        ``reset(seed)`` returns the observations ``[N, O]``; ``step(action)``, of a tuple where moves are simultaneous,
        returns ``(observations, rewards [N], done)``; the attribute ``player`` says who is on move, ``legal_actions``
        which actions are legal (a list, or ``A`` booleans; one a player where moves are simultaneous), and
        ``chance_probabilities``, in games with chance, how likely each outcome is.

    Returns
    -------
    SimulatorGame
        With the attributes of any dynamics. ``reward_scale`` is the deviation of payoffs under uniform random play.
        ``fingerprint``, by which folders of runs know the game, is of the specification and the simulator's class, its
        source text, and those of its attributes that are numbers, texts, arrays or made of such; give the simulator a
        text of that name where this does not tell two of yours apart.

    Raises
    ------
    InvalidArgumentError
        For something that is no simulator.
    InvalidGameError
        For sizes that do not fit; and while it is played, for what the simulator returns where it is not what was
        asked: with the episode and its move. What the simulator raises itself comes out with such a note.

    Notes
    -----
    Same seed, same bits, for any number of threads and episodes at a time, as long as all randomness comes from
    ``random`` (or the seed of an episode). Calls of one game never overlap, so threads gain little. Cost: half a
    million moves a second where the simulator is some ten operations on arrays; some 30,000 of one episode at a time.

    >>> import coffee_fast as cf
    >>> class Coins:
    ...     def reset(self, random):
    ...         return {"moves": np.zeros(len(random), int)}
    ...     def legal_actions(self, state):
    ...         return np.ones((len(state["moves"]), 2, 2), bool)
    ...     def observe(self, state):
    ...         return np.ones((len(state["moves"]), 2, 1))
    ...     def step(self, state, actions, random):
    ...         won = np.where(actions[:, 0] == actions[:, 1], 1.0, -1.0)
    ...         return state, np.stack([won, -won], axis=1), np.ones(len(won), bool)
    >>> sizes = dict(num_players=2, num_actions=2, action_vectors=np.eye(2), state_size=6, observation_size=1)
    >>> spec = cf.GameSpec("coins", **sizes, history_start=1, max_episode_length=2, moves="simultaneous")
    >>> cf.simulate(from_simulator(spec, Coins()), ["uniform_random"] * 2, num_episodes=100, seed=0).returns.shape
    (100, 2)
    """
    if not isinstance(spec, GameSpec):
        raise InvalidArgumentError(f"from_simulator: spec must be a GameSpec, got {shown(spec)}")
    rules = Rules(spec, _vectorized(spec, simulator))
    _check_size(rules)
    return SimulatorGame(spec, simulator, rules)


def _vectorized(spec: GameSpec, simulator: Any) -> Any:
    """The simulator itself where it is one of many episodes at a time, else one made of many of its kind."""
    is_class = isinstance(simulator, type)
    if is_class or not _has(simulator, "observe"):
        if _has(simulator, "reset", "step"):
            if is_class and _has(simulator, "observe"):
                raise InvalidArgumentError(
                    f"from_simulator: simulator must be an object, got the class {simulator.__name__[:60]}; call it"
                )
            return OneAtATime(spec, simulator if is_class else partial(copy.deepcopy, simulator))
        if inspect.isroutine(simulator) or isinstance(simulator, partial):
            return OneAtATime(spec, simulator)
    wanted = [*METHODS]
    wanted += ["player"] * (spec.moves == "turns" or spec.num_chance_actions > 0)
    wanted += ["chance_probabilities"] * (spec.num_chance_actions > 0)
    missing = [name for name in wanted if is_class or not _has(simulator, name)]
    if missing:
        raise InvalidArgumentError(
            f"from_simulator: simulator must have the methods {', '.join(wanted)}, of many episodes at a time, or be a "
            f"class of reset and step, an object an episode; got {shown(simulator)}, without {', '.join(missing)}"
        )
    return simulator


def _has(value: Any, *names: str) -> bool:
    try:
        return all(callable(getattr(value, name, None)) for name in names)
    except Exception:  # what a stranger's attribute does
        return False


def _check_size(rules: Rules) -> None:
    spec = rules.spec
    players, seen, moves = spec.num_players, spec.observation_size, spec.action_vectors.shape[1]
    choices = players * moves if rules.is_joint else 0
    if not hasattr(rules.simulator, "state_vector") and spec.state_size != players * seen + choices:
        parts = f"the observations of all players, {players} times {seen}"
        parts += f", and the choices of a round, {players} times {moves}" if choices else ""
        raise InvalidGameError(
            f"from_simulator: spec.state_size must be {players * seen + choices} ({parts}), got {spec.state_size}; "
            f"or give the simulator a state_vector(state) of shape [L, {max(spec.state_size - choices, 0)}]"
        )


def _identity(value: Any, depth: int = 0) -> Any:
    """What tells a value from others, as plain JSON: numbers, texts, arrays, what is made of them, and source texts."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray | np.generic) and np.asarray(value).dtype.kind != "O":
        array = np.asarray(value)
        return [str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
    kind = value if isinstance(value, type) or inspect.isroutine(value) else type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if depth == MOST_DEPTH:
        return name
    if isinstance(value, Mapping):
        return {str(key): _identity(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_identity(item, depth + 1) for item in value]
    if isinstance(value, partial):
        return [_identity(part, depth + 1) for part in (value.func, value.args, value.keywords)]
    sources = [_source(part) for part in (kind.__mro__ if isinstance(kind, type) else (kind,))]
    attributes = {} if kind is value else getattr(value, "__dict__", {})
    return [name, sources, _identity(attributes, depth + 1)]


def _source(kind: Any) -> str | None:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):  # typed at a prompt, or compiled
        return None
