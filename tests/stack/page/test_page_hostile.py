"""What a stranger, or a hostile Cloud, writes into a mail: shown to the last character, run nowhere, loaded from
nowhere; on the page, and in a note that a Markdown viewer renders."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt
from services.local_agent.tests.page_world import Office

from tests.stack.page.conftest import Watched
from tests.stack.page.hostile import CORPUS, NAMES
from vault_protocol import layout
from vault_protocol.action import Address, Attachment, SendMail
from vault_protocol.plain import CONTROL, HIDDEN, one_line, visible

pytestmark = pytest.mark.stack

NAMED = re.compile(f"{HIDDEN.pattern}|{CONTROL.pattern}")


def test_the_corpus_is_large_enough_to_be_worth_it() -> None:
    assert len(CORPUS) >= 60


def test_on_the_page_nothing_runs_nothing_loads_and_nothing_is_hidden(desk: Office, window: Watched) -> None:
    tasks = {name: _ask(desk, name, text) for name, text in CORPUS.items()}
    window.enter(desk)
    page, base = window.page, window.page.url.rsplit("/", 1)[0]
    failed: dict[str, object] = {}
    for name, task in tasks.items():
        page.goto(f"{base}/task/{task}")
        shown = page.evaluate(
            "[...document.querySelectorAll('.letter pre, .original pre')].map(e => "
            "[e.textContent, e.checkVisibility({opacityProperty: true, visibilityProperty: true}), e.offsetHeight > 5])"
        )
        wanted = [_drafted(CORPUS[name]), _shown(CORPUS[name])]
        seen = [text for text, visible_, tall in shown if visible_ and tall]
        if not (len(seen) == 2 and seen[0] == wanted[0] and wanted[1].strip("\n") in seen[1]):
            failed[name] = seen
        if page.evaluate("window.__canary !== undefined || document.querySelectorAll('form').length < 4"):
            failed[name] = "it ran, or took our forms away"
    page.goto(f"{base}/waiting")
    assert page.evaluate("window.__canary") is None
    assert failed == {}
    assert window.wrong == []
    assert [url for url in window.asked if not url.startswith(desk.hosted.addresses[0])] == []


def test_file_names_are_words_and_nothing_else(desk: Office, window: Watched) -> None:
    files = tuple(
        Attachment(name=visible(name), media_type="text/html", size=5, sha256=f"{number:064x}")
        for number, name in enumerate(NAMES.values())
    )
    task = _ask(desk, "names", "Hello", files)
    window.enter(desk)
    page = window.page
    page.goto(page.url.rsplit("/", 1)[0] + f"/task/{task}")
    links = page.locator("dd a").all()
    assert [link.text_content() for link in links] == [visible(name) for name in NAMES.values()]
    assert page.evaluate("window.__canary") is None
    status = page.evaluate("async () => (await fetch(document.querySelector('dd a').href)).status")
    assert status == 404, "no file of this machine was kept for this task"
    assert window.wrong == []


def test_in_a_note_that_a_viewer_renders_nothing_runs_or_loads(desk: Office, window: Watched) -> None:
    """CommonMark with HTML allowed, as Obsidian reads it, in a page that forbids nothing."""
    viewer = MarkdownIt("commonmark", {"html": True})
    page = window.page
    page.goto("about:blank")
    failed: dict[str, str] = {}
    for name, text in CORPUS.items():
        asked_for = _ask(desk, name, text)
        task = desk.world.local.vault.get(asked_for)
        path = layout.path_of(task)
        body = viewer.render(task.note.body)
        asked = len(window.asked)
        page.set_content(f"<!doctype html><main>{body}</main>", wait_until="load")
        if page.evaluate("window.__canary !== undefined") or len(window.asked) > asked:
            failed[name] = path
        active = page.evaluate(
            "[...document.querySelectorAll('main :is(script, img, iframe, a, form, style, svg)')].length"
        )
        if active:
            failed[name] = f"{active} elements"
    assert failed == {}
    assert window.wrong == []


def _ask(desk: Office, name: str, text: str, files: tuple[Attachment, ...] = ()) -> str:
    action = SendMail(
        account="business", sender=Address(name="Ann Owner", address="ann@owner.example"),
        to=(Address(name=visible(one_line(text, 60)).replace('"', ""), address="jane@customer.example"),),
        subject=one_line(text, 120) or name, text=_drafted(text), attachments=files,
    )  # fmt: skip
    return str(desk.world.ask_for(one_line(text) or name, action=action, sender=one_line(text, 90), original=text))


def _drafted(text: str) -> str:
    """As a drafter that obeys the mail would repeat it: drafts hold no hidden characters."""
    return "\n".join(line.rstrip() for line in visible(text).strip("\n").split("\n")) + "\n"


def _shown(text: str) -> str:
    """What has no shape stands there as its number."""
    return NAMED.sub(lambda found: f"U+{ord(found.group()):04X}", text.replace("\r\n", "\n"))
