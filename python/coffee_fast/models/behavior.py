"""Behavior cloning: a policy that plays as the players of a log did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.errors import InvalidArgumentError, NumericalError, shown
from coffee_fast.models.arguments import check_config, check_dataset, check_seats
from coffee_fast.models.config import check_sizes
from coffee_fast.policies import Layers, NetworkPolicy
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    import torch

    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.models.networks import StackedMLP

JUDGE_EVERY = 50


@dataclass(frozen=True)
class BehaviorCloningConfig:
    """Sizes and training of a cloned policy.

    Attributes
    ----------
    hidden_sizes
        Widths of the ReLU layers between information state and logits.
    num_steps, batch_size, learning_rate
        Of Adam; batches are drawn with replacement.
    holdout_fraction
        Share of the trajectories kept out of training. Of the weights met on the way, those of least loss on them are
        kept; at 0 the last ones.

    Raises
    ------
    ConfigError
        For a field of the wrong type or out of range.
    """

    hidden_sizes: tuple[int, ...] = (200, 200)
    num_steps: int = 10_000
    batch_size: int = 64
    learning_rate: float = 3e-4
    holdout_fraction: float = 0.1

    def __post_init__(self) -> None:
        check_sizes(self, ("num_steps", "batch_size"))


def clone_behavior(
    dataset: TrajectoryDataset,
    config: BehaviorCloningConfig | None = None,
    seed: int = 0,
    *,
    seats: Iterable[int] | None = None,
    progress: ProgressCallback | None = None,
) -> NetworkPolicy:
    """Fit a policy to the actions of a log, of all players or of some seats, by the cross-entropy over legal actions.

    Parameters
    ----------
    dataset
        The logged play; moves of chance do not count.
    config
        Sizes and training.
    seed
        Of initial weights and batches, in ``[0, 2**63)``. Same seed, same bits: torch computes on one thread.
    seats
        Whose actions are learned, of a role say (``dataset.spec.seats_of(role)``); all players' if not given.
    progress
        Called with ``("clone behavior", steps done, steps in all, {"loss": ...})``.

    Returns
    -------
    NetworkPolicy
        Of kind ``"softmax"``: it draws legal actions with the cloned probabilities.

    Raises
    ------
    InvalidArgumentError
        For arguments of the wrong kind, seats that never act, or a dataset too small to keep any of it out.
    NumericalError
        If the loss leaves the finite numbers.

    Notes
    -----
    Cost: about 0.7 ms a step at the default sizes. Source: Nguyen and Wellman 2026, Appendix D.2, which leaves sizes
    and training open.

    >>> import coffee_fast as cf
    >>> dataset = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=40, seed=0)
    >>> cf.clone_behavior(dataset, cf.BehaviorCloningConfig(hidden_sizes=(8,), num_steps=10), seed=1).kind
    'softmax'
    """
    import torch

    from coffee_fast._torch_threads import learning_in_torch
    from coffee_fast.models.networks import StackedMLP

    config = BehaviorCloningConfig() if config is None else config
    check_dataset("clone_behavior", dataset)
    check_config("clone_behavior", config, BehaviorCloningConfig)
    chosen = check_seats("clone_behavior: seats", seats, dataset.spec.num_players)
    training, held_out = dataset, None
    if config.holdout_fraction > 0:
        training, held_out = dataset.split(config.holdout_fraction, derive_seed(check_seed(seed), "holdout"))
    sizes = (dataset.spec.information_state_size, *config.hidden_sizes, dataset.spec.num_actions)
    with learning_in_torch():
        network = StackedMLP(1, sizes, torch.Generator().manual_seed(derive_seed(seed, "weights")))
        examples = _examples(training, chosen)
        judges = None if held_out is None else _examples(held_out, chosen)
        if not len(examples[1]):
            raise InvalidArgumentError(f"clone_behavior: seats must act in the log, got {shown(list(chosen))}")
        (layers,) = descend(
            "clone_behavior",
            [network],
            len(examples[1]),
            lambda rows: _loss(network, *(part[rows] for part in examples)),
            None if judges is None or not len(judges[1]) else lambda: _loss(network, *judges),
            config,
            seed,
            progress,
        )
    return NetworkPolicy(layers, kind="softmax")


def clone_roles(
    dataset: TrajectoryDataset,
    config: BehaviorCloningConfig | None = None,
    seed: int = 0,
    *,
    progress: ProgressCallback | None = None,
) -> tuple[NetworkPolicy, ...]:
    """Fit a policy to what the players of each role did: what self-play near the players of a log takes as reference.

    Parameters, errors and cost, a role, are those of :func:`clone_behavior`.

    Returns
    -------
    tuple of NetworkPolicy
        One a role.

    >>> import coffee_fast as cf
    >>> dataset = cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=40, seed=0)
    >>> cf.clone_roles(dataset, cf.BehaviorCloningConfig(hidden_sizes=(8,), num_steps=10), seed=1)
    (NetworkPolicy(11-8-2, softmax, temperature 1), NetworkPolicy(11-8-2, softmax, temperature 1))
    """
    check_dataset("clone_roles", dataset)
    seats = map(dataset.spec.seats_of, range(dataset.spec.num_roles))
    return tuple(clone_behavior(dataset, config, seed, seats=own, progress=progress) for own in seats)


def descend(
    caller: str,
    networks: Sequence[StackedMLP],
    num_examples: int,
    loss: Callable[[torch.Tensor], torch.Tensor],
    judge: Callable[[], torch.Tensor] | None,
    config: Any,
    seed: int,
    progress: ProgressCallback | None,
) -> list[Layers]:
    """Descend a loss of rows of examples, and return each network's layers when the judge liked them best.

    The last ones if there is no judge.
    """
    import torch

    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, "batches")))
    least, best = float("inf"), [network.export()[0] for network in networks]
    parameters = [parameter for network in networks for parameter in network.parameters]
    optimizer = torch.optim.Adam(parameters, lr=config.learning_rate, fused=True)
    for done in range(1, config.num_steps + 1):
        value = loss(torch.from_numpy(rng.integers(num_examples, size=config.batch_size)))
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if done % JUDGE_EVERY and done < config.num_steps:
            continue
        with torch.no_grad():
            judged = (value if judge is None else judge()).item()
        if not np.isfinite(judged):
            raise NumericalError(f"{caller}: the loss is {judged}; lower learning_rate")
        if judge is None or judged < least:
            least, best = judged, [network.export()[0] for network in networks]
        if progress:
            progress(caller.replace("_", " "), done, config.num_steps, {"loss": judged})
    return best


def _examples(dataset: TrajectoryDataset, seats: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Information states, actions and what was illegal, one row an action of these seats."""
    import torch

    rows = np.flatnonzero(np.isin(dataset.acting_player, seats))
    return (
        torch.from_numpy(dataset.information_states()[rows]),
        torch.from_numpy(dataset.action[rows].astype(np.int64)),
        torch.from_numpy(dataset.legal_masks()[rows] == 0),
    )


def _loss(network: StackedMLP, known: torch.Tensor, actions: torch.Tensor, is_illegal: torch.Tensor) -> torch.Tensor:
    """The mean cross-entropy of the actions among the legal ones."""
    import torch

    logits = network(known)[0].masked_fill(is_illegal, float("-inf"))
    return torch.nn.functional.cross_entropy(logits, actions)
