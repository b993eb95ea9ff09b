"""Trackers are told what progress callbacks are told; stand-ins for the libraries note what they are asked."""

import math
import sys
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import coffee_fast as cf
from coffee_fast.cli.app import app
from coffee_fast.errors import ConfigError, InvalidArgumentError
from coffee_fast.trackers import MLflow, TensorBoard, Tracker, WandB, tracked_by


class Kept(Tracker):
    def __init__(self):
        self.written, self.is_closed = [], False

    def write(self, name, value, step):
        self.written.append((name, value, step))

    def close(self):
        self.is_closed = True


def test_figures_are_written_by_phase_and_step():
    with Kept() as kept:
        kept("self-play", 3, 120, {"entropy": 2.5, "loss": math.nan})
        kept("judge", 1, 2, {})
    assert kept.written == [("self-play/entropy", 2.5, 3)]
    assert kept.is_closed


def test_a_computation_tells_a_tracker_and_others():
    kept, told = Kept(), []
    game = cf.load_game("openspiel:kuhn_poker")
    sizes = {"hidden_sizes": (8,), "num_updates": 4, "num_episodes": 20, "num_snapshots": 1, "num_simulations": 20}
    judge = cf.DDQN(hidden_sizes=(8,), num_steps=200, replay_capacity=200, min_replay=100)
    progress = tracked_by(kept, lambda *figures: told.append(figures))
    cf.anchored_self_play(game, cf.SelfPlayConfig(**sizes, judge=judge), seed=0, progress=progress)
    steps = [step for name, _, step in kept.written if name == "self-play/entropy"]
    assert steps == [1, 2, 3, 4]
    assert {phase for phase, *_ in told} >= {"self-play"}
    with pytest.raises(InvalidArgumentError, match="callbacks must be functions, got 3"):
        tracked_by(kept, 3)


def fake_tensorboard(calls):
    class Writer:
        def __init__(self, folder):
            calls.append(("folder", folder))

        def add_scalar(self, *told):
            calls.append(told)

        def close(self):
            calls.append(("closed",))

    return {"tensorboard.summary": SimpleNamespace(Writer=Writer)}


def fake_wandb(calls):
    run = SimpleNamespace(
        define_metric=lambda name, step_metric: calls.append((name, step_metric)),
        log=calls.append,
        finish=lambda exit_code: calls.append(("finished", exit_code)),
    )
    return {"wandb": SimpleNamespace(init=lambda **options: calls.append(options) or run)}


def fake_mlflow(calls):
    run = SimpleNamespace(info=SimpleNamespace(run_id="r1"))
    client = SimpleNamespace(
        create_run=lambda experiment: calls.append(experiment) or run,
        log_batch=lambda run, metrics: calls.append((run, *metrics)),
        set_terminated=lambda *told: calls.append(told),
    )
    return {
        "mlflow.entities": SimpleNamespace(Metric=lambda name, value, time, step: (name, value, step)),
        "mlflow": SimpleNamespace(
            set_experiment=calls.append,
            MlflowClient=lambda: client,
            get_experiment_by_name=lambda name: SimpleNamespace(experiment_id=f"id of {name}"),
        ),
    }


@pytest.mark.parametrize(
    ("fake", "make", "wanted"),
    [
        (
            fake_tensorboard,
            lambda: TensorBoard("curves"),
            [("folder", "curves"), ("fit/loss", 0.5, 7), ("fit/rate", 1.0, 7), ("fit/loss", 0.25, 8), ("closed",)],
        ),
        (
            fake_wandb,
            lambda: WandB("games", mode="offline"),
            [
                {"project": "games", "mode": "offline"},
                ("fit/*", "fit/step"),
                {"fit/loss": 0.5, "fit/rate": 1.0, "fit/step": 7},
                {"fit/loss": 0.25, "fit/step": 8},
                ("finished", 0),
            ],
        ),
        (
            fake_mlflow,
            lambda: MLflow("games"),
            [
                "games",
                "id of games",
                ("r1", ("fit/loss", 0.5, 7), ("fit/rate", 1.0, 7)),
                ("r1", ("fit/loss", 0.25, 8)),
                ("r1", "FINISHED"),
            ],
        ),
    ],
)
def test_each_library_is_asked_for_what_it_offers(fake, make, wanted, monkeypatch):
    calls = []
    for name, module in fake(calls).items():
        monkeypatch.setitem(sys.modules, name, module)
    with make() as tracker:
        tracker("fit", 7, 10, {"loss": 0.5, "rate": 1.0, "lost": math.nan})
        tracker("fit", 8, 10, {"loss": 0.25})
    assert calls == wanted


@pytest.mark.parametrize(
    ("fake", "make", "wanted"),
    [
        (fake_wandb, lambda: WandB("games"), ("finished", 1)),
        (fake_mlflow, lambda: MLflow("games"), ("r1", "FAILED")),
        (fake_tensorboard, lambda: TensorBoard("curves"), ("closed",)),
    ],
)
def test_what_broke_off_is_not_called_finished(fake, make, wanted, monkeypatch):
    calls = []
    for name, module in fake(calls).items():
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(KeyboardInterrupt), make():
        raise KeyboardInterrupt
    assert calls[-1] == wanted


def test_a_library_that_cannot_begin_is_quoted(monkeypatch):
    def refuse(**options):
        raise OSError("No API key\nconfigured. " + "x" * 10_000)

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=refuse))
    with pytest.raises(ConfigError, match=r"^WandB: cannot be written to: No API key configured\. x{1,400}$"):
        WandB("games")


@pytest.mark.parametrize(("module", "make"), [("wandb", lambda: WandB("x")), ("mlflow", lambda: MLflow("x"))])
def test_a_library_that_is_missing_is_named(module, make, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=f"needs {module}, which is not installed: pip install {module}"):
        make()


def test_the_command_line_names_trackers(tmp_path, monkeypatch):
    ended = CliRunner().invoke(app, ["run", "--run-dir", str(tmp_path / "run"), "--track", "board:x"])
    assert ended.exit_code == 2
    assert not (tmp_path / "run").exists()


def test_tensorboards_files_hold_the_figures(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with TensorBoard(tmp_path) as tracker:
        tracker("fit", 1, 2, {"loss": 0.5})
        tracker("fit", 2, 2, {"loss": 0.25})
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    found = events.Tensors("fit/loss")
    assert [event.step for event in found] == [1, 2]
