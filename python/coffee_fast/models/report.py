"""How well a dynamics ensemble predicts what it was not trained on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coffee_fast._provenance import plain
from coffee_fast._sealed import check_form
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.models.figures import held_out_figures, leak_figures, play_figures
from coffee_fast.models.figures_of_log import gaps, repeats
from coffee_fast.models.report_words import lines
from coffee_fast.models.verdict import Verdict

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
    num_held_out, holdout_fraction
        Trajectories kept out of training, and the share of them that the settings ask for.
    chooses
        Whether the settings ask for choices by held-out trajectories: of networks, of kinds, of when to stop.
    choices
        Of parts of the model for which networks were tried: the held-out loss of each (``"relu"``, ``"product"``; None
        or ``"diverged"`` of one that left the finite numbers) and what was taken (``"chosen"``).
    kinds
        Sentences about the entries of states and observations: copied, told by the move, of few values, continuous.
    codes_explained
        Share of the variance of unlike next states that the kinds of luck which were found explain.
    drawn
        Of a model that draws ends: on held-out transitions, how well it predicts whether the episode is over
        (``"end"``), whether anything is paid (``"pay"``), who moves next (``"mover"``) and outcomes of chance
        (``"chance"``), where it has to: the share of likeliest guesses that came true (``"accuracy"``), the mean log
        loss (``"log_loss"``), and that of the frequencies with which they came (``"base_log_loss"``), which no model
        beats where it is all luck; how much more or less often than foretold they came (``"calibration_error"``), and
        what that would hardly exceed if the model were right (``"calibration_by_chance"``).
    state_error
        Mean absolute error of the mean next state, held-out transitions that are not terminal.
    state_unexplained, worst_entry, worst_unexplained
        Share of the variance of state changes that is left unexplained on the same transitions: mean over the entries
        of the state that change, the entry of which most is left, and how much. Predicting the mean change leaves
        about 1; errors below a quarter of what an entry changes by are not counted.
    by_moves
        Errors when the model follows the logged actions of held-out episodes from their first states, one entry for
        each number of moves made (``"moves_made"``; of episodes of over 40 moves, for some), of ``"num_episodes"``
        independent episodes, ``"num_paying"`` of which pay there: mean absolute ``"state_error"``,
        ``"observation_error"`` and ``"payoff_error"``, mean error of the payoffs of who is on move (``"mover_bias"``)
        and of the others (``"others_bias"``), above 0 if the model pays too much; each with a standard error, under
        its name and ``"_standard_error"``.
    last_state_error, earlier_state_error
        Of these the state errors at the last decision of the longest episodes and one decision earlier.
    leaks, num_probed, probed_are_held_out
        What the model's observations tell that is hidden, by moves made: ``"share"`` of the variance of entry
        ``"entry"`` of the observation of ``"of_player"`` that the errors of what ``"player"`` is told before its move
        explain beyond its logged observations, and ``"by_chance"``, what would hardly be exceeded if they told nothing;
        in that many trajectories, held-out ones or, where those are too few, any.
    terminal_recall, terminal_precision
        Share of terminal transitions predicted so, and of predicted ones that are; where ends are drawn, predicted is
        what is more likely than not.
    mask_errors
        Wrong entries in the predicted legal mask of a state.
    reward_error
        Mean absolute error of what the model pays, over players, of terminal transitions that pay anything, or of all
        where every step may pay; where payments have a probability, it is in it.
    disagreement
        Mean over the same transitions.
    covered, covered_if_calibrated
        Share of these payoffs that lie within the range of the members', and what it would be if the truth were like
        one more member.
    disagreement_correlation
        Pearson's, of disagreement with the reward error: what the penalty lives on.
    model_mean_length, model_deal_rate, model_mean_return
        Uniform play inside the model: actions an episode; share of the episodes whose last action is one that ended a
        trajectory of the dataset with a payoff (an acceptance); return averaged over players.
    data_mean_length, data_deal_rate, data_mean_return
        Of the dataset's trajectories, whoever played them; deals are what pays anybody anything.
    data_length_deviation, data_return_deviation
        Standard deviations of the same lengths and returns.
    exploring_near_log
        Share of the moves of uniform play in the model that lie as near to some of the part it learned from as 95 % of
        those that it makes of held-out episodes, states and actions in deviations of their entries: about 0.95 for a
        log of uniform play, little for one of players who know what to do.
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
    num_unseen_outcomes
        Outcomes of chance that never came in the dataset; the model never draws them.
    new_entries
        Entries of the state that are always the same in the training part and not in the held-out one.
    """

    verdict: Verdict | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    num_held_out: int = 0
    drawn: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    by_moves: Sequence[Mapping[str, float]] = field(default_factory=list)
    leaks: Sequence[Mapping[str, float]] = field(default_factory=list)
    choices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    kinds: Sequence[str] = field(default_factory=list)
    new_entries: Sequence[int] = field(default_factory=list)
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
    holdout_fraction: float | None = None
    chooses: bool | None = None
    codes_explained: float | None = None
    num_probed: int | None = None
    probed_are_held_out: bool | None = None
    covered: float | None = None
    covered_if_calibrated: float | None = None
    num_unseen_outcomes: int | None = None
    exploring_near_log: float | None = None

    @classmethod
    def of(
        cls,
        model: DynamicsEnsemble,
        losses: Mapping[str, float],
        dataset: TrajectoryDataset,
        held_out: TrajectoryDataset | None,
        seed: int,
        warnings: Iterable[Finding] = (),
        *,
        training: TrajectoryDataset | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> FitReport:
        """Measure ``model`` on the trajectories kept out of its training and at uniform play, and judge it.

        ``told`` holds what only the training knows: ``choices``, ``kinds``, ``codes_explained``.
        """
        config = model.config
        report = cls(
            losses=dict(losses),
            num_held_out=0 if held_out is None else held_out.num_trajectories,
            holdout_fraction=config.holdout_fraction,
            chooses=config.network == "auto" or config.early_stopping or config.entries == "by_kind",
            **_finite(told or {}),
            **gaps(dataset, training, held_out),
            **repeats(dataset, draws=model.draws_ends),
            **play_figures(model, dataset, training, held_out, seed),
            **leak_figures(model, dataset, held_out),
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
        return "\n".join([*([str(self.verdict)] if self.verdict else ()), *lines(self)])


_FORM = {
    **{
        f"{entry.name}?": (_KINDS[kind], None)
        for entry in dataclasses.fields(FitReport)
        if (kind := str(entry.type).split(" ")[0]) in _KINDS
    },
    "num_held_out?": int,
    "losses?": {...: float},
    "drawn?": {...: {...: float}},
    "by_moves?": [{...: float}],
    "leaks?": [{...: float}],
    "choices?": {...: {...: object}},
    "kinds?": [str],
    "new_entries?": [int],
    "verdict?": ({"level": str, "reasons": [{"figure": str, "level": str, "text": str}]}, None),
}
"""What :meth:`FitReport.to_json` writes; a report of an earlier version lacks some of it."""


def _finite(value: Any) -> Any:
    """Values as JSON has them, and None for numbers that are not finite: tuples become lists."""
    if isinstance(value, Mapping):
        return {str(name): _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
