"""Arrays of OG-MARL, in memory, in files and in vaults, say what the same log says as a table."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.logs.foreign_folders import damaged, experience, played, write_vault

import coffee_fast as cf
from coffee_fast.logs import files

read = cf.TrajectoryDataset.from_transitions


def saved(path, arrays):
    infos = arrays["infos"]
    np.savez_compressed(path, **{name: array for name, array in arrays.items() if name != "infos"}, **infos)
    return path


def test_arrays_of_all_agents_are_read_as_their_table(tmp_path):
    arrays = experience()
    found = read(None, arrays)
    T, N = arrays["actions"].shape[1:]
    table = {
        "episode": np.arange(T) // 4,
        "truncated": arrays["truncations"][0, :, 0],
        "terminal": arrays["terminals"][0, :, 0],
        "action": arrays["actions"][0],
        "reward": arrays["rewards"][0],
        "observation": arrays["observations"][0],
        "state": arrays["infos"]["state"][0],
        "legal_mask": arrays["infos"]["legals"][0],
    }
    assert played(found) == played(read(None, table))
    assert (found.spec.num_players, found.num_trajectories, found.truncated.sum()) == (N, T // 4, T // 20)
    from_file = read(None, saved(tmp_path / "log.npz", arrays))
    flat = {name: array for name, array in (arrays | arrays["infos"]).items() if name != "infos"}
    one_batch = read(None, {name: array[0] for name, array in flat.items()})
    halves = read(None, {name: array.reshape(2, T // 2, *array.shape[2:]) for name, array in flat.items()})
    assert found.fingerprint == from_file.fingerprint == one_batch.fingerprint == halves.fingerprint


def test_an_episode_ends_where_all_agents_do(tmp_path):
    arrays = {name: array.copy() for name, array in experience(count=10).items() if name != "infos"}
    arrays["terminals"][0, 1:4, 1] = True  # dies early
    arrays["terminals"][0, -1] = False  # nothing follows
    found = read(None, arrays)
    assert found.num_trajectories == 10
    assert found.num_transitions == 3 * (10 * 4 - 3)  # without the last steps of three that broke off
    assert found.truncated.tolist() == [True, *[False] * 4, True, *[False] * 3, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"actions": np.full((1, 8, 3), 0.5)}, "actions must be whole numbers .* give what is continuous"),
        ({"actions": np.zeros((1, 8, 3, 2))}, r"actions must be whole numbers \[batch, steps, agents\]"),
        ({"actions": np.zeros((1, 0, 3), dtype=int)}, r"there are no steps: actions are of shape \[1, 0, 3\]"),
        ({"actions": ["left", "right"]}, "actions must be an array of numbers"),
        ({"rewards": np.zeros((1, 8))}, "rewards must fit actions"),
        ({"rewards": np.full((1, 8, 3), 1e300)}, "reward"),
        ({"rewards": np.zeros((1, 8, 3, 2))}, "rewards must fit actions"),
        ({"terminals": np.zeros((1, 7, 3))}, "terminals must fit actions"),
        ({"observations": np.zeros((1, 8, 3, 0))}, "observations must fit actions"),
        ({"infos": {"legals": np.zeros((1, 8, 3))}}, "legals must fit actions"),
        ({"infos": {"state": [{}]}}, "state must be an array of numbers"),
        ({"infos": {"legals": np.zeros((1, 8, 3, 4))}}, "illegal|legal"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, message):
    with pytest.raises(cf.DatasetError, match=message):
        read(None, experience(count=2) | change)


def test_npz_files_hold_plain_arrays_of_sensible_size(tmp_path, monkeypatch):
    plain = {"episode": [0, 0, 1, 1], "player": [0, 1, 0, 1], "action": [0, 1, 1, 0], "reward": [0.0, 1, 0, 2]}
    np.savez(tmp_path / "log.npz", **plain)
    assert read(None, tmp_path / "log.npz").fingerprint == read(None, plain).fingerprint
    np.savez(tmp_path / "nested.npz", **experience(count=2))
    with pytest.raises(cf.DatasetError, match="an array of objects is in it; save each array of numbers"):
        read(None, tmp_path / "nested.npz")
    np.savez_compressed(tmp_path / "bomb.npz", action=np.zeros(1 << 17))
    monkeypatch.setattr(files, "LARGEST", 1 << 16)
    with pytest.raises(cf.DatasetError, match=r"bomb.npz: holds 1048704 bytes, more than the 65536 that are read"):
        read(None, tmp_path / "bomb.npz")
    whole = (tmp_path / "log.npz").read_bytes()
    for damage in damaged(whole, 60):
        (tmp_path / "damaged.npz").write_bytes(damage)
        try:
            read(None, tmp_path / "damaged.npz")
        except cf.DatasetError as error:
            assert len(str(error)) < 400 + len(str(tmp_path))


def test_a_vault_says_what_its_arrays_do(tmp_path):
    pytest.importorskip("tensorstore")
    arrays = experience(count=20)
    folder = write_vault(tmp_path / "toy.vlt" / "Good", arrays)
    found = read(None, folder)
    assert found.spec.name == "toy"
    assert read(None, folder, name="log").fingerprint == read(None, arrays).fingerprint
    with pytest.raises(cf.DatasetError, match="holds several logs; choose one of Good"):
        read(None, folder.parent)
    refused = 0
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "metadata.json"):
        whole = file.read_bytes()
        for damage in damaged(whole, 4):
            file.write_bytes(damage)
            try:
                assert read(None, folder).fingerprint == found.fingerprint  # of a part that is not needed
            except cf.DatasetError as error:
                assert "is not a whole vault" in str(error)
                refused += 1
        file.write_bytes(whole)
    assert refused > 10
    (folder / "d" / "link").symlink_to("/etc/passwd")
    with pytest.raises(cf.DatasetError, match="a vault holds regular files, and no links"):
        read(None, folder)
