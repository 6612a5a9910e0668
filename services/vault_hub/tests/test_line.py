"""Catching up: page by page, from any commit of the line, at any length of it."""

from pathlib import Path

import pytest
from libs.vault_protocol.tests.made import LOCAL
from services.vault_hub.tests.hubworld import HubWorld

from vault_hub import line as line_module
from vault_hub.line import Line
from vault_protocol import wire
from vault_protocol.errors import UntrustedHead, VaultError
from vault_protocol.hub import CommitId
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


def test_a_name_is_found_only_where_a_name_begins() -> None:
    names = bytearray(bytes.fromhex("ab" * 20 + "cd" * 20 + "ab" * 10 + "cd" * 10))
    assert line_module._place(names, CommitId("cd" * 20)) == 1
    assert line_module._place(names, CommitId("ab" * 10 + "cd" * 10)) == 2
    assert line_module._place(names, CommitId("ba" * 20)) is None
    assert line_module._place(bytearray(bytes.fromhex("00" + "ab" * 20 + "00" * 19)), CommitId("ab" * 20)) is None


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
