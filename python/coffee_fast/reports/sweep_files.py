"""The two files of a sweep that its report reads: the plan, and the table of results."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from coffee_fast import _files
from coffee_fast._sealed import SEAL, seal_of
from coffee_fast.errors import CheckpointError

if TYPE_CHECKING:
    import pyarrow as pa

PLAN = {
    "name": str,
    "fields": [str],
    "runs": [{"key": str, "setting": str, "seed": int, "cell": dict}],
    "settings?": {...: dict},
}


def read_table(path: Path) -> pa.Table:
    """Read a table that a sweep wrote; ``CheckpointError`` if it is damaged. Those of earlier versions have no seal."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    data = _files.read_bytes(path)
    try:
        table = parquet.read_table(BytesIO(data))
        seal = (table.schema.metadata or {}).get(SEAL.encode())
        is_whole = seal is None or seal == seal_of(table.to_pydict()).encode()
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError, OverflowError) as error:
        raise CheckpointError(f"{path}: is not a whole Parquet file: {error}") from None
    if not is_whole:
        raise CheckpointError(f"{path}: was altered, its entries do not fit its {SEAL}")
    return table
