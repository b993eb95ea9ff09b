"""A best response by ``dqn.DQN`` of OpenSpiel 2.0, its PyTorch agent, at the settings of :class:`coffee_fast.DDQN`.

The agent is stepped as OpenSpiel does it, at its own moves and at the end of each episode, but over our compiled game:
OpenSpiel's ``rl_environment`` over the same rules in Python takes longer, and none of it is the agent's. Two things
differ and cost the agent less: its target takes the maximum of one network, and its acting one state at a time is timed
at the mean exploration of the learning phase.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from open_spiel.python.pytorch import dqn
from open_spiel.python.rl_environment import StepType, TimeStep

import coffee_fast as cf

COPY = float(np.nextafter(np.float32(1), np.float32(0)))  # the agent's soft update takes no 1


@dataclass
class Learner:
    """The agent in seat 0, against uniform random play in seat 1."""

    config: cf.DDQN
    reward_scale: float
    epsilon: float
    seed: int = 0
    returns: list[float] = field(default_factory=list)
    num_steps: int = 0

    def __post_init__(self) -> None:
        config = self.config
        self.game = cf.load_game("generalized_bargaining")
        self.chance = random.Random(self.seed)
        self.agent = dqn.DQN(
            player_id=0,
            state_representation_size=self.game.spec.information_state_size,
            num_actions=self.game.num_actions,
            hidden_layers_sizes=config.hidden_sizes,
            batch_size=config.batch_size,
            replay_buffer_capacity=config.replay_capacity,
            learning_rate=config.learning_rate,
            update_target_network_every=config.target_period,
            weight_update_coeff=COPY,
            learn_every=config.learn_period,
            discount_factor=config.discount,
            min_buffer_size_to_learn=config.min_replay,
            epsilon_start=self.epsilon,
            epsilon_end=self.epsilon,
            optimizer_str="adam",
            loss_str="mse",
            epsilon_decay_schedule_str="linear",
            seed=self.seed,
        )

    def fill(self) -> None:
        """Play at random until the agent may learn, its clock standing still."""
        previous: tuple[TimeStep, int] | None = None

        def record(step: TimeStep) -> int | None:
            nonlocal previous
            if previous is not None:
                self.agent.add_transition(*previous, step)
            if step.last():
                previous = None
                return None
            previous = (step, self.chance.choice(step.observations["legal_actions"][0]))
            return previous[1]

        while self.agent.replay_buffer is None or len(self.agent.replay_buffer) < self.config.min_replay:
            self._episode(record)

    def learn(self, num_steps: int) -> float:
        """Train for so many more decisions; return the seconds of processor time each took."""
        before, started = self.num_steps, time.process_time()
        while self.num_steps < before + num_steps:
            self._episode(self._step)
        return (time.process_time() - started) / (self.num_steps - before)

    def _step(self, step: TimeStep) -> int | None:
        output = self.agent.step(step)
        if output is None:
            return None
        self.num_steps += 1
        return int(output.action)

    def _episode(self, act) -> None:
        state = self.game.new_state(seed=len(self.returns))
        while True:
            while state.current_player() == 1:
                state.apply_action(self.chance.choice(state.legal_actions()))
            step = self._time_step(state)
            action = act(step)
            if step.last():
                self.returns.append(state.returns()[0])
                return
            state.apply_action(action)

    def _time_step(self, state) -> TimeStep:
        observations = {
            "info_state": [state.information_state(0)],
            "legal_actions": [state.legal_actions()],
            "current_player": state.current_player(),
        }
        reward = state.returns()[0] / self.reward_scale
        return TimeStep(observations, [reward], [1.0], StepType.LAST if state.is_terminal() else StepType.MID)

    def policy(self) -> cf.NetworkPolicy:
        """The agent's network as a greedy policy of ours."""
        linears = [module for module in self.agent._q_network.modules() if isinstance(module, torch.nn.Linear)]
        return cf.NetworkPolicy(tuple((m.weight.detach().numpy(), m.bias.detach().numpy()) for m in linears))
