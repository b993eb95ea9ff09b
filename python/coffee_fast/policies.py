"""Policies that the compiled kernels can play, and mixtures of them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from coffee_fast import _core
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.typing import Float32, Float64

Layers = tuple[tuple[Float32, Float32], ...]


@runtime_checkable
class Policy(Protocol):
    """A map from information states to legal actions, as something a kernel can play."""

    @property
    def core(self) -> _core.Policy: ...


@dataclass(frozen=True)
class UniformRandom:
    """Every legal action with equal probability."""

    @cached_property
    def core(self) -> _core.Policy:
        return _core.Policy.uniform_random()


@dataclass(frozen=True, eq=False)
class NetworkPolicy:
    """A multilayer perceptron over information states, ReLU between its layers.

    Attributes
    ----------
    layers
        One ``(weights float32 [outputs, inputs], bias float32 [outputs])`` a layer, as ``torch.nn.Linear`` has them.
    kind
        ``"greedy"``: the legal action of largest output, lowest index first. ``"softmax"``: a legal action with
        probability proportional to ``exp(output / temperature)``.
    """

    layers: Layers
    kind: Literal["greedy", "softmax"] = "greedy"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in ("greedy", "softmax"):
            raise InvalidArgumentError(f"NetworkPolicy: kind must be 'greedy' or 'softmax', got {self.kind!r}")
        try:
            layers = tuple(
                (np.ascontiguousarray(weights, dtype=np.float32), np.ascontiguousarray(bias, dtype=np.float32))
                for weights, bias in self.layers
            )
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(f"NetworkPolicy: layers must be pairs of weights and bias: {error}") from None
        object.__setattr__(self, "layers", layers)

    @cached_property
    def core(self) -> _core.Policy:
        network = _core.Mlp(list(self.layers))
        if self.kind == "greedy":
            return _core.Policy.greedy(network)
        return _core.Policy.softmax(network, self.temperature)


@dataclass(frozen=True)
class PerStepMixture:
    """At every decision anew, one of ``components`` drawn by ``weights``."""

    components: tuple[Policy, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_policies("PerStepMixture: components", self.components)

    @cached_property
    def core(self) -> _core.Policy:
        return _core.Policy.mixture([component.core for component in self.components], list(self.weights))


@dataclass(frozen=True, eq=False)
class Mixture:
    """A distribution over policies from which a player draws at the start of each episode.

    ``policies`` and ``probabilities [K]`` (nonnegative, summing to one within 1e-6; kept scaled to sum exactly).
    """

    policies: tuple[Policy, ...]
    probabilities: Float64

    def __post_init__(self) -> None:
        policies = tuple(self.policies)
        _check_policies("Mixture: policies", policies)
        try:
            probabilities = np.array(self.probabilities, dtype=np.float64)
        except (TypeError, ValueError):
            raise InvalidArgumentError(f"Mixture: probabilities must be numbers, got {self.probabilities!r}") from None
        if not policies or probabilities.shape != (len(policies),):
            raise InvalidArgumentError(
                f"Mixture: probabilities must have shape [{len(policies)}], one a policy and at least one, "
                f"got {list(probabilities.shape)}"
            )
        if not (np.isfinite(probabilities).all() and (probabilities >= 0).all()):
            raise InvalidArgumentError(f"Mixture: probabilities must be nonnegative, got {probabilities.tolist()}")
        if abs(probabilities.sum() - 1.0) > 1e-6:
            raise InvalidArgumentError(f"Mixture: probabilities must sum to 1, got {probabilities.sum()}")
        probabilities /= probabilities.sum()
        probabilities.flags.writeable = False
        object.__setattr__(self, "policies", policies)
        object.__setattr__(self, "probabilities", probabilities)

    @cached_property
    def core(self) -> tuple[list[_core.Policy], list[float]]:
        """What the kernels take for one player; policies of probability zero are left in place."""
        return [policy.core for policy in self.policies], self.probabilities.tolist()


def _check_policies(name: str, policies: Sequence[Any]) -> None:
    for policy in policies:
        if not isinstance(policy, Policy):
            raise InvalidArgumentError(f"{name} must all be policies, got {type(policy).__name__}")


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
            near = difflib.get_close_matches(strategy, _KNOWN, n=1) or list(_KNOWN)
            raise InvalidArgumentError(f"there is no policy {strategy!r}; did you mean {near[0]!r}?")
        return as_mixture(_KNOWN[strategy]())
    mixture = getattr(strategy, "mixture", None)
    if isinstance(mixture, Mixture):
        return mixture
    if isinstance(strategy, Policy):
        return Mixture((strategy,), np.ones(1))
    raise InvalidArgumentError(
        f"a strategy must be a known name, a policy, a Mixture or a solution, got {type(strategy).__name__}"
    )


def as_players(policies: Sequence[Any], num_players: int) -> list[Mixture]:
    """One mixture a player; ``InvalidArgumentError`` unless there are ``num_players``."""
    if isinstance(policies, str) or not isinstance(policies, Sequence) or len(policies) != num_players:
        count = len(policies) if isinstance(policies, Sequence) and not isinstance(policies, str) else repr(policies)
        raise InvalidArgumentError(f"policies must name one strategy a player, {num_players} in all, got {count}")
    return [as_mixture(policy) for policy in policies]
