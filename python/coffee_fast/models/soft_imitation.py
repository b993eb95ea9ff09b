"""Imitation by factorized soft values, with networks: policies that explain what all did, and where it led."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.checks import check_choice, check_number
from coffee_fast.errors import ConfigError, InvalidArgumentError
from coffee_fast.models.arguments import check_config, check_dataset
from coffee_fast.models.behavior import descend
from coffee_fast.models.config import check_sizes
from coffee_fast.policies import NetworkPolicy
from coffee_fast.regularized.learning.soft_imitation import PHI, Divergence
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    import torch

    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.models.networks import StackedMLP

_ENDED, _BROKE_OFF = -1, -2  # in place of the moment that follows


@dataclass(frozen=True)
class SoftImitationConfig:
    r"""Objective, sizes and training of policies imitated by soft values.

    Attributes
    ----------
    divergence
        What holds the learned reward back, as in :func:`coffee_fast.regularized.mafis`: ``"total"`` nothing, which is
        plain cloning, ``"hellinger"``, ``"kl"`` or ``"jensen_shannon"``.
    temperature
        Of the soft values: the larger, the more is held back. From 1e-6 to 1e6.
    discount
        From 0 (every moment by itself) to 1.
    hidden_sizes, num_steps, batch_size, learning_rate, holdout_fraction
        As in :class:`coffee_fast.BehaviorCloningConfig`, of each role's network; a batch is of moments, at which one
        player acts or all at once.

    Raises
    ------
    ConfigError
        For a field of the wrong type or out of range.
    """

    divergence: Divergence = "kl"
    temperature: float = 0.2
    discount: float = 0.99
    hidden_sizes: tuple[int, ...] = (200, 200)
    num_steps: int = 10_000
    batch_size: int = 64
    learning_rate: float = 3e-4
    holdout_fraction: float = 0.1

    def __post_init__(self) -> None:
        kind = "SoftImitationConfig"
        check_choice(f"{kind}: divergence", self.divergence, PHI, error=ConfigError)
        temperature = check_number(f"{kind}: temperature", self.temperature, is_open=True, error=ConfigError)
        if not 1e-6 <= temperature <= 1e6:
            raise ConfigError(f"{kind}: temperature must be between 1e-6 and 1e6, got {temperature:g}")
        discount = check_number(f"{kind}: discount", self.discount, at_most=1.0, error=ConfigError)
        object.__setattr__(self, "temperature", temperature)
        object.__setattr__(self, "discount", discount)
        check_sizes(self, ("num_steps", "batch_size"))


def imitate_behavior(
    dataset: TrajectoryDataset,
    config: SoftImitationConfig | None = None,
    seed: int = 0,
    *,
    progress: ProgressCallback | None = None,
) -> tuple[NetworkPolicy, ...]:
    r"""Fit policies to what all players of a log did and where it led, by soft values that add up over who acts.

    The objective is that of :func:`coffee_fast.regularized.mafis`, of networks :math:`Q_i(o_i, a_i)` in place of
    tables, where :math:`o_i` is what a player knows. With ``divergence="total"`` it is :func:`clone_behavior` of all
    roles; with the others play is nearer to uniform where the log does not insist.

    Parameters
    ----------
    dataset
        The logged play; moves of chance do not count. Of an episode that broke off nothing says what its last moment
        led to: that one is cloned.
    config
        Objective, sizes and training.
    seed
        Of initial weights and batches, in ``[0, 2**63)``. Same seed, same bits: torch computes on one thread.
    progress
        Called with ``("imitate behavior", steps done, steps in all, {"loss": ...})``; the loss is that of
        :func:`clone_behavior` on the trajectories kept out.

    Returns
    -------
    tuple of NetworkPolicy
        One a role, of kind ``"softmax"``: what :func:`coffee_fast.anchored_self_play` takes as its reference and
        :func:`coffee_fast.oef_bc` as the clone.

    Raises
    ------
    InvalidArgumentError
        For arguments of the wrong kind, roles that never act, or a dataset too small to keep any of it out.
    NumericalError
        If the loss leaves the finite numbers.

    Notes
    -----
    On logs of bargaining it was no better a clone or anchor than :func:`clone_behavior`
    (``reproductions/regularized/imitation_networks.py``). Cost: twice that of it. Source: multi-agent
    factorized imitation by soft values (MAFIS); the weights of its mixer, which depend on states that no player sees,
    are part of the values here.

    >>> import coffee_fast as cf
    >>> dataset = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=40, seed=0)
    >>> cf.imitate_behavior(dataset, cf.SoftImitationConfig(hidden_sizes=(8,), num_steps=10), seed=1)
    (NetworkPolicy(41-8-109, softmax, temperature 1),)
    """
    import torch

    from coffee_fast._torch_threads import learning_in_torch
    from coffee_fast.models.networks import StackedMLP

    caller = "imitate_behavior"
    config = SoftImitationConfig() if config is None else config
    check_dataset(caller, dataset)
    check_config(caller, config, SoftImitationConfig)
    seed, spec = check_seed(seed), dataset.spec
    training, held_out = dataset, None
    if config.holdout_fraction > 0:
        training, held_out = dataset.split(config.holdout_fraction, derive_seed(seed, "holdout"))
    generator = torch.Generator().manual_seed(derive_seed(seed, "weights"))
    sizes = (spec.information_state_size, *config.hidden_sizes, spec.num_actions)
    with learning_in_torch():
        learned = Moments.of(training)
        judges = None if held_out is None else Moments.of(held_out)
        for role in range(spec.num_roles):
            if not (learned.role == role).any():
                raise InvalidArgumentError(
                    f"{caller}: players of every role must act in the {training.num_trajectories} episodes learned "
                    f"from, got none by role {role}; log more"
                )
        networks = [StackedMLP(1, sizes, generator) for _ in range(spec.num_roles)]
        layers = descend(
            caller,
            networks,
            len(learned.following),
            lambda picked: loss_of(networks, learned, picked, config),
            None if judges is None or not len(judges.following) else lambda: cross_entropy(networks, judges),
            config,
            seed,
            progress,
        )
    return tuple(NetworkPolicy(own, kind="softmax") for own in layers)


@dataclass(frozen=True, eq=False)
class Moments:
    """``M`` moments of ``n`` moves each, one player's or those of all at once, the moves one after another.

    ``known [M n, I]``, ``action [M n, 1]``, ``is_illegal [M n, A]``, ``role [M n]``; ``following [M]`` is the moment
    that comes next, or how the episode stopped.
    """

    known: torch.Tensor
    action: torch.Tensor
    is_illegal: torch.Tensor
    role: torch.Tensor
    following: torch.Tensor

    @classmethod
    def of(cls, dataset: TrajectoryDataset) -> Moments:
        import torch

        spec = dataset.spec
        rows = np.flatnonzero(dataset.acting_player >= 0)
        first = rows[:: spec.num_players if spec.moves == "simultaneous" else 1]
        episode = np.searchsorted(dataset.trajectory_offsets, first, side="right") - 1
        goes_on = np.append(episode[1:] == episode[:-1], False)[: len(first)]
        stops = np.where(dataset.truncated[episode], _BROKE_OFF, _ENDED)
        return cls(
            known=torch.from_numpy(dataset.information_states()[rows]),
            action=torch.from_numpy(dataset.action[rows].astype(np.int64))[:, None],
            is_illegal=torch.from_numpy(dataset.legal_masks()[rows] == 0),
            role=torch.from_numpy(np.array(spec.role_of)[dataset.acting_player[rows]]),
            following=torch.from_numpy(np.where(goes_on, np.arange(1, len(first) + 1), stops)),
        )


def values_of(
    networks: Sequence[StackedMLP], moments: Moments, picked: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what these moments' moves are worth, and the moments themselves: ``[B]``, in units of the temperature."""
    import torch

    size = len(moments.action) // max(len(moments.following), 1)
    rows = (picked[:, None] * size + torch.arange(size)).flatten()
    moves, soft = torch.zeros(len(rows)), torch.zeros(len(rows))
    for role, network in enumerate(networks):
        own = torch.nonzero(moments.role[rows] == role)[:, 0]
        mine = rows[own]
        logits = network(moments.known[mine])[0].masked_fill(moments.is_illegal[mine], float("-inf"))
        moves = moves.index_copy(0, own, logits.gather(1, moments.action[mine])[:, 0])
        soft = soft.index_copy(0, own, logits.logsumexp(dim=1))
    return moves.view(-1, size).sum(dim=1), soft.view(-1, size).sum(dim=1)


def loss_of(
    networks: Sequence[StackedMLP], moments: Moments, picked: torch.Tensor, config: SoftImitationConfig
) -> torch.Tensor:
    """Return what has the gradient of the objective, its sign changed, in units of the temperature a move."""
    import torch

    moves, soft = values_of(networks, moments, picked)
    following = moments.following[picked]
    goes_on = torch.nonzero(following >= 0)[:, 0]
    after = torch.zeros_like(soft)
    after = after.index_copy(0, goes_on, values_of(networks, moments, following[goes_on])[1])
    reward = moves - config.discount * after
    z = config.temperature * reward.detach().to(torch.float64)
    slope = torch.from_numpy(PHI[config.divergence](z.numpy())[1]).to(torch.float32)
    slope = slope.masked_fill(following == _BROKE_OFF, 1.0)
    size = len(moments.action) // len(moments.following)
    return ((soft - config.discount * after) - slope * reward).mean() / size


def cross_entropy(networks: Sequence[StackedMLP], moments: Moments) -> torch.Tensor:
    """Return the mean cross-entropy of all moves among the legal ones."""
    import torch

    moves, soft = values_of(networks, moments, torch.arange(len(moments.following)))
    return (soft - moves).sum() / len(moments.action)
