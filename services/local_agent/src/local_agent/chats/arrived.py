"""A message as a task: with its words when the owner shares them, else with nothing but that it came."""

from __future__ import annotations

import hmac
from datetime import datetime

from local_agent.chats.phone import Message
from local_agent.follow_up import FOR_LOCAL
from local_agent.whatsapp_account import WhatsAppAccount
from vault_protocol import scan
from vault_protocol.canonical import utc
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.plain import fenced, one_line, slug, visible
from vault_protocol.task import Domain, Stage, Task, TaskId, task_id

KIND = "chat"


def id_of(secret: bytes, account: str, message: str) -> TaskId:
    return task_id(secret, mailbox=f"whatsapp {account}", message_id=message, content_sha256="")


def task_of(message: Message, account: WhatsAppAccount, *, secret: bytes, now: datetime) -> Task:
    """The same message is the same task. Its words, number and name are in it only when `account.share` says so."""
    id_ = id_of(secret, account.name, message.id)
    front = FrontMatter().put(
        **{"for": FOR_LOCAL}, type=KIND, account=account.name, received=utc(now), priority="normal"
    )
    if not account.share:
        mark = hmac.new(secret, f"{message.id}\0{message.text}".encode(), "sha256").hexdigest()
        note = Note(front.put(digest=mark), _SEALED.format(id=id_))
        return Task(id=id_, stage=Stage.NEEDS_ACTION, domain=Domain.WHATSAPP, slug="message", note=note)
    text, masked = scan.mask(visible(message.text))
    warned = f"> [!warning] {len(masked)} secrets were taken out of this text\n\n" if masked else ""
    facts = fenced(f"from: {one_line(message.name, 100)}\nnumber: {one_line(message.number, 30)}\n")
    body = f"\n# A WhatsApp message\n\n{warned}## Original\n\n{facts}\n{fenced(text or ' ')}"
    front = front.put(**{"from": one_line(f"{message.name} {message.number}", 120)})
    return Task(
        id=id_, stage=Stage.NEEDS_ACTION, domain=Domain.WHATSAPP, slug=slug(message.name) or "message",
        note=Note(front, body),
    )  # fmt: skip


_SEALED = """
# A WhatsApp message

Its words stay on your machine: `countersign show {id}`
"""
