"""The dual of one player's choice of visits, by damped Newton steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coffee_fast.typing import Float64

_MOST_STEPS = 30
_FLAT = 1e-10  # the largest entry of the gradient, a share of visits
_FASTEST, _SLOWEST = 3.0, 1.0 + 1e-6  # from one precision to the next, when nothing better is known to begin with


@dataclass(frozen=True, eq=False)
class FlowDual:
    """The best shares of visits beside the others' play.

    ``value`` of the objective; ``advantages [S, A]``; ``all_state_values`` with the end; ``log_reference`` and
    ``log_weights`` of all cells one after another; the largest ``flow_residual``.
    """

    value: float
    advantages: Float64
    all_state_values: Float64
    log_reference: Float64
    log_weights: Float64
    flow_residual: float
    num_states: int

    @property
    def state_values(self) -> Float64:
        """``[S]``, of mean 0: a constant changes nothing where visits sum to 1."""
        values = self.all_state_values[: self.num_states]
        return np.asarray(values - values.mean())


@dataclass(frozen=True, eq=False)
class FlowProblem:
    r"""Minimize :math:`(1 - \gamma) \rho_0 \nu + \alpha \log \sum d_D e^{(g + \gamma P \nu - \nu) / \alpha}` over nu.

    ``gains`` and ``log_reference [S, A]`` are rewards less the penalties that are not the player's choice, and
    logarithms of the log's shares; of the sparse ``moves [S A, S]`` what is missing to 1 goes to the end, a state more
    with ``end_share`` of the log. The gradient is the violation of the flow of visits, the dual value at any point an
    upper bound on the objective.
    """

    gains: Float64
    log_reference: Float64
    moves: Any
    initial: Float64
    discount: float
    end_share: float

    def solve(self, kl_weight: float, start: Float64 | None = None) -> FlowDual:
        """Return the solution for a weight, from state values ``start`` (with the end) or by way of larger weights."""
        matrix, costs, log_d, linear = self._arrays()
        descent = _Descent(matrix, costs, log_d, linear)
        found = None if start is None else descent.newton(start / kl_weight, 1.0 / kl_weight)
        if found is None or not found.has_converged:
            found = descent.follow(1.0 / kl_weight)
        nu = kl_weight * found.point
        S, A = self.gains.shape
        return FlowDual(
            value=kl_weight * found.value,
            advantages=self.gains + (matrix @ nu)[: S * A].reshape(S, A),
            all_state_values=nu,
            log_reference=log_d,
            log_weights=(costs + matrix @ nu) / kl_weight,
            flow_residual=float(np.abs(found.gradient).max()),
            num_states=S,
        )

    def _arrays(self) -> tuple[Any, Float64, Float64, Float64]:
        """Return sparse ``gamma P - E`` by cell and state, gains and log-shares by cell, and the linear term."""
        import scipy.sparse

        S, A = self.gains.shape
        stays = scipy.sparse.csr_array(
            (np.ones(S * A), (np.arange(S * A), np.repeat(np.arange(S), A))), shape=(S * A, S)
        )
        matrix = self.discount * self.moves - stays
        costs, log_d = self.gains.ravel(), self.log_reference.ravel()
        linear = (1.0 - self.discount) * self.initial
        if self.discount > 0.0:
            ends = self.discount * np.maximum(1.0 - self.moves.sum(axis=1), 0.0)
            matrix = scipy.sparse.block_array([[matrix, ends[:, None]], [None, np.array([[self.discount - 1.0]])]])
            costs, log_d = np.append(costs, 0.0), np.append(log_d, np.log(self.end_share))
            linear = np.append(linear, 0.0)
        return matrix.tocsr(), costs, log_d, linear


@dataclass(frozen=True, eq=False)
class _Point:
    """``x = nu / alpha`` and there: the objective over alpha, its gradient, the shares of cells."""

    point: Float64
    value: float
    gradient: Float64
    shares: Float64
    has_converged: bool = False


@dataclass(frozen=True, eq=False)
class _Descent:
    r"""Minimize :math:`l x + \log \sum d_D e^{\tau c + M x}`, its minimizer nearly linear in a large tau."""

    matrix: Any
    costs: Float64
    log_d: Float64
    linear: Float64

    def follow(self, precision: float) -> _Point:
        """Return the minimizer for ``tau = precision``, tracing the minimizers of smaller ones along their tangent."""
        tau = min(1.0 / (np.ptp(self.costs) + 1e-12), precision)
        found, growth = self.newton(np.zeros(len(self.linear)), tau), _FASTEST
        while tau < precision:
            ahead = min(tau * growth, precision)
            tried = self.newton(found.point + (ahead - tau) * self._tangent(found), ahead)
            if not tried.has_converged:  # the tangent can lead astray where a step is long
                tried = self.newton(found.point, ahead)
            if tried.has_converged:
                found, tau, growth = tried, ahead, min(growth**1.5, _FASTEST)
            elif growth > _SLOWEST:
                growth **= 0.3
            else:
                return tried
        return found

    def newton(self, x: Float64, tau: float) -> _Point:
        """Return the minimizer near ``x``; where rounding ends the descent, the best point reached."""
        now = self._at(x, tau)
        for _ in range(_MOST_STEPS):
            step = -self._solve(now, now.gradient)
            slope, length = float(now.gradient @ step), 1.0
            if -slope <= _FLAT**2 and np.abs(now.gradient).max() <= _FLAT:
                return replace(now, has_converged=True)
            while length > 1e-4:
                new = self._at(now.point + length * step, tau)
                if new.value <= now.value + 1e-4 * length * slope:
                    break
                # Close to the minimum the value no longer tells better from worse; the gradient does.
                is_close = -slope <= 1e-12 * (1.0 + abs(now.value))
                if is_close and np.abs(new.gradient).max() < np.abs(now.gradient).max():
                    break
                length *= 0.5
            else:
                break
            now = new
        return replace(now, has_converged=bool(np.abs(now.gradient).max() <= 100.0 * _FLAT))

    def _at(self, x: Float64, tau: float) -> _Point:
        scores = self.log_d + tau * self.costs + self.matrix @ x
        top = scores.max()
        p = np.exp(scores - top)
        total = p.sum()
        p /= total
        value = float(self.linear @ x + top + np.log(total))
        return _Point(x, value, self.linear + self.matrix.T @ p, p)

    def _tangent(self, at: _Point) -> Float64:
        """Return the derivative of the minimizer by tau."""
        centered = at.shares * (self.costs - at.shares @ self.costs)
        return -self._solve(at, self.matrix.T @ centered)

    def _solve(self, at: _Point, vector: Float64) -> Float64:
        """Return the inverse Hessian times ``vector``, each state on its own scale: some are hardly ever visited."""
        import scipy.sparse
        import scipy.sparse.linalg

        # The Hessian is sparse but for a product of means, which goes with an unknown more. Adding a constant to x
        # changes nothing: a second one picks, of all solutions, one without.
        weighted = self.matrix.copy()
        weighted.data *= np.repeat(at.shares, np.diff(self.matrix.indptr))
        second = (self.matrix.T @ weighted).toarray()
        size = len(second)
        scale = 1.0 / np.sqrt(np.maximum(second.diagonal(), 1e-200))
        system = np.zeros((size + 2, size + 2))
        system[:size, :size] = scale[:, None] * second * scale
        system[np.diag_indices(size)] += 1e-13
        system[:size, size] = system[size, :size] = scale * (self.matrix.T @ at.shares)
        system[:size, size + 1] = system[size + 1, :size] = (1.0 / scale) / np.linalg.norm(1.0 / scale)
        system[size, size], system[size + 1, size + 1] = 1.0, -1.0
        unknowns = scipy.sparse.linalg.splu(scipy.sparse.csc_array(system)).solve(np.append(scale * vector, [0.0, 0.0]))
        return np.asarray(scale * unknowns[:size])
