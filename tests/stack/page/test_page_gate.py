"""The whole of the owner's day on the page, in real Chromium."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from services.local_agent.tests.cli_world import PASSPHRASE
from services.local_agent.tests.page_world import Office

from tests.stack.page.conftest import Watched
from vault_protocol import request
from vault_protocol.action import SendMail
from vault_protocol.task import Stage

pytestmark = pytest.mark.stack


def test_a_draft_is_read_and_approved(desk: Office, window: Watched) -> None:
    task = desk.ask_about("Your offer", "Hello Jane,\n\nthe offer follows by Friday.\n")
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


def test_an_edit_is_shown_as_a_change_and_what_is_signed_is_the_owner_s_text(desk: Office, window: Watched) -> None:
    task = desk.ask_about("Your offer", "Hello Jane,\n\nthe offer follows.\n")
    desk.unlock()
    window.enter(desk)
    page = window.page
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Your text").fill("Hello Jane,\n\nthe offer is attached.\n")
    page.get_by_role("button", name="See what changes").click()
    expect(page.locator("ins")).to_contain_text("the offer is attached.")
    expect(page.locator("del")).to_contain_text("the offer follows.")
    page.get_by_role("button", name="Approve my text").click()
    page.get_by_role("heading", name="On its way").wait_for()
    asked = request.read(desk.world.local.vault.get(task).note)
    assert asked is not None
    assert isinstance(asked.action, SendMail)
    assert asked.action.text == "Hello Jane,\n\nthe offer is attached.\n"


def test_a_draft_is_rejected_and_another_is_asked_for(desk: Office, window: Watched) -> None:
    first, second = desk.ask_about("First"), desk.ask_about("Second")
    window.enter(desk)
    page = window.page
    card = page.locator(f"[id='{first}']")
    card.get_by_text("Reject", exact=True).first.click()
    card.get_by_label("Why").fill("we never wrote that")
    card.get_by_role("button", name="Reject").click()
    expect(page.locator(f"[id='{first}']")).to_have_count(0)
    card = page.locator(f"[id='{second}']")
    card.get_by_text("Another draft").click()
    card.get_by_label("What should be different").fill("shorter")
    card.get_by_role("button", name="Ask for it").click()
    page.get_by_role("heading", name="Nothing waits for you").wait_for()
    assert desk.world.stage(first) is Stage.REJECTED
    assert desk.world.stage(second) is Stage.NEEDS_ACTION


def test_a_batch_is_approved_below_all_its_bodies_and_one_is_undone(desk: Office, window: Watched) -> None:
    tasks = [desk.ask_about(f"Offer {n}", f"This is answer number {n}.\n") for n in range(3)]
    desk.unlock()
    window.enter(desk)
    page = window.page
    for n in range(3):
        expect(page.get_by_label("The draft").get_by_text(f"This is answer number {n}.")).to_be_visible()
    for box in page.get_by_label("Approve together with others").all():
        box.check()
    page.get_by_role("button", name="Approve all that are ticked").click()
    page.get_by_role("heading", name="On its way").wait_for()
    assert {desk.world.stage(task) for task in tasks} == {Stage.APPROVED}
    page.get_by_role("button", name="Undo").first.click()
    page.get_by_role("heading", name="One draft").wait_for()
    assert sorted(desk.world.stage(task).value for task in tasks) == ["Approved", "Approved", "Pending_Approval"]


def test_a_draft_that_changed_under_the_owner_s_eyes_is_not_approved(desk: Office, window: Watched) -> None:
    task = desk.ask_about(text="The first words.\n")
    desk.unlock()
    window.enter(desk)
    other = desk.world.folder / "other.txt"
    other.write_text("Other words.\n", encoding="utf-8")
    assert desk.world.run("edit", task, "--text-file", str(other), "--no-approve").code == 0
    page = window.page
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("changed since you were shown it")
    expect(page.get_by_label("The draft")).to_contain_text("Other words.")
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL


def test_the_keyboard_is_enough(desk: Office, window: Watched) -> None:
    tasks = [desk.ask_about(f"Offer {n}", received=f"2026-11-2{n}T09:00:00Z") for n in range(3)]
    desk.unlock()
    window.enter(desk)
    page = window.page
    page.keyboard.press("j")
    expect(page.locator(f"[id='{tasks[0]}']")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator(f"[id='{tasks[1]}']")).to_be_focused()
    page.keyboard.press("r")
    page.keyboard.type("no: ajkeru are letters here")
    page.keyboard.press("Enter")
    expect(page.locator(f"[id='{tasks[1]}']")).to_have_count(0)
    assert desk.world.local.vault.get(tasks[1]).note.front.words("rejected_because") == "no: ajkeru are letters here"
    page.get_by_role("heading", name="2 wait for you").wait_for()
    page.wait_for_load_state()
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.press("Control+A")
    page.keyboard.type("Typed by hand.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="What you changed").wait_for()
    page.go_back()
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.get_by_role("heading", name="On its way").wait_for()
    assert desk.world.stage(tasks[0]) is Stage.APPROVED
    page.wait_for_load_state()
    page.keyboard.press("u")
    page.get_by_role("heading", name="One draft").wait_for()
    assert desk.world.stage(tasks[0]) is Stage.PENDING_APPROVAL


def test_news_comes_by_itself_and_never_under_the_owner_s_hands(desk: Office, window: Watched) -> None:
    first = desk.ask_about("First")
    window.enter(desk)
    page = window.page
    second = desk.ask_about("Second")
    desk.hosted.page.live.tell()
    expect(page.locator(f"[id='{second}']")).to_be_visible()
    card = page.locator(f"[id='{first}']")
    card.get_by_text("Edit", exact=True).click()
    card.get_by_label("Your text").fill("Half a sent")
    third = desk.ask_about("Third")
    desk.hosted.page.live.tell()
    expect(page.get_by_role("status")).to_contain_text("Something moved")
    expect(card.get_by_label("Your text")).to_have_value("Half a sent")
    expect(page.locator(f"[id='{third}']")).to_have_count(0)


def test_the_page_works_where_scripts_do_not_run(desk: Office, chromium: Browser) -> None:
    task = desk.ask_about()
    desk.unlock()
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{desk.hosted.addresses[0]}/pair")
    page.get_by_label("Code").fill(desk.code())
    page.get_by_role("button", name="Pair").click()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("heading", name="On its way").wait_for()
    assert desk.world.stage(task) is Stage.APPROVED
    context.close()


def test_on_a_phone_at_night_nothing_runs_over_the_edge(desk: Office, phone: Watched) -> None:
    desk.ask_about("A subject " + "that-is-one-very-long-word" * 6, "word" * 400 + "\n", warnings=("x" * 150,))
    phone.enter(desk)
    page = phone.page
    for path in ("waiting", "now", "history", "rules", "devices"):
        page.goto(page.url.rsplit("/", 1)[0] + f"/{path}")
        wide, seen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= seen, path
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 20)"
        small = page.evaluate(
            "[...document.querySelectorAll('button, nav a, summary, input:not([type=hidden], [type=checkbox])')]"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 40).map(e => e.textContent)"
        )
        assert small == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(desk: Office, window: Watched, scheme: str) -> None:
    desk.ask_about("Checked")
    task = desk.world.ask_for("Unchecked", warnings=("the sender is new",), unknowns=("which date",))
    done = desk.ask_about("Ended")
    assert desk.world.run("reject", done).code == 0
    window.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page = window.page
    page.goto(f"{desk.hosted.addresses[0]}/pair")
    found = {"pair": Axe().run(page)}
    window.enter(desk)
    base = page.url.rsplit("/", 1)[0]
    for path in (
        "waiting",
        f"task/{task}",
        f"task/{task}/original",
        "now",
        "history",
        f"history/{done}",
        "rules",
        "devices",
    ):
        page.goto(f"{base}/{path}")
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => { d.removeAttribute('name'); d.open = true; })"
        )
        found[path] = Axe().run(page)
    told = {path: result.generate_report() for path, result in found.items() if result.violations_count}
    assert told == {}, "\n".join(told.values())


def test_another_program_on_this_machine_is_never_told_the_cookie(desk: Office, window: Watched) -> None:
    """Cookies know no ports. One below a path that nobody else knows is not given to a server on another one."""
    told: list[str | None] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(self.headers["cookie"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    window.enter(desk)
    assert window.page.context.cookies(window.page.url)
    with HTTPServer(("127.0.0.1", 0), Listener) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        for path in ("", "waiting", "static/page.css"):
            window.page.goto(f"http://127.0.0.1:{other.server_port}/{path}")
        other.shutdown()
    assert set(told) == {None}
