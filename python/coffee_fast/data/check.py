"""What a log must satisfy before a model is learned from it; each check is a function that yields what it finds.

A model is one of the game that the specification tells of: who moves when, when it pays, which moves are chance. It
takes a state near ``terminal_state_value`` for the end. What a log shows of another kind of game would vanish from it
without a word.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.checks import check_number
from coffee_fast.data.findings import DatasetCheck, Finding, Log
from coffee_fast.data.information import what_moves_show
from coffee_fast.data.seats import SEAT_CHECKS
from coffee_fast.data.tried import moves_nobody_tried

if TYPE_CHECKING:
    from coffee_fast.data.dataset import TrajectoryDataset

FEWEST_PAID = 5  # trajectories from which on a pattern in all of them is no accident
MOST_WARNED_DISTANCE = 1.5  # in units of the threshold
LEAST_ACCURACY = 0.01  # of the spread of states, that a model should not have to reach to see the end
LEAST_EPISODES = 10
MOST_INPUTS = 10**7
LEAST_REPEATED = 20  # repetitions at one distance; unequal plays come up at unequal ones


def check_log(dataset: TrajectoryDataset, terminal_threshold: float) -> DatasetCheck:
    """Make every check; what is refused comes first."""
    threshold = check_number("check: terminal_threshold", terminal_threshold, is_open=True)
    log = Log(dataset, threshold)
    findings = [finding for check in CHECKS for finding in check(log)]
    return DatasetCheck(dataset.spec.name, tuple(sorted(findings, key=lambda finding: finding.severity)))


def rewards_before_the_end(log: Log) -> Iterator[Finding]:
    """A game that pays at the end pays after the last action alone."""
    rows = np.flatnonzero((log.dataset.reward != 0).any(axis=1) & (log.dataset.terminal == 0))
    if len(rows) and log.spec.rewards == "at_end":
        yield Finding(
            "rewards before the end",
            "refused",
            log.place(rows[0]),
            f"there is a reward before the end, as in {len(rows)} rows of {log.dataset.num_transitions}",
            "by its specification the game pays at the end of an episode alone, so these rewards would be lost",
            "Say rewards='every_step' in the GameSpec; if only the sum of an episode counts, put it into the last row.",
        )


def order_of_rows(log: Log) -> Iterator[Finding]:
    """Where all pay comes with the first of several actions, the rows stand last to first."""
    offsets, is_paid = log.dataset.trajectory_offsets, (log.dataset.reward != 0).any(axis=1)
    pays = np.add.reduceat(is_paid, offsets[:-1]) > 0
    pays &= np.diff(offsets) > 1
    if log.spec.moves == "turns" and pays.sum() >= FEWEST_PAID and not is_paid[log.step > 0].any():
        yield Finding(
            "order of rows",
            "refused",
            log.place(offsets[:-1][pays][0]),
            f"all pay comes with the first action, in all {pays.sum()} trajectories that pay and have more than one",
            "rows that stand last to first would teach a game played backwards",
            "Sort the log by time, or say which column is its 'step'; if nothing that follows counts, leave it out.",
        )


def turn_order(log: Log) -> Iterator[Finding]:
    """In a cyclic order the player on move is the next one by number."""
    movers, num_players = log.dataset.acting_player.astype(np.int64), log.spec.num_players
    if log.spec.turn_order != "cyclic" or log.spec.moves == "simultaneous":
        return
    out_of_turn = np.flatnonzero((movers[1:] != (movers[:-1] + 1) % num_players) & (log.step[1:] > 0)) + 1
    if len(out_of_turn):
        row = out_of_turn[0]
        yield Finding(
            "turn order",
            "refused",
            log.place(row),
            f"player {movers[row]} moves after player {movers[row - 1]}, where it is player "
            f"{(movers[row - 1] + 1) % num_players}'s turn, as in {len(out_of_turn)} rows of {len(movers)}",
            f"by its specification the {num_players} players move strictly in turn (turn_order='cyclic'), so a model "
            "would be one of another game",
            "Say turn_order='predicted' in the GameSpec, and let the state show who is on move; moves='simultaneous' "
            "if all move at once; if a player only passes in between, log the pass as an action.",
        )


def no_end(log: Log) -> Iterator[Finding]:
    """Episodes that broke off teach moves, not endings."""
    if log.dataset.truncated.all():
        yield Finding(
            "no end",
            "refused",
            "the log",
            f"all {log.dataset.num_trajectories} trajectories are truncated",
            "nothing shows how the game ends, and a model of it would never end",
            "Log episodes to their end; if the game ends where these do, leave truncated out.",
        )


def states_like_the_end(log: Log) -> Iterator[Finding]:
    """The model takes a state near the terminal one for the end."""
    states, value, threshold = log.dataset.state, log.spec.terminal_state_value, log.terminal_threshold
    distance = np.abs(states.astype(np.float64) - value).mean(axis=1)
    nearest = distance.argmin()
    if distance[nearest] >= MOST_WARNED_DISTANCE * threshold:
        return
    is_taken = np.flatnonzero(distance < threshold)
    remedy = "Scale the entries of the state down, then choose a terminal_state_value that is far from all of them."
    if (free := free_terminal_value(float(states.min()), threshold)) is not None:
        remedy = (
            f"Build the dataset anew with GameSpec(terminal_state_value={free}), which is far from every logged state; "
            "from_transitions fills it in at the ends."
        )
    row = is_taken[0] if len(is_taken) else nearest
    yield Finding(
        "states like the end",
        "refused" if len(is_taken) else "warning",
        log.place(row),
        f"the state is {distance[row]:.3g} from terminal_state_value {value:g} on average over its entries"
        + (f", as {len(is_taken)} states are nearer than terminal_threshold {threshold:g}" if len(is_taken) else ""),
        "a model takes a state nearer than terminal_threshold for the end of the episode"
        + ("" if len(is_taken) else f" ({threshold:g}), and small errors of its predictions suffice here"),
        remedy,
    )


def free_terminal_value(least: float, threshold: float) -> float | None:
    """Return a value that every state is at least two thresholds away from, or None if there is no finite one."""
    value = math.floor(least - max(2 * threshold, 1e-3 * abs(least)))
    return float(value) if abs(value) <= float(np.finfo(np.float32).max) else None


def accuracy_of_the_end(log: Log) -> Iterator[Finding]:
    """What a model's prediction of the end must hit."""
    spread = float(log.dataset.state.astype(np.float64).std(axis=0).mean())
    if log.terminal_threshold < LEAST_ACCURACY * spread:
        yield Finding(
            "scale of states",
            "warning",
            "the log",
            f"entries of the state vary by {spread:.3g} (standard deviation)",
            f"a model must predict the end to within terminal_threshold {log.terminal_threshold:g} on average, which "
            "at this scale it may miss, so that its episodes do not end and pay nothing",
            "Scale the entries of the state to about 1, or raise terminal_threshold of the EnsembleConfig.",
        )


def equal_payoffs(log: Log) -> Iterator[Finding]:
    """Without a difference in payoffs every strategy is as good as another."""
    paid = log.dataset.reward[log.last[~log.dataset.truncated]]
    if not len(paid):
        return
    if log.spec.rewards == "every_step":
        paid = np.add.reduceat(log.dataset.reward.astype(np.float64), log.first, axis=0)
    if (paid == paid[0]).all():
        same = np.unique(paid[0])
        yield Finding(
            "equal payoffs",
            "refused",
            "the log",
            "every trajectory of the dataset pays the same, "
            + (str(float(same[0])) if len(same) == 1 else "to each player")
            + (" at its end" if log.spec.rewards == "at_end" else " in all"),
            "there is nothing to learn: in a model every strategy would be as good as any other",
            "Look at the column reward; the payoff of an episode belongs into its last row.",
        )


def constant_state(log: Log) -> Iterator[Finding]:
    """A state that never changes says nothing of where an episode stands."""
    if log.step.max() > 0 and (log.dataset.state == log.dataset.state[0]).all():
        yield Finding(
            "constant state",
            "warning",
            "the log",
            "the state is the same in every row",
            "a model cannot tell the moves of an episode apart, so that its ends and payoffs hang on the action alone",
            "Put into the state what the next state, the legal actions and the payoffs depend on.",
        )


def actions_nobody_took(log: Log) -> Iterator[Finding]:
    """A network learns nothing of an action whose vector differs where no logged action varies."""
    spec, taken = log.spec, np.unique(log.dataset.action[log.dataset.acting_player >= 0])
    if not len(taken):
        return
    packed = np.bitwise_or.reduce(log.dataset.legal_mask, axis=0)
    is_legal = np.unpackbits(packed, count=spec.num_actions, bitorder="little").astype(bool)
    known = spec.action_vectors[taken]
    differs = (spec.action_vectors != known[0]) & (known == known[0]).all(axis=0)
    unknown = np.flatnonzero(is_legal & differs.any(axis=1))
    if len(unknown):
        row = int(np.argmax((log.dataset.legal_mask[:, unknown[0] // 8] >> (unknown[0] % 8)) & 1))
        yield Finding(
            "actions nobody took",
            "warning",
            log.place(row),
            f"action {unknown[0]} was legal and never taken, as {len(unknown)} actions of {spec.num_actions}, and its "
            "action_vector differs from all taken ones where they are alike",
            "what a model says of these actions is chance, and strategies will try them",
            "Mark them illegal in legal_mask, log play that takes them, or give like actions like action_vectors.",
        )


def outcomes_never_seen(log: Log) -> Iterator[Finding]:
    """What chance never did in the log it does not do in a model."""
    seen = np.unique(log.dataset.action[log.dataset.acting_player < 0])
    if (count := log.spec.num_chance_actions - len(seen)) > 0:
        missing = np.setdiff1d(np.arange(log.spec.num_chance_actions), seen)[0]
        yield Finding(
            "outcomes never seen",
            "warning",
            "the log",
            f"outcome {missing} of chance never came up, as {count} of {log.spec.num_chance_actions}",
            "what is learned of chance from the log gives it no probability",
            "Log more play, or lower num_chance_actions if there is no such outcome.",
        )


def repeated_trajectories(log: Log) -> Iterator[Finding]:
    """Parts of a log that were pasted in twice come up again at one and the same distance."""
    arrays, offsets = log.dataset.arrays, log.dataset.trajectory_offsets
    names = ("state", "observation", "action", "acting_player", "reward")
    places: dict[bytes, list[int]] = {}
    for i in range(0, log.dataset.num_trajectories, 2 if log.dataset.is_mirrored else 1):
        content = b"".join(arrays[name][offsets[i] : offsets[i + 1]].tobytes() for name in names)
        places.setdefault(content, []).append(i)
    rare = [found for found in places.values() if 2 <= len(found) <= 4]  # short plays come up often by themselves
    repeats = [pair for found in rare for pair in itertools.pairwise(found)]
    distances = Counter(later - earlier for earlier, later in repeats)
    distance, count = max(distances.items(), key=lambda item: item[1], default=(0, 0))
    if count >= LEAST_REPEATED:
        again = min(later for earlier, later in repeats if later - earlier == distance)
        yield Finding(
            "repeated trajectories",
            "warning",
            f"trajectory {again}",
            f"it is trajectory {again - distance} once more, and so {count} trajectories repeat the one {distance} "
            "places before",
            "part of the log is stored twice, so trajectories kept out to judge a model were trained on all the same, "
            "and there are fewer independent episodes than it seems",
            "Remove the copies; select() keeps the trajectories whose numbers it is given.",
        )


def size_of_information_states(log: Log) -> Iterator[Finding]:
    """Every network that plays takes in all observations of the longest possible episode."""
    if (size := log.spec.information_state_size) > MOST_INPUTS:
        yield Finding(
            "size of information states",
            "refused",
            "the log",
            f"an information state has {size} entries, as max_episode_length is {log.spec.max_episode_length}",
            f"no network that takes in more than {MOST_INPUTS} numbers can be trained in reasonable time and memory",
            f"Lower max_episode_length; the longest logged episode has {int(log.step.max()) + 1} actions.",
        )


def few_episodes(log: Log) -> Iterator[Finding]:
    """Little can be learned from little."""
    if (count := log.dataset.num_independent_episodes) < LEAST_EPISODES:
        yield Finding(
            "few episodes",
            "warning",
            "the log",
            f"there are {count} independent episodes",
            "no figure on held-out trajectories means much, and nothing can be said of the seats",
            f"Log more play; below {LEAST_EPISODES} episodes a model is hardly more than a guess.",
        )


CHECKS = (
    rewards_before_the_end,
    order_of_rows,
    turn_order,
    no_end,
    states_like_the_end,
    accuracy_of_the_end,
    equal_payoffs,
    *SEAT_CHECKS,
    what_moves_show,
    constant_state,
    actions_nobody_took,
    moves_nobody_tried,
    outcomes_never_seen,
    repeated_trajectories,
    size_of_information_states,
    few_episodes,
)
