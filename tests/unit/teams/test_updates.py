"""A player's update is that of the tables, given what its networks stand for; losses have the gradients they claim."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.unit.teams.conftest import BRIEF, chain_log, dataset_of

import coffee_fast as cf
from coffee_fast.regularized import CommonPayoffGame
from coffee_fast.regularized.cooperative.alberdice import VisitRegularized
from coffee_fast.regularized.cooperative.in_sample import next_values
from coffee_fast.regularized.cooperative.inspo import EntropyRegularized
from coffee_fast.teams.behavior import LOG_FLOOR, JointBehavior
from coffee_fast.teams.learner import Behavior, PolicyNetwork
from coffee_fast.teams.log import read
from coffee_fast.teams.sweeps import FlowValues, LocalValues, Turn

DISCOUNT, KL, ENTROPY = 0.9, 0.4, 0.2
CONFIG = cf.AlberDICEConfig(**BRIEF, discount=DISCOUNT)


class Counted(JointBehavior):
    """The conditionals of a table, in the place of a network."""

    def __init__(self, joint):
        self.joint = joint  # [rows, A1, A2]

    def log_probabilities(self, log, rows, player, told):
        other, joint = told[:, 1 - player], self.joint[rows]
        own_first = joint if player == 0 else joint.swapaxes(1, 2)
        given = np.where(other[:, None] < 0, own_first.sum(axis=2), own_first[np.arange(len(rows)), :, other])
        given = given / given.sum(axis=1, keepdims=True)
        return np.maximum(np.log(np.maximum(given, 1e-300)), LOG_FLOOR).astype(np.float32)


@pytest.fixture(scope="module")
def world():
    rows = chain_log()
    game = CommonPayoffGame.from_log(rows, num_actions=2, discount=DISCOUNT)
    log, _ = read(dataset_of(rows, 3))
    place = np.array([game.state_keys.index(state) for state in rows["state"]])
    behavior = Behavior.of(log, Counted(np.exp(game.log_behavior)[place]), 1e-6)
    rng = np.random.default_rng(0)
    policies = [rng.dirichlet(np.full(2, 5.0), size=3) for _ in range(2)]
    play = np.stack([np.log(policy[place]) for policy in policies], axis=1).astype(np.float32)
    return game, log, place, behavior, policies, play


def turn_of(world, player, alpha, beta):
    _, log, _, behavior, _, play = world
    reward = log.reward.astype(np.float32)
    return Turn.of(behavior, play, player, reward, (alpha, beta), DISCOUNT, -9.0, np.random.default_rng(1))


@pytest.mark.parametrize("player", [0, 1])
def test_update_is_that_of_tabular_inspo(world, player):
    game, _, place, _, policies, _ = world
    objective = EntropyRegularized(game, KL, ENTROPY)
    others = policies[1 - player]
    ahead = game.rewards + next_values(game, objective.values(policies))  # [S, A1, A2]
    mine = ahead if player == 0 else ahead.swapaxes(1, 2)
    leads_to = np.einsum("sab,sb->sa", mine, others)
    wanted = turn_of(world, player, KL, ENTROPY).wanted(leads_to[place].astype(np.float32))
    assert np.allclose(wanted, objective.improved(policies, player)[place], atol=1e-5)


@pytest.mark.parametrize("player", [0, 1])
def test_values_are_those_of_tabular_inspo(world, player):
    game, log, place, _, policies, _ = world
    objective, others = EntropyRegularized(game, KL, ENTROPY), policies[1 - player]
    values = objective.values(policies)
    ahead = game.rewards + next_values(game, values)
    leads_to = np.einsum("sab,sb->sa", ahead if player == 0 else ahead.swapaxes(1, 2), others)
    turn = turn_of(world, player, KL, ENTROPY)
    found = turn.values(np.arange(log.num_rows), torch.from_numpy(leads_to[place]))
    assert np.allclose(found.numpy(), values[place], atol=1e-5)


@pytest.mark.parametrize("player", [0, 1])
def test_update_is_that_of_tabular_alberdice(world, player):
    game, _, place, _, policies, _ = world
    objective = VisitRegularized(game, KL, 0.1)
    dual = objective.solve(policies, player)
    nu = dual.all_state_values
    moves = game.transitions @ nu[:-1] + (1.0 - np.asarray(game.transitions.sum(axis=1)).ravel()) * nu[-1]
    ahead = game.rewards + DISCOUNT * moves.reshape(game.rewards.shape)
    mine = ahead if player == 0 else ahead.swapaxes(1, 2)
    leads_to = np.einsum("sab,sb->sa", mine, policies[1 - player])
    wanted = turn_of(world, player, KL, 0.0).wanted(leads_to[place].astype(np.float32))
    assert np.allclose(wanted, objective.policy(dual, player)[place], atol=1e-5)


def test_decisions_are_drawn_as_the_others_would_lead_to_them(world):
    game, log, place, _, policies, _ = world
    turn = turn_of(world, 0, KL, 0.0)
    weight = np.diff(np.append(0.0, turn.likely))
    cell = place * 2 + log.action[:, 0]
    seen = np.bincount(cell, weight * log.reward, minlength=6) / np.bincount(cell, weight, minlength=6)
    assert np.allclose(seen.reshape(3, 2), np.einsum("sab,sb->sa", game.rewards, policies[1]), atol=1e-4)


def gradient_of(loss, parameters):
    for parameter in parameters:
        parameter.grad = None
    loss().backward()
    return [parameter.grad.clone() for parameter in parameters]


def check_gradient(value, parameters, gradient, step=1e-5):
    """Against differences of ``value`` by single weights, and by all along a random direction."""
    generator = torch.Generator().manual_seed(0)
    directions = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]
    found = []
    for sign in (1.0, -1.0):
        with torch.no_grad():
            for p, direction in zip(parameters, directions, strict=True):
                p += sign * step * direction
            found.append(float(value()))
            for p, direction in zip(parameters, directions, strict=True):
                p -= sign * step * direction
    expected = sum(float((g * d).sum()) for g, d in zip(gradient, directions, strict=True))
    assert (found[0] - found[1]) / (2.0 * step) == pytest.approx(expected, rel=2e-3, abs=1e-5)


def in_double(network):
    """The network's weights in double precision, where differences can be taken."""
    for weights in (network.weights, network.biases):
        for place, parameter in enumerate(weights):
            weights[place] = parameter.detach().double().requires_grad_()
    return network.parameters


def test_value_loss_has_the_gradient_of_squared_errors(world):
    _, log, _, behavior, _, _ = world
    turn, critic = turn_of(world, 0, KL, ENTROPY), LocalValues.of(behavior, CONFIG, 0.0, seed=1)
    parameters = in_double(critic.network.network)
    in_double(critic.network.slow)
    doubled = torch.from_numpy(log.features.astype(np.float64))
    rows = turn.draw(64, np.random.default_rng(2))
    object.__setattr__(log, "features", doubled.numpy())

    def loss():
        return critic.loss(turn, rows)

    check_gradient(loss, parameters, gradient_of(loss, parameters))
    object.__setattr__(log, "features", doubled.numpy().astype(np.float32))


def test_dual_has_the_gradient_of_the_dual(world):
    """Where what actions lead to is known, the direction of a step is the derivative of the function that is named."""
    _, log, _, behavior, _, _ = world
    turn, critic = turn_of(world, 1, KL, 0.0), FlowValues.of(behavior, CONFIG, 0.0, seed=1)
    features = log.features.astype(np.float64)
    object.__setattr__(log, "features", features)
    parameters = [*in_double(critic.states.network), critic.end]
    rows, first = turn.draw(64, np.random.default_rng(2)), log.first[:32]
    own, reward = log.action[rows, 1], torch.from_numpy(turn.reward[rows].astype(np.float64))
    goes_on, after = torch.from_numpy(log.after[rows] >= 0), np.maximum(log.after[rows], 0)

    def leads_to():
        there = critic.states(torch.from_numpy(features[after]))[:, 0]
        return reward + DISCOUNT * torch.where(goes_on, there, critic.end)

    class Known:
        def __call__(self, _):
            return leads_to()[:, None].expand(-1, 2)

    def dual():
        here = critic.states(torch.from_numpy(features[rows]))[:, 0]
        gains = leads_to() - torch.from_numpy(turn.penalty[rows, own]) - here
        end = (DISCOUNT - 1.0) * critic.end[None]
        shares = torch.tensor([*([0.9 / 64] * 64), 0.1], dtype=torch.float64)
        start = critic.states(torch.from_numpy(features[first]))[:, 0].mean()
        total = torch.logsumexp(torch.cat([gains, end]) / KL + shares.log(), dim=0)
        return (1.0 - DISCOUNT) * start + KL * total

    critic.actions = Known()
    check_gradient(dual, parameters, gradient_of(lambda: critic.dual(turn, rows, first), parameters))
    object.__setattr__(log, "features", features.astype(np.float32))


def test_cloning_steps_down_the_cross_entropy():
    layers = ((np.zeros((3, 2), np.float32), np.zeros(3, np.float32)),)
    network = PolicyNetwork(cf.NetworkPolicy(layers, kind="softmax"), 0.1)
    known, legal = torch.ones((4, 2)), torch.tensor([[True, True, False]] * 4)
    wanted = torch.tensor([[0.25, 0.75, 0.0]] * 4)
    assert network.clone(known, legal, wanted) == pytest.approx(np.log(2.0))
    gradient = network._network.biases[0].grad[0, 0].numpy()
    assert np.allclose(gradient, [0.25, -0.25, 0.0])  # play less what is wanted
