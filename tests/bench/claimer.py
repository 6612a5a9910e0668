"""One agent as a process: `python -m tests.bench.claimer`. Its seat, and how it claims, come as JSON on the first line.

Says `ready`, waits for a line, claims until nothing waits or its time is over, and prints what it owns.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import demo  # noqa: F401 # before the folder demo/ can hide the package of that name
from tests.bench.publish import NOW, taken
from tests.bench.resident import Seat
from vault_protocol import memory, notes
from vault_protocol.remote import HEAD
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Domain, Stage
from vault_protocol.vault import Vault

YIELD = 0.03
"""Seconds a winner of `git push` at most rests, or the others starve."""

Claim = Callable[[int], list[str]]
"""So many at most → the ids that are owned; none when nothing waits."""


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    seat = Seat(asked["agent"], Path(asked["home"]), asked["url"], asked.get("token", ""))
    claim = _by_push(seat) if asked["by"] == "push" else _by_vault(seat.vault())
    memory.settle()  # as the agent's program does
    print("ready", flush=True)
    sys.stdin.readline()
    mine: list[str] = []
    begun, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - begun < asked["seconds"]:
        got = claim(asked["most"])
        if not got:
            break
        mine += got
    taken = time.monotonic() - begun
    print(json.dumps({"mine": mine, "seconds": taken, "cpu": time.process_time() - cpu}), flush=True)


def _by_vault(vault: Vault) -> Claim:
    assert any(vault.tasks(Stage.NEEDS_ACTION))  # an agent that runs has read what waits
    return lambda most: [str(task.id) for task in vault.claim(Domain, most)]


def _by_push(seat: Seat) -> Claim:
    """What one would write with git alone: the change built without a worktree, a push that must fast-forward, and
    after a refusal a fetch and another try. Nobody picks what others pick, and a winner lets the others by."""
    store = GitStore(seat.home / "clone.git")
    base = ["git", f"--git-dir={store.path}"]
    chance = random.Random(seat.agent)
    environment = os.environ | ({"GIT_SSH_COMMAND": seat.token} if seat.token else {})
    contended = False

    def run(*argv: str) -> int:
        done = subprocess.run([*base, *argv], check=False, timeout=60, env=environment, capture_output=True)
        return done.returncode

    def claim(most: int) -> list[str]:
        nonlocal contended
        while True:
            head = store.ref("refs/hub/main")
            assert head is not None
            waiting = list(store.paths(head, Stage.NEEDS_ACTION.value))
            if not waiting:
                return []
            chosen = [
                notes.read(path, store.blob(blob)) for path, blob in chance.sample(waiting, min(most, len(waiting)))
            ]
            edits = {path: new for task in chosen for path, new in taken(task, seat.agent, NOW).items()}
            made = store.commit(head, edits, message=f"claim {seat.agent}\n", author=AgentId(seat.agent), at=NOW)
            store.keep()
            if run("push", "--quiet", seat.url, f"{made}:{HEAD}") == 0:
                store.set_ref("refs/hub/main", made)
                if contended:
                    time.sleep(chance.uniform(0, YIELD))
                contended = False
                return [str(task.id) for task in chosen]
            contended = True
            run("fetch", "--quiet", "--no-tags", "--no-auto-maintenance", seat.url, f"+{HEAD}:refs/hub/main")

    return claim


if __name__ == "__main__":
    main()
