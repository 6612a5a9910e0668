"""One signed changeset onto the hub's head: built, judged on both sides, durable, answered."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from tests.bench import resident, ssh, vaults
from tests.bench.claims import Cli, GitPython, copied
from tests.bench.rows import Row, interleaved, milliseconds
from vault_protocol import layout, moves, notes
from vault_protocol.canonical import moment
from vault_protocol.files import write_whole
from vault_protocol.hub import CommitId, Edits
from vault_protocol.remote import HEAD
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Stage, Task
from vault_protocol.vault import Vault

WRITTEN = 2000
"""Bytes of a publish on its way: a note, three trees and a commit, deflated."""
NOW = moment("2026-11-25T09:00:00Z")


def publish(size: int, folder: Path, *, quick: bool = False) -> Row:
    """Ours through the hub's process, with policy, auth and fsync. The peers push the same change to a repository that
    fsyncs; `git_push` is the faster of a local path and one multiplexed ssh. The floor: the bytes and the ref durable,
    and one round trip over loopback."""
    template = vaults.hub(folder / "template.git", size)
    with ExitStack() as stack:
        hub = stack.enter_context(resident.resident(folder / "hub", template, ["cloud"]))
        server = stack.enter_context(ssh.server(folder / "sshd"))
        ours = Ours(hub.seats["cloud"].vault())
        by_path = Push(template, folder / "by-path", str(copied(template, folder / "path")))
        by_ssh = Push(template, folder / "by-ssh", server.url(copied(template, folder / "ssh")), server.command)
        cli = Cli(copied(template, folder / "cli"), folder / "cli")
        gitpython = GitPython(copied(template, folder / "gitpython"), folder / "gitpython")
        floor = stack.enter_context(Floor(folder / "floor"))
        rounds = 2 if quick else 45  # and one that is not counted: at the least size fifty wait
        fewer = {"by_path": 21, "by_ssh": 21, "git_cli": 15, "gitpython_index": 15}
        if size > 10_000:
            fewer |= {"git_cli": 5, "gitpython_index": 3}
        elif size > 1000:
            fewer |= {"git_cli": 9, "gitpython_index": 7}
        found = interleaved(
            {
                "ours": ours.publish, "floor": floor.publish, "by_path": by_path.publish, "by_ssh": by_ssh.publish,
                "git_cli": cli.claim, "gitpython_index": gitpython.claim,
            },
            rounds, fewer=fewer,
        )  # fmt: skip
    peers = {"git_push": min(found["by_path"], found["by_ssh"])}
    peers |= {name: found[name] for name in ("gitpython_index", "git_cli")}
    return Row(f"publish_{size}", "ms", found["ours"], found["floor"], peers)


def taken(task: Task, agent: str, now: datetime) -> Edits:
    """What a claim of this task writes."""
    path, content = notes.write(moves.claim(task, agent=AgentId(agent), now=now, ttl=timedelta(minutes=10)))
    return {layout.path_of(task): None, path: content}


class Ours:
    """An agent that knows what it wants to move, and publishes that."""

    def __init__(self, vault: Vault) -> None:
        self._journal = vault.journal
        self._waiting = iter(list(vault.tasks(Stage.NEEDS_ACTION)))

    def publish(self) -> float:
        journal, task = self._journal, next(self._waiting)
        edits = taken(task, journal.identity.agent, journal.clock.now())
        return milliseconds(lambda: journal.publish("claim", task.id, lambda _head: edits))


class Push:
    """The same change, made by the fastest means there is, and pushed by git."""

    def __init__(self, template: Path, home: Path, url: str, command: str = "") -> None:
        resident.seat_clone(template, home)
        self._store, self._url, self._command = GitStore(home / "clone.git"), url, command
        self._head = CommitId(resident.head_of(self._store.path))
        tasks = (notes.read(path, self._store.blob(blob)) for path, blob in self._store.paths(self._head, _WAITING))
        self._waiting = iter(list(tasks))

    def publish(self) -> float:
        edits = taken(next(self._waiting), "peer", NOW)

        def act() -> None:
            made = self._store.commit(self._head, edits, message="claim\n", author=AgentId("peer"), at=NOW)
            self._store.keep()
            self._push(made)
            self._head = made

        return milliseconds(act)

    def _push(self, commit: CommitId) -> None:
        argv = ["git", f"--git-dir={self._store.path}", "push", "--quiet", self._url, f"{commit}:{HEAD}"]
        environment = os.environ | ({"GIT_SSH_COMMAND": self._command} if self._command else {})
        subprocess.run(argv, check=True, capture_output=True, timeout=60, env=environment)


_WAITING = Stage.NEEDS_ACTION.value


class Floor:
    """What any hub has to do before its answer is heard."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder, self._count = folder, 0

    def __enter__(self) -> Floor:
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._answer, daemon=True).start()
        self._asking = socket.create_connection(self._listening.getsockname())
        self._asking.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def __exit__(self, *_: object) -> None:
        self._asking.close()
        self._listening.close()

    def publish(self) -> float:
        def act() -> None:
            self._asking.sendall(b"?")
            assert self._asking.recv(1)

        return milliseconds(act)

    def _answer(self) -> None:
        peer, _ = self._listening.accept()
        with peer:
            while peer.recv(1):
                self._count += 1
                write_whole(self._folder / f"{self._count}.pack", os.urandom(WRITTEN))
                write_whole(self._folder / "main", b"0" * 41)
                peer.sendall(b"!")
