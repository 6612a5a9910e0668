"""What everything together costs while nothing happens."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo.processes import eventually
from demo.world import World
from tests.bench.gate import gate
from tests.bench.resident import cpu_seconds
from tests.bench.rows import Row

SETTLED = 10.0
"""Seconds after which what a start leaves to do is done."""
SECONDS = 60.0
POLL = 1.0


@dataclass(frozen=True)
class Idle:
    """Processor time in percent of one core, and bytes a second on the hub's connections, both ways."""

    percent: float
    bytes_per_second: float


def idle(folder: Path, *, quick: bool = False) -> tuple[Row, Row]:
    """Hub, cloud_agent and local_agent with all they started, and what goes over the hub's connections. Peer: two
    clones that ask a hub on this machine once a second whether its head moved (`git ls-remote`), and no more."""
    seconds = 2.0 if quick else SECONDS
    with gate(folder / "world") as made:
        ours = _ours(made, seconds, quick=quick)
        polled = _polled(made.hub, min(seconds, 20.0))
    return (
        Row("idle_cpu_percent", "%", ours.percent, None, {"git_poll_1s": polled}),
        Row("idle_bytes", "B/s", ours.bytes_per_second),
    )


def _ours(made: World, seconds: float, *, quick: bool) -> Idle:
    made.start_cloud()
    made.start_local()
    eventually((made.vault_folder / "Dashboard.md").exists, "the folder is there", seconds=60)
    eventually(made.try_unlock, "the service answers", seconds=60)
    time.sleep(1.0 if quick else SETTLED)
    assert made.machine is not None
    port = made.machine.port

    def spent() -> float:
        tops = (made.cloud, made.local, made.machine.process if made.machine else None)
        return sum(cpu_seconds(pid) for top in tops if top is not None for pid in _tree(top.pid))

    before, begun = _carried(port), time.monotonic()
    percent = _percent(spent, seconds, lambda: time.sleep(seconds / 2))
    return Idle(percent, (_carried(port) - before) / (time.monotonic() - begun))


def _percent(spent: Callable[[], float], seconds: float, rest: Callable[[], None]) -> float:
    before, begun = spent(), time.monotonic()
    while time.monotonic() - begun < seconds:
        rest()
    return 100 * (spent() - before) / (time.monotonic() - begun)


def _tree(pid: int) -> list[int]:
    """A process and all that it started."""
    tasks = Path(f"/proc/{pid}/task")
    below = [int(child) for task in tasks.iterdir() for child in (task / "children").read_text("ascii").split()]
    return [pid, *(found for child in below for found in _tree(child))]


def _carried(port: int) -> int:
    """Bytes over the connections of this port so far, as the hub's side counts them."""
    argv = ["ss", "-tinH", "state", "established", f"sport = :{port}"]
    said = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=20).stdout
    return sum(int(count) for count in re.findall(r"bytes_(?:acked|received):(\d+)", said))


def _polled(hub: Path, seconds: float) -> float:
    """Two agents that ask by git: the time of the programs they start, as this process is told of it."""

    def ask() -> None:
        begun = time.monotonic()
        for _agent in range(2):
            subprocess.run(["git", "ls-remote", str(hub), "main"], check=True, capture_output=True, timeout=20)
        time.sleep(max(0.0, POLL - (time.monotonic() - begun)))

    def spent() -> float:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / 100  # of children that have ended

    return _percent(spent, seconds, ask)
