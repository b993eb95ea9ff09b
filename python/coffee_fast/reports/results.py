"""The results of a sweep as one long table: a row for each run, variant, extraction solver and judged iteration."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast import _files
from coffee_fast._sealed import read_sealed_json
from coffee_fast.errors import CheckpointError, InvalidArgumentError
from coffee_fast.reports.sweep_files import PLAN, read_table

if TYPE_CHECKING:
    import pandas as pd

ALGORITHMS = {
    "coffee_psro": "COffeE",
    "oef": "OEF",
    "oef_bc": "OEF-BC",
    "online_psro": "online PSRO",
    "self_play": "self-play",
    "self_play_psro": "COffeE after self-play",
    "online_self_play": "online self-play",
}
ONLINE, ALONE = ("online_psro", "online_self_play"), ("self_play", "online_self_play")
BEHAVIORS = {"uniform_random": "uniform", "equilibrium_mixture": "equilibrium"}
SOLVERS = {
    "projected_replicator": "PRD",
    "uniform": "uniform",
    "nash": "Nash",
    "gane": "GANE",
    "gamd": "GAMD",
    "rqe": "RQE",
    "logit_qre": "logit QRE",
    "self_play": "none",
}
# What the columns below tell apart; any other field that a plan varies stands in ``other``.
KNOWN_FIELDS = (
    "algorithm",
    "seed",
    "cloning_weights",
    "dataset.path",
    "dataset.num_trajectories",
    "dataset.behavior",
    "psro.meta_solver",
    "psro.objective.uncertainty_penalty",
    "psro.objective.coverage_weight",
    "self_play.uncertainty_penalty",
    "self_play.coverage_weight",
    "evaluation.meta_solvers",
)
SETTING = (
    "condition",
    "algorithm",
    "exploration",
    "extraction",
    "uncertainty_penalty",
    "coverage_weight",
    "cloning_weight",
)
FIGURES = {
    "regret": "sum_regret",
    "regret_error": "sum_regret_standard_error",
    "debiased_regret": "debiased_sum_regret",
    "debiased_error": "debiased_sum_standard_error",
    "utility_error": "fidelity.mean_utility_error",
    "disagreement": "fidelity.mean_disagreement",
    "correlation": "fidelity.correlation",
    "reward_error": "fidelity.mean_reward_error",
    "reward_disagreement": "fidelity.mean_reward_disagreement",
    "coverage": "coverage.share_of_actions",
}


@dataclass(frozen=True, eq=False)
class SweepResults:
    """All that a sweep has found.

    Attributes
    ----------
    name
        The plan's.
    table
        A row for each run, variant, extraction solver and judged iteration. ``condition`` is what was learned from,
        as in ``(1000, uniform)`` or the path of a dataset of one's own, with whatever sets it apart from most settings
        in fields that have no column. ``exploration`` and ``extraction`` name meta-strategy solvers. ``regret`` and
        ``debiased_regret`` are summed over players, with standard errors over simulations; the figures of model
        fidelity and coverage belong to the whole run. What does not apply or is not there is NaN.
    configs
        The configurations of all settings, as plain JSON values.
    states
        How many runs are done, failed, running, pending.
    machines
        In words, each machine or build that runs were computed on. More than one: figures that should be the same bits
        need not be.
    """

    name: str
    table: pd.DataFrame
    configs: tuple[Mapping[str, Any], ...]
    states: Mapping[str, int]
    machines: tuple[str, ...] = ()

    def by_run(self, num_last: int = 5) -> pd.DataFrame:
        """Return a row for each run, variant and extraction solver.

        ``regret`` and ``debiased_regret`` are means over the judged iterations among the ``num_last`` last ones.
        """
        late = self.table[self.table.iteration > (self.table.num_iterations - num_last).clip(lower=0)]
        figures = [name for name in FIGURES if name in late]
        return late.groupby([*SETTING, "key", "seed"], dropna=False, sort=False)[figures].mean().reset_index()


def read_results(sweep_dir: str | Path) -> SweepResults:
    """Read ``plan.json`` and ``results.parquet`` of a sweep; the folders of its runs may be gone.

    Raises
    ------
    CheckpointError
        If one of the files is missing or damaged; the message names it.
    InvalidArgumentError
        If pandas or pyarrow is not installed.
    """
    try:
        import pandas  # noqa: F401
        import pyarrow  # noqa: F401
    except ImportError:
        raise InvalidArgumentError(
            "the report of a sweep needs pandas and pyarrow: pip install 'coffee-fast[frames]'"
        ) from None
    folder = _files.as_path(sweep_dir)
    plan = read_sealed_json(folder / "plan.json", "coffee_fast_sweep", PLAN)
    file = folder / "results.parquet"
    raw = read_table(file).to_pandas()
    if not {"key", "setting", "seed", "state"} <= set(raw) or not set(raw.key) <= {run["key"] for run in plan["runs"]}:
        raise CheckpointError(f"{file}: is not the table of this sweep")
    configs = _configs(folder, plan, raw)
    return SweepResults(
        name=str(plan.get("name", "sweep")),
        table=_long(raw, configs),
        configs=tuple(configs.values()),
        states=raw.drop_duplicates("key").state.value_counts().to_dict(),
        machines=tuple(sorted(raw.machine.dropna().unique())) if "machine" in raw else (),
    )


def solver_name(config: Mapping[str, Any]) -> str:
    """Return the field's short name of a meta-strategy solver.

    >>> solver_name({"kind": "replicator", "regret_threshold": 0.35})
    'RRD'
    >>> solver_name({"kind": "robust_replicator", "regret_threshold": None})
    'R2D'
    """
    kind, threshold = config["kind"], config.get("regret_threshold")
    if kind == "annealed_replicator":
        return "R3D, annealed" if config.get("is_robust") else "RRD, annealed"
    stops_early = threshold is not None and threshold == threshold and threshold > 1e-5
    if kind == "replicator":
        return "RRD" if stops_early else "RD"
    if kind == "robust_replicator":
        return "R3D" if stops_early else "R2D"
    return SOLVERS.get(kind, str(kind))


def _configs(folder: Path, plan: Mapping[str, Any], raw: pd.DataFrame) -> dict[str, Mapping[str, Any]]:
    """Return the configurations of all settings with a finished run."""
    finished = raw[raw.state == "done"].drop_duplicates("setting")
    known = plan.get("settings", {})  # plans of older sweeps have none, but their runs know
    return {
        setting: known.get(setting) or _config(folder / "runs" / key / "config.json")
        for setting, key in zip(finished.setting, finished.key, strict=True)
    }


def _config(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_sealed_json(file, "coffee_fast_run", {"config": dict, ...: object})["config"]
    return found


def _long(raw: pd.DataFrame, configs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    others = _other_fields(configs)
    rows = []
    for values in raw.to_dict("records"):
        iteration, regret = values.get("iteration"), values.get("sum_regret")
        if values["state"] != "done" or iteration is None or regret is None or iteration != iteration:
            continue
        row = {"key": values["key"], "seed": int(values["seed"]), "iteration": int(iteration)}
        row |= _setting(values, configs[values["setting"]], others[values["setting"]])
        rows.append(row | {name: values.get(column) for name, column in FIGURES.items()})
    columns = ["key", "seed", *SETTING, "num_iterations", "iteration", *FIGURES]
    table = pd.DataFrame(rows, columns=columns)
    numbers = ["uncertainty_penalty", "coverage_weight", "cloning_weight", *FIGURES]
    table[numbers] = table[numbers].astype(float)
    # OEF may be there twice, by itself and as OEF-BC of weight 0: the same strategies, the same figures.
    is_again = table.duplicated([*SETTING, "seed", "iteration"]) & (table.algorithm == ALGORITHMS["oef"])
    return table[~is_again].reset_index(drop=True)


def _setting(values: Mapping[str, Any], config: Mapping[str, Any], other: str) -> dict[str, Any]:
    algorithm, weight = config["algorithm"], values.get("cloning_weight")
    if algorithm == "oef_bc" and weight == 0:
        algorithm, weight = "oef", None
    is_offline, is_conservative = algorithm not in ONLINE, algorithm in ("coffee_psro", "self_play_psro", "self_play")
    is_alone, dataset = algorithm in ALONE, config["dataset"]
    explores = {"kind": "self_play"} if is_alone else config["psro"]["meta_solver"]
    objective = config["self_play"] if is_alone else config["psro"]["objective"]
    solver = {n.removeprefix("meta_solver."): v for n, v in values.items() if n.startswith("meta_solver.")}
    behavior = BEHAVIORS.get(dataset["behavior"], dataset["behavior"])
    condition = f"({dataset['num_trajectories']}, {behavior})" if is_offline else "true game"
    condition = dataset.get("path") or condition
    return {
        "condition": f"{condition}; {other}" if other else condition,
        "algorithm": ALGORITHMS.get(algorithm, algorithm),
        "exploration": solver_name(explores),
        "extraction": solver_name(solver if solver.get("kind") else explores),
        "uncertainty_penalty": objective["uncertainty_penalty"] if is_conservative else None,
        "coverage_weight": objective["coverage_weight"] if is_conservative else None,
        "cloning_weight": weight,
        "num_iterations": config["self_play"]["num_updates"] if is_alone else config["psro"]["num_iterations"],
    }


def _other_fields(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return in words what each setting has otherwise than most others, but for the known fields."""
    leaves = {
        setting: {
            name: value
            for name, value in _leaves(config).items()
            if not any(name == known or name.startswith(f"{known}.") for known in KNOWN_FIELDS)
        }
        for setting, config in configs.items()
    }
    words: dict[str, list[str]] = {setting: [] for setting in leaves}
    for name in sorted({name for found in leaves.values() for name in found}):
        having = _having(name, leaves)
        ((usual, number), *others) = Counter(having.values()).most_common()
        is_usual = 2 * number > len(having)
        for setting, value in having.items():
            if others and not (is_usual and value == usual):
                words[setting].append(f"{name} = {value}")
    return {setting: ", ".join(found) for setting, found in words.items()}


def _having(name: str, leaves: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return what each setting that has the part of a field says of it; parts leave out later fields at defaults."""
    part = name.rpartition(".")[0]
    kind = f"{part}.kind"
    kinds = {found.get(kind) for found in leaves.values() if name in found}
    return {
        setting: found.get(name, "default")
        for setting, found in leaves.items()
        if name in found or (part and found.get(kind) in kinds and any(own.startswith(f"{part}.") for own in found))
    }


def _leaves(value: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(value, Mapping):
        parts = [_leaves(item, f"{prefix}.{key}" if prefix else str(key)) for key, item in value.items()]
        return {name: leaf for part in parts for name, leaf in part.items()}
    return {prefix: json.dumps(value)}
