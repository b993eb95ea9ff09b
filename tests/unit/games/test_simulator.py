"""Simulators in Python: what they may be, the same bits however they are played, and what is wrong about them."""

from __future__ import annotations

import dataclasses
import itertools
import signal
import threading
import time

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast._reference import actor as reference_actor
from coffee_fast._reference.replay_buffer import stack
from coffee_fast._reference.rng import Stream
from coffee_fast._reference.rollout import rollout
from coffee_fast.errors import InvalidArgumentError, InvalidGameError

LENGTH, MOST = 3, 9  # rounds at least; rows at most
SPEC = cf.GameSpec(
    name="dice",
    num_players=3,
    num_actions=2,
    action_vectors=np.eye(2),
    state_size=3 * 4,
    observation_size=4,
    history_start=2,
    max_episode_length=MOST,
    turn_order="predicted",
    rewards="every_step",
    num_chance_actions=3,
)


def draw(number):
    """A deterministic scramble of counts, for rules that need no randomness."""
    return (np.asarray(number) * 7 + 3) % 5


class Dice:
    """Chance deals, then a player picks, in turn but for a skip now and then; every row pays; ends are drawn."""

    def reset(self, random):
        start = random.integers(3)
        return {"row": np.zeros(len(random), int), "next": start, "sum": np.zeros(len(random)), "last": start * 0}

    def player(self, state):
        return np.where(state["row"] % 2 == 0, -1, state["next"])

    def legal_actions(self, state):
        return np.stack([np.ones(len(state["row"]), bool), state["sum"] % 2 == 0], axis=1)

    def chance_probabilities(self, state):
        return np.where(state["next"][:, None] == 1, [[0.5, 0.0, 0.5]], [[0.2, 0.3, 0.5]])

    def observe(self, state):
        columns = np.stack([state["row"], state["sum"], state["last"], state["next"]], axis=1)
        return np.repeat(columns[:, None], 3, axis=1) + np.arange(3)[None, :, None]

    def step(self, state, actions, random):
        row, is_deal = state["row"] + 1, state["row"] % 2 == 0
        total = state["sum"] + actions
        rewards = np.stack([total, actions - 1.0, draw(row)], axis=1)
        following = np.where(is_deal, state["next"], (state["next"] + 1 + draw(row) % 2) % 3)
        done = (row >= MOST) | ((row > LENGTH) & (random.uniform() < 0.3))
        return {"row": row, "next": following, "sum": total, "last": actions}, rewards, done


class DiceEpisode:
    """The same rules for one episode, for the twins."""

    def __init__(self, seed, profile, number):
        self.key, self.row, self.sum, self.last, self.over = (seed, profile, number), 0, 0.0, 0, False
        self.next = int(Stream(seed, 1, profile, number, 0).next_double() * 3)
        self.paid, self.shown = np.zeros(3), []

    def player_to_act(self):
        return -1 if self.row % 2 == 0 else self.next

    current_player = player_to_act

    def is_terminal(self):
        return self.over

    def chance_probabilities(self):
        return np.array([0.5, 0.0, 0.5] if self.next == 1 else [0.2, 0.3, 0.5])

    def legal_mask(self):
        return np.array([1, self.sum % 2 == 0], np.uint8)

    def legal_actions(self):
        return np.flatnonzero(self.legal_mask()).tolist()

    def observation(self):
        return np.array([self.row, self.sum, self.last, self.next], np.float32)

    def information_state(self, player=None):
        player = self.next if player is None else player
        shown = np.zeros((MOST, 2), np.float32)
        shown[: len(self.shown)] = np.reshape(self.shown, (-1, 2)) + player if self.shown else 0
        return np.concatenate([self.observation()[:2] + player, shown.ravel()])

    def step(self, action):
        uniform = Stream(self.key[0], 9, self.key[1], self.key[2], self.row).next_double()
        self.row, self.sum, self.last = self.row + 1, self.sum + action, action
        if self.row % 2 == 0:
            self.next = int((self.next + 1 + draw(self.row) % 2) % 3)
        self.over = self.row >= MOST or (self.row > LENGTH and uniform < 0.3)
        self.shown.append(self.observation()[2:])
        rewards = np.array([self.sum, action - 1.0, draw(self.row)])
        self.paid += rewards
        return rewards, 0.0, self.over

    def apply_action(self, action):
        self.step(action)

    def returns(self):
        return self.paid.tolist()


GAME = cf.games.from_simulator(SPEC, Dice())


def network(seed, game=GAME, kind="softmax"):
    rng, spec = np.random.default_rng(seed), game.spec
    shapes = itertools.pairwise((spec.information_state_size, 8, spec.num_actions))
    return cf.NetworkPolicy(
        tuple((rng.normal(size=(o, i)).astype(np.float32), np.zeros(o, np.float32)) for i, o in shapes), kind
    )


PLAYERS = [
    cf.Mixture((cf.UniformRandom(), network(1)), [0.4, 0.6]),
    cf.Mixture((network(2),), [1.0]),
    cf.Mixture((cf.UniformRandom(),), [1.0]),
]


def roll(game, players=PLAYERS, count=80, **options):
    return _core.rollout(game.core, [player.core for player in players], count, 5, record=True, **options)


def assert_same(one, other):
    for name, array in one.items():
        if isinstance(array, dict):
            assert_same(array, other[name])
        else:
            np.testing.assert_array_equal(array, other[name], err_msg=name)


def test_rollouts_are_those_of_episodes_played_one_by_one():
    out = roll(GAME, profile=2, first_rollout=10)
    steps = out["trajectories"]
    for episode in range(80):
        number, twin_episode = 10 + episode, DiceEpisode(5, 2, 10 + episode)
        twin = rollout(twin_episode, PLAYERS, 5, 2, number)
        rows = slice(*steps["trajectory_offsets"][episode : episode + 2])
        assert steps["action"][rows].tolist() == twin.actions
        assert out["strategies"][episode].tolist() == twin.strategies
        assert out["lengths"][episode] == len(twin.actions)
        np.testing.assert_allclose(out["returns"][episode, :, 0], twin.returns)
        assert (steps["acting_player"][rows][::2] == -1).all()
        assert (steps["acting_player"][rows][1::2] >= 0).all()
        assert (steps["legal_mask"][rows][::2] == 0).all()
        np.testing.assert_allclose(steps["reward"][rows].sum(axis=0), twin.returns, rtol=1e-6)
        np.testing.assert_array_equal(steps["next_state"][rows][:-1], steps["state"][rows][1:])
        assert (steps["next_state"][rows][-1] == SPEC.terminal_state_value).all()
    dealt = steps["action"][steps["acting_player"] == -1]
    assert set(dealt.tolist()) == {0, 1, 2}


def make_actors(options):
    opponents = [player.core for player in PLAYERS]
    actor = _core.Actor(GAME.core, opponents, **dataclasses.asdict(options))

    def choose(policy):
        def chosen(state, mask, stream):
            from coffee_fast._reference.policy import Decision, choose_action

            return choose_action(policy, Decision(state, np.flatnonzero(mask).tolist()), stream)

        return chosen

    twins = [([choose(policy) for policy in player.policies], player.probabilities) for player in PLAYERS]
    return actor, reference_actor.Actor(DiceEpisode, twins, options)


@pytest.mark.parametrize("seats", [(0,), (2, 1), (0, 1, 2)])
def test_an_actor_learns_in_its_seats_and_sums_what_is_paid_between_decisions(seats):
    """Every seat has other opponents; chance's rewards belong to the decision before."""
    options = reference_actor.Options(
        seed=3, seats=seats, num_parallel_episodes=4, epsilon_decay_steps=40, coverage_weight=0.2
    )
    actor, twin = make_actors(options)
    q_network = _core.Mlp(list(network(9).layers))
    for _ in range(120):
        actor.advance(q_network)
        twin.advance(lambda state: q_network.forward(state[None])[0])
    expected, state = stack(twin.replay.rows), actor.export_state()
    assert actor.num_transitions == len(twin.replay) > 30
    for name in ("information_states", "actions", "rewards", "next_information_states", "is_final"):
        np.testing.assert_allclose(state[f"replay.{name}"], expected[name], rtol=1e-6, err_msg=name)


def test_an_actor_restored_within_episodes_goes_on_with_the_same_bits():
    options = reference_actor.Options(seed=4, seats=(1, 2), num_parallel_episodes=5, epsilon_decay_steps=50)
    whole, first, second = (make_actors(options)[0] for _ in range(3))
    q_network = _core.Mlp(list(network(9).layers))
    for _ in range(25):
        whole.advance(q_network)
        first.advance(q_network)
    state = first.export_state()
    second.restore(state)
    for _ in range(25):
        whole.advance(q_network)
        second.advance(q_network)
    assert_same(whole.export_state(), second.export_state())
    with pytest.raises(InvalidArgumentError, match=r"outcome \d+ of chance in an episode in flight cannot be"):
        second.restore(state | {"lanes.actions": np.full_like(state["lanes.actions"], 7)})


@pytest.mark.parametrize(
    "options", [{"num_threads": 2}, {"num_threads": 3, "chunk_size": 7}, {"chunk_size": 1}, {"chunk_size": 33}]
)
def test_threads_and_chunks_change_no_bit(options):
    assert_same(roll(GAME), roll(GAME, **options))


def test_random_numbers_are_the_streams():
    keys = np.array([[3, 1, 8], [3, 1, 9]], np.uint64)
    random = cf.games.LaneRandom(keys, _core.Purpose.transition, np.array([4, 6]))
    streams = [Stream(3, 9, 1, rollout, step) for rollout, step in ((8, 4), (9, 6))]
    first, second = random.uniform(2), random.uniform()
    for row, stream in enumerate(streams):
        assert [*first[row], second[row]] == [stream.next_double() for _ in range(3)]
    dealt = cf.games.LaneRandom(np.repeat(keys, 500, axis=0), _core.Purpose.transition, np.arange(1000)).integers(6, 2)
    assert dealt.shape == (1000, 2)
    assert set(dealt.ravel().tolist()) == set(range(6))


# ---- rounds of simultaneous moves

ROUNDS = cf.GameSpec(
    name="rounds",
    num_players=2,
    num_actions=3,
    action_vectors=np.array([[1.0, 0.5], [2.0, 0.5], [3.0, 0.5]]),
    state_size=2 * 3 + 2 * 2,
    observation_size=3,
    history_start=3,
    max_episode_length=4,
    moves="simultaneous",
    rewards="every_step",
)


@dataclasses.dataclass
class Seen:
    """The state: the round, and what both chose in the last one."""

    time: np.ndarray
    last: np.ndarray


class Rounds:
    def reset(self, random):
        return Seen(np.zeros(len(random)), np.zeros((len(random), 2), int))

    def legal_actions(self, state):
        legal = np.ones((len(state.time), 2, 3), bool)
        legal[:, 1, 2] = False
        return legal

    def observe(self, state):
        return np.stack([np.concatenate([state.time[:, None], state.last], axis=1)] * 2, axis=1)

    def step(self, state, actions, random):
        time = state.time + 1
        return Seen(time, actions), np.stack([actions[:, 0] * 10 + actions[:, 1], time], axis=1), time == 2


class RoundsOneByOne:
    """The same rules for one episode."""

    legal_actions = ([0, 1, 2], np.array([True, True, False]))

    def observe_all(self, last=(0, 0)):
        return [[self.time, *last]] * 2

    def reset(self, seed):
        assert 0 <= seed < 2**53
        self.time = 0
        return self.observe_all()

    def step(self, actions):
        self.time += 1
        return self.observe_all(actions), (actions[0] * 10 + actions[1], self.time), self.time == 2


def test_a_round_is_played_seat_by_seat_with_hidden_choices():
    steps = roll(cf.games.from_simulator(ROUNDS, Rounds()), [PLAYERS[2]] * 2)
    steps = steps["trajectories"]
    assert (np.diff(steps["trajectory_offsets"]) == 4).all()
    actions, states = steps["action"].reshape(-1, 4), steps["state"].reshape(-1, 4, 10)
    observations, rewards = steps["observation"].reshape(-1, 4, 2, 3), steps["reward"].reshape(-1, 4, 2)
    assert (steps["acting_player"].reshape(-1, 4) == [0, 1, 0, 1]).all()
    np.testing.assert_array_equal(observations[:, 0], observations[:, 1])
    np.testing.assert_array_equal(observations[:, 2, 0, 1:], actions[:, :2])
    np.testing.assert_array_equal(states[:, 1, 6:8], ROUNDS.action_vectors[actions[:, 0]])
    assert (states[:, [0, 2], 6:] == 0).all()
    assert (states[:, [1, 3], 8:] == 0).all()
    assert (rewards[:, [0, 2]] == 0).all()
    np.testing.assert_array_equal(rewards[:, 1, 0], actions[:, 0] * 10 + actions[:, 1])
    assert actions[:, 1::2].max() == 1
    assert actions[:, ::2].max() == 2


@pytest.mark.parametrize("given", [RoundsOneByOne, lambda: RoundsOneByOne(), RoundsOneByOne()], ids=str)
def test_simulators_of_one_episode_play_as_those_of_many(given):
    uniform = [cf.Mixture((cf.UniformRandom(),), [1.0])] * 2
    many, one = (cf.games.from_simulator(ROUNDS, simulator) for simulator in (Rounds(), given))
    assert_same(roll(many, uniform), roll(one, uniform, num_threads=2, chunk_size=9))


def test_wrapped_dice_play_as_dice():
    class OneByOne(DiceEpisode):
        def __init__(self):
            pass

        def reset(self, seed):
            self.row, self.sum, self.last, self.over, self.next = 0, 0.0, 0, False, seed % 3
            self.shown, self.paid, self.key = [], np.zeros(3), (seed, 0, 0)
            return self.seen()

        def seen(self):
            return self.observation() + np.arange(3)[:, None]

        player = property(DiceEpisode.player_to_act)
        legal_actions = property(DiceEpisode.legal_actions)
        chance_probabilities = property(DiceEpisode.chance_probabilities)

        def step(self, action):
            rewards, _, done = DiceEpisode.step(self, action)
            return self.seen(), rewards, done

    out = roll(cf.games.from_simulator(SPEC, OneByOne))
    assert_same(out, roll(cf.games.from_simulator(SPEC, OneByOne), num_threads=3, chunk_size=5))
    assert (out["trajectories"]["acting_player"][out["trajectories"]["trajectory_offsets"][:-1]] == -1).all()


# ---- what is wrong


def changed(**methods):
    return type("Changed", (Dice,), methods)()


def stepped(change):
    def step(self, state, actions, random):
        return change(*Dice.step(self, state, actions, random))

    return step


def at(row, value, other):
    """`value` in one episode, after so many rows."""
    return lambda self, state: np.where(state["row"] == row, value, other(self, state))


def nan_rewards(state, rewards, done):
    rewards[state["row"] == 3, 1] = np.nan
    return state, rewards, done


EPISODE = r"in the episode of seed 5, profile 0, rollout \d+, after \d moves"


def fixed(value, *shape):
    """`value` everywhere, in a row an episode."""
    return lambda self, state: np.full((len(state["row"]), *shape), value)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"player": at(1, 3, Dice.player)}, r"player .* seat in \[0, 3\) or -1 for chance, got 3, " + EPISODE),
        ({"player": at(1, -2, Dice.player)}, r"player .* got -2, " + EPISODE),
        ({"player": lambda self, state: np.zeros(3)}, r"player .* must be integers of shape \[\d+\], a row an episode"),
        ({"legal_actions": fixed(False, 2)}, "must allow an action to who is on move, " + EPISODE),
        ({"legal_actions": fixed(2, 2)}, r"must be True or False, got 2 at \[0\], " + EPISODE),
        ({"legal_actions": fixed(True, 3)}, r"must be True or False of shape \[80, 2\]"),
        ({"observe": fixed(np.inf, 3, 4)}, r"observe .* finite numbers, got inf at \[0, 0\], " + EPISODE),
        ({"observe": lambda self, state: "seen"}, "observe .* must be finite numbers of shape .* got 'seen'"),
        ({"chance_probabilities": fixed(0.5)}, r"chance_probabilities .* of shape \[80, 3\]"),
        ({"chance_probabilities": fixed(0.5, 3)}, "must be nonnegative and sum to 1, got .*" + EPISODE),
        ({"step": stepped(nan_rewards)}, r"step .* rewards: must be finite numbers, got nan at \[1\], " + EPISODE),
        ({"step": stepped(lambda s, r, d: (s, r[:, :2], d))}, r"rewards: must be finite numbers of shape \[\d+, 3\]"),
        ({"step": stepped(lambda s, r, d: (s, r, d[:1]))}, r"done: must be True or False of shape"),
        ({"step": stepped(lambda s, r, d: (s, r, d & False))}, "over after max_episode_length = 9 .*" + EPISODE),
        ({"step": stepped(lambda s, r, d: (s, r))}, r"step .* must return \(state, rewards, done\)"),
        ({"step": stepped(lambda s, r, d: (s | {"row": s["row"] / 2}, r, d))}, "'row' must stay int64 of shape"),
        ({"step": stepped(lambda s, r, d: (tuple(s.values()), r, d))}, "must be the same container as reset made"),
        ({"reset": lambda self, random: {"row": 0}}, "'row' must be an array with a row an episode, 80 now"),
        ({"reset": lambda self, random: None}, "the state must be a dict, dataclass or tuple of arrays"),
    ],
)
def test_what_a_simulator_returns_is_checked(methods, message):
    with pytest.raises(InvalidGameError, match=message) as caught:
        roll(cf.games.from_simulator(SPEC, changed(**methods)), chunk_size=500)
    assert len(str(caught.value)) < 500


def test_turns_and_rewards_that_contradict_the_specification():
    fields = {**SPEC.to_json(), "num_chance_actions": 0, "chance_vectors": ()}
    never_chance = changed(player=lambda self, state: state["next"])
    uniform = ["uniform_random"] * 3
    cyclic = cf.GameSpec(**fields | {"turn_order": "cyclic"})
    with pytest.raises(InvalidGameError, match=r"must be \d, the next seat, .* say GameSpec\(turn_order='predicted'\)"):
        cf.simulate(cf.games.from_simulator(cyclic, never_chance), uniform, num_episodes=50, seed=0)
    at_end = cf.GameSpec(**fields | {"rewards": "at_end"})
    with pytest.raises(InvalidGameError, match=r"nothing before the end .* say GameSpec\(rewards='every_step'\)"):
        cf.simulate(cf.games.from_simulator(at_end, never_chance), uniform, num_episodes=50, seed=0)


class Broke(Exception):
    """An exception of the simulator's own."""


@pytest.mark.parametrize("num_threads", [1, 3])
def test_what_a_simulator_raises_comes_out_with_the_episode(num_threads):
    def step(self, state, actions, random):
        if (state["next"] == 2).any() and (state["row"] == 4).any():
            raise Broke("no such card")
        return Dice.step(self, state, actions, random)

    with pytest.raises(Broke, match="no such card") as caught:
        roll(cf.games.from_simulator(SPEC, changed(step=step)), num_threads=num_threads, chunk_size=16)
    (note,) = caught.value.__notes__
    assert note.startswith("in step of the simulator of 'dice', in the episode of seed 5, profile 0, rollout ")
    assert note.endswith("after 4 moves")


def test_what_one_episode_raises_names_that_episode():
    class Falls(RoundsOneByOne):
        def step(self, actions):
            if actions == (2, 1):
                raise Broke
            return super().step(actions)

    with pytest.raises(Broke) as caught:
        cf.simulate(cf.games.from_simulator(ROUNDS, Falls), ["uniform_random"] * 2, num_episodes=99, seed=5)
    (note,) = caught.value.__notes__
    assert "in step of the simulator of 'rounds', in the episode of seed 5" in note


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (([[0, 0, 0]], (0, 0), False), r"step must return the observations of all players, of shape \[2, 3\]"),
        (([[0, 0, 0]] * 2, (0,), False), "step must return 2 rewards, one a player"),
        (([[0, 0, 0]] * 2, (0, 0), 1.0), "step must say True or False for done, got 1.0"),
        (None, r"step must return \(observations, rewards, done\), got None"),
    ],
)
def test_what_one_episode_returns_is_checked(result, message):
    wrong = type("Wrong", (RoundsOneByOne,), {"step": lambda self, actions: result})
    with pytest.raises(InvalidGameError, match=message):
        cf.simulate(cf.games.from_simulator(ROUNDS, wrong), ["uniform_random"] * 2, num_episodes=9, seed=5)


def test_what_is_no_simulator_or_does_not_fit():
    with pytest.raises(InvalidArgumentError, match="spec must be a GameSpec, got 3"):
        cf.games.from_simulator(3, Dice())
    with pytest.raises(InvalidArgumentError, match="must be an object, got the class Dice; call it"):
        cf.games.from_simulator(SPEC, Dice)
    with pytest.raises(InvalidArgumentError, match="must have the methods .*without player, chance_probabilities"):
        cf.games.from_simulator(SPEC, Rounds())
    fields = SPEC.to_json() | {"state_size": 5}
    with pytest.raises(InvalidGameError, match=r"state_size must be 12 .* got 5; or give .* of shape \[L, 5\]"):
        cf.games.from_simulator(cf.GameSpec(**fields), Dice())
    told = changed(state_vector=lambda self, state: np.zeros((len(state["row"]), 5)))
    assert roll(cf.games.from_simulator(cf.GameSpec(**fields), told))["trajectories"]["state"].shape[1] == 5


def test_fingerprints_tell_simulators_apart():
    class Wide(Dice):
        def __init__(self, width):
            self.width = width

    games = [cf.games.from_simulator(SPEC, made) for made in (Dice(), Wide(1), Wide(2), Wide(np.ones(3)))]
    prints = [game.fingerprint for game in games]
    assert len(set(prints)) == 4
    assert cf.games.from_simulator(SPEC, Wide(2)).fingerprint == prints[2]
    named = [cf.games.from_simulator(SPEC, changed(fingerprint="mine", x=x)) for x in (1, 2)]
    assert named[0].fingerprint == named[1].fingerprint


@pytest.mark.parametrize("num_threads", [1, 2])
def test_an_interrupt_stops_a_simulator(num_threads):
    def step(self, state, actions, random):
        time.sleep(0.02)
        return Dice.step(self, state, actions, random)

    game = cf.games.from_simulator(SPEC, changed(step=step))
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    start = time.perf_counter()
    try:
        with pytest.raises(KeyboardInterrupt):
            cf.simulate(game, ["uniform_random"] * 3, num_episodes=100_000, seed=0, num_threads=num_threads)
    finally:
        timer.cancel()
    assert time.perf_counter() - start < 10
