"""Approved tasks as they travel: the bytes of a note and of its approval, and seeded forgeries of them.

A forgery never has the owner's key. It has everything else: notes and approvals that were true, keys of its own, and
the say over every byte.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from libs.vault_protocol.tests import made

from vault_protocol import approval, notes, sshsig
from vault_protocol.action import Action
from vault_protocol.canonical import utc
from vault_protocol.task import Stage

WORDS = (
    "Monday", "café", "Größe", "日本語", "שלום", "№ 5", "a -- b", "5 %", "100,00 €", "> quoted", "- a list",
    "key: value", "...", "{a: b}", "*x*", "&y", "!!int 5", "'", '"', "\\", "`code`", "[link](x)", "🙂",
)  # fmt: skip


@dataclass(frozen=True)
class Paper:
    """One approved task. `path` and `note` are its note, `signed` its approval's file."""

    path: str
    note: bytes
    signed: bytes

    @property
    def text(self) -> str:
        return self.note.decode("utf-8")


def action(rng: random.Random) -> Action:
    """Some true action, with text as people write it."""
    text = "".join(" ".join(rng.choices(WORDS, k=rng.randint(1, 8))) + "\n" for _ in range(rng.randint(1, 4)))
    match rng.randrange(4):
        case 0:
            box = {"name": rng.choice(("Bob", "Zoë Ó", "")), "address": f"bob{rng.randrange(99)}@buyer.example"}
            return made.mail(to=[box], text=text, quote=rng.choice(("", "> Is it ready?\n", "> é\n>\n> x\n")))
        case 1:
            return made.post(text=text)
        case 2:
            return made.forward(text=rng.choice((text, "")), quote=f"> {rng.choice(WORDS)}\n")
        case _:
            return made.chat(text=text, to=f"+4915112{rng.randrange(100_000, 999_999)}")


def paper(rng: random.Random, number: int) -> Paper:
    """A task with this number, approved by the owner as they approve."""
    what = action(rng)
    task = made.pending(number, rng.randint(1, 3), stage=Stage.APPROVED, note=made.drafted(made.task(number), what))
    path, content = notes.write(task)
    return Paper(path, content, _file(made.approved(task, what, nonce=f"{rng.getrandbits(128):032x}")))


def _file(signed: approval.SignedApproval) -> bytes:
    return signed.model_dump_json(indent=2).encode()


Forge = Callable[[Paper, Paper, random.Random], Paper]
"""A paper out of this one, and of another that is true."""


def _approval(change: Callable[[dict[str, Any], Paper, random.Random], None]) -> Forge:
    """A change to the approval's JSON, the owner's signature left as it is."""

    def forge(one: Paper, other: Paper, rng: random.Random) -> Paper:
        content = json.loads(one.signed)
        change(content, other, rng)
        return replace(one, signed=json.dumps(content).encode())

    return forge


def _note(change: Callable[[str, Paper, random.Random], str]) -> Forge:
    """A change to the note's text."""
    return lambda one, other, rng: replace(one, note=change(one.text, other, rng).encode("utf-8", "surrogatepass"))


def _bytes(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    return rng.choice((
        content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :],
        content[:at] + content[at + 1 :],
        content[:at] + bytes([rng.randrange(256)]) + content[at:],
        content[:at],
        content[:at] + content[at : at + 9] + content[at:],
    ))  # fmt: skip


def _set(field: str, *values: Any) -> Forge:
    return _approval(lambda content, _, rng: content["approval"].update({field: rng.choice(values)}))


def _resigned(content: dict[str, Any], other: Paper, rng: random.Random) -> None:
    """By a key of the forger's own, with any field changed before."""
    claimed = approval.Approval.model_validate(
        {**content["approval"], **rng.choice(({}, {"revision": 9}, {"executor": "executor-2"}))}
    )
    signer = made.key(rng.randrange(40, 90))
    content["approval"] = claimed.model_dump(mode="json")
    content["signature"] = sshsig.sign(signer, claimed.canonical(), namespace=approval.NAMESPACE)


def _wrong_space(content: dict[str, Any], other: Paper, rng: random.Random) -> None:
    """What the owner signed for another purpose."""
    claimed = approval.Approval.model_validate(content["approval"])
    space = rng.choice(
        ("re-root@countersign", "page@countersign", "git", "approval@countersign ", "APPROVAL@countersign")
    )
    content["signature"] = sshsig.sign(made.OWNER_KEY, claimed.canonical(), namespace=space)


def _signature_of_other(content: dict[str, Any], other: Paper, rng: random.Random) -> None:
    content["signature"] = json.loads(other.signed)["signature"]


def _field_of_other(content: dict[str, Any], other: Paper, rng: random.Random) -> None:
    theirs = json.loads(other.signed)["approval"]
    field = rng.choice([name for name in theirs if theirs[name] != content["approval"][name]])
    content["approval"][field] = theirs[field]


def _drop(content: dict[str, Any], other: Paper, rng: random.Random) -> None:
    where = rng.choice((content, content["approval"]))
    del where[rng.choice(sorted(set(where) - {"policy", "verdict", "step_up"}))]


def _add(content: dict[str, Any], other: Paper, rng: random.Random) -> None:
    rng.choice((content, content["approval"]))[rng.choice(("to", "Digest", "digest\u200b", "__class__", "any"))] = "x"


def _type(content: dict[str, Any], other: Paper, rng: random.Random) -> None:
    """The same value to a careless reader."""
    field = rng.choice(sorted(content["approval"]))
    value = content["approval"][field]
    content["approval"][field] = rng.choice(
        (str(value) + "", float(value)) if isinstance(value, int) else ([value], {"": value}, None)
    )
    if content["approval"][field] == value and type(content["approval"][field]) is type(value):
        content["approval"][field] = [value]


def _longer(content: dict[str, Any], other: Paper, rng: random.Random) -> None:
    claimed = content["approval"]
    claimed["expires"] = utc(made.NOW + timedelta(days=rng.randint(2, 9_000)))


def _respelled(content: dict[str, Any], other: Paper, rng: random.Random) -> None:
    """Signs that look like those that were signed."""
    field = rng.choice(("digest", "nonce", "task", "vault", "executor", "account"))
    value = content["approval"][field]
    content["approval"][field] = rng.choice((
        value.upper() if value.upper() != value else value + " ", f" {value}", value + "\u200b", value + "\0",
        "".join(chr(ord(sign) + 0xFEE0) if sign.isascii() and sign.isalnum() else sign for sign in value),
    ))  # fmt: skip


def _twice(one: Paper, other: Paper, rng: random.Random) -> Paper:
    """A key that is there twice: the signed value first, another after it."""
    text = one.signed.decode()
    theirs = json.loads(other.signed)["approval"]
    field = rng.choice(("task", "digest", "nonce"))
    return replace(one, signed=text.replace('"policy"', f'"{field}": "{theirs[field]}", "policy"', 1).encode())


def _action_of_other(text: str, other: Paper, rng: random.Random) -> str:
    """Their whole request under this note's head; the token is the same in all of these notes."""
    block = re.compile(r"(?s)<!-- countersign:request .*/countersign:request \w+ -->")
    theirs = block.search(other.text)
    assert theirs is not None
    mine, kind = block.sub(lambda _: theirs[0], text), re.search(r"(?m)^action: .*$", other.text)
    assert kind is not None
    return re.sub(r"(?m)^action: .*$", lambda _: kind[0], mine)


def _in_action(text: str, other: Paper, rng: random.Random) -> str:
    """One thing of the action, as JSON."""
    begin, end = text.index("```json\n") + 8, text.index("\n```", text.index("```json\n"))
    fields = json.loads(text[begin:end])
    for field in ("to", "subject", "account", "network", "in_reply_to", "cc", "bcc", "language", "sender"):
        if field in fields and rng.random() < 0.4:
            fields[field] = _other_value(fields[field], rng)
    fields["account"] = fields["account"] if fields != json.loads(text[begin:end]) else fields["account"] + "2"
    return text[:begin] + json.dumps(fields, indent=2, ensure_ascii=False) + text[end:]


def _mail_for_forward(text: str, other: Paper, rng: random.Random) -> str:
    """A mail as one that is passed on, one that is passed on as a mail, or one with another original."""
    begin, end = text.index("```json\n") + 8, text.index("\n```", text.index("```json\n"))
    fields = json.loads(text[begin:end])
    kind, name = fields["type"], fields.get("original")
    if kind == "forward_mail" and rng.random() < 0.5:
        name[rng.choice(sorted(name))] = rng.choice(("<other@buyer.example>", "cd" * 32, ""))
        return text[:begin] + json.dumps(fields, indent=2, ensure_ascii=False) + text[end:]
    other_kind = {"send_mail": "forward_mail", "forward_mail": "send_mail"}.get(kind, "forward_mail")
    fields["type"] = other_kind
    fields.pop("original", None)
    if other_kind == "forward_mail":
        fields["original"] = {"message_id": "<q1@buyer.example>", "sha256": "ab" * 32}
    made_of = text[:begin] + json.dumps(fields, indent=2, ensure_ascii=False) + text[end:]
    return made_of.replace(f"\naction: {kind}\n", f"\naction: {other_kind}\n", 1)


def _other_value(value: Any, rng: random.Random) -> Any:
    eve = {"name": "Bob", "address": "bob@buyer.example.evil.example"}
    if isinstance(value, list):
        return rng.choice(([*value, eve], [eve], value * 2 if value else [eve]))
    if isinstance(value, dict):
        return {**value, "address": rng.choice(("eve@evil.example", value["address"].replace("a", "\u0430", 1)))}
    return rng.choice((f"{value} ", f"{value}x", str(value)[::-1] + "y"))


def _in_prose(text: str, other: Paper, rng: random.Random) -> str:
    """A sign in the draft or the quote: invisible, of another script, or composed otherwise."""
    begin = min(at for name in ("draft", "quote") if (at := text.find(f"<!-- {name} ")) >= 0)
    at = rng.randrange(text.index("```text\n", begin) + 8, text.index("<!-- /countersign", begin))
    return text[:at] + rng.choice(("\u200b", "\u202e", "\u0430", " ", "\n", "\t", "\u00ad", "\ufeff", "0")) + text[at:]


def _recomposed(text: str, other: Paper, rng: random.Random) -> str:
    begin = text.index("<!-- countersign:request")
    return text[:begin] + unicodedata.normalize(rng.choice(("NFD", "NFKC", "NFKD")), text[begin:])


def _front(text: str, other: Paper, rng: random.Random) -> str:
    """Front matter that a careless YAML reader takes for something else."""
    line = rng.choice((
        "id: 'aaaaaaaaaaaaaaab'", "action: pay_transfer", "revision: 7", "revision: !!int '1'", "<<: *all",
        "status: done", "request: ffffffffffffffff", "? revision\n: 2", "revision: 0x1", "revision: 1.0",
        "? [a, b]\n: c", "id: &x aaaaaaaaaaaaaaab", "domain: social", '"revision": 1', "revision : 1",
        "---\nid: b", "...\n---", "%YAML 1.1",
    ))  # fmt: skip
    return (
        text.replace("---\n", f"---\n{line}\n", 1)
        if rng.random() < 0.5
        else text.replace("\n---\n", f"\n{line}\n---\n", 1)
    )


def _second_block(text: str, other: Paper, rng: random.Random) -> str:
    """Two requests: the signed one, and one to be taken for it."""
    theirs = re.search(r"(?s)<!-- countersign:request .*/countersign:request \w+ -->", other.text)
    mine = re.search(r"(?s)<!-- countersign:request .*/countersign:request \w+ -->", text)
    assert theirs is not None
    assert mine is not None
    both = (theirs[0], mine[0]) if rng.random() < 0.5 else (mine[0], theirs[0])
    return text.replace(mine[0], "\n\n".join(both))


def _path(one: Paper, other: Paper, rng: random.Random) -> Paper:
    """Under the place of another task, or of another revision."""
    return replace(
        one, path=rng.choice((other.path, re.sub(r"\.r(\d)\.md", lambda m: f".r{int(m[1]) + 1}.md", one.path)))
    )


def _next_revision(one: Paper, other: Paper, rng: random.Random) -> Paper:
    """The same words again as a later revision, under the approval of the earlier."""
    task = notes.read(one.path, one.note)
    path, content = notes.write(replace(task, revision=task.revision + rng.randint(1, 5)))
    return Paper(path, content, one.signed)


FORGERIES: dict[str, Forge] = {
    "a byte of the approval": lambda one, _, rng: replace(one, signed=_bytes(one.signed, rng)),
    "a byte of the note": lambda one, _, rng: replace(one, note=_bytes(one.note, rng)),
    "another task's approval": lambda one, other, _: replace(one, signed=other.signed),
    "another task's action": _note(_action_of_other),
    "another approval's signature": _approval(_signature_of_other),
    "a field of another approval": _approval(_field_of_other),
    "a key that is there twice": _twice,
    "signed by another key": _approval(_resigned),
    "signed for another purpose": _approval(_wrong_space),
    "a field left out": _approval(_drop),
    "a field too many": _approval(_add),
    "a value of another type": _approval(_type),
    "a longer life": _approval(_longer),
    "an earlier life": _set("not_before", utc(made.NOW - timedelta(days=3))),
    "another executor": _set("executor", "executor-2", "executor-1 "),
    "another vault": _set("vault", "vault-2", "Vault-1"),
    "another revision": _set("revision", 0, 4, -1, 2**63),
    "another verdict": _set("verdict", "reject", "APPROVE", True),
    "a step-up that nobody gave": _set("step_up", "passphrase", "fido"),
    "another policy": _set("policy", 0, 2),
    "signs that look alike in the approval": _approval(_respelled),
    "another value in the action": _note(_in_action),
    "a mail for one that is passed on": _note(_mail_for_forward),
    "a sign in the words": _note(_in_prose),
    "words composed otherwise": _note(_recomposed),
    "front matter that can be misread": _note(_front),
    "a second request": _note(_second_block),
    "another place": _path,
    "an earlier revision's approval": _next_revision,
}
"""By name: what is done to a true paper."""
