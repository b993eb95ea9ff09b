"""Anchored self-play in the trees of small games, beside OpenSpiel's CFR+: NashConv by iterations and time, exact.

    python reproductions/self_play/trees.py      # about ten minutes on one core

Each search is a line of trees.jsonl; what is there is not searched for again. Page and figure are made of it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyspiel
from matplotlib.figure import Figure

import coffee_fast as cf
from coffee_fast.plotting import _style

HERE = Path(__file__).parent
GAMES = {
    "Kuhn poker": "kuhn_poker",
    "Leduc poker": "leduc_poker",
    "Liar's dice, 4 sides": "liars_dice(numdice=1,dice_sides=4)",
    "goofspiel, 4 cards": "goofspiel(num_cards=4,imp_info=True)",
    "Kuhn poker, 3 players": "kuhn_poker(players=3)",
}
# Weights in units of the scale of rewards, step sizes in units of one over it.
FALLING = {
    f"weight falling to {final}, {number} iterations": {"final_kl_weight": final, "num_iterations": number}
    for final in (0.01, 0.001)
    for number in (100, 1000, 10_000)
}
MOVING = {
    "reference moved each 100": {"kl_weight": 0.1, "reference_period": 100, "num_iterations": 10_000},
    "reference moved each 300, half the steps": {
        "kl_weight": 0.1,
        "step_size": 0.1,
        "reference_period": 300,
        "num_iterations": 10_000,
    },
}
CFR = "CFR+ (OpenSpiel)"
CFR_ITERATIONS, CFR_SECONDS = 10_000, 60.0
TARGETS = (0.1, 0.01, 0.001)  # shares of what uniform play leaves to gain
HEAD = """# Anchored self-play in the trees of small games

Made by `python reproductions/self_play/trees.py`: `cf.mirror_descent` from uniform play, with KL weights in units of
the scale of rewards, and OpenSpiel's `CFRPlusSolver` (C++, its average policy). NashConv is exact. Time is processor
time of one core without evaluations, CFR+ at most a minute a game. A weight falls from 1 over the whole run, so that
each length is a run of its own; where the reference moves, the weight is 0.1. An iteration of CFR+ goes through the
game once for each player, in OpenSpiel's states; one of descent twice through the tree, in flat arrays.

Iteration by iteration CFR+ is far ahead until NashConv is very small. A reference that moves leads to the equilibria
of Kuhn poker, also of three players, and of liar's dice faster than any power of the iterations, and passes CFR+ there.
In Leduc poker and goofspiel it wanders, and a falling weight does not come as near: **CFR+ is better** there by
iterations and at the end, and in Leduc poker for the same time too; in goofspiel the two are then about level.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=list(GAMES), choices=list(GAMES))
    parser.add_argument("-o", "--output", type=Path, default=HERE / "trees.jsonl")
    options = parser.parse_args()
    lines = read(options.output)
    cf.mirror_descent(f"openspiel:{GAMES['Kuhn poker']}")  # so that no time is of what is loaded but once
    for game in options.games:
        tree = cf.GameTree(f"openspiel:{GAMES[game]}")
        for method in (*FALLING, *MOVING, CFR):
            if any((line["game"], line["method"]) == (game, method) for line in lines):
                continue
            found = by_cfr(tree, GAMES[game]) if method == CFR else by_descent(tree, (FALLING | MOVING)[method])
            line = {"game": game, "method": method, "version": cf.__version__, "num_nodes": tree.num_nodes, **found}
            lines.append(line)
            with options.output.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(f"{game}, {method}: {line['nash_conv'][-1]:.2e} after {line['seconds'][-1]:.1f} s", flush=True)
    lines = [line for line in lines if line["game"] in {other["game"] for other in lines if other["method"] == CFR}]
    options.output.with_suffix(".md").write_text(page(lines))
    draw(lines, options.output.with_suffix(".png"))


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def by_descent(tree: cf.GameTree, settings: dict[str, Any]) -> dict[str, Any]:
    """NashConv on the way; the processor time is that of a run that looks at itself but once, spread evenly."""
    scale = tree.reward_scale
    options = {"kl_weight": 1.0, **settings}
    options |= {name: options[name] * scale for name in ("kl_weight", "final_kl_weight") if name in options}
    options |= {"step_size": options["step_size"] / scale} if "step_size" in options else {}
    begin = time.process_time()
    cf.mirror_descent(tree, num_evaluations=1, **options)
    seconds = time.process_time() - begin
    found = cf.mirror_descent(tree, num_evaluations=100, **options)
    iterations = found.history["iteration"]
    return {
        "iterations": iterations.tolist(),
        "nash_conv": rounded(found.history["nash_conv"]),
        "gap": rounded(found.history["gap"]),
        "seconds": rounded(seconds * iterations / iterations[-1]),
    }


def by_cfr(tree: cf.GameTree, name: str) -> dict[str, Any]:
    """NashConv of the average policy; the processor time is that of the iterations alone."""
    game = pyspiel.load_game(name)
    if game.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        game = pyspiel.convert_to_turn_based(game)
    solver = pyspiel.CFRPlusSolver(game)
    iterations, nash_conv, seconds, spent = [0], [cf.exact_regret(tree, "uniform_random").nash_conv], [0.0], 0.0
    for look in np.unique(np.geomspace(1, CFR_ITERATIONS, 60).round().astype(int)).tolist():
        begin = time.process_time()
        for _ in range(look - iterations[-1]):
            solver.evaluate_and_update_policy()
        spent += time.process_time() - begin
        iterations.append(look)
        nash_conv.append(cf.exact_regret(tree, policies_of(tree, solver.tabular_average_policy())).nash_conv)
        seconds.append(spent)
        if spent > CFR_SECONDS:
            break
    return {"iterations": iterations, "nash_conv": rounded(nash_conv), "seconds": rounded(seconds)}


def rounded(values: Any) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


def policies_of(tree: cf.GameTree, tabular: Any) -> list[cf.TablePolicy]:
    """OpenSpiel's table by the names of information sets as ours by information states."""
    table, rows = tabular.policy_table(), np.zeros(tree.legal_masks.shape)
    for row, name in zip(rows, tree.information_set_names, strict=True):
        for action, probability in table[name]:
            row[action] = probability
    own = [tree.information_set_players == player for player in range(tree.spec.num_players)]
    return [cf.TablePolicy(tree.information_states[sets], rows[sets]) for sets in own]


def page(lines: list[dict[str, Any]]) -> str:
    """What came out, and who was better."""
    parts = [HEAD, "![NashConv against iterations](trees.png)\n"]
    for game in dict.fromkeys(line["game"] for line in lines):
        own = [line for line in lines if line["game"] == game]
        uniform = own[0]["nash_conv"][0]
        targets = [share * uniform for share in TARGETS]
        head = " | ".join(f"{target:.2g}: iterations, s" for target in targets)
        parts.append(f"\n## {game}: {own[0]['num_nodes']} nodes, uniform play {uniform:.3g}\n")
        parts.append(f"| method | NashConv at the end | iterations | s | {head} |\n|{'---|' * (4 + len(targets))}")
        for line in own:
            reached = " | ".join(first_below(line, target) for target in targets)
            end = f"{line['nash_conv'][-1]:.2e} | {line['iterations'][-1]} | {line['seconds'][-1]:.2g}"
            parts.append(f"| {line['method']} | {end} | {reached} |")
        parts.append(f"\n{verdict(own)}\n")
    return "\n".join(parts)


def first_below(line: dict[str, Any], target: float) -> str:
    place = next((i for i, value in enumerate(line["nash_conv"]) if value <= target), None)
    return "not" if place is None else f"{line['iterations'][place]}, {line['seconds'][place]:.2g}"


def verdict(own: list[dict[str, Any]]) -> str:
    """Which ended lower, the best descent or CFR+, and which came first to a thousandth of uniform play's."""
    descents, cfr = [line for line in own if line["method"] != CFR], next(line for line in own if line["method"] == CFR)
    best = min(descents, key=lambda line: line["nash_conv"][-1])
    ours, theirs = best["nash_conv"][-1], cfr["nash_conv"][-1]
    if min(ours, theirs) > 1e-12 and ours > theirs:
        return f"**CFR+ is better**: it ends at {theirs:.2e}, the best descent ({best['method']}) at {ours:.2e}."
    return f"The best descent ({best['method']}) ends at {ours:.2e}, CFR+ at {theirs:.2e}."


def draw(lines: list[dict[str, Any]], file: Path) -> None:
    """NashConv against iterations, a panel a game; of falling weights the ends of runs of each length."""
    games = list(dict.fromkeys(line["game"] for line in lines))
    figure = Figure(figsize=(3.4 * len(games), 3.6), layout="constrained")
    panels = figure.subplots(1, len(games), squeeze=False)[0]
    for axes, game in zip(panels, games, strict=True):
        _style.clean(axes)
        own = {line["method"]: line for line in lines if line["game"] == game}
        curves = {name: own[name] for name in (*MOVING, CFR) if name in own}
        for final in (0.01, 0.001):
            ends = [own[name] for name, settings in FALLING.items() if settings["final_kl_weight"] == final]
            curves[f"weight falling to {final}"] = {
                name: [line[name][-1] for line in ends] for name in ("iterations", "nash_conv")
            }
        for (label, line), color in zip(curves.items(), _style.COLORS, strict=False):
            x, y = np.array(line["iterations"]), np.maximum(line["nash_conv"], 1e-16)
            style = "o--" if "falling" in label else "-"
            axes.loglog(x[x > 0], y[x > 0], style, label=label, color=color, markersize=4)
        axes.set_title(game, fontsize="medium", loc="left")
        axes.set_xlabel("iterations")
    panels[0].set_ylabel("NashConv")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(curves), frameon=False)
    figure.savefig(file, dpi=130)


if __name__ == "__main__":
    main()
