"""What the hub holds a changeset against beyond the zones: leases by its clock, approvals, secrets."""

from datetime import timedelta

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, NOW, OTHER
from services.vault_hub.tests.conftest import Start
from services.vault_hub.tests.hubworld import Answer, HubWorld

from vault_protocol import notes, request, sshsig
from vault_protocol.approval import NAMESPACE, SignedApproval
from vault_protocol.files import write_private
from vault_protocol.hub import Edits
from vault_protocol.identity import Identity
from vault_protocol.request import Request
from vault_protocol.task import Lease, Stage, Task


def moved(hub: HubWorld, who: Identity, old: Task | None, new: Task, **more: bytes | None) -> Answer:
    edits: dict[str, bytes | None] = {notes.write(old)[0]: None} if old else {}
    path, content = notes.write(new)
    attempt = old.attempt if old and old.lease else 0
    return wrote(hub, who, {**edits, path: content, **more}, attempt)


def wrote(hub: HubWorld, who: Identity, edits: Edits, attempt: int = 0, subject: str = "by hand") -> Answer:
    """Published by hand; what was refused is taken back."""
    before, trails = hub.author.head, dict(hub.author.trails)
    answer = hub.publish(who.agent, hub.author.commit(who, edits, attempt=attempt, subject=subject))
    if answer.said["answer"] != "accepted":
        hub.author.head, hub.author.trails = before, trails
    return answer


def held(task: Task, by: Identity, until: timedelta) -> Task:
    attempt = task.attempt + 1
    return task.evolve(
        stage=Stage.IN_PROGRESS, attempt=attempt, lease=Lease(owner=by.agent, attempt=attempt, until=NOW + until)
    )


def rule(answer: Answer) -> str | None:
    return answer.said.get("rule")


@pytest.fixture
def waiting(hub: HubWorld) -> Task:
    hub.begin()
    task = made.task(1)
    assert rule(moved(hub, CLOUD, None, task)) is None
    return task


def test_who_reaps_earlier_than_the_hub_lets_them_goes_on_with_the_others_and_comes_back(
    hub: HubWorld, waiting: Task
) -> None:
    """One agent may be set to longer leases than another, up to a day."""
    slow = held(waiting, CLOUD, timedelta(hours=5))
    moved(hub, CLOUD, waiting, slow)
    other = made.task(2)
    moved(hub, CLOUD, None, other)
    moved(hub, CLOUD, other, held(other, CLOUD, timedelta(minutes=10)))
    reaper = hub.vault(OTHER)
    assert reaper.reap() == ()
    hub.tick(600)
    reaper.refresh()
    assert reaper.reap() == (other.id,)
    for _ in range(30):
        hub.tick(600)
        reaper.refresh()
        if reaper.reap():
            break
    assert reaper.get(waiting.id).stage is Stage.NEEDS_ACTION


def test_a_lease_longer_than_a_day_is_refused(hub: HubWorld, waiting: Task) -> None:
    assert rule(moved(hub, CLOUD, waiting, held(waiting, CLOUD, timedelta(days=2)))) == "lease"
    assert rule(moved(hub, CLOUD, waiting, held(waiting, CLOUD, timedelta(days=1)))) is None


def test_a_renewal_is_held_to_the_same_length(hub: HubWorld, waiting: Task) -> None:
    mine = held(waiting, CLOUD, timedelta(minutes=10))
    moved(hub, CLOUD, waiting, mine)
    longer = mine.evolve(lease=Lease(owner=CLOUD.agent, attempt=1, until=NOW + timedelta(days=400)))

    assert rule(wrote(hub, CLOUD, dict([notes.write(longer)]), attempt=1)) == "lease"


def test_a_task_is_taken_from_its_owner_only_once_its_lease_ran_out_by_the_hubs_clock(
    hub: HubWorld, waiting: Task
) -> None:
    mine = held(waiting, CLOUD, timedelta(minutes=10))
    moved(hub, CLOUD, waiting, mine)
    back = mine.evolve(stage=Stage.NEEDS_ACTION, lease=None)

    for reaper in (OTHER, LOCAL):
        assert rule(moved(hub, reaper, mine, back)) == "lease"
    hub.tick(599)
    assert rule(moved(hub, OTHER, mine, back)) == "lease"
    hub.tick(1)
    assert rule(moved(hub, OTHER, mine, back)) is None


def test_who_was_reaped_no_longer_writes_to_the_task(hub: HubWorld, waiting: Task) -> None:
    mine = held(waiting, CLOUD, timedelta(minutes=10))
    moved(hub, CLOUD, waiting, mine)
    hub.tick(600)
    back = mine.evolve(stage=Stage.NEEDS_ACTION, lease=None)
    moved(hub, OTHER, mine, back)
    hers = back.evolve(
        stage=Stage.IN_PROGRESS, attempt=2, lease=Lease(owner=OTHER.agent, attempt=2, until=NOW + timedelta(minutes=20))
    )
    assert rule(moved(hub, OTHER, back, hers)) is None

    again = mine.evolve(stage=Stage.PENDING_APPROVAL, lease=None, revision=1, note=made.drafted(waiting))
    assert rule(moved(hub, CLOUD, None, again)) in ("one place", "zone")
    assert rule(moved(hub, CLOUD, hers, again)) == "zone"


@pytest.fixture
def asked(hub: HubWorld, waiting: Task) -> Task:
    """A mail that waits for the owner's word."""
    mine = held(waiting, CLOUD, timedelta(minutes=10))
    moved(hub, CLOUD, waiting, mine)
    pending = mine.evolve(stage=Stage.PENDING_APPROVAL, lease=None, revision=1, note=made.drafted(waiting))
    assert rule(moved(hub, CLOUD, mine, pending)) is None
    return pending


def approve(hub: HubWorld, pending: Task, *papers: SignedApproval | bytes, path: str = "") -> Answer:
    edits: dict[str, bytes | None] = {notes.write(pending)[0]: None}
    to, content = notes.write(pending.evolve(stage=Stage.APPROVED))
    for number, paper in enumerate(papers):
        raw = paper if isinstance(paper, bytes) else paper.model_dump_json().encode()
        edits[path or f"Approvals/2026/11/{pending.id}-r1-{number}.json"] = raw
    return wrote(hub, LOCAL, {**edits, to: content})


def test_a_task_enters_approved_with_the_owners_signed_approval_of_that_very_action(hub: HubWorld, asked: Task) -> None:
    assert rule(approve(hub, asked, made.approved(asked))) is None


def by_stranger(message: bytes) -> str:
    return sshsig.sign(made.STRANGER.key, message, namespace=NAMESPACE)


def for_a_file(message: bytes) -> str:
    return sshsig.sign(made.OWNER_KEY, message, namespace="file")


def test_nothing_else_lets_a_task_into_approved(hub: HubWorld, asked: Task) -> None:
    right = made.approved(asked)
    changed = right.model_copy(update={"approval": right.approval.model_copy(update={"account": "other"})})
    for papers in (
        (), (b"",), (b"{}",), (right.model_dump_json().encode()[:-1],), (changed,),
        (made.approved(asked, sign=by_stranger),), (made.approved(asked, sign=for_a_file),),
        (made.approved(asked, vault="vault-2"),), (made.approved(asked, task=made.task_id(9)),),
        (made.approved(asked, revision=2),), (made.approved(asked, made.mail(subject="Another")),),
        (right.model_copy(update={"signature": "x"}),),
    ):  # fmt: skip
        assert rule(approve(hub, asked, *papers)) == "approval", papers
    assert rule(approve(hub, asked, right, path="Plans/approval.json")) == "approval"
    assert hub.author.head == hub.head


def test_an_approval_that_lay_there_before_is_not_one_given_now(hub: HubWorld, asked: Task) -> None:
    right = made.approved(asked)
    wrote(hub, LOCAL, {"Approvals/2026/11/early.json": right.model_dump_json().encode()})

    assert rule(approve(hub, asked)) == "approval"


def test_cloud_brings_nothing_into_approved_even_with_a_true_approval(hub: HubWorld, asked: Task) -> None:
    to, content = notes.write(asked.evolve(stage=Stage.APPROVED))
    paper = made.approved(asked).model_dump_json().encode()
    edits = {notes.write(asked)[0]: None, to: content, "Approvals/2026/11/x.json": paper}

    assert rule(wrote(hub, CLOUD, edits)) == "zone"


def test_an_action_changed_on_its_way_into_approved_is_not_the_one_that_was_signed(hub: HubWorld, asked: Task) -> None:
    other = request.put(request.take_out(asked.note), Request(made.TOKEN, made.mail(subject="Another")))
    to, content = notes.write(asked.evolve(stage=Stage.APPROVED, revision=2, note=other))
    paper = made.approved(asked.evolve(revision=2)).model_dump_json().encode()

    answer = wrote(hub, LOCAL, {notes.write(asked)[0]: None, to: content, "Approvals/2026/11/x.json": paper})

    assert rule(answer) == "approval"


KEY = "AKIA" + "ABCDEFGHIJKLMNOP"


def test_a_providers_secret_is_refused_wherever_it_is_written(hub: HubWorld) -> None:
    hub.begin()
    for path in ("Plans/p.md", f"Updates/{CLOUD.agent}/u.json", f"Logs/{CLOUD.agent}/l.jsonl", "Signals/s.md"):
        answer = wrote(hub, CLOUD, {path: f"the key is {KEY} .\n".encode()})
        assert (rule(answer), answer.said["path"]) == ("secret", path)
        assert KEY not in answer.raw.decode()
    assert KEY not in (hub.running.folder / "state" / "refusals.jsonl").read_text()


def test_noise_is_never_a_secret(hub: HubWorld) -> None:
    hub.begin()
    assert rule(wrote(hub, CLOUD, {"Plans/p.md": b"3f9a" * 40 + b" c2VjcmV0" * 9 + b"\n"})) is None


def test_of_a_log_only_what_was_added_is_looked_at_for_secrets(hub: HubWorld) -> None:
    hub.begin()
    path = f"Logs/{CLOUD.agent}/2026-11.jsonl"
    begun = b'{"n":1}\n{"half":"AKIAABCDEF'
    assert rule(wrote(hub, CLOUD, {path: begun})) is None

    assert rule(wrote(hub, CLOUD, {path: begun + b'GHIJKLMNOP"}\n'})) == "secret"
    assert rule(wrote(hub, CLOUD, {path: begun + b' "}\n'})) is None


SPELLINGS = ("correct horse", "Y29ycmVjdCBob3JzZQ", "636f727265637420686f727365", "correct%20horse")


@pytest.fixture
def telling(start: Start) -> HubWorld:
    """A hub that was told a secret of Cloud."""
    hub = start()
    (hub.folder / "password").write_text("correct horse\n")
    hub.running.stop()
    hub.running.changes = {"secret_files": (hub.folder / "password",)}
    hub.running.start()
    hub.begin()
    return hub


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_a_secret_of_clouds_own_is_refused_in_any_spelling_of_either_agent(telling: HubWorld, spelled: str) -> None:
    for who in (CLOUD, LOCAL):
        answer = wrote(telling, who, {"Plans/p.md": f"x {spelled} x\n".encode()})
        assert (rule(answer), "correct" in answer.raw.decode()) == ("secret", False)


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_a_secret_of_clouds_own_is_refused_in_a_message_however_it_comes(telling: HubWorld, spelled: str) -> None:
    edits: Edits = {"Plans/p.md": b"x\n"}
    for who in (CLOUD, LOCAL):
        answer = wrote(telling, who, edits, subject=f"x {spelled} x")
        assert (rule(answer), answer.said["path"]) == ("secret", "the commit message")
        assert spelled not in answer.raw.decode()
    before, trails = telling.author.head, dict(telling.author.trails)
    commit = telling.author.commit(CLOUD, edits, subject=spelled)
    pushed = telling.git("push", telling.address(CLOUD.agent), f"{commit}:refs/heads/main", at=telling.store.path)
    telling.author.head, telling.author.trails = before, trails
    assert "secret: " in pushed.stderr
    assert spelled not in pushed.stderr + (telling.running.folder / "state" / "refusals.jsonl").read_text()
    assert telling.head == before
    assert rule(wrote(telling, CLOUD, edits, subject="x correct h x")) is None


def test_a_secret_put_into_the_folder_is_refused_from_then_on_without_a_restart(hub: HubWorld) -> None:
    hub.begin()
    assert hub.metric("countersign_hub_secrets") == 0
    assert rule(wrote(hub, CLOUD, {"Plans/p.md": b"x correct horse x\n"})) is None

    folder = hub.running.settings.secrets_dir
    folder.mkdir()
    write_private(folder / "mailbox-business", b"correct horse\n")
    hub.clock.tick(timedelta(seconds=2))

    assert rule(wrote(hub, CLOUD, {"Plans/q.md": b"x correct horse x\n"})) == "secret"
    assert hub.metric("countersign_hub_secrets") == 1
    write_private(folder / "mailbox-business", b"battery staple\n")
    hub.clock.tick(timedelta(seconds=2))
    assert rule(wrote(hub, LOCAL, {"Plans/q.md": b"x battery staple x\n"})) == "secret"


def test_a_secret_that_cannot_be_read_any_more_stays_one(hub: HubWorld) -> None:
    folder = hub.running.settings.secrets_dir
    folder.mkdir()
    write_private(folder / "key", b"correct horse\n")
    hub.clock.tick(timedelta(seconds=2))
    hub.begin()
    (folder / "key").unlink()
    (folder / "key").symlink_to(folder / "nowhere")
    hub.clock.tick(timedelta(seconds=2))
    assert rule(wrote(hub, CLOUD, {"Plans/p.md": b"x correct horse x\n"})) == "secret"


def test_a_refusal_is_noted_with_who_which_rule_and_where_and_no_content(hub: HubWorld) -> None:
    hub.begin()
    wrote(hub, CLOUD, {"Dashboard.md": b"what only the author knows\n"})

    noted = (hub.running.folder / "state" / "refusals.jsonl").read_text()

    assert '"agent": "cloud-1", "rule": "zone", "path": "Dashboard.md"' in noted
    assert "only the author" not in noted
    assert hub.metric("countersign_hub_refusals_total") == 1
