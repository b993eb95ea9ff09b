"""What a report says about playing its solution: lines for the game at hand that run as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coffee_fast.errors import CoffeeError, shown
from coffee_fast.games import GameSpec, load_game
from coffee_fast.players import network_sizes

if TYPE_CHECKING:
    from coffee_fast.psro import Solution

MOST_NAMED = 6  # players
ELSEWHERE = """\
Many decisions at once: `solution.mixtures[seat].policies[i].probabilities(information_states, legal_masks)`. In a
program without coffee_fast: `solution.export("exported")` writes NumPy arrays, `format="onnx"` ONNX graphs.
"""


def how_to_play(solution: Solution) -> str:
    """Return Markdown with Python that plays the solution, run in the folder that holds ``solution/``.

    In a game that ``load_game`` knows it is simulated; in any other a player is made, and told what the log's players
    saw.
    """
    spec = solution.spec
    if spec is not None and is_known(spec):
        words, code = f"To play the solution in {shown(spec.name)}:", _simulation(spec)
    elif spec is not None:
        words, code = _own_game(spec)
    else:
        words, code = _unknown_game(solution)
    return f"{words}\n\n```python\n{code}\n```\n\n{ELSEWHERE}"


def is_known(spec: GameSpec) -> bool:
    """Whether ``load_game`` builds this very game."""
    try:
        return bool(load_game(spec.name, **spec.parameters).spec == spec)
    except (CoffeeError, TypeError):  # no such game, or one registered here that takes other parameters
        return False


def _simulation(spec: GameSpec) -> str:
    parameters = "".join(f", {name}={value!r}" for name, value in spec.parameters.items())
    others = ', "uniform_random"' * (spec.num_players - 1)
    # Of several roles each plays its own part; of one, its worth shows against others.
    policies = f"[solution{others}]" if spec.num_roles == 1 else "solution"
    return (
        "import coffee_fast as cf\n\n"
        'solution = cf.Solution.load("solution")\n'
        f"game = cf.load_game({spec.name!r}{parameters})\n"
        f"played = cf.simulate(game, {policies}, num_episodes=1000, seed=0)\n"
        "print(played.returns.mean(axis=0))"
    )


def _own_game(spec: GameSpec) -> tuple[str, str]:
    start, size = spec.history_start, spec.observation_size
    event = size - start
    seat = f"as {shown(spec.player_names[0])}" if spec.player_names else "in seat 0"
    words = (
        f"To play the solution in {shown(spec.name)}, {seat} for example: give the player its observations, {size} "
        "numbers as in the log"
    )
    if event:
        words += f", of which the last {event} show the last move. {_when_to_observe(spec)}"
        words += (
            f" Or give `act` the whole information state, {spec.information_state_size} numbers: the first {start} of "
            f"the observation, then the last {event} of the observations after the 1st, 2nd, ... move, and zeros to "
            "the end"
        )
    words += ":"
    return words, _lines(spec.num_players, f"np.zeros({size})  # what the player sees, as in the log", spec)


def _when_to_observe(spec: GameSpec) -> str:
    if spec.moves == "turns":
        others = "another player or chance" if spec.num_chance_actions else "another player"
        return f"Call `observe` wherever {others} is to move and `act` where it is the player's turn."
    between = " and `observe` wherever chance is to move" if spec.num_chance_actions else ""
    return f"Call `act` once in every round{between}."


def _unknown_game(solution: Solution) -> tuple[str, str]:
    found = network_sizes(solution.by_role[0].policies)
    words = (
        "To play the solution, seat 0 for example; it was saved without a description of its game, so the player takes "
        "information states, laid out as `GameSpec` says:"
    )
    if found is None:
        return words, 'import coffee_fast as cf\n\nprint(cf.Solution.load("solution"))'
    return words, _lines(solution.table.num_players, f"np.zeros({found[0]})  # what the player knows", found[1])


def _lines(num_players: int, knowledge: str, game: GameSpec | int) -> str:
    num_actions, names, actions = (game, (), ()) if isinstance(game, int) else _names(game)
    legal = ", ".join(map(str, range(min(num_actions, 3))))
    seats = f"or {', '.join(map(repr, names[1:MOST_NAMED]))}" if names else f"seats are 0 to {num_players - 1}"
    if len(names) > MOST_NAMED:
        seats += ", ..."
    return (
        "import numpy as np\n\nimport coffee_fast as cf\n\n"
        'solution = cf.Solution.load("solution")\n'
        f"player = solution.player({repr(names[0]) if names else 0}, seed=0)  # {seats}\n"
        "player.reset()  # before each episode: draws the strategy that is played to its end\n"
        f"known = {knowledge}\n"
        f"action = player.act(known, legal_actions=[{legal}])  # numbers up to {num_actions - 1}, or a mask\n"
        f"print({'solution.spec.action_names[action]' if actions else 'action'})"
    )


def _names(spec: GameSpec) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    return spec.num_actions, spec.player_names, spec.action_names
