"""`./just page-pictures`: the page as real Chromium shows it, into docs/pictures/."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.page_world import Office, office, with_mailbox

from tests.stack.page.conftest import PHONE, Watched, program

FOLDER = Path(__file__).parents[3] / "docs" / "pictures"
LARGEST = 150_000
"""Bytes of one picture."""


@contextmanager
def desk() -> Iterator[Office]:
    """An owner with two drafts that wait, one of them worth a second look."""
    with TemporaryDirectory(prefix="countersign-pictures-") as folder:
        world = World(Path(folder), lambda: ("", ""))
        with_mailbox(world)
        with office(world) as found:
            found.ask_about(
                "Offer for the new brand pages?",
                "Hello Jana,\n\nthank you for your message. The offer follows by Friday.\n\nKind regards\nAnn Owner\n",
                said="Hello Ann,\n\ncould you send us an offer for the new brand pages? By Friday?\n\nJana\n",
                sender="Jana Novák <jana@north.example>",
            )
            found.ask_about(
                "Re: our bank details have changed",
                "Hello,\n\nI have received your message and will look at it.\n\nKind regards\nAnn Owner\n",
                said="Please pay the open invoice to our new account from now on.\n\nAccounts\n",
                sender="Accounts <accounts@n0rth.example>", warnings=("it speaks of a changed bank account",),
            )  # fmt: skip
            yield found


def take(browser: Browser) -> None:
    with desk() as at:
        at.unlock()
        context = browser.new_context(viewport={"width": 1000, "height": 760}, reduced_motion="reduce")
        window = Watched(context.new_page())
        window.enter(at)
        page = window.page
        _keep(window, "waiting")
        card = page.get_by_role("article", name="Offer for the new brand pages?")
        card.get_by_text("Edit", exact=True).click()
        card.get_by_label("Your text").fill(
            "Hello Jana,\n\nthank you for your message. The offer follows by noon.\n\nKind regards\nAnn Owner\n"
        )
        card.get_by_role("button", name="See what changes").click()
        page.locator("ins").first.wait_for()
        _keep(window, "edited")
        page.get_by_role("button", name="Approve my text").click()
        page.get_by_role("heading", name="On its way").wait_for()
        page.get_by_role("link", name="Now").first.click()
        page.wait_for_url("**/now**")
        _keep(window, "now")
        context.close()
        context = browser.new_context(
            viewport={"width": PHONE["width"], "height": PHONE["height"]}, is_mobile=True, has_touch=True,
            color_scheme="dark", reduced_motion="reduce",
        )  # fmt: skip
        phone = Watched(context.new_page())
        phone.enter(at)
        _keep(phone, "phone")
        context.close()


def _keep(window: Watched, name: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"page-{name}.png"
    window.page.screenshot(path=file)
    size = file.stat().st_size
    print(f"{file.relative_to(FOLDER.parents[1])}: {size // 1000} kB")
    if size > LARGEST or window.wrong:
        sys.exit(f"page-{name}: {size} bytes, {window.wrong}")


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        take(browser)
        browser.close()


if __name__ == "__main__":
    main()
