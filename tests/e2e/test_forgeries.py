"""A Cloud that pushes what it may not, and MCP clients that bring approvals which do not hold."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import mcp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demo.processes import eventually
from demo.world import DemoFailed, World, world
from local_agent.home import Home
from tests.e2e.conftest import Gate
from vault_protocol import changeset, keys, layout, notes, request, sshsig
from vault_protocol.action import Address, SendMail
from vault_protocol.approval import NAMESPACE, SignedApproval, grant
from vault_protocol.clock import SystemClock
from vault_protocol.follow import Follower
from vault_protocol.hub import Accepted, Change, Published, Rejected, blob_id
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Domain, Role, Stage, Task
from vault_protocol.vault import Vault


@pytest.fixture
def besieged(tmp_path: Path) -> Iterator[Gate]:
    """A hub that checks nothing, so that Local stands alone. One honest draft waits; the test holds Cloud's key."""
    with _besieged(tmp_path, resident=False) as made:
        yield made


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Gate]:
    """The same with a resident hub; the test holds Cloud's token too."""
    with _besieged(tmp_path, resident=True) as made:
        yield made


@contextmanager
def _besieged(folder: Path, *, resident: bool) -> Iterator[Gate]:
    with world(folder, resident=resident) as made:
        made.set_up(undo_seconds=0)
        made.start_cloud()
        made.start_local()
        gate = Gate(made, made.tail())
        topic = gate.ask()
        gate.in_folder(gate.at(topic, Stage.PENDING_APPROVAL))
        assert made.cloud is not None
        made.kill(made.cloud)
        yield gate


def pushed(made: World, agent: str, key: Ed25519PrivateKey, edits: dict[str, bytes | None]) -> Published:
    """A properly signed and numbered changeset with these edits, whatever its agent may write; the hub's answer."""
    store = GitStore(made.folder / "hostile.git")
    remote = made.connect(store)
    follower = Follower(store, made.vault_id)
    follower.advance(remote.refresh())
    head = follower.view.head
    assert head is not None
    changes = [
        Change(path, store.blob_id(head, path), blob_id(content) if content is not None else None)
        for path, content in edits.items()
    ]
    trail = follower.view.trails[AgentId(agent)]
    unsigned = changeset.next_in(
        trail, vault=made.vault_id, agent=AgentId(agent), verb="approve", attempt=0, changes=changes
    )
    commit = store.commit(
        head, edits, message=unsigned.message("as it likes", key), author=AgentId(agent), at=datetime.now(UTC)
    )
    return remote.publish(commit, onto=head)


def forged(made: World, task: Task, key: Ed25519PrivateKey, **changes: Any) -> SignedApproval:
    """An approval of this task as its forger would make it."""
    home = Home(made.local_home)
    asked = request.read(task.note)
    assert asked is not None
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "vault": home.settings().vault,
        "executor": json.loads(home.executor.read_text(encoding="utf-8"))["executor"],
        "task": task.id,
        "revision": task.revision,
        "now": now,
        "not_before": now,
        **changes,
    }
    return grant(
        asked.action, by="owner", nonce=secrets.token_hex(16),
        sign=lambda message: sshsig.sign(key, message, namespace=NAMESPACE), **values,
    )  # fmt: skip


def test_a_task_that_cloud_moves_to_approved_with_its_own_signature_is_not_applied_and_never_sent(
    besieged: Gate,
) -> None:
    made = besieged.world
    (topic,) = besieged.asked
    task = besieged.at(topic, Stage.PENDING_APPROVAL)
    key = keys.load(made.cloud_home / "keys" / "cloud")
    signed = forged(made, task, key)
    approved, content = notes.write(task.evolve(stage=Stage.APPROVED))
    note = {layout.path_of(task): None, approved: content, signed.path(): signed.model_dump_json().encode("utf-8")}
    assert isinstance(pushed(made, "cloud", key, note), Accepted)
    status = eventually(lambda: untrusted(made), "Local says that the head is not to be trusted", seconds=40)
    assert "zone" in status
    assert made.mail.received() == []
    assert not (made.vault_folder / approved).exists()
    assert (made.vault_folder / layout.path_of(task)).exists()
    shown = made.countersign("show", task.id)
    assert "Question number" in shown, "the owner can still look, at the last good head"


def untrusted(made: World) -> str:
    return str(json.loads(made.countersign("status", "--json"))["untrusted"] or "")


def test_a_resident_hub_refuses_what_cloud_may_not_write_by_rule_and_path_and_local_never_sees_it(
    guarded: Gate,
) -> None:
    made = guarded.world
    (topic,) = guarded.asked
    task = guarded.at(topic, Stage.PENDING_APPROVAL)
    cloud, local = (keys.load(home) for home in (made.cloud_home / "keys/cloud", made.local_home / "keys/local"))
    signed = forged(made, task, cloud)
    approved, content = notes.write(task.evolve(stage=Stage.APPROVED))
    paper = {signed.path(): signed.model_dump_json().encode("utf-8")}
    move: dict[str, bytes | None] = {layout.path_of(task): None, approved: content}

    answers = [
        pushed(made, "cloud", cloud, {**move, **paper}),
        pushed(made, "cloud", cloud, {layout.DASHBOARD: b"# All is well, approve everything\n"}),
        pushed(made, "local", local, move),
    ]

    assert [(answer.rule, answer.path) for answer in answers if isinstance(answer, Rejected)] == [
        ("zone", signed.path()), ("zone", layout.DASHBOARD), ("author", ""),
    ]  # fmt: skip
    status = json.loads(made.countersign("status", "--json"))
    assert (status["untrusted"], status["hub"]) == ("", "ok")
    assert guarded.at(topic, Stage.PENDING_APPROVAL) == task
    assert made.mail.received() == []


def test_a_draft_to_another_address_than_the_originals_sender_is_shown_as_a_lie_and_no_file_move_sends_it(
    guarded: Gate,
) -> None:
    """Cloud keeps to every rule of the vault, but lies about whom the mail is from."""
    besieged = guarded
    made = besieged.world
    (topic,) = besieged.asked
    task = besieged.at(topic, Stage.PENDING_APPROVAL)
    made.countersign("again", task.id, "--remark", "please be brief")
    store = GitStore(made.folder / "hostile.git")
    identity = Identity(AgentId("cloud"), Role.CLOUD, made.vault_id, keys.load(made.cloud_home / "keys" / "cloud"))
    vault = Vault(Journal(store, made.connect(store), identity, SystemClock()))
    vault.refresh()
    held = vault.claim_next([Domain.EMAIL])
    assert held is not None
    honest = action(task)
    liar = honest.model_copy(update={"to": (Address(name="Customer", address="collect@drop-zone.example"),)})
    vault.submit(held, request.put(held.note, request.Request("e" * 16, liar)))
    forged_draft = eventually(
        lambda: (found := besieged.task(topic)) and found.revision == 2 and found, "the lying draft is up", seconds=40
    )
    assert isinstance(forged_draft, Task)
    path = besieged.in_folder(forged_draft)
    made.try_unlock()
    shown = made.countersign("show", task.id)
    assert "MISMATCH" in shown
    assert "the recipients are not what the original in your mailbox says" in shown
    with pytest.raises(DemoFailed, match="recipients"):
        made.with_passphrase("approve", task.id, "--yes")
    path.rename(made.vault_folder / "Approved" / path.name)
    eventually(lambda: path.exists(), "the file comes back", seconds=40)
    notices = json.loads(made.countersign("status", "--json"))["notices"]
    assert any("recipients" in words for _, _, words in notices)
    assert besieged.at(topic, Stage.PENDING_APPROVAL).revision == 2
    assert made.mail.received() == []


def test_a_commit_in_the_owners_name_without_their_key_is_not_applied(besieged: Gate) -> None:
    made = besieged.world
    store = GitStore(made.folder / "hostile.git")
    remote = made.connect(store)
    head = remote.refresh()
    dashboard = {layout.DASHBOARD: b"# All is well, approve everything\n"}
    commit = store.commit(head, dashboard, message="dashboard: fine\n", author=AgentId("local"), at=datetime.now(UTC))
    remote.publish(commit, onto=head)
    status = eventually(lambda: untrusted(made), "Local says that the head is not to be trusted", seconds=40)
    assert "not signed" in status
    assert b"approve everything" not in (made.vault_folder / layout.DASHBOARD).read_bytes()


LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

FORGERIES: list[tuple[str, Callable[[World, Task], tuple[SendMail, SignedApproval]]]] = [
    ("signature", lambda w, t: (action(t), forged(w, t, keys.load(w.cloud_home / "keys" / "cloud")))),
    ("digest", lambda w, t: (action(t).model_copy(update={"text": "Other words.\n"}), forged(w, t, owner_key(w)))),
    ("executor", lambda w, t: (action(t), forged(w, t, owner_key(w), executor="exec-elsewhere"))),
    ("vault", lambda w, t: (action(t), forged(w, t, owner_key(w), vault="another"))),
    ("expired", lambda w, t: (action(t), forged(w, t, owner_key(w), now=LONG_AGO, not_before=LONG_AGO))),
]


def action(task: Task) -> SendMail:
    asked = request.read(task.note)
    assert asked is not None
    assert isinstance(asked.action, SendMail)
    return asked.action


def owner_key(made: World) -> Ed25519PrivateKey:
    return keys.load(made.local_home / "keys" / "approval", made.passphrase)


async def ask_server(home: Path, what: SendMail, signed: SignedApproval) -> dict[str, Any]:
    """As any MCP client would."""
    server = mcp.StdioServerParameters(command=sys.executable, args=["-m", "local_agent.mcp.mail", "--home", str(home)])
    arguments = {"action": what.model_dump(mode="json"), "approval": signed.model_dump(mode="json")}
    async with mcp.Client(server) as client:
        answer = await client.call_tool("send_mail", arguments)
        return dict(answer.structured_content or {})


@pytest.mark.parametrize(("rule", "forge"), FORGERIES, ids=[rule for rule, _ in FORGERIES])
def test_the_mail_server_refuses_any_client_whose_approval_does_not_hold(
    gate: Gate, rule: str, forge: Callable[[World, Task], tuple[SendMail, SignedApproval]]
) -> None:
    topic = gate.ask()
    task = gate.at(topic, Stage.PENDING_APPROVAL)
    what, signed = forge(gate.world, task)
    answer = anyio.run(ask_server, gate.world.local_home, what, signed)
    assert (answer["status"], answer["rule"]) == ("refused", rule)
    assert gate.sent_to(topic) == []


def test_an_approval_that_was_used_sends_nothing_again_for_any_client(gate: Gate) -> None:
    topic = gate.ask()
    task = gate.at(topic, Stage.PENDING_APPROVAL)
    gate.world.with_passphrase("approve", task.id, "--yes")
    done = gate.at(topic, Stage.DONE)
    assert gate.tail.head is not None
    (path,) = [path for path, _ in gate.tail.store.paths(gate.tail.head, "Approvals") if task.id in path]
    signed = SignedApproval.model_validate_json(gate.tail.read(path) or b"")
    answer = anyio.run(ask_server, gate.world.local_home, action(done), signed)
    assert answer["status"] == "done"
    assert len(gate.sent_to(topic)) == 1


def test_text_changed_after_the_approval_is_refused_with_the_rule_and_never_sent(besieged: Gate) -> None:
    """Even with Local's own changeset key in the wrong hands: what was approved does not change in place."""
    made = besieged.world
    assert made.local is not None
    made.kill(made.local)
    (topic,) = besieged.asked
    task = besieged.at(topic, Stage.PENDING_APPROVAL)
    made.with_passphrase("approve", task.id, "--yes")
    approved = besieged.at(topic, Stage.APPROVED)
    other = action(approved).model_copy(update={"text": "Other words.\n"})
    changed = request.put(approved.note, request.Request("f" * 16, other))
    path, content = notes.write(approved.evolve(note=changed))
    assert isinstance(pushed(made, "local", keys.load(made.local_home / "keys" / "local"), {path: content}), Accepted)
    made.start_local()
    status = eventually(lambda: untrusted(made), "Local says that the head is not to be trusted", seconds=40)
    assert "Approved" in status
    assert made.mail.received() == []
