"""Episodes of a simulator by lanes, as the kernels ask for them; what the simulator returns is checked here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _core
from coffee_fast.errors import InvalidGameError, shown
from coffee_fast.games.lane_random import LaneRandom
from coffee_fast.games.lane_states import LaneStates
from coffee_fast.games.one_at_a_time import OneAtATime
from coffee_fast.games.spec import GameSpec
from coffee_fast.typing import Float32, Float64, Int32, UInt8, UInt64

Result = TypeVar("Result")
KINDS = {"integers": "iu", "finite numbers": "fiu", "True or False": "biu"}


class Rules:
    """A simulator with its specification: what batches of episodes share. One batch at a time calls the simulator."""

    def __init__(self, spec: GameSpec, simulator: Any) -> None:
        self.spec, self.simulator, self.lock = spec, simulator, threading.RLock()
        self.is_joint = spec.moves == "simultaneous"
        self.asks_player = not self.is_joint or spec.num_chance_actions > 0
        self.keeps_history = spec.history_start < spec.observation_size
        # The last row, number -1, is of a seat that has not chosen yet.
        self.move_vectors = np.vstack([spec.action_vectors, np.zeros_like(spec.action_vectors[:1])])


class SimulatedBatch:
    """``capacity`` lanes; the methods are those of ``Dynamics`` in dynamics.hpp, for arrays of lanes."""

    def __init__(self, rules: Rules, capacity: int) -> None:
        self.rules, self.spec, self.states_kept = rules, rules.spec, LaneStates(capacity)
        N, A = self.spec.num_players, self.spec.num_actions
        self.keys = np.zeros((capacity, 3), np.uint64)
        self.times = np.zeros(capacity, np.int64)
        self.players = np.zeros(capacity, np.int32)
        self.is_over = np.zeros(capacity, bool)
        self.choices = np.full((capacity, N), -1, np.int32)
        self.masks = np.zeros((capacity, N, A) if rules.is_joint else (capacity, A), np.uint8)
        if rules.keeps_history:
            size, length = self.spec.observation_size, self.spec.max_episode_length
            self.latest = np.zeros((capacity, N, size), np.float32)
            self.history = np.zeros((capacity, N, length, size - self.spec.history_start), np.float32)

    # ---- what the kernels ask -------------------------------------------------------------------------------------

    def reset(self, lanes: Int32, keys: UInt64) -> None:
        self.keys[lanes], self.times[lanes], self.is_over[lanes], self.choices[lanes] = keys, 0, False, -1
        if self.rules.keeps_history:
            self.history[lanes] = 0.0
        purpose, simulator = _core.Purpose.initial_state, self.rules.simulator
        state = self._call("reset", lanes, lambda part: simulator.reset(self._random(purpose, part)))
        self._keep("reset", lanes, state)
        self._look(lanes)

    def players_to_act(self, lanes: Int32) -> Int32:
        return self.players[lanes]

    def legal_masks(self, lanes: Int32) -> UInt8:
        if not self.rules.is_joint:
            return self.masks[lanes]
        players = self.players[lanes]
        masks = self.masks[lanes, players]
        masks[players < 0] = 0
        return masks

    def information_states(self, lanes: Int32) -> Float32:
        players = self.players[lanes]
        own = self._observations(lanes)[np.arange(len(lanes)), players]
        if self.rules.keeps_history:
            shown_after = self.history[lanes, players].reshape(len(lanes), -1)
            own = np.concatenate([own[:, : self.spec.history_start], shown_after], axis=1)
        own[players < 0] = 0.0
        return own

    def observations(self, lanes: Int32) -> Float32:
        return np.ascontiguousarray(self._observations(lanes).reshape(len(lanes), -1))

    def states(self, lanes: Int32) -> Float32:
        states = np.full((len(lanes), self.spec.state_size), self.spec.terminal_state_value, np.float32)
        is_running = ~self.is_over[lanes]
        running = lanes[is_running]
        if len(running) == 0:
            return states
        choices = self.rules.move_vectors[self.choices[running]].reshape(len(running), -1)
        hidden = choices if self.rules.is_joint else choices[:, :0]
        if hasattr(self.rules.simulator, "state_vector"):
            shape = (len(running), self.spec.state_size - hidden.shape[1])
            seen = self._asked("state_vector", running, shape, "finite numbers").astype(np.float32)
        else:
            seen = self._observations(running).reshape(len(running), -1)
        states[is_running] = np.concatenate([seen, hidden], axis=1)
        return states

    def chance_probabilities(self, lanes: Int32) -> Float64:
        shape = (len(lanes), self.spec.num_chance_actions)
        rows = self._asked("chance_probabilities", lanes, shape, "finite numbers").astype(np.float64)
        wrong = (rows < 0).any(axis=1) | (np.abs(rows.sum(axis=1) - 1.0) > 1e-6)
        if wrong.any():
            row = int(np.argmax(wrong))
            text = f"must be nonnegative and sum to 1, got {shown(rows[row].tolist())}"
            self._refuse("chance_probabilities", text, lanes[row])
        return rows

    def step(self, lanes: Int32, actions: Int32) -> tuple[Float64, UInt8]:
        rewards, terminal = np.zeros((len(lanes), self.spec.num_players)), np.zeros(len(lanes), np.uint8)
        plays, joint = np.ones(len(lanes), bool), actions
        if self.rules.is_joint:
            plays, joint = self._choose(lanes, actions)
        full = lanes[plays]
        if len(full):
            rewards[plays], terminal[plays] = self._advance(full, joint)
        self.times[lanes] += 1
        going = lanes[terminal == 0]
        too_long = self.times[going] >= self.spec.max_episode_length
        if too_long.any():
            text = (
                f"must say that it is over after max_episode_length = {self.spec.max_episode_length} moves or earlier"
            )
            self._refuse("step", text, going[np.argmax(too_long)])
        self._look(lanes[plays & (terminal == 0)])
        if self.rules.keeps_history:
            self.history[going, :, self.times[going] - 1] = self.latest[going, :, self.spec.history_start :]
        return rewards, terminal

    # ---- what they come to ----------------------------------------------------------------------------------------

    def _choose(self, lanes: Int32, actions: Int32) -> tuple[NDArray[np.bool_], Int32]:
        """Note what seats choose; return whose round is complete, with its choices (an outcome of chance in all)."""
        seats = self.players[lanes]
        is_chance = seats < 0
        self.choices[lanes[~is_chance], seats[~is_chance]] = actions[~is_chance]
        plays = is_chance | (seats == self.spec.num_players - 1)
        self.players[lanes[~plays]] += 1
        joint = np.where(is_chance[:, None], actions[:, None], self.choices[lanes])
        return plays, joint[plays]

    def _advance(self, lanes: Int32, actions: Int32) -> tuple[Float64, UInt8]:
        simulator, purpose, count = self.rules.simulator, _core.Purpose.transition, len(lanes)
        row_of, moves = np.zeros(len(self.keys), np.int64), actions.astype(np.int64)
        row_of[lanes] = np.arange(count)

        def play(part: Int32) -> Any:
            return simulator.step(self.states_kept.get(part), moves[row_of[part]], self._random(purpose, part))

        result = self._call("step", lanes, play)
        if not isinstance(result, tuple) or len(result) != 3:
            self._refuse("step", f"must return (state, rewards, done), got {shown(result)}")
        rewards = self._rows("step", result[1], (count, self.spec.num_players), "finite numbers", lanes, "rewards")
        done = self._rows("step", result[2], (count,), "True or False", lanes, "done").astype(np.uint8)
        early = (rewards != 0).any(axis=1) & (done == 0)
        if self.spec.rewards == "at_end" and early.any():
            text = "must pay nothing before the end of an episode of rewards 'at_end', got "
            row = int(np.argmax(early))
            text += f"{shown(rewards[row].tolist())}; say GameSpec(rewards='every_step')"
            self._refuse("step", text, lanes[row])
        self._keep("step", lanes, result[0])
        self.choices[lanes] = -1
        self.is_over[lanes] = done != 0
        return rewards.astype(np.float64), done

    def _look(self, lanes: Int32) -> None:
        """Ask who is on move in new states, what is legal and, where it is to be remembered, what is seen."""
        if len(lanes) == 0:
            return
        count, N, A = len(lanes), self.spec.num_players, self.spec.num_actions
        players = np.zeros(count, np.int32)
        if self.rules.asks_player:
            players = self._asked("player", lanes, (count,), "integers").astype(np.int32)
            wrong = (players < (-1 if self.spec.num_chance_actions else 0)) | (players >= N)
            if wrong.any():
                row, chance = int(np.argmax(wrong)), " or -1 for chance" * (self.spec.num_chance_actions > 0)
                self._refuse("player", f"must be a seat in [0, {N}){chance}, got {players[row]}", lanes[row])
            self._check_order(lanes, players)
            players = np.minimum(players, 0) if self.rules.is_joint else players
        masks = self._asked(
            "legal_actions", lanes, (count, N, A) if self.rules.is_joint else (count, A), "True or False"
        )
        is_stuck = (players >= 0) & ~masks.any(axis=-1).reshape(count, -1).any(axis=1)
        if is_stuck.any():
            self._refuse("legal_actions", "must allow an action to who is on move", lanes[np.argmax(is_stuck)])
        self.players[lanes] = players
        self.masks[lanes] = masks
        self.masks[lanes[players < 0]] = 0
        if self.rules.keeps_history:
            self.latest[lanes] = self._observed(lanes)

    def _check_order(self, lanes: Int32, players: Int32) -> None:
        if self.spec.turn_order == "predicted" or self.rules.is_joint:
            return
        wrong = (self.times[lanes] > 0) & (players != (self.players[lanes] + 1) % self.spec.num_players)
        if wrong.any():
            row = int(np.argmax(wrong))
            text = f"must be {(self.players[lanes[row]] + 1) % self.spec.num_players}, the next seat, in a game of "
            text += f"turn_order 'cyclic', got {players[row]}; say GameSpec(turn_order='predicted')"
            self._refuse("player", text, lanes[row])

    def _observations(self, lanes: Int32) -> Float32:
        return self.latest[lanes] if self.rules.keeps_history else self._observed(lanes)

    def _observed(self, lanes: Int32) -> Float32:
        shape = (len(lanes), self.spec.num_players, self.spec.observation_size)
        return self._asked("observe", lanes, shape, "finite numbers").astype(np.float32)

    # ---- calls into the simulator ---------------------------------------------------------------------------------

    def _random(self, purpose: _core.Purpose, lanes: Int32) -> LaneRandom:
        return LaneRandom(self.keys[lanes], purpose, self.times[lanes])

    def _asked(self, method: str, lanes: Int32, shape: tuple[int, ...], kind: str) -> NDArray[Any]:
        ask = getattr(self.rules.simulator, method)
        return self._rows(
            method, self._call(method, lanes, lambda part: ask(self.states_kept.get(part))), shape, kind, lanes
        )

    def _call(self, method: str, lanes: Int32, function: Callable[[Int32], Result]) -> Result:
        """Call the simulator; what it raises comes out with a note that says in which episode."""
        with self.rules.lock:
            try:
                return function(lanes)
            except Exception as error:
                where = self._where(*self._culprit(lanes, function))
                error.add_note(f"in {method} of the simulator of {shown(self.spec.name)}, {where}")
                raise

    def _culprit(self, lanes: Int32, function: Callable[[Int32], Any]) -> tuple[int, bool]:
        """The first lane that fails alone, and whether there is one."""
        if isinstance(self.rules.simulator, OneAtATime):
            return int(lanes[self.rules.simulator.row]), True
        for lane in lanes:
            try:
                function(np.array([lane], np.int32))
            except Exception:
                return int(lane), True
        return int(lanes[0]), False

    def _where(self, lane: int, is_known: bool = True) -> str:
        seed, profile, rollout = self.keys[lane].tolist()
        among = "in" if is_known else "among other episodes, none of which fails alone, the first"
        return (
            f"{among} the episode of seed {seed}, profile {profile}, rollout {rollout}, after {self.times[lane]} moves"
        )

    def _keep(self, method: str, lanes: Int32, state: Any) -> None:
        self.states_kept.put(f"{method} of the simulator of {shown(self.spec.name)}", lanes, state)

    def _rows(
        self, method: str, value: Any, shape: tuple[int, ...], kind: str, lanes: Int32, what: str = ""
    ) -> NDArray[Any]:
        """A row a lane of ``shape``, checked."""
        name = f"{what}: " if what else ""
        try:
            array = np.asarray(value)
        except (TypeError, ValueError):
            array = np.empty(0, object)
        if array.shape != shape or array.dtype.kind not in KINDS[kind]:
            self._refuse(method, f"{name}must be {kind} of shape {list(shape)}, a row an episode, got {shown(value)}")
        wrong = ~np.isfinite(array) if array.dtype.kind == "f" else np.zeros(shape, bool)
        if kind == "True or False" and array.dtype.kind != "b":
            wrong = (array != 0) & (array != 1)
        if wrong.any():
            place = np.argwhere(wrong)[0].tolist()
            at = f" at {place[1:]}" if len(place) > 1 else ""
            self._refuse(method, f"{name}must be {kind}, got {array[tuple(place)]}{at}", lanes[place[0]])
        return array

    def _refuse(self, method: str, text: str, lane: Any = None) -> NoReturn:
        where = "" if lane is None else f", {self._where(int(lane))}"
        raise InvalidGameError(f"{method} of the simulator of {shown(self.spec.name)} {text}{where}")
