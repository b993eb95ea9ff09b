"""Games and models as environments of PettingZoo and Gymnasium.

It needs them: ``pip install 'coffee-fast[pettingzoo]'``.
"""

from __future__ import annotations

import importlib.util
from typing import Any

from coffee_fast.checks import check_count
from coffee_fast.dynamics import Dynamics
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.policies import as_profile
from coffee_fast.simulation import check_dynamics

MOST_ENVIRONMENTS = 1_000_000


def to_pettingzoo(game: Dynamics) -> Any:
    """Make an AEC environment of PettingZoo of a game, a tree, or a model learned from a log.

    So algorithms of other libraries play it and learn inside a model.

    Parameters
    ----------
    game
        What is played. Chance moves by itself; moves at once are made one after the other, unseen.

    Returns
    -------
    pettingzoo.AECEnv
        Agents are ``player_names``, or ``player_0`` and so on; an observation is a dict of the information state,
        ``observation``, and ``action_mask``, all zeros for players who are not on move. ``infos`` hold the
        ``disagreement`` of a model's members. ``reset(seed=...)`` begins a seed's first episode, ``reset()`` its next.

    Raises
    ------
    InvalidArgumentError
        For something that cannot be played, or if PettingZoo is not installed.

    >>> import coffee_fast as cf
    >>> environment = to_pettingzoo(cf.load_game("generalized_bargaining"))
    >>> environment.reset(seed=1)
    >>> environment.possible_agents, environment.observe("player_0")["observation"].shape
    (['player_0', 'player_1'], (41,))
    """
    check_there("to_pettingzoo")
    check_dynamics("to_pettingzoo", "game", game)
    from coffee_fast.environments.as_pettingzoo import AsPettingZoo

    return AsPettingZoo(game)


def to_gymnasium(game: Dynamics, player: int, others: Any, num_envs: int) -> Any:
    """Make a vector environment of Gymnasium of one seat, the others' policies given: what is learned is a response.

    Parameters
    ----------
    game
        A game, a tree or a learned model.
    player
        The seat that acts, from 0.
    others
        A solution, one strategy that all play, or a list of one a seat, that of ``player`` without effect. Of a mixture
        each draws a policy an episode.
    num_envs
        Episodes side by side.

    Returns
    -------
    gymnasium.vector.VectorEnv
        Observations are information states, ``float32 [num_envs, I]``; ``infos`` hold the ``action_mask``, and in a
        model its members' ``disagreement``. Rewards are what the seat is paid up to its next decision. After the end
        of an episode the next call of ``step`` begins a new one (``AutoresetMode.NEXT_STEP``).

    Raises
    ------
    InvalidArgumentError
        For something that cannot be played, a seat that is not there, policies that do not fit; while it is played for
        actions that are not legal. And if Gymnasium is not installed.

    >>> import coffee_fast as cf
    >>> environment = to_gymnasium(cf.load_game("openspiel:kuhn_poker"), 1, "uniform_random", num_envs=4)
    >>> _, infos = environment.reset(seed=0)
    >>> _, rewards, is_over, _, _ = environment.step([1, 1, 1, 1])
    >>> rewards.shape, is_over.shape
    ((4,), (4,))
    """
    check_there("to_gymnasium")
    check_dynamics("to_gymnasium", "game", game)
    player = check_count("to_gymnasium: player", player, at_most=game.spec.num_players - 1)
    num_envs = check_count("to_gymnasium: num_envs", num_envs, at_least=1, at_most=MOST_ENVIRONMENTS)
    from coffee_fast.environments.as_gymnasium import AgainstPolicies

    return AgainstPolicies(game, player, as_profile(others, game.spec.num_players), num_envs)


def check_there(caller: str) -> None:
    """Raise ``InvalidArgumentError`` unless PettingZoo and Gymnasium are installed."""
    if any(importlib.util.find_spec(name) is None for name in ("gymnasium", "pettingzoo")):
        raise InvalidArgumentError(
            f"{caller}: needs PettingZoo and Gymnasium, which are not installed: pip install 'coffee-fast[pettingzoo]'"
        )
