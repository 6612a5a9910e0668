"""The text of a stranger's PDF, read in a process of its own that gets little time and memory."""

from __future__ import annotations

import io
import logging
import resource
import subprocess
import sys

LARGEST = 10 * 1024 * 1024
PAGES, CHARACTERS = 10, 100_000
SECONDS, MEMORY = 20, 1024 * 1024 * 1024


class NoText(ValueError):
    """No text can be taken out of it; the message says why."""


def of_pdf(content: bytes) -> str:
    """One line of text for each line of the pages. Raises NoText."""
    if len(content) > LARGEST:
        raise NoText(f"it has {len(content)} bytes, over {LARGEST}")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", __name__], input=content, capture_output=True, check=False,
            timeout=2 * SECONDS, env={"LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NoText("reading it takes too long") from None
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode or len(text) > CHARACTERS:
        raise NoText("its text cannot be read, or is longer than a bill's")
    if not text.strip():
        raise NoText("there is no text in it (a scan?)")
    return text


def main() -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    from pypdf import PdfReader  # what a stranger's file does to it, it does under the limits

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(sys.stdin.buffer.read(LARGEST + 1)))
        if len(reader.pages) > PAGES:
            return 1
        text = "\n".join(page.extract_text() for page in reader.pages)
    except Exception:  # noqa: BLE001 - a stranger's PDF breaks its reader in any way there is
        return 1
    sys.stdout.buffer.write(text[: CHARACTERS + 1].encode("utf-8", "replace"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
