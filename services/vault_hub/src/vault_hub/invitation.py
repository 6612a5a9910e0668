"""One open invitation at a time: a file with the hash of its code, until when it is good, and who comes with it."""

from __future__ import annotations

import fcntl
import hmac
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from vault_protocol.canonical import moment, sha256, utc
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private
from vault_protocol.join_code import SECRET_BYTES, JoinCode
from vault_protocol.sshsig import PublicKey

TRIES = 100
"""Wrong codes after which an invitation is void: it holds 60 bits."""


MonitorName = Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,40}$")]
MonitorPath = Annotated[str, Field(pattern="^/api/push/[A-Za-z0-9]{16,64}$")]

_Monitors = TypeAdapter(dict[MonitorName, MonitorPath])


class Companion(BaseModel):
    """An agent of the hub's own machine, known from the first day. The token is a file there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    token_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Invitation(BaseModel):
    """`ca`: the certificate that vouches for this hub, in PEM; empty when the system's authorities do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    until: str
    tries: Annotated[int, Field(ge=1)] = TRIES
    ca: str = ""
    companions: dict[str, Companion] = Field(default_factory=dict)
    monitors: dict[MonitorName, MonitorPath] = Field(default_factory=dict)
    """Where, on this hub's own address, the owner's machine tells that its jobs were done. Each path is a secret."""


class Invitations:
    """The file, written by the operator's command and read by the hub."""

    def __init__(self, file: Path, now: Callable[[], datetime]) -> None:
        self._file, self._now = file, now

    def make(
        self, *, lasts: timedelta, ca: str, companions: dict[str, Companion], monitors: dict[str, str] | None = None
    ) -> JoinCode:
        """A new code in the place of any other. Raises VaultError."""
        try:
            code = JoinCode.of(os.urandom(SECRET_BYTES), ca)
            for one in companions.values():
                PublicKey.parse(one.key)
            checked = _Monitors.validate_python(monitors or {})
        except ValidationError:
            raise VaultError("join-code: a monitor is NAME /api/push/TOKEN") from None
        except ValueError as error:
            raise VaultError(f"join-code: {error}") from None
        until = utc(self._now() + lasts)
        with self._alone():
            self._write(
                Invitation(
                    code_sha256=_hash(code), until=until, ca=ca, companions=companions, monitors=checked
                )
            )  # fmt: skip
        return code

    def open(self) -> Invitation | None:
        """The one that is good now."""
        try:
            found = Invitation.model_validate_json(self._file.read_bytes())
            return found if utc(self._now()) < utc(moment(found.until)) else None
        except (FileNotFoundError, ValidationError, ValueError):
            return None

    def redeem(self, code: JoinCode) -> Invitation | None:
        """What the code opens, once; None for a wrong one, which costs a try."""
        with self._alone():
            found = self.open()
            if found is None:
                return None
            if hmac.compare_digest(_hash(code), found.code_sha256):
                self._file.unlink(missing_ok=True)
                return found
            if found.tries == 1:
                self._file.unlink(missing_ok=True)
            else:
                self._write(found.model_copy(update={"tries": found.tries - 1}))
        return None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Several may bring a code at once, while the operator makes another: each looks at what the last one left."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _write(self, invitation: Invitation) -> None:
        write_private(self._file, (invitation.model_dump_json(indent=2) + "\n").encode("ascii"))


def _hash(code: JoinCode) -> str:
    """60 random bits that live for minutes and are tried against this file's owner alone: a plain hash will do."""
    return sha256(f"join {code.secret}".encode("ascii"))
