"""Datasets as tables for people to look at: a data frame with one row a move, in names where there are names."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _files
from coffee_fast.checks import check_flag, check_path
from coffee_fast.errors import DatasetError, InvalidArgumentError, shown

if TYPE_CHECKING:
    from coffee_fast.data.dataset import TrajectoryDataset

CHANCE = "chance"
_NEED = "needs pandas and pyarrow: pip install 'coffee-fast[frames]'"


def table_of(dataset: TrajectoryDataset, features: bool = False) -> dict[str, NDArray[Any]]:
    """The columns of :func:`frame_of` by name."""
    spec, offsets = dataset.spec, dataset.trajectory_offsets
    lengths = np.diff(offsets)
    episode = np.repeat(np.arange(len(lengths)), lengths)
    by_chance = dataset.acting_player < 0
    columns: dict[str, NDArray[Any]] = {
        "episode": episode,
        "step": np.arange(dataset.num_transitions) - offsets[episode],
        "player": _named(dataset.acting_player, spec.player_names or _numbers(spec.num_players)),
        "action": _named(np.where(by_chance, 0, dataset.action), spec.action_names),
    }
    if by_chance.any():
        columns["player"] = _replaced(columns["player"], by_chance, np.full(int(by_chance.sum()), CHANCE))
        names = spec.chance_names
        columns["action"] = _replaced(columns["action"], by_chance, _named(dataset.action[by_chance], names))
    players = spec.player_names or _numbers(spec.num_players)
    columns |= {f"reward_{player}": dataset.reward[:, seat] for seat, player in enumerate(players)}
    columns["terminal"] = dataset.terminal
    if dataset.truncated.any():
        columns["truncated"] = dataset.truncated[episode].astype(np.uint8)
    if dataset.behavior_log_prob is not None:
        columns["behavior_log_prob"] = dataset.behavior_log_prob
    if features:
        for name in ("state", "next_state"):
            array: NDArray[Any] = getattr(dataset, name)
            columns |= {f"{name}_{entry}": array[:, entry] for entry in range(array.shape[1])}
        for seat in range(spec.num_players):
            seen = dataset.observation[:, seat]
            columns |= {f"observation_{seat}_{entry}": seen[:, entry] for entry in range(seen.shape[1])}
        masks = dataset.legal_masks()
        columns |= {f"legal_mask_{action}": masks[:, action] for action in range(spec.num_actions)}
    return columns


def frame_of(dataset: TrajectoryDataset, features: bool = False) -> Any:
    """Return a pandas data frame, see :meth:`coffee_fast.TrajectoryDataset.to_frame`."""
    check_flag("to_frame: features", features)
    try:
        import pandas
    except ImportError:
        raise DatasetError(f"to_frame {_NEED}") from None
    return pandas.DataFrame(table_of(dataset, features))


def export_table(dataset: TrajectoryDataset, path: str | Path, features: bool = False) -> None:
    """Write the data frame as CSV or Parquet, by the ending of the name; a file at ``path`` is replaced."""
    if not hasattr(dataset, "spec") or not hasattr(dataset, "acting_player"):
        raise InvalidArgumentError(f"export_table: dataset must be a TrajectoryDataset, got {shown(dataset)}")
    path = check_path("export_table: path", path, error=DatasetError)
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise DatasetError(f"{path}: a table must be a file that ends in .csv or .parquet")
    frame, held = frame_of(dataset, features), io.BytesIO()
    if path.suffix.lower() == ".csv":
        frame.to_csv(held, index=False)
    else:
        try:
            frame.to_parquet(held, index=False)
        except ImportError:
            raise DatasetError(f"{path}: to write Parquet {_NEED}") from None
    _files.write_atomically(path, held.getvalue())


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(count)))


def _named(numbers: NDArray[Any], names: tuple[str, ...]) -> NDArray[Any]:
    is_numbered = not names or names == _numbers(len(names))
    return numbers.astype(np.int64) if is_numbered else np.array(names, dtype=object)[numbers]


def _replaced(column: NDArray[Any], rows: NDArray[np.bool_], values: NDArray[Any]) -> NDArray[Any]:
    found = column.astype(object)
    found[rows] = values
    return found
