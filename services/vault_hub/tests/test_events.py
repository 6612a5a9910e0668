"""The stream of new commits: from any head, without a gap, ended for whoever is too slow or no longer welcome."""

import asyncio
import http.client
from dataclasses import dataclass, field

import pytest
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER
from services.vault_hub.tests.conftest import Start
from services.vault_hub.tests.hubworld import HubWorld, signed
from services.vault_hub.tests.test_doors import agents
from services.vault_hub.tests.test_line import grown

from demo.processes import eventually
from vault_hub import events as events_module
from vault_hub.events import Events
from vault_hub.line import Page
from vault_hub.reading import Said
from vault_protocol import hub_client, wire
from vault_protocol.errors import HubUnreachable
from vault_protocol.hub import Accepted, CommitId


@dataclass
class Listening:
    """One open stream, read event by event."""

    line: http.client.HTTPConnection
    response: http.client.HTTPResponse
    comments: list[bytes] = field(default_factory=list)

    def next(self) -> tuple[str, str, bytes] | None:
        """Kind, id and content of the next event; None at the end."""
        fields: dict[str, bytes] = {}
        while content := self.response.readline():
            if content == b"\n":
                if fields:
                    return fields["event"].decode(), fields["id"].decode(), fields["data"]
            elif content.startswith(b":"):
                self.comments.append(content)
            else:
                name, _, value = content.rstrip(b"\n").partition(b": ")
                fields[name.decode()] = value
        return None

    def take(self, count: int) -> list[tuple[str, str]]:
        found = []
        for _ in range(count):
            event = self.next()
            assert event is not None
            found.append(event[:2])
        return found

    def close(self) -> None:
        self.response.close()
        self.line.close()


def listen(hub: HubWorld, who: str = CLOUD.agent, path: str = "/v1/events", **headers: str) -> Listening:
    line = http.client.HTTPConnection("127.0.0.1", hub.running.port, timeout=20)
    line.request("GET", path, headers={"Authorization": f"Bearer {hub.token(who)}", **headers})
    stream = Listening(line, line.getresponse())
    hub.at_the_end.callback(stream.close)
    return stream


def publish(hub: HubWorld, name: str) -> CommitId:
    commit = hub.author.commit(LOCAL, {f"Plans/{name}.md": b"x\n"})
    assert hub.publish(LOCAL.agent, commit).said["answer"] == "accepted"
    return commit


def test_a_new_commit_is_told_with_all_that_makes_it(hub: HubWorld) -> None:
    first = hub.begin()
    stream = listen(hub, path=f"/v1/events?since={first}")
    assert stream.response.headers["content-type"].startswith("text/event-stream")
    assert stream.take(1) == [("head", first)]

    commit = publish(hub, "a")
    event = stream.next()
    stream.close()

    assert event is not None
    assert event[:2] == ("commit", commit)
    parcel = wire.unpacked(wire.loaded(event[2]))
    assert (parcel.id, parcel.parent, parcel.edits) == (commit, first, {"Plans/a.md": b"x\n"})


def test_a_stream_goes_on_from_any_head(hub: HubWorld) -> None:
    line = grown(hub, 6)
    for number, commit in enumerate(line):
        for stream in (
            listen(hub, path=f"/v1/events?since={commit}"), listen(hub, **{"Last-Event-ID": commit}),
        ):  # fmt: skip
            told = stream.take(1 + len(line) - number - 1)
            stream.close()
            assert told == [("head", line[-1]), *(("commit", one) for one in line[number + 1 :])]


def test_who_begins_at_nothing_or_at_what_nobody_knows_is_told_how(hub: HubWorld) -> None:
    line = grown(hub, 3)
    unknown = listen(hub, path=f"/v1/events?since={'1' * 40}")
    assert unknown.take(2) == [("behind", line[-1]), ("head", line[-1])]
    assert listen(hub).take(1 + 3) == [("head", line[-1]), *(("commit", one) for one in line)]
    assert (
        hub.asked("GET", "/v1/events?since=x", None, {"Authorization": f"Bearer {hub.token(CLOUD.agent)}"}).status
        == 400
    )


def test_every_listener_is_told_every_commit_once_and_in_order(hub: HubWorld) -> None:
    first = hub.begin()
    streams = [listen(hub, path=f"/v1/events?since={first}") for _ in range(5)]
    assert hub.metric("countersign_hub_stream_clients") == 5

    line = [publish(hub, str(number)) for number in range(20)]

    for stream in streams:
        assert stream.take(21)[1:] == [("commit", one) for one in line]
        stream.close()


def test_silence_is_broken_by_a_heartbeat(start: Start) -> None:
    hub = start(heartbeat_seconds=0.05)
    first = hub.begin()
    stream = listen(hub, path=f"/v1/events?since={first}")
    stream.take(1)
    assert stream.response.readline().startswith(b":")
    assert stream.response.readline() == b"\n"
    assert stream.response.readline().startswith(b":")


def test_a_revoked_agent_is_told_nothing_more(start: Start) -> None:
    hub = start(heartbeat_seconds=0.05)
    first = hub.begin()
    stream = listen(hub, path=f"/v1/events?since={first}")
    stream.take(1)

    agents(hub).revoke(CLOUD.agent)
    hub.tick()
    publish(hub, "not-for-it")

    assert stream.next() is None


def test_one_credential_has_so_many_streams_and_gets_them_back(hub: HubWorld) -> None:
    hub.begin()
    streams = [listen(hub) for _ in range(16)]
    assert [stream.response.status for stream in streams] == [200] * 16

    assert listen(hub).response.status == 429
    assert listen(hub, OTHER.agent).response.status == 200
    for stream in streams:
        stream.take(1)
        stream.close()
    eventually(lambda: hub.metric("countersign_hub_stream_clients") == 1, "the hub noticed")
    assert listen(hub).response.status == 200


async def nothing() -> Page:
    return Page(None, ())


def said(number: int, size: int = 1) -> Said:
    return Said(CommitId(f"{number:040}"), None, "", b"x" * size)


@pytest.mark.parametrize(("count", "size"), [(1025, 1), (10, 1 << 20)], ids=["by number", "by bytes"])
def test_a_listener_that_does_not_keep_up_is_cut_off_and_holds_nothing(count: int, size: int) -> None:
    async def scene() -> tuple[int, int, int]:
        events = Events()
        stream = events.stream(nothing)
        assert await anext(stream)
        events.tell([said(number, size) for number in range(count)])
        rest = [one async for one in stream]
        return len(rest), events.listeners, events.cut

    assert asyncio.run(scene()) == (0, 0, 1)


def test_a_listener_that_keeps_up_is_not_cut_off() -> None:
    async def scene() -> bytes:
        events = Events(heartbeat=0.01)
        stream = events.stream(nothing)
        await anext(stream)
        events.tell([said(number) for number in range(events_module.BACKLOG)])
        found = b""
        while found.count(b"event: commit") < events_module.BACKLOG:
            found += await anext(stream)
        events.close()
        return found + b"".join([one async for one in stream])

    told = asyncio.run(scene())
    assert [f"id: {number:040}".encode() in told for number in range(events_module.BACKLOG)].count(False) == 0
    assert told.count(b"event: commit") == events_module.BACKLOG


def test_commits_that_wait_go_in_one_write_up_to_its_bound() -> None:
    async def scene() -> list[bytes]:
        events = Events()
        stream = events.stream(nothing)
        await anext(stream)
        events.tell([said(number, 40_000) for number in range(5)])
        found = [await anext(stream) for _ in range(3)]
        events.close()
        return found + [one async for one in stream]

    assert [one.count(b"event: commit") for one in asyncio.run(scene())] == [2, 2, 1]


# An agent's own side of it.


def test_an_agent_that_waits_hears_of_a_commit_and_asks_nothing(hub: HubWorld) -> None:
    hub.begin()
    side = hub.side(CLOUD.agent)
    side.hub.refresh()
    side.hub.wait(0.01)
    eventually(lambda: side.hub._stream is not None and side.hub._stream.alive, "it listens")
    side.hub.refresh()
    line = [publish(hub, str(number)) for number in range(3)]

    eventually(lambda: side.hub.refresh() == line[-1], "it has the last one")

    assert [one.id for one in side.store.history(line[0], line[-1])] == line[1:]


def test_an_answer_that_came_before_the_stream_is_not_taken_back_by_it(hub: HubWorld) -> None:
    """The stream tells of an older commit while a publish has already brought a newer one."""
    hub.begin()
    side = hub.side(CLOUD.agent)
    side.hub.refresh()
    side.hub.wait(0.01)
    stream = side.hub._stream
    assert stream is not None
    eventually(lambda: stream.alive, "it listens")
    side.hub.refresh()
    older = publish(hub, "older")
    eventually(lambda: stream._came, "the stream brought it")
    late = stream.taken()
    newer = signed(CLOUD, side.store, side.hub.refresh() or older, {"Plans/newer.md": b"x\n"})
    head = side.hub.publish(newer, onto=side.hub._head)
    assert isinstance(head, Accepted)
    stream._came.extend(late)

    assert side.hub.refresh() == head.head


def test_after_a_restart_of_the_hub_agents_listen_again_and_missed_nothing(hub: HubWorld) -> None:
    hub.begin()
    side = hub.side(CLOUD.agent)
    side.hub.refresh()
    side.hub.wait(0.01)
    stream = side.hub._stream
    assert stream is not None
    eventually(lambda: stream.alive, "it listens")

    hub.running.stop()
    eventually(lambda: not stream.alive, "it knows the line is dead")
    with pytest.raises(HubUnreachable):
        side.hub.refresh()
    hub.running.start()
    missed = publish(hub, "missed")

    eventually(lambda: stream.alive, "it listens again")
    assert side.hub.refresh() == missed
    told = publish(hub, "told")
    eventually(lambda: side.hub.refresh() == told, "it hears the next one")


def test_without_a_stream_an_agent_looks_every_few_seconds(hub: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_client, "FALLBACK", 0.01)
    hub.begin()
    side = hub.side(CLOUD.agent)
    monkeypatch.setattr("vault_protocol.hub_stream.Stream._listen", broken)
    side.hub.refresh()

    side.hub.wait(3600)
    head = publish(hub, "a")
    side.hub.wait(3600)

    assert side.hub.refresh() == head


def broken(self: object) -> None:
    raise OSError("no stream today")
