"""A fit report's figures, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from coffee_fast.models.report import FitReport

DRAWN = {
    "end": "whether an episode is over",
    "pay": "whether anything is paid",
    "mover": "who moves next",
    "chance": "outcomes of chance",
}
MOST_LINES = 12  # of figures by moves made


def lines(report: FitReport) -> list[str]:
    """The report without its verdict."""
    return [*_of_log(report), *_of_training(report), *_of_leaks(report), *_of_held_out(report)]


def _of_log(report: FitReport) -> Iterator[str]:
    rates = (report.model_deal_rate, report.data_deal_rate)
    ours, theirs = ("" if rate is None else f"deals {_figure(rate)}, " for rate in rates)
    yield (
        f"uniform play in the model: {_figure(report.model_mean_length)} actions, {ours}"
        f"return {_figure(report.model_mean_return)}"
    )
    yield (
        f"in the dataset: {_figure(report.data_mean_length)} actions, {theirs}return {_figure(report.data_mean_return)}"
    )
    if report.exploring_near_log is not None:
        yield f"  {report.exploring_near_log:.0%} of what uniform play does in the model is near to the log"
    if report.num_repeated is not None:
        yield (
            f"like states and actions: {report.num_repeated} transitions; of these unlike next states "
            f"{report.num_unlike_states}, ends {report.num_unlike_ends}, rewards {report.num_unlike_rewards}"
        )


def _of_training(report: FitReport) -> Iterator[str]:
    yield from report.kinds
    for part, tried in report.choices.items():
        losses = ", ".join(f"{name} {_loss(loss)}" for name, loss in tried.items() if name != "chosen")
        yield f"network of {part}: {tried.get('chosen', 'none')} chosen; held-out losses: {losses}"
    if report.codes_explained is not None:
        yield f"kinds of luck found explain {report.codes_explained:.0%} of the variance of unlike next states"
    if report.chooses and not report.num_held_out:
        yield "nothing was held out: no network, kind of entry or time to stop could be chosen, the last weights stay"


def _of_leaks(report: FitReport) -> Iterator[str]:
    if report.num_probed is None:
        return
    place = f"leak probe, {report.num_probed} {'held-out ' if report.probed_are_held_out else ''}trajectories"
    if not report.leaks:
        yield f"{place}: nothing is hidden, or they are too few to tell"
        return
    if all(leak["share"] <= leak["by_chance"] for leak in report.leaks):
        most = max(leak["share"] for leak in report.leaks)
        yield f"{place}: predicted observations tell no more of what is hidden than chance would, at most {most:.1%}"
        return
    yield f"{place}: share of a hidden entry's variance that a player's predicted observations tell"
    for leak in _some(report.leaks):
        yield (
            f"  after {leak['moves_made']:.0f} moves: {leak['share']:.1%} (by chance up to {leak['by_chance']:.1%}), "
            f"told player {leak['player']:.0f} of entry {leak['entry']:.0f} of player {leak['of_player']:.0f}"
        )


def _of_held_out(report: FitReport) -> Iterator[str]:
    if not report.num_held_out:
        yield "nothing was held out: no figures on unseen transitions"
        return
    of_deals = "" if report.draws_ends else " of deals"
    yield f"on {report.num_held_out} held-out trajectories:"
    yield (
        f"  next state, mean absolute error {_figure(report.state_error)}; of its changes "
        f"{_figure(report.state_unexplained)} unexplained, {_figure(report.worst_unexplained)} of entry "
        f"{'unknown' if report.worst_entry is None else report.worst_entry}"
    )
    yield (
        f"  state at the last decision, mean absolute error {_figure(report.last_state_error)}, one decision "
        f"earlier {_figure(report.earlier_state_error)}"
    )
    yield (
        f"  ends of episodes: recall {_figure(report.terminal_recall)}, precision {_figure(report.terminal_precision)}"
    )
    for name, score in report.drawn.items():
        yield (
            f"  {DRAWN.get(name, name)}: likeliest right {_figure(score['accuracy'])}, log loss "
            f"{_figure(score['log_loss'])}, by frequencies {_figure(score['base_log_loss'])}"
            f"{_calibration(score)}"
        )
    yield f"  legal actions, wrong entries a state {_figure(report.mask_errors)}"
    yield (
        f"  payoffs{of_deals}, mean absolute error {_figure(report.reward_error)}; disagreement "
        f"{_figure(report.disagreement)}, their correlation {_figure(report.disagreement_correlation)}"
    )
    if report.covered is not None and report.covered_if_calibrated is not None:
        yield (
            f"  {report.covered:.0%} of these payoffs lie within the members' range; "
            f"{report.covered_if_calibrated:.0%} would if they knew how wrong they are"
        )
    if report.by_moves:
        yield "  following logged moves, mean absolute errors and bias of payoffs (too much: +), by moves made:"
        yield from map(_after, _some(report.by_moves))


def _calibration(score: Mapping[str, float]) -> str:
    if "calibration_error" not in score:
        return ""
    return (
        f", more or less often than foretold by {score['calibration_error']:.3f} (by chance up to "
        f"{score['calibration_by_chance']:.3f})"
    )


def _after(row: Mapping[str, float]) -> str:
    words = (
        f"    {row['moves_made']:3.0f}: state {_figure(row['state_error'])}, observations "
        f"{_figure(row['observation_error'])}"
    )
    if "payoff_error" not in row:
        return words
    biases = (
        f", {whose} {row[f'{whose}_bias']:+.2f} ± {row[f'{whose}_bias_standard_error']:.2f}"
        for whose in ("mover", "others")
        if f"{whose}_bias" in row
    )
    return f"{words}; payoffs {row['payoff_error']:.2f}{''.join(biases)} ({row['num_paying']:g} pay)"


def _some(rows: Sequence[Mapping[str, float]]) -> list[Mapping[str, float]]:
    """All rows or, of many, some from the first to the last."""
    kept = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_LINES)).round().astype(int))
    return [rows[index] for index in kept]


def _loss(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float | int) else "not finite" if value is None else str(value)


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
