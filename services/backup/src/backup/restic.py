"""The restic program: started with argv lists, bounded in time, blind to a caller's variables, its messages typed."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from backup import commands
from backup.commands import Words
from backup.errors import Damaged, NoRepository, ResticFailed, SourceFailed
from backup.messages import Fault, Kept, Progress, Snapshot, Summary, forgotten, last_words, message, snapshots
from backup.settings import Keep, Repository, Settings

Show = Callable[[Progress], None]
_ABSENT = ("unable to open config file", "Is there a repository at the following location")
_UNREADABLE = 3


def hidden(_progress: Progress) -> None:
    """Progress that nobody looks at."""


class Restic:
    """One repository. Every method raises ResticFailed, or NoRepository when there is none."""

    def __init__(
        self, repository: Repository, *, host: str, cache: Path, program: str = "restic", timeout: float = 3600.0
    ) -> None:
        self.repository, self.host = repository, host
        self._cache, self._program, self._timeout = cache, program, timeout

    @classmethod
    def of(cls, settings: Settings, repository: Repository | None = None) -> Restic:
        return cls(
            repository or settings.repository, host=settings.name, cache=settings.state_dir / "cache",
            program=settings.restic, timeout=settings.timeout_seconds,
        )  # fmt: skip

    def init(self) -> bool:
        """Make the repository unless it is there; whether it was made."""
        try:
            self.snapshots()
        except NoRepository:
            self._run(commands.init())
            return True
        return False

    def backup(self, kind: str, paths: Sequence[Path], *, exclude: Sequence[str] = (), show: Show = hidden) -> Summary:
        """One snapshot. Raises SourceFailed when a file could not be read: what it holds then is not whole."""
        done: list[Summary] = []

        def take(line: str) -> None:
            match message(line):
                case Progress() as progress:
                    show(progress)
                case Summary() as summary:
                    done.append(summary)
                case Fault() | None:
                    pass

        code, said = self._stream(commands.backup(kind, self.host, paths, exclude), take)
        faults = [found for line in said.splitlines() if isinstance(found := message(line), Fault)]
        if code == _UNREADABLE or faults:
            which = f" ({faults[0].item})" if faults else ""
            raise SourceFailed(f"{kind}: restic could not read every file{which}; it is tried again")
        if code or not done:
            raise _failure(f"backup of {kind}", said)
        return done[-1]

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Of this host, oldest first."""
        return snapshots(self._run(commands.snapshots(self.host)))

    def restore(self, snapshot: str, target: Path) -> None:
        self._run(commands.restore(snapshot, target))

    def check(self, number: int, subsets: int) -> None:
        """Structure, and a part of the data. Raises Damaged."""
        self._run(commands.unlock())
        try:
            self._run(commands.check(number, subsets))
        except NoRepository:
            raise
        except ResticFailed as error:
            raise Damaged(f"restic finds the repository damaged: {error}") from None

    def forget(self, keep: Keep, *, dry_run: bool = False) -> tuple[Kept, ...]:
        self._run(commands.unlock())
        return forgotten(self._run(commands.forget(keep, self.host, dry_run=dry_run)))

    def copy_from(self, source: Repository) -> None:
        """Fetch what `source` has and this repository has not."""
        self._run(commands.copy(source), also=commands.environment(source, self._cache))

    def _run(self, words: Words, also: dict[str, str] | None = None) -> str:
        """What it said on stdout."""
        out: list[str] = []
        code, said = self._stream(words, out.append, also)
        if code:
            raise _failure(words[0], said)
        return "\n".join(out)

    def _stream(self, words: Words, take: Callable[[str], None], also: dict[str, str] | None = None) -> tuple[int, str]:
        """Exit code, and all it said on stderr; `take` gets stdout a line at a time, as it comes."""
        self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        base = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        environment = {
            "LC_ALL": "C", "RESTIC_PROGRESS_FPS": "1", **base, **(also or {}),
            **commands.environment(self.repository, self._cache),
        }  # fmt: skip
        argv = [self._program, *commands.where(self.repository), *words]
        try:
            process = subprocess.Popen(
                argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                encoding="utf-8", errors="replace",
            )  # fmt: skip
        except OSError as error:
            raise ResticFailed(f"{self._program} cannot be started: {error.strerror}") from None
        said: list[str] = []
        late = threading.Timer(self._timeout, process.kill)
        listener = threading.Thread(target=_drain, args=(process, said), daemon=True)
        with process:
            late.start()
            listener.start()
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    take(line.rstrip("\n"))
                code = process.wait()
            finally:
                late.cancel()
                process.kill()
                listener.join()
        if code < 0:
            said.append(f"ended by signal {-code}; it may take {self._timeout:.0f} s (timeout_seconds)")
        return code, "\n".join(said)


def _drain(process: subprocess.Popen[str], said: list[str]) -> None:
    assert process.stderr is not None
    said += [line.rstrip("\n") for line in process.stderr]


def _failure(what: str, said: str) -> ResticFailed:
    if any(words in said for words in _ABSENT):
        return NoRepository(f"there is no repository yet ({last_words(said)}); `python -m backup init` makes one")
    return ResticFailed(f"restic {what}: {last_words(said)}")
