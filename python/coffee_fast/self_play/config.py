"""What a run of anchored self-play is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from coffee_fast import responses
from coffee_fast._provenance import describe_fields
from coffee_fast.checks import check_choice, check_count, check_flag, check_number
from coffee_fast.config import Parts, from_mapping
from coffee_fast.errors import ConfigError, shown
from coffee_fast.responses import PolicyGradient, ResponseOracle
from coffee_fast.responses._policy_learning import PolicyLearning
from coffee_fast.simulation import LARGEST_INT


def _judge() -> PolicyGradient:
    return PolicyGradient(num_updates=150)


@dataclass(frozen=True)
class SelfPlayConfig(PolicyLearning):
    r"""Sizes and parts of anchored self-play: all players learn at once, each near a reference policy.

    Player :math:`i` is taught to maximize

    .. math:: E\Big[\sum_t r_{i,t} - \lambda U_t - w \sum_t KL(\pi_i(\cdot | h_t) \,\|\, \text{ref}_i(\cdot | h_t))\Big]

    over its own decisions, by policy gradients with generalized advantages. The weight :math:`w` falls from
    ``kl_weight`` to ``kl_weight_end``; it is in units of the game's ``reward_scale``.

    Attributes
    ----------
    hidden_sizes
        Widths of the ReLU layers, of each role's policy, where no reference is given, and of its values.
    num_updates
        How often episodes are played and learned from.
    num_episodes, num_parallel_episodes
        Episodes of an update, and how many are played in lockstep; results do not depend on the latter.
    batch_size, num_epochs
        Decisions of a minibatch, about, and passes over an update's decisions.
    update
        ``"clipped"``: the probability ratio of old and new policy is clipped (PPO); ``"mirror_descent"``: the new
        policy pays for its distance from the old one (MMD).
    clip
        Of the clipped update: how far the ratio may count, up and down.
    step_size
        Of mirror descent: the divergence from the old policy weighs ``1 / step_size``.
    gae_lambda
        Of the advantages: 1 takes returns as they came, 0 the values of the next decisions.
    learning_rate, learning_rate_end
        Of Adam, at the first update and, linearly, at the last.
    kl_weight, kl_weight_end
        What a unit of divergence from the reference costs, at the first update and, geometrically, at the last. Both
        above 0, or both 0 for play that nothing anchors.
    kl_in_rewards
        Whether divergence paid later in an episode counts as a loss now, besides that of the decision itself.
    risk_aversion
        :math:`\tau`. Above 0, each player learns beside adversaries in the place of the others (strategic risk
        aversion): one an episode in turn, while the others' seats are played by networks that lower its payoff and
        pay :math:`1 / \tau` times their divergence from what the others play now, in units of the game's
        ``reward_scale``. Teammates then learn to do without each other's best, and nobody relies on an opponent's
        restraint. 0: everybody meets the others themselves.
    reference
        ``"uniform"``: uniform random play; ``"cloned"``: a policy that is given, such as one cloned from the log. It is
        also where learning starts, with its own layers, and the first snapshot, so that a search that finds nothing
        better gives it back.
    uncertainty_penalty
        :math:`\lambda`, reward lost per unit of disagreement between a model's members, both in raw units.
    coverage_weight
        Probability of an episode in which one player learns for nothing but the penalty and the others play uniformly
        at random. Above 0 only together with a penalty.
    averaging
        At each update the policies that are kept move to those just learned, by one less this; 0 keeps the last ones.
    num_snapshots
        Policies kept, at evenly spread updates of the last half of the run, the last among them; a reference that is
        given comes on top.
    judge
        A response oracle. What it gains against a snapshot inside the model, its reward as optimistic and the
        snapshot's as pessimistic as any member, is the snapshot's pessimistic regret; the least is chosen.
    num_simulations
        Episodes in the model for each profile of a snapshot and the responses to it.
    device
        ``None``: everything is compiled. Otherwise where torch takes the gradient steps, ``"cuda"`` for one: the same
        episodes and minibatches, so results differ by rounding alone; of several such trainings one goes on at a time.

    Raises
    ------
    ConfigError
        If a value is impossible; the message says which.

    References
    ----------
    Sokota et al. 2023 (magnetic mirror descent); Rudolph et al. 2026; Schulman et al. 2016 and 2017 (advantages, PPO).

    Examples
    --------
    >>> config = SelfPlayConfig(num_updates=3, kl_weight=0.4, kl_weight_end=0.1, num_snapshots=1)
    >>> [round(config.kl_weight_at(update), 3) for update in range(3)]
    [0.4, 0.2, 0.1]
    """

    hidden_sizes: tuple[int, ...] = (200, 200)
    num_updates: int = 120
    num_episodes: int = 1500
    num_parallel_episodes: int = 256
    batch_size: int = 512
    num_epochs: int = 2
    update: Literal["clipped", "mirror_descent"] = "clipped"
    clip: float = 0.2
    step_size: float = 1.0
    gae_lambda: float = 1.0
    learning_rate: float = 3e-3
    learning_rate_end: float = 3e-4
    kl_weight: float = 0.3
    kl_weight_end: float = 0.03
    kl_in_rewards: bool = False
    risk_aversion: float = 0.0
    reference: Literal["uniform", "cloned"] = "uniform"
    uncertainty_penalty: float = 1.0
    coverage_weight: float = 0.0
    averaging: float = 0.9
    num_snapshots: int = 3
    judge: ResponseOracle = field(default_factory=_judge)
    num_simulations: int = 4000
    device: str | None = None

    later_fields: ClassVar[Mapping[str, Any]] = {"risk_aversion": 0.0}

    def __post_init__(self) -> None:
        self._check_learning()
        for name, at_least in (("num_snapshots", 1), ("num_simulations", 2)):
            limits = {"at_least": at_least, "at_most": LARGEST_INT}
            count = check_count(f"SelfPlayConfig: {name}", getattr(self, name), error=ConfigError, **limits)
            object.__setattr__(self, name, count)
        for name, most in (("uncertainty_penalty", math.inf), ("coverage_weight", 1.0), ("risk_aversion", math.inf)):
            number = check_number(f"SelfPlayConfig: {name}", getattr(self, name), at_most=most, error=ConfigError)
            object.__setattr__(self, name, number)
        check_choice("SelfPlayConfig: reference", self.reference, ("uniform", "cloned"), error=ConfigError)
        check_flag("SelfPlayConfig: kl_in_rewards", self.kl_in_rewards, error=ConfigError)
        if isinstance(self.judge, type) or not callable(getattr(self.judge, "respond", None)):
            raise ConfigError(
                f"SelfPlayConfig: judge must be an object with a method respond(...), got {shown(self.judge)}"
            )
        self._check_together()

    def _check_together(self) -> None:
        """Raise for fields that do not fit each other."""
        if self.reference == "cloned" and self.kl_weight == 0.0:
            raise ConfigError("SelfPlayConfig: kl_weight must be above 0 where reference is 'cloned', got 0")
        if self.coverage_weight > 0.0 and self.uncertainty_penalty == 0.0:
            raise ConfigError(
                "SelfPlayConfig: coverage_weight must be 0 without an uncertainty_penalty, since nothing would be "
                f"learned in coverage episodes, got {self.coverage_weight:g}"
            )
        if self.coverage_weight == 1.0:
            raise ConfigError("SelfPlayConfig: coverage_weight must be below 1, or nothing else would be learned")
        most = self.num_updates - self.num_updates // 2
        if self.num_snapshots > most:
            raise ConfigError(
                f"SelfPlayConfig: num_snapshots must be at most {most}, as many as the last half of num_updates "
                f"{self.num_updates} has, got {self.num_snapshots}"
            )

    @property
    def snapshot_updates(self) -> tuple[int, ...]:
        """How many updates each snapshot has behind it.

        >>> SelfPlayConfig(num_updates=150, num_snapshots=4).snapshot_updates
        (94, 113, 132, 150)
        """
        first, left = self.num_updates // 2, self.num_updates - self.num_updates // 2
        late = tuple(first + -(-left * place // self.num_snapshots) for place in range(1, self.num_snapshots + 1))
        return (0, *late) if self.reference == "cloned" else late

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values, one nested object a part."""
        return describe_fields(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SelfPlayConfig:
        """Rebuild a configuration from :meth:`to_json`; ``ConfigError`` if its judge is of an unknown kind."""
        return from_mapping(cls, values, SELF_PLAY_PARTS)


SELF_PLAY_PARTS: Parts = {"judge": responses.from_config}
"""Builders of the parts that a configuration file describes, for ``coffee_fast.config``."""
