"""SIGKILL, or a disk that says no, at the system calls of one publish and of one send: it heals at once, nothing is
lost, nothing is doubled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made

from demo.launch import MailWorld, mail_world
from local_agent.effects import Ledger
from tests.prove import tracing
from tests.prove.one_publish import open_vault
from tests.prove.one_send import Case
from tests.prove.tracing import run, run_killed, run_refused
from vault_protocol import notes, remote

pytestmark = [pytest.mark.prove, pytest.mark.xdist_group("system calls")]

HEALS = 5.0
"""Seconds the restarted process may take. The one time that is asserted here: it is part of what is promised."""

RENAMES = ("rename", "renameat", "renameat2", "link", "linkat")
REMOVALS = ("unlink", "unlinkat", "rmdir")
SYNCS = ("fsync", "fdatasync")
WRITES = ("write", "pwrite64", "ftruncate")
FULL = (("ENOSPC", ("write", "pwrite64", "ftruncate", "mkdir", "mkdirat", *RENAMES)), ("EIO", (*SYNCS, "pread64")))
"""What a full disk and a failing one refuse."""
ENDED = 4
"""The exit code of what was to be expected."""
PIPE_REFUSED = 120
"""Python's, when the last line it says is refused."""
TALKS = ("connect", "sendto", "sendmsg", "shutdown")


@dataclass
class Publishing:
    """A hub and the one clone that publishes to it; `numbers` were asked for so far."""

    hub: Path
    home: Path
    numbers: list[int]

    def arguments(self) -> tuple[str, str, str]:
        return str(self.hub), str(self.home), str(self.numbers[-1])


@pytest.fixture(scope="module")
def publishing(tmp_path_factory: pytest.TempPathFactory) -> Publishing:
    folder = tmp_path_factory.mktemp("publishing")
    remote.create(folder / "hub.git")
    found = Publishing(folder / "hub.git", folder / "home", [0])
    assert run("one_publish", *found.arguments()).code == 0
    return found


@pytest.mark.parametrize("calls", [RENAMES, REMOVALS, SYNCS, WRITES, TALKS], ids=lambda calls: calls[0])
def test_a_publish_killed_at_a_system_call_heals_and_is_there_once(
    publishing: Publishing, calls: tuple[str, ...], tmp_path: Path
) -> None:
    kills = 0
    for at in count(1):
        publishing.numbers.append(publishing.numbers[-1] + 1)
        cut = run_killed("one_publish", *publishing.arguments(), calls=calls, at=at, log=tmp_path / "trace")
        healed = run("one_publish", *publishing.arguments())
        assert healed.code == 0
        assert float(healed.said) <= HEALS, f"{calls[0]} {at}"
        assert remote.fsck(publishing.hub) == ()
        assert remote.fsck(publishing.home / "clone.git") == ()
        all_is_there_once(publishing, tmp_path / f"reader-{calls[0]}-{at}")
        kills += cut.killed
        if not cut.killed:
            break
    assert kills or calls is TALKS, "nothing was ever killed, so nothing is proved"


@pytest.mark.parametrize("calls", [RENAMES, REMOVALS, SYNCS, WRITES], ids=lambda calls: calls[0])
def test_a_hub_killed_at_a_system_call_heals_and_has_it_once(
    publishing: Publishing, calls: tuple[str, ...], tmp_path: Path
) -> None:
    """Only the processes at the hub's end are killed; whoever published learns what became of it by looking."""
    log = tmp_path / "trace"
    for at in count(1):
        publishing.numbers.append(publishing.numbers[-1] + 1)
        traced = tracing.hub_killed(publishing.hub, publishing.home / "clone.git", calls=calls, at=at, log=log)
        run("one_publish", traced, *publishing.arguments()[1:])
        healed = run("one_publish", *publishing.arguments())
        assert healed.code == 0
        assert float(healed.said) <= HEALS, f"{calls[0]} {at}"
        assert remote.fsck(publishing.hub) == ()
        all_is_there_once(publishing, tmp_path / f"reader-{calls[0]}-{at}")
        if not tracing.was_killed(log):
            break
    assert at > 1, "nothing was ever killed, so nothing is proved"


def all_is_there_once(publishing: Publishing, home: Path) -> None:
    reader = open_vault(str(publishing.hub), home)
    head = reader.refresh()
    assert head is not None
    found = sorted(path for path, _ in reader.journal.store.paths(head, "Needs_Action"))
    assert found == sorted(notes.write(made.task(number))[0] for number in publishing.numbers)
    assert len(reader.journal.store.history(None, head)) == len(publishing.numbers)


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MailWorld, Case]]:
    folder = tmp_path_factory.mktemp("post")
    with mail_world(folder) as world:
        home = world.provider
        yield world, Case(
            ledger=str(folder / "ledger.sqlite"), address=home.address, user=home.acting.user,
            password_file=str(home.acting.password_file), submission_port=home.submission_port,
            imap_port=home.imap_port, number=0,
        )  # fmt: skip


NUMBERS = count(1)


@pytest.mark.parametrize("calls", [SYNCS, WRITES, REMOVALS, TALKS], ids=lambda calls: calls[0])
def test_a_send_killed_at_a_system_call_is_never_sent_twice_and_a_doubt_is_told(
    post: tuple[MailWorld, Case], calls: tuple[str, ...], tmp_path: Path
) -> None:
    world, kills = post[0], 0
    for at in count(1):
        case = replace(post[1], number=next(NUMBERS))
        asked = json.dumps(asdict(case))
        cut = run_killed("one_send", asked, calls=calls, at=at, log=tmp_path / "trace")
        healed = run("one_send", asked)
        assert healed.code == 0
        seconds, answer = healed.said.split()
        assert float(seconds) <= HEALS, f"{calls[0]} {at}"
        sent = [mail for mail in world.received() if case.recipient in mail.envelope.recipients]
        ledger = Ledger(Path(case.ledger))
        unknown = [effect.task for effect in ledger.unknown()]
        ledger.close()
        assert (answer, len(sent), made.task_id(case.number) in unknown) in {
            ("Done", 1, False), ("Unsure", 0, True), ("Unsure", 1, True),
        }  # fmt: skip
        kills += cut.killed
        if not cut.killed:
            assert cut.said.split()[1] == "Done"
            break
    assert kills or calls is REMOVALS, "nothing was ever killed, so nothing is proved"


def whens(at: int) -> tuple[str, ...]:
    """The n-th call alone; for some n all that follow, too."""
    return (str(at), f"{at}+") if at & (at - 1) == 0 else (str(at),)


@pytest.mark.parametrize(("error", "calls"), FULL, ids=[error for error, _ in FULL])
def test_a_publish_that_the_disk_refuses_ends_as_expected_and_is_there_once_when_it_is_asked_again(
    publishing: Publishing, error: str, calls: tuple[str, ...], tmp_path: Path
) -> None:
    refused, log = set[int](), tmp_path / "trace"
    for at in count(1):
        for when in whens(at):
            publishing.numbers.append(publishing.numbers[-1] + 1)
            cut = run_refused(
                "one_publish", *publishing.arguments(), calls=calls, error=error, when=when, log=log
            )  # fmt: skip
            if tracing.was_refused(log):
                refused.add(cut.code)
            healed = run("one_publish", *publishing.arguments())
            assert healed.code == 0
            assert float(healed.said) <= HEALS, f"{error} {when}"
            assert remote.fsck(publishing.hub) == ()
            assert remote.fsck(publishing.home / "clone.git") == ()
            all_is_there_once(publishing, tmp_path / f"reader-{error}-{when}")
        if not tracing.was_refused(log):
            break
    assert at > 2, "nothing was ever refused, so nothing is proved"
    assert refused <= {0, ENDED, PIPE_REFUSED}, "an error that nobody had thought of"


@pytest.mark.parametrize(("error", "calls"), FULL, ids=[error for error, _ in FULL])
def test_a_send_that_the_disk_refuses_once_happens_once_and_nobody_is_left_in_doubt(
    post: tuple[MailWorld, Case], error: str, calls: tuple[str, ...], tmp_path: Path
) -> None:
    world, log = post[0], tmp_path / "trace"
    for at in count(1):
        case = replace(post[1], number=next(NUMBERS))
        cut = run_refused("one_send", json.dumps(asdict(case)), calls=calls, error=error, when=str(at), log=log)
        if not tracing.was_refused(log):
            break
        if cut.code == 0:  # what it says may be what was refused
            assert cut.said.split()[1] == "Done"
        sent = [mail for mail in world.received() if case.recipient in mail.envelope.recipients]
        ledger = Ledger(Path(case.ledger))
        states = [effect.state.value for effect in ledger.of_task(made.task_id(case.number))]
        ledger.close()
        assert (len(sent), states) == (1, ["confirmed"]), f"{error} {at}"
    assert at > 2, "nothing was ever refused, so nothing is proved"


@pytest.mark.parametrize(("error", "calls"), FULL, ids=[error for error, _ in FULL])
def test_a_send_that_the_disk_refuses_for_good_is_not_lost_not_doubled_and_a_doubt_is_told(
    post: tuple[MailWorld, Case], error: str, calls: tuple[str, ...], tmp_path: Path
) -> None:
    world, log, found = post[0], tmp_path / "trace", set[tuple[str, int, bool]]()
    for at in count(1):
        case = replace(post[1], number=next(NUMBERS))
        asked = json.dumps(asdict(case))
        run_refused("one_send", asked, calls=calls, error=error, when=f"{at}+", log=log)
        answer = run("one_send", asked).said.split()[1]
        sent = [mail for mail in world.received() if case.recipient in mail.envelope.recipients]
        ledger = Ledger(Path(case.ledger))
        told = made.task_id(case.number) in [effect.task for effect in ledger.unknown()]
        ledger.close()
        found.add((answer, len(sent), told))
        if not tracing.was_refused(log):
            break
    assert found <= {("Done", 1, False), ("Unsure", 1, True), ("Unsure", 0, True)}
    assert ("Done", 1, False) in found
    assert at > 2, "nothing was ever refused, so nothing is proved"
