"""PostgreSQL's own programs on one database: here over the network, or in the server's container by `docker exec`."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from backup.errors import SourceFailed
from backup.settings import Books
from vault_protocol.files import secret_line, write_private

SILENT_SECONDS = 60
"""A server whose machine says nothing for so long is gone. An answer may take longer."""

_SERVICE = f"""[server]
connect_timeout=10
keepalives_idle={SILENT_SECONDS // 2}
keepalives_interval=10
keepalives_count=3
tcp_user_timeout={SILENT_SECONDS * 1000}
"""


@dataclass(frozen=True)
class Access:
    """How the server is reached. The password goes to libpq in a file of `scratch`, never by argument."""

    database: str
    user: str
    host: str | None = None
    port: int = 5432
    password_file: Path | None = None
    scratch: Path | None = None
    container: str | None = None
    timeout: float = 3600.0

    @classmethod
    def of(cls, books: Books, scratch: Path, timeout: float) -> Access:
        return cls(
            books.database, books.user, host=None if books.container else books.host, port=books.port,
            password_file=books.password_file, scratch=scratch, container=books.container, timeout=timeout,
        )  # fmt: skip


class Database:
    """Every method raises SourceFailed with the program's last words."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def dump(self, file: Path, snapshot: str) -> None:
        """Everything as of an exported snapshot, uncompressed: restic compresses, and finds what did not change."""
        words = self._words("pg_dump", "-Fc", "-Z0", "--no-owner", f"--snapshot={snapshot}", self._access.database)
        with file.open("wb") as out:
            self._run(words, out=out)

    def restore(self, file: Path) -> None:
        """Into the database, which has to be there and empty."""
        end = ("--no-owner", "--exit-on-error", "--single-transaction", "-d", self._access.database)
        with file.open("rb") as feed:
            self._run(self._words("pg_restore", *end), feed=feed)

    def create(self) -> None:
        """An empty database of this name. SourceFailed when there is one."""
        self._run(self._words("createdb", "--maintenance-db=postgres", "-T", "template0", self._access.database))

    def ask(self, query: str) -> str:
        words = self._words("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self._access.database, "-c", query)
        return self._run(words).strip()

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        """One moment of the database, held still for readers while others write."""
        words = self._words("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self._access.database)
        process = subprocess.Popen(
            words, env=self._environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8",
        )  # fmt: skip
        late = threading.Timer(self._access.timeout, process.kill)
        late.start()
        try:
            held = Moment(process)
            held.begin()
            yield held
        finally:
            late.cancel()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            process.terminate()
            process.wait()

    def _words(self, program: str, *words: str) -> list[str]:
        access = self._access
        there = ["docker", "exec", "-i", access.container] if access.container else []
        server = [] if access.host is None else ["-h", access.host, "-p", str(access.port), "-w"]
        return [*there, program, *server, "-U", access.user, *words]

    def _environment(self) -> dict[str, str]:
        access = self._access
        found = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ}
        if access.scratch is None or access.host is None:
            return {"LC_ALL": "C.UTF-8", **found}
        service = access.scratch / "pg_service.conf"
        write_private(service, _SERVICE.encode())
        found |= {"PGSERVICEFILE": str(service), "PGSERVICE": "server"}
        if access.password_file is not None:
            file = access.scratch / "pgpass"
            escaped = secret_line(access.password_file).replace("\\", "\\\\").replace(":", "\\:")
            write_private(file, f"*:*:*:*:{escaped}\n".encode())
            found["PGPASSFILE"] = str(file)
        return {"LC_ALL": "C.UTF-8", **found}

    def _run(self, words: list[str], *, feed: IO[bytes] | None = None, out: IO[bytes] | None = None) -> str:
        program = next(word for word in words if word.startswith(("pg_", "psql", "create")))
        try:
            done = subprocess.run(
                words, env=self._environment(), stdin=feed or subprocess.DEVNULL, stdout=out or subprocess.PIPE,
                stderr=subprocess.PIPE, check=False, timeout=self._access.timeout,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SourceFailed(f"{program}: {type(error).__name__}") from None
        if done.returncode:
            raise SourceFailed(f"{program}: {_last(done.stderr.decode(errors='replace'))}")
        return "" if out else done.stdout.decode(errors="replace")


class Moment:
    """An open transaction that reads one moment; `snapshot` lets a dump read the same one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.snapshot = ""

    def begin(self) -> None:
        self.snapshot = self.ask(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\nSELECT pg_export_snapshot();"
        )  # fmt: skip

    def ask(self, query: str) -> str:
        """A query whose answer is one line."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            process.stdin.write(query + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            process.kill()
            raise SourceFailed(f"psql: {_last(process.stderr.read())}")
        return line.strip()


def _last(said: str) -> str:
    """The line that says what is wrong, else the last."""
    lines = [line.strip()[:300] for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line.lower()]
    return (errors or lines or ["it said nothing"])[0 if errors else -1]
