"""A player acts as the kernels do, knows what a log's mover knows, and refuses what it cannot know."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

import coffee_fast as cf

GAME = cf.load_game("generalized_bargaining")
CAKE = cf.GameSpec(
    name="cake", num_players=3, num_actions=4, action_vectors=np.eye(4), state_size=2, observation_size=3,
    history_start=1, max_episode_length=7,
)  # fmt: skip


def network(rng, kind="greedy", sizes=(41, 9, 109), temperature=1.0):
    shapes = list(zip(sizes[1:], sizes, strict=False))
    layers = tuple((rng.normal(size=s).astype(np.float32), rng.normal(size=s[0]).astype(np.float32)) for s in shapes)
    return cf.NetworkPolicy(layers, kind, temperature)


def play(players, state, form):
    """Play an episode to its end with information states or with observations."""
    for player in players:
        player.reset()
    while not state.is_terminal():
        seat = state.current_player()
        if form == "observations":
            players[1 - seat].observe(state.observation(1 - seat))
        knowledge = state.observation(seat) if form == "observations" else state.information_state(seat)
        state.apply_action(players[seat].act(knowledge, state.legal_actions()))
    return state


@pytest.mark.parametrize("form", ["information states", "observations"])
def test_greedy_players_play_the_episodes_of_the_kernel(rng, form):
    policies = [network(rng), network(rng)]
    played = cf.simulate(GAME, policies, num_episodes=40, seed=3, record=True).trajectories
    offsets = played["trajectory_offsets"]
    players = [cf.Player(policy, seat, 0, GAME.spec) for seat, policy in enumerate(policies)]
    for first, last in itertools.pairwise(offsets):
        pool = played["state"][first, 2:5].astype(int).tolist()
        valuations = played["observation"][first, :, 5:8].tolist()
        state = GAME.new_state(pool, valuations, int(played["acting_player"][first]))
        assert play(players, state, form).history() == played["action"][first:last].tolist()


def test_a_softmax_player_plays_as_often_as_it_should(rng):
    policy = network(rng, "softmax", temperature=3.0)
    state = GAME.new_state(seed=1)
    legal = np.zeros(109, np.uint8)
    legal[state.legal_actions()] = 1
    expected = policy.probabilities(state.information_state(0)[None], legal[None])[0]
    player, counts = cf.Player(policy, 0, 5), np.zeros(109)
    for _ in range(4000):
        player.reset()
        counts[player.act(state.information_state(0), legal)] += 1
    np.testing.assert_allclose(counts / 4000, expected, atol=0.035)
    assert counts[legal == 0].sum() == 0


def test_a_strategy_is_drawn_once_an_episode_by_the_mixture(rng):
    mixture = cf.Mixture((cf.UniformRandom(), network(rng)), [0.25, 0.75])
    player = cf.Player(mixture, 1, seed=2)
    drawn = []
    for episode in range(2000):
        player.reset()
        drawn.append(player.drawn)
        assert player.episode == episode
    assert np.mean(drawn) == pytest.approx(0.75, abs=0.04)
    again = cf.Player(mixture, 1, seed=2)
    again.reset(episode=1234)
    assert again.drawn == drawn[1234]
    other = cf.Player(mixture, 0, seed=2)
    other_drawn = []
    for _ in range(2000):
        other.reset()
        other_drawn.append(other.drawn)
    assert abs(np.corrcoef(drawn, other_drawn)[0, 1]) < 0.1  # two seats with one seed draw apart


def test_the_same_seed_plays_the_same_episode_in_any_order(rng):
    policy = network(rng, "softmax", temperature=5.0)

    def history(player, episode):
        player.reset(episode)
        state, actions = GAME.new_state(seed=4), []
        for _ in range(3):
            actions.append(player.act(state.information_state(state.current_player()), state.legal_actions()))
            state.apply_action(state.legal_actions()[0])
        return actions

    forwards = [history(cf.Player(policy, 0, 9), episode) for episode in range(5)]
    player = cf.Player(policy, 0, 9)
    assert [history(player, episode) for episode in reversed(range(5))] == forwards[::-1]
    assert len(set(map(tuple, forwards))) > 1


def test_observations_add_up_to_the_information_states_of_a_log():
    dataset = cf.generate_dataset(GAME, num_trajectories=20, seed=1)
    known = dataset.information_states()
    for first, last in itertools.pairwise(dataset.trajectory_offsets):
        players = [cf.Player("uniform_random", seat, 0, GAME.spec) for seat in (0, 1)]
        for player in players:
            player.reset()
        for row in range(first, last):
            seat = dataset.acting_player[row]
            players[1 - seat].observe(dataset.observation[row, 1 - seat])
            players[seat].act(dataset.observation[row, seat], np.ones(109, bool))
            events = np.concatenate(players[seat]._events) if row > first else []
            np.testing.assert_array_equal(events, known[row, 8 : 8 + 3 * (row - first)])


def test_a_position_that_was_not_shown_is_noticed():
    player = cf.Player("uniform_random", 0, 0, CAKE)
    legal, seen = [0, 2], [1.0, 2.0, 3.0]
    player.reset()
    player.act(seen, legal)
    player.observe(seen)
    with pytest.raises(cf.InvalidArgumentError, match="2 moves .* its last move and this one, but 1"):
        player.act(seen, legal)
    player.observe(seen)
    assert player.act(seen, legal) in legal
    player.reset()
    for _ in range(2):  # others begin
        player.observe(seen)
    assert player.act(seen, legal) in legal
    player.reset()
    for _ in range(3):
        player.observe(seen)
    with pytest.raises(cf.InvalidArgumentError, match="at most 2 moves of others .* but 3 were shown; call observe"):
        player.act(seen, legal)
    for _ in range(4):
        player.observe(seen)
    with pytest.raises(cf.InvalidArgumentError, match="at most 7 moves; call reset"):
        player.observe(seen)


def test_one_form_of_knowledge_an_episode():
    player = cf.Player("uniform_random", 0, 0, CAKE)
    player.reset()
    player.observe([1.0, 2.0, 3.0])
    with pytest.raises(cf.InvalidArgumentError, match="this episode began with observations, go on with them"):
        player.act(np.zeros(CAKE.information_state_size), [1])
    player.reset()
    player.act(np.zeros(CAKE.information_state_size), [1])
    with pytest.raises(cf.InvalidArgumentError, match="this episode began with information states"):
        player.observe([1.0, 2.0, 3.0])


@pytest.mark.parametrize("changes", [{"history_start": 3}, {"max_episode_length": 1}])
def test_an_observation_as_long_as_an_information_state_is_one(changes):
    player = cf.Player("uniform_random", 0, 0, dataclasses.replace(CAKE, **changes))
    player.reset()
    assert player.act([1.0, 2.0, 3.0], [3]) == 3


def test_before_the_first_reset_nothing_is_played():
    player = cf.Player("uniform_random", 0, 0, CAKE)
    with pytest.raises(cf.InvalidArgumentError, match=r"call reset\(\)"):
        player.act(np.zeros(15), [1])
    with pytest.raises(cf.InvalidArgumentError, match=r"call reset\(\)"):
        player.observe(np.zeros(3))


@pytest.mark.parametrize(
    ("legal_actions", "expected"),
    [
        ([3], 3),
        ((3,), 3),
        (np.array([3]), 3),
        ([0, 0, 0, 1], 3),
        ([False, False, False, True], 3),
        (np.array([0, 0, 0, 1], np.uint8), 3),
    ],
)
def test_legal_actions_are_numbers_or_a_mask(legal_actions, expected):
    player = cf.Player("uniform_random", 0, 0, CAKE)
    player.reset()
    assert player.act(np.zeros(15), legal_actions) == expected


def test_of_two_actions_integers_are_numbers_and_booleans_a_mask():
    player = cf.Player("uniform_random", 0, 0, dataclasses.replace(CAKE, num_actions=2, action_vectors=np.eye(2)))
    player.reset()
    assert {player.act(np.zeros(15), [0, 1]) for _ in range(50)} == {0, 1}
    assert {player.act(np.zeros(15), np.array([0, 1], np.uint8)) for _ in range(50)} == {1}
    assert {player.act(np.zeros(15), [False, True]) for _ in range(50)} == {1}


NAN = float("nan")
WRONG = [None, 1.5, "x" * 10**6, [], {}, -1, 10**30, 10**5000, NAN, object(), [object()], [[1]], [NAN]]
WRONG += [np.zeros(()), [[1], [1, 2]], [4], [-1], [0, 0, 0, 0], [True, False], [0.5]]


@pytest.mark.parametrize("value", WRONG, ids=range(len(WRONG)))
@pytest.mark.parametrize("argument", ["legal_actions", "knowledge", "observation", "seat", "seed", "spec", "episode"])
def test_what_is_wrong_is_said_in_a_sentence(argument, value):
    def attempt():
        given = {"seat": 0, "seed": 0, "spec": CAKE, argument: value}
        player = cf.Player("uniform_random", given["seat"], given["seed"], given["spec"])
        player.reset(value if argument == "episode" else 0)
        if argument == "observation":
            player.observe(value)
        player.act(value if argument == "knowledge" else np.zeros(15), value if argument == "legal_actions" else [0, 3])

    if value is None and argument == "episode":
        return attempt()
    with pytest.raises(cf.CoffeeError) as caught:
        attempt()
    assert len(str(caught.value)) < 500
    return None


def test_a_strategy_of_another_game_is_refused(rng):
    with pytest.raises(cf.InvalidArgumentError, match="from 41 features to 109 actions does not play 'cake'"):
        cf.Player(network(rng), 0, 0, CAKE)
    with pytest.raises(cf.InvalidArgumentError, match="seat must be an integer >= 0 and <= 2, got 3"):
        cf.Player("uniform_random", 3, 0, CAKE)
    with pytest.raises(cf.InvalidArgumentError, match="spec must be given"):
        cf.Player("uniform_random", 0, 0)
    player = cf.Player(network(rng), 0, 0)
    player.reset()
    with pytest.raises(cf.InvalidArgumentError, match="an observation needs the game's specification"):
        player.observe(np.zeros(11))


def test_players_who_move_at_once_know_what_the_log_s_movers_know(rng):
    """Three rounds of two prices; an observation is one's own cost and both prices of the round before."""
    N, rounds, episodes = 2, 3, 4
    spec = cf.GameSpec(
        name="prices", num_players=N, num_actions=3, action_vectors=np.eye(3), state_size=4 + N * 3,
        observation_size=3, history_start=1, max_episode_length=N * rounds, moves="simultaneous",
        player_names=("Ann", "Bob"),
    )  # fmt: skip
    seen = rng.normal(size=(episodes, rounds, 1, 3)).repeat(N, axis=2)
    seen[..., 0] = rng.normal(size=(episodes, 1, N))
    T = episodes * rounds * N
    action, seat = rng.integers(3, size=(episodes, rounds, N)), np.tile(np.arange(N), episodes * rounds)
    state = np.zeros((episodes, rounds, N, spec.state_size), np.float32)
    state[..., :4] = np.concatenate([seen[..., 0, 1:], seen[..., 0]], axis=-1)[:, :, None]
    state[:, :, 1, 4:7] = np.eye(3)[action[..., 0]]
    log = {
        "state": state.reshape(T, -1),
        "observation": seen[:, :, None].repeat(N, axis=2).reshape(T, N, 3).astype(np.float32),
        "acting_player": seat,
        "action": action.reshape(T),
        "reward": np.zeros((T, N)),
        "trajectory": np.arange(T) // (rounds * N),
        "legal_mask": np.ones((T, 3), np.uint8),
    }
    dataset = cf.TrajectoryDataset.from_transitions(spec, log)
    known = dataset.information_states().reshape(episodes, rounds, N, -1)
    for player in (cf.Player("uniform_random", name, 0, spec) for name in spec.player_names):
        for episode in range(episodes):
            player.reset()
            for turn in range(rounds):
                given = player._information_state(seen[episode, turn, player.seat])
                np.testing.assert_array_equal(given, known[episode, turn, player.seat])
            with pytest.raises(cf.InvalidArgumentError, match="at most 6 moves; call reset"):
                player.act(seen[0, 0, 0], [0])
    player.reset()
    with pytest.raises(cf.InvalidArgumentError, match="observe: in this game all players move at once"):
        player.observe(seen[0, 0, 0])
    with pytest.raises(cf.InvalidArgumentError, match=r"seat must be one of Ann, Bob, got 'Bop'; did you mean 'Bob'"):
        cf.Player("uniform_random", "Bop", 0, spec)


def test_where_the_order_of_turns_is_not_known_any_number_of_others_may_move():
    spec = dataclasses.replace(CAKE, turn_order="predicted")
    player = cf.Player("uniform_random", 0, 0, spec)
    for others in (0, 1, 5):
        player.reset()
        for _ in range(others):  # of another player, or of chance
            player.observe([1.0, 2.0, 3.0])
        assert player.act([1.0, 2.0, 3.0], [2]) == 2
        assert player._num_positions == others + 1
    without_history = cf.Player("uniform_random", 0, 0, dataclasses.replace(spec, history_start=3))
    without_history.reset()
    for _ in range(9):  # there is nothing to be left out
        without_history.observe([1.0, 2.0, 3.0])
        assert without_history.act([1.0, 2.0, 3.0], [2]) == 2


def test_a_player_of_a_solution_of_roles_plays_its_own_part(rng):
    own = [network(rng, sizes=(15, 4)) for _ in range(3)]
    spec = dataclasses.replace(CAKE, player_names=("x", "y", "z"))
    table = cf.PayoffTable.from_arrays([np.zeros((1, 1, 1))] * 3)
    solution = cf.Solution.extract([[policy] for policy in own], table, cf.meta_solvers.Uniform(), spec)
    assert [solution.player(seat).mixture.policies for seat in (0, "y", 2)] == [(policy,) for policy in own]
    other = dataclasses.replace(CAKE, num_players=2)
    with pytest.raises(cf.InvalidArgumentError, match="a solution must be of 2 players, got one of 3"):
        cf.Player(solution, 0, 0, other)
