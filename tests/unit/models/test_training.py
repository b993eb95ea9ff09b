"""Networks of either family: what they compute, how they are chosen and stopped, and what is paid."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

import coffee_fast as cf
from coffee_fast._torch_threads import learning_in_torch
from coffee_fast.errors import ConfigError, InvalidArgumentError, NumericalError
from coffee_fast.models.classifiers import Classifier, is_certain
from coffee_fast.models.examples import episodes_of, examples
from coffee_fast.models.networks import StackedProducts
from coffee_fast.models.normalization import Normalizers
from coffee_fast.models.parts import Examples, Regression, weight_generators
from coffee_fast.models.steps import Training
from coffee_fast.models.training import _draws, train

CONFIG = cf.EnsembleConfig(
    num_members=3,
    hidden_sizes=(16, 12),
    product_sizes=(12, 8),
    num_steps=300,
    num_reward_steps=300,
    learning_rate=1e-2,
    normalization="per_dimension",
)


def changed(**changes):
    return dataclasses.replace(CONFIG, **changes)


def products(rng, num_rows, num_inputs=4):
    """Examples of the product of two inputs."""
    inputs = rng.normal(size=(num_rows, num_inputs)).astype(np.float32)
    return Examples(inputs, inputs[:, :1] * inputs[:, 1:2], np.arange(num_rows))


def trained(part, config, num_steps=300):
    with learning_in_torch():
        training = Training("fit it", [part], num_steps, config, seed=3, anneals=True)
        training.run(lambda: None, None)
        return training


def fitted(config, dataset, num_threads=1, fraction=0.2):
    training, held_out = dataset.split(fraction, 1) if fraction else (dataset, None)
    apart = config.payments == "probability"
    normalizers = Normalizers.of(training, config.normalization, pays_apart=apart)
    return train(training, held_out, normalizers, config, 5, num_threads, None)


def test_exported_products_are_their_formula(rng):
    network = StackedProducts(2, (6, 10, 7, 3), torch.Generator().manual_seed(1))
    inputs = rng.normal(size=(50, 6)).astype(np.float32)
    outputs = network(torch.from_numpy(inputs)).detach().numpy()
    for member, layers in enumerate(network.export()):
        values = inputs.astype(np.float64)
        assert [weight.shape for weight, _ in layers] == [(20, 6), (14, 16), (3, 23)]
        for weight, bias in layers[:-1]:
            width = len(bias) // 2
            factors, gates = values @ weight[:width].T + bias[:width], values @ weight[width:].T + bias[width:]
            values = np.concatenate([factors * gates, values], axis=1)
        weight, bias = layers[-1]
        np.testing.assert_allclose(values @ weight.T + bias, outputs[member], rtol=1e-4, atol=1e-4)


def test_products_start_as_cut_off_normals():
    network = StackedProducts(5, (100, 80, 3), torch.Generator().manual_seed(0))
    for weight, inputs in zip(network.weights, (100, 180), strict=True):
        assert np.abs(weight.detach().numpy()).max() <= 2 * inputs**-0.5
        assert weight.detach().numpy().std() * inputs**0.5 == pytest.approx(0.88, abs=0.02)


def test_the_family_of_less_held_out_loss_is_kept(rng):
    config = changed(network="auto", early_stopping=True)
    shown, judges = products(rng, 100), products(rng, 100)
    part = Regression("gain", shown, judges, 1, config, weight_generators(1), num_members=3)
    trained(part, config)
    assert part.choice["chosen"] == part.family == "product"
    assert part.choice["product"] < part.choice["relu"]
    errors = part.outputs(judges.inputs) - judges.targets
    assert np.square(errors).mean() < 0.2


def test_where_nothing_is_held_out_families_are_those_of_their_parts(rng):
    config = changed(network="auto")
    for name, family in ("reward", "product"), ("shared", "relu"):
        part = Regression(name, products(rng, 20), None, 1, config, weight_generators(1))
        assert part.choice == {"chosen": family}
        assert part.family == family


def test_a_family_that_diverges_falls_back_to_the_other(rng):
    config = changed(network="auto")
    shown = products(rng, 100)
    part = Regression("gain", shown, shown, 1, config, weight_generators(1))
    stack = next(learner.stack for learner in part._learners if learner.family == "product")
    stack.weights[0].data[:] = 1e38
    training = trained(part, config, num_steps=100)
    assert part.choice == {"product": "diverged", "chosen": "relu"}
    assert np.isfinite(training.loss)
    alone = Regression("gain", shown, shown, 1, changed(network="product"), weight_generators(1))
    alone._learners[0].stack.weights[0].data[:] = 1e38
    with pytest.raises(NumericalError, match="lower learning_rate"):
        trained(alone, changed(network="product"), num_steps=100)


def test_each_member_keeps_its_best_weights_and_all_stop_when_none_gets_better(rng):
    config = changed(early_stopping=True)
    noise = [
        Examples(
            rng.normal(size=(40, 6)).astype(np.float32), rng.normal(size=(40, 1)).astype(np.float32), np.arange(40)
        )
        for _ in range(2)
    ]
    told = []
    part = Regression("noise", *noise, 1, config, weight_generators(1), num_members=3)
    with learning_in_torch():
        Training("fit it", [part], 1500, config, seed=3, anneals=False).run(lambda: None, lambda *a: told.append(a))
    layers = part.networks()
    assert len(layers) == 3
    assert len(told) < 30  # it stopped before the end
    assert told[-1][1:3] == (1500, 1500)
    losses = np.square(part.outputs(noise[1].inputs) - noise[1].targets).mean(axis=(1, 2))
    assert losses.mean() == pytest.approx(part.held_out_loss, rel=1e-5)
    last = Regression("noise", *noise, 1, CONFIG, weight_generators(1), num_members=3)
    trained(last, CONFIG, num_steps=500)
    assert losses.mean() < np.square(last.outputs(noise[1].inputs) - noise[1].targets).mean()


def test_decay_is_of_weights_alone(rng):
    inputs = rng.normal(size=(50, 3)).astype(np.float32)
    shown = Examples(inputs, np.full((50, 1), 5.0, dtype=np.float32), np.arange(50))
    norms = []
    for decay in (0.0, 10.0):
        config = changed(weight_decay=decay, learning_rate=3e-2)
        part = Regression("level", shown, None, 1, config, weight_generators(1))
        trained(part, config, num_steps=400)
        assert part.outputs(inputs).mean() == pytest.approx(5.0, abs=1.0)
        norms.append(sum(float(np.square(weight).sum()) for weight, _ in part.networks()[0]))
    assert norms[1] < 0.1 * norms[0]


def test_weights_of_outputs_decide_what_is_learned(rng):
    shown = products(rng, 60)
    targets = np.concatenate([shown.inputs[:, :1], np.full((60, 1), 100.0)], axis=1).astype(np.float32)
    weights = np.tile(np.array([1.0, 0.0], dtype=np.float32), (60, 1))
    part = Regression(
        "some", Examples(shown.inputs, targets, shown.episodes, weights), None, 2, CONFIG, weight_generators(1)
    )
    trained(part, CONFIG)
    learned, ignored = part.outputs(shown.inputs)[0].T
    assert np.abs(learned - targets[:, 0]).mean() < 0.2
    assert np.abs(ignored).max() < 20


@pytest.mark.parametrize("family", ["relu", "product"])
def test_what_changes_only_in_held_out_data_does_no_harm(rng, family):
    config = changed(network=family)
    shown = products(rng, 60)
    shown.inputs[:, 3] = 0.0
    part = Regression("gain", shown, None, 1, config, weight_generators(1))
    trained(part, config)
    other = shown.inputs.copy()
    other[:, 3] = 1e6
    np.testing.assert_array_equal(part.outputs(shown.inputs), part.outputs(other))


def test_members_draw_episodes_and_images_stay_together(dataset):
    draws = _draws(dataset, CONFIG, 1)
    assert draws.shape == (3, 30)
    assert (draws.sum(axis=1) == 30).all()
    assert (draws.max(axis=1) > 1).all()
    assert not np.array_equal(draws[0], draws[1])
    episodes = episodes_of(dataset)
    assert episodes.max() == 29
    first = np.searchsorted(episodes, 7)
    assert first == dataset.trajectory_offsets[14]
    part = Regression(
        "gain",
        Examples(np.zeros((4, 1), np.float32), np.zeros((4, 1), np.float32), np.array([0, 0, 1, 2])),
        None,
        1,
        changed(bootstrap=True),
        weight_generators(1),
        num_members=2,
        draws=np.array([[2, 0, 1], [0, 3, 0]]),
    )
    assert [pool.tolist() for pool in part._pools] == [[0, 0, 1, 1, 3], [2, 2, 2]]


def test_rewards_are_learned_from_what_pays(dataset):
    config = changed(payments="probability", outcome_disagreement=True, num_steps=20, num_reward_steps=20)
    normalizers = Normalizers.of(dataset, "per_dimension", pays_apart=True)
    ends = dataset.reward[dataset.terminal != 0]
    paid = ends[(ends != 0).any(axis=1)]
    assert normalizers.reward_scale == pytest.approx(paid.std(), rel=1e-5)
    assert normalizers.return_scale == pytest.approx(ends.std(), rel=1e-5)
    shown = examples(dataset, normalizers, config)
    np.testing.assert_allclose(shown["reward"].targets * normalizers.reward_scale, paid, rtol=1e-5)
    assert shown["pay"].targets.sum() == len(paid)
    assert len(shown["pay"].targets) == len(ends)
    networks = fitted(config, dataset)
    assert {name: len(stack) for name, stack in networks.layers.items()} == dict.fromkeys(
        ("delta", "reward", "end", "pay"), 3
    ) | {"shared": 1}
    assert (networks.arrays["reward.least"] < paid.min(axis=0)).any()
    assert (networks.arrays["reward.most"] - networks.arrays["reward.least"] <= 1.2 * np.ptp(paid) + 1e-4).all()


def test_where_every_row_pays_there_is_no_network_of_payments(dataset):
    reward = np.where(dataset.terminal[:, None] != 0, dataset.reward + 1, 0).astype(np.float32)
    always = cf.TrajectoryDataset(dataset.spec, dataset.arrays | {"reward": reward}, is_mirrored=True)
    networks = fitted(changed(payments="probability", num_steps=5, num_reward_steps=5), always)
    assert "pay" not in networks.layers
    assert "pay.is_certain" not in networks.arrays


def test_bits_do_not_depend_on_threads(dataset):
    config = changed(network="auto", payments="probability", bootstrap=True, early_stopping=True, num_steps=100)
    first, second = (fitted(config, dataset, num_threads) for num_threads in (1, 3))
    assert first.choices == second.choices
    assert set(first.choices) == {"delta", "shared", "reward", "end", "pay"}
    for name, stack in first.layers.items():
        for ours, theirs in zip(stack, second.layers[name], strict=True):
            for (weight, bias), (other_weight, other_bias) in zip(ours, theirs, strict=True):
                assert weight.tobytes() == other_weight.tobytes()
                assert bias.tobytes() == other_bias.tobytes()
    products = {name.split(".")[0] for name in first.arrays if name.endswith("is_product")}
    assert products == {name for name, choice in first.choices.items() if choice["chosen"] == "product"}


def test_what_is_as_good_as_certain(rng):
    classes = rng.integers(2, size=1000)
    right = np.eye(2)[classes]
    assert is_certain(right, classes)
    assert not is_certain(right[:, ::-1], classes)
    assert not is_certain(np.full((1000, 2), 0.5), classes)
    assert not is_certain(np.eye(2)[np.ones(1000, dtype=int)], classes)
    assert not is_certain(right[:5], classes[:5])  # too few
    assert not is_certain(np.eye(2)[[0] * 50], np.zeros(50, dtype=int))  # no "yes"
    movers = rng.integers(3, size=1000)
    guessed = movers.copy()
    assert is_certain(np.eye(3)[guessed], movers)
    guessed[:10] = (guessed[:10] + 1) % 3
    assert not is_certain(np.eye(3)[guessed], movers)


def test_members_probabilities_are_averaged(rng):
    inputs = rng.normal(size=(80, 3)).astype(np.float32)
    shown = Examples(inputs, (inputs[:, 0] > 0).astype(np.int64), np.arange(80))
    part = Classifier("end", shown, None, 1, CONFIG, weight_generators(1), num_members=3)
    trained(part, CONFIG)
    expected = (1 / (1 + np.exp(-part.outputs(inputs)[..., 0]))).mean(axis=0)
    np.testing.assert_allclose(part.probabilities(inputs)[:, 1], expected, rtol=1e-6)
    assert (part.probabilities(inputs).argmax(axis=1) == shown.targets).mean() > 0.95


def test_presets():
    assert cf.EnsembleConfig.preset("paper") == cf.EnsembleConfig()
    best = cf.EnsembleConfig.preset("best")
    assert (best.payments, best.early_stopping, best.entries) == ("probability", True, "by_kind")
    for name in ("quick", None, 3, ["best"]):
        with pytest.raises(ConfigError, match=r"EnsembleConfig\.preset: name must be one of paper, best, got"):
            cf.EnsembleConfig.preset(name)


def test_settings_that_contradict_each_other_are_refused():
    for field, value in ("payments", "probability"), ("entries", "by_kind"):
        with pytest.raises(ConfigError, match=f"ends must be 'auto' or 'probability' with {field}='{value}', got"):
            cf.EnsembleConfig(ends="state", **{field: value})


def test_a_log_of_one_episode_cannot_judge(dataset):
    single = dataset.select(np.array([0, 1]))
    with pytest.raises(InvalidArgumentError, match=r"must have 2 episodes or more .* early_stopping=True needs it"):
        cf.models.arguments.check_episodes("fit", single, changed(early_stopping=True))
