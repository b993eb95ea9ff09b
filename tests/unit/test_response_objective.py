import pytest

from coffee_fast.errors import ConfigError, InvalidArgumentError
from coffee_fast.responses import ConservativeObjective, ResponseObjective


def test_coverage_fades_linearly_to_zero_and_the_penalty_stays():
    objective = ConservativeObjective(uncertainty_penalty=2.0, coverage_weight=0.3, anneal_iterations=10)
    weights = [objective.at(iteration).coverage_weight for iteration in range(15)]
    assert weights == pytest.approx([0.3 * (1 - iteration / 10) for iteration in range(10)] + [0.0] * 5, abs=1e-15)
    assert weights[10:] == [0.0] * 5
    assert {objective.at(iteration).uncertainty_penalty for iteration in range(15)} == {2.0}


def test_plain_objective_is_the_same_at_every_iteration():
    plain = ConservativeObjective(uncertainty_penalty=0.0, coverage_weight=0.0)
    assert plain.at(0) == plain.at(30) == ResponseObjective()


@pytest.mark.parametrize("kind", [ConservativeObjective, ResponseObjective])
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"uncertainty_penalty": 0.0, "coverage_weight": 0.1}, "needs an uncertainty_penalty above 0"),
        ({"uncertainty_penalty": -1.0}, "uncertainty_penalty must be"),
        ({"risk_aversion": -1.0}, "risk_aversion must be"),
        ({"uncertainty_penalty": float("nan")}, "uncertainty_penalty must be"),
        (
            {"uncertainty_penalty": 1.0, "coverage_weight": 1.5},
            r"coverage_weight must be a finite number >= 0 and <= 1, got 1.5",
        ),
    ],
)
def test_impossible_weights_are_refused(kind, weights, message):
    with pytest.raises(ConfigError, match=message):
        kind(**weights)


def test_impossible_iterations_are_refused():
    with pytest.raises(ConfigError, match="anneal_iterations must be an integer >= 1, got 0"):
        ConservativeObjective(anneal_iterations=0)
    with pytest.raises(InvalidArgumentError, match="iteration must be an integer >= 0, got -1"):
        ConservativeObjective().at(-1)


def test_risk_aversion_stays_as_coverage_fades():
    objective = ConservativeObjective(risk_aversion=0.5)
    assert {objective.at(iteration).risk_aversion for iteration in range(15)} == {0.5}
