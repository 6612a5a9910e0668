"""What others say to us on a network, as a task: their words in a fence and nowhere else."""

from __future__ import annotations

from datetime import datetime

from local_agent.networks.account import SocialAccount
from local_agent.networks.network import Said
from vault_protocol import scan
from vault_protocol.canonical import utc
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.plain import fenced, one_line, slug, visible
from vault_protocol.task import Domain, Stage, Task, TaskId, task_id

SHOWN = 8_000
"""Characters of what somebody wrote that go into its note."""


def id_of(secret: bytes, account: str, said: str) -> TaskId:
    """The task about what has this id on that account's network: it is never raised twice."""
    return task_id(secret, mailbox=f"social {account}", message_id=said, content_sha256="")


def task_of(said: Said, account: SocialAccount, *, secret: bytes, now: datetime) -> Task:
    """A task for whoever drafts an answer; `post` is what the answer would name."""
    text, masked = scan.mask(visible(said.text)[:SHOWN])
    front = FrontMatter().put(
        type=said.kind if said.kind in ("mention", "comment") else "mention", network=account.network,
        account=account.name, post=one_line(said.id, 300), **{"from": one_line(said.who, 100)},
        received=utc(said.at), seen=utc(now), priority="normal",
    )  # fmt: skip
    facts = "".join(
        f"{label}: {one_line(value, 300)}\n"
        for label, value in (("who", said.who), ("what", said.kind), ("about", said.about), ("where", said.url))
        if value
    )
    body = ["", f"# A {said.kind if said.kind == 'comment' else 'mention'} on {account.network}", ""]
    if masked:
        body += [f"> [!warning] {len(masked)} secrets were taken out of this text", ""]
    body += ["## Original", "", fenced(facts), fenced(text) if text else "_It has no words._\n"]
    return Task(
        id=id_of(secret, account.name, said.id), stage=Stage.NEEDS_ACTION, domain=Domain.SOCIAL,
        slug=slug(f"{account.network} {said.who}"), note=Note(front, "\n".join(body)),
    )  # fmt: skip
