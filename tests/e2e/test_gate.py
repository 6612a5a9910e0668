"""The gate with real processes: mail in, draft, the owner's decision by each way, at most one mail out."""

from __future__ import annotations

import email
import email.policy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from demo.processes import eventually
from vault_protocol import audit, request
from vault_protocol.action import SendMail
from vault_protocol.approval import SignedApproval
from vault_protocol.task import Stage, Task

if TYPE_CHECKING:
    from tests.e2e.conftest import Gate


def pending(gate: Gate, topic: str) -> Task:
    return gate.at(topic, Stage.PENDING_APPROVAL)


def trail(gate: Gate, task: Task) -> list[dict[str, Any]]:
    """The audit records of one task, oldest first, with every chain verified on the way."""
    gate.tail.new()
    assert gate.tail.head is not None
    found = []
    for agent in ("cloud", "local"):
        files = [path for path, _ in gate.tail.store.paths(gate.tail.head, f"Logs/{agent}")]
        lines = [line for path in files for line in (gate.tail.read(path) or b"").decode("utf-8").splitlines()]
        audit.verify(lines)
        found += [json.loads(line) for line in lines]
    return [record for record in found if record["target"] == task.id]


def decided(gate: Gate, task: Task) -> dict[str, Any]:
    (record,) = [one for one in trail(gate, task) if one["action_type"] == "approval.decided"]
    parameters: dict[str, Any] = record["parameters"]
    return parameters


@pytest.mark.both_hubs
def test_a_mail_becomes_one_sent_mail_after_one_approval(gate: Gate) -> None:
    topic = gate.ask()
    task = pending(gate, topic)
    assert gate.sent_to(topic) == []
    gate.world.with_passphrase("approve", task.id, "--yes")
    done = gate.at(topic, Stage.DONE)
    (sent,) = gate.sent_to(topic)
    mail = email.message_from_bytes(sent.raw, policy=email.policy.default)
    asked = request.read(done.note)
    assert asked is not None
    assert isinstance(asked.action, SendMail)
    assert mail["In-Reply-To"] == asked.action.in_reply_to
    assert mail["Subject"] == f"Re: {topic}"
    assert sent.envelope.recipients == (gate.asked[topic],)
    assert mail.get_content().replace("\r\n", "\n").startswith(asked.action.text)
    kinds = [record["action_type"] for record in trail(gate, done)]
    assert kinds == ["mail.received", "draft.submitted", "approval.decided", "effect.confirmed"]
    assert decided(gate, done)["how"] == "command"


@pytest.mark.both_hubs
def test_a_rejected_draft_is_never_sent(gate: Gate) -> None:
    topic = gate.ask()
    task = pending(gate, topic)
    gate.world.countersign("reject", task.id, "--why", "we do not do that")
    rejected = gate.at(topic, Stage.REJECTED)
    assert rejected.note.front.words("rejected_because") == "we do not do that"
    assert decided(gate, rejected)["verdict"] == "reject"
    assert gate.sent_to(topic) == []


def test_an_edited_draft_is_sent_as_edited(gate: Gate, tmp_path: Path) -> None:
    topic = gate.ask()
    task = pending(gate, topic)
    text = tmp_path / "text"
    text.write_text("No, but February does.\n", encoding="utf-8")
    gate.world.countersign("edit", task.id, "--text-file", str(text), "--no-approve")
    revised = eventually(lambda: (found := gate.task(topic)) and found.revision == 2 and found, "revision 2")
    assert isinstance(revised, Task)
    gate.world.with_passphrase("approve", task.id, "--yes")
    gate.at(topic, Stage.DONE)
    (sent,) = gate.sent_to(topic)
    assert b"No, but February does." in sent.raw


@pytest.mark.both_hubs
def test_moving_the_file_to_approved_decides(gate: Gate) -> None:
    topic = gate.ask()
    task = pending(gate, topic)
    path = gate.in_folder(task)
    path.rename(gate.world.vault_folder / "Approved" / path.name)
    done = gate.at(topic, Stage.DONE)
    assert len(gate.sent_to(topic)) == 1
    assert decided(gate, done)["how"] == "folder"
    kinds = [one["action_type"] for one in trail(gate, done)]
    assert kinds == ["mail.received", "draft.submitted", "approval.decided", "effect.confirmed"]


def test_moving_the_file_to_rejected_decides(gate: Gate) -> None:
    topic = gate.ask()
    path = gate.in_folder(pending(gate, topic))
    path.rename(gate.world.vault_folder / "Rejected" / path.name)
    rejected = gate.at(topic, Stage.REJECTED)
    assert decided(gate, rejected)["how"] == "folder"
    assert gate.sent_to(topic) == []


def test_editing_the_file_and_then_moving_it_sends_the_edited_text(gate: Gate) -> None:
    topic = gate.ask()
    task = pending(gate, topic)
    path = gate.in_folder(task)
    asked = request.read(task.note)
    assert asked is not None
    assert isinstance(asked.action, SendMail)
    edited = path.read_text(encoding="utf-8").replace(asked.action.text, "Gladly: the offer follows today.\n", 1)
    path.write_text(edited, encoding="utf-8")
    path.rename(gate.world.vault_folder / "Approved" / path.name)
    done = gate.at(topic, Stage.DONE)
    assert done.revision == 2
    (sent,) = gate.sent_to(topic)
    assert b"Gladly: the offer follows today." in sent.raw
    assert decided(gate, done)["edited"] is True


def test_asking_for_another_draft_gives_the_next_revision(gate: Gate) -> None:
    topic = gate.ask()
    task = pending(gate, topic)
    gate.world.countersign("again", task.id, "--remark", "Tuesday at ten works for us.")
    again = eventually(
        lambda: (found := gate.task(topic)) and found.stage is Stage.PENDING_APPROVAL and found.revision == 2 and found,
        "revision 2",
        seconds=40,
    )
    assert isinstance(again, Task)
    asked = request.read(again.note)
    assert asked is not None
    assert isinstance(asked.action, SendMail)
    assert "Tuesday at ten works for us." in asked.action.text
    assert gate.sent_to(topic) == []


def test_approvals_lie_in_the_vault_with_a_signature_that_fits(gate: Gate) -> None:
    topic = gate.ask()
    task = pending(gate, topic)
    gate.world.with_passphrase("approve", task.id, "--yes")
    done = gate.at(topic, Stage.DONE)
    assert gate.tail.head is not None
    (path,) = [path for path, _ in gate.tail.store.paths(gate.tail.head, "Approvals") if task.id in path]
    signed = SignedApproval.model_validate_json(gate.tail.read(path) or b"")
    asked = request.read(done.note)
    assert asked is not None
    assert signed.approval.digest == asked.action.digest
