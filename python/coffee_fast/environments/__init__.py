"""Games and models stepped by hand, and environments of other libraries that are games here, or the other way round."""

from coffee_fast.environments.episodes import Episodes
from coffee_fast.environments.exports import to_gymnasium, to_pettingzoo
from coffee_fast.environments.pettingzoo import from_pettingzoo

__all__ = ["Episodes", "from_pettingzoo", "to_gymnasium", "to_pettingzoo"]
