"""The pictures of posts, by their content: files that this machine keeps, dropped by the owner or for a task."""

from __future__ import annotations

from pathlib import Path

from local_agent.attachments import Attachments, NoSuchFile
from vault_protocol.action import Attachment, Media
from vault_protocol.canonical import sha256

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)


def kind(content: bytes) -> str:
    """The media type of a picture by its first bytes; empty for what is none."""
    for begin, found in _BEGINNINGS:
        if content.startswith(begin):
            return found
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return {b"avif": "image/avif", b"heic": "image/heic", b"heix": "image/heic"}.get(content[8:12], "")
    return ""


def as_file(media: Media) -> Attachment:
    """The picture as a file like any other."""
    return Attachment(name=media.name, media_type=media.media_type, size=media.size, sha256=media.sha256)


class Pictures:
    """Reads what is kept in either folder."""

    def __init__(self, attachments: Attachments, dropped: Path) -> None:
        self._attachments, self._dropped = attachments, dropped

    def read(self, media: Media | Attachment, /) -> bytes:
        """Exactly the bytes with this hash and size, which are a picture of this type. Raises NoSuchFile."""
        content = self._from_inbox(media)
        if content is None:
            content = self._attachments.read(as_file(media) if isinstance(media, Media) else media)
        if len(content) != media.size:
            raise NoSuchFile(f"the bytes of {media.name} on this machine are others than its size says")
        if kind(content) != media.media_type:
            raise NoSuchFile(f"{media.name} is {kind(content) or 'no picture'}, not {media.media_type}")
        return content

    def origin(self, media: Media | Attachment, /, *, task: str) -> str | None:
        """Where it came from, when it is here; else None."""
        if self._from_inbox(media) is not None:
            return "a file that you dropped into Inbox/"
        return self._attachments.origin(as_file(media) if isinstance(media, Media) else media, task=task)

    def _from_inbox(self, media: Media | Attachment) -> bytes | None:
        for path in self._dropped.glob(f"{media.sha256}*"):
            content = path.read_bytes()
            if sha256(content) == media.sha256:
                return content
        return None
