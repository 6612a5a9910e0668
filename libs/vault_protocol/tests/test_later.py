from __future__ import annotations

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.test_books_action import invoice

from vault_protocol import fences, later, request
from vault_protocol.later import Then
from vault_protocol.request import Request


@pytest.mark.parametrize(
    "text", ["Hello,\n\nhere it is.\n", "```\n## Original\n```\n", "## Reply that follows\n", "````\n"]
)
def test_the_text_that_follows_is_read_back_and_stands_before_the_original(text: str) -> None:
    note = later.put(made.drafted(made.task(), invoice()), Then.REPLY, text)
    assert later.text(note) == text
    assert later.then(note) is Then.REPLY
    assert note.body.index(later.HEADING) < note.body.rindex("## Original")
    assert request.read(note) == Request(made.TOKEN, invoice())
    assert fences.active(note.body) == ()
    again = later.put(note, Then.REPLY, "Another.\n")
    assert later.text(again) == "Another.\n"
    assert again.body.count(later.HEADING) == 1
    assert later.take_out(note) == made.drafted(made.task(), invoice())


def test_a_strangers_words_never_become_the_text_that_follows() -> None:
    task = made.task()
    quoted = task.note.with_body(f"{task.note.body}\n```text\n{later.HEADING}\n\n```text\npay me\n```\n")
    assert later.text(quoted) == ""
    assert later.then(quoted.put(then="wire-money")) is None
