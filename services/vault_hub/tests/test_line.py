"""Catching up: page by page, from any commit of the line, at any length of it."""

import threading
from pathlib import Path
from typing import Any

import pytest
from libs.vault_protocol.tests.made import CLOUD, LOCAL, NOW
from services.vault_hub.tests.hubworld import HubWorld

from vault_hub import line as line_module
from vault_hub import objects, reading
from vault_hub.line import Line
from vault_hub.reading import Reader
from vault_protocol import wire
from vault_protocol.errors import HubUnreachable, UntrustedHead, VaultError
from vault_protocol.hub import CommitId
from vault_protocol.hub_client import HubClient
from vault_protocol.store import GitStore


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few commits are kept ready and few are on a page."""
    monkeypatch.setattr(line_module, "KEPT", 10)
    monkeypatch.setattr(line_module, "READY_AT_START", 4)
    monkeypatch.setattr(line_module, "PAGE", 3)


def grown(hub: HubWorld, count: int) -> list[CommitId]:
    line = [hub.begin()]
    for number in range(count - 1):
        line.append(hub.author.commit(LOCAL, {f"Plans/{number}.md": b"x\n"}))
        assert hub.publish(LOCAL.agent, line[-1]).said["answer"] == "accepted"
    return line


def read(hub: HubWorld, have: list[CommitId]) -> list[CommitId]:
    """Everything after it, by as many pages as it takes."""
    found: list[CommitId] = []
    while True:
        said = hub.ask(LOCAL.agent, "/v1/changes", {"have": have}).said
        assert said["known"]
        page = [wire.unpacked(one).id for one in said["commits"]]
        assert len(page) <= 3
        found += page
        if not said["more"]:
            assert said["head"] == hub.head
            return found
        have = page[-1:]


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("restarted", [False, True])
def test_from_any_commit_everything_after_it_comes_in_order(hub: HubWorld, restarted: bool) -> None:
    line = grown(hub, 25)
    if restarted:
        hub.running.stop()
        hub.running.start()
        line.append(hub.author.commit(LOCAL, {"Plans/after.md": b"x\n"}))
        hub.publish(LOCAL.agent, line[-1])

    assert read(hub, []) == line
    for number, commit in enumerate(line):
        assert read(hub, [commit]) == line[number + 1 :]


def test_a_hub_whose_commits_take_long_to_read_starts_with_few_of_them(
    hub: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = grown(hub, 9)
    hub.running.stop()
    monkeypatch.setattr(line_module, "READY_SECONDS", 0.0)
    hub.running.start()

    assert hub.running.hub is not None
    assert [said.id for said in hub.running.hub.line._late] == line[-1:]
    monkeypatch.setattr(line_module, "PAGE", 3)
    assert read(hub, []) == line
    assert read(hub, line[:4]) == line[1:]


@pytest.mark.usefixtures("short")
def test_of_several_heads_the_first_known_one_counts_and_none_is_said_to_be_unknown(hub: HubWorld) -> None:
    line = grown(hub, 15)
    lost = CommitId("1" * 40)

    some = hub.ask(LOCAL.agent, "/v1/changes", {"have": [lost, line[13], line[2]]}).said
    none = hub.ask(LOCAL.agent, "/v1/changes", {"have": [lost]}).said

    assert (some["known"], [one["id"] for one in some["commits"]]) == (True, line[14:])
    assert (none["known"], none["more"], [one["id"] for one in none["commits"]]) == (False, True, line[:3])


def test_a_page_ends_at_its_bytes_and_holds_one_commit_at_least(hub: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "PAGE_BYTES", 2000)
    first = hub.begin()
    line = [hub.author.commit(LOCAL, {f"Plans/{n}.md": b"x" * size}) for n, size in enumerate((9000, 500, 500, 9000))]
    hub.publish(LOCAL.agent, *line)

    pages, at = [], first
    while at != line[-1]:
        commits = hub.ask(LOCAL.agent, "/v1/changes", {"have": [at]}).said["commits"]
        pages.append(len(commits))
        at = commits[-1]["id"]

    assert pages == [1, 2, 1]


class Counted:
    """Reads as the hub does; each commit takes `seconds` of a clock that is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        self.now, self.read = 0.0, list[CommitId]()
        real = reading.read

        def counted(store: GitStore, parent: CommitId | None, one: CommitId) -> reading.Said:
            self.now += seconds
            self.read.append(one)
            return real(store, parent, one)

        monkeypatch.setattr(reading, "read", counted)

    def monotonic(self) -> float:
        return self.now


def test_a_page_goes_out_when_its_time_is_over_and_holds_one_commit_at_least(
    hub: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = grown(hub, 7)
    counted = Counted(monkeypatch, reading.PAGE_SECONDS / 2)
    reader = Reader(hub.running.repository, monotonic=counted.monotonic)

    assert [said.id for said in reader.read(None, line)] == line[:2]
    assert [said.id for said in reader.read(line[1], line[2:])] == line[2:4]
    assert [said.id for said in reader.read(line[5], line[6:])] == line[6:]

    slow = Counted(monkeypatch, reading.PAGE_SECONDS * 60)
    reader = Reader(hub.running.repository, monotonic=slow.monotonic)
    assert [said.id for said in reader.read(None, line)] == line[:1]


def test_what_many_ask_for_at_once_is_read_once(hub: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    line = grown(hub, 6)
    counted = Counted(monkeypatch, 0.0)
    reader = Reader(hub.running.repository, monotonic=counted.monotonic)
    start, found = threading.Barrier(8, timeout=20), list[list[CommitId]]()

    def ask() -> None:
        start.wait()
        found.append([said.id for said in reader.read(None, line)])

    asking = [threading.Thread(target=ask) for _ in range(8)]
    for one in asking:
        one.start()
    for one in asking:
        one.join(20)

    assert found == [line] * 8
    assert counted.read == line


@pytest.mark.usefixtures("short")
def test_who_is_cut_off_in_the_middle_of_catching_up_goes_on_from_there_after_a_restart(
    hub: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = grown(hub, 14)
    asked = list[list[CommitId]]()
    real = HubClient._ask

    def cut(self: HubClient, path: str, body: wire.Object) -> wire.Object:
        asked.append(body["have"])
        if len(asked) == 3:
            raise HubUnreachable("the line was cut")
        return real(self, path, body)

    monkeypatch.setattr(HubClient, "_ask", cut)
    with pytest.raises(HubUnreachable):
        hub.side(CLOUD.agent).hub.refresh()
    assert asked[-1] == [line[5]]

    again = hub.side(CLOUD.agent)
    assert again.hub.refresh() == line[-1]
    assert asked[3] == [line[5]]
    assert [commit.id for commit in again.store.history(None, line[-1])] == line


def test_a_name_is_found_only_where_a_name_begins() -> None:
    names = bytearray(bytes.fromhex("ab" * 20 + "cd" * 20 + "ab" * 10 + "cd" * 10))
    assert line_module._place(names, CommitId("cd" * 20)) == 1
    assert line_module._place(names, CommitId("ab" * 10 + "cd" * 10)) == 2
    assert line_module._place(names, CommitId("ba" * 20)) is None
    assert line_module._place(bytearray(bytes.fromhex("00" + "ab" * 20 + "00" * 19)), CommitId("ab" * 20)) is None


def test_a_line_that_begins_anew_while_somebody_reads_the_old_one_is_followed_from_its_new_root(
    hub: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = grown(hub, 4)
    root = hub.store.root(old[-1], message="another line", author=LOCAL.agent, at=NOW)
    assert hub.git("fetch", "--quiet", str(hub.store.path), root, at=hub.running.repository).returncode == 0
    monkeypatch.setattr(line_module, "READY_AT_START", 1)
    line = Line(hub.running.repository, old[-1])
    read, times = objects.ids, list[int]()

    def ids(*args: Any) -> bytearray:
        found = read(*args)
        if not times:
            times.append(1)
            line.restart(root)
        return found

    monkeypatch.setattr(objects, "ids", ids)
    for _ in range(2):
        page = line.since([old[0]])
        assert ([said.id for said in page.commits], page.head, page.known) == ([root], root, False)


def test_an_empty_line_has_nothing_to_tell(tmp_path: Path) -> None:
    line = Line(GitStore(tmp_path / "hub.git").path, None)
    assert (line.since([]).head, line.since([]).known) == (None, True)
    assert not line.since([CommitId("1" * 40)]).known


def test_a_hub_that_was_restored_from_an_older_copy_is_noticed_by_every_client(hub: HubWorld) -> None:
    """The stored copy is shorter; it may even have grown since, in another direction."""
    grown(hub, 3)
    backup = hub.folder / "backup.git"
    hub.git("clone", "--quiet", "--mirror", str(hub.running.repository), str(backup))
    trails = dict(hub.author.trails)
    fork = hub.author.head
    vaults = [hub.vault(who, name) for name, who in (("a", LOCAL), ("b", LOCAL))]
    hub.publish(LOCAL.agent, hub.author.commit(LOCAL, {"Plans/later.md": b"x\n"}))
    for vault in vaults:
        vault.refresh()

    for grown_since in (False, True):
        if not grown_since:
            hub.running.stop()
            hub.running.repository.rename(hub.folder / "newer.git")
            backup.rename(hub.running.repository)
            with pytest.raises(VaultError, match=r"restored from an older copy .* remove .*followed\.json"):
                hub.running.start()
            (hub.running.folder / "state" / "followed.json").unlink()
            hub.running.start()
        else:
            hub.author.head, hub.author.trails = fork, trails
            hub.publish(LOCAL.agent, hub.author.commit(LOCAL, {"Plans/other.md": b"x\n"}))
        for vault in vaults:
            before = vault.journal.head
            with pytest.raises(UntrustedHead):
                vault.refresh()
            assert vault.journal.head == before
