"""Risk-averse quantal equilibria: players of bounded rationality who guard against what the others may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count, check_number
from coffee_fast.empirical.payoff_arrays import check_mixture
from coffee_fast.empirical.payoff_table import PayoffLike, PayoffTable
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.regularized.games import as_game
from coffee_fast.regularized.risk_averse.induction import solve_markov
from coffee_fast.regularized.risk_averse.solutions import RiskAverseEquilibrium, RiskAversePolicies
from coffee_fast.stage_games.arguments import check_players, frozen, log_uniform
from coffee_fast.stage_games.kernels import Divergence, Regularizer
from coffee_fast.stage_games.normal_form import combine_members
from coffee_fast.stage_games.risk import PerPlayer, Risk
from coffee_fast.stage_games.status import status_of
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64


@overload
def rqe(
    game: PayoffLike,
    *,
    temperature: PerPlayer = None,
    risk_aversion: PerPlayer = None,
    divergence: Divergence = "kl",
    regularizer: Regularizer = "log_barrier",
    environment_risk_aversion: float = 0.0,
    initial: Sequence[ArrayLike] | None = None,
    tolerance: float = 1e-10,
    max_iterations: int = 2000,
) -> RiskAverseEquilibrium: ...


@overload
def rqe(
    game: TabularGame | Mapping[str, ArrayLike],
    *,
    temperature: PerPlayer = None,
    risk_aversion: PerPlayer = None,
    divergence: Divergence = "kl",
    regularizer: Regularizer = "log_barrier",
    environment_risk_aversion: float = 0.0,
    environment_radius: float = 0.0,
    unseen_value: ArrayLike | None = None,
    discount: float | None = None,
    tolerance: float = 1e-10,
    max_iterations: int = 2000,
) -> RiskAversePolicies: ...


def rqe(
    game: PayoffLike | TabularGame | Mapping[str, ArrayLike],
    *,
    temperature: PerPlayer = None,
    risk_aversion: PerPlayer = None,
    divergence: Divergence = "kl",
    regularizer: Regularizer = "log_barrier",
    environment_risk_aversion: float = 0.0,
    environment_radius: float = 0.0,
    initial: Sequence[ArrayLike] | None = None,
    unseen_value: ArrayLike | None = None,
    discount: float | None = None,
    tolerance: float = 1e-10,
    max_iterations: int = 2000,
) -> RiskAverseEquilibrium | RiskAversePolicies:
    r"""Return mixtures that are best for every player against a cautious view of the others' play.

    .. math:: \max_{x_i} \min_p \left[ x_i \cdot U_i p + D(p, x_{-i}) / \tau_i \right] - \epsilon_i \nu(x_i)

    With enough of both, :math:`\epsilon_1 \epsilon_2 \tau_1 \tau_2 \ge 1` for two players, equilibria are easy to find
    in every game, whatever its payoffs. Without risk aversion and with ``"entropy"`` it is the logit quantal response
    equilibrium; for much risk aversion at low temperature, play that is secure.

    Parameters
    ----------
    game
        A payoff table, a tabular game (stage by stage, from the last step back), or a log of play as
        :meth:`TabularGame.from_dataset` takes it. Of a log the certificate is about its table, in which every player
        sees the state and nothing else (``about`` says so); a log of private information needs its ``observation``.
    temperature
        :math:`\epsilon`, in units of payoff, one or one a player; by default a tenth of the player's range of payoffs
        (of rewards).
    risk_aversion
        :math:`\tau`, one or one a player, in units of one over payoff: 0 is neutral; by default one over the
        temperature, the least for which every game is tractable.
    divergence
        ``"kl"``: :math:`KL(p \| x_{-i})`, an entropic view of risk; ``"reverse_kl"``: :math:`KL(x_{-i} \| p)`.
        With more than two players ``p`` is any joint play of the others.
    regularizer
        ``"log_barrier"``: :math:`\nu = -\sum \log x`; ``"entropy"``: :math:`\nu = \sum x \log x`. All pairs are solved;
        (kl, entropy) is the one without a promise of tractability.
    environment_risk_aversion
        :math:`\tau` of the entropic certainty equivalent of what is not the others' play: the members of a table, or
        the next state of a tabular game. 0 takes their mean.
    environment_radius
        Of a tabular game: values of next states are the least within this total variation distance instead.
    initial
        Of a payoff table: one mixture a player to search from, where there may be several equilibria; by default the
        branch of equilibria is traced down from infinite temperatures.
    unseen_value
        What legal cells that a log never shows are worth, with all that follows, one number or one a player.
    discount
        Of a tabular game of one step with transitions: play goes on for ever with this discount per step.
    tolerance
        Converged with gaps at most this share of the (stage) game's payoff range or, if that is less, of ten
        temperatures.
    max_iterations
        Steps along the branch, damped responses where it could not be followed to its end, and sweeps over a discounted
        game.

    Raises
    ------
    InvalidGameError
        Payoffs that are not known, or cells that are empty without ``unseen_value``.
    InvalidArgumentError
        Temperatures that are not positive, negative risk aversion, and other impossible arguments.

    Notes
    -----
    Mixtures are solved for, and gaps are of, their logarithms: where payoffs are hundreds of temperatures apart,
    probabilities below 1e-308 are returned as 0, though an adversary of ``"kl"`` may fear just these.

    Deterministic. Cost of one stage game: for each step along the branch a linear system of all actions together (for
    reverse KL of the others' joint actions, too) and ``A_i^2`` joint actions of the others a player; memory does not
    grow with steps. Source: Mazumdar, Panaganti and Shi 2025.

    >>> table = PayoffTable.from_arrays([[[200, 160], [370, 10]], [[160, 10], [200, 370]]])
    >>> found = rqe(table, temperature=(170, 110), risk_aversion=(0.001, 0.06))
    >>> found.status, found.mixtures[0].round(4).tolist(), round(found.tractability, 3), found.is_unique
    ('converged', [0.468, 0.532], 1.122, True)
    """
    check_number("rqe: tolerance", tolerance, is_open=True)
    max_iterations = check_count("rqe: max_iterations", max_iterations, at_least=1)
    check_number("rqe: environment_risk_aversion", environment_risk_aversion)
    game = as_game("rqe", game)
    if isinstance(game, PayoffTable):
        for name, value, unset in (
            ("environment_radius", environment_radius, 0.0),
            ("unseen_value", unseen_value, None),
            ("discount", discount, None),
        ):
            if value is not unset and not (isinstance(value, int | float) and value == unset):
                raise InvalidArgumentError(f"rqe: {name} is for tabular games, got {shown(value)} with a payoff table")
        game.kernel("rqe")  # refuses unknown payoffs
        payoffs = [combine_members(game.payoffs(i), environment_risk_aversion) for i in range(game.num_players)]
        ranges = np.array([np.ptp(u) for u in payoffs])
        risk = Risk.of("rqe", temperature, risk_aversion, divergence, regularizer, ranges)
        return _solve_table(game, payoffs, risk, initial, tolerance, max_iterations)
    if initial is not None:
        raise InvalidArgumentError("rqe: initial is for payoff tables; stage games of tabular games start uniform")
    check_number("rqe: environment_radius", environment_radius)
    known = game.legal_profiles if game.counts is None else game.counts > 0
    ranges = np.array([np.ptp(rewards[known]) for rewards in game.rewards])
    risk = Risk.of("rqe", temperature, risk_aversion, divergence, regularizer, ranges)
    return solve_markov(
        game,
        risk,
        environment_risk_aversion=environment_risk_aversion,
        environment_radius=environment_radius,
        unseen_value=unseen_value,
        discount=discount,
        tolerance=tolerance,
        max_iterations=max_iterations,
    )


def _solve_table(
    table: PayoffTable,
    payoffs: list[Float64],
    risk: Risk,
    initial: Sequence[ArrayLike] | None,
    tolerance: float,
    max_iterations: int,
) -> RiskAverseEquilibrium:
    num_players, sizes = table.num_players, table.num_strategies
    start = None
    if initial is not None:
        check_players("rqe: initial", initial, num_players)
        checked = [check_mixture(f"rqe: initial of player {i}", x, sizes[i]) for i, x in enumerate(initial)]
        floored = [np.maximum(x, 1e-12) for x in checked]
        start = [np.log(x / x.sum())[None] for x in floored]
    alike = all(len(set(values.tolist())) == 1 for values in (risk.temperature, risk.risk_aversion))
    is_one = table.is_symmetric and alike and (start is None or np.array_equal(start[0], start[1]))
    used = slice(0, 1 if is_one else num_players)
    games = [u[None] for u in payoffs[used]]
    legal = [log_uniform(np.ones((1, size), dtype=bool)) for size in sizes[used]]
    found = risk.solve(
        games, legal, tolerance=tolerance, max_iterations=max_iterations, initial=None if start is None else start[used]
    )
    players = [0] * num_players if is_one else range(num_players)
    mixtures = [found.mixtures[i][0] / found.mixtures[i][0].sum() for i in players]
    others = [tuple(sizes[j] for j in range(num_players) if j != i) for i in range(num_players)]

    def each(values: Float64) -> Float64:
        return frozen(values[0, list(players)])

    return RiskAverseEquilibrium(
        mixtures=tuple(frozen(x) for x in mixtures),
        adversaries=tuple(frozen(found.adversaries[i][0].reshape(o)) for i, o in zip(players, others, strict=True)),
        gap=each(found.gap),
        residual=each(found.residual),
        value=each(found.value),
        status=status_of(found.converged[0]),
        num_iterations=int(found.num_iterations[0]),
        tractability=risk.tractability,
        is_tractable=risk.is_tractable,
        is_unique=risk.is_unique(games),
        temperature=frozen(risk.temperature),
        risk_aversion=frozen(risk.risk_aversion),
        divergence=risk.divergence,
        regularizer=risk.regularizer,
    )
