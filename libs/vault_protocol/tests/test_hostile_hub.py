"""An adversary that is the hub: it shows each client what it likes. Local applies nothing forged, and sees all of it.

All but withholding, which shows as age: services/local_agent/tests/test_signs_of_life.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER, Author
from libs.vault_protocol.tests.rooting import OWNER, new_root

from vault_protocol import changeset, keys, notes, reroot, sshsig
from vault_protocol.changeset import Trail
from vault_protocol.errors import HubRewritten, HubUnreachable, UntrustedHead
from vault_protocol.hub import Accepted, Change, Commit, CommitId, Published, Reserved, blob_id
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Domain
from vault_protocol.testing import MemoryHub, TestClock
from vault_protocol.vault import Vault

LONG = {"Plans/p.md": b"- [ ] first\n"}


@dataclass
class Adversary(MemoryHub):
    """Honest until told: `shown` is the head it shows to one client, `lies` what it answers to the next publish."""

    store: GitStore
    shown: dict[str, CommitId | None] = field(default_factory=dict)
    lies: list[Published] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.store)

    def line(self, client: str) -> Line:
        return Line(self, client)


@dataclass
class Line:
    """One client's way to it."""

    hub: Adversary
    client: str

    def refresh(self) -> CommitId | None:
        return self.hub.shown.get(self.client, self.hub.head)

    def publish(self, commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Published:
        if self.hub.lies:
            return self.hub.lies.pop()
        return self.hub.publish(commit, onto=onto)

    def reserve(self, domains: Iterable[Domain], count: int) -> Reserved:
        return self.hub.reserve(domains, count)

    def wait(self, seconds: float) -> bool:
        """Nothing to wait for."""
        return True

    def close(self) -> None:
        """Nothing was opened."""


@dataclass
class Siege:
    """Cloud, another cloud agent and Local over one hostile hub. Everything they know of each other comes from it."""

    hub: Adversary
    clock: TestClock = field(default_factory=TestClock)

    def vault(self, who: Identity) -> Vault:
        trust = made.TRUST if who is LOCAL else None
        vault = Vault(Journal(self.hub.store, self.hub.line(who.agent), who, self.clock, trust=trust, owner=OWNER))
        vault.refresh()
        return vault

    @property
    def line(self) -> list[Commit]:
        return list(self.hub.store.history(None, self.hub.head)) if self.hub.head else []

    def author(self) -> Author:
        """The adversary at the hub's head, with the trails as anybody can read them."""
        trails: dict[AgentId, Trail] = {}
        before: CommitId | None = None
        for commit in self.line:
            changes = self.hub.store.changes(before, commit.id)
            found = changeset.parse(commit.message, vault=made.VAULT, changes=changes)
            trails[found.agent], before = found.trail, commit.id
        return Author(self.hub.store, self.hub.head, trails)

    def show(self, head: CommitId | None, *clients: Identity) -> None:
        for client in clients or (LOCAL,):
            self.hub.shown[client.agent] = head

    def again(self, commits: list[Commit], onto: CommitId | None) -> CommitId:
        """These commits as they were signed, put on another head: nobody signed the parent."""
        assert commits
        store = self.hub.store
        for commit in commits:
            parent = commit.parents[0] if commit.parents else None
            edits = {
                change.path: store.blob(change.new) if change.new else None
                for change in store.changes(parent, commit.id)
            }
            onto = store.commit(onto, edits, message=commit.message, author=AgentId(commit.author), at=commit.at)
        assert onto is not None
        return onto


@pytest.fixture
def siege(tmp_path: Path) -> Siege:
    """A vault in which each agent has written three changesets, and Local has seen them all."""
    siege = Siege(Adversary(GitStore(tmp_path / "store.git")))
    local, cloud, other = siege.vault(LOCAL), siege.vault(CLOUD), siege.vault(OTHER)
    for number in range(3):
        local.refresh()
        local.write("write", "x", {f"Notes/{number}.md": b"mine\n"})
        for one in (cloud, other):
            one.refresh()
            one.add(made.task(10 * number + (one is other)))
    return siege


def stands(siege: Siege, local: Vault, head: CommitId | None, why: str, *, rewritten: bool = False) -> None:
    """Local is shown this head, says why it is not applied, stays where it was, and still does so after a while."""
    good, where = local.journal.head, dict(local.journal.where)
    siege.show(head)
    for _ in range(2):
        with pytest.raises(HubRewritten if rewritten else UntrustedHead, match=why):
            local.refresh()
        assert (local.journal.head, dict(local.journal.where)) == (good, where)


@pytest.fixture
def local(siege: Siege) -> Vault:
    return siege.vault(LOCAL)


def test_a_forged_author_is_detected(siege: Siege, local: Vault) -> None:
    forger = siege.author()
    head = forger.commit(CLOUD, {"Dashboard.md": b"# All is well\n"}, author=LOCAL.agent)
    stands(siege, local, head, "its author is 'local', it was signed by cloud-1")


def test_a_commit_in_locals_name_without_its_key_is_detected(siege: Siege, local: Vault) -> None:
    head = siege.author().commit(replace(LOCAL, key=keys.new()), {"Dashboard.md": b"# All is well\n"})
    stands(siege, local, head, "the signature of local does not fit")


def test_a_swapped_tree_under_a_true_signature_is_detected(siege: Siege, local: Vault) -> None:
    store, good = siege.hub.store, siege.hub.head
    true = siege.author().commit(CLOUD, LONG)
    message = store.history(good, true)[0].message
    head = store.commit(good, {"Plans/p.md": b"- [ ] other\n"}, message=message, author=CLOUD.agent, at=made.NOW)
    stands(siege, local, head, "the signature of cloud-1 does not fit the change")


def test_a_replayed_changeset_is_detected(siege: Siege, local: Vault) -> None:
    author = siege.author()
    first = author.commit(CLOUD, LONG)
    author.commit(LOCAL, {"Plans/p.md": None})
    once = siege.hub.store.history(siege.hub.head, first)
    head = siege.again(list(once), author.head)
    siege.show(author.head)
    local.refresh()
    stands(siege, local, head, "does not follow 4: one is missing or replayed")


def test_reordered_changesets_of_one_agent_are_detected(siege: Siege, local: Vault) -> None:
    author, good = siege.author(), siege.hub.head
    author.commit(CLOUD, LONG)
    author.commit(CLOUD, {"Plans/q.md": b"x\n"})
    first, second = siege.hub.store.history(good, author.head or CommitId(""))
    head = siege.again([second, first], good)
    stands(siege, local, head, "changeset 5 of cloud-1 does not follow 3")


def test_the_dropped_changeset_of_one_agent_is_detected_when_its_next_comes(siege: Siege, local: Vault) -> None:
    author, good = siege.author(), siege.hub.head
    author.commit(CLOUD, LONG)
    author.commit(OTHER, {"Plans/r.md": b"x\n"})
    author.commit(CLOUD, {"Plans/q.md": b"x\n"})
    _dropped, others, mine = siege.hub.store.history(good, author.head or CommitId(""))
    kept = siege.again([others], good)
    head = siege.again([mine], kept)
    siege.show(kept)
    local.refresh()
    assert local.journal.head == kept, "until then it is withholding"
    stands(siege, local, head, "changeset 5 of cloud-1 does not follow 3")


def test_a_rollback_is_detected_by_every_agent(siege: Siege, local: Vault) -> None:
    cloud = siege.vault(CLOUD)
    older = siege.line[-3].id
    siege.show(older, CLOUD)
    with pytest.raises(HubRewritten, match="put back to an older state, 2 commits are missing"):
        cloud.refresh()
    stands(siege, local, older, "put back to an older state, 2 commits are missing", rewritten=True)


def test_a_rollback_while_everybody_was_off_is_detected_by_every_agents_checkpoint(
    siege: Siege, tmp_path: Path
) -> None:
    def started(who: Identity) -> Journal:
        trust = made.TRUST if who is LOCAL else None
        path = tmp_path / f"{who.agent}.json"
        return Journal(siege.hub.store, siege.hub.line(who.agent), who, siege.clock, trust=trust, checkpoint=path)

    for who in (CLOUD, OTHER, LOCAL):
        started(who).refresh()
    siege.show(siege.line[-3].id, CLOUD, OTHER, LOCAL)
    for who in (CLOUD, OTHER, LOCAL):
        with pytest.raises(HubRewritten, match="put back to an older state"):
            started(who).refresh()


def test_a_fork_between_two_clients_is_detected_as_soon_as_one_meets_the_others_line(
    siege: Siege, local: Vault
) -> None:
    good = siege.hub.head
    author = siege.author()
    clouds = author.commit(CLOUD, LONG)
    siege.show(clouds, CLOUD)
    cloud = siege.vault(CLOUD)
    siege.show(good)
    local.write("write", "x", {"Notes/mine.md": b"mine\n"})
    stands(siege, local, clouds, "it went another way after", rewritten=True)
    siege.show(local.journal.head, CLOUD)
    with pytest.raises(HubRewritten, match="it went another way after"):
        cloud.refresh()


def test_a_fork_stays_detected_when_its_commits_are_true_and_in_order(siege: Siege, local: Vault) -> None:
    """The same signed changesets, on a line of the hub's own making: the parent is not signed, the line is."""
    line = siege.line
    store = siege.hub.store
    more = store.history(siege.hub.head, siege.author().commit(CLOUD, LONG))
    first = replace(line[0], at=line[0].at + timedelta(days=1))
    head = siege.again([first, *line[1:], *more], None)
    stands(siege, local, head, "another vault", rewritten=True)


def test_another_vault_at_the_address_is_detected(siege: Siege, local: Vault, tmp_path: Path) -> None:
    fresh = Author(siege.hub.store)
    head = fresh.commit(LOCAL, {"Company_Handbook.md": b"# Other\n"}, vault="vault-2")
    stands(siege, local, head, "another vault", rewritten=True)


def test_an_emptied_hub_is_detected(siege: Siege, local: Vault) -> None:
    stands(siege, local, None, "the hub is empty", rewritten=True)


def test_a_new_root_of_the_hubs_own_is_detected(siege: Siege, local: Vault) -> None:
    """With the right tree and the right trails; only the owner's signature is not there to be had."""
    assert siege.hub.head is not None
    root = new_root(
        siege.hub.store, siege.hub.head, local.journal.trails,
        sign=lambda message: sshsig.sign(keys.new(), message, namespace=reroot.NAMESPACE),
    )  # fmt: skip
    stands(siege, local, root, "made with another key", rewritten=True)


def test_an_older_new_root_of_the_owners_brings_nobody_back(siege: Siege, local: Vault) -> None:
    """The hub keeps the first root, and shows it again after the second, to undo what happened since."""
    assert siege.hub.head is not None
    first = new_root(siege.hub.store, siege.hub.head, local.journal.trails)
    siege.show(first)
    local.refresh()
    second = new_root(siege.hub.store, first, local.journal.trails, generation=2)
    siege.show(second)
    local.refresh()
    stands(siege, local, first, "generation 1 is past", rewritten=True)


def test_what_the_line_before_a_new_root_held_cannot_be_grown_on(siege: Siege, local: Vault) -> None:
    assert siege.hub.head is not None
    old, trails = siege.hub.head, dict(local.journal.trails)
    root = new_root(siege.hub.store, old, trails)
    siege.show(root)
    local.refresh()
    head = Author(siege.hub.store, old, trails).commit(CLOUD, LONG)
    stands(siege, local, head, "a line that a new root left", rewritten=True)


def test_an_answer_that_a_publish_was_accepted_is_believed_only_when_it_shows(siege: Siege, local: Vault) -> None:
    good = local.journal.head
    assert good is not None
    siege.hub.lies = [Accepted(good)]
    with pytest.raises(HubUnreachable, match="shows a head without it"):
        local.write("write", "x", {"Notes/mine.md": b"mine\n"})
    assert (local.journal.head, local.journal.read("Notes/mine.md")) == (good, None)
    local.write("write", "x", {"Notes/mine.md": b"mine\n"})
    assert local.journal.read("Notes/mine.md") == b"mine\n"


def test_a_claim_that_the_hub_only_says_it_took_is_no_claim(siege: Siege) -> None:
    cloud = siege.vault(CLOUD)
    good = cloud.journal.head
    assert good is not None
    siege.hub.lies = [Accepted(good)]
    with pytest.raises(HubUnreachable, match="shows a head without it"):
        cloud.claim_next(made.MAIL)
    assert cloud.mine() == ()


def test_an_approval_that_the_hub_makes_up_is_not_applied(siege: Siege, local: Vault) -> None:
    """It has no key that may move a task to Approved; it can only try with none."""
    store, good = siege.hub.store, siege.hub.head
    waits = made.task(0)
    path, content = notes.write(made.pending(0))
    edits = {notes.write(waits)[0]: None, path: content}
    changes = [
        Change(one, store.blob_id(good, one) if good else None, blob_id(new) if new else None)
        for one, new in edits.items()
    ]
    found = changeset.next_in(
        local.journal.trails[LOCAL.agent], vault=made.VAULT, agent=LOCAL.agent, verb="approve", attempt=0,
        changes=changes,
    )  # fmt: skip
    head = store.commit(good, edits, message=found.message("x", keys.new()), author=LOCAL.agent, at=made.NOW)
    stands(siege, local, head, "the signature of local does not fit")


def test_withholding_alone_is_not_seen_in_the_commits(siege: Siege, local: Vault) -> None:
    """The honest bound: a hub that goes on showing an old head breaks no rule."""
    siege.show(local.journal.head)
    siege.vault(CLOUD).write("write", "x", LONG)
    assert local.refresh() == siege.hub.shown[LOCAL.agent]
