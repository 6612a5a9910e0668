"""Who may talk to the hub: one file an agent, with its role, its public key and the hashes of its tokens.

The files are read again when they change, so adding, rotating and revoking need no restart.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vault_protocol.canonical import moment, sha256, utc
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private
from vault_protocol.policy import Trust
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AGENT_ID, AgentId, Role

log = structlog.get_logger()

LOOKED_EVERY = 1.0
"""Seconds after which the folder is looked at again."""


class Standing(StrEnum):
    """What a credential is for."""

    CLOUD = "cloud"
    LOCAL = "local"
    READER = "reader"
    """Fetches and listens, publishes nothing: the owner's other tools, a monitor."""


class Token(BaseModel):
    """The hash of a token, and until when it is good (UTC); the token itself is kept by its agent alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    until: str | None = None


class Agent(BaseModel):
    """One file in the folder. `key` is an `ssh-ed25519` line; a reader has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    standing: Standing
    key: str | None = None
    tokens: tuple[Token, ...] = ()


class Agents:
    """The folder of agents. Safe for several threads."""

    def __init__(
        self, folder: Path, vault: str, *, now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._folder, self._vault, self._now, self._monotonic = folder, vault, now, monotonic
        self._lock = threading.Lock()
        self._looked, self._mark = -LOOKED_EVERY, ""
        self._known: dict[AgentId, Agent] = {}
        self._trust = Trust(vault, {})

    def authenticate(self, token: str) -> tuple[AgentId, Standing] | None:
        """Whose token this is. Every known hash is compared, each in constant time."""
        self._look()
        given, found, now = sha256(token.encode("utf-8", "surrogatepass")), None, utc(self._now())
        for name, agent in self._known.items():
            for known in agent.tokens:
                same = hmac.compare_digest(given, known.sha256)
                if same and (known.until is None or now < known.until):
                    found = (name, agent.standing)
        return found

    def check(self) -> None:
        """Raises VaultError for a file that does not hold."""
        self._read()

    def trust(self) -> Trust:
        """The keys of every agent that was ever added: a revoked one signed what is in the history."""
        self._look()
        return self._trust

    def names(self) -> dict[AgentId, Agent]:
        self._look()
        return dict(self._known)

    def add(self, name: str, standing: Standing, key: PublicKey | None) -> str:
        """A new agent; the token, which is shown this once. Raises VaultError."""
        if not AGENT_ID.fullmatch(name):
            raise VaultError(f"{name!r} is no name for an agent: a letter, then letters, digits and dashes, 31 at most")
        if (standing is Standing.READER) != (key is None):
            raise VaultError("a reader has no key, every other agent needs its public key")
        if self._path(AgentId(name)).exists():
            raise VaultError(f"there is an agent {name!r} already; `rotate {name}` gives it another token")
        token = _new()
        self._write(AgentId(name), Agent(standing=standing, key=key.line(name) if key else None, tokens=(_of(token),)))
        return token

    def know(self, name: str, standing: Standing, key: PublicKey, *, token_sha256: str) -> None:
        """A new agent that has its token already. Raises VaultError."""
        self.add(name, standing, key)
        self._write(AgentId(name), self._existing(name).model_copy(update={"tokens": (Token(sha256=token_sha256),)}))

    def admit(self, name: str, key: PublicKey, *, token_sha256: str) -> bool:
        """An agent of Cloud on a machine of its own, which keeps its token; whether anything changed.

        Raises VaultError for a name that has another key, or that was revoked: neither comes back.
        """
        fresh = Agent(standing=Standing.CLOUD, key=key.line(name), tokens=(Token(sha256=token_sha256),))
        if not AGENT_ID.fullmatch(name) or not self._path(AgentId(name)).exists():
            self.know(name, Standing.CLOUD, key, token_sha256=token_sha256)
            return True
        known = self._existing(name)
        if known.standing is not Standing.CLOUD or known.key is None or PublicKey.parse(known.key) != key:
            raise VaultError(f"there is an agent {name!r} with another key; a new key is a new agent with a new name")
        if not known.tokens:
            raise VaultError(f"{name!r} was revoked; who comes back does so with a new key and a new name")
        if known == fresh:
            return False
        self._write(AgentId(name), fresh)
        return True

    def forget_all(self) -> None:
        """Of a hub that never came to have an owner: its joining was cut off."""
        for path in self._files():
            path.unlink()
        self._read()

    def rotate(self, name: str, *, grace: timedelta) -> str:
        """Another token; those it has go on for `grace`. Raises VaultError."""
        agent, token = self._existing(name), _new()
        until = utc(self._now() + grace)
        old = [Token(sha256=known.sha256, until=min(known.until or until, until)) for known in agent.tokens]
        fresh = [known for known in old if known.until is not None and known.until > utc(self._now())]
        self._write(AgentId(name), agent.model_copy(update={"tokens": (*fresh, _of(token))}))
        return token

    def revoke(self, name: str) -> None:
        """From now on none of its tokens opens anything. Its key stays known for the history. Raises VaultError."""
        self._write(AgentId(name), self._existing(name).model_copy(update={"tokens": ()}))

    def _existing(self, name: str) -> Agent:
        self._read(strict=False)  # another's file that does not read keeps nobody from being put out
        try:
            return self._known[AgentId(name)]
        except KeyError:
            if AGENT_ID.fullmatch(name) and self._path(AgentId(name)).exists():
                _agent(self._path(AgentId(name)))
            raise VaultError(f"there is no agent {name!r}; known are: {', '.join(self._known) or 'none'}") from None

    def _write(self, name: AgentId, agent: Agent) -> None:
        write_private(self._path(name), (agent.model_dump_json(indent=2) + "\n").encode("utf-8"))
        self._read(strict=False)

    def _path(self, name: AgentId) -> Path:
        return self._folder / f"{name}.json"

    def _look(self) -> None:
        if self._monotonic() - self._looked < LOOKED_EVERY:
            return
        with self._lock:
            self._looked = self._monotonic()
            mark = repr([(path.name, *_mark(path)) for path in self._files()])
            if mark != self._mark:
                self._read(strict=False)
                self._mark = mark

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"))

    def _read(self, *, strict: bool = True) -> None:
        """Raises VaultError for a file that does not hold; unless `strict`, only that agent is left out."""
        known: dict[AgentId, Agent] = {}
        keys: dict[AgentId, tuple[Role, PublicKey]] = {}
        for path in self._files():
            try:
                name = AgentId(path.stem)
                known[name], key = _agent(path)
            except VaultError as error:
                if strict:
                    raise
                log.error("agent.unreadable", agent=path.stem[:40], error=str(error))
                continue
            if key is not None:
                keys[name] = key
        self._known, self._trust = known, Trust(self._vault, keys)


def _agent(path: Path) -> tuple[Agent, tuple[Role, PublicKey] | None]:
    try:
        if not AGENT_ID.fullmatch(path.stem):
            raise ValueError("its name is no agent's")
        agent = Agent.model_validate_json(path.read_bytes())
        for token in agent.tokens:
            moment(token.until or "2026-01-01T00:00:00Z")
        if (agent.standing is Standing.READER) != (agent.key is None):
            raise ValueError("a reader has no key, every other agent has one")
        return agent, (Role(agent.standing.value), PublicKey.parse(agent.key)) if agent.key is not None else None
    except (OSError, ValidationError, ValueError) as error:
        raise VaultError(f"{path}: {str(error).splitlines()[0]}") from None


def _mark(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_ino


def _new() -> str:
    return secrets.token_urlsafe(32)


def _of(token: str) -> Token:
    return Token(sha256=sha256(token.encode("ascii")))
