"""What is found in a log before the networks of a model learn from it: kinds of entries, and kinds of hidden luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.entry_kinds import EntryKinds
from coffee_fast.models.examples import episodes_of
from coffee_fast.models.hidden_luck import Luck, Outcomes
from coffee_fast.models.inputs import Rows, delta_inputs, network_inputs
from coffee_fast.models.normalization import Normalizers
from coffee_fast.models.parts import Examples, Regression, weight_generators
from coffee_fast.models.steps import Training, run_trainings
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import Float32, Int64, ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset


@dataclass(frozen=True, eq=False)
class Structure:
    """What was found in a log, the training part of it first.

    Attributes
    ----------
    kinds
        Where entries come from; None where all are predicted.
    luck
        Kinds of hidden luck; None where none were looked for.
    codes
        ``int64 [T]`` of the training part, then of the held-out one if there is one: the kind of luck in each row, -1
        where no outcome was seen. Empty without hidden luck.
    """

    kinds: EntryKinds | None = None
    luck: Luck | None = None
    codes: tuple[Int64, ...] = ()

    @classmethod
    def of(
        cls,
        parts: tuple[TrajectoryDataset, ...],
        normalizers: Normalizers,
        config: EnsembleConfig,
        seed: int,
        progress: ProgressCallback | None,
    ) -> Structure:
        """Look into a log: its training part and, if any is kept out, the held-out one."""
        kinds = EntryKinds.of(*parts) if config.entries == "by_kind" else None
        if not config.chance_codes:
            return cls(kinds)
        outcomes = [Outcomes.of(part, normalizers, kinds) for part in parts]
        predicted = _first_regression(parts, outcomes, normalizers, config, seed, progress)
        luck = Luck.of(parts[0], outcomes[0], predicted[0], config.chance_codes, derive_seed(seed, "kinds of luck"))
        codes = zip(parts, outcomes, predicted, strict=True) if luck.is_used else ()
        return cls(kinds, luck, tuple(luck.codes(*each) for each in codes))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in words."""
        return tuple(line for part in (self.kinds, self.luck) if part is not None for line in part.sentences)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of a model that say it."""
        return {} if self.kinds is None else self.kinds.to_arrays()


def _first_regression(
    parts: tuple[TrajectoryDataset, ...],
    outcomes: list[Outcomes],
    normalizers: Normalizers,
    config: EnsembleConfig,
    seed: int,
    progress: ProgressCallback | None,
) -> list[NDArray[Any]]:
    """What one network without luck says of the outcomes, ``[T, D + N]`` of each part of the log."""
    inputs: list[Float32] = [
        delta_inputs(part, network_inputs(part, normalizers, draws=True), Rows.of(part)) for part in parts
    ]
    shown = [
        Examples(seen, outcome.values, episodes_of(part), outcome.shows).that_count()
        for part, seen, outcome in zip(parts, inputs, outcomes, strict=True)
    ]
    own_seed = derive_seed(seed, "luck")
    regression = Regression(
        "luck",
        shown[0],
        shown[1] if len(shown) > 1 else None,
        num_outputs=outcomes[0].values.shape[1],
        config=config,
        generators=weight_generators(own_seed),
    )
    training = Training("fit luck", [regression], config.num_steps, config, own_seed, anneals=True)
    run_trainings([training], 1, progress)
    regression.networks()  # the best that were met
    return [regression.outputs(seen)[0] for seen in inputs]
