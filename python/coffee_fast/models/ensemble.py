"""The dynamics ensemble: a game learned from a log of it, ready for batched rollouts."""

from __future__ import annotations

import hashlib
import itertools
import json
import warnings
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _core
from coffee_fast._sealed import SealedFolder
from coffee_fast.checks import check_count, check_progress
from coffee_fast.config import from_mapping
from coffee_fast.errors import CheckpointError, CoffeeError, InvalidArgumentError, ModelWarning, shown
from coffee_fast.games import GameSpec
from coffee_fast.models.arguments import (
    check_config,
    check_dataset,
    check_episodes,
    check_layers,
    check_log,
    check_starts,
)
from coffee_fast.models.compiled import compiled
from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.inputs import draws_ends
from coffee_fast.models.normalization import Normalizer, Normalizers
from coffee_fast.models.report import FitReport
from coffee_fast.policies import Layers
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset

_FOLDER = SealedFolder(
    kind="dynamics_ensemble",
    json="manifest.json",
    tensors="model.safetensors",
    form={"spec": dict, "config": dict, "seed": int, "fit_report": dict},
)


class DynamicsEnsemble:
    """Networks that stand in for a game's rules, learned from logged play.

    Of a game of strict turns that pays at the end it is the paper's model. Of any other (moves at once, chance, rewards
    at any step, turns that the state decides) it draws ends, movers and outcomes of chance by learned probabilities.

    Make one with :meth:`fit` or :meth:`load`. It plays in :func:`coffee_fast.simulate` like a true game.

    Attributes
    ----------
    spec
        The game's sizes and layout.
    config, seed
        What it was fitted with.
    fit_report
        How well it predicts what it has not seen.
    arrays
        Every number of the model, by name; read-only.

    Source: Nguyen and Wellman (2026), Section 4.1, Appendix A.
    """

    def __init__(
        self,
        spec: GameSpec,
        config: EnsembleConfig,
        seed: int,
        arrays: dict[str, NDArray[Any]],
        fit_report: FitReport,
    ) -> None:
        self.spec = spec
        self.config = config
        self.seed = seed
        self.fit_report = fit_report
        self.arrays = {name: np.array(array) for name, array in sorted(arrays.items())}
        for array in self.arrays.values():
            array.flags.writeable = False

    @classmethod
    def fit(
        cls,
        dataset: TrajectoryDataset,
        config: EnsembleConfig | None = None,
        seed: int = 0,
        *,
        num_threads: int = 1,
        progress: ProgressCallback | None = None,
    ) -> DynamicsEnsemble:
        """Learn the dynamics that a dataset shows.

        Delta-state networks and a shared network of observations and legal actions learn from all transitions;
        reward networks, in a training of their own, from terminal ones, or from all where every step may pay. Where
        ends are drawn (see :class:`EnsembleConfig`), delta-state networks learn from what goes on, and networks of
        ends, next movers and outcomes of chance by cross-entropy. Trajectories of ``config.holdout_fraction`` are kept
        out and judge the fit; networks of probabilities that learned by heart are taken back to where they were best
        on them. Truncated trajectories teach all but the end that they do not show.

        Parameters
        ----------
        num_threads
            With 2 or more (0: one a core) the trainings run at once; the bits stay the same.
        progress
            Called with the phase, steps done and the loss.

        Raises
        ------
        DatasetError
            If :meth:`TrajectoryDataset.check` refuses the log, as it does what contradicts its specification and seats
            of a "symmetric" game that differ; the message names place and remedy.
        InvalidArgumentError
            For arguments of the wrong kind, settings that do not fit the game, or a dataset too small to keep any of it
            out.
        NumericalError
            If a loss leaves the finite numbers.

        Warns
        -----
        ModelWarning
            Once, if the verdict of the fit report is ``"do not trust"``; ``fit_report.verdict`` says why.

        Notes
        -----
        Cost: about 2.6 ms for each of ``num_steps`` and 2 ms for each of ``num_reward_steps`` at the default sizes.
        Ctrl-C stops it between two steps. Torch's generators and thread count are left as they were.

        >>> import warnings
        >>> import coffee_fast as cf
        >>> dataset = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=40, seed=0)
        >>> config = cf.EnsembleConfig(num_members=2, hidden_sizes=(8,), num_steps=10, num_reward_steps=10)
        >>> with warnings.catch_warnings(action="ignore"):  # ten steps teach nothing, and it says so
        ...     model = cf.DynamicsEnsemble.fit(dataset, config, seed=1)
        >>> model.fit_report.verdict.level
        'do not trust'
        >>> cf.simulate(model, ["uniform_random", "uniform_random"], num_episodes=5, seed=2).member_returns.shape
        (5, 2, 2)
        """
        from coffee_fast.models.training import train

        check_dataset("DynamicsEnsemble.fit", dataset)
        config = EnsembleConfig() if config is None else config
        check_config("DynamicsEnsemble.fit", config, EnsembleConfig)
        num_threads = check_count("DynamicsEnsemble.fit: num_threads", num_threads)
        check_progress("DynamicsEnsemble.fit: progress", progress)
        check = check_log(dataset, config)
        check.require_learnable("DynamicsEnsemble.fit")
        first = dataset.trajectory_offsets[:-1]
        training, held_out = dataset, None
        if config.holdout_fraction > 0:
            check_episodes("DynamicsEnsemble.fit", dataset, config)
            training, held_out = dataset.split(config.holdout_fraction, derive_seed(check_seed(seed), "holdout"))
        pays_apart = config.payments == "probability"
        normalizers = Normalizers.of(training, config.normalization, pays_apart=pays_apart)
        networks = train(training, held_out, normalizers, config, seed, num_threads, progress)

        arrays: dict[str, NDArray[Any]] = {"reward_scale": np.array([normalizers.reward_scale])}
        if dataset.spec.rewards == "every_step" or pays_apart:
            arrays["return_scale"] = np.array([normalizers.return_scale])
        has_chance = dataset.spec.num_chance_actions > 0
        for name in ("state", "action", "observation", *(("chance",) if has_chance else ())):
            normalizer: Normalizer = getattr(normalizers, name)
            arrays |= {f"{name}.mean": normalizer.mean, f"{name}.scale": normalizer.scale}
        arrays |= networks.arrays
        for name, stack in networks.layers.items():
            for member, layers in enumerate(stack):
                arrays |= _layer_arrays(f"{name}.{member}", layers)
        arrays |= {
            "initial.state": dataset.state[first],
            "initial.observation": dataset.observation[first].reshape(len(first), -1),
            "initial.legal_mask": dataset.legal_masks()[first],
            "initial.player": dataset.acting_player[first].astype(np.int32),
        }
        model = cls(dataset.spec, config, seed, arrays, FitReport(losses=networks.losses))
        report_seed = derive_seed(seed, "report")
        model.fit_report = FitReport.of(
            model,
            networks.losses,
            dataset,
            held_out,
            report_seed,
            check.warnings,
            training=training,
            told=networks.told,
        )
        if (verdict := model.fit_report.verdict) and verdict.level == "do not trust":
            words = f"DynamicsEnsemble.fit: do not trust this model: {verdict.headline}"
            warnings.warn(words, ModelWarning, stacklevel=2)
        return model

    @property
    def num_members(self) -> int:
        return self.config.num_members

    @property
    def reward_scale(self) -> float:
        """Deviation of what players get in an episode of the dataset, players pooled, by which learners divide rewards.

        Of the payoffs in terminal transitions, or of returns where every step may pay.
        """
        return float(self.arrays["return_scale" if "return_scale" in self.arrays else "reward_scale"].item())

    @property
    def draws_ends(self) -> bool:
        """Whether ends are drawn by a probability of their own; else a state near the terminal one is an end."""
        return draws_ends(self.spec, self.config)

    @cached_property
    def core(self) -> _core.DynamicsEnsemble:
        """The compiled dynamics."""
        return compiled(self)

    def layers(self, network: str) -> Layers:
        """The layers of ``"delta.0"``, ``"reward.3"``, ``"shared.0"``: weights ``[outputs, inputs]`` and biases."""
        if not isinstance(network, str) or f"{network}.0.weight" not in self.arrays:
            known = sorted(name.removesuffix(".0.weight") for name in self.arrays if name.endswith(".0.weight"))
            raise InvalidArgumentError(f"layers: network must be one of {', '.join(known)}, got {shown(network)}")
        layers = itertools.takewhile(lambda layer: f"{network}.{layer}.weight" in self.arrays, itertools.count())
        return tuple(
            (self.arrays[f"{network}.{layer}.weight"], self.arrays[f"{network}.{layer}.bias"]) for layer in layers
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that rollouts depend on."""
        digest = hashlib.sha256(json.dumps([self.spec.to_json(), self.config.to_json()], sort_keys=True).encode())
        for name, array in self.arrays.items():
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the model as a new folder of ``model.safetensors`` and ``manifest.json``, all at once.

        With ``overwrite`` a model that is at ``path`` gives way, once this one is written whole. ``CheckpointError`` if
        there is anything else.
        """
        fields = {
            "spec": self.spec.to_json(),
            "config": self.config.to_json(),
            "seed": self.seed,
            "fit_report": self.fit_report.to_json(),
        }
        _FOLDER.save(path, fields, self.arrays, overwrite)

    @classmethod
    def load(cls, path: str | Path) -> DynamicsEnsemble:
        """Read a model that :meth:`save` wrote; ``CheckpointError`` names the file that is missing or damaged."""
        fields, arrays = _FOLDER.load(path)
        try:
            model = cls(
                GameSpec.from_json(fields["spec"]),
                from_mapping(EnsembleConfig, fields["config"]),
                check_seed(fields["seed"]),
                arrays,
                FitReport.from_json(fields["fit_report"]),
            )
            check_layers(arrays, model.config)
            if not model.draws_ends:
                check_starts(arrays["initial.state"], model.spec.terminal_state_value, model.config.terminal_threshold)
            _ = model.core  # checks that all arrays are there and fit each other
        except (KeyError, TypeError, ValueError, OverflowError, CoffeeError) as error:
            raise CheckpointError(f"{path}: is not a whole dynamics ensemble: {error}") from None
        return model

    def __repr__(self) -> str:
        num_starts = len(self.arrays["initial.player"])
        words = f"{self.num_members} members, {num_starts} initial states"
        if verdict := self.fit_report.verdict:
            words += f", verdict: {verdict.level}"
        return f"DynamicsEnsemble({self.spec.name}, {words})"


def _layer_arrays(prefix: str, layers: Layers) -> dict[str, NDArray[Any]]:
    return {
        f"{prefix}.{layer}.{part}": array
        for layer, (weight, bias) in enumerate(layers)
        for part, array in (("weight", weight), ("bias", bias))
    }
