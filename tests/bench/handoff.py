"""From Cloud's write to the file in the owner's folder."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median

from watchdog.events import FileMovedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from demo.processes import eventually
from demo.world import World
from tests.bench.gate import LOOK, REST, gate
from tests.bench.resident import BEHIND
from tests.bench.rows import Row, milliseconds
from tests.syncthings import pair
from vault_protocol import keys, remote
from vault_protocol.clock import SystemClock
from vault_protocol.files import write_whole
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Role
from vault_protocol.vault import Vault

NOTE = b"# A briefing\n\nThree mails wait for you.\n"


def handoff(folder: Path, *, quick: bool = False) -> Row:
    """Ours with the hub and Local's service as processes. Floor: a durable write for the hub, inotify, one round trip
    over loopback, a durable write in the folder. Peers: the git program and a pull every second; Syncthing as it is
    shipped (it tells of a change after ten seconds), and told to wait for one."""
    count = 1 if quick else 31
    with gate(folder / "world") as made, _cloud(made) as vault:
        made.start_local()
        eventually((made.vault_folder / "Company_Handbook.md").exists, "the folder is there", seconds=60)
        eventually(made.try_unlock, "the service answers", seconds=60)
        ours = [_ours(made, vault, number) for number in range(count + 1)]
    floor = _floor(folder / "floor", count + 1)
    polled = _polled(folder / "polled", 1 if quick else 11)
    peers = {
        "git_poll_1s": median(polled),
        "syncthing_default": median(_synced(folder / "shipped", 1 if quick else 5, None)),
        "syncthing_1s": median(_synced(folder / "tuned", 1 if quick else 11, 1.0)),
    }
    return Row("handoff", "ms", median(ours[1:]), median(floor[1:]), peers)


@contextmanager
def _cloud(made: World) -> Iterator[Vault]:
    """The vault in Cloud's hands, with its own key and clone; its process does not run."""
    identity = Identity(AgentId("cloud"), Role.CLOUD, made.vault_id, keys.load(made.cloud_home / "keys" / "cloud"))
    home = made.folder / "writer"
    store = GitStore(home / "clone.git")
    hub = made.connect(store)
    yield Vault(Journal(store, hub, identity, SystemClock(), checkpoint=home / "followed.json", behind=BEHIND))
    hub.close()


def _ours(made: World, vault: Vault, number: int) -> float:
    time.sleep(REST)
    name = f"Briefings/note-{number}.md"
    vault.refresh()

    def act() -> None:
        vault.write("brief", "owner", {name: NOTE})
        _wait_for(made.vault_folder / name)

    return milliseconds(act)


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} never came"
        time.sleep(LOOK)


class _Courier(FileSystemEventHandler):
    """Sees a file at the hub, asks for it over loopback, and puts it into the folder."""

    def __init__(self, hub: Path, folder: Path) -> None:
        self._folder = folder
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._answer, daemon=True).start()
        self._asking = socket.create_connection(self._listening.getsockname())
        self._asking.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._observer = Observer()
        self._observer.schedule(self, str(hub), event_filter=[FileMovedEvent])
        self._observer.start()

    def on_moved(self, event: FileSystemEvent) -> None:
        self._asking.sendall(b"?")
        write_whole(self._folder / Path(str(event.dest_path)).name, self._asking.recv(4096))

    def _answer(self) -> None:
        peer, _ = self._listening.accept()
        while peer.recv(1):
            peer.sendall(NOTE)
        peer.close()

    def close(self) -> None:
        self._observer.stop()
        self._observer.join()
        self._asking.close()
        self._listening.close()


def _floor(folder: Path, count: int) -> list[float]:
    hub, owner = folder / "hub", folder / "owner"
    hub.mkdir(parents=True)
    owner.mkdir()
    courier, taken = _Courier(hub, owner), []
    for number in range(count):
        time.sleep(0.02)

        def act(name: str = f"{number}.md") -> None:
            write_whole(hub / name, NOTE)
            _wait_for(owner / name)

        taken.append(milliseconds(act))
    courier.close()
    return taken


def _polled(folder: Path, count: int) -> list[float]:
    """Two worktrees of one bare repository; the second pulls every second, at no agreed moment."""
    remote.create(folder / "hub.git")
    cloud, owner, chance = folder / "cloud", folder / "owner", Random(3)
    for clone in (cloud, owner):
        _git(folder, "clone", "--quiet", str(folder / "hub.git"), str(clone))
    _write_and_push(cloud, "first.md")
    over = threading.Event()

    def pull() -> None:
        while not over.wait(1.0):
            _git(owner, "pull", "--quiet", "--ff-only", "origin", "main")

    polling = threading.Thread(target=pull)
    polling.start()
    taken = []
    for number in range(count):
        time.sleep(chance.uniform(0, 1))

        def act(name: str = f"note-{number}.md") -> None:
            _write_and_push(cloud, name)
            _wait_for(owner / name)

        taken.append(milliseconds(act))
    over.set()
    polling.join()
    return taken


def _synced(folder: Path, count: int, delay: float | None) -> list[float]:
    """From a write into one device's folder to the file in the other's."""
    one, other = folder / "one", folder / "other"
    taken = []
    with pair(folder / "syncthing", one, other, delay=delay):
        (one / "first.md").write_bytes(NOTE)
        _wait_for(other / "first.md")
        for number in range(count):
            time.sleep(REST)

            def act(name: str = f"note-{number}.md") -> None:
                write_whole(one / name, NOTE)
                _wait_for(other / name)

            taken.append(milliseconds(act))
    return taken


def _write_and_push(clone: Path, name: str) -> None:
    (clone / name).write_bytes(NOTE)
    _git(clone, "add", name)
    _git(clone, "commit", "--quiet", "-m", "write")
    _git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/main")


def _git(at: Path, *argv: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=peer", "-c", "user.email=peer@bench.invalid", *argv],
        cwd=at, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
