"""The resident hub, over HTTP: publish and catch up in one trip each, and a stream of what others publish.

What the hub sends is made again in our own store and compared by name, so it can withhold, and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import wire
from .errors import HubDenied, HubUnreachable, Refused, UntrustedHead
from .hub import Accepted, Broken, Commit, CommitId, Judge, MovedOn, Published, Rejected, Reserved
from .hub_asking import ANSWER_SECONDS, Asking, TurnedAway
from .hub_line import Way
from .hub_stream import Stream
from .sshsig import PublicKey
from .store import GitStore
from .task import AgentId, Domain
from .wire import BadWire, Parcel

FALLBACK = 5.0
"""Seconds between two looks while the stream is broken."""

_TRACKED = "refs/hub/main"

LATELY = 4096
"""Commits remembered as brought, so that the stream does not tell them anew."""


LONGEST_RESERVED = 60.0
"""Seconds for which an agent believes that tasks are set aside for it."""


@dataclass(frozen=True)
class Limits:
    """How much is taken from a hub that goes on for ever. What was brought by then stays, and the next time goes on
    from there: an honest vault that is larger comes in several times."""

    answer_seconds: float = ANSWER_SECONDS
    """In which one answer is whole."""
    seconds: float = 600.0
    """After which one catching up asks for no further page."""
    size: int = 1024 * 1024 * 1024
    """Bytes that one catching up brings, each commit counted with EACH more; the last page may exceed it."""


EACH = 1024
"""Bytes that a commit takes besides its contents."""


class HubClient:
    """One agent's line to the hub. Calls come from one thread at a time, `wait` from another if need be."""

    def __init__(
        self, store: GitStore, url: str, token: str, *, ca_file: Path | None = None, timeout: float = 60.0,
        again: Callable[[], str] | None = None, way_out: str | None = None, limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`url`: `https://HOST[:PORT]`, or `http://` for one on this machine. Raises VaultError for another.

        `again` reads the token once more when this one opens nothing: it may have been rotated. `way_out` is the
        `HOST:PORT` of an HTTP proxy through which a hub by https is reached.
        """
        self._way = Way.to(url, ca_file=ca_file, way_out=way_out)
        self._store, self._url, self._limits, self._monotonic = store, url, limits or Limits(), monotonic
        self._asking = Asking(
            self._way, url, token, timeout=timeout, again=again, answer_seconds=self._limits.answer_seconds,
            monotonic=monotonic,
        )  # fmt: skip
        self._judge: Judge | None = None
        self._head: CommitId | None = store.ref(_TRACKED)
        self._seen = False
        self._lately: OrderedDict[CommitId, None] = OrderedDict()
        self._stream: Stream | None = None
        self._lock = threading.RLock()

    def refresh(self) -> CommitId | None:
        with self._lock:
            self._take_from_stream()
            if self._seen and self._stream is not None and self._stream.alive:
                return self._head
            return self._catch_up()

    @contextmanager
    def judged(self, judge: Judge) -> Iterator[None]:
        with self._lock:
            before, self._judge = self._judge, judge
            try:
                yield
            finally:
                self._judge = before

    def publish(self, commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Published:
        with self._lock:
            line = [wire.packed(wire.parcel(self._store, one)) for one in self._line_to(commit, onto)]
            if not line:
                return Broken("the commit does not follow the head it names")
            try:
                answer = self._ask("/v1/publish", {"onto": onto, "exact": exact, "commits": line})
                return self._answered(commit, onto, answer)
            except TurnedAway as error:
                return Rejected(error.rule, "", error.reason)
            except HubDenied as error:
                return Broken(str(error))
            except HubUnreachable as error:
                return self._look(commit, onto, str(error))
            except (BadWire, UntrustedHead) as error:
                return Broken(f"the hub's answer cannot be trusted: {error}")

    def replace(self, root: CommitId, *, seen: CommitId | None) -> Published:
        """Begin the hub's line anew at `root`, if its head is `seen`. Only what differs from `seen` is sent."""
        with self._lock:
            store = self._store
            (commit,) = store.history(None, root)
            sent = wire.packed(wire.parcel(store, commit, store.changes(seen, root)))
            try:
                answer = self._ask("/v1/reroot", {"seen": seen, "root": sent})
                if answer.get("answer") in ("rejected", "broken"):
                    return self._answered(root, seen, answer)
            except TurnedAway as error:
                return Rejected(error.rule, "", error.reason)
            except HubUnreachable as error:
                why = str(error)
            else:
                why = "the hub's answer names another head"
            try:
                head = self._catch_up()
            except (HubUnreachable, UntrustedHead) as error:
                return Broken(f"{error} (after: {why})")
            if head is not None and self._store.follows(head, root):
                return Accepted(head, root)
            return MovedOn(head) if head != seen else Broken(why)

    def reserve(self, domains: Iterable[Domain], count: int) -> Reserved:
        """One trip: the tasks, and the commits up to the head at which they wait."""
        with self._lock:
            self._take_from_stream()
            asked = {"have": next(iter(self._have()), None), "domains": [*domains], "count": count}
            answer = self._ask("/v1/reserve", asked)
            paths, seconds = _paths(answer.get("reserved")), answer.get("seconds")
            if not (paths is not None and isinstance(seconds, int | float) and 0 <= seconds <= LONGEST_RESERVED):
                raise HubUnreachable(f"the hub at {self._url} says nothing of tasks that are set aside")
            try:
                return Reserved(self._take(answer), paths[:count], float(seconds), set_aside=True)
            except BadWire as error:
                raise self._untrusted(error) from None

    def introduced(self) -> tuple[str, PublicKey]:
        """The vault's id and the owner's public key, as the hub knows them."""
        with self._lock:
            answer = self._ask("/v1/introduction", {})
        vault, key = answer.get("vault"), answer.get("owner_key")
        try:
            if isinstance(vault, str) and vault and isinstance(key, str):
                return vault, PublicKey.parse(key)
        except ValueError:
            pass
        raise HubUnreachable(f"the hub at {self._url} introduces itself in no form that is known here")

    def wait(self, seconds: float) -> bool:
        if self._stream is None:
            self._stream = Stream(self._way.open, self._asking.headers, lambda: self._head)
            self._stream.start()
        heard = self._stream.wait(seconds if self._stream.alive else min(seconds, FALLBACK))
        return heard or not self._stream.alive

    def close(self) -> None:
        """End the stream and the connection."""
        if self._stream is not None:
            self._stream.end()
        self._asking.hang_up()

    def __del__(self) -> None:
        """A command that ends without `close` leaves no connection either."""
        asking: Asking | None = getattr(self, "_asking", None)
        if asking is not None:
            asking.hang_up()

    def _ask(self, path: str, body: wire.Object) -> wire.Object:
        return self._asking.ask(path, body)

    def _line_to(self, commit: CommitId, onto: CommitId | None) -> Sequence[Any]:
        try:
            return self._store.history(onto, commit)
        except UntrustedHead:
            return ()

    def _answered(self, commit: CommitId, onto: CommitId | None, answer: wire.Object) -> Published:
        match answer.get("answer"):
            case "rejected":
                return Rejected(*(str(answer.get(key, ""))[:500] for key in ("rule", "path", "reason")))
            case "broken":
                return Broken(str(answer.get("reason", ""))[:500])
            case "accepted":
                named = wire.commit_id(answer.get("commit"))
                head = self._take(answer)
                if head is None or not self._store.has(named) or not self._same(commit, named):
                    raise BadWire("it accepted what it does not show")
                self._remember(named)
                return Accepted(head, named)
            case "moved_on":
                head = self._take(answer)
                found = self._landed(commit, onto, head)
                return MovedOn(head) if head is None or found is None else Accepted(head, found)
        raise BadWire("its answer is of no known kind")

    def _same(self, ours: CommitId, theirs: CommitId) -> bool:
        """Whether the hub's commit is our changeset: the signature in the message covers all but the parent."""
        return ours == theirs or self._store.message(ours) == self._store.message(theirs)

    def _look(self, commit: CommitId, onto: CommitId | None, why: str) -> Published:
        """A lost answer is resolved by looking whether our changeset is on the hub."""
        try:
            head = self._catch_up()
        except (HubUnreachable, UntrustedHead) as error:
            return Broken(f"{error} (after: {why})")
        found = self._landed(commit, onto, head)
        return Broken(why) if head is None or found is None else Accepted(head, found)

    def _landed(self, commit: CommitId, onto: CommitId | None, head: CommitId | None) -> CommitId | None:
        """What our changeset is called between these two heads, when it is there."""
        line = self._line_to(head, onto) if head is not None else ()
        return next((one.id for one in line if self._same(commit, one.id)), None)

    def _catch_up(self) -> CommitId | None:
        """Everything after what we have, page by page, each judged before the next is asked for."""
        have, lost = self._have(), False
        ends, room = self._monotonic() + self._limits.seconds, self._limits.size
        while True:
            answer = self._ask("/v1/changes", {"have": have})
            try:
                if answer.get("known") is False and not lost and len(have) == 1 and self._head is not None:
                    have, lost = self._have_more(), True  # it may have been rolled back: find where
                    continue
                if not answer.get("more"):
                    head = self._take_last(answer)
                    self._seen = True
                    if head is not None:  # where a new start goes on from; not worth a write for every commit
                        self._store.note_ref(_TRACKED, head)
                    return head
                brought, size = self._brought(answer)
                if not brought or brought[-1] in have:
                    raise BadWire("it says there is more, and shows none of it")
            except BadWire as error:
                raise self._untrusted(error) from None
            if self._judge is not None:
                self._judge.page(brought[-1])
            self._head, have = brought[-1], [brought[-1]]
            self._store.note_ref(_TRACKED, self._head)  # a restart in the middle goes on from here
            room -= size
            if room < 0 or self._monotonic() >= ends:
                raise HubUnreachable(
                    f"the hub at {self._url} has more than is taken at once "
                    f"({self._limits.seconds:g} s or {self._limits.size >> 20} MiB): nobody knows its head yet. "
                    "Try again, it goes on from there; if that never ends, look at who writes to the hub"
                )

    def _untrusted(self, error: BadWire) -> UntrustedHead:
        return UntrustedHead(self._head or "", f"the hub's answer cannot be trusted: {error}")

    def _have(self) -> list[CommitId]:
        return [self._head] if self._head is not None and self._store.has(self._head) else []

    def _have_more(self) -> list[CommitId]:
        """Heads of ours ever further back, each twice as far."""
        assert self._head is not None
        found: list[CommitId] = []
        line, step = self._store.history(None, self._head), 1
        while step <= len(line) and len(found) < 60:
            found.append(line[-step].id)
            step *= 2
        return [*found, line[0].id]

    def _take(self, answer: wire.Object) -> CommitId | None:
        """Bring the commits of an answer to something else into the store, and those it has no room for; the head they
        lead to. Raises BadWire, UntrustedHead, HubUnreachable."""
        head = _head(answer)
        self._brought(answer)
        if answer.get("more") or (head is not None and not self._store.has(head)):
            return self._catch_up()
        self._head = head
        return head

    def _take_last(self, answer: wire.Object) -> CommitId | None:
        """The same for the last page. Raises BadWire, UntrustedHead."""
        head = _head(answer)
        self._brought(answer)
        if head is not None and not self._store.has(head):
            raise BadWire("it names a head that it does not show")
        self._head = head
        return head

    def _brought(self, answer: wire.Object) -> tuple[list[CommitId], int]:
        """The commits of an answer, in the store now, and how many bytes they are."""
        commits = answer.get("commits", [])
        if not isinstance(commits, list):
            raise BadWire("its commits are no list")
        found, size = [], 0
        for one in commits:
            parcel = wire.unpacked(one)
            size += parcel.size + EACH
            found.append(self._bring(parcel))
        return found, size

    def _bring(self, parcel: Parcel) -> CommitId:
        store = self._store
        if parcel.id in self._lately and store.has(parcel.id):
            return parcel.id
        self._remember(parcel.id)
        if parcel.parent is not None and not store.has(parcel.parent):
            raise BadWire("a commit came before its parent")
        if self._judge is not None:
            parents = (parcel.parent,) if parcel.parent is not None else ()
            self._judge.admit(Commit(parcel.id, parents, parcel.message, parcel.author, parcel.at), parcel.edits)
        try:
            made = store.commit(
                parcel.parent, parcel.edits, message=parcel.message, author=AgentId(parcel.author), at=parcel.at
            )  # fmt: skip
        except (Refused, ValueError) as error:
            raise UntrustedHead(parcel.id, f"it cannot be made: {error}") from None
        if made != parcel.id:
            raise UntrustedHead(parcel.id, "what the hub sent makes another commit")
        return made

    def _remember(self, commit: CommitId) -> None:
        self._lately[commit] = None
        if len(self._lately) > LATELY:
            self._lately.popitem(last=False)

    def _take_from_stream(self) -> None:
        """The stream may lag behind the answers we had: only what goes on from our head moves it."""
        if self._stream is None:
            return
        for content in self._stream.taken():
            try:
                parcel = wire.unpacked(wire.loaded(content))
                if parcel.id in self._lately:
                    continue
                if parcel.parent != self._head:
                    self._seen = False
                    continue
                self._head = self._bring(parcel)
            except (BadWire, UntrustedHead):
                self._seen = False  # ask, and be told the whole of it
        if self._stream.behind():
            self._seen = False


def _paths(value: Any) -> tuple[str, ...] | None:
    """None when it is no list of them."""
    found = tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else None
    return found if found is not None and len(found) == len(value) else None


def _head(answer: wire.Object) -> CommitId | None:
    said = answer.get("head")
    return wire.commit_id(said) if said is not None else None
