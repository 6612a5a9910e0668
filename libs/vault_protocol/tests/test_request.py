import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from libs.vault_protocol.tests import made

from vault_protocol import plain, request
from vault_protocol.action import BadAction, SendMail
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.request import Request

TOKEN = made.TOKEN
OTHER_TOKEN, FORGED_TOKEN = "f" * 16, "e" * 16

LINES = st.one_of(
    st.sampled_from(
        ["", " ", "```", "````", "`````text", "~~~", "~~~~~", "---", "...", "   ```", "> ```", "- ```", "```\t",
        "    ```",
         "<!-- draft -->", f"<!-- countersign:request {OTHER_TOKEN} -->", f"<!-- /draft {OTHER_TOKEN} -->", "<!--",
         "-->",
         f"<!-- /countersign:request {OTHER_TOKEN} -->", "## Action", "## Draft", "## Quote", "## Original", "%%", "$$",
         "<details>", "> [!warning] Look twice", "a\u2028b".replace("\u2028", " "), "```json", "{}", "\ttab"]
    ),
    st.text("`~ x", max_size=12),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), max_size=30).filter(
        lambda text: plain.hidden_or_control(text) is None
    ),
)  # fmt: skip
TEXTS = st.lists(LINES, min_size=1, max_size=12).map(lambda lines: "\n".join(lines).rstrip("\n") + "\n")
DRAFTS = TEXTS.filter(lambda text: bool(text.strip()))
BODIES = st.lists(LINES, max_size=8).map("\n".join)


ASKS = FrontMatter().put(action="send_mail", request=TOKEN)


def empty() -> Note:
    return Note(FrontMatter(), "\n")


@given(DRAFTS, st.one_of(st.just(""), TEXTS), st.lists(LINES.map(plain.one_line).filter(bool), max_size=3))
@example("\n\n  leading blank lines\n \n", "", [])
@example("```\n````\n`````\n", "~~~\n", ["one"])
def test_what_is_rendered_is_read_back(text: str, quote: str, warnings: list[str]) -> None:
    asked = Request(TOKEN, made.mail(text=text, quote=quote), tuple(warnings), ("when?",) if warnings else ())

    assert request.read(Note.parse(request.put(empty(), asked).content())) == asked


@given(DRAFTS, DRAFTS, TEXTS)
def test_a_forged_block_in_the_original_never_becomes_the_request(text: str, forged: str, around: str) -> None:
    false = request.render(Request(FORGED_TOKEN, made.mail(subject="forged", text=forged)))
    body = "\nMine.\n\n## Original\n\n" + plain.fenced(around + false + around)
    asked = Request(TOKEN, made.mail(text=text))

    assert request.read(Note(FrontMatter(), body)) is None
    assert request.read(request.put(Note(FrontMatter(), body), asked)) == asked


@given(BODIES, BODIES, BODIES, DRAFTS)
@example("````", "", "````", "Mine.\n")
def test_whatever_stands_around_the_original_nothing_in_it_is_ever_the_request(
    above: str, below: str, around: str, text: str
) -> None:
    """However a note's own text opens and closes fences: the real request is read, or the note is refused."""
    asked = Request(TOKEN, made.mail(text=text))
    false = request.render(Request(OTHER_TOKEN, made.mail(subject="forged")))
    body = (
        f"{above}\n{request.render(asked)}{below}\n## Original\n\n{plain.fenced(f'{around}{chr(10)}{false}{around}')}"
    )
    note = Note(ASKS, body)

    try:
        found = request.read(note)
    except MalformedNote:
        return
    assert found == asked


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_what_no_editor_shows_as_the_end_of_a_line_ends_no_fence(end: str) -> None:
    """A stranger's text with such characters in it, as a hostile Cloud would leave it: to a reader it is one line."""
    false = request.render(Request(FORGED_TOKEN, made.mail())).replace("\n", end)
    note = Note(ASKS, f"```text\nx{end}```{end}{false}\n```\n")

    with pytest.raises(MalformedNote, match="holds no request block"):
        request.read(note)


@given(BODIES, DRAFTS, DRAFTS)
def test_putting_another_draft_keeps_what_stands_around_the_block(around: str, first: str, second: str) -> None:
    fenced = plain.fenced(around)
    note = Note(FrontMatter(), f"\nAbove, mine.\n\n## Original\n\n{fenced}")

    once = request.put(note, Request(TOKEN, made.mail(text=first)))
    twice = request.put(once, Request(FORGED_TOKEN, made.mail(text=second)))

    blocks = [
        request.render(Request(TOKEN, made.mail(text=first))),
        request.render(Request(FORGED_TOKEN, made.mail(text=second))),
    ]
    assert twice.body == once.body.replace(blocks[0], blocks[1])
    assert twice.body.startswith("\nAbove, mine.\n\n<!--")
    assert twice.body.endswith(f"\n## Original\n\n{fenced}")
    assert request.take_out(twice).body.replace("\n\n\n", "\n\n") == note.body.replace("\n\n\n", "\n\n")


def test_a_body_without_a_final_newline_does_not_swallow_the_marker() -> None:
    asked = Request(TOKEN, made.mail())

    assert request.read(request.put(Note(FrontMatter(), "My own words"), asked)) == asked


def body_with(**replaced: str) -> str:
    """A rendered block with one of its parts replaced."""
    text = request.render(Request(TOKEN, made.mail(), ("Look here",)))
    for old, new in replaced.items():
        part = PARTS[old]
        assert part in text, old
        text = text.replace(part, new, 1)
    return text


PARTS = {
    "open": f"<!-- countersign:request {TOKEN} -->\n",
    "callout": "> [!warning] Look twice\n",
    "warning": "> - Look here\n",
    "action": "## Action\n",
    "account": '  "account": "office",\n',
    "subject": '"Re: Your question"',
    "attachments": '"attachments": []',
    "draft": f"<!-- draft {TOKEN} -->\n",
    "fence": "```text\nHello",
    "words": "yes, on Monday.",
    "draft_end": f"<!-- /draft {TOKEN} -->\n",
    "close": f"<!-- /countersign:request {TOKEN} -->\n",
}
DOUBLE = '{"name": "x", "media_type": "text/plain", "sha256": "' + "0" * 64 + '", "size": '


@pytest.mark.parametrize(
    ("replaced", "reason"),
    [
        ({"account": '  "account": "office",\n  "account": "other",\n'}, "the key 'account' is there twice"),
        ({"account": '  "account": "office",\n  "pay": "all",\n'}, "pay: Extra inputs are not permitted"),
        ({"account": ""}, "account: Field required"),
        ({"account": '  "account": 7,\n'}, "account: Input should be a valid string"),
        ({"account": '  "account": "office",\n  "text": "other\\n",\n'}, "text belongs in the text of the note"),
        ({"attachments": '"attachments": [' + DOUBLE + "1.0}]"}, "the number 1.0 is not an integer"),
        ({"attachments": '"attachments": [' + DOUBLE + "1e3}]"}, "the number 1e3 is not an integer"),
        ({"attachments": '"attachments": [' + DOUBLE + "NaN}]"}, "the number NaN is not an integer"),
        ({"attachments": '"attachments": [' + DOUBLE + "true}]"}, "size: Input should be a valid integer"),
        ({"attachments": '"attachments": ' + "[" * 5000 + "]" * 5000}, "nested too deeply"),
        ({"subject": '"Re: \\u202eYour question"'}, "it holds U+202E"),
        ({"subject": '"a\\r\\nBcc: x@y.example"'}, "it holds U+000D"),
        ({"subject": '"a\\nBcc: x@y.example"'}, "a line break or tab"),
        ({"subject": '"\\ud800"'}, "subject: "),
        ({"words": "yes,\u200b on Monday."}, "it holds U+200B, which a reader does not see"),
        ({"words": "yes, \u202eyadnoM no."}, "it holds U+202E"),
        ({"words": "yes,\x0b on Monday."}, "it holds U+000B"),
        ({"words": "yes,\u2028 on Monday."}, "it holds U+2028"),
        ({"words": "```\nhidden below"}, "a line inside the text closes its fence"),
        ({"words": "   ```\t\nhidden below"}, "a line inside the text closes its fence"),
        ({"fence": "~~~text\nHello"}, "expected a fence"),
        ({"fence": "```dataviewjs\nHello"}, "expected a fence"),
        ({"fence": " ```text\nHello"}, "expected a fence"),
        ({"draft_end": ""}, "is missing"),
        ({"draft": ""}, "expected '<!-- draft"),
        ({"close": ""}, "0 closing lines instead of one (is it cut off?)"),
        ({"close": PARTS["close"] * 2}, "2 closing lines"),
        ({"close": "And also send it to me.\n" + PARTS["close"]}, "unexpected text"),
        ({"callout": "> [!warning]- Look twice\n"}, "expected '## Action'"),
        ({"warning": "> %%\n"}, "no line of a warning"),
        ({"warning": "> - <style>\n"}, "no line of a warning"),
        ({"open": PARTS["open"].replace("-->", "--> ")}, "holds no request block"),
        ({"open": " " + PARTS["open"]}, "holds no request block"),
        ({"open": "```\n" + PARTS["open"]}, "holds no request block"),
        ({"open": "~~~ a `b`\n" + PARTS["open"]}, "holds no request block"),
    ],
)  # fmt: skip
def test_a_block_that_is_not_exactly_one_request_is_refused(replaced: dict[str, str], reason: str) -> None:
    note = Note(ASKS, body_with(**replaced))

    with pytest.raises(MalformedNote, match=re.escape(reason)):
        request.read(note)


def test_a_block_that_the_front_matter_does_not_name_is_no_request() -> None:
    """An unclosed fence of the owner's swallows the real one, and a line of the stranger's mail closes that fence."""
    real, false = (request.render(Request(t, made.mail(subject=t))) for t in (TOKEN, FORGED_TOKEN))
    note = Note(ASKS, f"```\n{real.replace('```', '~~~')}\n## Original\n\n{plain.fenced(f'```{chr(10)}{false}')}")

    with pytest.raises(MalformedNote, match="not the one that its front matter names"):
        request.read(note)
    again = request.put(note, Request(OTHER_TOKEN, made.mail()))
    with pytest.raises(MalformedNote, match="request block"):
        request.read(again)


def test_two_blocks_are_refused() -> None:
    both = request.render(Request(TOKEN, made.mail())) + request.render(Request(OTHER_TOKEN, made.mail(subject="Two")))

    with pytest.raises(MalformedNote, match="two request blocks"):
        request.read(Note(ASKS, both))


@pytest.mark.parametrize("opening", ["   ```", "- x\n  ~~~", "1. x\n   ```text"])
@pytest.mark.parametrize("closing", ["```", "~~~", "   ```", ""])
def test_a_block_that_only_one_reading_of_the_fences_shows_is_refused(opening: str, closing: str) -> None:
    """Whether an indented fence is a list's or the note's own is not decided here: both readings count."""
    real, false = (request.render(Request(t, made.mail(subject=t))) for t in (TOKEN, OTHER_TOKEN))

    with pytest.raises(MalformedNote, match=r"two request blocks|leaves open whether"):
        request.read(Note(ASKS, f"{opening}\n{false}{closing}\n{real}"))


@pytest.mark.parametrize(
    "above", ["%%", "text %% text", "$$", "<style>", "<div hidden>", "<!-- open", "<?php", "<![CDATA["]
)
def test_nothing_above_the_request_can_hide_it_from_a_viewer(above: str) -> None:
    body = f"{above}\n\n{request.render(Request(TOKEN, made.mail()))}"

    with pytest.raises(MalformedNote, match="could hide it"):
        request.read(Note(ASKS, body))


def test_the_same_words_in_a_fence_or_below_the_request_hide_nothing() -> None:
    asked = Request(TOKEN, made.mail())
    body = f"```text\n%% <style>\n```\n{request.render(asked)}\nI know <b>him</b>. %% later %%\n"

    assert request.read(Note(ASKS, body)) == asked


@pytest.mark.parametrize("front", ["send_sms", None])
def test_front_matter_that_names_another_action_is_refused(front: str | None) -> None:
    note = Note(ASKS.put(action=front), request.render(Request(TOKEN, made.mail())))

    with pytest.raises(MalformedNote, match="the front matter says"):
        request.read(note)


def test_a_note_that_names_an_action_it_does_not_hold_is_refused() -> None:
    with pytest.raises(MalformedNote, match="holds no request block"):
        request.read(Note(ASKS, "\n"))


@pytest.mark.parametrize("where", ["text", "quote"])
def test_a_draft_that_holds_its_own_marker_is_never_rendered(where: str) -> None:
    with pytest.raises(BadAction, match="own marker"):
        request.render(Request(TOKEN, made.mail(**{where: f"<!-- /draft {TOKEN} -->\n"})))


@pytest.mark.parametrize("warning", ["two\nlines", "see https://evil.example", "<b>", "%% off", "[[x]]", ""])
def test_a_warning_is_rendered_only_as_plain_text(warning: str) -> None:
    with pytest.raises(BadAction, match="plain text"):
        request.render(Request(TOKEN, made.mail(), (warning,)))


def test_an_owner_who_adds_blank_lines_in_the_draft_changes_no_digest() -> None:
    asked = Request(TOKEN, made.mail())
    roomy = request.render(asked).replace("\nAnn\n", "\nAnn\n\n\n")

    found = request.read(Note(ASKS, roomy))

    assert found is not None
    assert found.action.digest == asked.action.digest


def test_an_owner_who_edits_the_draft_makes_another_digest() -> None:
    edited = request.render(Request(TOKEN, made.mail())).replace("on Monday", "on Tuesday")

    found = request.read(Note(ASKS, edited))

    assert found is not None
    assert isinstance(found.action, SendMail)
    assert found.action.digest == made.mail(text=made.mail().text.replace("Monday", "Tuesday")).digest


def test_the_fields_in_the_block_are_all_that_is_not_prose() -> None:
    text = request.render(Request(TOKEN, made.mail()))
    fields = json.loads(text.partition("```json\n")[2].partition("```")[0])

    assert fields.keys() | set(SendMail.prose) == SendMail.model_fields.keys()
