"""What a report says of the model that a run learned: how far it was from the game, and the play from the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coffee_fast.statistics import Correlation

if TYPE_CHECKING:
    from coffee_fast.evaluation import FidelityReport


def fidelity_in_words(fidelity: FidelityReport) -> str:
    """Return how far payoffs in the model were from true ones."""
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


def near_log_in_words(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return how much of the solution's play is like the log."""
    if not entries:
        return ""
    share, whole = entries[0]["share_of_actions"], entries[0]["share_of_episodes"]
    return (
        f"Of the solution's actions in the true game {share:.0%} lie as near to logged ones as 95 % of the log's own "
        f"do to each other; in {whole:.0%} of episodes all of them do. Elsewhere the model had to guess."
    )
