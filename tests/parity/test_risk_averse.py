import itertools

import numpy as np
import pytest
from tests.parity.test_anchored import games, symmetric_games

from coffee_fast import _core
from coffee_fast._reference.anchored import LOG_ZERO, log_sum_exp
from coffee_fast._reference.risk_averse import DIVERGENCES, REGULARIZERS, RiskAverseGames
from coffee_fast.errors import InvalidArgumentError

KINDS = list(itertools.product(DIVERGENCES, REGULARIZERS))


def risky(stage_games, num_games=24, seed=5):
    """Payoffs, risk aversions from none to much, and what is legal."""
    payoffs, reference, kl_weight = stage_games
    legal = [np.where(x > LOG_ZERO / 2, 0.0, LOG_ZERO)[:num_games] for x in reference]
    tau = np.random.default_rng(seed).choice([0.0, 0.3, 1.0, 4.0], size=(num_games, len(payoffs)))
    temperature = kl_weight[:num_games].mean(axis=1)
    scaled = [u[:num_games] / temperature.reshape(-1, *[1] * (u.ndim - 1)) for u in payoffs]
    return scaled, tau, [x - log_sum_exp(x) for x in legal]


ALL = {
    "two players": risky(games((3, 4))),
    "three players": risky(games((2, 3, 4))),
    "one player": risky(games((5,))),
    "symmetric": risky(symmetric_games(6, num_games=24)),
    "large payoffs": risky(games((3, 3), scale=30.0)),
}


def numbers(divergence, regularizer):
    return {"divergence": DIVERGENCES.index(divergence), "regularizer": REGULARIZERS.index(regularizer)}


@pytest.mark.parametrize(("divergence", "regularizer"), KINDS)
@pytest.mark.parametrize("kind", ALL)
def test_responses_gaps_and_values_agree(kind, divergence, regularizer):
    payoffs, tau, legal = ALL[kind]
    rng = np.random.default_rng(1)
    mixtures = [x + rng.normal(size=x.shape) for x in legal]
    mixtures = [x - log_sum_exp(x) for x in mixtures]
    found = _core.risk_averse_figures(payoffs, tau, legal, mixtures, **numbers(divergence, regularizer))
    twin = RiskAverseGames.of(payoffs, tau, legal, divergence, regularizer)
    for player in range(len(payoffs)):
        np.testing.assert_allclose(found["adversaries"][player], twin.adversary(player, mixtures).p, rtol=1e-9)
    for x, y in zip(found["responses"], twin.responses(mixtures), strict=True):
        np.testing.assert_allclose(x, y, rtol=0, atol=1e-11)
    np.testing.assert_allclose(found["gap"], twin.gap(mixtures), rtol=1e-10)
    np.testing.assert_allclose(found["value"], twin.value(mixtures), rtol=1e-12, atol=1e-12)
    others = [twin.log_others(player, mixtures) for player in range(len(payoffs))]
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found["saddle_gap"], twin.saddle_gap(mixtures, others), rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a | {"payoffs": []}, r"payoffs must be one array \[G, A_1, ..., A_n\] or more"),
        (lambda a: a | {"risk_aversion": np.ones((3, 2))}, r"risk_aversion must have shape \[24, 2\]"),
        (lambda a: a | {"legal": a["legal"][:1]}, "legal must have 2 arrays, got 1"),
        (lambda a: a | {"mixtures": a["mixtures"][::-1]}, r"mixtures\[0\] must have shape \[24, 3\]"),
        (lambda a: a | {"divergence": 2}, "divergence must be 0 or 1, got 2"),
        (lambda a: a | {"regularizer": -1}, "regularizer must be 0 or 1, got -1"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, message):
    payoffs, tau, legal = ALL["two players"]
    arguments = {"payoffs": payoffs, "risk_aversion": tau, "legal": legal, "mixtures": legal}
    with pytest.raises(InvalidArgumentError, match=message):
        _core.risk_averse_figures(**change(arguments | numbers("kl", "entropy")))


@pytest.mark.parametrize("log", [-1e3, -1e180, -1e250, LOG_ZERO])
@pytest.mark.parametrize("kind", ["two players", "three players"])
def test_what_is_legal_is_so_however_small_its_logarithm(kind, log):
    payoffs, tau, legal = ALL[kind]
    first = [np.argmax(x > LOG_ZERO / 2, axis=1)[:, None] for x in legal]
    mixtures = [np.where(np.arange(x.shape[1]) == own, 0.0, log) for x, own in zip(legal, first, strict=True)]
    found = _core.risk_averse_figures(payoffs, tau, legal, mixtures, **numbers("reverse_kl", "entropy"))
    expected = RiskAverseGames.of(payoffs, tau, legal, "reverse_kl", "entropy")
    near = [np.where((x > LOG_ZERO / 2) & (y < 0.0), -1e3, y) for x, y in zip(legal, mixtures, strict=True)]
    for player in range(len(payoffs)):
        for profile in (mixtures, near):
            p = expected.adversary(player, profile).p
            np.testing.assert_allclose(found["adversaries"][player], p, rtol=1e-9)
