"""How far a mailbox has been read, kept in one small file per mailbox."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from vault_protocol.files import write_whole


class WatchState(BaseModel):
    """The last message handed over. UIDs mean something only together with their UIDVALIDITY."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uidvalidity: int = Field(ge=1)
    last_uid: int = Field(ge=0)
    generation: int = Field(ge=0, default=0)
    """The generation of the vault that it was handed over to."""

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The saved state, or None before the first message. Raises ValueError for a damaged file."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None

    def write(self, path: Path) -> None:
        """Replace the file whole; when this returns, it survives a power cut."""
        write_whole(path, self.model_dump_json().encode())
