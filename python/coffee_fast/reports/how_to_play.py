"""What a report says about playing its solution: lines for the game at hand that run as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coffee_fast.errors import CoffeeError, shown
from coffee_fast.games import GameSpec, load_game
from coffee_fast.players import network_sizes

if TYPE_CHECKING:
    from coffee_fast.psro import Solution

ELSEWHERE = """\
Many decisions at once: `solution.policies[i].probabilities(information_states, legal_masks)`. In a program without
coffee_fast: `solution.export("exported")` writes NumPy arrays, `format="onnx"` ONNX graphs.
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
    return (
        "import coffee_fast as cf\n\n"
        'solution = cf.Solution.load("solution")\n'
        f"game = cf.load_game({spec.name!r}{parameters})\n"
        f"played = cf.simulate(game, [solution{others}], num_episodes=1000, seed=0)\n"
        "print(played.returns.mean(axis=0))"
    )


def _own_game(spec: GameSpec) -> tuple[str, str]:
    start, size = spec.history_start, spec.observation_size
    event = size - start
    words = (
        f"To play the solution in {shown(spec.name)}, in seat 0 for example: give the player its observations, {size} "
        "numbers as in the log"
    )
    if event:
        words += (
            f", of which the last {event} show the last move. Call `observe` wherever another player is to move and "
            "`act` where it is the player's turn. Or give `act` the whole information state, "
            f"{spec.information_state_size} numbers: the first {start} of the observation, then the last {event} of "
            "the observations after the 1st, 2nd, ... move, and zeros to the end"
        )
    words += ":"
    return words, _lines(spec.num_players, f"np.zeros({size})  # what the player sees, as in the log", spec.num_actions)


def _unknown_game(solution: Solution) -> tuple[str, str]:
    found = network_sizes(solution.policies)
    words = (
        "To play the solution, seat 0 for example; it was saved without a description of its game, so the player takes "
        "information states, laid out as `GameSpec` says:"
    )
    if found is None:
        return words, 'import coffee_fast as cf\n\nprint(cf.Solution.load("solution"))'
    return words, _lines(solution.table.num_players, f"np.zeros({found[0]})  # what the player knows", found[1])


def _lines(num_players: int, knowledge: str, num_actions: int) -> str:
    legal = ", ".join(map(str, range(min(num_actions, 3))))
    return (
        "import numpy as np\n\nimport coffee_fast as cf\n\n"
        'solution = cf.Solution.load("solution")\n'
        f"player = solution.player(0, seed=0)  # seats are 0 to {num_players - 1}\n"
        "player.reset()  # before each episode: draws the strategy that is played to its end\n"
        f"known = {knowledge}\n"
        f"action = player.act(known, legal_actions=[{legal}])  # numbers up to {num_actions - 1}, or a mask\n"
        "print(action)"
    )
