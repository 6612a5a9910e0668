"""Files dropped into Inbox/ become tasks: the file itself stays on this machine, the vault gets a note about it."""

from __future__ import annotations

import mimetypes
from datetime import datetime
from pathlib import Path

import correspondence
from vault_protocol import scan
from vault_protocol.canonical import sha256, utc
from vault_protocol.files import write_private
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.plain import fenced, one_line, slug, visible
from vault_protocol.task import Domain, Stage, Task, task_id

SHOWN = 100_000
"""Characters of a file's text that go into its note."""

_TEXT = {".txt", ".md", ".csv", ".tsv", ".json", ".jsonl", ".log", ".ics", ".vcf", ".html", ".xml", ".yaml", ".yml"}


def keep(name: str, content: bytes, folder: Path) -> Path:
    """The file as it was dropped, under its hash, in the private folder."""
    kept = folder / (sha256(content) + Path(name).suffix.lower()[:12])
    if not kept.exists():
        write_private(kept, content)
    return kept


def task_of(name: str, content: bytes, *, secret: bytes, now: datetime) -> Task:
    """The task for a dropped file. The same name and bytes give the same task, so a file is never taken twice."""
    digest = sha256(content)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    text, masked = scan.mask(_text(name, content))
    shown = one_line(name, 120)
    front = FrontMatter().put(
        type="file", received=utc(now), priority="normal", name=shown, size=len(content), sha256=digest, media_type=kind
    )
    facts = f"name: {visible(name)}\nsize: {len(content)} bytes\ntype: {kind}\nsha256: {digest}\n"
    body = ["", "# A file from your Inbox", ""]
    if masked:
        body += [f"> [!warning] {len(masked)} secrets were taken out of this text", ""]
    body += [
        "## Original",
        "",
        fenced(facts),
        fenced(text[:SHOWN]) if text else "_It holds no text that can be shown._\n",
    ]
    return Task(
        id=task_id(secret, mailbox="inbox", message_id=name, content_sha256=digest),
        stage=Stage.NEEDS_ACTION, domain=Domain.FILES, slug=slug(Path(name).stem), note=Note(front, "\n".join(body)),
    )  # fmt: skip


def _text(name: str, content: bytes) -> str:
    suffix = Path(name).suffix.lower()
    if suffix == ".eml":
        mail = correspondence.read(content)
        return f"{mail.subject}\n\n{mail.text}"
    if suffix in _TEXT:
        return visible(content[: SHOWN * 4].decode("utf-8", "replace"))
    return ""
