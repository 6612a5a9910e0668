"""What the proofs share: one world for each kind of process that is killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.processes import eventually
from tests.bench.gate import gate
from tests.e2e.conftest import Gate
from vault_protocol import remote

ROOT = Path(__file__).parents[2]
KILLED = -9


@dataclass
class Doomed(Gate):
    """A gate whose agents are started one at a time, to be killed."""

    def dies(self, program: str, step: str, where: Path) -> None:
        """Run an agent that is killed at this step, and wait until it was."""
        assert self.ends(program, step, where) == KILLED, f"it was never at {step!r}"

    def ends(self, program: str, *arguments: object) -> int:
        argv = [sys.executable, "-m", f"tests.prove.{program}", *map(str, arguments)]
        with (self.world.folder / f"{program}.log").open("ab") as log:
            done = subprocess.run(
                argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=90, check=False
            )
        return done.returncode

    def hub_is_whole(self) -> None:
        """git fsck takes a ref that moves while it looks for a broken one; what is broken stays so."""
        eventually(lambda: not remote.fsck(self.world.hub), f"git fsck finds nothing in {self.world.hub}")


@pytest.fixture(scope="module")
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doomed]:
    """Nothing runs yet, and the hub is a plain git remote; no undo window, and no limit on what is sent."""
    folder = tmp_path_factory.mktemp("doomed")
    with gate(folder, resident=False) as made:
        yield Doomed(made, made.tail())


def both(prove: Sequence[object], soak: Sequence[object]) -> Sequence[object]:
    """Cases of the lane `prove`, and those that only the lane `soak` adds."""
    return [pytest.param(case, marks=pytest.mark.prove) for case in prove] + [
        pytest.param(case, marks=pytest.mark.soak) for case in soak
    ]
