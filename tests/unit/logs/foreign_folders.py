"""Small logs in the layouts of Minari 0.5 and of Flashbax, written part by part as those write them."""

from __future__ import annotations

import json

import numpy as np

FORMS = ("hdf5", "arrow", "parquet")
UNIT = {"type": "Box", "dtype": "float32", "shape": [2], "low": [-np.inf, -np.inf], "high": [np.inf, 1.0]}
THREE = {"type": "Discrete", "dtype": "int64", "start": 0, "n": 3}


def dict_of(**subspaces):
    return {"type": "Dict", "subspaces": subspaces}


def write_minari(folder, form, episodes, seen, done, **about):
    """Each episode a tree of arrays: observations, and infos, have one more entry than there are steps."""
    data = folder / "data"
    data.mkdir(parents=True)
    said = {
        "total_episodes": len(episodes),
        "total_steps": sum(len(episode["terminations"]) for episode in episodes),
        "data_format": form,
        "jpeg_encoding": True,
        "observation_space": json.dumps(seen),
        "action_space": json.dumps(done),
        "dataset_id": "toy/game-v0",
        "minari_version": "0.5.4",
    }
    (data / "metadata.json").write_text(json.dumps(said | about))
    (write_hdf5 if form == "hdf5" else write_arrow)(data, form, episodes)
    return folder


def write_hdf5(data, form, episodes):
    import h5py

    def add(group, tree):
        for name, value in tree.items():
            if isinstance(value, dict):
                add(group.create_group(name), value)
            elif isinstance(value, tuple):
                add(group.create_group(name), {f"_index_{i}": part for i, part in enumerate(value)})
            else:
                kind = h5py.string_dtype() if isinstance(value[0], str) else None
                shape = (None, *np.shape(value)[1:])
                group.create_dataset(name, data=value, dtype=kind, chunks=True, maxshape=shape)

    with h5py.File(data / "main_data.hdf5", "a", track_order=True) as file:
        for number, episode in enumerate(episodes):
            group = file.create_group(f"episode_{number}")
            group.attrs.update({"id": number, "total_steps": len(episode["terminations"])})
            add(group, episode)


def write_arrow(data, form, episodes):
    import pyarrow
    import pyarrow.ipc
    import pyarrow.parquet

    def column(value, size):
        if isinstance(value, tuple):
            value = {str(i): part for i, part in enumerate(value)}
        if isinstance(value, dict):
            parts = {name: column(part, size) for name, part in value.items()}
            return pyarrow.StructArray.from_arrays(list(parts.values()), names=list(parts))
        if isinstance(value[0], str):
            return pyarrow.array([*value, *[None] * (size - len(value))])
        array = np.asarray(value)
        array = np.pad(array, [(0, size - len(array))] + [(0, 0)] * (array.ndim - 1))
        if array.ndim == 1:
            return pyarrow.array(array)
        flat = array.reshape(size, -1)
        kind = pyarrow.list_(pyarrow.from_numpy_dtype(flat.dtype), flat.shape[1])
        return pyarrow.FixedSizeListArray.from_arrays(flat.ravel(), type=kind)

    for number, episode in enumerate(episodes):
        place, size = data / str(number), len(episode["terminations"]) + 1
        place.mkdir()
        (place / "metadata.json").write_text(json.dumps({"id": number, "total_steps": size - 1}))
        table = pyarrow.table({name: column(value, size) for name, value in episode.items()})
        if form == "parquet":
            pyarrow.parquet.write_table(table, place / "part-0.parquet")
        else:
            with pyarrow.ipc.new_file(place / "part-0.arrow", table.schema) as writer:
                writer.write_table(table)


def ends(steps, is_cut=False):
    last = [False] * (steps - 1)
    return {"terminations": [*last, not is_cut], "truncations": [*last, is_cut]}


def lone(count=24, seed=0):
    """Episodes of one agent that sees a label, a word and two numbers, and may not always do all."""
    rng = np.random.default_rng(seed)
    episodes = []
    for number in range(count):
        steps = 2 + number % 3
        actions = rng.integers(0, 3, steps)
        masks = np.maximum(rng.integers(0, 2, (steps + 1, 3)), np.eye(3, dtype=int)[[*actions, 0]]).astype(np.int8)
        seen = {
            "direction": rng.integers(0, 4, steps + 1),
            "mission": ["go" if number % 2 else "stop"] * (steps + 1),
            "view": rng.random((steps + 1, 2)).astype(np.float32),
        }
        played = {"observations": seen, "actions": actions, "rewards": rng.random(steps)}
        episodes.append({**played, **ends(steps, number % 5 == 0), "infos": {"action_mask": masks}})
    return episodes


LONE = dict_of(direction={**THREE, "n": 4}, mission={"type": "Text", "max_length": 5}, view=UNIT)


def pair(count=24, seed=1):
    """Episodes of two agents that act at once and earn the same."""
    rng = np.random.default_rng(seed)
    return [
        {
            "observations": {name: rng.random((4, 2)).astype(np.float32) for name in ("north", "south")},
            "actions": {name: rng.integers(0, 3, 3) for name in ("north", "south")},
            "rewards": rng.random(3),
            **ends(3),
        }
        for _ in range(count)
    ]


PAIR = (dict_of(north=UNIT, south=UNIT), dict_of(north=THREE, south=THREE))


def experience(count=30, seed=2):
    """Arrays of OG-MARL: three agents, episodes of four steps, every fifth of them cut off."""
    rng = np.random.default_rng(seed)
    T, N, A = 4 * count, 3, 4
    step = np.arange(T)
    is_last, is_cut = step % 4 == 3, (step // 4) % 5 == 0
    return {
        "observations": rng.random((1, T, N, 4)).astype(np.float32),
        "actions": rng.integers(0, A, (1, T, N)).astype(np.int32),
        "rewards": np.repeat(rng.random((1, T, 1)).astype(np.float32), N, axis=2),
        "terminals": np.repeat((is_last & ~is_cut)[None, :, None], N, axis=2),
        "truncations": np.repeat((is_last & is_cut)[None, :, None], N, axis=2),
        "infos": {"state": rng.random((1, T, 5)).astype(np.float32), "legals": np.ones((1, T, N, A), dtype=bool)},
    }


def write_vault(folder, arrays, room=1000):
    """The store of a buffer with more room than was filled."""
    import tensorstore

    folder.mkdir(parents=True)

    def leaves(tree, path=""):
        for name, value in tree.items():
            yield from leaves(value, f"{path}{name}.") if isinstance(value, dict) else [(f"{path}{name}.", value)]

    def shapes(tree):
        return {name: shapes(one) if isinstance(one, dict) else str(one.shape) for name, one in tree.items()}

    (folder / "metadata.json").write_text(json.dumps({"version": 1.2, "structure_shape": shapes(arrays)}))
    count = arrays["actions"].shape[1]
    for name, array in (*leaves(arrays), ("vault_index", np.array([count], dtype=np.int32))):
        kept = {"driver": "ocdbt", "base": f"file://{folder}", "path": name}
        shape = array.shape if name == "vault_index" else (array.shape[0], room, *array.shape[2:])
        spec = {"driver": "zarr", "kvstore": kept, "metadata": {"compressor": {"id": "gzip", "level": 5}}}
        store = tensorstore.open(spec, create=True, dtype=array.dtype.name, shape=shape).result()
        (store if name == "vault_index" else store[:, :count]).write(array).result()
    return folder


def damaged(data, count):
    """Files cut short, and with one bit turned, at ``count`` places each."""
    for place in range(0, len(data), max(1, len(data) // count)):
        yield data[:place]
        yield data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def played(dataset):
    """What a dataset holds, but for what columns were called, which is part of its specification."""
    return {name: array.tobytes() for name, array in dataset.arrays.items()}
