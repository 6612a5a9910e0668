"""A new root through the hub: only Local brings one, only the owner's signature makes it, and everybody follows."""

from collections.abc import Callable
from typing import Any

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, TRUST
from libs.vault_protocol.tests.rooting import OWNER, owner_roots
from services.vault_hub.tests.hubworld import HubWorld

from vault_protocol import remote, reroot, sshsig
from vault_protocol.errors import HubRewritten
from vault_protocol.files import write_private
from vault_protocol.hub import Accepted, CommitId, MovedOn, Rejected
from vault_protocol.hub_client import HubClient
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.task import Stage
from vault_protocol.vault import Vault

Start = Callable[..., HubWorld]


@pytest.fixture
def world(start: Start) -> HubWorld:
    found = start()
    found.begin()
    return found


def follows(world: HubWorld, who: Identity, name: str = "", owner: Any = OWNER) -> Vault:
    side = world.side(who.agent, name or f"{who.agent}-owned")
    journal = Journal(side.store, side.hub, who, world.clock, trust=TRUST, owner=owner, rest=lambda seconds: None)
    vault = Vault(journal)
    vault.refresh()
    return vault


def client(vault: Vault) -> HubClient:
    assert isinstance(vault.journal.hub, HubClient)
    return vault.journal.hub


def root_of(vault: Vault, erased: str | None = None, **changes: Any) -> CommitId:
    """The owner's new root: the tree of the head, perhaps without a note."""
    store, head = vault.journal.store, vault.journal.head
    assert head is not None
    like = store.commit(head, {erased: None}, message="x", author=LOCAL.agent, at=made.NOW) if erased else head
    signed = owner_roots(head, store.tree(like), vault.journal.trails, **changes)
    return store.root(like, message=signed.message(), author=LOCAL.agent, at=made.NOW)


def test_every_agent_goes_on_from_a_new_root_and_what_was_erased_is_in_no_tree(world: HubWorld) -> None:
    local, cloud = follows(world, LOCAL), follows(world, CLOUD)
    cloud.add(made.task(1))
    cloud.write("plan", "p", {"Plans/email/gone.md": b"what the law wants gone\n"})
    local.refresh()
    old, root = local.journal.head, root_of(local, erased="Plans/email/gone.md")

    assert client(local).replace(root, seen=old) == Accepted(root)

    assert world.head == root == local.refresh() == cloud.refresh()
    assert cloud.journal.read("Plans/email/gone.md") is None
    claimed = cloud.claim_next(made.MAIL)
    assert claimed is not None
    local.refresh()
    assert [task.id for task in local.tasks(Stage.IN_PROGRESS)] == [claimed.id]
    late = follows(world, CLOUD, "late")
    assert late.journal.head == local.journal.head
    assert remote.fsck(world.running.repository) == ()


def test_whoever_listens_is_told_and_comes_back(world: HubWorld) -> None:
    local, cloud = follows(world, LOCAL), follows(world, CLOUD)
    cloud.journal.hub.wait(5)
    root = root_of(local)

    assert client(local).replace(root, seen=local.journal.head) == Accepted(root)

    for _ in range(50):
        cloud.journal.hub.wait(0.2)
        if cloud.refresh() == root:
            break
    assert cloud.journal.head == root


def test_the_same_root_brought_again_is_accepted_and_another_head_is_moved_on(world: HubWorld) -> None:
    local, cloud = follows(world, LOCAL), follows(world, CLOUD)
    old, root = local.journal.head, root_of(local)
    newer = cloud.write("plan", "p", {"Plans/p.md": b"x\n"})

    assert client(local).replace(root, seen=old) == MovedOn(newer)
    local.refresh()
    again = root_of(local)
    assert client(local).replace(again, seen=newer) == Accepted(again)
    assert client(local).replace(again, seen=newer) == Accepted(again)


def test_a_root_that_somebody_built_upon_before_its_answer_was_read_stands(world: HubWorld) -> None:
    local, cloud = follows(world, LOCAL), follows(world, CLOUD)
    old, root = local.journal.head, root_of(local)
    asked = client(local)._ask

    def overtaken(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = asked(path, body)
        if path == "/v1/reroot":
            cloud.refresh()
            cloud.write("plan", "p", {"Plans/p.md": b"x\n"})
        return answer

    client(local)._ask = overtaken  # type: ignore[method-assign]

    answer = client(local).replace(root, seen=old)

    assert isinstance(answer, Accepted)
    assert (answer.commit, answer.head) == (root, world.head)
    assert world.head != root


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"sign": lambda message: _signed_by_another(message)}, "signature"),
        ({"vault": "another-vault"}, "vault"),
        ({"tree": "0" * 40}, "tree"),
    ],
)
def test_a_root_that_the_owner_did_not_sign_for_this_is_refused_by_its_rule(
    world: HubWorld, changes: dict[str, Any], rule: str
) -> None:
    local = follows(world, LOCAL)
    head = local.journal.head
    assert head is not None
    store = local.journal.store
    tree = changes.pop("tree", store.tree(head))
    signed = owner_roots(head, tree, local.journal.trails, **changes)
    root = store.root(head, message=signed.message(), author=LOCAL.agent, at=made.NOW)

    answer = client(local).replace(root, seen=head)

    assert isinstance(answer, Rejected)
    assert answer.rule == rule
    assert world.head == head


@pytest.mark.parametrize("where", ["reason", "by"])
def test_a_root_in_whose_words_a_secret_of_cloud_stands_is_refused(world: HubWorld, where: str) -> None:
    folder = world.running.settings.secrets_dir
    folder.mkdir()
    write_private(folder / "mailbox-business", b"correct horse\n")
    world.tick()
    local = follows(world, LOCAL)
    head = local.journal.head

    answer = client(local).replace(root_of(local, **{where: "it had correct horse in it"}), seen=head)

    assert isinstance(answer, Rejected)
    assert (answer.rule, answer.path, world.head) == ("secret", "the commit message", head)
    root = root_of(local, **{where: "it had a secret in it"})
    assert client(local).replace(root, seen=head) == Accepted(root)


def test_a_generation_that_is_past_is_refused(world: HubWorld) -> None:
    local = follows(world, LOCAL)
    first = root_of(local)
    client(local).replace(first, seen=local.journal.head)
    local.refresh()

    answer = client(local).replace(root_of(local, reason="again"), seen=first)

    assert isinstance(answer, Rejected)
    assert answer.rule == "generation"


def test_cloud_cannot_bring_even_a_root_that_the_owner_signed(world: HubWorld) -> None:
    cloud = follows(world, CLOUD)
    head = cloud.journal.head
    assert head is not None
    store = cloud.journal.store
    signed = owner_roots(head, store.tree(head), cloud.journal.trails)
    root = store.root(head, message=signed.message(), author=CLOUD.agent, at=made.NOW)

    answer = client(cloud).replace(root, seen=head)

    assert isinstance(answer, Rejected)
    assert answer.rule == "zone"
    assert world.head == head


def test_a_root_published_like_any_commit_is_refused(world: HubWorld) -> None:
    local = follows(world, LOCAL)
    root = root_of(local)

    answer = client(local).publish(root, onto=None)

    assert not isinstance(answer, Accepted)
    assert world.head == local.journal.head


def test_an_agent_without_the_owners_key_stays_where_it_was(world: HubWorld) -> None:
    local, cloud = follows(world, LOCAL), follows(world, CLOUD, owner=None)
    before = cloud.journal.head
    client(local).replace(root_of(local), seen=local.journal.head)

    with pytest.raises(HubRewritten):
        cloud.refresh()

    assert cloud.journal.head == before


def test_what_the_owner_had_pruned_after_a_new_root_can_be_published_again(world: HubWorld) -> None:
    """Whatever is in the hub's memory, what it says is on its disk is there."""
    local, cloud = follows(world, LOCAL), follows(world, CLOUD)
    gone = {"Plans/email/gone.md": b"what the law wants gone\n"}
    cloud.write("plan", "p", gone)
    local.refresh()
    root = root_of(local, erased="Plans/email/gone.md")
    assert client(local).replace(root, seen=local.journal.head) == Accepted(root)
    for words in (("reflog", "expire", "--expire=now", "--all"), ("gc", "--quiet", "--prune=now")):
        assert world.git(*words, at=world.running.repository).returncode == 0

    cloud.refresh()
    cloud.write("plan", "p", gone)

    assert remote.fsck(world.running.repository) == ()
    assert follows(world, CLOUD, "late").journal.read("Plans/email/gone.md") == gone["Plans/email/gone.md"]


def test_a_hub_that_starts_again_stands_at_the_new_root(world: HubWorld) -> None:
    local = follows(world, LOCAL)
    root = root_of(local)
    client(local).replace(root, seen=local.journal.head)

    world.running.stop()
    world.running.start()

    assert world.head == root
    local.refresh()
    local.write("note", "n", {"Company_Handbook.md": b"# Other rules\n"})


def _signed_by_another(message: bytes) -> str:
    return sshsig.sign(made.key(9), message, namespace=reroot.NAMESPACE)
