"""A network of a stack that is cut: its bridge is down, as a switch without power. Addresses and names stay."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.stack.docker import StackFailed, docker


@contextmanager
def cut(project: str, *networks: str) -> Iterator[None]:
    """For one block. It takes root, on the machine of the engine."""
    bridges = [_bridge(f"{project}_{network}") for network in networks]
    try:
        for bridge in bridges:
            _set(bridge, "down")
        yield
    finally:
        for bridge in bridges:
            _set(bridge, "up")


def _bridge(network: str) -> str:
    return "br-" + docker("network", "inspect", "--format", "{{.Id}}", network)[:12]


def _set(bridge: str, state: str) -> None:
    done = subprocess.run(
        ["ip", "link", "set", "dev", bridge, state], capture_output=True, encoding="utf-8", timeout=30, check=False
    )
    if done.returncode:
        raise StackFailed(f"{bridge} cannot be set {state}: {done.stderr.strip()}")
