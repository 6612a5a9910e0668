"""Disks without room, for real: a file system of a few megabytes, or a process whose files may not grow."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PAGE = 4096


class CannotMount(Exception):
    """No file system can be mounted here; it takes root, and a container that lets it."""


@dataclass(frozen=True)
class SmallDisk:
    """A file system of its own at `path`."""

    path: Path

    @property
    def free(self) -> int:
        """Bytes that still find room."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, *, leave: int = 0) -> None:
        """Take all the room but so many bytes."""
        with (self.path / ".ballast").open("ab", buffering=0) as ballast, suppress(OSError):
            while self.free > leave:
                ballast.write(os.urandom(min(1 << 20, max(PAGE, self.free - leave))))

    def empty(self) -> None:
        """Give the room back."""
        (self.path / ".ballast").unlink(missing_ok=True)


@contextmanager
def small_disk(path: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    """Mounted for one block. Raises CannotMount."""
    path.mkdir(parents=True, exist_ok=True)
    argv = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "countersign", str(path)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except FileNotFoundError:
        raise CannotMount("there is no program mount") from None
    if done.returncode != 0:
        raise CannotMount(done.stderr.strip())
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], timeout=20, check=True)


def let_files_grow(process: int, allowed: bool) -> None:
    """Whether files that this process and all it started write to may get longer: as on a disk without room."""
    limit = resource.RLIM_INFINITY if allowed else 0
    for pid in (process, *_started_by(process)):
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


def _started_by(process: int) -> Iterator[int]:
    for thread in Path(f"/proc/{process}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in map(int, (thread / "children").read_text(encoding="ascii").split()):
                yield child
                yield from _started_by(child)
