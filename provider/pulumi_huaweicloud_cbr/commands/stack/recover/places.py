"""Whether other machines can write where a lock lies."""

from __future__ import annotations

import re
from pathlib import Path

# Types of file systems that several machines mount at once (Linux, /proc/filesystems; mount(8)).
# A type in user space may be any of them.
_OF_NETWORKS = frozenset(
    {"9p", "afs", "ceph", "cifs", "gfs2", "glusterfs", "lustre", "nfs", "nfs4", "ocfs2", "smb3"}
    | {"virtiofs"}
)
_OF_USER_SPACE = "fuse."


def is_shared(file: Path | None, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether other machines can write beside a lock.

    Args:
        file: the lock's file; None if it is in a bucket or a database, which are shared.
        mounts: where Linux lists the mounted file systems. Other systems have no such file, and
            there a file counts as this machine's own.
    """
    if file is None:
        return True
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return False
    kind = _type_at(file.resolve(), lines)
    return kind in _OF_NETWORKS or kind.startswith(_OF_USER_SPACE)


def _type_at(file: Path, lines: list[str]) -> str:
    """Return the type of the file system at a path: that of the innermost mount, the last one."""
    found, depth = "", -1
    for line in lines:
        # proc(5): the fifth field is the mount point, and the type is the first after a hyphen.
        before, _, after = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), before.split()[4]))
        if file.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = after.split()[0], len(point.parts)
    return found
