"""A seat of a game or a model as a vector environment of Gymnasium, the others played by policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

from coffee_fast.dynamics import Dynamics
from coffee_fast.environments.episodes import OVER, Episodes
from coffee_fast.errors import InvalidGameError
from coffee_fast.policies import Mixture
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.typing import Float32, Float64

MOST_WITHOUT = 1000  # episodes, one after another, in which the player never moves
Step = tuple[Float32, Float64, Any, Any, dict[str, Any]]


class AgainstPolicies(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """See :func:`coffee_fast.environments.to_gymnasium`."""

    def __init__(self, game: Dynamics, player: int, others: Sequence[Mixture], num_envs: int) -> None:
        spec = game.spec
        self.game, self.player, self._others = game, player, others
        self.num_envs = num_envs
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}
        self.single_observation_space = gymnasium.spaces.Box(
            -np.inf, np.inf, (spec.information_state_size,), np.float32
        )
        self.single_action_space = gymnasium.spaces.Discrete(spec.num_actions)
        batch = gymnasium.vector.utils.batch_space
        self.observation_space = batch(self.single_observation_space, num_envs)
        self.action_space = batch(self.single_action_space, num_envs)
        self._begin(0)

    def _begin(self, seed: int) -> None:
        self._episodes = Episodes(self.game, self.num_envs, seed)
        self._random = np.random.Generator(np.random.PCG64(derive_seed(seed, "others")))
        self._is_new = True
        self._is_done = np.zeros(self.num_envs, bool)
        self._drawn = np.zeros((self.num_envs, len(self._others)), np.int64)
        self._draw(np.arange(self.num_envs))
        self._wait_for_player(np.arange(self.num_envs))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32, dict[str, Any]]:
        """Begin all episodes: the first of a seed, or the next ones where none is given."""
        if seed is not None:
            self._begin(check_seed(seed))
        elif not self._is_new:
            self._begin_again(np.arange(self.num_envs))
        self._is_new = False
        self._is_done[:] = False
        return self._episodes.information_states, self._infos()

    def step(self, actions: Any) -> Step:
        """Play the actions, and the others' until the player is on move again; what was over begins anew instead."""
        self._is_new = False
        goes_on = ~self._is_done
        paid, disagreement = self._episodes.step(np.where(goes_on, np.asarray(actions), -1))
        later, more = self._play_others(goes_on)
        self._begin_again(np.flatnonzero(self._is_done))
        self._is_done = goes_on & self._episodes.is_over
        rewards = np.where(goes_on, (paid + later)[:, self.player], 0.0)
        infos = self._infos() | {"disagreement": np.where(goes_on, disagreement + more, 0.0)}
        return self._episodes.information_states, rewards, self._is_done.copy(), np.zeros(self.num_envs, bool), infos

    def _infos(self) -> dict[str, Any]:
        return {"action_mask": self._episodes.legal_masks.astype(np.int8)}

    def _draw(self, places: Any) -> None:
        """Draw each other's policy for whole episodes."""
        for seat, mixture in enumerate(self._others):
            weights = mixture.probabilities
            self._drawn[places, seat] = self._random.choice(len(weights), size=len(places), p=weights)

    def _begin_again(self, places: Any) -> None:
        if len(places):
            self._episodes.begin(places)
            self._draw(places)
            self._wait_for_player(places)

    def _wait_for_player(self, places: Any) -> None:
        """Let the others begin; an episode that ends before the player ever moves gives way to the next."""
        for _ in range(MOST_WITHOUT):
            if not len(places):
                return
            chosen = np.zeros(self.num_envs, bool)
            chosen[places] = True
            self._play_others(chosen)
            places = places[self._episodes.is_over[places]]
            if len(places):
                self._episodes.begin(places)
                self._draw(places)
        raise InvalidGameError(
            f"to_gymnasium: player {self.player} was not on move in {MOST_WITHOUT} episodes; is it ever?"
        )

    def _play_others(self, chosen: Any) -> tuple[Float64, Float64]:
        """Play until the player is on move, or nobody, in the chosen places; return what was paid, and doubted."""
        paid, unsure = np.zeros((self.num_envs, self.game.spec.num_players)), np.zeros(self.num_envs)
        while True:
            players = self._episodes.players
            waiting = chosen & (players != OVER) & (players != self.player)
            if not waiting.any():
                return paid, unsure
            actions = np.full(self.num_envs, -1)
            states, masks = self._episodes.information_states, self._episodes.legal_masks
            for seat in np.unique(players[waiting]):
                for number in np.unique(self._drawn[waiting & (players == seat), seat]):
                    rows = np.flatnonzero(waiting & (players == seat) & (self._drawn[:, seat] == number))
                    policy = self._others[seat].policies[number]
                    chances = np.cumsum(policy.probabilities(states[rows], masks[rows]), axis=1)
                    drawn = self._random.random((len(rows), 1)) * chances[:, -1:]
                    actions[rows] = (chances > drawn).argmax(axis=1)
            more, doubt = self._episodes.step(actions)
            paid, unsure = paid + more, unsure + doubt
