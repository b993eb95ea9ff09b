"""``report.md``: what a run found, in words and figures that a newcomer can follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast._files import write_atomically
from coffee_fast.evaluation import FidelityReport, RegretReport
from coffee_fast.psro.role_mixtures import names_of_roles
from coffee_fast.reports import markdown, run_by_the_log, run_self_play
from coffee_fast.reports.how_to_play import how_to_play
from coffee_fast.reports.run_model import fidelity_in_words, near_log_in_words
from coffee_fast.reports.run_page import write_pages
from coffee_fast.reports.run_regret import (
    EXACT,
    WORDS,
    by_player,
    is_exact_throughout,
    payoff_of,
    regret_table,
    sum_of,
)

if TYPE_CHECKING:
    from coffee_fast.models import FitReport
    from coffee_fast.psro import PSROResult, Solution
    from coffee_fast.typing import Float64

MOST_ROLES = 6  # named in a sentence

FILES = {
    "results.json": "every figure of this page, for programs",
    "config.json": "the configuration, with the versions of the software",
    "dataset/": "the logged play",
    "model/": "the learned dynamics ensemble",
    "self_play/": "the checkpoint of self-play, and what judged its policies",
    "psro/": "strategies, payoffs and records of every iteration",
    "mixed/": "the same for strategies mixed with the cloned policy, by its weight",
    "cloned_policy/": "the policy cloned from the log",
    "solution/": "the final solution: `coffee_fast.Solution.load`, then play it as below",
    "evaluation/": "the opponents trained against the solutions, and evaluation.json",
}


def write_report(
    run_dir: Path,
    *,
    dataset: str | None,
    fit: FitReport | None,
    result: PSROResult | None,
    solution: Solution,
    evaluation: Mapping[str, Any],
    seconds: Mapping[str, float],
    history: Mapping[str, Float64] | None = None,
) -> None:
    """Write ``report.md``, ``report.html`` and their plots into a run folder.

    Parameters
    ----------
    run_dir
        The folder.
    dataset
        The dataset's card; None if the run was in the true game.
    fit
        How the model was fitted, if there is one.
    result, solution
        The run (of OEF-BC the first variant) and the solution extracted from it by the first solver; of self-play the
        solution alone.
    evaluation
        ``status``, ``regret``, ``fidelity`` and ``solutions``, as ``evaluation.json`` holds them.
    seconds
        Wall-clock seconds by stage.
    history
        Figures of the updates of self-play, if there was any.
    """
    regret = {entry["iteration"]: RegretReport.from_json(entry) for entry in main_entries(evaluation)}
    fidelity = FidelityReport.from_json(evaluation["fidelity"][0]) if evaluation["fidelity"] else None
    plots = _draw(run_dir, result, solution, regret, fidelity, history)
    has_payoffs = "payoffs.png" in plots
    parts = [
        "# What this run found",
        _in_short(result, solution, regret, evaluation, fit),
        regret_table(regret) if regret else "",
        _by_player(solution, regret),
        "" if not regret else EXACT if is_exact_throughout(regret) else WORDS,
        _images(plots, ("regret.png",)),
        _all_variants(evaluation),
        run_by_the_log.section(evaluation.get("by_the_log"), bool(regret)),
        "## The solution",
        _solution(result, solution, fit),
        _images(plots, ("mixtures.png",)),
        "What a player earns as estimated in the search, by own and opponent's strategy:" if has_payoffs else "",
        _images(plots, ("payoffs.png", "payoffs-1.png")),
        run_self_play.section(solution, history, fit, run_self_play.PLOT in plots) if history else "",
        f"## The log it learned from\n\n{markdown.quoted(dataset)}" if dataset else "",
        f"## The model\n\n{markdown.quoted(str(fit))}" if fit else "",
        fidelity_in_words(fidelity) if fidelity else "",
        near_log_in_words(evaluation.get("coverage", [])),
        _images(plots, ("disagreement.png",)),
        f"## Iteration by iteration\n\n{_iterations(result)}" if result else "",
        "## Files",
        markdown.table(
            ("file", "what it is"), [(f"`{name}`", what) for name, what in FILES.items() if (run_dir / name).exists()]
        ),
        how_to_play(solution),
        "Time: " + ", ".join(f"{stage} {spent:.0f} s" for stage, spent in seconds.items()) + ".",
    ]
    text = "\n\n".join(part.strip() for part in parts if part) + "\n"
    write_pages(run_dir, text)


def _draw(
    run_dir: Path,
    result: PSROResult | None,
    solution: Solution,
    regret: Mapping[int, RegretReport],
    fidelity: FidelityReport | None,
    history: Mapping[str, Float64] | None,
) -> list[str]:
    from io import BytesIO

    from coffee_fast import plotting

    figures = {}
    if result:
        figures["regret.png"] = plotting.regret_curve(result, regret)
        if len(solution.roles) > 1:
            figures["mixtures.png"] = plotting.mixtures(solution)
    if history:
        figures[run_self_play.PLOT] = plotting.self_play({**history, **(solution.history or {})}, solution.role_names)
    if result and solution.table.num_players == 2:
        figures["payoffs.png"] = plotting.payoff_table(solution.table, solution)
        if len(solution.roles) == 2:
            figures["payoffs-1.png"] = plotting.payoff_table(solution.table, solution, player=1)
    if fidelity:
        figures["disagreement.png"] = plotting.disagreement_vs_utility_error(fidelity)
    for name, figure in figures.items():
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=150)
        write_atomically(run_dir / name, buffer.getvalue())
    return list(figures)


def main_entries(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of ``evaluation["regret"]`` that a report is about: the first variant and solver."""
    entries: list[dict[str, Any]] = evaluation["regret"]
    return [entry for entry in entries if _variant(entry) == _variant(entries[0])]


def _variant(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return entry["cloning_weight"], entry["meta_solver"]


def _all_variants(evaluation: Mapping[str, Any]) -> str:
    """The last regret of every weight and solver, if there is more than one."""
    last = {str(_variant(entry)): entry for entry in evaluation["regret"]}
    if len(last) < 2:
        return ""
    rows = [
        (
            "" if entry["cloning_weight"] is None else f"{entry['cloning_weight']:g}",
            entry["meta_solver"]["kind"],
            str(entry["iteration"]),
            markdown.plus_minus(entry["sum_regret"], entry["sum_regret_standard_error"]),
            markdown.plus_minus(entry["debiased_sum_regret"], entry["debiased_sum_standard_error"]),
        )
        for entry in last.values()
    ]
    header = ("cloning weight", "extracted by", "iteration", "regret, largest estimated gain", "regret, measured anew")
    return "Every solution of the last iteration; the rest of this page is about the first:\n\n" + markdown.table(
        header, rows
    )


def _in_short(
    result: PSROResult | None,
    solution: Solution,
    regret: Mapping[int, RegretReport],
    evaluation: Mapping[str, Any],
    fit: FitReport | None,
) -> str:
    learned = _search(result, solution, fit) if result else run_self_play.in_short(solution, fit)
    if fit and (caution := fit.caution()):
        learned = f"{learned} **{caution}**"
    if not regret:
        return (
            f"{learned} How good it is in the true game is not known: the evaluation was {evaluation['status']}."
            f"{run_by_the_log.in_short(evaluation.get('by_the_log'))} Within the model a "
            f"player could gain {solution.model_regret.max():.2f} by leaving it, and "
            f"{solution.pessimistic_regret.max():.2f} if every member of the ensemble is believed where it is most in "
            f"favor of leaving{_worth(fit)}."
        )
    first, last = regret[min(regret)], regret[max(regret)]
    exactly = "exactly " if last.is_exact else ""
    regrets = (
        f"{learned} In the true game its regret is {exactly}**{sum_of(last)}**, that of uniform random play "
        f"**{sum_of(first)}**"
    )
    if len(solution.roles) > 1:
        return f"{regrets}, summed over the players."
    return (
        f"{regrets}; a player earns **{payoff_of(last)}** an episode when all play the solution, and "
        f"{payoff_of(first)} when all play at random."
    )


def _search(result: PSROResult, solution: Solution, fit: FitReport | None) -> str:
    """How the strategies were found, and which of them are played."""
    number = len(result.strategies[0])
    each = "" if len(solution.roles) == 1 else " for each role"
    source, place = ("From logged play alone", "inside a model of the game") if fit else ("Online", "in the game")
    num_given = sum(not record.objective for record in result.records[1:])
    num_learned = result.num_iterations - num_given
    is_one = num_learned == 1
    count = f"1 strategy{each} was" if is_one else f"{num_learned} strategies{each} were"
    order = "" if is_one else ", one after the other"
    after = f", after {num_given} of self-play" if num_given else ""
    return (
        f"{source}, {count} learned{order}{after}, {place}. With uniform random play they are {number}; the solution "
        f"{_plays(solution)}."
    )


def _by_player(solution: Solution, regret: Mapping[int, RegretReport]) -> str:
    """Each player's figures, where they are not all alike."""
    last = regret.get(max(regret, default=0))
    return by_player(solution, last) if last and (len(solution.roles) > 1 or last.is_exact) else ""


def _plays(solution: Solution) -> str:
    words = []
    for role in range(len(solution.roles)):
        support = solution.support(role=role)
        words.append(f"mixes {len(support)} of them" if len(support) > 1 else f"is strategy {support[0]}")
    if len(words) == 1:
        return words[0]
    listed = "; ".join(
        f"{markdown.name(name)} {word.replace('is strategy', 'plays strategy')}"
        for name, word in zip(solution.role_names[:MOST_ROLES], words, strict=False)
    )
    return f"has a mixture for each role ({listed}{'; ...' if len(words) > MOST_ROLES else ''})"


def _solution(result: PSROResult | None, solution: Solution, fit: FitReport | None) -> str:
    played = _strategies(result, solution) if result else run_self_play.plays(solution)
    by_player = "" if len(solution.roles) == 1 else f" ({', '.join(f'{r:.3f}' for r in solution.model_regret)})"
    return (
        f"{played}\n\n{'Extracted' if result else 'Found'} by `{solution.solver.get('kind')}` ({solution.status}). "
        f"Model regret, summed: {solution.model_regret.sum():.3f}{by_player}; with every member believed where it "
        f"favors leaving (pessimistic): {solution.pessimistic_regret.sum():.3f}{_worth(fit)}."
    )


def _strategies(result: PSROResult, solution: Solution) -> str:
    tables = []
    for role, (name, mixture) in enumerate(zip(solution.role_names, solution.by_role, strict=True)):
        support = solution.support(role=role)
        rows = [(_strategy(index, result), f"{mixture.probabilities[index]:.1%}") for index in support]
        title = f"{markdown.name(name)}:\n\n" if len(solution.roles) > 1 else ""
        tables.append(title + markdown.table(("strategy", "probability"), rows))
    return (
        "Each player draws one strategy at the start of an episode and keeps it to the end. Those drawn in 1 % of "
        "episodes or more:\n\n" + "\n\n".join(tables)
    )


def _worth(fit: FitReport | None) -> str:
    return f" ({worth})" if fit and (worth := fit.worth_of_regret()) else ""


def _iterations(result: PSROResult) -> str:
    roles = names_of_roles(result.spec, len(result.strategies))
    returns = ["mean_return"] if len(roles) == 1 else [f"{name}/mean_return" for name in roles]
    rows = [
        (
            str(record.iteration),
            f"{record.objective['coverage_weight']:.3f}" if record.objective else "",
            ", ".join(filter(None, (markdown.figure(record.response_report.get(name)) for name in returns))),
            f"{record.model_regret.sum():.3f}",
            f"{record.mean_disagreement:.2f}",
            f"{sum(record.seconds.get(part, 0.0) for part in ('response', 'payoffs', 'meta_solver')):.1f}",
        )
        for record in result.records
    ]
    header = ("iteration", "coverage weight", "training return", "model regret, summed", "disagreement", "seconds")
    return markdown.table(header, rows)


def _strategy(index: int, result: PSROResult) -> str:
    if index == 0:
        return "0, uniform random play"
    return f"{index}, {'learned' if result.records[index].objective else 'given'} in iteration {index}"


def _images(drawn: Sequence[str], wanted: Sequence[str]) -> str:
    return "\n".join(f"![{name.removesuffix('.png')}]({name})" for name in wanted if name in drawn)
