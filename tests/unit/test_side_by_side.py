"""Responses side by side: the bits of one after the other, one error for all, progress on the calling thread."""

import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import ConfigError, InvalidArgumentError
from coffee_fast.responses import DDQN, ResponseObjective, ResponseRequest, from_config, respond_side_by_side

ORACLE = DDQN(
    hidden_sizes=(16,), num_steps=1500, replay_capacity=500, min_replay=200, batch_size=16, epsilon_decay_steps=900
)
ENDLESS = replace(ORACLE, hidden_sizes=(200, 200), batch_size=64, num_steps=10**8)
NEVER_TRAINED = replace(ORACLE, num_steps=210, min_replay=200, num_parallel_episodes=128)
GAME = cf.load_game("generalized_bargaining")
UNIFORM = cf.Mixture((cf.UniformRandom(),), np.ones(1))


def request(seed=0, oracle=ORACLE, player=0):
    return ResponseRequest(oracle, GAME, UNIFORM, ResponseObjective(), seed, reward_scale=5.0, player=player)


def bits(response):
    return b"".join(array.tobytes() for layer in response.policy.layers for array in layer)


class Minimal:
    """An oracle of one's own that knows nothing but the protocol's minimum."""

    def to_config(self):
        return {"kind": "minimal"}

    def respond(self, dynamics, opponents, objective, *, seed, reward_scale, player=0, progress=None):
        assert threading.current_thread() is threading.main_thread()
        return ORACLE.respond(dynamics, opponents, objective, seed=seed, reward_scale=reward_scale, player=player)


@pytest.fixture(scope="module")
def one_by_one():
    return [bits(request(seed, player=seed % 2).train()) for seed in range(5)]


@pytest.mark.parametrize("num_threads", [0, 1, 2, 3, 7])
def test_has_the_bits_of_one_after_the_other(one_by_one, num_threads):
    responses = respond_side_by_side([request(seed, player=seed % 2) for seed in range(5)], num_threads)
    assert [bits(response) for response in responses] == one_by_one


def test_oracles_that_share_something_take_turns_on_the_calling_thread(one_by_one):
    torch_oracle = from_config(ORACLE.to_config() | {"kind": "ddqn_torch"})
    requests = [request(0, Minimal()), request(1, player=1), request(2, torch_oracle), request(3, player=1), request(4)]
    responses = respond_side_by_side(requests, num_threads=2)
    assert [bits(responses[place]) for place in (0, 1, 3, 4)] == [one_by_one[place] for place in (0, 1, 3, 4)]
    assert bits(responses[2]) == bits(requests[2].train())


@pytest.mark.parametrize("num_threads", [1, 2])
def test_progress_and_finished_are_told_on_the_calling_thread(num_threads):
    phases, finished = {}, {}

    def progress(phase, done, total, figures):
        assert threading.current_thread() is threading.main_thread()
        assert total == 1500
        phases.setdefault(phase, []).append(done)

    def take(place, response):
        assert threading.current_thread() is threading.main_thread()
        finished[place] = response

    responses = respond_side_by_side([request(seed) for seed in range(4)], num_threads, progress, take)
    assert [finished[place] for place in range(4)] == responses
    expected = {"response"} if num_threads == 1 else {"response (thread 1)", "response (thread 2)"}
    assert set(phases) == expected
    assert sum(done == 1500 for dones in phases.values() for done in dones) == 4


def test_an_error_in_one_stops_the_others_and_says_which():
    requests = [request(0, ENDLESS), request(1, NEVER_TRAINED), request(2, ENDLESS)]
    start = time.perf_counter()
    with pytest.raises(ConfigError, match="response 2 of 3: .* the network was never trained"):
        respond_side_by_side(requests, num_threads=3)
    assert time.perf_counter() - start < 5
    assert threading.active_count() == 1


@pytest.mark.parametrize("where", ["progress", "finished"])
def test_an_error_of_the_callers_own_functions_stops_all(where):
    def fail(*_):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        respond_side_by_side([request(0), request(1, ENDLESS)], 2, **{where: fail})
    assert threading.active_count() == 1


class Broken(DDQN):
    def start(self, *_, **__):
        raise AttributeError


def test_an_unforeseen_error_carries_a_note():
    broken = Broken(num_steps=300, min_replay=200, replay_capacity=500)
    with pytest.raises(AttributeError) as caught:
        respond_side_by_side([request(0), request(1, oracle=broken)], num_threads=2)
    assert caught.value.__notes__ == ["in response 2 of 2"]


def test_ctrl_c_stops_all_soon():
    sent = []

    def interrupt():
        sent.append(time.process_time())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.4, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        respond_side_by_side([request(seed, ENDLESS) for seed in range(2)], num_threads=2)
    assert (time.process_time() - sent[0]) / 2 < 0.5  # of the processor, a thread; 0.2 as a rule
    timer.join()
    assert threading.active_count() == 1


def test_nothing_to_do_is_done_and_negative_threads_are_refused():
    assert respond_side_by_side([]) == []
    with pytest.raises(InvalidArgumentError, match="num_threads must be an integer >= 0, got -1"):
        respond_side_by_side([request()], num_threads=-1)
