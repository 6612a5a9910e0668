"""A hub that is any git remote: refresh and publish by the git program, never merge, rebase or force.

libgit2's own push to a path is not a compare-and-swap between processes, so the network is left to git.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import re
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import git
from watchdog.events import FileClosedEvent, FileCreatedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from . import disk, janitor, picking
from .errors import HubUnreachable, UntrustedHead
from .hub import Accepted, Broken, CommitId, MovedOn, Published, Reserved
from .store import GitStore
from .task import Domain

HEAD = "refs/heads/main"
_TRACKED = "refs/hub/main"
_REFSPEC = "+refs/heads/mai*:refs/hub/mai*"
"""A pattern, so that an empty hub is no error. The plus moves our own note of the hub's head, nothing on the hub."""

_AT_THE_HUB = "remote:"
"""How git begins the lines that the other side said."""

_ROOTS = "refs/reroot"

_YIELD = 0.03
"""Seconds a winner at most rests after a contended publish, or back-to-back publishes starve the others."""

_TIDY = 100
"""Fetches after which git may tidy the clone up; it starts two programs only to see whether it has to."""


class Remote:
    """The hub at a git address, seen through one clone. Safe for several processes on the same clone."""

    def __init__(self, store: GitStore, url: str, *, timeout: float = 60.0) -> None:
        """`url`: whatever git can fetch from and push to. `timeout`: seconds for one git call."""
        self._store, self._url, self._timeout = store, url, timeout
        self._git = git.cmd.Git(str(store.path))
        self._contended, self._chance = False, random.Random()  # noqa: S311 - spreads those who claim
        self._handle = -1
        self._seen: CommitId | None = None
        self._fetches = 0
        self._news: _News | None = None

    def refresh(self) -> CommitId | None:
        local = self._local
        if local is not None and self._seen is not None and _head_file(local) == self._seen:
            return self._seen
        with self._alone():
            return self._fetch()

    def publish(self, commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Published:
        self._store.keep()  # git sends from the disk
        with self._alone():
            past = self._is_past(onto)
            code, said = (1, "its head had moved on") if past else self._push(f"{commit}:{HEAD}", onto)
            if code != 0 and not past and self._local is not None and janitor.clear_hub(self._local):
                code, said = self._push(f"{commit}:{HEAD}", onto)
            if code == 0:
                self._seen = commit
                if self._contended:
                    time.sleep(random.uniform(0, _YIELD))  # noqa: S311 - fairness, not secrecy
                self._contended = False
                return Accepted(commit)
            try:
                head = self._fetch()
            except HubUnreachable as error:
                return Broken(f"{error} (after: {said})")
            if head is not None and self._holds(head, commit, onto):
                return Accepted(head)
            if head == onto:
                full = f"; {disk.GOES_ON}" if disk.said(said) is not None else ""
                return Broken(f"the hub would not take it: {said}{full}")
            self._contended = True
            return MovedOn(head)

    def replace(self, root: CommitId, *, seen: CommitId | None) -> Published:
        """Begin the hub's line anew at `root`, if its head is `seen`.

        The root also gets a ref of its own there: an operator can put it in place where the hub denies it to us.
        """
        self._store.keep()
        with self._alone():
            code, said = self._push(f"{root}:{_ROOTS}/{root}", seen)
            if code == 0:
                code, said = self._swap(root, seen)
            if code != 0 and self._local is not None and janitor.clear_hub(self._local):
                code, said = self._swap(root, seen)
            try:
                head = self._fetch()
            except HubUnreachable as error:
                return Broken(f"{error} (after: {said})")
            if head is not None and self._store.follows(head, root):
                return Accepted(head, root)
            if head != seen:
                return MovedOn(head)
            how = f"git update-ref {HEAD} {root} {seen or ''}".rstrip()
            return Broken(f"the hub denies it ({said}); in the hub's repository run `{how}`")

    def reserve(self, domains: Iterable[Domain], count: int) -> Reserved:
        """Some that wait, by chance: a plain remote can tell nobody else to leave them alone."""
        return picking.by_chance(self._store, self.refresh(), domains, count, self._chance)

    def wait(self, seconds: float) -> bool:
        """Sleep; for a hub on this machine, until its head moved since the last wait. Whoever waited has to look."""
        local = self._local
        if local is not None and (self._news is None or not self._news.is_of(local)):
            self._news = _News.of(local, self._news)
        if local is None or self._news is None:
            time.sleep(seconds)
        elif self._news.heard.wait(seconds):
            self._news.heard.clear()
        return True

    def close(self) -> None:
        """Stop listening to a hub on this machine."""
        if self._news is not None:
            self._news.end()

    def _holds(self, head: CommitId, commit: CommitId, onto: CommitId | None) -> bool:
        """Whether our commit is on the hub: a lost answer is resolved by looking."""
        try:
            return any(found.id == commit for found in self._store.history(onto, head)) if head != onto else False
        except UntrustedHead:
            return False  # another line: whoever follows it judges it

    def _is_past(self, onto: CommitId | None) -> bool:
        """Whether a push onto this head is certainly in vain: cheap to see for a hub on this machine."""
        local = self._local
        found = _head_file(local) if local is not None else None
        return found is not None and found != onto

    def _push(self, refspec: str, seen: CommitId | None) -> tuple[int, str]:
        """With a lease on the head that was seen: git alone would also take a commit onto a head that went back."""
        lease = f"--force-with-lease={HEAD}:{seen or ''}"
        return self._run("push", "--porcelain", "--no-follow-tags", lease, self._url, refspec)

    def _swap(self, root: CommitId, seen: CommitId | None) -> tuple[int, str]:
        """On this machine the ref itself is swapped, for a hub denies forced pushes; elsewhere one is tried."""
        local = self._local
        if local is None:
            return self._push(f"{root}:{HEAD}", seen)  # a plus would force it past the lease
        inner = local / ".git"
        at = inner if inner.is_dir() else local
        return self._run("update-ref", HEAD, root, seen or "0" * len(root), at=at)

    def _fetch(self) -> CommitId | None:
        self._fetches += 1
        tidy = "--auto-maintenance" if self._fetches % _TIDY == 0 else "--no-auto-maintenance"
        code, said = self._run("fetch", "--quiet", "--no-tags", "--prune", tidy, self._url, _REFSPEC)
        if code != 0:
            janitor.clear_half_written(self._store.path)
            ours = disk.said(said)
            if ours is not None and not said.startswith(_AT_THE_HUB):
                raise disk.trouble(ours, self._store.path)
            raise HubUnreachable(f"the hub at {_shown(self._url)} does not answer: {said}")
        self._seen = self._store.ref(_TRACKED)
        return self._seen

    def _run(self, *argv: str, at: Path | None = None) -> tuple[int, str]:
        """Exit code and what git said: its line about a disk, else its last one. Bounded in time, never asks, blind to
        a caller's git variables."""
        repository = at or self._store.path
        environment = {
            "GIT_DIR": str(repository), "GIT_COMMON_DIR": str(repository), "GIT_NAMESPACE": "",
            "GIT_OBJECT_DIRECTORY": str(repository / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": "", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0",
            "LC_ALL": "C",
        }  # fmt: skip
        code, out, err = self._git.execute(
            ["git", *argv], with_extended_output=True, with_exceptions=False,
            kill_after_timeout=self._timeout, env=environment, strip_newline_in_stdout=True,
            pass_fds=(self._handle,),
        )  # fmt: skip
        lines = [line for line in f"{out}\n{err}".splitlines() if line.strip()]
        if code == -signal.SIGXFSZ:
            lines = [os.strerror(errno.EFBIG)]
        of_a_disk = [line for line in lines if disk.said(line) is not None]
        return int(code), _shown((of_a_disk or lines or [f"exit code {code}"])[-1][:300])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time works on this clone's refs.

        git inherits the lock: after a kill it is free only once the git that was left behind has ended, and then
        whatever lock files stand in the clone are nobody's.
        """
        handle = os.open(self._store.path / "countersign.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._handle = handle  # only now: threads of one process wait above with handles of their own
            janitor.clear_clone(self._store.path)
            yield
        finally:
            os.close(handle)

    @property
    def _local(self) -> Path | None:
        """The hub as a folder, when it is one on this machine."""
        path = Path(self._url.removeprefix("file://"))
        return path if path.is_dir() else None


def create(path: Path) -> None:
    """A bare repository fit to be a hub: every object and ref on disk before it answers, only fast-forwards."""
    repository = git.Repo.init(path, bare=True, initial_branch="main")
    with repository.config_writer() as config:
        for section, option, value in (
            ("core", "fsync", "all"),
            ("receive", "fsckObjects", "true"),
            ("receive", "denyDeletes", "true"),
            ("receive", "denyNonFastForwards", "true"),
            ("receive", "autogc", "false"),
            ("gc", "auto", "0"),
        ):
            config.set_value(section, option, value)
    repository.close()


def fsck(path: Path) -> tuple[str, ...]:
    """What `git fsck` finds wrong with a bare repository, a line each; nothing when it is whole."""
    found = git.cmd.Git().execute(
        ["git", f"--git-dir={path}", "fsck", "--full", "--no-dangling", "--no-progress"],
        with_extended_output=True, with_exceptions=False, env={"LC_ALL": "C"},
    )  # fmt: skip
    code, out, err = int(found[0]), str(found[1]), str(found[2])
    lines = [line for line in f"{out}\n{err}".splitlines() if line.strip() and not line.startswith("notice:")]
    return tuple(lines) if code or lines else ()


class _News(FileSystemEventHandler):
    """Hears when the head of a hub on this machine moves, from the first wait on."""

    def __init__(self, hub: Path) -> None:
        """Raises OSError when the system has no room for another watch."""
        self.heard = threading.Event()
        self.heard.set()  # whatever happened before we listened
        self._folder = _identity(hub)
        self._observer = Observer()
        for folder in (hub / "refs" / "heads", hub):
            self._observer.schedule(self, str(folder), event_filter=[FileCreatedEvent, FileClosedEvent, FileMovedEvent])
        self._observer.start()

    @classmethod
    def of(cls, hub: Path, before: _News | None) -> _News | None:
        """None where nothing can be heard."""
        if before is not None:
            before.end()
        try:
            return cls(hub)
        except OSError:
            return None

    def end(self) -> None:
        self._observer.stop()
        self.heard.set()

    def is_of(self, hub: Path) -> bool:
        """Whether this is still the folder that is listened to: a restored hub is another one."""
        return self._folder == _identity(hub)

    def on_any_event(self, event: FileSystemEvent) -> None:
        name = Path(os.fsdecode(event.dest_path or event.src_path)).name
        if name in ("main", "packed-refs"):
            self.heard.set()


def _shown(text: str) -> str:
    """Without the name and password that an address may carry."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def _identity(hub: Path) -> tuple[int, int] | None:
    try:
        status = (hub / "refs" / "heads").stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _head_file(hub: Path) -> str | None:
    """The head as its own file has it; None when git keeps it elsewhere, or there is none."""
    try:
        return (hub / "refs" / "heads" / "main").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
