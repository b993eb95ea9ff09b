import signal
import time

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast.errors import InvalidArgumentError, NumericalError
from coffee_fast.games import matrix
from coffee_fast.meta_solvers import AnnealedReplicator, ProjectedReplicator, Replicator, RobustReplicator

DILEMMA = cf.PayoffTable.symmetric([[3.0, 0.0], [5.0, 1.0]])


def test_rock_paper_scissors_stays_uniform():
    table = cf.PayoffTable.symmetric(matrix.rock_paper_scissors().payoffs[0])
    np.testing.assert_allclose(Replicator().solve(table).mixtures[0], 1 / 3, atol=1e-15)


def test_a_dominant_strategy_is_played_but_for_the_floor():
    solution = Replicator(step_size=0.01).solve(DILEMMA)
    np.testing.assert_allclose(solution.mixtures[0], [1e-6, 1 - 1e-6], atol=1e-15)
    assert solution.max_regret < 5e-6


def test_robust_step_with_one_member_has_the_closed_form():
    rng = np.random.default_rng(0)
    payoffs, step_size = rng.normal(size=(5, 5)), 1e-3
    x = np.full(5, 0.2)
    u = payoffs @ x
    best_other = np.where(np.arange(5) == u.argmax(), np.sort(u)[-2], u.max())
    moved = x + step_size * x * (u - x @ u - best_other + u)
    expected = moved + (1 - moved.sum()) / 5  # nothing meets the floor in one small step
    solution = RobustReplicator(max_iterations=1).solve(cf.PayoffTable.symmetric(payoffs))
    np.testing.assert_allclose(solution.mixtures[0], expected, atol=1e-16)
    plain = Replicator(max_iterations=1).solve(cf.PayoffTable.symmetric(payoffs))
    assert np.abs(plain.mixtures[0] - solution.mixtures[0]).max() > 1e-5


def test_the_robust_dynamics_go_by_the_bounds_not_by_the_mean():
    sure, gamble, mirage = [2.0, 2.0, 2.0], [9.0, 9.0, -6.0], [10.0, -20.0, -20.0]  # what each member says
    payoffs = np.transpose([sure, gamble, mirage])[:, :, None].repeat(3, axis=2)
    table = cf.PayoffTable.symmetric(payoffs)
    assert Replicator(max_iterations=1).solve(table).mixtures[0].argsort().tolist() == [2, 0, 1]
    assert RobustReplicator(max_iterations=1).solve(table).mixtures[0].argsort().tolist() == [2, 1, 0]


@pytest.mark.parametrize("solver", [Replicator, RobustReplicator])
def test_the_threshold_stops_at_the_first_step_below_it(solver):
    thresholded = solver(regret_threshold=0.5).solve(DILEMMA)
    assert thresholded.status == "threshold_reached"
    last = thresholded.num_iterations
    assert thresholded.pessimistic_regret.sum() < 0.5
    before = solver(max_iterations=last - 1).solve(DILEMMA)
    assert before.status == "max_iterations"
    assert before.pessimistic_regret.sum() >= 0.5
    np.testing.assert_array_equal(solver(max_iterations=last).solve(DILEMMA).mixtures, thresholded.mixtures)


def test_the_robust_threshold_is_on_the_upper_bound():
    spread = np.array([1.0, -1.0])[:, None, None]
    table = cf.PayoffTable.symmetric(DILEMMA.payoffs(0) + spread)  # the bound never falls below the spread
    assert RobustReplicator(regret_threshold=1.0).solve(table).status == "max_iterations"
    assert Replicator(regret_threshold=1.0).solve(table).status == "threshold_reached"


def test_without_a_threshold_and_with_zero_all_iterations_run():
    for threshold in (None, 0.0):
        for solver in (Replicator, RobustReplicator):
            solution = solver(regret_threshold=threshold, max_iterations=30_000).solve(DILEMMA)
            assert (solution.status, solution.num_iterations) == ("max_iterations", 30_000)


def test_a_player_with_one_strategy_keeps_it():
    table = cf.PayoffTable.from_arrays([[[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]]])
    for solver in (Replicator(), RobustReplicator(), ProjectedReplicator(max_iterations=20_000)):
        mixtures = solver.solve(table).mixtures
        np.testing.assert_array_equal(mixtures[0], [1.0])
        assert mixtures[1][2] > 0.9


def test_projected_replicator_averages_what_circles():
    pennies = cf.PayoffTable.from_arrays([[[2.0, -1.0], [-1.0, 1.0]], [[-2.0, 1.0], [1.0, -1.0]]])
    average = ProjectedReplicator(step_size=0.01).solve(pennies)
    last = Replicator(step_size=0.01, max_iterations=100_000).solve(pennies)
    np.testing.assert_allclose(average.mixtures[0], [0.4, 0.6], atol=0.02)
    assert average.max_regret < 0.2 * last.max_regret


@pytest.mark.parametrize("solver", [Replicator, RobustReplicator, ProjectedReplicator])
@pytest.mark.parametrize("scale", [1e150, 1e279])
def test_huge_payoffs_give_distributions(solver, scale):
    payoffs = np.random.default_rng(0).normal(size=(3, 9, 9))
    payoffs *= scale / np.abs(payoffs).max()
    for table in (cf.PayoffTable.symmetric(payoffs), cf.PayoffTable.from_arrays([payoffs, payoffs])):
        for mixture in solver(max_iterations=200).solve(table).mixtures:
            assert (mixture >= 1e-6).all()
            np.testing.assert_allclose(mixture.sum(), 1.0, atol=1e-12)


def test_a_step_that_would_overflow_is_an_error():
    with pytest.raises(NumericalError, match="step_size times the payoffs"):
        Replicator(step_size=1e3).solve(cf.PayoffTable.symmetric([[1e279, 0.0], [0.0, 0.0]]))


@pytest.mark.parametrize("solver", [Replicator, RobustReplicator, ProjectedReplicator])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"step_size": 0.0}, "step_size must be a finite number > 0, got 0"),
        ({"step_size": np.inf}, "step_size must be a finite number > 0, got inf"),
        ({"step_size": "fast"}, "step_size must be a finite number > 0, got 'fast'"),
        ({"max_iterations": 0}, "max_iterations must be an integer >= 1, got 0"),
        ({"max_iterations": 1.5}, "max_iterations must be an integer >= 1, got 1.5"),
        ({"min_probability": -1e-9}, "min_probability must be a finite number >= 0, got -1e-09"),
    ],
)
def test_parameters_are_checked(solver, parameters, message):
    with pytest.raises(InvalidArgumentError, match=f"{solver.__name__}: {message}"):
        solver(**parameters)


def test_the_threshold_is_checked():
    with pytest.raises(InvalidArgumentError, match="regret_threshold must be a finite number >= 0, got nan"):
        RobustReplicator(regret_threshold=np.nan)


def test_a_floor_too_high_for_the_game_is_an_error():
    with pytest.raises(InvalidArgumentError, match="min_probability must be at most 1 / 2 for the 2 strategies"):
        Replicator(min_probability=0.6).solve(DILEMMA)
    np.testing.assert_array_equal(Replicator(min_probability=0.5).solve(DILEMMA).mixtures[0], [0.5, 0.5])


def test_an_interrupt_stops_a_long_solve():
    def interrupt(signum, frame):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            Replicator(max_iterations=10**12).solve(DILEMMA)
        assert time.monotonic() - start < 5.0  # 0.2 s on a machine that does nothing else
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)


def test_steps_of_the_kernel_refuse_what_is_no_mixture():
    payoffs = np.ones(2)
    with pytest.raises(InvalidArgumentError, match="payoffs must have 3 entries, got 2"):
        _core.replicator_step(np.full(3, 1 / 3), payoffs, 0.1)
    with pytest.raises(InvalidArgumentError, match="probabilities must lie in"):
        _core.replicator_step(np.array([2.0, -1.0]), payoffs, 0.1)
    with pytest.raises(InvalidArgumentError, match="payoffs must be finite"):
        _core.robust_replicator_step(np.full(2, 0.5), payoffs, np.array([np.nan, 1.0]), 0.1)
    with pytest.raises(TypeError):
        _core.replicator_step(np.full(2, 0.5, dtype=np.float32), payoffs, 0.1)


@pytest.mark.parametrize(("is_robust", "dynamics"), [(False, Replicator), (True, RobustReplicator)])
def test_annealed_dynamics_are_those_with_the_threshold_of_their_size(is_robust, dynamics):
    rng = np.random.default_rng(4)
    solver = AnnealedReplicator(is_robust, initial_regret_threshold=4.0, num_anneal_steps=4)
    for size, threshold in ((2, 4.0), (3, 3.0), (5, 1.0), (6, 1e-5), (7, 1e-5)):
        table = cf.PayoffTable.symmetric(rng.normal(size=(2, size, size)) * 3)
        expected = dynamics(regret_threshold=threshold).solve(table)
        found = solver.solve(table)
        np.testing.assert_array_equal(found.mixtures[0], expected.mixtures[0])
        assert (found.status, found.num_iterations) == (expected.status, expected.num_iterations)
