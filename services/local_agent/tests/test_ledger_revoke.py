"""Taking an approval back, against the executor that starts under it: exactly one of the two is first."""

from __future__ import annotations

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from local_agent.effects import Ledger, State
from local_agent.effects.ledger import Revoked
from local_agent.limits import MANY, Limit
from vault_protocol import keys, sshsig
from vault_protocol.action import Address, SendMail
from vault_protocol.approval import NAMESPACE, Approval, grant
from vault_protocol.errors import VaultError
from vault_protocol.testing import TestClock

KEY = keys.new()
NOW = TestClock().now()


def approval(task: str = "a" * 16) -> Approval:
    action = SendMail(
        account="business", sender=Address(address="me@home.example"), to=(Address(address="you@away.example"),),
        subject="x", text="y\n",
    )  # fmt: skip
    return grant(
        action, vault="v", executor="e", task=task, revision=1, by="o", now=NOW, not_before=NOW,
        nonce=secrets.token_hex(16), sign=lambda m: sshsig.sign(KEY, m, namespace=NAMESPACE),
    ).approval  # fmt: skip


def test_of_revoke_and_begin_exactly_one_wins(tmp_path: Path) -> None:
    """Two processes' worth of connections, 40 races."""
    for number in range(40):
        given, ready = approval(f"{number:016d}"), threading.Barrier(2, timeout=60)
        won: list[str] = []

        def start(given: Approval = given, ready: threading.Barrier = ready, won: list[str] = won) -> None:
            with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
                ready.wait()
                try:
                    ledger.begin(given.id, "mail", given, now=NOW, limit=MANY, dry_run=False)
                    won.append("begin")
                except Revoked:
                    pass

        def revoke(given: Approval = given, ready: threading.Barrier = ready, won: list[str] = won) -> None:
            with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
                ready.wait()
                if ledger.revoke(given, now=NOW):
                    won.append("revoke")

        both = [threading.Thread(target=start), threading.Thread(target=revoke)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert len(won) == 1


def test_of_those_that_make_a_ledger_at_once_none_fails(tmp_path: Path) -> None:
    for number in range(100):
        path, ready = tmp_path / f"{number}.sqlite", threading.Barrier(4, timeout=60)

        def opened(_: int, path: Path = path, ready: threading.Barrier = ready) -> None:
            ready.wait()
            Ledger(path).close()

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(opened, range(4))) == [None] * 4


def test_a_revoked_approval_leaves_the_task_free_for_the_next_one_and_uses_no_limit(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        first, second = approval(), approval()
        assert ledger.revoke(first, now=NOW)
        assert ledger.revoke(first, now=NOW)
        _, fresh = ledger.begin("effect", "mail", second, now=NOW, limit=Limit(1, 1), dry_run=False)
        assert fresh


def test_a_refused_effect_may_be_found_confirmed_but_never_unknown_again(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        ledger.begin("effect", "mail", approval(), now=NOW, limit=Limit(1, 1), dry_run=False)
        with pytest.raises(VaultError, match="is started"):
            ledger.resolve("effect", happened=False, now=NOW)
        ledger.end("effect", State.UNKNOWN, now=NOW)
        assert ledger.resolve("effect", happened=False, now=NOW).state is State.REFUSED
        assert ledger.end("effect", State.UNKNOWN, now=NOW + timedelta(minutes=5)).state is State.REFUSED
        assert ledger.end("effect", State.CONFIRMED, now=NOW + timedelta(minutes=6)).state is State.CONFIRMED
