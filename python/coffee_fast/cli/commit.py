"""``coffee-fast commit``: the best mixture to commit to against a learner, whose payoffs its moves may tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import coffee_fast as cf
from coffee_fast._files import read_json
from coffee_fast.cli._options import Json
from coffee_fast.cli._report import finish, remark


def commit(
    payoffs: Annotated[
        Path,
        typer.Argument(
            help="Of two players: a .csv, .json or Gambit .nfg file, as docs/payoffs.md says.",
            exists=True,
            dir_okay=False,
        ),
    ],
    leader: Annotated[int, typer.Option("--leader", min=0, max=1, help="Which player commits; the other learns.")] = 0,
    moves: Annotated[
        Path | None,
        typer.Option(
            "--moves",
            help='A .json file with what both were seen to play, {"leader": [[...]], "learner": [[...]]}, a mixture a '
            "round; the learner's payoffs are recovered from it, and those of the first file do not count.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", help="Of the learner, if it is known; changes no answer.")
    ] = 1.0,
    confidence: Annotated[float, typer.Option("--confidence", help="With which recovered payoffs are to hold.")] = 0.95,
    margin: Annotated[
        float, typer.Option("--margin", help="By how much the wanted answer must be better for the learner.")
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Find the mixture to commit to against one who learns, and what it is worth once the learner answers best."""
    table = cf.load_payoffs(payoffs)
    if table.num_players != 2:
        raise cf.InvalidGameError(f"commit: payoffs must be of two players, got {table.num_players}")
    other = 1 - leader
    mean = table.mean()
    tables = [mean.payoffs(player)[0] for player in (leader, other)]
    own, learner_payoffs = tables if leader == 0 else [array.T for array in tables]
    recovered: Any = None
    if moves is not None:
        played = read_json(moves, cf.DatasetError)
        if wrong := sorted(set(played) ^ {"leader", "learner"}):
            raise cf.DatasetError(
                f'{moves}: must hold "leader" and "learner" alone, got {wrong[0]:.40} missing or more'
            )
        recovered = cf.regularized.recover_payoffs(
            played["leader"], played["learner"], learning_rate=learning_rate, confidence=confidence
        )
    found = cf.regularized.commit(own, learner_payoffs if recovered is None else recovered, margin=margin)
    result: dict[str, Any] = {
        "mixture": found.mixture,
        "response": found.response,
        "value": found.value,
        "upper_bound": found.upper_bound,
        "slack": found.slack if np.isfinite(found.slack) else None,
        "gap": found.gap,
        "status": found.status,
    }
    if recovered is not None:
        names = ("payoffs", "radius", "residual", "num_moves")
        result["recovered"] = {name: getattr(recovered, name) for name in names}
    names_of = table.strategy_names or [list(map(str, range(size))) for size in table.num_strategies]
    if found.response < 0:
        remark("the learner's payoffs are known too badly to bring an answer about; the mixture is the safest one")
    finish(result, "\n".join(_lines(found, recovered, names_of[leader], names_of[other])), as_json)


def _lines(found: Any, recovered: Any, own: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    played = ", ".join(f"{name}: {p:.4f}" for name, p in zip(own, found.mixture, strict=True) if p >= 5e-5)
    yield f"commit: {found.status}"
    yield f"play {played}"
    answer = (
        "whatever the learner does" if found.response < 0 else f"the learner comes to answer {others[found.response]}"
    )
    yield f"worth {found.value:.6g} a round: {answer}; no commitment brings more than {found.upper_bound:.6g}"
    if found.response >= 0:
        yield f"any other answer costs the learner at least {found.slack:.3g}"
    if recovered is not None:
        yield f"payoffs recovered from {recovered.num_moves} moves, within {recovered.radius.max():.3g} at most"
