"""Anchored self-play in a game tree, exact: mirror descent at every information set, all players at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from coffee_fast.checks import check_count, check_flag, check_number
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.games import GameTree
from coffee_fast.policies import as_profile
from coffee_fast.policy_tables import TablePolicy
from coffee_fast.regularized.anchored.tree_descent import Descent, Look, Schedule, history_of
from coffee_fast.regularized.anchored.tree_solutions import AnchoredProfile
from coffee_fast.stage_games.status import status_of
from coffee_fast.typing import Float64

FINAL_SHARE = 0.01  # of the first weight, of which the default ends
MOST_ITERATIONS, MOST_EVALUATIONS = 10**8, 10**4


def mirror_descent(
    game: Any,
    *,
    reference: Any = "uniform",
    kl_weight: float | None = None,
    final_kl_weight: float | None = None,
    step_size: float | None = None,
    reference_period: int | None = None,
    num_iterations: int = 1000,
    kl_in_rewards: bool = True,
    averaging: bool = False,
    tolerance: float = 1e-10,
    num_evaluations: int = 20,
    uncertainty_penalty: float = 1.0,
) -> AnchoredProfile:
    r"""Find policies for all players of a game tree, each anchored to a reference: anchored self-play without sampling.

    At every information set, with :math:`q` the values of the mover's actions (expected, given that it is reached,
    where all go on as they play now), all at once,

    .. math:: \pi' \propto [\pi \, ref^{\eta \lambda} e^{\eta q}]^{1 / (1 + \eta \lambda)},

    whose fixed point is :math:`\pi \propto ref \, e^{q / \lambda}`. Where each player decides once, on its own, that is
    the equilibrium of :func:`coffee_fast.regularized.gane`, and the descent that of
    :func:`coffee_fast.regularized.gamd` with ``last_iterate``.

    Parameters
    ----------
    game
        A :class:`coffee_fast.GameTree`, of a game or a log, or what one is made from: ``"openspiel:leduc_poker"``, a
        game of OpenSpiel. Any number of players, with chance; of a log, unseen moves pay what ``uncertainty_penalty``
        says.
    reference
        ``"uniform"``; or policies, as :func:`coffee_fast.exact_regret` takes them, that play every legal action with
        positive probability. The descent starts there.
    kl_weight
        :math:`\lambda`, in units of payoff. By default it falls from the scale of rewards, ``tree.reward_scale``, to a
        hundredth of it, and the profile comes near a Nash equilibrium of the game without penalties.
    final_kl_weight
        What the weight falls to, geometrically, at the last iteration; by default it stays as it is given.
    step_size
        :math:`\eta`, in units of one over payoff; by default tied to the weight, twice that over the square of
        ``tree.reward_scale``. Where iterations do not settle, a smaller one helps.
    reference_period
        After so many iterations, each time, what is played becomes the reference; by default it stays. Where this
        settles, it does at a Nash equilibrium of the game without penalties, at any weight: in some games, as Kuhn
        poker with a tenth of ``tree.reward_scale`` and a period of 100, much sooner than by a falling one, while in
        others, as Leduc poker, it wanders. ``history`` says which.
    num_iterations
        Steps at most; a descent with one weight and one reference ends when it has converged.
    kl_in_rewards
        Whether the KL that a player pays at its later decisions counts in its values: then the fixed point is a Nash
        equilibrium of the game with penalties; else, with a uniform reference, a logit quantal response equilibrium,
        each decision an agent's (McKelvey and Palfrey 1998).
    averaging
        Whether to return the average of all iterations, as if one were drawn an episode, in place of the last: better
        where iterations do not settle, as at a small constant weight, and never nearly as good as the last where they
        do. Its gap is no fixed point's.
    tolerance
        Converged where every ``gap`` is at most this share of the KL weight or, if that is less, of
        ``tree.reward_scale`` (responses are then right to about its square root) and, where the reference moves,
        every regret at most this share of the latter.
    num_evaluations
        How often ``history`` is written, evenly spread: exact best responses each time, as costly as some iterations.
    uncertainty_penalty
        Of a tree from a log: an unseen move pays every player the mean of the least and the most that it may, less this
        times half their distance: 1 the least, 0 the mean. With 0 players go wherever nothing is known as soon as the
        mean is more than what is known, and where the log leaves much unseen that costs far more regret
        (``reproductions/games``). All figures are of the game with these payoffs; for bounds in the log's see
        :func:`coffee_fast.exact_regret`.

    Returns
    -------
    AnchoredProfile

    Raises
    ------
    InvalidArgumentError
        For players who forget, a reference that does not fit the game or leaves out an action, impossible numbers.
    InvalidGameError
        For a game without a tree, or one whose information state tensors do not tell a player what it knows.
    NumericalError
        If a step size or weight is so extreme that figures leave the finite numbers.

    Notes
    -----
    Deterministic. Cost: an iteration passes twice over the nodes, some tens of nanoseconds each.

    That the last iterate converges at a constant weight, for steps small enough, is proved for two-player zero-sum
    games in normal form, and in sequence form with another penalty; as it is here, decision by decision, it is only
    observed, as it is in games of more players or of general sums, and with a falling weight. Hence the certificate:
    regret and gap are computed, over the whole tree, of the profile that is returned.

    References
    ----------
    Sokota et al., A unified approach to reinforcement learning, quantal response equilibria, and two-player zero-sum
    games, ICLR 2023 (magnetic mirror descent, in behavioral form).

    >>> import coffee_fast as cf
    >>> found = cf.mirror_descent("openspiel:kuhn_poker", kl_weight=0.5)
    >>> found.status, bool(cf.exact_regret("openspiel:kuhn_poker", found).nash_conv < 0.3)
    ('converged', True)
    """
    name = "mirror_descent"
    num_iterations = check_count(f"{name}: num_iterations", num_iterations, at_least=1, at_most=MOST_ITERATIONS)
    num_evaluations = check_count(f"{name}: num_evaluations", num_evaluations, at_least=1, at_most=MOST_EVALUATIONS)
    tolerance = check_number(f"{name}: tolerance", tolerance, is_open=True)
    kl_in_rewards = check_flag(f"{name}: kl_in_rewards", kl_in_rewards)
    averaging = check_flag(f"{name}: averaging", averaging)
    first, last = _positive("kl_weight", kl_weight), _positive("final_kl_weight", final_kl_weight)
    size = _positive("step_size", step_size)
    if reference_period is not None:
        reference_period = check_count(f"{name}: reference_period", reference_period, at_least=1)
    penalty = check_number(f"{name}: uncertainty_penalty", uncertainty_penalty)
    tree = (game if isinstance(game, GameTree) else GameTree(game)).penalized(penalty)
    tree.check_recall(name)
    _check_states(tree)
    if first is None:
        first, last = tree.reward_scale, last or FINAL_SHARE * tree.reward_scale
    schedule = Schedule(first, last or first, num_iterations, num_evaluations, reference_period)
    descent = Descent(tree, _log_reference(tree, reference), size, kl_in_rewards, averaging)
    allowed_gap = tolerance * min(tree.reward_scale, schedule.last)
    # A fixed point at the latest of several references may be far from where they lead, an equilibrium without penalty.
    allowed_regret = np.inf if reference_period is None else tolerance * tree.reward_scale
    history = history_of(descent, schedule, allowed_gap)
    has_converged = bool((history[-1].gap <= allowed_gap).all() and (history[-1].regret <= allowed_regret).all())
    return _profile(tree, history, has_converged)


def _profile(tree: GameTree, history: list[Look], has_converged: bool) -> AnchoredProfile:
    final = history[-1]
    table = np.zeros(tree.legal_masks.shape)
    table[tree.legal_masks.astype(bool)] = final.policy
    own = [tree.information_set_players == player for player in range(tree.spec.num_players)]
    return AnchoredProfile(
        policies=tuple(TablePolicy(tree.information_states[sets], table[sets]) for sets in own),
        spec=tree.spec,
        values=final.values,
        regret=final.regret,
        gap=final.gap,
        kl_weight=final.kl_weight,
        status=status_of(has_converged),
        num_iterations=final.num_iterations,
        history={
            "iteration": np.array([look.num_iterations for look in history], np.int64),
            "kl_weight": np.array([look.kl_weight for look in history]),
            "nash_conv": np.array([look.regret.sum() for look in history]),
            "gap": np.array([look.gap.max() for look in history]),
            "entropy": np.array([look.entropy for look in history]),
            "kl": np.array([look.kl for look in history]),
        },
    )


def _positive(name: str, value: float | None) -> float | None:
    return None if value is None else check_number(f"mirror_descent: {name}", value, is_open=True)


def _log_reference(tree: GameTree, reference: Any) -> Float64:
    if isinstance(reference, str) and reference == "uniform":
        reference = "uniform_random"
    probabilities = np.zeros(tree.core.num_sequences)
    for player, strategy in enumerate(as_profile(reference, tree.spec.num_players)):
        probabilities += tree.sequence_probabilities("mirror_descent: reference", player, strategy)
    if not (probabilities > 0.0).all():
        sequence = int(np.argmin(probabilities))
        number = int(np.searchsorted(tree.sequence_starts, sequence, side="right")) - 1
        raise InvalidArgumentError(
            "mirror_descent: reference must play every legal action with positive probability, as nothing can be "
            f"anchored to what never is; got 0 for action {tree.core.sequence_actions()[sequence]} of player "
            f"{tree.information_set_players[number]} at {shown(tree.information_set_names[number])}; mix uniform play "
            "into it: PerStepMixture"
        )
    return np.log(probabilities)


def _check_states(tree: GameTree) -> None:
    """Raise unless what a player is told tells its information sets apart, as a policy must."""
    for player in range(tree.spec.num_players):
        sets = np.flatnonzero(tree.information_set_players == player)
        _, first, places = np.unique(tree.information_states[sets], axis=0, return_index=True, return_inverse=True)
        if len(first) < len(sets):
            second = int(np.flatnonzero(first[places.reshape(-1)] != np.arange(len(sets)))[0])
            names = [tree.information_set_names[sets[i]] for i in (first[places.reshape(-1)][second], second)]
            raise InvalidGameError(
                f"mirror_descent: in {shown(tree.spec.name)} player {player} has one information state tensor for the "
                f"information sets {shown(names[0])} and {shown(names[1])}, so that no policy tells them apart"
            )
