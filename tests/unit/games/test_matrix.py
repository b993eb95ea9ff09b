import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.games import matrix

GAMES = [
    matrix.prisoners_dilemma,
    matrix.matching_pennies,
    matrix.rock_paper_scissors,
    matrix.stag_hunt,
    matrix.battle_of_the_sexes,
    matrix.chicken,
    matrix.xor,
    matrix.three_meeting_points,
    matrix.three_player_majority,
]


@pytest.mark.parametrize("game", [make() for make in GAMES], ids=lambda game: game.name)
def test_the_named_equilibria_are_equilibria(game):
    table = cf.PayoffTable.from_arrays(game.payoffs)
    for profile in game.equilibria:
        np.testing.assert_allclose(table.regret(profile), 0.0, atol=1e-14)


@pytest.mark.parametrize("make", [make for make in GAMES if make is not matrix.three_player_majority])
def test_the_named_equilibria_are_all(make):
    nashpy = pytest.importorskip("nashpy")
    game = make()
    found = list(nashpy.Game(*game.payoffs).support_enumeration())
    assert len(found) == len(game.equilibria)
    for profile in found:
        assert any(np.allclose(np.concatenate(profile), np.concatenate(known)) for known in game.equilibria)
