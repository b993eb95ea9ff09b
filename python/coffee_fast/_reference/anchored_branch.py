r"""The branch of anchored equilibria that starts at the reference, traced by pseudo-arclength continuation.

Payoffs are in units of the KL weight. For :math:`t` from 0 (the players stay at their references) to 1 (the game), the
zeros of :math:`F(l, t) = l - \log ref - t q(e^l) + \log Z` in :math:`y = (l, t / s)`, ``l`` all log-probabilities and
``s`` a scale, make a curve: predict along its tangent, correct at a right angle to it, through turns of ``t`` too.
Sources: Turocy 2005 for the logit branch in log-probabilities; Allgower and Georg 1990 for the method.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coffee_fast._reference import anchored
from coffee_fast.typing import Float64, Int64, Profile

_FIRST_STEP = 0.3
_SMALLEST_STEP = 1e-7
_WANTED_CORRECTION = 0.15  # of a log-probability: how far predictions may miss
_LARGEST_CORRECTION = 0.6
_NEGLIGIBLE_LOG = 40.0  # beyond it, a log-probability counts by its share: e^-1000 is e^-1010
_NUM_CORRECTIONS = 4
_CROSSING_STEP = 1e-3  # below it, another orientation is a crossing of curves
_PATH_RESIDUAL = 1e-4
_MAX_STEPS = 2000
_MAX_POLISH = 12


def trace_branch(payoffs: Sequence[Float64], reference: Sequence[Float64], allowed: Float64) -> tuple[Profile, Int64]:
    """Return for each game the profile at the end of its branch, or where tracing stopped, and the linear solves.

    Games are stepped side by side, each with its own step size; ``allowed [G, N]`` is the KL divergence from the best
    response at which the final Newton steps end.
    """
    branch = Branch(payoffs, reference)
    trace(branch)
    branch.polish(allowed)
    return branch.split(branch.y[:, :-1]), branch.num_solves


def trace(branch: Branch, max_steps: int = _MAX_STEPS) -> None:
    """Step every game along its branch until it has arrived or is stuck, for a limited number of steps."""
    branch.find_tangents(branch.running)
    for _ in range(max_steps):
        if not len(branch.running):
            break
        branch.step()


class Branch:
    """The state of every game on its branch: ``y [G, D + 1]``, its tangent and its step size.

    Other responses than the anchored one have branches too: a class with another :meth:`linearize`.
    """

    def __init__(self, payoffs: Sequence[Float64], reference: Sequence[Float64]) -> None:
        self.payoffs, self.reference = list(payoffs), np.concatenate(list(reference), axis=1)
        self.owners = anchored.axis_owners(self.payoffs)
        self.ends = np.cumsum([0, *(x.shape[1] for x in reference)])
        num_games, size = self.reference.shape
        flat = [p.reshape(num_games, -1) for p in self.payoffs]
        # t / s grows with the log-probabilities: a step of one moves each by about one.
        self.scale = 1.0 / np.maximum(1.0, np.max([np.ptp(p, axis=1) for p in flat], axis=0))
        self.y = np.concatenate([self.reference, np.zeros((num_games, 1))], axis=1)
        self.tangent = np.zeros((num_games, size + 1))
        self.tangent[:, -1] = 1.0
        self.step_size = np.full(num_games, _FIRST_STEP)
        self.num_solves = np.zeros(num_games, dtype=np.int64)
        self.arrived = np.zeros(num_games, dtype=bool)
        self.orientation = np.ones(num_games)
        self.running = np.arange(num_games)

    def split(self, values: Float64) -> Profile:
        """Return the players' parts of ``[G, D]``."""
        return [values[..., start:end] for start, end in zip(self.ends[:-1], self.ends[1:], strict=True)]

    def step(self) -> None:
        """Take one step of every running game: predict, correct, then accept and stretch it or refuse and halve it."""
        games = self.running
        h = self.step_size[games]
        time_left = 1.0 / self.scale[games] - self.y[games, -1]
        speed = self.tangent[games, -1]
        lands = h * speed >= time_left
        h = np.where(lands, time_left / np.where(lands, speed, 1.0), h)
        predicted = self.y[games] + h[:, None] * self.tangent[games]
        y, tangent, first_correction, residual, orientation = self._correct(games, predicted, lands)
        is_good = (residual <= _PATH_RESIDUAL) & (first_correction <= _LARGEST_CORRECTION)
        # The determinant keeps its sign along a curve. Where it changes, the step has jumped to another one, straight
        # on behind a sharp turn; or the curve really crosses another, as steps of any size find.
        is_good &= (orientation == self.orientation[games]) | (h < _CROSSING_STEP)
        stretch = np.sqrt(_WANTED_CORRECTION / np.maximum(first_correction, 1e-12))
        self.step_size[games] = h * np.where(is_good, np.clip(stretch, 0.5, 4.0), 0.4)
        good = games[is_good]
        self.y[good], self.tangent[good] = y[is_good], tangent[is_good]
        self.orientation[good], self.arrived[good] = orientation[is_good], lands[is_good]
        stuck = self.step_size[games] < _SMALLEST_STEP
        self.running = games[~(self.arrived[games] | stuck)]

    def polish(self, allowed: Float64) -> None:
        """Take Newton steps at the end of the branch until each response is near enough, or they gain no more."""
        games = np.flatnonzero(self.arrived)
        last = np.full(len(games), np.inf)
        for _ in range(_MAX_POLISH):
            residual, matrix, _ = self.linearize(games, self.y[games])
            size = np.abs(residual).max(axis=1)
            # KL(x || response) is below the square of the residual where that is small.
            left = (size**2 > 0.1 * allowed[games].min(axis=1)) & (size < last)
            if not left.any():
                return
            games, last = games[left], size[left]
            self.y[games, :-1] -= _solve(matrix[left], residual[left][..., None])[..., 0]
            self.num_solves[games] += 1

    def _correct(self, games: Int64, y: Float64, lands: NDArray[np.bool_]) -> tuple[Float64, ...]:
        """Return corrected points, tangents there, sizes of the first corrections, residuals left, and orientations.

        Corrections keep to the plane through the prediction at a right angle to the tangent, or to the final time.
        """
        row = np.where(lands[:, None], np.eye(y.shape[1])[-1], self.tangent[games])
        tangent, first = self.tangent[games].copy(), np.zeros(len(games))
        residual, orientation = np.full(len(games), np.inf), np.zeros(len(games))
        left = np.arange(len(games))
        y = y.copy()
        for correction in range(_NUM_CORRECTIONS + 1):
            errors, matrix, by_time = self.linearize(games[left], y[left])
            residual[left] = np.abs(errors).max(axis=1)
            # One correction at least: it brings the tangent.
            going = (residual[left] > _PATH_RESIDUAL) | (correction == 0)
            going &= (correction < _NUM_CORRECTIONS) & (first[left] <= _LARGEST_CORRECTION)
            stop = ~going & (residual[left] <= _PATH_RESIDUAL)
            if stop.any():
                final = self._bordered(matrix[stop], by_time[stop], row[left[stop]])
                orientation[left[stop]] = np.linalg.slogdet(final).sign
            left, errors, matrix, by_time = left[going], errors[going], matrix[going], by_time[going]
            if not len(left):
                break
            moves = self._solve_bordered(games[left], matrix, by_time, row[left], errors)
            y[left] += moves[..., 0]
            tangent[left] = _unit(moves[..., 1])
            if correction == 0:
                size = np.maximum(1.0, np.abs(y[left]) / _NEGLIGIBLE_LOG)
                first[left] = (np.abs(moves[..., 0]) / size).max(axis=1)
        return y, tangent, first, residual, orientation

    def find_tangents(self, games: Int64) -> None:
        """Find the tangents from which to step."""
        errors, matrix, by_time = self.linearize(games, self.y[games])
        moves = self._solve_bordered(games, matrix, by_time, self.tangent[games], errors)
        self.tangent[games] = _unit(moves[..., 1])

    def _solve_bordered(
        self, games: Int64, matrix: Float64, by_time: Float64, row: Float64, errors: Float64
    ) -> Float64:
        """Return ``[G, D + 1, 2]``: Newton corrections, and vectors along the curves, of product 1 with ``row``."""
        num_games, size = errors.shape
        right = np.zeros((num_games, size + 1, 2))
        right[:, :size, 0], right[:, size, 1] = -errors, 1.0
        self.num_solves[games] += 1
        return _solve(self._bordered(matrix, by_time, row), right)

    def _bordered(self, matrix: Float64, by_time: Float64, row: Float64) -> Float64:
        """Return ``[G, D + 1, D + 1]``: the derivatives of ``F``, and ``row`` below."""
        return np.concatenate([np.concatenate([matrix, by_time[..., None]], axis=2), row[:, None, :]], axis=1)

    def linearize(self, games: Int64, y: Float64) -> tuple[Float64, Float64, Float64]:
        """Return ``F [G, D]``, its derivatives by the log-probabilities ``[G, D, D]`` and by ``t / s`` ``[G, D]``."""
        t, scale = (y[:, -1] * self.scale[games])[:, None], self.scale[games][:, None]
        payoffs = [p[games] for p in self.payoffs]
        logs = self.split(y[:, :-1])
        probabilities = [np.exp(np.minimum(x, 50.0)) for x in logs]
        residual, by_time = np.empty_like(y[:, :-1]), np.empty_like(y[:, :-1])
        matrix = np.zeros((*residual.shape, residual.shape[1]))
        matrix[:] = np.eye(residual.shape[1])
        for player, own in enumerate(map(slice, self.ends[:-1], self.ends[1:])):
            q = anchored.contract(payoffs[player], self.owners, probabilities, [player])
            scores = self.reference[games, own] + t * q
            top = scores.max(axis=1, keepdims=True)
            response = np.exp(scores - top)
            total = response.sum(axis=1, keepdims=True)
            response /= total
            # What is not available stays so: differences of its logarithms are no numbers to go by.
            available = self.reference[games, own] > 0.5 * anchored.LOG_ZERO
            residual[:, own] = np.where(available, logs[player] - scores + (top + np.log(total)), 0.0)
            by_time[:, own] = np.where(available, scale * ((response * q).sum(axis=1, keepdims=True) - q), 0.0)
            for axis, owner in enumerate(self.owners):
                if axis != player:
                    pairs = anchored.contract(payoffs[player], self.owners, probabilities, [player, axis])
                    change = t[..., None] * pairs * probabilities[owner][:, None, :]
                    mean = np.einsum("ga,gab->gb", response, change)
                    derivatives = np.where(available[..., None], mean[:, None, :] - change, 0.0)
                    matrix[:, own, self.ends[owner] : self.ends[owner + 1]] += derivatives
        return residual, matrix, by_time


def _unit(vectors: Float64) -> Float64:
    """Return the vectors of ``[G, D + 1]`` at length one."""
    return np.asarray(vectors / np.maximum(np.sqrt((vectors**2).sum(axis=1, keepdims=True)), 1e-300))


def _solve(matrices: Float64, right: Float64) -> Float64:
    """Solve ``[G, D, D]`` systems; a singular one, as at a bifurcation, in the least-squares sense."""
    try:
        return np.asarray(np.linalg.solve(matrices, right))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(matrices) @ right)
