"""How well a dynamics ensemble predicts what it was not trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coffee_fast._provenance import plain
from coffee_fast._sealed import check_form
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.models.figures import held_out_figures, play_figures
from coffee_fast.models.repeats import repeats
from coffee_fast.models.verdict import DRAWN, Verdict

if TYPE_CHECKING:
    from coffee_fast.data import Finding, TrajectoryDataset
    from coffee_fast.models.ensemble import DynamicsEnsemble


_KINDS = {"int": int, "float": float, "bool": bool}  # of the figures that may be missing


@dataclass(frozen=True)
class FitReport:
    """Figures of a fit; None where nothing was held out. Rewards and states are in raw units.

    Attributes
    ----------
    verdict
        What can be trusted, by these figures; None if nobody has judged.
    losses
        The last training losses, normalized units. They say little: reward networks fit what they have seen.
    num_held_out
        Trajectories kept out of training.
    drawn
        Of a model that draws ends: on held-out transitions, how well it predicts whether the episode is over
        (``"end"``), who moves next (``"mover"``) and outcomes of chance (``"chance"``), where it has to: the share of
        likeliest guesses that came true (``"accuracy"``), the mean log loss (``"log_loss"``), and that of the
        frequencies with which they came (``"base_log_loss"``), which no model beats where it is all luck.
    state_error
        Mean absolute error of the mean next state, held-out transitions that are not terminal.
    state_unexplained, worst_entry, worst_unexplained
        Share of the variance of state changes that is left unexplained on the same transitions: mean over the entries
        of the state that change, the entry of which most is left, and how much. Predicting the mean change leaves
        about 1; errors below a quarter of what an entry changes by are not counted.
    last_state_error, earlier_state_error
        Mean absolute error of the state at the last decision of the longest held-out episodes and one decision
        earlier, when the model follows the logged actions from the first state.
    terminal_recall, terminal_precision
        Share of terminal transitions predicted so, and of predicted ones that are; where ends are drawn, predicted is
        what is more likely than not.
    mask_errors
        Wrong entries in the predicted legal mask of a state.
    reward_error
        Mean absolute error of the mean reward over players, of terminal transitions that pay anything, or of all
        where every step may pay.
    disagreement
        Mean over the same transitions.
    disagreement_correlation
        Pearson's, of disagreement with the reward error: what the penalty lives on.
    model_mean_length, model_deal_rate, model_mean_return
        Uniform play inside the model: actions an episode; share of the episodes whose last action is one that ended a
        trajectory of the dataset with a payoff (an acceptance); return averaged over players.
    data_mean_length, data_deal_rate, data_mean_return
        Of the dataset's trajectories, whoever played them; deals are what pays anybody anything.
    data_length_deviation, data_return_deviation
        Standard deviations of the same lengths and returns.
    data_is_uniform
        Whether the log was played uniformly, so that play in it and in the model should look the same.
    num_episodes
        Independent episodes in the dataset.
    reward_spread, state_spread
        What the errors would be of a model that always predicts the dataset's mean payoff, or its mean state.
    draws_ends
        Whether ends, and who moves next and chance, are drawn by learned probabilities.
    return_gap
        The largest difference between a player's mean return in the dataset and under uniform play in the model.
    num_repeated, num_unlike_states, num_unlike_ends, num_unlike_rewards, num_unlike_views, num_unlike_movers
        Transitions whose state and action occur again in the dataset; those of them with other next states, ends,
        rewards, next movers (counted where they are drawn); and those whose state occurs again with other observations
        or legal actions. A log of a deterministic game has none.
    """

    verdict: Verdict | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    num_held_out: int = 0
    drawn: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    state_error: float | None = None
    state_unexplained: float | None = None
    worst_entry: int | None = None
    worst_unexplained: float | None = None
    last_state_error: float | None = None
    earlier_state_error: float | None = None
    terminal_recall: float | None = None
    terminal_precision: float | None = None
    mask_errors: float | None = None
    reward_error: float | None = None
    disagreement: float | None = None
    disagreement_correlation: float | None = None
    model_mean_length: float | None = None
    model_deal_rate: float | None = None
    model_mean_return: float | None = None
    data_mean_length: float | None = None
    data_deal_rate: float | None = None
    data_mean_return: float | None = None
    data_length_deviation: float | None = None
    data_return_deviation: float | None = None
    data_is_uniform: bool | None = None
    num_episodes: int | None = None
    reward_spread: float | None = None
    state_spread: float | None = None
    num_repeated: int | None = None
    num_unlike_states: int | None = None
    num_unlike_ends: int | None = None
    num_unlike_rewards: int | None = None
    num_unlike_views: int | None = None
    num_unlike_movers: int | None = None
    draws_ends: bool | None = None
    return_gap: float | None = None

    @classmethod
    def of(
        cls,
        model: DynamicsEnsemble,
        losses: Mapping[str, float],
        dataset: TrajectoryDataset,
        held_out: TrajectoryDataset | None,
        seed: int,
        warnings: Iterable[Finding] = (),
    ) -> FitReport:
        """Measure ``model`` on the trajectories kept out of its training and at uniform play, and judge it."""
        report = cls(
            losses=dict(losses),
            num_held_out=0 if held_out is None else held_out.num_trajectories,
            **repeats(dataset, draws=model.draws_ends),
            **play_figures(model, dataset, seed),
            **({} if held_out is None else held_out_figures(model, held_out)),
        )
        return dataclasses.replace(report, verdict=Verdict.of(report, warnings))

    def caution(self) -> str:
        """What a reader of a run must know of its model, in a sentence; nothing if the model is good."""
        if self.verdict is None or self.verdict.level == "good":
            return ""
        words = self.verdict.in_words
        return f"{words[0].upper()}{words[1:]}: {self.verdict.headline}."

    def worth_of_regret(self) -> str:
        """What regret inside the model is worth, to stand beside it; empty if nothing is known."""
        parts = []
        if self.verdict is not None and self.verdict.level != "good":
            parts.append(self.verdict.in_words)
        if self.reward_error is not None and self.draws_ends and self.data_deal_rate is None:  # pays at every step
            parts.append(
                f"held-out reward error: the model's rewards are off by {self.reward_error:.2g} a step on average, "
                "which adds up over an episode, so a small claimed gain proves nothing"
            )
        elif self.reward_error is not None:
            parts.append(
                f"held-out reward error: the model's payoffs are off by {self.reward_error:.2f} on average, so a "
                f"claimed gain below {2 * self.reward_error:.2f} proves nothing"
            )
        return "; ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return dict(plain(dataclasses.asdict(self)))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FitReport:
        """The report that :meth:`to_json` wrote; one without a verdict is judged by the figures it has."""
        check_form(values, _FORM, "FitReport", InvalidArgumentError)
        report, told = cls(**{**values, "verdict": None}), values.get("verdict")
        return dataclasses.replace(report, verdict=Verdict.from_json(told) if told else Verdict.of(report))

    def __str__(self) -> str:
        lines = [str(self.verdict)] if self.verdict else []
        rates = (self.model_deal_rate, self.data_deal_rate)
        ours, theirs = ("" if rate is None else f"deals {_figure(rate)}, " for rate in rates)
        lines += [
            f"uniform play in the model: {_figure(self.model_mean_length)} actions, {ours}"
            f"return {_figure(self.model_mean_return)}",
            f"in the dataset: {_figure(self.data_mean_length)} actions, {theirs}"
            f"return {_figure(self.data_mean_return)}",
        ]
        if self.num_repeated is not None:
            lines.append(
                f"like states and actions: {self.num_repeated} transitions; of these unlike next states "
                f"{self.num_unlike_states}, ends {self.num_unlike_ends}, rewards {self.num_unlike_rewards}"
            )
        of_deals = "" if self.draws_ends else " of deals"
        if self.num_held_out:
            lines += [
                f"on {self.num_held_out} held-out trajectories:",
                f"  next state, mean absolute error {_figure(self.state_error)}; of its changes "
                f"{_figure(self.state_unexplained)} unexplained, {_figure(self.worst_unexplained)} of entry "
                f"{'unknown' if self.worst_entry is None else self.worst_entry}",
                f"  state at the last decision, mean absolute error {_figure(self.last_state_error)}, one decision "
                f"earlier {_figure(self.earlier_state_error)}",
                f"  ends of episodes: recall {_figure(self.terminal_recall)}, "
                f"precision {_figure(self.terminal_precision)}",
                *(
                    f"  {DRAWN[name]}: likeliest right {_figure(score['accuracy'])}, log loss "
                    f"{_figure(score['log_loss'])}, by frequencies {_figure(score['base_log_loss'])}"
                    for name, score in self.drawn.items()
                ),
                f"  legal actions, wrong entries a state {_figure(self.mask_errors)}",
                f"  payoffs{of_deals}, mean absolute error {_figure(self.reward_error)}; disagreement "
                f"{_figure(self.disagreement)}, their correlation {_figure(self.disagreement_correlation)}",
            ]
        else:
            lines.append("nothing was held out: no figures on unseen transitions")
        return "\n".join(lines)


_FORM = {
    **{f"{entry.name}?": (_KINDS[str(entry.type).split(" ")[0]], None) for entry in dataclasses.fields(FitReport)[4:]},
    "num_held_out?": int,
    "losses?": {...: float},
    "drawn?": {...: {...: float}},
    "verdict?": ({"level": str, "reasons": [{"figure": str, "level": str, "text": str}]}, None),
}
"""What :meth:`FitReport.to_json` writes; a report of an earlier version lacks some of it."""


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
