"""`./just demo --web`: the gate of the demo, decided in real Chromium as its owner would."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from tests.stack.page.conftest import Watched

pytestmark = pytest.mark.stack

SUBJECT = "Offer for the new brand pages?"

PATIENCE = 180
"""Seconds for one line of the demo, or for its end."""


class Demo:
    """The running demo; `until` reads on to a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def until(self, pattern: str) -> str:
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            self.said.append(line)
            if found := re.search(pattern, line):
                return found[1]
        raise AssertionError("".join(self.said))


@pytest.fixture
def demo() -> Iterator[Demo]:
    argv = [sys.executable, "-m", "demo", "--web"]
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as process:
        try:
            yield Demo(process)
        finally:
            process.terminate()


def test_the_demo_s_draft_is_approved_in_the_browser_and_every_claim_holds(demo: Demo, window: Watched) -> None:
    window.page.goto(demo.until(r"Open   (http://\S+)"))
    window.page.get_by_label("What to call it").fill("the browser of a test")
    window.page.get_by_role("button", name="Pair").click()
    window.page.wait_for_url("**/waiting**")
    window.page.get_by_role("article", name=SUBJECT).get_by_role("button", name="Approve").click()
    held, of = demo.until(r"(\d+ of \d+) claims hold").split(" of ")
    assert held == of, "".join(demo.said)
    assert demo.process.wait(PATIENCE) == 0
    assert any("decided on the page: approve" in line for line in demo.said)
    assert window.wrong == []


def test_the_demo_s_draft_is_rejected_in_the_browser_and_nothing_is_sent(demo: Demo, window: Watched) -> None:
    window.page.goto(demo.until(r"Open   (http://\S+)"))
    window.page.get_by_role("button", name="Pair").click()
    window.page.wait_for_url("**/waiting**")
    card = window.page.get_by_role("article", name=SUBJECT)
    card.get_by_text("Reject", exact=True).first.click()
    card.get_by_label("Why").fill("not now")
    card.get_by_role("button", name="Reject").click()
    demo.until(r"(nothing was sent)")
    assert demo.process.wait(PATIENCE) == 0
