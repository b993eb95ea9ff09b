"""A thousand rollouts in a learned model of paper size: compiled, batched in torch, and one step at a time in torch.

Uniform play meets a greedy 200x2 policy. The rivals play the same model with random numbers of their own, so what is
compared before timing are statistics. Figures count the multiply-adds that the episodes need, without padding.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

import coffee_fast as cf
from coffee_fast import _core

NUM_EPISODES = 1000
GROUP = "1000 rollouts in a learned model"
NUM_EPISODES_ONE_BY_ONE = 20
HIDDEN = (250, 250)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model() -> cf.DynamicsEnsemble:
    """Of full size, fitted just enough for its episodes to end as they should."""
    game = cf.load_game("generalized_bargaining")
    dataset = cf.generate_dataset(game, num_trajectories=1000, seed=0)
    config = cf.EnsembleConfig(hidden_sizes=HIDDEN, num_steps=1000, num_reward_steps=300, holdout_fraction=0.0)
    return cf.DynamicsEnsemble.fit(dataset, config, seed=1, num_threads=2)


@pytest.fixture(scope="module")
def policy(model) -> cf.NetworkPolicy:
    rng = np.random.default_rng(0)
    sizes = (model.spec.information_state_size, 200, 200, model.spec.num_actions)
    return cf.NetworkPolicy(
        tuple(
            (rng.normal(0, inputs**-0.5, (outputs, inputs)).astype(np.float32), np.zeros(outputs, np.float32))
            for inputs, outputs in itertools.pairwise(sizes)
        )
    )


def count_flops(model: cf.DynamicsEnsemble, log: dict[str, Any]) -> int:
    """Two for each multiply-add of the networks that the logged episodes need."""
    core, spec, members = model.core, model.spec, model.num_members
    inputs = spec.state_size + spec.action_vectors.shape[1]
    distance = np.abs(core.next_states(log["state"], log["action"]) - spec.terminal_state_value).mean(axis=1)
    num_steps = len(log["action"])
    num_continuing = num_steps - int(log["terminal"].sum())
    num_paying = int((distance < model.config.terminal_threshold).sum())
    per_row = lambda *sizes: sum(a * b for a, b in itertools.pairwise(sizes))  # noqa: E731
    outputs = spec.num_players * spec.observation_size + spec.num_actions
    return 2 * (
        num_steps * members * per_row(inputs, *HIDDEN, spec.state_size)
        + num_continuing * per_row(spec.state_size, *HIDDEN, outputs)
        + num_paying * members * per_row(inputs, *HIDDEN, spec.num_players)
        + int((log["acting_player"] == 1).sum()) * per_row(spec.information_state_size, 200, 200, spec.num_actions)
    )


class TorchRollouts:
    """The same model in plain torch."""

    def __init__(self, model: cf.DynamicsEnsemble, policy: cf.NetworkPolicy) -> None:
        members = range(model.num_members)
        self.spec, self.threshold = model.spec, model.config.terminal_threshold
        self.reward_scale = model.reward_scale
        self.delta = [_as_module(model.layers(f"delta.{member}")) for member in members]
        self.reward = [_as_module(model.layers(f"reward.{member}")) for member in members]
        self.shared = _as_module(model.layers("shared.0"))
        self.policy = _as_module(policy.layers)
        arrays = {name: torch.from_numpy(np.array(array)) for name, array in model.arrays.items()}
        self.state_mean, self.state_scale = arrays["state.mean"], arrays["state.scale"]
        self.observation_mean, self.observation_scale = arrays["observation.mean"], arrays["observation.scale"]
        vectors = torch.from_numpy(np.array(model.spec.action_vectors))
        self.actions = (vectors - arrays["action.mean"]) / arrays["action.scale"]
        self.starts = {name: arrays[f"initial.{name}"] for name in ("state", "observation", "legal_mask", "player")}
        self.generator = torch.Generator().manual_seed(0)

    @torch.inference_mode()
    def play(self, num_episodes: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Lengths [B] and mean returns [B, N] of episodes in lockstep."""
        spec, start = self.spec, self.spec.history_start
        drawn = torch.randint(len(self.starts["player"]), (num_episodes,), generator=self.generator)
        states, masks, movers = (self.starts[name][drawn] for name in ("state", "legal_mask", "player"))
        masks, movers = masks.bool(), movers.long()
        observations = self.starts["observation"][drawn].view(num_episodes, spec.num_players, -1)
        features = torch.zeros(num_episodes, spec.information_state_size)
        features[:, :start] = observations[torch.arange(num_episodes), movers, :start]
        lanes = torch.arange(num_episodes)
        lengths = torch.zeros(num_episodes, dtype=torch.long)
        returns = torch.zeros(num_episodes, spec.num_players)
        for time in range(spec.max_episode_length):
            actions = self.choose(features, masks, movers)
            z_states = (states - self.state_mean) / self.state_scale
            inputs = torch.cat([z_states, self.actions[actions]], dim=1)
            deltas = torch.stack([network(inputs) for network in self.delta]).mean(dim=0)
            states = (z_states + deltas) * self.state_scale + self.state_mean
            lengths[lanes] += 1
            is_final = (states - spec.terminal_state_value).abs().mean(dim=1) < self.threshold
            if is_final.any():
                final = inputs[is_final]
                rewards = torch.stack([network(final) for network in self.reward]) * self.reward_scale
                deviations = (rewards - rewards.mean(dim=0)).abs().mean(dim=2).amax(dim=0)
                assert len(deviations) == len(final)
                returns[lanes[is_final]] = rewards.mean(dim=0)
            keep = ~is_final
            if time + 1 == spec.max_episode_length or not keep.any():
                break
            states, lanes, features, movers = states[keep], lanes[keep], features[keep], 1 - movers[keep]
            outputs = self.shared((states - self.state_mean) / self.state_scale)
            observations = outputs[:, : -spec.num_actions].view(len(lanes), spec.num_players, -1)
            observations = observations * self.observation_scale + self.observation_mean
            masks = outputs[:, -spec.num_actions :] > 0.5
            masks[~masks.any(dim=1)] = True
            own = observations[torch.arange(len(lanes)), movers]
            features[:, :start] = own[:, :start]
            first = start + time * (spec.observation_size - start)
            features[:, first : first + spec.observation_size - start] = own[:, start:]
        return lengths, returns

    @torch.inference_mode()
    def play_one(self, rng: np.random.Generator) -> tuple[int, np.ndarray]:
        """Length and mean returns [N] of one episode; every step asks every network, as the authors' code does."""
        spec, start = self.spec, self.spec.history_start
        drawn = int(rng.integers(len(self.starts["player"])))
        state, mask = self.starts["state"][drawn], self.starts["legal_mask"][drawn].numpy()
        mover = int(self.starts["player"][drawn])
        observations = self.starts["observation"][drawn].view(spec.num_players, -1).numpy()
        events: list[np.ndarray] = []
        while True:
            features = np.zeros(spec.information_state_size, np.float32)
            known = np.concatenate([observations[mover, :start], *events])
            features[: len(known)] = known
            if mover == 0:
                action = int(rng.choice(np.flatnonzero(mask)))
            else:
                values = self.policy(torch.from_numpy(features)).numpy()
                action = int(np.where(mask != 0, values, -np.inf).argmax())
            z_state = (state - self.state_mean) / self.state_scale
            inputs = torch.cat([z_state, self.actions[action]])
            delta = torch.stack([network(inputs) for network in self.delta]).mean(dim=0)
            state = (z_state + delta) * self.state_scale + self.state_mean
            rewards = torch.stack([network(inputs) for network in self.reward]).numpy() * self.reward_scale
            outputs = self.shared((state - self.state_mean) / self.state_scale)
            if np.abs(state.numpy() - spec.terminal_state_value).mean() < self.threshold:
                return len(events) + 1, rewards.mean(axis=0)
            if len(events) + 1 == spec.max_episode_length:
                return len(events) + 1, np.zeros(spec.num_players)
            mover = 1 - mover
            observations = outputs[: -spec.num_actions].view(spec.num_players, -1)
            observations = (observations * self.observation_scale + self.observation_mean).numpy()
            mask = (outputs[-spec.num_actions :] > 0.5).numpy()
            if not mask.any():
                mask[:] = True
            events.append(observations[mover, start:])

    def choose(self, features: torch.Tensor, masks: torch.Tensor, movers: torch.Tensor) -> torch.Tensor:
        actions = torch.empty(len(features), dtype=torch.long)
        is_uniform = movers == 0
        if is_uniform.any():
            weights = masks[is_uniform].float()
            actions[is_uniform] = torch.multinomial(weights, 1, generator=self.generator)[:, 0]
        if not is_uniform.all():
            values = self.policy(features[~is_uniform]).masked_fill(~masks[~is_uniform], -torch.inf)
            actions[~is_uniform] = values.argmax(dim=1)
        return actions


def _as_module(layers: cf.policies.Layers) -> torch.nn.Sequential:
    modules: list[torch.nn.Module] = []
    for weight, bias in layers:
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight.data, linear.bias.data = torch.from_numpy(np.array(weight)), torch.from_numpy(np.array(bias))
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def play_compiled(model, policy, num_threads=1, record=False):
    players = [cf.UniformRandom(), policy]
    return cf.simulate(model, players, num_episodes=NUM_EPISODES, seed=1, num_threads=num_threads, record=record)


def begin(benchmark, num_episodes):
    """All sides play other numbers of episodes: the figure to compare is ``episodes_per_second``."""
    benchmark.group = GROUP

    def finish():
        if benchmark.stats is not None:  # None with --benchmark-disable
            benchmark.extra_info["episodes_per_second"] = num_episodes / benchmark.stats.stats.median

    return finish


@pytest.mark.parametrize("implementation", ["coffee_fast", "two_threads"])
def test_compiled(benchmark, model, policy, implementation):
    finish = begin(benchmark, NUM_EPISODES)
    num_threads = 2 if implementation == "two_threads" else 1
    result = benchmark(play_compiled, model, policy, num_threads=num_threads)
    np.testing.assert_array_equal(result.returns, play_compiled(model, policy).returns)
    finish()
    if benchmark.stats is None or num_threads > 1:
        return
    log = play_compiled(model, policy, record=True).trajectories
    peak = _core.measure_fma_peak(duration_s=0.2)
    used = 1e-9 * count_flops(model, log) / benchmark.stats.stats.median
    benchmark.extra_info.update(peak_gflops=peak, used_gflops=used, share_of_peak=used / peak)


def assert_same_play(model, policy, lengths, returns):
    """Means of lengths and of the uniform player's returns agree within four standard errors."""
    expected = play_compiled(model, policy)
    for mine, theirs in ((expected.lengths, lengths), (expected.returns[:, 0], returns)):
        error = np.hypot(np.std(mine) / len(mine) ** 0.5, np.std(theirs) / len(theirs) ** 0.5)
        assert abs(np.mean(mine) - np.mean(theirs)) < 4 * error


@pytest.mark.parametrize("implementation", ["torch_batched"])
def test_torch_batched(benchmark, model, policy, implementation):
    finish = begin(benchmark, NUM_EPISODES)
    rival = TorchRollouts(model, policy)
    lengths, returns = rival.play(4 * NUM_EPISODES)
    assert_same_play(model, policy, lengths.numpy(), returns[:, 0].numpy())
    benchmark(rival.play, NUM_EPISODES)
    finish()


@pytest.mark.parametrize("implementation", ["torch_one_by_one"])
def test_torch_one_by_one(benchmark, model, policy, implementation):
    finish = begin(benchmark, NUM_EPISODES_ONE_BY_ONE)
    rival, rng = TorchRollouts(model, policy), np.random.default_rng(0)
    played = [rival.play_one(rng) for _ in range(200)]
    assert_same_play(model, policy, [length for length, _ in played], [returns[0] for _, returns in played])
    benchmark(lambda: [rival.play_one(rng) for _ in range(NUM_EPISODES_ONE_BY_ONE)])
    finish()


@pytest.mark.parametrize("num_threads", [1, 2])
def test_estimate_payoffs(benchmark, model, policy, num_threads):
    """Three profiles of a thousand episodes, as an iteration with two strategies asks for."""
    benchmark.group = f"payoff estimates of three profiles, threads {num_threads}"
    policies, profiles = [cf.UniformRandom().core, policy.core], np.array([[0, 0], [0, 1], [1, 1]], np.int32)
    estimate = lambda threads: _core.estimate_payoffs(model.core, policies, profiles, 1000, 5, num_threads=threads)  # noqa: E731
    result = benchmark(estimate, num_threads)
    np.testing.assert_array_equal(result["sum"], estimate(1)["sum"])
