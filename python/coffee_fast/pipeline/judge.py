"""The last stage of a run: its solutions in the true game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast._provenance import describe_part, first_difference, plain
from coffee_fast._sealed import Form, read_sealed_json, write_sealed_json
from coffee_fast.errors import CheckpointError, InvalidGameError
from coffee_fast.evaluation import fidelity, play_near_log, true_regret
from coffee_fast.games import load_game
from coffee_fast.pipeline.by_the_log import FORM as BY_THE_LOG
from coffee_fast.pipeline.by_the_log import by_the_log
from coffee_fast.pipeline.stages import Variant, Workplace, evaluated_iterations
from coffee_fast.policies import as_mixture

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.games import GameSpec
    from coffee_fast.meta_solvers import MetaSolver
    from coffee_fast.models import DynamicsEnsemble
    from coffee_fast.psro import PSROResult, Solution

EVALUATION = "evaluation/evaluation.json"
Part = Mapping[str, Any]
SELF_PLAY: Part = {"kind": "self_play"}  # in the place of a solver that extracts solutions
NAMES = frozenset({"player_names", "role_names", "action_names", "chance_names", "log_columns"})  # which play the same
_ABOUT: Form = {"algorithm": str, "cloning_weight": (float, None), "meta_solver": dict}
_SUMS = ("sum_regret", "sum_regret_standard_error", "debiased_sum_regret", "debiased_sum_standard_error")
_ARRAYS = ("regret", "regret_standard_error", "debiased_regret", "debiased_standard_error", "payoff")
_REGRET: Form = {
    **_ABOUT,
    **dict.fromkeys(_SUMS, float),
    **{name: [(float, None)] for name in (*_ARRAYS, "payoff_standard_error")},
    "iteration": int,
    "deviation?": str,  # of a single role
    "deviations?": [str],  # of several, for each of which the two below are a list of their own
    "deviation_gains": list,
    "strategy_names": list,
    "response_report": {...: (float, None)},
    ...: object,
}
_FORM: Form = {
    "status": str,
    "regret": [_REGRET],
    "fidelity": [{"profiles": [[int]], "utility_error": [float], "disagreement": [(float, None)], ...: object}],
    "coverage?": [{"share_of_actions": float, "share_of_episodes": float, ...: object}],
    "solutions": [{**_ABOUT, ...: object}],
    "by_the_log?": BY_THE_LOG,
}


def evaluate(
    at: Workplace,
    spec: GameSpec,
    variants: Sequence[Variant],
    logged: TrajectoryDataset | None = None,
    model: DynamicsEnsemble | None = None,
) -> None:
    """Write ``evaluation.json``; ``logged`` and ``model`` are what an offline run learned from.

    ``status``
        ``"done"``, or why there is no evaluation.
    ``regret``
        A list with an entry for each variant, extraction solver and evaluated iteration: ``algorithm``,
        ``cloning_weight`` (None but for OEF-BC), ``meta_solver``, ``iteration``, then the fields of a regret report.
        Iteration 0 is uniform random play. Where the whole tree of the game is at hand, figures are exact and
        ``num_simulations`` is 0.
    ``fidelity``
        An entry for each variant that was found in a model.
    ``coverage``
        An entry for the last solution of each variant and extraction solver: how much of its play is like the log.
    ``solutions``
        The last solution of each variant and extraction solver, with what the model says of it.
    ``by_the_log``
        Of an offline run, what each of these leaves to gain by the tree of the log, as :func:`by_the_log` says it.
    """
    file = at.folder / EVALUATION
    if file.exists():
        return
    file.parent.mkdir(exist_ok=True)
    found: dict[str, Any] = {"status": "done", "regret": [], "fidelity": [], "coverage": []}
    last = [(variant, *found) for variant in variants for found in _last_solutions(at, variant)]
    found["solutions"] = [{**_about(at, variant, solver), **_in_search(solution)} for variant, solver, solution in last]
    if logged is not None:
        with at.clocked("tree of the log"):
            found["by_the_log"] = by_the_log(logged, [solution for *_, solution in last], at.seed("by_the_log"))
    game, found["status"] = _game_of(spec)
    if game is None:
        write_sealed_json(file, "evaluation", plain(found))
        return
    with at.clocked("evaluation"):
        for variant in variants:
            judged = _judge(at, game, variant, logged, model)
            for part in ("regret", "fidelity", "coverage"):
                found[part] += judged.get(part, [])  # a file of before there was coverage has none
        write_sealed_json(file, "evaluation", plain(found))


def _game_of(spec: GameSpec) -> tuple[Dynamics | None, str]:
    """Return the true game of a log, if there is one here, and ``"done"`` or why there is none."""
    try:
        game: Dynamics = load_game(spec.name, **spec.parameters)
    except InvalidGameError as error:
        return None, f"skipped, since there is no true game to play in ({error})"
    there, here = ({k: v for k, v in s.to_json().items() if k not in NAMES} for s in (game.spec, spec))
    if difference := first_difference(there, here):
        return None, f"skipped, since the game of that name is another one than that of the log: {difference:.400}"
    return game, "done"


def read_evaluation(run: Path) -> dict[str, Any]:
    """Read what :func:`evaluate` wrote; ``CheckpointError`` if it is damaged."""
    found = read_sealed_json(run / EVALUATION, "evaluation", _FORM)
    if not found["solutions"]:
        raise CheckpointError(f"{run / EVALUATION}: solutions must not be empty")
    return found


def _judge(
    at: Workplace, game: Dynamics, variant: Variant, logged: TrajectoryDataset | None, model: DynamicsEnsemble | None
) -> dict[str, Any]:
    """Return a variant's entries, from its own file if it was judged before an interruption."""
    file = at.folder / "evaluation" / f"judged_{variant.cloning_weight or 0.0}.json"
    if not file.exists():
        found: dict[str, Any] = {"regret": _regret(at, game, variant)}
        if model is not None and variant.result is not None:
            found["fidelity"] = [_fidelity(at, game, variant, variant.result, model)]
        if logged is not None and logged.num_trajectories > 1:
            found["coverage"] = [
                _near_log(at, game, variant, logged, solver, solution)
                for solver, solution in _last_solutions(at, variant)
            ]
        write_sealed_json(file, "judged_variant", plain(found))
    return read_sealed_json(file, "judged_variant", {"regret": [dict], "fidelity?": [dict], "coverage?": [dict]})


def extraction_solvers(at: Workplace) -> tuple[MetaSolver, ...]:
    """Return the solvers that extract solutions, the main one first."""
    return at.config.evaluation.meta_solvers or (at.config.psro.meta_solver,)


def _last_solutions(at: Workplace, variant: Variant) -> list[tuple[Part, Solution]]:
    """What each extraction solver makes of a variant in the end; of self-play the one solution there is."""
    if (result := variant.result) is None:
        return [(SELF_PLAY, solution) for solution in (variant.solution,) if solution]
    return [(describe_part(solver), result.solve(solver)) for solver in extraction_solvers(at)]


def _solutions_by_iteration(at: Workplace, variant: Variant) -> list[tuple[Part, dict[int, Solution]]]:
    """The solutions that are judged, by iteration; of self-play that of its last update."""
    if (result := variant.result) is None:
        return [(part, {found.num_solver_iterations: found}) for part, found in _last_solutions(at, variant)]
    iterations = evaluated_iterations(result, at.config.evaluation.num_last_iterations)
    return [
        (describe_part(solver), {iteration: result.solution_at(iteration, solver) for iteration in iterations})
        for solver in extraction_solvers(at)
    ]


def _regret(at: Workplace, game: Dynamics, variant: Variant) -> list[dict[str, Any]]:
    """Judge a variant's solutions together: they share the set of deviations, best responses to each among them."""
    wanted, judged = at.config.evaluation, _solutions_by_iteration(at, variant)
    start, *reports = true_regret(
        game,
        [as_mixture("uniform_random"), *(solution for _, found in judged for solution in found.values())],
        at.seed("evaluation"),
        response=wanted.response,
        num_simulations=wanted.num_simulations,
        num_threads=at.num_threads,
        cache_dir=at.folder / "evaluation",
        progress=at.progress,
    )
    rest = iter(reports)
    return [
        {**_about(at, variant, solver), "iteration": iteration, **report.to_json()}
        for solver, found in judged
        for iteration, report in [(0, start), *((iteration, next(rest)) for iteration in found)]
    ]


def _fidelity(
    at: Workplace, game: Dynamics, variant: Variant, result: PSROResult, model: DynamicsEnsemble
) -> dict[str, Any]:
    report = fidelity(
        game,
        result,
        at.seed("fidelity"),
        model=model,
        num_simulations=at.config.evaluation.num_simulations,
        num_threads=at.num_threads,
        progress=at.progress,
    )
    return {**_about(at, variant), **report.to_json()}


def _near_log(
    at: Workplace, game: Dynamics, variant: Variant, logged: TrajectoryDataset, solver: Part, solution: Solution
) -> dict[str, Any]:
    seed = at.seed("coverage")  # files and seeds keep the name of before
    report = play_near_log(game, logged, solution, seed, num_threads=at.num_threads)
    return {**_about(at, variant, solver), **report.to_json()}


def _in_search(solution: Solution) -> dict[str, Any]:
    """What the search says of a solution."""
    return {
        **_mixtures(solution),
        "model_regret": solution.model_regret,
        "pessimistic_regret": solution.pessimistic_regret,
        "sum_model_regret": solution.sum_model_regret,
        "sum_pessimistic_regret": solution.pessimistic_regret.sum(),
        "status": solution.status,
    }


def _mixtures(solution: Solution) -> dict[str, Any]:
    probabilities = [mixture.probabilities for mixture in solution.by_role]
    return {"probabilities": probabilities[0]} if len(probabilities) == 1 else {"mixtures": probabilities}


def _about(at: Workplace, variant: Variant, solver: Part | None = None) -> dict[str, Any]:
    """Return what tells the entries of a list apart."""
    about = {"algorithm": at.config.algorithm, "cloning_weight": variant.cloning_weight}
    return about if solver is None else {**about, "meta_solver": dict(solver)}
