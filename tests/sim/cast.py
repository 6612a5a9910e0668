"""Who takes part: names, keys that never change, and the letters they write."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vault_protocol import request, task
from vault_protocol.action import SendMail
from vault_protocol.canonical import sha256
from vault_protocol.follow import Trust
from vault_protocol.front_matter import FrontMatter
from vault_protocol.identity import Identity
from vault_protocol.note import Note
from vault_protocol.plain import fenced
from vault_protocol.request import Request
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AgentId, Domain, Role, Stage, Task

VAULT = "vault-1"
LEASE = timedelta(minutes=10)
UNDO = timedelta(seconds=10)
TASK_SECRET, LOCAL_SECRET = b"t" * 32, b"s" * 32
CANARY = "the-password-of-this-machine"
"""A secret of Local: no commit may ever hold it."""


def _key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def _agent(name: str, role: Role, number: int) -> Identity:
    return Identity(AgentId(name), role, VAULT, _key(number))


CLOUDS = tuple(_agent(f"cloud-{n}", Role.CLOUD, n) for n in range(1, 9))
LOCAL = _agent("local", Role.LOCAL, 20)
STRANGER = _agent("cloud-1", Role.CLOUD, 21)
"""Has the name of an agent and another key."""

OWNER_KEY = _key(22)
TRUST = Trust(VAULT, {one.agent: (one.role, PublicKey.of(one.key)) for one in (*CLOUDS, LOCAL)})

TEXTS = (
    "Yes, Tuesday works.\n",
    "Yes,  Tuesday works.\n",
    "Thank you.\n\nWe will look at it,\tand answer.\n",
    "Grüße aus Köln – 100 %\n",
    "```\nnot a fence of ours\n```\n",
)


def letter(number: int) -> Task:
    """The task that mail `number` becomes; the same for the same number, whoever reads it."""
    id_ = task.task_id(
        TASK_SECRET, mailbox="office", message_id=f"<m{number}@north.example>", content_sha256=sha256(b"%d" % number)
    )
    priority = ("high", "normal", "low")[number % 3]
    received = f"2026-11-23T08:{number % 60:02}:00Z"
    note = Note(FrontMatter().put(priority=priority, received=received), "\n## Original\n\n" + fenced("When?\n"))
    return Task(id=id_, stage=Stage.NEEDS_ACTION, domain=Domain.EMAIL, slug=f"mail-{number}", note=note)


def mail(rng: Random, **changes: Any) -> SendMail:
    fields: dict[str, Any] = {
        "account": "office",
        "sender": {"address": "ann@able.example"},
        "to": [{"name": "Bob", "address": f"bob{rng.randrange(5)}@buyer.example"}],
        "subject": "Re: When?",
        "text": rng.choice(TEXTS),
    }
    return SendMail.model_validate({**fields, **changes})


def drafted(of: Task, rng: Random, **changes: Any) -> Note:
    """The note of a task with a new request in it."""
    token = f"{rng.getrandbits(64):016x}"
    return request.put(request.take_out(of.note), Request(token, mail(rng, **changes)))


def asked(of: Task) -> Note:
    """The note of a task that asks the owner, without an action."""
    return request.take_out(of.note).put(question="what now?")
