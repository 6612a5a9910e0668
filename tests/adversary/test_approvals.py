"""Approvals forged in every way we could think of: none is acted on, and no true one is refused.

Read by the very readers of the vault and the MCP servers, then executed over a ledger. A seed that fails is named.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from libs.vault_protocol.tests import made
from pydantic import ValidationError

from local_agent.effects import Done, Executor, Ledger, State
from local_agent.effects.execute import Outcome, Policy
from local_agent.effects.ledger import IN_MEMORY
from local_agent.limits import MANY
from tests.adversary.papers import FORGERIES, Paper, paper
from vault_protocol import approval, notes, request
from vault_protocol.action import Action
from vault_protocol.approval import Approved, SignedApproval
from vault_protocol.errors import ApprovalRefused, MalformedNote
from vault_protocol.sshsig import PublicKey

OWNER = PublicKey.of(made.OWNER_KEY)
EVERY = 10
"""Of so many papers one is left as it is."""


@dataclass
class Outside:
    """The other side: what reached it, by the id of the approval that it was done under."""

    name: str = "outside"
    policy: Policy = field(default_factory=lambda: Policy("none", "a list", retries=True))
    reached: Counter[tuple[str, str]] = field(default_factory=Counter)

    def perform(self, what: Approved[Action], *, key: str, at: datetime) -> Outcome:
        self.reached[what.approval.id, what.action.model_dump_json()] += 1
        return Outcome(State.CONFIRMED, "taken")

    def probe(self, action: Action, *, key: str, at: datetime, tried: datetime) -> Outcome:
        return Outcome(State.UNKNOWN, "not looked for")

    def afterwards(self, action: Action, *, key: str, at: datetime) -> None:
        return


@dataclass
class Desk:
    """Local's side, from the bytes in the vault to the effect."""

    executor: Executor[Action]
    outside: Outside

    def take(self, one: Paper) -> str:
        """`done`, or what said no."""
        try:
            task = notes.read(one.path, one.note)
            asked = request.read(task.note, one.path)
            signed = SignedApproval.model_validate_json(one.signed)
        except (MalformedNote, ValidationError) as error:
            return type(error).__name__
        if asked is None:
            return "no request"
        try:
            approval.verify(
                signed, asked.action, key=OWNER, vault=made.VAULT, executor="executor-1", task=task.id,
                revision=task.revision, now=made.NOW,
            )  # fmt: skip
            rule = ""
        except ApprovalRefused as error:
            rule = error.rule
        answer = self.executor.execute(asked.action, signed)
        if isinstance(answer, Done) and not rule:
            return "done"
        return rule or type(answer).__name__


@contextmanager
def desk() -> Iterator[Desk]:
    ledger, outside = Ledger(IN_MEMORY), Outside()
    try:
        executor: Executor[Action] = Executor(
            connector=outside, ledger=ledger, vault=made.VAULT, id="executor-1", key=OWNER, secret=b"s" * 32,
            now=lambda: made.NOW, limit=lambda: MANY, dry_run=lambda: False,
        )  # fmt: skip
        yield Desk(executor, outside)
    finally:
        ledger.close()


def meaning(one: Paper) -> tuple[str, str, str]:
    """The id of its approval, every word of its action, and the signature without its line breaks."""
    asked = request.read(notes.read(one.path, one.note).note)
    assert asked is not None
    signed = SignedApproval.model_validate_json(one.signed)
    return signed.approval.id, asked.action.model_dump_json(), "".join(signed.signature.split())


def says_the_same(forged: Paper, true: Paper) -> bool:
    """Whether it is the same approval of the same action, only written otherwise: a blank in JSON, say."""
    try:
        return forged.path == true.path and meaning(forged) == meaning(true)
    except (MalformedNote, ValidationError, AssertionError):
        return False


def forge(seeds: range) -> Counter[str]:
    """How many of each verdict. Every paper is tried forged first; then, one of ten, as the owner signed it."""
    verdicts: Counter[str] = Counter()
    for begin in range(seeds.start, seeds.stop, 100):
        with desk() as at:
            rng = random.Random(begin)
            true = [paper(rng, number) for number in range(EVERY)]
            owner_signed = {meaning(one)[:2] for one in true}
            for seed in range(begin, min(begin + 100, seeds.stop)):
                rng = random.Random(seed)
                one, other = rng.sample(true, 2)
                name = rng.choice(list(FORGERIES))
                forged = FORGERIES[name](one, other, rng)
                verdict = at.take(forged)
                assert verdict != "done" or says_the_same(forged, one), f"seed {seed}: {name} was acted on"
                verdicts[verdict] += 1
            for one in true:
                assert at.take(one) == "done", f"seeds from {begin}: a true approval was refused"
                assert at.take(one) == "done", "asked again, it answers as before"
                verdicts["true"] += 1
            assert set(at.outside.reached) == owner_signed, f"seeds from {begin}: something else was acted on"
            assert set(at.outside.reached.values()) == {1}, f"seeds from {begin}: twice under one approval"
    return verdicts


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_of_this_kind_is_refused(name: str) -> None:
    """And it does change what it says it changes: of fifty, more than half are another approval or another action."""
    rng = random.Random(name)
    changed = 0
    with desk() as at:
        for number in range(50):
            one, other = paper(rng, 2 * number), paper(rng, 2 * number + 1)
            forged = FORGERIES[name](one, other, rng)
            verdict = at.take(forged)
            same = says_the_same(forged, one)
            assert verdict != "done" or same
            changed += not same
        assert changed > 25


def test_none_of_ten_thousand_forgeries_is_acted_on_and_every_true_approval_is() -> None:
    verdicts = forge(range(10_000))
    assert verdicts["true"] == 1_000
    assert {"signature", "digest", "MalformedNote", "ValidationError", "task", "revision"} <= set(verdicts)


@pytest.mark.prove
@pytest.mark.parametrize("shard", range(10))
def test_none_of_a_hundred_thousand_forgeries_is_acted_on(shard: int) -> None:
    forge(range(10_000 + shard * 10_000, 20_000 + shard * 10_000))


def test_a_server_that_checks_no_signature_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault_protocol.sshsig.verify", lambda *_, **__: None)
    with pytest.raises(AssertionError, match="was acted on"):
        forge(range(1_000))


def test_a_server_that_looks_at_no_digest_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault_protocol.action_base.ActionBase.digest", "0" * 64)
    with pytest.raises(AssertionError):
        forge(range(1_000))
