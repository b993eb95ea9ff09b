"""``report.md``: what a run found, in words and figures that a newcomer can follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast._files import write_atomically
from coffee_fast.evaluation import FidelityReport, RegretReport
from coffee_fast.psro.role_mixtures import names_of_roles
from coffee_fast.reports import markdown
from coffee_fast.reports.how_to_play import how_to_play
from coffee_fast.reports.run_regret import (
    EXACT,
    WORDS,
    by_player,
    is_exact_throughout,
    payoff_of,
    regret_table,
    sum_of,
)
from coffee_fast.statistics import Correlation

if TYPE_CHECKING:
    from coffee_fast.models import FitReport
    from coffee_fast.psro import PSROResult, Solution

MOST_ROLES = 6  # named in a sentence

FILES = {
    "results.json": "every figure of this page, for programs",
    "config.json": "the configuration, with the versions of the software",
    "dataset/": "the logged play",
    "model/": "the learned dynamics ensemble",
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
    result: PSROResult,
    solution: Solution,
    evaluation: Mapping[str, Any],
    seconds: Mapping[str, float],
) -> None:
    """Write ``report.md`` and its plots into a run folder.

    Parameters
    ----------
    run_dir
        The folder.
    dataset
        The dataset's card; None if the run was in the true game.
    fit
        How the model was fitted, if there is one.
    result, solution
        The run (of OEF-BC the first variant) and the solution extracted from it by the first solver.
    evaluation
        ``status``, ``regret``, ``fidelity`` and ``solutions``, as ``evaluation.json`` holds them.
    seconds
        Wall-clock seconds by stage.
    """
    regret = {entry["iteration"]: RegretReport.from_json(entry) for entry in main_entries(evaluation)}
    fidelity = FidelityReport.from_json(evaluation["fidelity"][0]) if evaluation["fidelity"] else None
    plots = _draw(run_dir, result, solution, regret, fidelity)
    has_payoffs = "payoffs.png" in plots
    parts = [
        "# What this run found",
        _in_short(result, solution, regret, evaluation["status"], fit),
        regret_table(regret) if regret else "",
        _by_player(solution, regret),
        "" if not regret else EXACT if is_exact_throughout(regret) else WORDS,
        _images(plots, ("regret.png",)),
        _all_variants(evaluation),
        "## The solution",
        _solution(solution, fit),
        _images(plots, ("mixtures.png",)),
        "What a player earns as estimated in the search, by own and opponent's strategy:" if has_payoffs else "",
        _images(plots, ("payoffs.png", "payoffs-1.png")),
        f"## The log it learned from\n\n{markdown.quoted(dataset)}" if dataset else "",
        f"## The model\n\n{markdown.quoted(str(fit))}" if fit else "",
        _fidelity(fidelity) if fidelity else "",
        _near_log(evaluation.get("coverage", [])),
        _images(plots, ("disagreement.png",)),
        "## Iteration by iteration",
        _iterations(result),
        "## Files",
        markdown.table(
            ("file", "what it is"), [(f"`{name}`", what) for name, what in FILES.items() if (run_dir / name).exists()]
        ),
        how_to_play(solution),
        "Time: " + ", ".join(f"{stage} {spent:.0f} s" for stage, spent in seconds.items()) + ".",
    ]
    text = "\n\n".join(part.strip() for part in parts if part) + "\n"
    write_atomically(run_dir / "report.md", text.encode())


def _draw(
    run_dir: Path,
    result: PSROResult,
    solution: Solution,
    regret: Mapping[int, RegretReport],
    fidelity: FidelityReport | None,
) -> list[str]:
    from io import BytesIO

    from coffee_fast import plotting

    figures = {"regret.png": plotting.regret_curve(result, regret)}
    if len(solution.roles) > 1:
        figures["mixtures.png"] = plotting.mixtures(solution)
    if solution.table.num_players == 2:
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
    result: PSROResult, solution: Solution, regret: Mapping[int, RegretReport], status: str, fit: FitReport | None
) -> str:
    number = len(result.strategies[0])
    each = "" if len(solution.roles) == 1 else " for each role"
    source, place = ("From logged play alone", "inside a model of the game") if fit else ("Online", "in the game")
    is_one = result.num_iterations == 1
    count = f"1 strategy{each} was" if is_one else f"{number - 1} strategies{each} were"
    order = "" if is_one else ", one after the other"
    learned = (
        f"{source}, {count} learned{order}, {place}. With uniform random play they are {number}; the solution "
        f"{_plays(solution)}."
    )
    if fit and (caution := fit.caution()):
        learned = f"{learned} **{caution}**"
    if not regret:
        return (
            f"{learned} How good it is in the true game is not known: the evaluation was {status}. Within the model a "
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


def _solution(solution: Solution, fit: FitReport | None) -> str:
    tables = []
    for role, (name, mixture) in enumerate(zip(solution.role_names, solution.by_role, strict=True)):
        rows = [(_strategy(index), f"{mixture.probabilities[index]:.1%}") for index in solution.support(role=role)]
        title = f"{markdown.name(name)}:\n\n" if len(solution.roles) > 1 else ""
        tables.append(title + markdown.table(("strategy", "probability"), rows))
    by_player = "" if len(solution.roles) == 1 else f" ({', '.join(f'{r:.3f}' for r in solution.model_regret)})"
    return (
        "Each player draws one strategy at the start of an episode and keeps it to the end. Those drawn in 1 % of "
        "episodes or more:\n\n"
        + "\n\n".join(tables)
        + f"\n\nExtracted by `{solution.solver.get('kind')}` ({solution.status}). Model regret, summed: "
        f"{solution.model_regret.sum():.3f}{by_player}; with every member believed where it favors leaving "
        f"(pessimistic): {solution.pessimistic_regret.sum():.3f}{_worth(fit)}."
    )


def _worth(fit: FitReport | None) -> str:
    return f" ({worth})" if fit and (worth := fit.worth_of_regret()) else ""


def _fidelity(fidelity: FidelityReport) -> str:
    found = Correlation(fidelity.correlation, fidelity.correlation_low, fidelity.correlation_high)
    words = (
        "The same strategies, played in the true game, earned on average "
        f"{fidelity.mean_utility_error:.2f} more or less than the model had said. The members of the ensemble disagree "
        f"by {fidelity.mean_disagreement:.2f} an episode; over profiles of strategies, disagreement and error "
        f"correlate by {found}."
    )
    if fidelity.reward_error is None or fidelity.reward_disagreement is None:
        return words
    found = Correlation(fidelity.reward_correlation, fidelity.reward_correlation_low, fidelity.reward_correlation_high)
    return (
        f"{words} Asked about the ends of episodes in the true game, the reward networks are off by "
        f"{fidelity.reward_error.mean():.2f}, summed over players, and disagree by "
        f"{fidelity.reward_disagreement.mean():.2f}; the two correlate by {found}."
    )


def _near_log(entries: Sequence[Mapping[str, Any]]) -> str:
    if not entries:
        return ""
    share, whole = entries[0]["share_of_actions"], entries[0]["share_of_episodes"]
    return (
        f"Of the solution's actions in the true game {share:.0%} lie as near to logged ones as 95 % of the log's own "
        f"do to each other; in {whole:.0%} of episodes all of them do. Elsewhere the model had to guess."
    )


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


def _strategy(index: int) -> str:
    return "0, uniform random play" if index == 0 else f"{index}, learned in iteration {index}"


def _images(drawn: Sequence[str], wanted: Sequence[str]) -> str:
    return "\n".join(f"![{name.removesuffix('.png')}]({name})" for name in wanted if name in drawn)
