"""The data volume: given a file system when it has none at all, grown when it grew, mounted."""

from __future__ import annotations

import time
from pathlib import Path

from infra.vm.programs import Failed, run, whole

LABEL = "countersign"
BLOCKS = Path("/sys/class/block")
"""What the kernel says of each disk."""


def mount(device: str, place: Path, *, seconds: float = 900) -> str:
    """What was done. Waits for the volume to be attached. Raises Failed."""
    if _is_mounted(place):
        run(["resize2fs", _source(place)], seconds=600)
        return "already mounted"
    until = time.monotonic() + seconds
    while not Path(device).exists():
        if time.monotonic() > until:
            raise Failed(f"{device} is not there after {seconds:g} s; is the data volume attached?")
        time.sleep(2)
    real = str(Path(device).resolve())
    made = ""
    if is_blank(real):
        run(["mkfs.ext4", "-q", "-L", LABEL, "-m", "1", real], seconds=600)
        made = "made, "
    kind = _kind(real)
    if kind != "ext4":
        raise Failed(f"{device} holds {kind or 'something'} and not our ext4; it is left alone")
    place.mkdir(parents=True, exist_ok=True)
    run(["mount", "-o", "nosuid,nodev", real, str(place)])
    run(["resize2fs", real], seconds=600)
    return f"{made}mounted"


def grow(place: Path, known: Path) -> bool:
    """Take what the volume gained while the machine ran; whether it did. Raises Failed.

    The kernel learns of it only when it is told to look. `known` keeps the size that the file system was given last.
    """
    if not _is_mounted(place):
        return False
    device = _source(place)
    block = BLOCKS / Path(device).resolve().name
    rescan, size = block / "device" / "rescan", block / "size"
    try:
        if rescan.exists():  # as Oracle's documentation has it: a read past the cache, and the word
            run(["dd", f"if={device}", "of=/dev/null", "bs=4096", "count=1", "iflag=direct"])
            rescan.write_text("1\n", encoding="ascii")
        found = size.read_bytes() if size.exists() else b""
        if not found or (known.exists() and known.read_bytes() == found):
            return False
        run(["resize2fs", device], seconds=600)
        whole(known, found, 0o644)
    except OSError as error:
        raise Failed(f"{device} is not looked at anew: {error}") from None
    return True


def is_blank(device: str) -> bool:
    """Whether nothing at all is on it: no signature that is known, and not one byte in its first mebibyte."""
    if _kind(device) or run(["wipefs", "--noheadings", device]).strip():
        return False
    with Path(device).open("rb") as raw:
        return not raw.read(1 << 20).strip(b"\0")


def _kind(device: str) -> str:
    try:
        return run(["blkid", "-p", "-s", "TYPE", "-o", "value", device]).decode("ascii", "replace").strip()
    except Failed:  # its way to say that there is none
        return ""


def _is_mounted(place: Path) -> bool:
    return place.is_mount()


def _source(place: Path) -> str:
    return run(["findmnt", "-n", "-o", "SOURCE", str(place)]).decode().strip()
