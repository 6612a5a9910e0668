"""Bad changesets: trailers that are not as an agent writes them, keys, sequences, and what was signed elsewhere."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER, STRANGER

from tests.adversary.ground import PLAN, Draft, Ground
from tests.adversary.kind import Kind, Make
from tests.adversary.objects import changed, legal
from vault_protocol.changeset import Changeset, Trail
from vault_protocol.hub import Change, CommitId, blob_id
from vault_protocol.identity import Identity
from vault_protocol.task import AgentId

NAMES = ("Agent", "Attempt", "Sequence", "Previous", "Policy", "Signature")
ODD_VALUES: dict[str, bytes] = {
    "Attempt": b"00", "Sequence": b"+13", "Previous": b"0", "Policy": b"1.0", "Signature": b"!!!!",
    "Agent": b"Cloud-1"
}  # fmt: skip
SUBJECTS: dict[str, bytes] = {
    "an escape sequence": b"write: \x1b[2J\x1b]0;x\x07",
    "a hidden character": "write: a\u202eb".encode(),
    "a thousand characters": b"write: " + b"x" * 1000,
    "a carriage return": b"write: x\rlocal: y",
    "nothing": b"write: ",
    "no colon": b"write",
}


def message(change: Callable[[bytes], bytes]) -> Make:
    """A right commit but for its message."""
    return changed(lambda _at, draft: replace(draft, message=change(draft.message)))


def signing(change: Callable[[Changeset], Changeset], sign_as: Identity | None = None) -> Make:
    """Truly signed, over this."""
    return lambda at: at.commit(at.write({PLAN: b"- [ ] later\n"}), change=change, sign_as=sign_as)


def trailing(trail: Callable[[Trail], Trail]) -> Make:
    return lambda at: at.commit(at.write({PLAN: b"- [ ] later\n"}), trail=trail(at.trails[CLOUD.agent]))


def kinds() -> Iterator[Kind]:
    yield from _trailers()
    yield from _messages()
    yield from _keys()
    yield from _sequences()


def _trailers() -> Iterator[Kind]:
    for name in NAMES:
        at = f"Countersign-{name}: ".encode()
        of_empty = "signature" if name == "Signature" else "trailers"
        yield Kind(f"no trailer {name}", "trailers", message(partial(_without, begin=at)))
        yield Kind(f"the trailer {name} twice", "trailers", message(partial(_twice, begin=at)))
        yield Kind(f"the trailer {name} empty", of_empty, message(partial(_as, begin=at, value=b"")))
        yield Kind(f"the trailer {name} in other letters", "trailers", message(partial(_lower, begin=at)))
        yield Kind(f"the trailer {name} out of its order", "trailers", message(partial(_elsewhere, begin=at)))
    for name, value in ODD_VALUES.items():
        at = f"Countersign-{name}: ".encode()
        yield Kind(f"the trailer {name} as {value.decode()}", "trailers", message(partial(_as, begin=at, value=value)))
    yield Kind("a trailer that nobody knows", "trailers", message(lambda m: m + b"Countersign-Else: x\n"))
    yield Kind("a trailer of another tool", "trailers", message(lambda m: m + b"Signed-off-by: local <local@x>\n"))
    yield Kind("a sequence in other digits", "trailers", message(_digits))
    yield Kind("a signature with white space", "trailers", message(lambda m: m[:-1] + b" \n"))
    yield Kind("a signature without its end", "trailers", message(lambda m: m.replace(b"==\n", b"\n")))
    yield Kind("two names of agents", "trailers", message(lambda m: m.replace(b"cloud-1\n", b"cloud-1 local\n")))


def _twice(content: bytes, begin: bytes) -> bytes:
    return content + _line(content, begin)


def _as(content: bytes, begin: bytes, value: bytes) -> bytes:
    return content.replace(_line(content, begin), begin + value + b"\n")


def _lower(content: bytes, begin: bytes) -> bytes:
    return content.replace(begin, begin.lower())


def _elsewhere(content: bytes, begin: bytes) -> bytes:
    """Last, or first when it is the last."""
    line, rest = _line(content, begin), _without(content, begin)
    return rest + line if rest + line != content else rest.replace(b"\n\n", b"\n\n" + line)


def _line(content: bytes, begin: bytes) -> bytes:
    return next(line for line in content.splitlines(keepends=True) if line.startswith(begin))


def _without(content: bytes, begin: bytes) -> bytes:
    return b"".join(line for line in content.splitlines(keepends=True) if not line.startswith(begin))


def _digits(content: bytes) -> bytes:
    line = _line(content, b"Countersign-Sequence: ")
    other = "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in line.decode())
    return content.replace(line, other.encode())


def _messages() -> Iterator[Kind]:
    yield Kind("no message", "trailers", message(lambda m: b""))
    yield Kind("no signature at all", "trailers", message(lambda m: b"write: by hand\n"))
    yield Kind("a message that is not UTF-8", "header", message(lambda m: m.replace(b"by hand", b"\xff\xfe")))
    yield Kind("a message with a zero byte", "header", message(lambda m: m.replace(b"by hand", b"by\0hand")))
    yield Kind("text before the trailers", "trailers", message(lambda m: m.replace(b"\n\n", b"\n\nhello\n\n")))
    yield Kind("text after the trailers", "trailers", message(lambda m: m + b"\nhello\n"))
    yield Kind("a megabyte after the trailers", "trailers", message(lambda m: m + b"x" * 2**20))
    yield Kind(
        "a blank line among the trailers",
        "trailers",
        message(lambda m: m.replace(b"Countersign-Policy", b"\nCountersign-Policy")),
    )
    yield Kind("line ends of another system", "trailers", message(lambda m: m.replace(b"\n", b"\r\n")))
    yield Kind("no line end at the end", "trailers", message(lambda m: m[:-1]))
    for what, subject in SUBJECTS.items():
        yield Kind(f"a subject of {what}", "trailers", message(partial(_headed, subject=subject)))
    yield Kind("a secret in the subject", "secret", message(lambda m: m.replace(b"by hand", b"ghp_" + b"a" * 36)))


def _keys() -> Iterator[Kind]:
    def named(name: str, key: Identity = CLOUD) -> Identity:
        return Identity(AgentId(name), CLOUD.role, made.VAULT, key.key)

    def by(who: Identity, sign_as: Identity | None = None) -> Make:
        return lambda at: at.commit(at.write({PLAN: b"- [ ] later\n"}), who=who, sign_as=sign_as)

    yield Kind("a stranger's commit", "key", by(STRANGER))
    yield Kind("a name that nobody pinned", "key", by(named("cloud-9")))
    yield Kind("the owner's name with its own key", "signature", by(LOCAL, CLOUD))
    yield Kind("another agent's name with its own key", "signature", by(OTHER, CLOUD))
    yield Kind("its own name with another key", "signature", by(CLOUD, STRANGER))
    yield Kind("the owner's name as author", "author", changed(lambda _at, d: _authored(d, b"local")))
    yield Kind("another agent's name as author", "author", changed(lambda _at, d: _authored(d, b"cloud-2")))
    yield Kind("a name like its own as author", "author", changed(lambda _at, d: _authored(d, b"Cloud-1")))
    yield Kind("a signature of zeros", "signature", message(lambda m: _signed(m, bytes(64))))
    yield Kind("a signature of half the length", "signature", message(lambda m: _signed(m, bytes(32))))
    yield Kind("a signature with one bit turned", "signature", changed(lambda at, d: _turned(at, d)))
    yield Kind("a changeset for another vault", "signature", signing(lambda c: replace(c, vault="vault-2")))
    yield Kind("a changeset of another agent", "signature", changed(_as_agent))
    yield Kind("another verb than was signed", "signature", message(lambda m: m.replace(b"write:", b"claim:")))
    yield Kind(
        "another attempt than was signed", "signature", message(lambda m: m.replace(b"Attempt: 0", b"Attempt: 7"))
    )
    yield Kind("another policy than was signed", "policy", message(lambda m: m.replace(b"Policy: 1", b"Policy: 2")))
    yield Kind("other bytes than were signed", "signature", _over(lambda at: at.write({PLAN: b"- [ ] other\n"})))
    yield Kind("one more note than was signed", "signature", _over(_one_more))
    yield Kind("one note less than was signed", "signature", _one_less)
    yield Kind(
        "a note beside the one that was signed",
        "signature",
        _over(lambda at: at.write({"Plans/other.md": b"- [ ] later\n"})),
    )
    yield Kind("signed over no change", "signature", signing(lambda c: replace(c, changes=())))
    yield Kind("signed over another past of the note", "signature", _other_past)
    for version in (0, 2, 999, -1):
        yield Kind(f"policy version {version}", "policy", signing(partial(replace, policy=version)))


def _headed(content: bytes, subject: bytes) -> bytes:
    return content.replace(b"write: by hand", subject)


def _authored(draft: Draft, name: bytes) -> Draft:
    line = draft.author.replace(b"cloud-1", name)
    return replace(draft, author=line, committer=line)


def _signed(content: bytes, signature: bytes) -> bytes:
    line = _line(content, b"Countersign-Signature: ")
    return content.replace(line, b"Countersign-Signature: " + b64encode(signature) + b"\n")


def _turned(_at: Ground, draft: Draft) -> Draft:
    line = _line(draft.message, b"Countersign-Signature: ")
    raw = bytearray(b64decode(line.partition(b": ")[2]))
    raw[5] ^= 1
    return replace(draft, message=_signed(draft.message, bytes(raw)))


def _as_agent(_at: Ground, draft: Draft) -> Draft:
    return replace(_authored(draft, b"cloud-2"), message=draft.message.replace(b"Agent: cloud-1", b"Agent: cloud-2"))


def _over(other: Callable[[Ground], str]) -> Make:
    """What was signed is legal; what is committed is this."""
    return changed(lambda at, draft: replace(draft, tree=other(at)))


def _one_more(at: Ground) -> str:
    return at.write({PLAN: b"- [ ] later\n", "Plans/more.md": b"- [ ] more\n"})


def _one_less(at: Ground) -> CommitId:
    both = at.draft(_one_more(at))
    return at.put(replace(both, tree=legal(at).tree))


def _other_past(at: Ground) -> CommitId:
    change = Change(PLAN, blob_id(b"never\n"), blob_id(b"- [ ] later\n"))
    listed = ((change.path, change.old or "", change.new or ""),)
    return at.commit(legal(at).tree, change=lambda c: replace(c, changes=listed))


def _sequences() -> Iterator[Kind]:
    for what, step in {"left out": 1, "ten left out": 10, "used before": -1, "used ten before": -10}.items():
        yield Kind(f"a sequence number {what}", "sequence", trailing(partial(_stepped, step=step)))
    yield Kind("a sequence number of 0", "sequence", trailing(lambda t: Trail(-1, t.last)))
    yield Kind("a sequence number below 0", "sequence", trailing(lambda t: Trail(-9, t.last)))
    yield Kind("a sequence number of twenty digits", "sequence", trailing(lambda t: Trail(10**20, t.last)))
    yield Kind("another past than it had", "sequence", trailing(lambda t: Trail(t.sequence, "f" * 64)))
    yield Kind("the past in capitals", "trailers", trailing(lambda t: Trail(t.sequence, t.last.upper())))
    yield Kind("the trail of another agent", "sequence", lambda at: at.commit(
        at.write({PLAN: b"- [ ] later\n"}), trail=at.trails[OTHER.agent]))  # fmt: skip
    yield Kind("its own commit a second time", "sequence", _replayed)
    yield Kind("its own commits in another order", "sequence", _reordered)
    yield Kind("the owner's commit a second time", "sequence", _owner_replayed)
    yield Kind("another agent's commit taken back and put on again", "sequence", _hers_replayed)


def _stepped(trail: Trail, step: int) -> Trail:
    return Trail(trail.sequence + step, trail.last)


def _replayed(at: Ground) -> CommitId:
    first = at.commit(at.write({"Plans/r.md": b"x\n"}))
    after = at.grown(first)
    gone = after.grown(after.commit(after.write({"Plans/r.md": None})))
    raw = at.repo[first].read_raw().replace(f"parent {at.head}".encode(), f"parent {gone.head}".encode())
    return CommitId(str(at.repo.odb.write(_COMMIT, raw)))


def _reordered(at: Ground) -> CommitId:
    first = at.commit(at.write({"Plans/r.md": b"x\n"}))
    second = at.grown(first).draft(at.grown(first).write({"Plans/s.md": b"x\n"}))
    return at.put(replace(second, parents=(at.head,), tree=at.write({"Plans/s.md": b"x\n"})))


def _owner_replayed(at: Ground) -> CommitId:
    """The owner's plan goes back to what it was: old words of the owner, with their signature."""
    wrote = at.grown(at.commit(at.write({"Plans/o.md": b"yes\n"}), who=LOCAL))
    cleared = wrote.grown(wrote.commit(wrote.write({"Plans/o.md": None})))
    raw = at.repo[wrote.head].read_raw().replace(f"parent {at.head}".encode(), f"parent {cleared.head}".encode())
    return CommitId(str(at.repo.odb.write(_COMMIT, raw)))


def _hers_replayed(at: Ground) -> CommitId:
    wrote = at.grown(at.commit(at.write({"Plans/h.md": b"yes\n"}), who=OTHER))
    cleared = wrote.grown(wrote.commit(wrote.write({"Plans/h.md": None})))
    raw = at.repo[wrote.head].read_raw().replace(f"parent {at.head}".encode(), f"parent {cleared.head}".encode())
    return CommitId(str(at.repo.odb.write(_COMMIT, raw)))


_COMMIT = 1
