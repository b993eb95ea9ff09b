"""Best-response flow where actions are vectors: mixtures as particles, best responses by Langevin steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count, check_number
from coffee_fast.empirical.payoff_arrays import as_floats
from coffee_fast.errors import InvalidArgumentError, NumericalError, shown
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.stage_games.arguments import check_per_player, frozen
from coffee_fast.stage_games.status import Status, status_of
from coffee_fast.typing import Float64, Profile

Gradient = Callable[[int, Float64, Sequence[Float64]], ArrayLike]
_MOST_PARTICLES, _MOST_STEPS, _MOST_PLAYERS, _MOST_ENTRIES = 10**6, 10**6, 16, 1024
_FARTHEST = 1e100
_LAST_STEPS = 10  # times as many steps to the best responses by which the end is judged


@dataclass(frozen=True, eq=False)
class ParticlePlay:
    """Mixtures of a game with vectors as actions, each as particles, and how far they are from best responses.

    Attributes
    ----------
    particles
        One ``f64[K, D_i]`` a player: draws from its mixture.
    responses
        One ``f64[K, D_i]`` a player: draws from its best response to the others, by many more steps.
    distance
        ``f64[N]``: between the two, in deviations of the responses: the largest of the Wasserstein-1 distances of
        single coordinates. Of two samples of one distribution it is about ``1 / sqrt(K)``.
    means
        ``f64[T + 1, D]``: means of all players' coordinates at the start and after each iteration.
    status
        ``"converged"``: every distance is within the tolerance; ``"max_iterations"``: not.
    num_iterations
        Steps of the flow.
    """

    particles: tuple[Float64, ...]
    responses: tuple[Float64, ...]
    distance: Float64
    means: Float64
    status: Status
    num_iterations: int


def particle_best_response_flow(
    gradient: Gradient,
    reference_mean: Sequence[ArrayLike],
    reference_deviation: float | Sequence[float] = 1.0,
    *,
    temperature: float | Sequence[float] = 1.0,
    rate: float = 0.1,
    num_iterations: int = 100,
    num_particles: int = 1000,
    inner_step: float = 0.05,
    num_inner_steps: int = 20,
    tolerance: float = 0.15,
    seed: int = 0,
) -> ParticlePlay:
    r"""Follow the best-response flow of a game with vectors as actions, each player near a Gaussian reference.

    .. math:: \frac{d\nu_i}{dt} = \Psi_i(\nu) - \nu_i, \quad
        \Psi_i(\nu) \propto \xi_i(x) \exp \left( \frac{E_{\nu_{-i}} u_i(x, \cdot)}{\sigma_i} \right)

    whose fixed points are the anchored equilibria of :func:`gane` for such actions. An iteration moves draws of
    :math:`\Psi_i` by Langevin steps :math:`h (\nabla u_i - \sigma_i (x - m_i) / s_i^2) + \sqrt{2 h \sigma_i} N(0, I)`,
    then exchanges each particle for one of them with probability ``rate``.

    Parameters
    ----------
    gradient
        ``gradient(player, own, particles)`` returns the gradients ``[M, D_i]`` of the player's payoff, in the mean over
        the others' ``particles`` (one ``f64[K, D_j]`` a player), at its actions ``own [M, D_i]``.
    reference_mean, reference_deviation
        :math:`m_i [D_i]`, one a player, and :math:`s_i`, one or one a player, of the references :math:`\xi_i`.
    temperature
        :math:`\sigma_i`, in units of payoff, one or one a player.
    rate, num_iterations
        Time of an iteration, in (0, 1], and iterations.
    num_particles
        Of each player.
    inner_step, num_inner_steps
        :math:`h \sigma_i / s_i^2`, the step in units of the reference's own pull, and steps an iteration. Langevin
        steps widen what they draw by half of step times curvature, as a share; and where payoffs curve much more than
        the reference, large steps diverge.
    tolerance
        Converged with distances of at most so many deviations.
    seed
        Of everything random.

    Raises
    ------
    InvalidArgumentError
        Impossible arguments, and gradients of another shape.
    NumericalError
        Particles that leave all bounds.

    Notes
    -----
    The same seed gives the same bits. Cost: ``num_iterations * num_inner_steps`` gradients of all particles. Source:
    Lascu and Majka, arXiv 2505.22760.

    >>> def gradient(player, own, particles):  # payoffs x y - x^2 / 2 + x and -x y - y^2 / 2
    ...     other = particles[1 - player].mean(axis=0)
    ...     return (other + 1.0 if player == 0 else -other) - own
    >>> found = particle_best_response_flow(gradient, [[0.0], [0.0]], rate=0.2, num_iterations=40)
    >>> [round(float(x.mean()), 1) for x in found.particles], found.status  # 2/5, -1/5
    ([0.4, -0.2], 'converged')
    """
    caller = "particle_best_response_flow"
    if not callable(gradient):
        raise InvalidArgumentError(f"{caller}: gradient must be a function, got {shown(gradient)}")
    means = _means(caller, reference_mean)
    deviation = check_per_player(f"{caller}: reference_deviation", reference_deviation, len(means), is_open=True)
    temperatures = check_per_player(f"{caller}: temperature", temperature, len(means), is_open=True)
    rate = check_number(f"{caller}: rate", rate, is_open=True, at_most=1.0)
    num_iterations = check_count(f"{caller}: num_iterations", num_iterations, at_least=1, at_most=_MOST_STEPS)
    count = check_count(f"{caller}: num_particles", num_particles, at_least=2, at_most=_MOST_PARTICLES)
    inner_step = check_number(f"{caller}: inner_step", inner_step, is_open=True, at_most=1.0)
    inner = check_count(f"{caller}: num_inner_steps", num_inner_steps, at_least=1, at_most=_MOST_STEPS)
    tolerance = check_number(f"{caller}: tolerance", tolerance, is_open=True)
    rng = np.random.Generator(np.random.PCG64(derive_seed(check_seed(seed), caller)))
    flow = _Flow(caller, gradient, means, deviation, temperatures, inner_step, rng)
    particles, responses = flow.drawn(count), flow.drawn(count)
    history = [_centers(particles)]
    for _ in range(num_iterations):
        responses = flow.respond(particles, responses, inner)
        for player, own in enumerate(particles):
            moved = rng.random(count) < rate
            particles[player] = np.where(moved[:, None], responses[player][rng.permutation(count)], own)
        history.append(_centers(particles))
    responses = flow.respond(particles, responses, _LAST_STEPS * inner)
    distance = np.array([_distance(x, y) for x, y in zip(particles, responses, strict=True)])
    return ParticlePlay(
        particles=tuple(frozen(x) for x in particles),
        responses=tuple(frozen(x) for x in responses),
        distance=distance,
        means=np.stack(history),
        status=status_of(bool((distance <= tolerance).all())),
        num_iterations=num_iterations,
    )


@dataclass(frozen=True, eq=False)
class _Flow:
    """The game, its references and the random numbers of a flow."""

    caller: str
    gradient: Gradient
    means: Profile
    deviation: Float64
    temperature: Float64
    inner_step: float
    rng: np.random.Generator

    def drawn(self, count: int) -> Profile:
        """Return draws from the references."""
        pairs = zip(self.means, self.deviation, strict=True)
        return [mean + s * self.rng.standard_normal((count, len(mean))) for mean, s in pairs]

    def respond(self, particles: Profile, responses: Profile, num_steps: int) -> Profile:
        """Return draws nearer to best responses to particles that stay where they are."""
        moved = []
        for player, x in enumerate(responses):
            s, own = float(self.deviation[player]), x
            # The step in units of the reference's pull: h sigma / s^2.
            pull, noise = self.inner_step, s * np.sqrt(2.0 * self.inner_step)
            push = self.inner_step * s**2 / float(self.temperature[player])
            for _ in range(num_steps):
                slope = self._slope(player, own, particles)
                with np.errstate(over="ignore", invalid="ignore"):
                    own = own + push * slope - pull * (own - self.means[player])
                    own = own + noise * self.rng.standard_normal(own.shape)
                if not (np.abs(own) < _FARTHEST).all():
                    raise NumericalError(
                        f"{self.caller}: particles of player {player} left all bounds; lower inner_step, or "
                        "give payoffs that are bounded above near the reference"
                    )
            moved.append(own)
        return moved

    def _slope(self, player: int, own: Float64, particles: Profile) -> Float64:
        given = self.gradient(player, own.copy(), tuple(x.copy() for x in particles))
        slope = as_floats(f"{self.caller}: gradient of player {player}", given, InvalidArgumentError)
        if slope.shape != own.shape:
            raise InvalidArgumentError(
                f"{self.caller}: gradient of player {player} must have shape {list(own.shape)}, got {list(slope.shape)}"
            )
        return slope


def _means(caller: str, given: Sequence[ArrayLike]) -> Profile:
    name = f"{caller}: reference_mean"
    is_list = isinstance(given, list | tuple) or (isinstance(given, np.ndarray) and given.ndim > 0)
    if not is_list or not 1 <= len(given) <= _MOST_PLAYERS:
        raise InvalidArgumentError(f"{name} must be a list of vectors, one a player, got {shown(given)}")
    means = [as_floats(f"{name} of player {player}", mean, InvalidArgumentError) for player, mean in enumerate(given)]
    for player, mean in enumerate(means):
        if mean.ndim != 1 or not 1 <= len(mean) <= _MOST_ENTRIES or not (np.abs(mean) < _FARTHEST).all():
            raise InvalidArgumentError(
                f"{name} of player {player} must be finite numbers [D], got {shown(given[player])}"
            )
    return means


def _centers(particles: Profile) -> Float64:
    return np.concatenate([x.mean(axis=0) for x in particles])


def _distance(x: Float64, y: Float64) -> float:
    """Return the largest Wasserstein-1 distance of a coordinate, in deviations of ``y``."""
    apart = np.abs(np.sort(x, axis=0) - np.sort(y, axis=0)).mean(axis=0)
    return float((apart / np.maximum(y.std(axis=0), 1e-300)).max())
