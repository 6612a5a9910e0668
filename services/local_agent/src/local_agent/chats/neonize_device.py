"""The one module that imports neonize."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neonize.client import NewClient
from neonize.events import ConnectedEv, LoggedOutEv, MessageEv
from neonize.utils.jid import Jid2String, build_jid

from local_agent.chats.linked import Heard, message_of


class NeonizeDevice:
    """Implements `linked.Device`."""

    def __init__(self, file: Path, heard: Heard) -> None:
        self._client = NewClient(str(file))
        self._client.qr(lambda _client, code: heard.code(bytes(code).decode("ascii", "replace")))
        self._client.event(ConnectedEv)(lambda _client, _event: heard.connected())
        self._client.event(LoggedOutEv)(lambda _client, _event: heard.logged_out())
        self._client.event(MessageEv)(lambda _client, event: self._take(event, heard))

    def connect(self) -> None:
        self._client.connect()

    def send(self, *, to: str, chat: str, text: str) -> str:
        user, _, server = chat.partition("@")
        jid = build_jid(user, server) if server else build_jid(to.removeprefix("+"))
        return str(self._client.send_message(jid, text).ID)

    def stop(self) -> None:
        self._client.stop()

    @staticmethod
    def _take(event: Any, heard: Heard) -> None:
        info = event.Info
        source = info.MessageSource
        if source.IsFromMe or source.IsGroup:
            return
        other = source.SenderAlt if source.Sender.Server == "lid" and source.SenderAlt.User else source.Sender
        text = event.Message.conversation or event.Message.extendedTextMessage.text
        made = message_of(
            id_=str(info.ID), chat=Jid2String(source.Chat), sender=str(other.User), name=str(info.Pushname),
            text=str(text), at=int(info.Timestamp) * (1 if int(info.Timestamp) > 10**11 else 1000),
        )  # fmt: skip
        if made is not None:
            heard.message(made)
