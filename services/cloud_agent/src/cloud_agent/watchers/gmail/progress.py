"""How far a Gmail account has been read: an entry of its history, and what is left of a look at everything."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from vault_protocol.files import write_whole


class Progress(BaseModel):
    """Everything up to `history` was handed over; of a look at everything that is not done, the first `done` of its
    list, which lies in a file beside this one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    history: int = Field(ge=0)
    generation: int = Field(ge=0, default=0)
    """The generation of the vault that it was handed over to."""
    done: int | None = Field(ge=0, default=None)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """None before the first look. Raises ValueError for a damaged file."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None

    def write(self, path: Path) -> None:
        """Replace the file whole; when this returns, it survives a power cut."""
        write_whole(path, self.model_dump_json().encode())


def backlog_file(path: Path) -> Path:
    return path.with_suffix(".backlog")


def write_backlog(path: Path, ids: list[str]) -> None:
    write_whole(backlog_file(path), "".join(f"{name}\n" for name in ids).encode("ascii"))


def read_backlog(path: Path) -> list[str] | None:
    try:
        return backlog_file(path).read_text(encoding="ascii").split()
    except FileNotFoundError:
        return None
