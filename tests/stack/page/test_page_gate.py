"""The whole of the owner's day on the page, in real Chromium."""

from __future__ import annotations

import pytest
from services.local_agent.tests.cli_world import PASSPHRASE
from services.local_agent.tests.page_world import Office

from tests.stack.page.conftest import Watched
from vault_protocol.task import Stage

pytestmark = pytest.mark.stack


def test_a_draft_is_read_and_approved(desk: Office, window: Watched) -> None:
    task = desk.world.ask_for("Your offer", text="Hello Jane,\n\nthe offer follows by Friday.\n")
    window.enter(desk)
    page = window.page
    page.get_by_label("The draft").get_by_text("the offer follows by Friday.").wait_for()
    page.get_by_text("Your approval key is locked").click()
    page.get_by_label("Passphrase of your approval key").fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()
    page.get_by_text("Your approval key is open").wait_for()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("heading", name="On its way").wait_for()
    assert desk.world.stage(task) is Stage.APPROVED
    assert window.wrong == []
    assert all(url.startswith(desk.hosted.addresses[0]) for url in window.asked)
