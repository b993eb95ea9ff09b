"""Whether the seats of one role are alike in a log, all seats in that of a symmetric game.

Players of one role share strategies, so a seat that has an advantage would vanish from every answer. A log may
be by unlike players of a symmetric game all the same: what only their play can bring about is warned of; refused is
what the rules must have brought about. All tests hold for any number of episodes, small ones included: none rests on a
normal approximation. Mirrored logs are alike by what they store.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, gammaln

from coffee_fast.data.findings import Finding, Log
from coffee_fast.data.mirror import mirror_states
from coffee_fast.games import GameSpec

REFUSED, WARNED = 1e-6, 1e-4  # probabilities that seats which are alike would differ so much
LEAST_BIAS = 0.1  # of a seat's fair share of first moves; less is no reason to refuse a log

_ADVANTAGE = "strategies are shared between the seats of a role, so what a seat has ahead would be lost"


def who_moves_first(log: Log) -> Iterator[Finding]:
    """Each seat of a role opens as often, beyond chance: exact binomial tests. Where all move at once, nobody opens."""
    openers = log.dataset.acting_player[log.openings]
    for seats in log.shared_roles if log.spec.moves == "turns" else ():
        found = np.array([(openers == seat).sum() for seat in seats])
        counts = np.floor(found * log.independent_share).astype(np.int64)
        total, num_seats = int(counts.sum()), len(seats)
        if total == 0:
            continue
        most, least = counts.max(), counts.min()
        tail = min(bdtr(float(least), total, 1 / num_seats), bdtrc(most - 1.0, total, 1 / num_seats))
        probability = min(1.0, 2 * num_seats * float(tail))
        seat = int(counts.argmax())
        is_large = abs(counts[seat] * num_seats / total - 1) > LEAST_BIAS
        if severity := _severity(probability, is_large):
            yield Finding(
                "who moves first",
                severity,
                "the log",
                f"player {seats[seat]} moves first in {found[seat]} of {found.sum()} trajectories of "
                f"{_said(log.spec, seats)} ({_in_words(probability)})",
                _ADVANTAGE,
                _remedy(log.spec, "a coin decides who moves first"),
            )


def legal_first_moves(log: Log) -> Iterator[Finding]:
    """Before anybody has acted, an action legal in one seat is so in all: an exact hypergeometric test."""
    movers, num_actions = log.dataset.acting_player[log.openings], log.spec.num_actions
    for seats in log.shared_roles:
        packed = log.dataset.legal_mask[log.openings]
        masks = [np.unpackbits(packed[movers == seat], axis=1, count=num_actions, bitorder="little") for seat in seats]
        legal = np.floor(np.array([mask.sum(axis=0, dtype=np.int64) for mask in masks]) * log.independent_share)
        episodes = np.floor(np.array([len(mask) for mask in masks]) * log.independent_share)
        everywhere, total = legal.sum(axis=0), episodes.sum()
        # All episodes with a legal `a` among the others': choose(others, k) / choose(total, k).
        others = np.maximum((total - episodes)[:, None], everywhere)
        chances = gammaln(others + 1) - gammaln(others - everywhere + 1) - gammaln(total + 1)
        chances = np.where((legal == 0) & (everywhere > 0), chances + gammaln(total - everywhere + 1), 0.0)
        seat, action = np.unravel_index(chances.argmin(), chances.shape)
        probability = min(1.0, float(chances.size * np.exp(chances[seat, action])))
        if severity := _severity(probability):
            is_legal = ((packed[:, action // 8] >> (action % 8)) & 1) == 1
            row = log.openings[np.flatnonzero(is_legal & np.isin(movers, seats))[0]]
            yield Finding(
                "legal actions by seat",
                severity,
                log.place(row),
                f"action {action} is legal at the first move here, and never is for player {seats[int(seat)]}, in "
                f"{_said(log.spec, seats)} ({_in_words(probability)})",
                "a strategy shared between the seats would not fit the actions of one of them",
                f"{_unlike(log.spec)}: the players have roles.",
            )


def actions_taken(log: Log) -> Iterator[Finding]:
    """Players with the same actions share some at some time, where legal masks do not tell which they have.

    That every one of the ``k`` actions taken in ``n`` episodes at a move belongs to one seat alone has probability
    ``seats ** (k - n)`` if seats are exchanged at random.
    """
    for seats in log.shared_roles:
        own = np.flatnonzero(np.isin(log.dataset.acting_player, seats))
        is_first = log.move[own] == log.move[own].min(initial=0)
        is_untold = _is_untold(log, own) or all(_is_untold(log, own[rows]) for rows in (is_first, ~is_first))
        num_moves, found = int(log.move.max()) + 1, []
        for move in range(num_moves):
            rows = own[log.move[own] == move]
            pairs = np.unique(np.stack([log.dataset.action[rows], log.dataset.acting_player[rows]]), axis=1)
            kinds = np.bincount(pairs[1])
            if len(np.unique(pairs[0])) < pairs.shape[1] or (kinds > 0).sum() < 2:
                continue
            exponent = pairs.shape[1] - np.floor(len(rows) * log.independent_share)
            probability = min(1.0, num_moves * float(len(seats)) ** min(exponent, 0.0))
            # Players that always do one thing are unlike, that is all; sets of actions are rather those of roles.
            if severity := _severity(probability, is_large=is_untold and (kinds[kinds > 0] > 1).all()):
                found.append((severity, probability, move, rows))
        if found:
            severity, probability, move, rows = min(found, key=lambda item: (item[0], item[2]))
            yield Finding(
                "actions taken by seat",
                severity,
                log.place(rows[0]),
                f"at step {move} the players never take the same action, in {len(rows)} trajectories of "
                f"{_said(log.spec, seats)} ({_in_words(probability)})",
                "strategies are shared between the seats, and nothing shows what one gets by the actions of the other",
                _remedy(log.spec, "both may take all of them"),
            )


def payoffs_at_like_ends(log: Log) -> Iterator[Finding]:
    """The same last action in the same state pays the same, whoever is who: needs the exchange of states."""
    dataset, rows = log.dataset, log.last
    rows = rows[~dataset.truncated & (dataset.acting_player[rows] >= 0)]
    if not log.shared_roles or not _has_exchange(log.spec) or log.spec.moves != "turns":
        return
    movers = dataset.acting_player[rows]
    states = np.where(
        (movers == 0)[:, None], dataset.state[rows], mirror_states(log.spec, np.array(dataset.state[rows]))
    )
    own_first = np.where((movers == 0)[:, None], dataset.reward[rows], dataset.reward[rows][:, ::-1])
    ends: dict[bytes, tuple[list[int], list[int]]] = {}
    for i, (state, action) in enumerate(zip(states + 0.0, dataset.action[rows], strict=True)):
        ends.setdefault(state.tobytes() + action.tobytes(), ([], []))[movers[i]].append(i)
    pairs = [pair for seats in ends.values() for pair in zip(*seats, strict=False)]
    if not pairs:
        return
    left, right = np.array(pairs).T
    differences = own_first[left].astype(np.float64) - own_first[right]
    probability = min(1.0, 2 * min(_sign_flips(column, np.abs(column), log) for column in differences.T))
    if severity := _severity(probability):
        example = int(np.flatnonzero((differences != 0).any(axis=1))[0])
        yield Finding(
            "payoffs by seat",
            severity,
            log.place(rows[left[example]]),
            f"the last action pays the players {_pair(own_first[left[example]])}, and "
            f"{_pair(own_first[right[example]])} in {log.place(rows[right[example]])}, its mirror image, as in "
            f"{(differences != 0).any(axis=1).sum()} of {len(pairs)} such pairs ({_in_words(probability)})",
            _ADVANTAGE,
            "Say is_symmetric=False in the GameSpec, or correct state_swap and state_flip.",
        )


def payoffs_of_seats(log: Log) -> Iterator[Finding]:
    """Whether a seat earns more over whole episodes; unlike players can bring it about, so it is never refused."""
    whole = ~log.dataset.truncated
    for seats in log.shared_roles if whole.any() else ():
        returns = np.add.reduceat(log.dataset.reward[:, list(seats)].astype(np.float64), log.first, axis=0)[whole]
        deviations = returns - returns.mean(axis=1, keepdims=True)
        bounds = np.abs(deviations).max(axis=1)
        chances = [_sign_flips(column, bounds, log) for column in deviations.T]
        probability = min(1.0, min(chances) * len(chances))
        if probability < WARNED:
            means = ", ".join(f"{mean:.3g}" for mean in returns.mean(axis=0)[:8])
            yield Finding(
                "payoffs by seat",
                "warning",
                "the log",
                f"the seats earn unequally in {_said(log.spec, seats)}, {means} on average ({_in_words(probability)})",
                "either unlike players sat in them, which is no fault, or the game favors a seat, which would be lost",
                _remedy(log.spec, "seats are drawn"),
            )


SEAT_CHECKS = (who_moves_first, legal_first_moves, actions_taken, payoffs_at_like_ends, payoffs_of_seats)


def _is_untold(log: Log, rows: NDArray[Any]) -> bool:
    """Whether the masks of rows say no more than which actions were taken in them."""
    taken = np.isin(np.arange(log.spec.num_actions), log.dataset.action[rows])
    return bool((log.dataset.legal_mask[rows] == np.packbits(taken, bitorder="little")).all())


def _said(spec: GameSpec, seats: range) -> str:
    if spec.is_symmetric:
        return "a game that is said to be symmetric"
    return f"a role that is said to have the like seats {seats[0]} to {seats[-1]}"


def _unlike(spec: GameSpec) -> str:
    return "Say is_symmetric=False in the GameSpec" if spec.is_symmetric else "Give unlike seats unlike roles"


def _has_exchange(spec: GameSpec) -> bool:
    return spec.num_players == 2 and len(spec.state_swap) > 0


def _severity(probability: float, is_large: Any = True) -> Literal["refused", "warning"] | None:
    if probability < REFUSED and is_large:
        return "refused"
    return "warning" if probability < WARNED else None


def _sign_flips(values: NDArray[np.float64], bounds: NDArray[np.float64], log: Log) -> float:
    """Hoeffding's bound on the probability that a sum of independent terms around 0 is so far from 0."""
    squares = float((bounds**2).sum())
    if squares == 0.0:
        return 1.0
    return 2 * float(np.exp(-log.independent_share * float(values.sum()) ** 2 / (2 * squares)))


def _in_words(probability: float) -> str:
    return f"by chance with probability below {max(probability, 1e-300):.0e}"


def _pair(rewards: NDArray[Any]) -> str:
    return " and ".join(f"{reward:g}" for reward in rewards)


def _remedy(spec: GameSpec, condition: str) -> str:
    if not spec.is_symmetric:
        return f"If {condition}, log more play; else give unlike seats roles of their own (roles of the GameSpec)."
    mirrored = "dataset.mirrored() stores each episode with the players exchanged as well"
    if not _has_exchange(spec):
        mirrored = f"give GameSpec the exchange of states (two players: state_swap, state_flip), for then {mirrored}"
    return f"If {condition}: {mirrored}; else say is_symmetric=False."
