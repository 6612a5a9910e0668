"""This machine as a linked device of the owner's phone, over `neonize`: unofficial, and a ban is possible.

docs/whatsapp.md says what that means. The session is a file in the private folder; who has it is the owner.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from local_agent.chats.phone import Message
from local_agent.networks.network import AnswerLost, BadLogin, NotPublished
from local_agent.networks.times import parsed
from vault_protocol.files import write_private

PAIRING = "pairing"
"""The file that holds the code to pair with while there is one."""


class Device(Protocol):
    """What is needed of a linked device; `neonize_session` makes one of neonize."""

    def connect(self) -> None:
        """Until it is stopped. Raises whatever the library raises."""
        ...

    def send(self, *, to: str, chat: str, text: str) -> str: ...

    def stop(self) -> None: ...


class Heard(Protocol):
    """What a device tells: a code to pair with, that it is connected or logged out, and each message."""

    def code(self, code: str) -> None: ...

    def connected(self) -> None: ...

    def logged_out(self) -> None: ...

    def message(self, message: Message) -> None: ...


Session = Callable[[Path, Heard], Device]
"""(the session's file, whom to tell) → the device."""


class Linked:
    """Implements `Phone`. It connects in a thread of its own, and tells `heard` of each text that comes in."""

    def __init__(self, session: Session, folder: Path, heard: Callable[[Message], object]) -> None:
        self._folder, self._heard = folder, heard
        self._pairing = folder / PAIRING
        self._ready = threading.Event()
        self._trouble = "it is not connected yet"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._device = session(folder / "session.sqlite", self)
        self._thread = threading.Thread(target=self._connect, name="whatsapp", daemon=True)
        self._thread.start()

    def send(self, *, to: str, chat: str, answers: str, text: str) -> str:
        """`answers` is left out: a quote would need the whole message that it quotes."""
        if not self._ready.is_set():
            raise NotPublished(f"WhatsApp: {self.state()}")
        try:
            id_ = self._device.send(to=to, chat=chat, text=text)
        except Exception as error:  # noqa: BLE001 - as in _connect; whatever it was, the message may be out
            raise AnswerLost(f"the linked device failed: {type(error).__name__}") from None
        if not id_:
            raise AnswerLost("the linked device names no id")
        return id_

    def state(self) -> str:
        if self._pairing.exists():
            return "it has to be paired: `countersign pair-whatsapp` shows the code"
        return "ok" if self._ready.is_set() else self._trouble

    def close(self) -> None:
        self._device.stop()
        self._thread.join(timeout=5)

    def code(self, code: str) -> None:
        self._ready.clear()
        write_private(self._pairing, code.encode("utf-8"))

    def connected(self) -> None:
        self._pairing.unlink(missing_ok=True)
        self._ready.set()

    def logged_out(self) -> None:
        self._ready.clear()
        self._trouble = "your phone has logged this machine out; start again and pair it anew"

    def message(self, message: Message) -> None:
        self._heard(message)

    def _connect(self) -> None:
        try:
            self._device.connect()
            self._trouble = "the connection has ended"
        except Exception as error:  # noqa: BLE001 - the library raises what it likes, and the owner has to hear of it
            self._trouble = f"it cannot connect: {type(error).__name__}"
        self._ready.clear()


def neonize_session(file: Path, heard: Heard) -> Device:
    """Raises BadLogin when the extra `whatsapp` is not installed."""
    try:
        from local_agent.chats.neonize_device import NeonizeDevice  # 24 MB, and most machines have no use for it
    except ImportError:
        raise BadLogin("a linked WhatsApp needs `pip install 'countersign-local-agent[whatsapp]'`") from None
    return NeonizeDevice(file, heard)


def message_of(*, id_: str, chat: str, sender: str, name: str, text: str, at: Any) -> Message | None:
    """What a library tells of a message, as ours; None for what is no text from a person's number."""
    digits = sender.partition("@")[0].partition(":")[0]
    if not text or not id_ or not digits.isascii() or not digits.isdigit() or not 7 <= len(digits) <= 15:
        return None
    return Message(id_, chat, f"+{digits}", name, text, parsed(at))
