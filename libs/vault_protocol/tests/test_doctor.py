"""A vault in good health has no findings; each illness planted in it is found, and nothing else is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER, STRANGER, Author, World

from vault_protocol import approval, audit, doctor, layout, notes, request, sshsig
from vault_protocol.approval import SignedApproval
from vault_protocol.audit import Record
from vault_protocol.doctor import Finding
from vault_protocol.follow import Follower
from vault_protocol.hub import CommitId
from vault_protocol.identity import Identity
from vault_protocol.request import Request
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import GitStore
from vault_protocol.task import Domain, Stage, Task
from vault_protocol.vault import Also, Vault

OWNER = PublicKey.of(made.OWNER_KEY)


def decided(task: Task, signed: SignedApproval | None, **changes: Any) -> Record:
    named = {"approval": signed.approval.id, "digest": signed.approval.digest} if signed else {}
    return Record.of(
        "approval.decided", actor=LOCAL.agent, target=task.id, at=made.NOW, parameters={**named, **changes}
    )


def confirmed(task: Task, signed: SignedApproval, **changes: Any) -> Record:
    named = {"approval": signed.approval.id, "digest": signed.approval.digest, **changes}
    return Record.of("effect.confirmed", actor=LOCAL.agent, target=task.id, at=made.NOW, parameters=named)


def submitted(cloud: Vault, number: int) -> Task:
    cloud.add(made.task(number))
    held = cloud.claim_next(Domain)
    assert held is not None
    return cloud.submit(held, request.put(held.note, Request(made.TOKEN, made.mail())))


@dataclass
class Clinic:
    """A real repository with a vault in good health: one task sent, one refused, one asking, one held, one waiting."""

    store: GitStore
    author: Author
    signed: SignedApproval
    done: Task
    asks: Task
    held: Task
    waits: Task

    def examine(self, *, trusting: bool = True) -> tuple[Finding, ...]:
        assert self.author.head is not None
        return doctor.examine(
            self.store,
            self.author.head,
            trust=made.TRUST if trusting else None,
            approval_key=OWNER if trusting else None,
        )

    def log(self, record: Record, who: Identity = LOCAL) -> CommitId:
        """One more record, well chained, in this agent's log."""
        path, content = self._log(who)
        lines = content.decode().splitlines()
        tail = audit.verify(lines)
        return self.author.commit(who, {path: content + audit.append(tail, [record])[0].line().encode()})

    def _log(self, who: Identity) -> tuple[str, bytes]:
        assert self.author.head is not None
        path = audit.path(who.agent, made.NOW)
        return path, self.store.read(self.author.head, path) or b""


@pytest.fixture(params=["sent", "posted INV/2026/11/0007"])
def clinic(request: pytest.FixtureRequest, tmp_path: Path) -> Clinic:
    store = GitStore(tmp_path / "vault.git")
    world = World(store)
    cloud, local = world.vault(CLOUD), world.vault(LOCAL)
    first, second = submitted(cloud, 1), submitted(cloud, 2)
    local.refresh()
    signed = made.approved(first)
    local.approve(local.get(first.id), signed, also=Also([decided(first, signed)]))
    local.finish(local.get(first.id), result=request.param, also=Also([confirmed(first, signed)]))
    local.reject(local.get(second.id), why="no", also=Also([decided(second, None)]))
    local.write("dashboard", "x", {"Dashboard.md": b"# Today\n"})
    cloud.refresh()
    asks = submitted(cloud, 3)
    cloud.add(made.task(4))
    held = cloud.claim_next(Domain)
    assert held is not None
    cloud.add(made.task(5))
    cloud.record(Record.of("task.read", actor=CLOUD.agent, target=held.id, at=made.NOW))
    follower = Follower(store, made.VAULT, made.TRUST)
    follower.advance(world.hub.head)
    author = Author(store, world.hub.head, dict(follower.view.trails))
    get = world.vault(LOCAL).get
    return Clinic(store, author, signed, *(get(one) for one in (first.id, asks.id, held.id, made.task_id(5))))


def test_a_vault_in_good_health_has_no_findings(clinic: Clinic) -> None:
    assert clinic.examine() == clinic.examine(trusting=False) == doctor.fsck(clinic.store.path) == ()


def twice(clinic: Clinic) -> None:
    path, content = notes.write(clinic.waits.evolve(slug="again"))
    clinic.author.commit(CLOUD, {path: content})


def nowhere(clinic: Clinic) -> None:
    clinic.author.commit(LOCAL, {layout.path_of(clinic.waits): None})


def attempt_again(clinic: Clinic) -> None:
    back = clinic.held.evolve(stage=Stage.NEEDS_ACTION, lease=None)
    clinic.author.move(CLOUD, clinic.held, back)
    clinic.author.move(OTHER, back, made.in_progress(OTHER, 4, attempt=1, note=back.note))


def attempt_back(clinic: Clinic) -> None:
    lowered = clinic.held.evolve(
        stage=Stage.NEEDS_ACTION, lease=None, attempt=0, note=clinic.held.note.put(attempt=None)
    )
    clinic.author.move(CLOUD, clinic.held, lowered)


def taken_over(clinic: Clinic) -> None:
    """In_Progress from one agent to another without a claim: two owners of one attempt."""
    clinic.author.move(OTHER, clinic.held, made.in_progress(OTHER, 4, note=clinic.held.note))


def stranger(clinic: Clinic) -> None:
    clinic.author.commit(STRANGER, {"Plans/p.md": b"x"})


def forged_and_then_honest(clinic: Clinic) -> None:
    clinic.author.commit(LOCAL, {"Company_Handbook.md": b"x"}, sign_as=CLOUD, trail=clinic.author.trails[LOCAL.agent])
    clinic.author.trails[LOCAL.agent] = trail_of(clinic, LOCAL)
    clinic.author.commit(LOCAL, {"Business_Goals.md": b"x"})
    clinic.author.commit(CLOUD, {"Plans/p.md": b"x"})


def trail_of(clinic: Clinic, who: Identity) -> Any:
    """The agent's own trail before the last commit, as the agent itself knows it."""
    assert clinic.author.head is not None
    follower = Follower(clinic.store, made.VAULT, made.TRUST)
    *_, before, _ = clinic.store.history(None, clinic.author.head)
    follower.advance(before.id)
    return follower.view.trails[who.agent]


def cloud_changes_the_handbook(clinic: Clinic) -> None:
    clinic.author.commit(CLOUD, {"Company_Handbook.md": b"x"})


def sent_without_approval(clinic: Clinic) -> None:
    approved = clinic.asks.evolve(stage=Stage.APPROVED)
    clinic.author.move(LOCAL, clinic.asks, approved)
    done = approved.evolve(
        stage=Stage.DONE, finished=made.NOW, note=approved.note.put(result=clinic.done.note.front["result"])
    )
    clinic.author.move(LOCAL, approved, done)


def approved_by_an_agents_key(clinic: Clinic) -> None:
    forged = made.approved(
        clinic.asks, sign=lambda message: sshsig.sign(LOCAL.key, message, namespace=approval.NAMESPACE)
    )
    clinic.author.commit(LOCAL, {forged.path(): forged.model_dump_json().encode()})
    clinic.log(decided(clinic.asks, forged))
    sent_without_approval(clinic)
    clinic.log(confirmed(clinic.asks, forged))


def other_text_than_approved(clinic: Clinic) -> None:
    body = clinic.done.note.body.replace("yes, on Monday", "no, never")
    clinic.author.move(LOCAL, clinic.done, clinic.done.evolve(note=clinic.done.note.with_body(body)))


def no_receipt(clinic: Clinic) -> None:
    signed = made.approved(clinic.asks)
    clinic.author.commit(LOCAL, {signed.path(): signed.model_dump_json().encode()})
    clinic.log(decided(clinic.asks, signed))
    sent_without_approval(clinic)


def approval_no_record_tells_of(clinic: Clinic) -> None:
    signed = made.approved(clinic.asks)
    clinic.author.commit(LOCAL, {signed.path(): signed.model_dump_json().encode()})


def record_of_no_approval(clinic: Clinic) -> None:
    clinic.log(decided(clinic.asks, made.approved(clinic.asks)))


def record_of_another_digest(clinic: Clinic) -> None:
    clinic.log(decided(clinic.done, clinic.signed, digest="0" * 64))


def effect_of_a_task_that_is_not_done(clinic: Clinic) -> None:
    signed = made.approved(clinic.asks)
    clinic.author.commit(LOCAL, {signed.path(): signed.model_dump_json().encode()})
    clinic.log(decided(clinic.asks, signed))
    clinic.log(confirmed(clinic.asks, signed))


def no_approval_in_approvals(clinic: Clinic) -> None:
    clinic.author.commit(LOCAL, {"Approvals/2026/11/x.json": b"{}"})


def broken_chain(who: Identity) -> Callable[[Clinic], None]:
    def plant(clinic: Clinic) -> None:
        path, content = clinic._log(who)
        clinic.author.commit(who, {path: content + content.splitlines(keepends=True)[-1]})

    return plant


def noise_in_a_log(clinic: Clinic) -> None:
    path, content = clinic._log(CLOUD)
    clinic.author.commit(CLOUD, {path: content + b"\xff\n"})


def request_no_parser_takes(clinic: Clinic) -> None:
    body = clinic.held.note.body + "<!-- countersign:request 0123456789abcdef -->\n"
    note = clinic.held.note.with_body(body).put(action="send_mail")
    clinic.author.move(
        CLOUD, clinic.held, clinic.held.evolve(stage=Stage.PENDING_APPROVAL, lease=None, revision=1, note=note)
    )


def dashboard_by_cloud(clinic: Clinic) -> None:
    clinic.author.commit(CLOUD, {"Dashboard.md": b"x"})


def secret_in_a_note(clinic: Clinic) -> None:
    clinic.author.commit(LOCAL, {"Rates.md": b"ghp_" + b"a1B2" * 9 + b"\n"})


PLANTS: dict[str, tuple[Callable[[Clinic], None], str, str]] = {
    "twice": (twice, "I1", "stands in 2 places"),
    "nowhere": (nowhere, "I1", "stands in 0 places"),
    "attempt again": (attempt_again, "I2", "attempt 1 after attempt 1"),
    "attempt back": (attempt_back, "I2", "attempt 0 after attempt 1"),
    "taken over": (taken_over, "I2", "attempt 1 after attempt 1"),
    "stranger": (stranger, "I3", "no key of stranger"),
    "forged, then honest": (forged_and_then_honest, "I3", "the signature of local does not fit"),
    "cloud changes the handbook": (cloud_changes_the_handbook, "I3", "may not write here"),
    "sent without approval": (sent_without_approval, "I5", "no valid approval"),
    "approved by an agent's key": (approved_by_an_agents_key, "I5", "no valid approval"),
    "other text than approved": (other_text_than_approved, "I5", "no valid approval"),
    "no receipt": (no_receipt, "I6", "no audit record confirms"),
    "approval without a record": (approval_no_record_tells_of, "I6", "no audit record says"),
    "record without an approval": (record_of_no_approval, "I6", "does not lie here"),
    "record of another digest": (record_of_another_digest, "I6", "does not lie here"),
    "effect of a task not done": (effect_of_a_task_that_is_not_done, "I6", "the task is not done"),
    "no approval": (no_approval_in_approvals, "I6", "it is no approval"),
    "local's chain": (broken_chain(LOCAL), "I6", "does not follow"),
    "cloud's chain": (broken_chain(CLOUD), "I6", "does not follow"),
    "noise in a log": (noise_in_a_log, "I6", "can't decode"),
    "request no parser takes": (request_no_parser_takes, "I7", "cut off"),
    "dashboard by cloud": (dashboard_by_cloud, "I8", "by cloud-1 wrote it"),
    "secret": (secret_in_a_note, "I9", "looks like a github-token"),
}


@pytest.mark.parametrize(("plant", "invariant", "what"), PLANTS.values(), ids=PLANTS)
def test_a_planted_illness_is_found_and_nothing_else_is(
    clinic: Clinic, plant: Callable[[Clinic], None], invariant: str, what: str
) -> None:
    plant(clinic)

    (found,) = clinic.examine()

    assert found.invariant == invariant
    assert what in found.what
    assert found.path
    assert found.what_to_do


def by_hand(clinic: Clinic, edits: dict[str, bytes | None]) -> None:
    """A commit nobody signed, as in a vault whose keys are not at hand."""
    author = clinic.author
    author.head = clinic.store.commit(author.head, edits, message="x", author=LOCAL.agent, at=made.NOW)


@pytest.mark.parametrize(
    ("edits", "invariant"),
    [
        (lambda clinic: {layout.path_of(clinic.done): None, **dict([notes.write(made.pending(1))])}, "I3"),
        (lambda clinic: dict([notes.write(made.pending(9))]), "I3"),
        (lambda clinic: dict([notes.write(clinic.waits.evolve(slug="again"))]), "I1"),
        (lambda clinic: {layout.path_of(clinic.waits): b"not a note"}, "I7"),
        (lambda clinic: {layout.path_of(clinic.done): None}, "I1"),
    ],
)
def test_without_keys_what_needs_none_is_still_judged(
    clinic: Clinic, edits: Callable[[Clinic], dict[str, bytes | None]], invariant: str
) -> None:
    by_hand(clinic, edits(clinic))

    assert invariant in {found.invariant for found in clinic.examine(trusting=False)}
    assert {found.invariant for found in clinic.examine(trusting=False)} <= {invariant, "I6"}


def test_a_malformed_note_in_quarantine_is_where_it_belongs(clinic: Clinic) -> None:
    by_hand(clinic, {layout.path_of(clinic.waits): None, f"Quarantine/{clinic.waits.id}.md": b"not a note"})

    assert clinic.examine(trusting=False) == ()


def test_what_a_hostile_agent_says_in_its_own_log_proves_nothing(clinic: Clinic) -> None:
    signed = made.approved(clinic.asks)
    clinic.author.commit(LOCAL, {signed.path(): signed.model_dump_json().encode()})
    clinic.log(decided(clinic.asks, signed), CLOUD)

    assert [found.what for found in clinic.examine()] == ["no audit record says that it was given"]


def test_a_history_that_is_none_is_one_finding(clinic: Clinic) -> None:
    clinic.author.head = CommitId("0" * 39 + "1")

    assert [found.invariant for found in clinic.examine()] == ["I3", "I11"]


def test_a_broken_object_is_found_by_git(clinic: Clinic) -> None:
    clinic.store.keep()
    (pack,) = (clinic.store.path / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:20] + bytes(pack.stat().st_size - 20))
    clinic.store = GitStore(clinic.store.path)  # what was written once is in the memory of the other

    assert {found.invariant for found in doctor.fsck(clinic.store.path)} == {"I11"}
    assert "I11" in {found.invariant for found in clinic.examine()}


def test_examining_writes_nothing(clinic: Clinic) -> None:
    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in clinic.store.path.rglob("*")}

    before = files()
    clinic.examine()
    doctor.fsck(clinic.store.path)

    assert files() == before
