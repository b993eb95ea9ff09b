"""A whole best response at the paper's settings in the true game, against OpenSpiel's PyTorch DQN.

Compared is ``own_steps_per_second``: decisions of the learner a second while it learns, after the replay buffer holds
the transitions that learning needs. Ours trains to the end, in ``whole_response_s``. The rival, which would take
minutes, is timed over ``timed_own_steps`` in four parts, of which the fastest counts; ``extrapolated_s`` is what the
whole response would take at that pace. All are seconds of processor time, of one thread each, so that other work on the
machine matters little. Two responses side by side are timed by the clock.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.policies import as_mixture
from coffee_fast.responses import ResponseObjective, ResponseRequest, respond_side_by_side

PAPER = cf.DDQN()
REWARD_SCALE = 5.07  # deviation of payoffs under uniform random play
RIVAL_STEPS, RIVAL_ROUNDS = 1_000, 4
UNIFORM_RETURN = 2.85  # what uniform random play earns against itself
TWO_RESPONSES = cf.DDQN(num_steps=20_000, min_replay=2_000, replay_capacity=20_000, epsilon_decay_steps=20_000)


def request(config, seed=1):
    game = cf.load_game("generalized_bargaining")
    return ResponseRequest(config, game, as_mixture("uniform_random"), ResponseObjective(), seed, REWARD_SCALE)


def mean_return(policy):
    game = cf.load_game("generalized_bargaining")
    return cf.simulate(game, [policy, "uniform_random"], num_episodes=20_000, seed=2).returns[:, 0].mean()


def mean_epsilon(config, first_call, last_call):
    calls = np.linspace(first_call, last_call, 1000) / config.epsilon_decay_steps
    return float(np.mean(np.maximum(config.epsilon_end, 1.0 - (1.0 - config.epsilon_end) * calls)))


@pytest.mark.slow
@pytest.mark.benchmark(timer=time.process_time)
def test_best_response(benchmark):
    benchmark.group = "best response 41-200-200-109, Table 2"
    responses, moments = [], []

    def note(phase, done, total, figures):
        moments.append((time.process_time(), done))

    begun = time.process_time()
    benchmark.pedantic(lambda: responses.append(request(PAPER).train(note)), rounds=1)
    response = responses[0]
    assert response.report["num_steps"] >= PAPER.num_steps
    assert response.report["num_gradient_steps"] == pytest.approx(0.94e5, rel=0.05)
    assert mean_return(response.policy) > 4 * UNIFORM_RETURN
    learning = [(moment, done) for moment, done in moments if done >= 1.05 * PAPER.min_replay]
    (start, first), (end, last) = learning[0], learning[-1]
    benchmark.extra_info["own_steps_per_second"] = (last - first) / (end - start)
    benchmark.extra_info["whole_response_s"] = end - begun
    benchmark.extra_info["mean_return"] = float(mean_return(response.policy))


@pytest.mark.slow
@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("implementation", ["open_spiel"])
def test_best_response_of_open_spiel(benchmark, implementation):
    pytest.importorskip("tree", reason="OpenSpiel's PyTorch agents need dm-tree")
    sys.path.insert(0, str(Path(__file__).parents[1] / "compare"))
    from openspiel_dqn import Learner

    benchmark.group = "best response 41-200-200-109, Table 2"
    calls_a_step = 1.21  # an episode has one call at its end beside its decisions
    epsilon = mean_epsilon(PAPER, calls_a_step * PAPER.min_replay, calls_a_step * PAPER.num_steps)
    learner = Learner(PAPER, REWARD_SCALE, epsilon)
    started = time.process_time()
    learner.fill()
    filling = time.process_time() - started
    error = np.std(learner.returns) / np.sqrt(len(learner.returns))
    assert np.mean(learner.returns) == pytest.approx(UNIFORM_RETURN, abs=4 * error + 0.02)  # the same game
    times = []
    benchmark.pedantic(lambda: times.append(learner.learn(RIVAL_STEPS)), rounds=RIVAL_ROUNDS)
    assert mean_return(learner.policy()) > 2 * UNIFORM_RETURN
    num_learning = PAPER.num_steps - PAPER.min_replay
    benchmark.extra_info["own_steps_per_second"] = 1.0 / min(times)
    benchmark.extra_info["timed_own_steps"] = RIVAL_STEPS * RIVAL_ROUNDS
    benchmark.extra_info["extrapolated_s"] = filling + num_learning * min(times)


@pytest.mark.slow
@pytest.mark.parametrize("implementation", ["coffee_fast", "two_threads"])
def test_two_responses(benchmark, implementation):
    benchmark.group = "two responses of 2e4 own steps"
    requests = [request(TWO_RESPONSES, seed) for seed in (1, 2)]
    one, two = (respond_side_by_side(requests, num_threads) for num_threads in (1, 2))
    for response, same in zip(one, two, strict=True):
        for pair, others in zip(response.policy.layers, same.policy.layers, strict=True):
            assert all(map(np.array_equal, pair, others))
    num_threads = 2 if implementation == "two_threads" else 1
    benchmark.pedantic(respond_side_by_side, args=(requests, num_threads), rounds=7)


MEASURE_MEMORY = """
from pathlib import Path
import sys
import coffee_fast as cf
from coffee_fast.policies import as_mixture
from coffee_fast.responses import ResponseObjective

def peak_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

game, opponents = cf.load_game("generalized_bargaining"), as_mixture("uniform_random")
before = peak_mb()
cf.DDQN(num_steps=51_000).respond(game, opponents, ResponseObjective(), seed=1, reward_scale=5.0)
print(before, peak_mb(), "torch" in sys.modules)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads peak memory from /proc")
def test_memory_of_a_response(benchmark):
    """A process with the buffer of 5e4 transitions full and learning; more steps take no more."""
    benchmark.group = "memory of a best response"

    def measure():
        return subprocess.run([sys.executable, "-c", MEASURE_MEMORY], capture_output=True, text=True, check=True).stdout

    output = []
    benchmark.pedantic(lambda: output.append(measure()), rounds=1)
    before, peak, has_torch = output[0].split()
    assert has_torch == "False"
    assert 10 < float(peak) - float(before) < 200
    benchmark.extra_info["peak_memory_mb"] = float(peak)
    benchmark.extra_info["of_the_response_mb"] = float(peak) - float(before)
