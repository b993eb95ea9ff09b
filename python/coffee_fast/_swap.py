"""Two files or folders that change places in one step, where the system can."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

_HERE = -100  # AT_FDCWD: paths are as they are
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)  # the last in containers that forbid the call


def swap(one: Path, other: Path) -> bool:
    """Let two paths of a file system change places, so that at no moment nothing is there.

    False where the system or the file system cannot, with nothing changed.
    """
    if sys.platform == "win32":  # which has no such call, nor a library of the whole process
        return False
    library = ctypes.CDLL(None, use_errno=True)
    first, second, how = os.fsencode(one), os.fsencode(other), ctypes.c_uint(_EXCHANGE)
    if hasattr(library, "renameat2"):
        code = library.renameat2(_HERE, first, _HERE, second, how)
    elif hasattr(library, "renamex_np"):
        code = library.renamex_np(first, second, how)
    else:
        return False
    if code == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(other))
