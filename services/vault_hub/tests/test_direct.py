"""The short way to `/v1/publish`: what takes it, and that nothing is decided otherwise there than on the long way."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import pytest
from libs.vault_protocol.tests.made import CLOUD, LOCAL
from services.vault_hub.tests.conftest import Start
from services.vault_hub.tests.hubworld import READER, HubWorld, packed
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from demo.processes import eventually
from vault_hub import api, direct, serving
from vault_hub.arbiter import Arbiter, Publish
from vault_hub.bodies import Bodies
from vault_hub.direct import Direct
from vault_hub.doorkeeper import Caller, Doorkeeper
from vault_hub.room import Room

Ways = list[bool]
"""For each request that the direct way looked at: whether it took it."""


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    found: Ways = []
    takes = Direct.takes

    def noted(self: Direct, data: bytes, answered: direct.Answered) -> bool:
        taken = takes(self, data, answered)
        found.append(taken)
        return taken

    monkeypatch.setattr(Direct, "takes", noted)
    return found


@dataclass
class Held:
    """Publishes that the arbiter is not shown until `let_go`."""

    waiting: list[Callable[[], None]] = field(default_factory=list)

    def let_go(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    found = Held()
    submit = Arbiter.submit

    def keep(self: Arbiter, publish: Publish) -> None:
        found.waiting.append(partial(submit, self, publish))

    monkeypatch.setattr(Arbiter, "submit", keep)
    return found


Check: TypeAlias = Callable[[Start, Held], None]


@dataclass(frozen=True)
class Heard:
    status: int
    body: bytes
    headers: frozenset[str]


def request(hub: HubWorld, body: bytes, *more: str, who: str = LOCAL.agent, token: str = "") -> bytes:
    head = [
        "POST /v1/publish HTTP/1.1", "Host: x", f"Authorization: Bearer {token or hub.token(who)}",
        f"Content-Length: {len(body)}", *more,
    ]  # fmt: skip
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def connected(hub: HubWorld) -> socket.socket:
    return socket.create_connection(("127.0.0.1", hub.running.port), timeout=20)


def heard(line: socket.socket) -> Heard:
    """One answer, whole, and not a byte of what follows it."""
    response = http.client.HTTPResponse(line)
    response.fp = line.makefile("rb", 0)  # type: ignore[assignment]
    response.begin()
    return Heard(response.status, response.read(), frozenset(name.lower() for name in dict(response.headers)))


def asked(hub: HubWorld, whole: bytes) -> Heard:
    with connected(hub) as line:
        line.sendall(whole)
        return heard(line)


def asked_in_one_piece(hub: HubWorld, whole: bytes) -> Heard:
    """As `asked`, of any size: what a socket may hand over in parts, which is the long way's, comes as one here."""
    before = connections(hub)
    with connected(hub) as line:
        eventually(lambda: len(set(connections(hub)) - set(before)) == 1, "the hub has the connection")
        (ours,) = set(connections(hub)) - set(before)
        ours.loop.call_soon_threadsafe(ours.data_received, whole)
        return heard(line)


def publish(hub: HubWorld, name: str = "a") -> bytes:
    """A body that publishes another note of Local's onto the head."""
    made = packed(hub.store, hub.author.commit(LOCAL, {f"Plans/{name}.md": b"# Plan\n"}))
    return json.dumps({"onto": made["parent"], "exact": False, "commits": [made]}).encode()


def connections(hub: HubWorld) -> list[serving.Protocol]:
    """Those open now: a copy made at once, for the hub's thread changes the set meanwhile."""
    found = list(hub.running._server.server_state.connections)
    return [one for one in found if isinstance(one, serving.Protocol)]


# What takes it.


def test_what_an_agents_own_client_publishes_takes_the_short_way(hub: HubWorld, ways: Ways) -> None:
    hub.begin()
    vault = hub.vault(LOCAL)
    ways.clear()
    vault.write("add", "all", {"Plans/b.md": b"# Plan\n"})
    assert vault.journal.head == hub.head
    assert ways == [True]


# That nothing is decided otherwise.


def cases(hub: HubWorld) -> dict[str, tuple[str, bytes]]:
    """Who asks, and with which body; each is answered the second time as the first."""
    hub.begin()
    first = publish(hub)
    assert asked(hub, request(hub, first, "X-Long: way")).status == 200
    theirs = hub.author.commit(CLOUD, {"Plans/c.md": b"# Plan\n"})
    made = packed(hub.store, theirs)
    return {
        "sent again": (LOCAL.agent, first),
        "against the zones": (
            CLOUD.agent, json.dumps({"onto": made["parent"], "exact": False, "commits": [made]}).encode()
        ),
        "signed by another": (
            LOCAL.agent, json.dumps({"onto": made["parent"], "exact": False, "commits": [made]}).encode()
        ),
        "onto a head that is not ours": (
            LOCAL.agent, json.dumps({"onto": "1" * 40, "exact": False, "commits": [made]}).encode()
        ),
        "no commits": (LOCAL.agent, b'{"onto": null, "commits": []}'),
        "no JSON": (LOCAL.agent, b"{"),
        "nothing": (LOCAL.agent, b""),
        "a reader": (READER, first),
    }  # fmt: skip


def test_each_answer_is_that_of_the_long_way(hub: HubWorld, ways: Ways) -> None:
    found = cases(hub)
    for name, (who, body) in found.items():
        ways.clear()
        short = asked(hub, request(hub, body, who=who))
        long = asked(hub, request(hub, body, "X-Long: way", who=who))
        assert ways == [True, False], name
        assert short == long, name
    statuses = {name: asked(hub, request(hub, body, who=who)).status for name, (who, body) in found.items()}
    assert statuses["sent again"] == 200
    assert statuses["no JSON"] == 400
    assert statuses["a reader"] == 403


def test_without_a_good_token_the_long_way_answers(hub: HubWorld, ways: Ways) -> None:
    assert asked(hub, request(hub, b"{}", token="wrong")).status == 401
    assert ways == [False]
    assert hub.metric("countersign_hub_denied_total") == 1


# Each of these is a test, and what a planted bug has to break.


def over_the_allowance_one_is_turned_away(start: Start, held: Held) -> None:
    hub = start(requests_per_second=1)
    with connected(hub) as line:
        found = []
        for _ in range(11):  # the hub's clock stands still: a burst of ten
            line.sendall(request(hub, b"{"))
            found.append(heard(line).status)
    assert found == [400] * 10 + [429]


def a_reader_publishes_nothing(start: Start, held: Held) -> None:
    hub = start()
    assert asked(hub, request(hub, b"{", who=READER)).status == 403


def a_body_has_its_bound(start: Start, held: Held) -> None:
    hub = start(body_bytes=1 << 16)
    assert asked_in_one_piece(hub, request(hub, b" " * (1 << 16))).status == 400
    assert asked_in_one_piece(hub, request(hub, b" " * ((1 << 16) + 1))).status == 413


def what_is_held_is_counted_until_the_answer(start: Start, held: Held) -> None:
    hub = start()
    body = publish(hub)
    with connected(hub) as line:
        line.sendall(request(hub, body))
        eventually(lambda: held.waiting, "it waits")
        assert hub.metric("countersign_hub_request_bytes") == len(body)
        held.let_go()
        assert heard(line).status == 200
        assert hub.metric("countersign_hub_request_bytes") == 0
        line.sendall(request(hub, b"{"))
        assert heard(line).status == 400
        assert hub.metric("countersign_hub_request_bytes") == 0


def publishes_at_once_have_their_bound(start: Start, held: Held) -> None:
    hub = start()
    body = publish(hub)
    with ExitStack() as stack:
        lines = [stack.enter_context(connected(hub)) for _ in range(api.WAITING)]
        for line in lines:
            line.sendall(request(hub, body))
        eventually(lambda: len(held.waiting) == api.WAITING, "they wait")
        more = stack.enter_context(connected(hub))
        more.sendall(request(hub, body))
        eventually(lambda: arrived(more) or len(held.waiting) > api.WAITING, "it was looked at")
        assert len(held.waiting) == api.WAITING
        assert heard(more).status == 429
        held.let_go()
        assert {heard(line).status for line in lines} == {200}
        more.sendall(request(hub, body))
        eventually(lambda: held.waiting, "there is room again")
        held.let_go()
        assert heard(more).status == 200


def a_revoked_token_opens_nothing_on_a_connection_it_opened(start: Start, held: Held) -> None:
    hub = start()
    with connected(hub) as line:
        line.sendall(request(hub, b"{"))
        assert heard(line).status == 400
        assert hub.running.hub is not None
        hub.running.hub.agents.revoke(LOCAL.agent)
        hub.tick()
        line.sendall(request(hub, b"{"))
        assert heard(line).status == 401


def the_next_request_waits_for_the_answer_before_it(start: Start, held: Held) -> None:
    hub = start()
    body = publish(hub)
    with connected(hub) as line:
        line.sendall(request(hub, body))
        eventually(lambda: held.waiting, "it waits")
        line.sendall(request(hub, b"{"))
        eventually(lambda: arrived(line) or any(one._held for one in connections(hub)), "the next came")
        assert not arrived(line)
        held.let_go()
        assert [heard(line).status, heard(line).status] == [200, 400]


def at_the_end_who_waits_is_answered(start: Start, held: Held) -> None:
    hub = start()
    with connected(hub) as line:
        line.sendall(request(hub, publish(hub)))
        eventually(lambda: held.waiting, "it waits")
        ending = threading.Thread(target=hub.running.stop)
        ending.start()
        try:
            eventually(lambda: any(one._ending for one in connections(hub)) or arrived(line), "it was told to end")
            assert not arrived(line)
        finally:
            held.let_go()
            ending.join(30)
        answer = heard(line)
        assert (answer.status, "connection" in answer.headers) == (200, True)
        assert line.recv(1) == b""


CHECKS = (
    over_the_allowance_one_is_turned_away, a_reader_publishes_nothing, a_body_has_its_bound,
    what_is_held_is_counted_until_the_answer, publishes_at_once_have_their_bound,
    a_revoked_token_opens_nothing_on_a_connection_it_opened, the_next_request_waits_for_the_answer_before_it,
    at_the_end_who_waits_is_answered,
)  # fmt: skip


def arrived(line: socket.socket) -> bool:
    """Whether an answer, or the connection's end, is there to be read."""
    line.setblocking(False)
    try:
        line.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    finally:
        line.settimeout(20)
    return True


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_short_way_holds_to_it(check: Check, start: Start, held: Held) -> None:
    check(start, held)


def test_who_goes_away_before_the_answer_leaves_nothing_behind(hub: HubWorld, held: Held) -> None:
    line = connected(hub)
    line.sendall(request(hub, publish(hub)))
    eventually(lambda: held.waiting, "it waits")
    line.close()
    held.let_go()
    eventually(lambda: hub.metric("countersign_hub_request_bytes") == 0, "its room is given back")
    assert asked(hub, request(hub, b"{")).status == 400


# Planted bugs, by name.


def nothing(*_: object) -> None:
    """In the place of a check."""


def a_token_is_good_once_seen(patch: pytest.MonkeyPatch) -> None:
    known, seen = Doorkeeper.known, dict[str, Caller]()

    def remembered(self: Doorkeeper, header: str) -> Caller | None:
        found = known(self, header)
        if found is not None:
            seen[header] = found
        return seen.get(header)

    patch.setattr(Doorkeeper, "known", remembered)


def bytes_are_never_given_back(patch: pytest.MonkeyPatch) -> None:
    def share(self: Bodies, caller: Caller, size: int) -> nullcontext[None]:
        self._room.claim(caller.agent, size)
        return nullcontext()

    patch.setattr(Bodies, "share", share)


def always(value: bool) -> property:
    return property(lambda _: value, nothing)


BUGS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Check]] = {
    "requests are not counted": (
        lambda patch: patch.setattr(Doorkeeper, "count", nothing), over_the_allowance_one_is_turned_away
    ),
    "a reader may publish": (
        lambda patch: patch.setattr(Doorkeeper, "may_publish", nothing), a_reader_publishes_nothing
    ),
    "a body has no bound": (
        lambda patch: patch.setattr(Bodies, "share", lambda *_: nullcontext()), a_body_has_its_bound
    ),
    "bytes held are not counted": (
        lambda patch: patch.setattr(Bodies, "share", lambda *_: nullcontext()),
        what_is_held_is_counted_until_the_answer,
    ),
    "bytes held are never given back": (bytes_are_never_given_back, what_is_held_is_counted_until_the_answer),
    "publishes at once have no bound": (
        lambda patch: patch.setattr(Room, "claim", nothing), publishes_at_once_have_their_bound
    ),
    "a token is good once it was seen": (
        a_token_is_good_once_seen, a_revoked_token_opens_nothing_on_a_connection_it_opened
    ),
    "a request overtakes the one before it": (
        lambda patch: patch.setattr(serving.Protocol, "_under_way", always(False)),
        the_next_request_waits_for_the_answer_before_it,
    ),
    "an end does not wait for the answer": (
        lambda patch: patch.setattr(serving.Protocol, "shutdown", HttpToolsProtocol.shutdown),
        at_the_end_who_waits_is_answered,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_of_the_short_way_is_caught(
    name: str, start: Start, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug, check = BUGS[name]
    bug(monkeypatch)
    with pytest.raises(AssertionError):
        check(start, held)
    held.let_go()
