"""The outside server's record: one NNNN.eml per accepted message, its envelope in NNNN.json beside it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict

from vault_protocol.files import write_whole


class Envelope(BaseModel):
    """What the SMTP conversation said, as opposed to the headers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sender: str
    recipients: tuple[str, ...]
    received_at: AwareDatetime


@dataclass(frozen=True)
class Received:
    """One message that left the house for good. `raw` is as on the wire, with CRLF."""

    number: int
    envelope: Envelope
    raw: bytes


def store(folder: Path, *, sender: str, recipients: tuple[str, ...], raw: bytes, now: datetime) -> Received:
    """Write the message durably; the .eml comes last, so a message is complete once its .eml is there."""
    number = 1 + max((int(path.stem) for path in folder.glob("[0-9]*.eml")), default=0)
    envelope = Envelope(sender=sender, recipients=recipients, received_at=now)
    write_whole(folder / f"{number:04}.json", envelope.model_dump_json(indent=2).encode())
    write_whole(folder / f"{number:04}.eml", raw)
    return Received(number, envelope, raw)


def read_all(folder: Path) -> list[Received]:
    """Every message in `folder`, oldest first."""
    numbers = sorted(int(path.stem) for path in folder.glob("[0-9]*.eml"))
    return [
        Received(
            number,
            Envelope.model_validate_json((folder / f"{number:04}.json").read_bytes()),
            (folder / f"{number:04}.eml").read_bytes(),
        )
        for number in numbers
    ]
