"""Reading for one credential leaves the others their turn."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from libs.vault_protocol.tests.made import CLOUD, OTHER
from services.vault_hub.tests.hubworld import HubWorld

from demo.processes import eventually
from vault_hub.line import Line, Page
from vault_hub.turns import Turns
from vault_protocol.hub import CommitId

SLOW = CommitId("1" * 40)


def test_a_credential_has_its_turns_at_once_and_its_others_wait() -> None:
    async def scene() -> tuple[int, str]:
        turns, gate, begun = Turns("test", threads=3, each=2), threading.Event(), list[int]()

        def slow() -> None:
            begun.append(1)
            gate.wait(20)

        many = [asyncio.create_task(turns.take(CLOUD.agent, slow)) for _ in range(6)]
        await asyncio.to_thread(eventually, lambda: len(begun) >= 2, "two have begun")
        other = await asyncio.wait_for(turns.take(OTHER.agent, lambda: "done"), 10)
        at_once = len(begun)
        gate.set()
        await asyncio.gather(*many)
        return at_once, other

    assert asyncio.run(scene()) == (2, "done")


def test_what_a_call_raises_comes_out_and_its_turn_is_over() -> None:
    async def scene() -> str:
        turns = Turns("test", threads=1, each=1)
        with pytest.raises(ZeroDivisionError):
            await turns.take(CLOUD.agent, lambda: 1 // 0)
        return await asyncio.wait_for(turns.take(CLOUD.agent, lambda: "next"), 10)

    assert asyncio.run(scene()) == "next"


def test_who_gave_up_has_no_further_turn_before_its_call_has_ended() -> None:
    async def scene() -> tuple[bool, str]:
        turns, gate, begun = Turns("test", threads=2, each=1), threading.Event(), threading.Event()

        def slow() -> None:
            begun.set()
            gate.wait(20)

        gone = asyncio.create_task(turns.take(CLOUD.agent, slow))
        await asyncio.to_thread(begun.wait, 20)
        gone.cancel()
        later = asyncio.create_task(turns.take(CLOUD.agent, lambda: "later"))
        await asyncio.wait([later], timeout=0.1)
        early = later.done()
        gate.set()
        return early, await asyncio.wait_for(later, 10)

    assert asyncio.run(scene()) == (False, "later")


def test_who_reads_much_of_the_past_keeps_no_other_from_it(hub: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    head, gate, reading = hub.begin(), threading.Event(), list[int]()
    from_disk = Line._from_disk

    def slow(line: Line, head: CommitId | None, have: list[CommitId]) -> Page:
        if have == [SLOW]:
            reading.append(1)
            gate.wait(20)
        return from_disk(line, head, have)

    monkeypatch.setattr(Line, "_from_disk", slow)
    with ThreadPoolExecutor(40) as threads:
        asked = [threads.submit(hub.ask, CLOUD.agent, "/v1/changes", {"have": [SLOW]}) for _ in range(40)]
        try:
            eventually(lambda: len(reading) >= 2, "it reads")
            answer = hub.ask(OTHER.agent, "/v1/changes", {"have": ["2" * 40]})
            at_once = len(reading)
            late = hub.ask(CLOUD.agent, "/v1/changes", {"have": [head]})
        finally:
            gate.set()
        statuses = {one.result().status for one in asked}

    assert answer.said["known"] is False
    assert at_once == 2
    assert late.said["commits"] == []
    assert 200 in statuses
