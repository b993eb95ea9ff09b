"""The trainings of a dynamics ensemble: next states with observations and legal actions, rewards, and what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast._torch_threads import learning_in_torch
from coffee_fast.models.classifiers import Classifier, is_certain
from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.examples import episodes_of, examples
from coffee_fast.models.inputs import draws_ends, num_movers
from coffee_fast.models.normalization import Normalizers
from coffee_fast.models.parts import Examples, Part, Regression, weight_generators
from coffee_fast.models.steps import Training, run_trainings
from coffee_fast.models.structure import Structure
from coffee_fast.models.views import choose_looks
from coffee_fast.policies import Layers
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import Float32, Int64, ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset

EXACT = 0.01  # largest error of states and observations, in units of their normalizers, that is as good as none
MASKED = 0.25  # the same of legal actions, of which half an error is the least that counts
WIDENED = 0.1  # by which rewards may leave what was seen, in units of the distance of its ends


@dataclass(frozen=True, eq=False)
class TrainedNetworks:
    """What was trained.

    Attributes
    ----------
    layers
        Of each member of ``delta``, ``reward`` and other networks by name.
    losses
        The last ones of trainings.
    arrays
        What else the model must know of its networks, by name.
    structure
        What was found in the log before: kinds of entries, and of hidden luck.
    choices
        Of parts for which two families were tried: held-out losses by family, or ``"diverged"``, and what was
        ``"chosen"``.
    """

    layers: Mapping[str, Sequence[Layers]]
    losses: dict[str, float]
    arrays: dict[str, NDArray[Any]]
    choices: Mapping[str, Mapping[str, float | str]]
    structure: Structure

    @property
    def told(self) -> dict[str, Any]:
        """What a fit report is told: what was tried, found and explained."""
        luck = self.structure.luck
        explained = luck.explained if luck is not None and luck.is_used else None
        return {"choices": self.choices, "kinds": self.structure.sentences, "codes_explained": explained}


def train(
    dataset: TrajectoryDataset,
    held_out: TrajectoryDataset | None,
    normalizers: Normalizers,
    config: EnsembleConfig,
    seed: int,
    num_threads: int,
    progress: ProgressCallback | None,
) -> TrainedNetworks:
    """Train all networks; with two threads or more all trainings at once, to the same bits."""
    logs = (dataset,) if held_out is None else (dataset, held_out)
    with learning_in_torch():
        structure = Structure.of(logs, normalizers, config, seed, progress)
        codes = structure.codes or (None,) * len(logs)
        shown, *judges_ = (
            examples(log, normalizers, config, structure.kinds, code) for log, code in zip(logs, codes, strict=True)
        )
        judges = judges_[0] if judges_ else {}
        trainings = _trainings(dataset, shown, judges, config, seed)
        run_trainings(list(trainings.values()), num_threads, progress)
        parts = [part for training in trainings.values() for part in training.parts]
        layers = {part: part.networks() for part in parts}
        arrays = structure.to_arrays() | choose_looks(parts, judges or shown)
        parts = [part for part in parts if " " not in part.name]  # not those that see too much or too little
        rewards = shown["reward"].targets * np.float32(normalizers.reward_scale)
        arrays |= _arrays(parts, rewards, judges, config)
    losses = {name: training.loss for name, training in trainings.items()}
    choices = {part.name: part.choice for part in parts if part.choice}
    return TrainedNetworks({part.name: layers[part] for part in parts}, losses, arrays, choices, structure)


def _trainings(
    dataset: TrajectoryDataset,
    shown: Mapping[str, Examples],
    judges: Mapping[str, Examples],
    config: EnsembleConfig,
    seed: int,
) -> dict[str, Training]:
    """What is learned together, by name; each has a seed of its own, so that one more changes none of the others."""
    spec, draws = dataset.spec, _draws(dataset, config, seed) if config.bootstrap else None
    trainings: dict[str, Training] = {}

    def add(name: str, phase: str, num_steps: int, *parts: Callable[..., Part]) -> None:
        own_seed = derive_seed(seed, name)
        generators = weight_generators(own_seed)
        made = [part(config=config, generators=generators, draws=draws) for part in parts]
        # Batches are those of the last part, which sees all rows, and of the others as far as they see all rows too.
        # Of what may be looked at, the least is the last: if that teaches all, the others are not needed.
        made.reverse()
        trainings[name] = Training(
            phase,
            made,
            num_steps,
            config,
            own_seed,
            anneals=draws_ends(spec, config),
            are_alternatives=name in ("mask", "view"),
        )

    def part(kind: type[Part], name: str, num_outputs: int, num_members: int, **options: Any) -> Callable[..., Part]:
        return partial(
            kind, name, shown[name], judges.get(name), num_outputs=num_outputs, num_members=num_members, **options
        )

    views, E = spec.num_players * spec.observation_size, config.num_members
    if "shared" in shown:
        delta = part(Regression, "delta", spec.state_size, E)
        shared = part(Regression, "shared", views + spec.num_actions, 1, groups=(views, spec.num_actions))
        add("dynamics", "fit dynamics", config.num_steps, delta, shared)
    else:
        add("dynamics", "fit dynamics", config.num_steps, part(Regression, "delta", spec.state_size, E, enough=EXACT))
        masks = [
            part(Regression, name, spec.num_actions, 1, enough=MASKED) for name in shown if name.startswith("mask ")
        ]
        add("mask", "fit legal actions", config.num_steps, *masks)
        seen = [
            part(Regression, name, spec.observation_size, 1, enough=EXACT) for name in shown if name.startswith("view ")
        ]
        if seen:
            add("view", "fit observations", config.num_steps, *seen)
    add("reward", "fit rewards", config.num_reward_steps, part(Regression, "reward", spec.num_players, E))
    classes = {
        "code": config.chance_codes,
        "end": 1,
        "pay": 1,
        "mover": num_movers(spec),
        "chance": spec.num_chance_actions,
    }
    for name, num_outputs in classes.items():
        if name in shown and not (name == "pay" and shown[name].targets.all()):
            num_members = E if config.outcome_disagreement and name != "code" else 1
            classifier = part(Classifier, name, num_outputs, num_members)
            add(name, f"fit {name}", config.num_steps, classifier)
    return trainings


def _draws(dataset: TrajectoryDataset, config: EnsembleConfig, seed: int) -> Int64:
    """``int64 [E, episodes]``: how often each member has drawn each episode, with replacement."""
    num_episodes = int(episodes_of(dataset).max()) + 1
    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, "bootstrap")))
    return rng.multinomial(num_episodes, np.full(num_episodes, 1 / num_episodes), size=config.num_members)


def _arrays(
    parts: Sequence[Part],
    rewards: Float32,
    judges: Mapping[str, Examples],
    config: EnsembleConfig,
) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        f"{part.name}.is_product": np.ones(1, dtype=np.uint8) for part in parts if part.family == "product"
    }
    if not config.bounds_rewards:
        return arrays
    for part in parts:
        if isinstance(part, Classifier) and part.name in ("pay", "end", "mover"):
            held_out = judges.get(part.name)
            sure = held_out is not None and is_certain(part.probabilities(held_out.inputs), held_out.targets)
            arrays[f"{part.name}.is_certain"] = np.array([sure], dtype=np.uint8)
    least, most = rewards.min(axis=0), rewards.max(axis=0)
    room = WIDENED * (most - least)
    return arrays | {"reward.least": least - room, "reward.most": most + room}
