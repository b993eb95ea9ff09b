"""Teammates learned from a log with networks, where observations never repeat: InSPO and AlberDICE beyond tables."""

from coffee_fast.teams.config import AlberDICEConfig, InSPOConfig, TeamConfig, from_config, known_configs
from coffee_fast.teams.learn import learn_team
from coffee_fast.teams.solution import TeamPolicies

__all__ = [
    "AlberDICEConfig",
    "InSPOConfig",
    "TeamConfig",
    "TeamPolicies",
    "from_config",
    "known_configs",
    "learn_team",
]
