"""The page in real Chromium: what is asked for over the network, and what runs, is written down."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.page_world import Office, office, with_mailbox

NOTE_VIOLATIONS = "addEventListener('securitypolicyviolation', e => console.error('policy ' + e.violatedDirective))"

PHONE = {"width": 390, "height": 844}


@dataclass
class Watched:
    """One window of the browser. `asked` has every address it asked for, `wrong` what a page must not do."""

    page: Page
    asked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(30_000)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("dialog", self._dialog)
        self.page.on("console", lambda said: self.wrong.append(said.text) if said.text.startswith("policy") else None)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error {error}"))
        self.page.on("popup", lambda popup: self.wrong.append(f"popup {popup.url}"))

    def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def enter(self, desk: Office) -> None:
        """Pair as an owner does: by the link that `countersign page` prints."""
        self.page.goto(f"{desk.hosted.addresses[0]}/pair#{desk.code()}")
        self.page.get_by_label("What to call it").fill("the browser of a test")
        self.page.get_by_role("button", name="Pair").click()
        self.page.wait_for_url("**/waiting**")


def program() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "chromium is missing: `.ci/stack-programs` says how to get it"
    return found


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Browser) -> Iterator[Watched]:
    context = chromium.new_context(viewport={"width": 1100, "height": 900}, reduced_motion="reduce")
    context.add_init_script(NOTE_VIOLATIONS)
    yield Watched(context.new_page())
    context.close()


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Watched]:
    """In the hand, at night."""
    context = chromium.new_context(
        viewport={"width": PHONE["width"], "height": PHONE["height"]}, device_scale_factor=2, is_mobile=True,
        has_touch=True, color_scheme="dark", reduced_motion="reduce",
    )  # fmt: skip
    yield Watched(context.new_page())
    context.close()


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Office]:
    """An owner with a mailbox to hold drafts against. Nobody sends anything: the service is not part of it."""
    world = World(tmp_path, capsys.readouterr)
    with_mailbox(world)
    with office(world) as found:
        yield found
