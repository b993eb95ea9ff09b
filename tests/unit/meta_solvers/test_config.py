import pytest

from coffee_fast.errors import ConfigError
from coffee_fast.meta_solvers import Replicator, from_config


def test_fields_left_out_take_their_defaults():
    assert from_config({"kind": "replicator", "step_size": 0.5}) == Replicator(step_size=0.5)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "kind must be one of replicator, .*, got None"),
        ({"kind": "robust"}, "got 'robust'; did you mean 'robust_replicator'"),
        ({"kind": ["nash"]}, "kind must be one of"),
        ({"kind": "nash", "step_size": 1.0}, "nash has no field 'step_size'"),
        ({"kind": "replicator", "stepsize": 1.0}, "no field 'stepsize'; did you mean 'step_size'"),
        ({"kind": "replicator", "step_size": -1.0}, "step_size must be a finite number > 0, got -1"),
    ],
)
def test_what_describes_no_solver_is_refused(config, message):
    with pytest.raises(ConfigError, match=f"meta_solver: .*{message}"):
        from_config(config)
