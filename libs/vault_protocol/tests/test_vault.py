"""The verbs, over a hub in memory and a clock that moves when told."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER, World, claimed, draft, submitted

from vault_protocol import audit, layout, notes, request, updates
from vault_protocol.action import SendMail
from vault_protocol.audit import BrokenChain, Record
from vault_protocol.errors import IllegalMove, NoSuchTask, Refused, StaleRevision, UntrustedHead
from vault_protocol.task import Stage, Task
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault


def test_a_task_goes_from_waiting_to_done_through_the_owners_hands(world: World) -> None:
    asks = submitted(world)
    local = world.vault(LOCAL)
    shown = local.get(asks.id)
    asked = request.read(shown.note)
    assert asked is not None

    assert isinstance(asked.action, SendMail)
    signed = made.approved(shown, asked.action)
    approved = local.approve(shown, signed)
    done = local.finish(approved, result="sent")

    cloud = world.vault(CLOUD)
    assert cloud.get(asks.id) == local.get(done.id)
    assert (done.stage, done.finished, done.note.front["result"]) == (Stage.DONE, made.NOW, "sent")
    assert cloud.journal.read(signed.path()) is not None
    assert list(cloud.journal.where.values()) == [layout.path_of(done)]


def test_every_verb_writes_what_every_other_agent_accepts(world: World) -> None:
    """Each agent judges all that it fetches, here with the keys pinned."""
    cloud, local = world.vault(CLOUD), world.vault(LOCAL)
    for number in range(9):
        cloud.add(made.task(number))
    held = [claimed(cloud) for _ in range(7)]
    cloud.renew(held[0])
    cloud.release(held[0], waiting_for="model")
    cloud.close(held[1], held[1].note)
    cloud.quarantine(held[2], reason="poison")
    asking = [cloud.submit(task, draft(task)) for task in held[3:7]]
    cloud.withdraw(asking[0].id, 1)
    local.refresh()
    local.send_back(asking[0], remark="shorter")
    local.reject(asking[1], why="no")
    edited = local.edit(asking[2], draft(asking[2], text="Mine.\n"))
    local.approve(edited, made.approved(edited, made.mail(text="Mine.\n")))
    local.reopen(local.get(edited.id), because="expired")
    local.approve(asking[3], made.approved(asking[3].evolve(revision=2)), draft(asking[3], text="Mine.\n"))
    local.send_back(local.get(asking[1].id), remark="again")
    local.quarantine(local.get(made.task_id(8)), reason="spam")
    local.send_back(local.get(made.task_id(8)), remark="no spam")
    local.write("handbook", "rules", {"Company_Handbook.md": b"# Rules\n"})

    other = world.vault(OTHER)

    assert {task: path.partition("/")[0] for task, path in other.journal.where.items()} == {
        made.task_id(0): "Needs_Action", made.task_id(1): "Done", made.task_id(2): "Quarantine",
        made.task_id(3): "Needs_Action", made.task_id(4): "Needs_Action", made.task_id(5): "Pending_Approval",
        made.task_id(6): "Approved", made.task_id(7): "Needs_Action", made.task_id(8): "Needs_Action",
    }  # fmt: skip
    assert not list(other.malformed(*Stage))


def test_what_stands_there_already_is_not_published_again(world: World) -> None:
    cloud, other = world.vault(CLOUD), world.vault(OTHER)
    cloud.withdraw(made.task_id(1), 1)
    other.refresh()
    head = other.journal.head

    other.withdraw(made.task_id(1), 1)

    assert (other.journal.head, cloud.refresh()) == (head, head)


def test_the_same_task_is_added_once(world: World) -> None:
    cloud, other = world.vault(CLOUD), world.vault(OTHER)

    assert cloud.add(made.task())
    assert not cloud.add(made.task())
    assert not other.add(made.task())


def test_a_released_task_says_what_it_waits_for_until_it_is_submitted(world: World) -> None:
    cloud = world.vault(CLOUD)
    cloud.add(made.task())

    released = cloud.release(claimed(cloud), waiting_for="the model is down")
    assert released.note.front["waiting_for"] == "the model is down"
    held = claimed(cloud)
    assert held.attempt == 2
    assert "waiting_for" not in cloud.submit(held, draft(held.evolve(note=held.note))).note.front


def test_a_withdrawn_draft_is_a_signal_and_nothing_that_was_submitted_changes(world: World) -> None:
    asks = submitted(world)
    cloud = world.vault(CLOUD)
    before = cloud.journal.read(layout.path_of(asks))

    cloud.withdraw(asks.id, asks.revision)

    assert cloud.journal.read(f"Signals/withdraw-{asks.id}-1.json") == b"{}\n"
    assert cloud.journal.read(layout.path_of(asks)) == before


def test_a_second_submission_is_the_second_revision(world: World) -> None:
    asks = submitted(world)
    local, cloud = world.vault(LOCAL), world.vault(CLOUD)
    local.send_back(asks, remark="friendlier")
    cloud.refresh()
    held = claimed(cloud)
    assert held.note.front["remark"] == "friendlier"

    again = cloud.submit(held, draft(held, text="Dear Bob,\n"))
    local.refresh()

    assert (asks.revision, again.revision) == (1, 2)
    assert layout.path_of(again).endswith(".r2.md")
    with pytest.raises(StaleRevision):
        local.approve(asks, made.approved(asks))
    assert local.get(asks.id) == cloud.get(asks.id)


def test_a_decision_is_about_what_was_shown_and_nothing_else(world: World) -> None:
    """Whoever decided on an older head is told so; the newer draft stays as it is."""
    asks = submitted(world)
    local, service, cloud = world.vault(LOCAL), world.vault(LOCAL), world.vault(CLOUD)
    local.send_back(asks, remark="friendlier")
    cloud.refresh()
    held = claimed(cloud)
    cloud.submit(held, draft(held, text="Dear Bob,\n"))
    before = cloud.get(asks.id)

    decisions: tuple[Callable[[], Task], ...] = (
        lambda: service.send_back(asks, remark="shorter"),
        lambda: service.reject(asks, why="no"),
        lambda: service.edit(asks, asks.note),
        lambda: service.quarantine(asks, reason="it does not parse"),
        lambda: service.reopen(asks.evolve(stage=Stage.APPROVED), because="expired"),
        lambda: service.finish(asks.evolve(stage=Stage.APPROVED), result="sent"),
    )
    for decide in decisions:
        with pytest.raises(StaleRevision, match="look at it again"):
            decide()
    cloud.refresh()
    assert cloud.get(asks.id) == before


def test_what_was_put_up_for_approval_only_the_owner_ends(world: World) -> None:
    asks = submitted(world)
    local, cloud = world.vault(LOCAL), world.vault(CLOUD)
    local.send_back(asks, remark="again")
    cloud.refresh()
    held = claimed(cloud)

    with pytest.raises(IllegalMove, match="only the owner ends it"):
        cloud.close(held, held.note)
    cloud.add(made.task(5))
    fresh = claimed(cloud)
    with pytest.raises(IllegalMove, match="only the owner ends it"):
        cloud.close(fresh, draft(fresh))


def test_an_agent_publishes_nothing_that_others_would_not_apply(world: World) -> None:
    """A head that breaks a rule would stop everybody, so the rule stops its author."""
    asks = submitted(world)
    cloud, head = world.vault(CLOUD), world.hub.head

    writes: list[Callable[[], object]] = [
        lambda: cloud.write("write", "x", {"Dashboard.md": b"x"}),
        lambda: cloud.write("write", "x", {"Plans/run.sh": b"x"}),
        lambda: cloud.write("write", "x", {"Updates/cloud-2/recent.md": b"x"}),
        lambda: cloud.send_back(asks, remark="mine"),
        lambda: cloud.approve(asks, made.approved(asks)),
        lambda: cloud.edit(asks, asks.note),
        lambda: world.vault(LOCAL).write("write", "x", {"notes.txt": b"x"}),
        lambda: world.vault(LOCAL).write("write", "x", {layout.path_of(asks): None}),
    ]
    for write in writes:
        with pytest.raises(Refused):
            write()
    assert world.hub.head == head


def test_a_note_no_parser_takes_is_set_aside_and_the_others_go_on(world: World) -> None:
    world.vault(CLOUD, trust=None).add(made.task(1))
    store, head = world.store, world.hub.head
    path = f"Needs_Action/email/{made.task_id(2)}-odd.r7.md"
    broken = store.commit(head, {path: b"not a note"}, message="x", author=CLOUD.agent, at=made.NOW)
    world.hub.publish(broken, onto=head)
    cloud = world.vault(CLOUD, trust=None)

    assert [error.path for error in cloud.malformed(Stage.NEEDS_ACTION)] == [path]
    assert claimed(cloud).id == made.task_id(1)
    cloud.quarantine_note(path)

    aside = cloud.journal.where[made.task_id(2)]
    assert aside == f"Quarantine/{made.task_id(2)}-odd.md"
    assert cloud.journal.read(aside) == b"not a note"
    assert not list(cloud.malformed(Stage.NEEDS_ACTION))


def test_a_task_is_found_by_the_beginning_of_its_id(world: World) -> None:
    cloud = world.vault(CLOUD)
    cloud.add(made.task(0))
    cloud.add(made.task(32**15))

    assert cloud.get("b").id == made.task_id(32**15)
    assert cloud.get(made.task_id(0)).id == made.task_id(0)
    cloud.add(made.task(1))
    for prefix in ("a", "z", ""):
        with pytest.raises(NoSuchTask):
            cloud.get(prefix)


def records(vault: Vault, count: int, *, day: int = 0) -> None:
    vault.record(
        *(
            Record.of("effect.confirmed", actor=LOCAL.agent, target=made.task_id(n), at=made.NOW, parameters={"n": day})
            for n in range(count)
        )
    )


def chain(vault: Vault) -> list[str]:
    head = vault.journal.head
    assert head is not None
    paths = [path for path, _ in vault.journal.store.paths(head, f"Logs/{LOCAL.agent}")]
    return [line for path in paths for line in (vault.journal.read(path) or b"").decode().split("\n") if line]


def test_the_audit_log_is_one_chain_over_files_and_restarts(world: World) -> None:
    for day in range(3):
        records(world.vault(LOCAL), 2, day=day)
        world.clock.tick(timedelta(days=10))

    last = audit.verify(chain(world.vault(LOCAL)))

    assert last is not None
    assert last.sequence == 6


def test_a_clock_set_back_leaves_the_audit_log_one_chain(world: World) -> None:
    for jump in (40, -60, 1, -300):
        records(world.vault(LOCAL), 1)
        world.clock.jump(timedelta(days=jump))
    records(world.vault(LOCAL), 1)

    last = audit.verify(chain(world.vault(LOCAL)))

    assert last is not None
    assert last.sequence == 5


def test_a_record_with_odd_characters_does_not_stop_the_log(world: World) -> None:
    local = world.vault(LOCAL)
    for _ in range(2):
        local.record(Record.of("task.read", actor=LOCAL.agent, target="a\u2028b\x85c", at=made.NOW))

    assert len(chain(local)) == 2


@pytest.mark.parametrize("harm", ["change", "remove", "insert", "swap"])
def test_harm_to_the_published_log_shows(world: World, harm: str) -> None:
    local = world.vault(LOCAL)
    records(local, 5)
    lines = chain(local)
    if harm == "change":
        lines[2] = lines[2].replace('"result": ""', '"result": "ok"')
    elif harm == "remove":
        del lines[2]
    elif harm == "insert":
        lines.insert(2, lines[4])
    else:
        lines[2], lines[3] = lines[3], lines[2]

    with pytest.raises(BrokenChain):
        audit.verify(lines)


def test_updates_go_along_with_a_move_and_stay_in_their_own_file(world: World) -> None:
    cloud = world.vault(CLOUD)
    cloud.add(made.task(), Also(updates=[Update.of("task_added", made.NOW, task=made.task_id(0))]))

    path = updates.path(CLOUD.agent)
    assert path == "Updates/cloud-1/recent.md"
    assert updates.parse(cloud.journal.read(path) or b"") == (Update.of("task_added", made.NOW, task=made.task_id(0)),)


SECRET = 'hunter2 "quoted"/+'


SPELLINGS = (
    SECRET, b64encode(SECRET.encode()).decode(), SECRET.encode().hex(), SECRET.encode().hex().upper(),
    quote(SECRET, safe=""), json.dumps({"password": SECRET}),
)  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_own_secret_is_refused_before_anything_is_written(world: World, spelling: str) -> None:
    local = world.vault(LOCAL, secrets=(SECRET,))
    head = world.hub.head

    for path in ("Rates.md", "Rates.json", "Logs/local/2026-11/23.jsonl"):
        with pytest.raises(Refused, match="a secret of this machine") as caught:
            local.write("write", "rates", {"Other.md": b"x", path: f"it is {spelling}\n".encode()})
        assert caught.value.rule == "secret"
        assert SECRET not in str(caught.value)
    with pytest.raises(Refused, match="a secret of this machine"):
        world.vault(LOCAL, secrets=("secret-name",)).write("write", "x", {"Rates/secret-name.md": b"x"})
    assert world.hub.head == head


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_own_secret_in_the_message_is_refused_before_anything_is_written(world: World, spelling: str) -> None:
    local = world.vault(LOCAL, secrets=(SECRET,))
    with pytest.raises(Refused, match="the commit message: it holds a secret of this machine") as caught:
        local.write("write", f"my {spelling}", {"Rates.md": b"x"})
    assert SECRET not in str(caught.value)
    with pytest.raises(Refused, match="a secret of this machine"):
        world.vault(LOCAL, secrets=("secret-verb",)).write("secret-verb", "x", {"Rates.md": b"x"})
    assert world.hub.head is None


def test_a_well_known_secret_in_a_note_is_refused_before_anything_is_written(world: World) -> None:
    cloud = world.vault(CLOUD)
    task = made.task()
    leaking = task.evolve(note=task.note.with_body("the key is ghp_" + "a1B2" * 9 + "\n"))

    with pytest.raises(Refused, match="looks like a github-token"):
        cloud.add(leaking)
    assert world.hub.head is None


def test_a_hostile_head_stops_the_agent_that_judges_and_leaves_its_view(world: World) -> None:
    asks = submitted(world)
    local, head = world.vault(LOCAL), world.hub.head
    edits = dict([notes.write(asks.evolve(stage=Stage.APPROVED))])
    forged = world.store.commit(head, edits, message="approve: x", author=LOCAL.agent, at=made.NOW)
    world.hub.publish(forged, onto=head)

    before = local.get(asks.id)

    with pytest.raises(UntrustedHead):
        local.refresh()
    assert local.get(asks.id) == before
    with pytest.raises(UntrustedHead):
        local.reject(asks, why="no")


def test_a_reopening_does_not_take_back_an_approval_that_came_since(world: World) -> None:
    """The same stage and the same revision, and another decision of the owner."""
    asked = submitted(world)
    page, service = world.vault(LOCAL), world.vault(LOCAL)
    first = page.approve(asked, made.approved(asked, nonce="1" * 32))
    service.refresh()
    page.approve(page.reopen(first, because="undone"), made.approved(asked, nonce="2" * 32))

    with pytest.raises(StaleRevision):
        service.reopen(service.get(asked.id), because="the first approval expired")
    assert page.get(asked.id).stage is Stage.APPROVED
