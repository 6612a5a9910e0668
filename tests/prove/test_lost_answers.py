"""Thousands of sends through the one connector, a fifth of their answers lost: no mail twice, no doubt untold."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made

from demo.processes import eventually
from local_agent.effects import Ledger
from tests.prove.conftest import ROOT
from tests.prove.one_send import Case

THREADS = 4
"""Each with a ledger connection of its own, as several MCP servers would have."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Case]:
    """A server of its own process that keeps count; nobody can look into its Sent folder."""
    argv = [sys.executable, "-m", "tests.prove.counting_server", str(tmp_path), "5"]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE) as process:
        port = tmp_path / "port"
        eventually(port.exists, "the counting server listens", seconds=60)
        (tmp_path / "password").write_text("a password", encoding="utf-8")
        yield Case(
            ledger=str(tmp_path / "ledger.sqlite"), address="owner@home.example", user="owner",
            password_file=str(tmp_path / "password"), submission_port=json.loads(port.read_bytes())["smtp"],
            imap_port=1, number=0,
        )  # fmt: skip
        process.terminate()


@pytest.mark.parametrize(
    "sends",
    [pytest.param(1_000, marks=pytest.mark.prove), pytest.param(10_000, marks=pytest.mark.soak)],
)
def test_no_mail_is_sent_twice_and_every_lost_answer_is_told(server: Case, tmp_path: Path, sends: int) -> None:
    def shift(first: int) -> Counter[str]:
        """Every mail is asked for twice, as after a crash."""
        ledger, told = Ledger(Path(server.ledger)), Counter[str]()
        for number in range(first, sends, THREADS):
            case = replace(server, number=number)
            answer = type(case.execute(ledger)).__name__
            assert type(case.execute(ledger)).__name__ == answer
            told[answer] += 1
        ledger.close()
        return told

    with ThreadPoolExecutor(THREADS) as threads:
        told = sum(threads.map(shift, range(THREADS)), Counter[str]())

    lines = [line.split() for line in (tmp_path / "record").read_text(encoding="ascii").splitlines()]
    fates = Counter(fate for _, fate in lines)
    assert len({message for message, _ in lines}) == len(lines) == sends, "a mail reached the server twice, or never"
    lost = fates["taken-unanswered"] + fates["lost"]
    assert 0.18 < lost / sends < 0.22
    assert told == {"Done": sends - lost, "Unsure": lost}
    ledger = Ledger(Path(server.ledger))
    unknown = {effect.task for effect in ledger.unknown()}
    done = {effect.task for number in range(sends) for effect in ledger.of_task(made.task_id(number))} - unknown
    ledger.close()
    assert (len(unknown), len(done)) == (lost, sends - lost)
