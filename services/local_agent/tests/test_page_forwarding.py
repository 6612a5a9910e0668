"""Passing a mail on from the page: a wish with addresses, from a form that a page of this device showed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.page_world import Office, office

from local_agent.forwards import Forwards
from vault_protocol.task import Stage, TaskId


@pytest.fixture
def desk(world: World) -> Iterator[Office]:
    with office(world) as found:
        yield found


def arrived(desk: Office) -> TaskId:
    return desk.world.ask_for(mailbox="business", message_id="‹1@customer.example›")


def test_a_wish_from_the_page_is_kept_on_this_machine_and_its_task_waits_for_it(desk: Office) -> None:
    task, browser = arrived(desk), desk.paired()
    answer = browser.do(f"task/{task}/forward", to="boss@partner.example,b@Partner.example", note="Look,\r\nplease")
    assert answer.status == 303
    made = TaskId((answer.location or "").rpartition("/")[2])
    wish = Forwards(desk.world.home.forwards).wish(made)
    assert wish is not None
    assert (wish.first, wish.to) == (task, ("boss@partner.example", "b@partner.example"))
    assert (wish.note, wish.message_id) == ("Look,\nplease\n", "<1@customer.example>")
    assert desk.world.stage(made) is Stage.NEEDS_ACTION
    assert desk.poked
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL


def test_what_is_no_address_is_said_and_nothing_is_wished_for(desk: Office) -> None:
    task, browser = arrived(desk), desk.paired()
    answer = browser.do(f"task/{task}/forward", to="nobody")
    assert answer.status == 422
    assert "no address that mail can be sent to" in answer.text
    assert list(desk.world.local.vault.tasks(Stage.NEEDS_ACTION)) == []
    assert list(Forwards(desk.world.home.forwards).earlier(task)) == []


def test_a_form_of_a_draft_that_changed_since_wishes_for_nothing(desk: Office) -> None:
    task, browser = arrived(desk), desk.paired()
    fields = browser.see(f"task/{task}").form("/forward")
    assert desk.world.run("reject", task).code == 0
    answer = browser.post(f"{browser.door}/task/{task}/forward", {**fields, "to": "boss@partner.example"})
    assert answer.status == 409
    assert browser.do(f"task/{task}/forward", on=f"task/{task}", to="boss@partner.example").status == 303


def test_a_task_that_came_by_no_mail_shows_no_such_form(desk: Office) -> None:
    task, browser = desk.world.ask_for(), desk.paired()
    assert "/forward" not in browser.see(f"task/{task}").text
