"""What fitting learns, refuses and leaves alone."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

import coffee_fast as cf
from coffee_fast.errors import ConfigError, DatasetError, InvalidArgumentError, NumericalError
from coffee_fast.models.networks import StackedMLP
from coffee_fast.models.normalization import Normalizer, Normalizers


def test_bits_depend_on_the_seed_alone(model, fit, dataset, config):
    assert fit().fingerprint == model.fingerprint
    assert fit(num_threads=2).fingerprint == model.fingerprint
    assert fit(num_threads=0).fingerprint == model.fingerprint
    assert cf.DynamicsEnsemble.fit(dataset, config, seed=5).fingerprint != model.fingerprint


def test_bits_do_not_depend_on_the_state_of_torch(model, fit):
    before = torch.get_num_threads()
    torch.manual_seed(99)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(2)
    try:
        generator_state = torch.random.get_rng_state()
        with torch.inference_mode():
            again = fit()
        assert torch.get_num_threads() == 2
        assert torch.equal(torch.random.get_rng_state(), generator_state)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_num_threads(before)
    assert again.fingerprint == model.fingerprint


def test_members_differ_by_their_initial_weights_alone(model, fit):
    """The same batches for all members by default; batches of their own change every network."""
    weights = [model.arrays[f"delta.{member}.0.weight"] for member in range(3)]
    assert not np.array_equal(weights[0], weights[1])
    other = fit(same_batches=False)
    assert not np.array_equal(other.arrays["delta.1.0.weight"], weights[1])


def test_training_lowers_the_losses(fit, model):
    longer = fit(num_steps=600, num_reward_steps=400)
    assert longer.fit_report.losses["dynamics"] < 0.5 * model.fit_report.losses["dynamics"]
    assert longer.fit_report.losses["reward"] < model.fit_report.losses["reward"]


@pytest.mark.parametrize("num_threads", [1, 2])
def test_progress_tells_phase_step_and_loss(dataset, config, num_threads):
    told = []
    cf.DynamicsEnsemble.fit(dataset, config, 4, num_threads=num_threads, progress=lambda *args: told.append(args))
    ends = {phase: (done, total) for phase, done, total, _ in told}
    assert ends == {"fit dynamics": (60, 60), "fit rewards": (40, 40)}
    assert all(np.isfinite(figures["loss"]) for _, done, total, figures in told if done == total)


@pytest.mark.parametrize("num_threads", [1, 2])
def test_an_exception_in_progress_ends_the_fit(dataset, config, num_threads):
    def stop(phase, done, total, figures):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cf.DynamicsEnsemble.fit(dataset, config, 4, num_threads=num_threads, progress=stop)
    assert threading.active_count() == 1


@pytest.mark.parametrize("num_threads", [1, 2])
def test_a_loss_that_is_not_finite_is_an_error(fit, num_threads):
    with pytest.raises(NumericalError, match="lower learning_rate"):
        fit(num_threads=num_threads, learning_rate=1e20)


def test_a_dataset_without_payoffs_is_refused(dataset, config):
    arrays = dataset.arrays | {"reward": np.zeros_like(dataset.reward)}
    silent = cf.TrajectoryDataset(dataset.spec, arrays, is_mirrored=True)
    with pytest.raises(DatasetError, match=r"every trajectory of the dataset pays the same, 0\.0"):
        cf.DynamicsEnsemble.fit(silent, config)


def test_arguments_are_checked(dataset, config):
    with pytest.raises(InvalidArgumentError, match="config must be an EnsembleConfig"):
        cf.DynamicsEnsemble.fit(dataset, {"num_members": 4})
    with pytest.raises(InvalidArgumentError, match="num_threads must be an integer >= 0, got -1"):
        cf.DynamicsEnsemble.fit(dataset, config, num_threads=-1)
    with pytest.raises(InvalidArgumentError, match="num_threads must be an integer >= 0, got True"):
        cf.DynamicsEnsemble.fit(dataset, config, num_threads=True)
    with pytest.raises(InvalidArgumentError, match="seed must lie in"):
        cf.DynamicsEnsemble.fit(dataset, config, seed=-1)
    for field, value in (("num_members", 0), ("hidden_sizes", ()), ("holdout_fraction", 1.0), ("disagreement", "x")):
        with pytest.raises(ConfigError, match=f"EnsembleConfig: {field} must be"):
            cf.EnsembleConfig(**{field: value})


@pytest.mark.parametrize("kind", [cf.EnsembleConfig, cf.BehaviorCloningConfig])
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("num_steps", [1.5, "10", True, None, 0, 2**40]),
        ("batch_size", [2.0, [64], -1]),
        ("hidden_sizes", [16, "16", (), (0,), (16.5,), (16, None), [True], ["a"]]),
        ("learning_rate", ["fast", None, 0, -1.0, float("nan"), float("inf"), 10**400, True]),
        ("holdout_fraction", [1, -0.1, "a tenth", float("nan"), None, False]),
    ],
)
def test_fields_of_the_wrong_kind_are_refused(kind, field, values):
    for value in values:
        with pytest.raises(ConfigError, match=f"{kind.__name__}: {field} must be .*, got "):
            kind(**{field: value})


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("num_members", [1.5, True, "4"]),
        ("num_reward_steps", [1.5, None]),
        ("same_batches", [1, "yes", None]),
        ("normalization", [0, None, "none", ["scalar"], np.zeros(2)]),
        ("disagreement", [None, "range"]),
        ("history_source", [3, "states"]),
        ("terminal_threshold", [0, "half", None, float("nan")]),
    ],
)
def test_fields_of_an_ensemble_are_checked(field, values):
    for value in values:
        with pytest.raises(ConfigError, match=f"EnsembleConfig: {field} must be .*, got "):
            cf.EnsembleConfig(**{field: value})


def test_refusals_are_of_bounded_length():
    with pytest.raises(ConfigError) as refusal:
        cf.EnsembleConfig(num_steps="a" * 10**6)
    assert len(str(refusal.value)) < 300


def test_numbers_of_numpy_are_numbers():
    config = cf.EnsembleConfig(
        num_members=np.int64(2),
        hidden_sizes=np.array([16, 8]),
        num_steps=np.int32(5),
        learning_rate=np.float32(0.5),
        same_batches=np.True_,
    )
    assert config == cf.EnsembleConfig(2, (16, 8), 5, learning_rate=0.5)
    assert [type(value) for value in (config.num_members, config.hidden_sizes[0], config.learning_rate)] == [
        int,
        int,
        float,
    ]


def test_what_is_no_dataset_or_folder_is_refused(config):
    for dataset in (None, {"state": []}, np.zeros(3)):
        with pytest.raises(InvalidArgumentError, match=r"fit: dataset must be a TrajectoryDataset, got"):
            cf.DynamicsEnsemble.fit(dataset, config)
        with pytest.raises(InvalidArgumentError, match="clone_behavior: dataset must be a TrajectoryDataset, got"):
            cf.clone_behavior(dataset)
    for path in (None, 3, {}):
        with pytest.raises(cf.CheckpointError, match="path"):
            cf.DynamicsEnsemble.load(path)


def test_there_is_no_loss_before_the_first(dataset, config):
    told = []
    cf.DynamicsEnsemble.fit(dataset, config, 4, num_threads=2, progress=lambda *args: told.append(args[3]))
    assert all(np.isfinite(loss) for figures in told for loss in figures.values())


def test_scalar_normalizers_pool_all_entries(dataset):
    normalizers = Normalizers.of(dataset, "scalar")
    np.testing.assert_allclose(normalizers.state.mean, np.full(15, dataset.state.mean()), rtol=1e-5)
    np.testing.assert_allclose(normalizers.action.scale, np.full(3, normalizers.action.scale[0]))
    assert normalizers.reward_scale == pytest.approx(dataset.reward[dataset.terminal != 0].std(), rel=1e-5)
    own = dataset.observation[np.arange(dataset.num_transitions), dataset.acting_player]
    np.testing.assert_allclose(normalizers.observation.mean, np.full(11, own.mean()), rtol=1e-5)


def test_constant_entries_keep_their_scale():
    almost = np.nextafter(np.float32(0.1), np.float32(1))
    rows = np.array([[0.1, 1.0, 0.0], [0.1, 3.0, 0.0], [almost, 5.0, 0.0]], np.float32)
    normalizer = Normalizer.of(rows, "per_dimension")
    np.testing.assert_allclose(normalizer.scale, [1.0, np.sqrt(8 / 3), 1.0], rtol=1e-6)
    np.testing.assert_allclose(normalizer(rows).mean(axis=0), 0.0, atol=1e-6)


def test_per_dimension_models_work(fit):
    model = fit(normalization="per_dimension")
    assert len(np.unique(model.arrays["state.scale"])) > 5
    result = cf.simulate(model, ["uniform_random"] * 2, num_episodes=50, seed=0)
    assert np.isfinite(result.returns).all()


def test_initial_weights_are_cut_off_normals():
    network = StackedMLP(5, (100, 80, 3), torch.Generator().manual_seed(0))
    first = network.weights[0].detach().numpy() * 10
    assert np.abs(first).max() <= 2.0
    assert first.std() == pytest.approx(0.88, abs=0.01)  # of a normal cut off at two deviations
    assert not any(bias.detach().numpy().any() for bias in network.biases)


def test_exported_networks_are_torchs(rng):
    from coffee_fast._core import Mlp

    network = StackedMLP(2, (6, 40, 30, 4), torch.Generator().manual_seed(1))
    inputs = rng.normal(size=(50, 6)).astype(np.float32)
    expected = network(torch.from_numpy(inputs)).detach().numpy()
    for member, layers in enumerate(network.export()):
        np.testing.assert_allclose(Mlp(list(layers)).forward(inputs), expected[member], rtol=1e-5, atol=1e-5)
