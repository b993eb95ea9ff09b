"""Policies that the compiled kernels can play, and mixtures of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from coffee_fast import _core
from coffee_fast.action_probabilities import as_batch, greedy, softmax
from coffee_fast.checks import check_number, did_you_mean
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.typing import Float32, Float64

Layers = tuple[tuple[Float32, Float32], ...]


@runtime_checkable
class Policy(Protocol):
    """A map from information states to legal actions, as something a kernel can play."""

    @property
    def core(self) -> _core.Policy: ...


class Copied:
    """What is computed from the fields and kept, as the kernels' objects, is left behind by ``copy`` and ``pickle``."""

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True)
class UniformRandom(Copied):
    """Every legal action with equal probability."""

    @cached_property
    def core(self) -> _core.Policy:
        return _core.Policy.uniform_random()

    def probabilities(self, information_states: Any, legal_masks: Any) -> Float64:
        """Return the probability of each action, as :meth:`NetworkPolicy.probabilities` does.

        >>> UniformRandom().probabilities(np.zeros((1, 3)), [[1, 0, 1, 0]])
        array([[0.5, 0. , 0.5, 0. ]])
        """
        _, legal = as_batch("UniformRandom.probabilities", information_states, legal_masks)
        result: Float64 = legal / legal.sum(axis=1, keepdims=True)
        return result


@dataclass(frozen=True, eq=False)
class NetworkPolicy(Copied):
    """A multilayer perceptron over information states, ReLU between its layers.

    Attributes
    ----------
    layers
        One ``(weights float32 [outputs, inputs], bias float32 [outputs])`` a layer, as ``torch.nn.Linear`` has them.
    kind
        ``"greedy"``: the legal action of largest output, lowest index first. ``"softmax"``: a legal action with
        probability proportional to ``exp(output / temperature)``.
    temperature
        Of a softmax: a finite number above 0.
    """

    layers: Layers
    kind: Literal["greedy", "softmax"] = "greedy"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in ("greedy", "softmax"):
            raise InvalidArgumentError(f"NetworkPolicy: kind must be 'greedy' or 'softmax', got {shown(self.kind)}")
        check_number("NetworkPolicy: temperature", self.temperature, is_open=True)
        try:
            with np.errstate(over="ignore"):  # what overflows is refused below as not finite
                layers = tuple(
                    (np.ascontiguousarray(weights, dtype=np.float32), np.ascontiguousarray(bias, dtype=np.float32))
                    for weights, bias in self.layers
                )
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidArgumentError(
                f"NetworkPolicy: layers must be pairs of weights and bias: {error!s:.200}"
            ) from None
        object.__setattr__(self, "layers", layers)
        _ = self.network  # which refuses layers that do not fit each other

    @cached_property
    def network(self) -> _core.Mlp:
        """The network alone: ``forward(float32 [B, I])`` gives its outputs, ``float32 [B, A]``."""
        return _core.Mlp(list(self.layers))

    @cached_property
    def core(self) -> _core.Policy:
        if self.kind == "greedy":
            return _core.Policy.greedy(self.network)
        return _core.Policy.softmax(self.network, float(self.temperature))

    def probabilities(self, information_states: Any, legal_masks: Any) -> Float64:
        """Return the probability of each action in a batch of decisions, the one with which the kernels draw it.

        Parameters
        ----------
        information_states
            ``[B, I]``, finite: what the mover knows, laid out as :class:`coffee_fast.GameSpec` says.
        legal_masks
            ``[B, A]`` of 0 and 1, at least one 1 a row.

        Returns
        -------
        float64 [B, A]
            0 for an illegal action; a row sums to one. Of a greedy policy, 1 for the action it plays.

        Raises
        ------
        InvalidArgumentError
            For other shapes, values that are not finite, or a row without a legal action.
        NumericalError
            If the network's outputs leave the finite numbers.

        Notes
        -----
        Cost: one forward pass. A :class:`Mixture` has no such method, since it draws one policy an episode: ask
        ``mixture.policies[i]`` for the policy that was drawn.

        >>> layers = [(np.array([[0.0], [1.0], [2.0]]), np.zeros(3))]
        >>> NetworkPolicy(layers).probabilities([[5.0]], [[1, 1, 0]])
        array([[0., 1., 0.]])
        """
        sizes = self.network.input_size, self.network.output_size
        features, legal = as_batch("NetworkPolicy.probabilities", information_states, legal_masks, *sizes)
        outputs = self.network.forward(features)
        return greedy(outputs, legal) if self.kind == "greedy" else softmax(outputs, legal, self.temperature)

    def __repr__(self) -> str:
        widths = [self.network.input_size, *(len(bias) for _, bias in self.layers)]
        how = "greedy" if self.kind == "greedy" else f"softmax, temperature {self.temperature:g}"
        return f"NetworkPolicy({'-'.join(map(str, widths))}, {how})"


@dataclass(frozen=True)
class PerStepMixture(Copied):
    """At every decision anew, one of ``components`` drawn by ``weights``.

    Attributes
    ----------
    components
        Policies, themselves not mixtures.
    weights
        One a component, nonnegative, summing to one within 1e-6.
    """

    components: tuple[Policy, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        components = _policies("PerStepMixture: components", self.components)
        weights = _distribution("PerStepMixture: weights", self.weights, len(components), "component")
        object.__setattr__(self, "components", components)
        object.__setattr__(self, "weights", tuple(weights.tolist()))
        _ = self.core  # which refuses components that are mixtures themselves

    @cached_property
    def core(self) -> _core.Policy:
        return _core.Policy.mixture([component.core for component in self.components], list(self.weights))

    def probabilities(self, information_states: Any, legal_masks: Any) -> Float64:
        """Return the probability of each action, as :meth:`NetworkPolicy.probabilities` does: the weighted mean."""
        total: Any = 0.0
        for component, weight in zip(self.components, self.weights, strict=True):
            if not callable(getattr(component, "probabilities", None)):
                raise InvalidArgumentError(
                    f"PerStepMixture.probabilities: {type(component).__name__} has no method probabilities"
                )
            total = total + weight * component.probabilities(information_states, legal_masks)  # type: ignore[attr-defined]
        result: Float64 = total / sum(self.weights)
        return result


@dataclass(frozen=True, eq=False)
class Mixture(Copied):
    """A distribution over policies from which a player draws at the start of each episode.

    ``policies`` and ``probabilities [K]`` (nonnegative, summing to one within 1e-6; kept scaled to sum exactly).
    """

    policies: tuple[Policy, ...]
    probabilities: Float64

    def __post_init__(self) -> None:
        policies = _policies("Mixture: policies", self.policies)
        probabilities = _distribution("Mixture: probabilities", self.probabilities, len(policies), "policy")
        probabilities /= probabilities.sum()
        probabilities.flags.writeable = False
        object.__setattr__(self, "policies", policies)
        object.__setattr__(self, "probabilities", probabilities)

    @cached_property
    def core(self) -> tuple[list[_core.Policy], list[float]]:
        """What the kernels take for one player; policies of probability zero are left in place."""
        return [policy.core for policy in self.policies], self.probabilities.tolist()


def _policies(name: str, policies: Any) -> tuple[Policy, ...]:
    if isinstance(policies, str) or not isinstance(policies, Sequence):
        raise InvalidArgumentError(f"{name} must be a sequence of policies, got {shown(policies)}")
    for policy in policies:
        if not _is_policy(policy):
            hint = "; make an instance of it" if isinstance(policy, type) else ""
            raise InvalidArgumentError(f"{name} must all be policies, got {_kind_of(policy)}{hint}")
    return tuple(policies)


def _is_policy(value: Any) -> bool:
    """Whether kernels can play it; a game, which has a ``core`` too, is none."""
    return isinstance(value, Policy) and isinstance(value.core, _core.Policy)


def _kind_of(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__


def _distribution(name: str, values: Any, count: int, noun: str) -> Float64:
    """A distribution over ``count`` things as a new array, unscaled."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidArgumentError(f"{name} must be numbers, got {shown(values)}") from None
    if not count or array.shape != (count,):
        raise InvalidArgumentError(
            f"{name} must have shape [{count}], one a {noun} and at least one, got {list(array.shape)}"
        )
    if not (np.isfinite(array).all() and (array >= 0).all()):
        raise InvalidArgumentError(f"{name} must be nonnegative, got {shown(array.tolist())}")
    if abs(array.sum() - 1.0) > 1e-6:
        raise InvalidArgumentError(f"{name} must sum to 1, got {array.sum()}")
    return array


_KNOWN = {"uniform_random": UniformRandom}


def as_mixture(strategy: Any) -> Mixture:
    """Turn a known name, a policy, a mixture, or anything that has a ``mixture`` into a :class:`Mixture`.

    >>> as_mixture("uniform_random").probabilities.tolist()
    [1.0]
    """
    if isinstance(strategy, Mixture):
        return strategy
    if isinstance(strategy, str):
        if strategy not in _KNOWN:
            hint = did_you_mean(strategy, _KNOWN) or f"; there is {', '.join(_KNOWN)}"
            raise InvalidArgumentError(f"there is no policy {shown(strategy)}{hint}")
        return as_mixture(_KNOWN[strategy]())
    mixture = getattr(strategy, "mixture", None)
    if isinstance(mixture, Mixture):
        return mixture
    if _is_policy(strategy):
        return Mixture((strategy,), np.ones(1))
    raise InvalidArgumentError(
        f"a strategy must be a known name, a policy, a Mixture or a solution, got {_kind_of(strategy)}"
    )


def as_players(policies: Any, num_players: int) -> list[Mixture]:
    """One mixture a player, of a list with one strategy a player or of a solution that has ``mixtures``.

    Raises
    ------
    InvalidArgumentError
        Unless there are ``num_players``.
    """
    if (mixtures := _mixtures_of(policies)) is not None:
        policies = mixtures
    if isinstance(policies, str) or not isinstance(policies, Sequence) or len(policies) != num_players:
        is_list = isinstance(policies, Sequence) and not isinstance(policies, str)
        count = len(policies) if is_list else shown(policies)
        raise InvalidArgumentError(f"policies must name one strategy a player, {num_players} in all, got {count}")
    return [as_player(policy, player, num_players) for player, policy in enumerate(policies)]


def as_profile(strategy: Any, num_players: int) -> list[Mixture]:
    """One mixture a player: of a solution, of a list with one strategy a player, or of a strategy that all play.

    >>> [mixture.policies for mixture in as_profile("uniform_random", 2)]
    [(UniformRandom(),), (UniformRandom(),)]
    """
    if _mixtures_of(strategy) is not None or (isinstance(strategy, Sequence) and not isinstance(strategy, str)):
        return as_players(strategy, num_players)
    return [as_mixture(strategy)] * num_players


def as_player(strategy: Any, player: int, num_players: int) -> Mixture:
    """What ``player`` plays by a strategy, as a mixture: of a solution its own part."""
    mixtures = _mixtures_of(strategy)
    if mixtures is None:
        return as_mixture(strategy)
    if len(mixtures) != num_players:
        raise InvalidArgumentError(f"a solution must be of {num_players} players, got one of {len(mixtures)}")
    return mixtures[player]


def _mixtures_of(strategy: Any) -> tuple[Mixture, ...] | None:
    """One mixture a player of a solution, None of anything else."""
    mixtures = None if isinstance(strategy, type) else getattr(strategy, "mixtures", None)
    is_solution = isinstance(mixtures, tuple) and all(isinstance(mixture, Mixture) for mixture in mixtures)
    return mixtures if is_solution and mixtures else None
