"""The real git program against the hub: clone, fetch, pull, push, and every push that is refused with its rule."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pygit2
import pytest
from libs.vault_protocol.tests.made import CLOUD, LOCAL, Author
from libs.vault_protocol.tests.through import Through
from pygit2.enums import ObjectType
from services.vault_hub.tests.conftest import Start
from services.vault_hub.tests.hubworld import HubWorld, basic, signed

from vault_protocol import remote
from vault_protocol.hub import CommitId

HEAD = "refs/heads/main"


def pushed(hub: HubWorld, who: str, *refspecs: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """From the repository where commits are made by hand."""
    return hub.git("push", "--porcelain", *options, hub.address(who), *refspecs, at=hub.store.path)


def refused(hub: HubWorld, commit: str, *, who: str = CLOUD.agent, ref: str = HEAD) -> str:
    """Why; and that nothing became of it."""
    before = hub.head
    done = pushed(hub, who, f"{commit}:{ref}", options=("--force",))
    assert done.returncode != 0
    assert hub.head == before
    assert hub.git("rev-parse", HEAD, at=hub.running.repository).stdout.strip() == before
    return done.stdout + done.stderr


def test_a_clone_a_fetch_and_a_pull_bring_what_is_there(hub: HubWorld, tmp_path: Path) -> None:
    first = hub.begin()
    clone = tmp_path / "clone"
    assert hub.git("clone", hub.address("monitor"), str(clone)).returncode == 0
    assert (clone / "Company_Handbook.md").read_bytes() == b"# Rules\n"
    second = hub.author.commit(LOCAL, {"Plans/p.md": b"x\n"})
    hub.publish(LOCAL.agent, second)

    assert hub.git("fetch", at=clone).returncode == 0
    assert hub.git("rev-parse", "origin/main", at=clone).stdout.strip() == second
    assert hub.git("pull", "--ff-only", at=clone).returncode == 0
    assert (clone / "Plans" / "p.md").read_bytes() == b"x\n"
    assert hub.git("rev-list", "--reverse", "HEAD", at=clone).stdout.split() == [first, second]


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_every_version_of_gits_protocol_is_spoken(hub: HubWorld, tmp_path: Path, version: str) -> None:
    head = hub.begin()
    done = hub.git("-c", f"protocol.version={version}", "clone", "--bare", hub.address("monitor"), str(tmp_path / "c"))
    assert done.returncode == 0, done.stderr
    assert hub.git("rev-parse", "HEAD", at=tmp_path / "c").stdout.strip() == head


def test_a_shallow_and_a_partial_read_and_an_empty_hub_are_served(hub: HubWorld, tmp_path: Path) -> None:
    assert hub.git("clone", hub.address("monitor"), str(tmp_path / "empty")).returncode == 0
    assert hub.git("ls-remote", hub.address("monitor")).stdout == ""
    hub.begin()
    head = hub.author.commit(LOCAL, {"Plans/p.md": b"x\n"})
    hub.publish(LOCAL.agent, head)
    assert hub.git("clone", "--depth", "1", hub.address("monitor"), str(tmp_path / "shallow")).returncode == 0
    assert hub.git("rev-list", "--count", "HEAD", at=tmp_path / "shallow").stdout.strip() == "1"
    assert hub.git("ls-remote", hub.address("monitor"), HEAD).stdout.split() == [head, HEAD]


def test_a_signed_changeset_is_pushed_and_judged_like_any_publish(hub: HubWorld) -> None:
    done = pushed(hub, LOCAL.agent, f"{hub.author.commit(LOCAL, {'Plans/p.md': b'x'})}:{HEAD}")
    assert done.returncode == 0, done.stderr
    line = [hub.author.commit(CLOUD, {f"Plans/{number}.md": b"x\n"}) for number in range(3)]

    done = pushed(hub, CLOUD.agent, f"{line[-1]}:{HEAD}")

    assert done.returncode == 0, done.stderr
    assert hub.head == line[-1]
    vault = hub.vault(LOCAL)
    assert vault.journal.head == line[-1]
    assert pushed(hub, CLOUD.agent, f"{line[-1]}:{HEAD}").returncode == 0, "there is nothing to do"
    assert remote.fsck(hub.running.repository) == ()
    assert not list((hub.running.repository / "objects").glob("push-*"))


@pytest.mark.parametrize("how", ["header", "basic header", "address"])
def test_a_credential_is_taken_from_a_header_or_the_address(hub: HubWorld, how: str) -> None:
    token, plain = hub.token(LOCAL.agent), f"http://127.0.0.1:{hub.running.port}/vault.git"
    header = {"header": f"Bearer {token}", "basic header": basic("git", token)}.get(how)
    given = ["-c", f"http.extraHeader=Authorization: {header}"] if header else []
    address = plain if header else hub.address(LOCAL.agent)
    commit = hub.author.commit(LOCAL, {"Plans/p.md": b"x\n"})

    done = hub.git(*given, "push", address, f"{commit}:{HEAD}", at=hub.store.path)

    assert done.returncode == 0, done.stderr
    assert hub.git(*given, "ls-remote", address).stdout.split()[0] == commit
    wrong = hub.git("ls-remote", address.replace(token, "wrong") if not header else plain)
    assert wrong.returncode != 0


def test_a_large_push_is_taken_in_parts(hub: HubWorld) -> None:
    """Over http.postBuffer git asks first, and sends in chunks."""
    noise = Random(1).randbytes(3_000_000).hex().encode()
    commit = hub.author.commit(LOCAL, {"Briefings/large.json": noise})
    done = pushed(hub, LOCAL.agent, f"{commit}:{HEAD}")
    assert done.returncode == 0, done.stderr
    assert hub.head == commit


def sent(hub: HubWorld, old: str, new: str, pack: bytes = b"") -> bytes:
    """What the hub says to a push made by hand."""
    line = f"{old} {new} {HEAD}\0report-status\n".encode()
    command = b"%04x%s0000" % (len(line) + 4, line)
    answer = hub.ask(LOCAL.agent, "/vault.git/git-receive-pack", command + pack)
    assert answer.status == 200
    return answer.raw


def test_other_refs_tags_and_deletions_are_refused(hub: HubWorld) -> None:
    first = hub.begin()
    commit = hub.author.commit(LOCAL, {"Plans/p.md": b"x\n"})
    for ref in ("refs/heads/other", "refs/tags/v1", "refs/heads/main2", "refs/hub/main", "refs/heads/Main"):
        assert "only refs/heads/main is published" in refused(hub, commit, who=LOCAL.agent, ref=ref)
    deletion = sent(hub, first, "0" * 40)
    assert b"ng refs/heads/main the head is never deleted" in deletion
    assert pushed(hub, LOCAL.agent, f":{HEAD}").returncode != 0
    both = pushed(hub, LOCAL.agent, f"{commit}:{HEAD}", f"{commit}:refs/heads/x")
    assert both.returncode != 0
    assert hub.head == first
    refs = hub.git("for-each-ref", "--format=%(refname)", at=hub.running.repository).stdout.split()
    assert refs == [HEAD]


def test_a_push_that_would_rewind_or_replace_is_refused_even_by_force(hub: HubWorld) -> None:
    first = hub.begin()
    second = hub.author.commit(LOCAL, {"Plans/p.md": b"x\n"})
    hub.publish(LOCAL.agent, second)

    assert "does not follow" in refused(hub, first, who=LOCAL.agent)
    beside = signed(LOCAL, hub.store, first, {"Plans/other.md": b"x\n"}, hub.author.trails[LOCAL.agent])
    assert "does not follow" in refused(hub, beside, who=LOCAL.agent)
    assert "does not follow" in refused(hub, signed(LOCAL, hub.store, None, {"a.md": b"x"}), who=LOCAL.agent)


def test_a_push_onto_an_older_head_is_told_to_fetch_first(hub: HubWorld) -> None:
    first = hub.begin()
    stale = signed(CLOUD, hub.store, first, {"Plans/mine.md": b"x\n"})
    hub.publish(LOCAL.agent, hub.author.commit(LOCAL, {"Plans/p.md": b"x\n"}))

    done = pushed(hub, CLOUD.agent, f"{stale}:{HEAD}")

    assert done.returncode != 0
    assert "non-fast-forward" in done.stdout + done.stderr
    assert b"ng refs/heads/main fetch first" in sent(hub, first, stale)


def raw_commit(hub: HubWorld, change: Callable[[bytes], bytes], tree: str = "") -> CommitId:
    """The next right commit of Cloud with its bytes changed."""
    right = hub.author.commit(CLOUD, {"Plans/p.md": b"x\n"})
    repo = pygit2.Repository(str(hub.store.path))
    content = repo[right].read_raw()
    if tree:
        content = b"tree " + tree.encode() + content[45:]
    return CommitId(str(repo.odb.write(ObjectType.COMMIT, change(content))))


def test_what_is_not_signed_or_not_as_an_agent_writes_it_is_refused(hub: HubWorld) -> None:
    hub.begin()
    before, trails = hub.author.head, dict(hub.author.trails)
    for change, why in (
        (lambda raw: raw.partition(b"\n\n")[0] + b"\n\nwrite: x\n", "trailers: the commit is not signed"),
        (lambda raw: raw.replace(b"+0000", b"+0100"), "no agent writes"),
        (lambda raw: raw.replace(b"\n\n", b"\nencoding latin1\n\n", 1), "no agent writes"),
        (lambda raw: raw.replace(b"\ncommitter cloud-1", b"\ncommitter local"), "no agent writes"),
        (lambda raw: raw.replace(b"author cloud-1", b"author local"), "no agent writes"),
        (lambda raw: raw.replace(b"Sequence: 1", b"Sequence: 2"), "signature: "),
        (lambda raw: raw.replace(b"author", b"parent " + (before or "").encode() + b"\nauthor", 1), ""),
    ):  # fmt: skip
        commit = raw_commit(hub, change)
        assert why in refused(hub, commit)
        hub.author.head, hub.author.trails = before, dict(trails)


@pytest.mark.parametrize("mode", [b"100755", b"120000", b"160000", b"100664"])
def test_a_file_of_an_odd_mode_is_refused(hub: HubWorld, mode: bytes) -> None:
    hub.begin()
    repo = pygit2.Repository(str(hub.store.path))
    blob = str(repo.create_blob(b"x\n")) if mode != b"160000" else str(hub.author.head)
    plans = repo.odb.write(ObjectType.TREE, mode + b" p.md\0" + bytes.fromhex(blob))
    assert hub.author.head is not None
    old = repo[hub.author.head].peel(pygit2.Tree)
    top = repo.TreeBuilder(old)
    top.insert("Plans", plans, pygit2.enums.FileMode.TREE)
    commit = raw_commit(hub, lambda raw: raw, str(top.write()))

    said = refused(hub, commit)

    assert "mode: mode " in said


def test_a_merge_is_refused(hub: HubWorld) -> None:
    first = hub.begin()
    other = signed(CLOUD, hub.store, None, {"Plans/o.md": b"x\n"})
    merge = raw_commit(hub, lambda raw: raw.replace(b"\nauthor", b"\nparent " + other.encode() + b"\nauthor", 1))

    assert "it is a merge" in refused(hub, merge)
    assert hub.head == first


def test_a_pack_that_is_cut_off_or_noise_is_refused_and_nothing_is_left(hub: HubWorld) -> None:
    head = hub.begin()
    for pack in (b"", b"PACK", b"PACK\0\0\0\2\0\0\0\1", b"noise" * 100, b"PACK\0\0\0\2\xff\xff\xff\xff" + b"x" * 50):
        assert b"ng refs/heads/main" in sent(hub, head, "1" * 40, pack)
    assert hub.head == head
    assert not list((hub.running.repository / "objects").glob("push-*"))
    assert not list((hub.running.repository / "objects").rglob("tmp_*"))


def test_one_credential_fetches_so_often_at_once_and_gets_its_turn_again(hub: HubWorld, tmp_path: Path) -> None:
    hub.begin()
    with ThreadPoolExecutor(12) as threads:
        asked = [threads.submit(hub.git, "ls-remote", hub.address("monitor")) for _ in range(12)]
    codes = [one.result().returncode for one in asked]
    assert 0 in codes
    assert hub.git("clone", hub.address("monitor"), str(tmp_path / "c")).returncode == 0


def bomb(hub: HubWorld, edits: dict[str, bytes]) -> CommitId:
    author = Author(Through(hub.store.path), hub.author.head, dict(hub.author.trails))
    return author.commit(CLOUD, dict(edits))


def test_a_push_that_unfolds_into_too_much_is_refused(start: Start) -> None:
    hub = start(body_bytes=1 << 20)
    hub.begin()
    zipped = bomb(hub, {f"Plans/{number}.md": bytes(200_000) + b"%d" % number for number in range(10)})
    assert "the push holds over" in refused(hub, zipped)

    repo = pygit2.Repository(str(hub.store.path))
    inner = repo.odb.write(ObjectType.TREE, b"100644 p.md\0" + bytes.fromhex(str(repo.create_blob(b"x"))))
    for _ in range(8):
        entry = bytes.fromhex(str(inner))
        inner = repo.odb.write(ObjectType.TREE, b"".join(b"40000 %03d\0" % n + entry for n in range(10)))
    assert hub.author.head is not None
    top = repo.TreeBuilder(repo[hub.author.head].peel(pygit2.Tree))
    top.insert("Plans", inner, pygit2.enums.FileMode.TREE)
    tree_bomb = raw_commit(hub, lambda raw: raw, str(top.write()))
    assert "folders differ" in refused(hub, tree_bomb)


def test_a_fetch_of_what_was_never_published_is_refused(hub: HubWorld, tmp_path: Path) -> None:
    hub.begin()
    hidden = hub.author.commit(CLOUD, {"Dashboard.md": b"x\n"})
    refused(hub, hidden)
    assert hub.git("init", "--bare", str(tmp_path / "c")).returncode == 0
    assert hub.git("fetch", hub.address("monitor"), hidden, at=tmp_path / "c").returncode != 0
    assert hub.ask("monitor", "/v1/changes", {"have": [hidden]}).said["known"] is False
