"""execute(action, approval): what it refuses, and that an effect happens at most once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from local_agent.effects import Done, Executor, Ledger, Refusal, State, Unsure, Waiting, ledger
from local_agent.effects.execute import Outcome, Policy
from local_agent.limits import MANY, Limit
from vault_protocol import keys, sshsig
from vault_protocol.action import Address, SendMail
from vault_protocol.approval import NAMESPACE, Approved, SignedApproval, grant
from vault_protocol.errors import DiskTrouble
from vault_protocol.testing import TestClock

OWNER_KEY = keys.new()
SECRET = b"s" * 32
RETRIES = Policy("none", "a list", retries=True)


class Died(BaseException):
    """The process is gone at this step."""


@dataclass
class Post:
    """A connector whose other side is a list: what reached it, and what it shows when looked at."""

    name: str = "mail"
    policy: Policy = RETRIES
    reached: list[str] = field(default_factory=list)
    sent_folder: list[str] = field(default_factory=list)
    answers: list[State] = field(default_factory=list)

    def perform(self, what: Approved[SendMail], *, key: str, at: datetime) -> Outcome:
        answer = self.answers.pop(0) if self.answers else State.CONFIRMED
        if answer in (State.CONFIRMED, State.UNKNOWN):
            self.reached.append(key)
        return Outcome(answer, answer.value)

    def probe(self, action: SendMail, *, key: str, at: datetime, tried: datetime) -> Outcome:
        if key in self.sent_folder:
            return Outcome(State.CONFIRMED, "in Sent", seen=True)
        return Outcome(State.UNKNOWN, "not in Sent")

    def afterwards(self, action: SendMail, *, key: str, at: datetime) -> None:
        if key not in self.sent_folder:
            self.sent_folder.append(key)


@dataclass
class World:
    """One executor over one ledger, with a clock that moves when told."""

    folder: Path
    clock: TestClock = field(default_factory=TestClock)
    post: Post = field(default_factory=Post)
    dry_run: bool = False
    limit: Limit = MANY
    die_at: str = ""
    ledgers: list[Ledger] = field(default_factory=list)

    def executor(self, id_: str = "exec-1") -> Executor[SendMail]:
        ledger = Ledger(self.folder / f"{id_}.sqlite")
        self.ledgers.append(ledger)
        return Executor(
            connector=self.post, ledger=ledger, vault="v1", id=id_, key=sshsig.PublicKey.of(OWNER_KEY), secret=SECRET,
            now=self.clock.now, limit=lambda: self.limit, dry_run=lambda: self.dry_run, reached=self._reached,
        )  # fmt: skip

    def approve(
        self, action: SendMail, *, key: Ed25519PrivateKey = OWNER_KEY, task: str = "a" * 16, revision: int = 1,
        executor: str = "exec-1", vault: str = "v1", undo: timedelta = timedelta(0),
    ) -> SignedApproval:  # fmt: skip
        now = self.clock.now()
        return grant(
            action, vault=vault, executor=executor, task=task, revision=revision, by="owner", now=now,
            not_before=now + undo, nonce=secrets.token_hex(16), sign=lambda m: sshsig.sign(key, m, namespace=NAMESPACE),
        )  # fmt: skip

    def _reached(self, step: str) -> None:
        if step == self.die_at:
            raise Died(step)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    for opened in made.ledgers:
        opened.close()


def mail(text: str = "Yes, Tuesday works.\n", to: str = "jana@north.example") -> SendMail:
    return SendMail(
        account="business",
        sender=Address(address="me@home.example"),
        to=(Address(address=to),),
        subject="Re: x",
        text=text,
    )


def test_an_approved_mail_is_sent_once_however_often_it_is_asked_for(world: World) -> None:
    action = mail()
    signed = world.approve(action)
    answers = [world.executor().execute(action, signed) for _ in range(5)]
    assert all(isinstance(answer, Done) for answer in answers)
    assert len(world.post.reached) == 1


REFUSED: list[tuple[str, Callable[[World, SendMail], tuple[SendMail, SignedApproval]]]] = [
    ("signature", lambda w, a: (a, w.approve(a, key=keys.new()))),
    ("digest", lambda w, a: (mail("Changed after approval.\n"), w.approve(a))),
    ("digest", lambda w, a: (mail(to="attacker@evil.example"), w.approve(a))),
    ("executor", lambda w, a: (a, w.approve(a, executor="exec-2"))),
    ("vault", lambda w, a: (a, w.approve(a, vault="v2"))),
    ("not_before", lambda w, a: (a, w.approve(a, undo=timedelta(seconds=10)))),
]


@pytest.mark.parametrize(("rule", "forge"), REFUSED, ids=[f"{i}-{rule}" for i, (rule, _) in enumerate(REFUSED)])
def test_an_approval_that_does_not_hold_is_refused_with_its_rule_and_uses_nothing(
    world: World, rule: str, forge: Callable[[World, SendMail], tuple[SendMail, SignedApproval]]
) -> None:
    action, signed = forge(world, mail())
    answer = world.executor().execute(action, signed)
    assert isinstance(answer, Refusal)
    assert answer.rule == rule
    assert world.post.reached == []
    assert world.ledgers[0].last_sequence() == 0


def test_an_expired_approval_is_refused(world: World) -> None:
    signed = world.approve(mail())
    world.clock.tick(timedelta(hours=24))
    answer = world.executor().execute(mail(), signed)
    assert isinstance(answer, Refusal)
    assert answer.rule == "expired"
    assert world.post.reached == []


def test_an_expired_approval_stays_expired_when_the_clock_is_set_back(world: World) -> None:
    """The task went back to its owner, who may have ended it since."""
    signed = world.approve(mail())
    world.clock.jump(timedelta(hours=25))
    world.executor().execute(mail(), signed)
    world.clock.jump(timedelta(hours=-25))
    answer = world.executor().execute(mail(), signed)
    assert isinstance(answer, Refusal)
    assert answer.rule == "taken back"
    assert world.post.reached == []


def test_an_approval_used_for_another_task_is_refused(world: World) -> None:
    """The right digest, but the approval's fields were changed: the signature no longer fits."""
    signed = world.approve(mail())
    other = signed.model_copy(update={"approval": signed.approval.model_copy(update={"task": "b" * 16})})
    answer = world.executor().execute(mail(), other)
    assert isinstance(answer, Refusal)
    assert answer.rule == "signature"


@pytest.mark.parametrize("step", ["started", "performed", "outcome", "copied"])
def test_a_death_at_any_step_never_leads_to_a_second_send(world: World, step: str) -> None:
    signed = world.approve(mail())
    world.die_at = step
    with pytest.raises(Died):
        world.executor().execute(mail(), signed)
    world.die_at = ""
    before = len(world.post.reached)
    answers = [world.executor().execute(mail(), signed) for _ in range(3)]
    assert len(world.post.reached) == before
    expected = Unsure if step in ("started", "performed") else Done
    assert all(isinstance(answer, expected) for answer in answers)


def test_a_started_effect_is_confirmed_when_its_copy_is_in_sent(world: World) -> None:
    signed = world.approve(mail())
    world.die_at = "performed"
    with pytest.raises(Died):
        world.executor().execute(mail(), signed)
    world.die_at = ""
    world.post.sent_folder.append(world.post.reached[0])
    assert isinstance(world.executor().execute(mail(), signed), Done)
    assert len(world.post.reached) == 1


def test_an_effect_behind_an_approval_that_has_expired_since_is_settled_not_denied(world: World) -> None:
    signed = world.approve(mail())
    world.die_at = "outcome"
    with pytest.raises(Died):
        world.executor().execute(mail(), signed)
    world.die_at = ""
    world.clock.tick(timedelta(days=3))
    assert isinstance(world.executor().execute(mail(), signed), Done)
    assert len(world.post.reached) == 1


def test_a_lost_answer_is_put_to_the_owner_and_never_repeated(world: World) -> None:
    world.post.answers = [State.UNKNOWN]
    signed = world.approve(mail())
    assert isinstance(world.executor().execute(mail(), signed), Unsure)
    world.clock.tick(timedelta(hours=2))
    assert isinstance(world.executor().execute(mail(), signed), Unsure)
    assert len(world.post.reached) == 1


def test_what_surely_did_not_happen_is_tried_again_after_a_rest(world: World) -> None:
    world.post.answers = [State.NOT_DONE, State.NOT_DONE, State.CONFIRMED]
    signed = world.approve(mail())
    first = world.executor().execute(mail(), signed)
    assert isinstance(first, Waiting)
    assert isinstance(world.executor().execute(mail(), signed), Waiting)
    assert len(world.post.answers) == 2, "it was tried again before its rest was over"
    world.clock.tick(timedelta(minutes=2))
    assert isinstance(world.executor().execute(mail(), signed), Waiting)
    world.clock.tick(timedelta(minutes=5))
    assert isinstance(world.executor().execute(mail(), signed), Done)
    assert len(world.post.reached) == 1


def test_a_task_that_is_approved_twice_is_sent_once(world: World) -> None:
    first, second = world.approve(mail()), world.approve(mail())
    assert isinstance(world.executor().execute(mail(), first), Done)
    answer = world.executor().execute(mail(), second)
    assert isinstance(answer, Refusal)
    assert answer.rule == "single effect"
    assert len(world.post.reached) == 1


def test_dry_run_checks_everything_and_consumes_nothing(world: World) -> None:
    world.dry_run = True
    signed = world.approve(mail())
    assert isinstance(world.executor().execute(mail(), signed), Waiting)
    forged = world.executor().execute(mail(), world.approve(mail(), key=keys.new()))
    assert isinstance(forged, Refusal)
    world.dry_run = False
    assert isinstance(world.executor().execute(mail(), signed), Done)


def test_pause_stops_effects_and_uses_nothing_up(world: World) -> None:
    executor = world.executor()
    executor.ledger.pause("lunch")
    signed = world.approve(mail())
    assert isinstance(executor.execute(mail(), signed), Waiting)
    executor.ledger.resume()
    assert isinstance(executor.execute(mail(), signed), Done)


def test_without_room_for_its_outcome_nothing_starts_and_nothing_is_used_up(world: World) -> None:
    executor, signed = world.executor(), world.approve(mail())
    with mock.patch.object(ledger, "ROOM", 1 << 60), pytest.raises(DiskTrouble, match="left on this disk; free some"):
        executor.execute(mail(), signed)
    assert (world.post.reached, world.ledgers[0].of_task("a" * 16)) == ([], ())
    assert isinstance(executor.execute(mail(), signed), Done)
    assert len(world.post.reached) == 1


def test_the_hourly_limit_holds_over_restarts_and_says_when_it_ends(world: World) -> None:
    world.limit = Limit(2, 100)
    for task in ("a", "b"):
        assert isinstance(world.executor().execute(mail(), world.approve(mail(), task=task * 16)), Done)
        world.clock.tick(timedelta(minutes=10))
    third = world.approve(mail(), task="c" * 16)
    answer = world.executor().execute(mail(), third)
    assert isinstance(answer, Waiting)
    assert answer.until is not None
    world.clock.tick(answer.until - world.clock.now() + timedelta(seconds=1))
    assert isinstance(world.executor().execute(mail(), third), Done)


def test_the_daily_limit_holds_beside_the_hourly_one(world: World) -> None:
    world.limit = Limit(2, 3)
    for task in "abc":
        assert isinstance(world.executor().execute(mail(), world.approve(mail(), task=task * 16)), Done)
        world.clock.tick(timedelta(hours=1))
    fourth = world.approve(mail(), task="d" * 16)
    answer = world.executor().execute(mail(), fourth)
    assert isinstance(answer, Waiting)
    assert "3 mail effects a day" in answer.reason
    assert answer.until == world.clock.now() + timedelta(hours=21)
    world.clock.tick(timedelta(hours=21, seconds=1))
    assert isinstance(world.executor().execute(mail(), fourth), Done)


def test_a_limit_of_none_lets_nothing_start(world: World) -> None:
    world.limit = Limit(10, 0)
    assert isinstance(world.executor().execute(mail(), world.approve(mail())), Waiting)
    assert world.post.reached == []


def test_a_second_machine_does_not_repeat_what_its_predecessor_did(world: World) -> None:
    """The same keys and secret, restored on another machine with an empty ledger."""
    old = world.approve(mail())
    assert isinstance(world.executor("exec-1").execute(mail(), old), Done)
    second = world.executor("exec-2")
    assert isinstance(second.execute(mail(), old), Refusal)
    again = world.approve(mail(), executor="exec-2")
    answer = second.execute(mail(), again, earlier=[old])
    assert isinstance(answer, Refusal)
    assert answer.rule == "earlier executor"
    assert len(world.post.reached) == 1


def test_two_processes_with_the_same_approval_send_once(world: World) -> None:
    """Both verified before either marked: the ledger's transaction decides."""
    signed = world.approve(mail())
    one, two = world.executor(), world.executor()
    world.die_at = "started"
    with pytest.raises(Died):
        one.execute(mail(), signed)
    world.die_at = ""
    assert isinstance(two.execute(mail(), signed), Unsure)
    assert world.post.reached == []
