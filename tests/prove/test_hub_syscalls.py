"""The resident hub and its agent, killed at the system calls of a publish; a hub whose disk fails at one of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from libs.vault_protocol.tests.made import CLOUD, LOCAL
from services.vault_hub.tests.program import program
from services.vault_hub.tests.test_kills import KILLED, Case

from demo.processes import eventually
from tests.prove import tracing
from vault_protocol import remote

pytestmark = [pytest.mark.prove, pytest.mark.xdist_group("hub system calls")]

HEALS = 5.0
"""Seconds more than a start of its own that a hub may take to be back. Part of what is promised."""

RENAMES = ("rename", "renameat", "renameat2", "link", "linkat")
REMOVALS = ("unlink", "unlinkat", "rmdir")
SYNCS = ("fsync", "fdatasync")
WRITES = ("write", "pwrite64", "writev", "ftruncate", "fchmod")
OPENS = ("openat", "mkdir", "mkdirat")
TALKS = ("sendto", "sendmsg", "shutdown")
MOST = 40
"""Calls of one kind a publish can have; what opens more only reads."""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("calls")
    with program(folder / "hub", CLOUD, LOCAL) as hub:
        hub.module = "services.vault_hub.tests.stepping"
        found = Case(hub, folder)
        SOUND[0] = started(found)
        found.connect()
        assert found.publish()
        yield found
        found.leave()


def back(case: Case) -> None:
    """A hub that runs, has all it said, and was there in time."""
    eventually(lambda: case.hub.ended is not None or is_well(case), "it is well, or ended")
    if case.hub.ended is not None:
        assert started(case) <= HEALS + SOUND[0]
    case.is_whole()


SOUND = [0.0]
"""Seconds a start took that had nothing to heal."""


def is_well(case: Case) -> bool:
    try:
        return case.hub.get("/readyz")[0] == 200
    except OSError:
        return False


def started(case: Case) -> float:
    began = time.monotonic()
    case.hub.start()
    return time.monotonic() - began


@pytest.mark.parametrize("calls", [RENAMES, REMOVALS, SYNCS, WRITES, OPENS, TALKS], ids=lambda calls: calls[0])
def test_a_hub_killed_at_a_system_call_of_a_publish_lost_nothing_that_was_told(
    case: Case, calls: tuple[str, ...], tmp_path: Path
) -> None:
    kills, log = 0, tmp_path / "trace"
    for at in range(1, MOST):
        back(case)
        assert case.hub.process is not None
        tracer = tracing.killing(case.hub.process.pid, calls, at, log)
        case.publish()
        with tracer:
            tracing.let_go(tracer)
        if not tracing.was_killed(log):
            break
        kills += 1
        eventually(lambda: case.hub.ended == KILLED, "the hub is dead")
    else:
        assert calls is OPENS, "a publish has more of these calls"
    back(case)
    assert kills or calls in (REMOVALS, TALKS), "nothing was ever killed, so nothing is proved"


@pytest.mark.parametrize("calls", [RENAMES, SYNCS], ids=lambda calls: calls[0])
def test_killed_again_at_a_system_call_of_its_start_it_comes_back(
    case: Case, calls: tuple[str, ...], tmp_path: Path
) -> None:
    """What a start changes on disk: the checkpoint, and the port it listens on."""
    back(case)
    for at in count(1):
        case.hub.kill()
        port = case.hub.home / "state" / "port"
        port.unlink(missing_ok=True)
        wanted = ",".join(f"?{call}" for call in calls)
        case.hub.below = (
            "strace", "-D", "-f", "-qq", "-o", str(tmp_path / "trace"), "-e", f"trace={wanted}",
            "-e", f"inject={wanted}:signal=SIGKILL:when={at}",
        )  # fmt: skip
        with suppress(AssertionError):
            case.hub.start()
        died = case.hub.ended is not None
        case.hub.below = ()
        case.hub.kill()  # strace would go on counting
        back(case)
        if not died:
            break
    assert at > 1, "nothing was ever killed, so nothing is proved"


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("sticky", [False, True], ids=["once", "sticky"])
@pytest.mark.parametrize("calls", [RENAMES, SYNCS, WRITES, OPENS], ids=lambda calls: calls[0])
def test_a_hub_whose_disk_fails_at_a_system_call_says_nothing_untrue_and_heals(
    case: Case, calls: tuple[str, ...], sticky: bool, error: str, tmp_path: Path
) -> None:
    failures, log = 0, tmp_path / "trace"
    for at in range(1, MOST):
        back(case)
        thread = int((case.hub.home / "state" / "arbiter").read_text())
        tracer = tracing.refusing(thread, calls, error, f"{at}{'+' * sticky}", log)
        case.publish()
        with tracer:
            tracing.let_go(tracer)
        failed = "(INJECTED)" in log.read_text(errors="replace")
        failures += failed
        # It merges its small packs when it likes, and git complains of one that goes while it looks.
        eventually(lambda: remote.fsck(case.hub.repository) == (), "the repository is whole")
        case.publish()
        eventually(lambda: case.hub.ended is not None or is_well(case), "it is well, or ended")
        if not failed:
            break
    else:
        assert calls is OPENS, "a publish has more of these calls"
    back(case)
    assert failures, "nothing ever failed, so nothing is proved"


@pytest.mark.parametrize("calls", [RENAMES, REMOVALS, SYNCS, WRITES, TALKS], ids=lambda calls: calls[0])
def test_an_agent_killed_at_a_system_call_of_a_publish_is_on_the_hub_once(
    case: Case, calls: tuple[str, ...], tmp_path: Path
) -> None:
    back(case)
    home = tmp_path / "agent"
    home.mkdir()
    (home / "token").write_text(case.hub.tokens[CLOUD.agent])
    numbers = count(sum(calls[0].encode()) * 1000)
    kills = 0
    for at in count(1):
        arguments = (case.hub.url, str(home), str(next(numbers)))
        cut = tracing.run_killed("one_publish", *arguments, calls=calls, at=at, log=tmp_path / "trace")
        healed = tracing.run("one_publish", *arguments)
        assert healed.code == 0
        assert float(healed.said) <= HEALS, f"{calls[0]} {at}"
        assert remote.fsck(home / "clone.git") == ()
        kills += cut.killed
        if not cut.killed:
            break
    assert remote.fsck(case.hub.repository) == ()
    journal = case.connect()
    assert journal.head is not None
    line = journal.store.history(None, journal.head)
    added = [commit.message.splitlines()[0] for commit in line if commit.author == CLOUD.agent]
    assert len(added) == len(set(added)) >= at
    assert kills or calls in (REMOVALS, TALKS), "nothing was ever killed, so nothing is proved"
