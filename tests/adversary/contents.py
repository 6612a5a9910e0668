"""Bad contents: what a viewer would run, load or follow, secrets in the forms of their providers, notes too large."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from libs.vault_protocol.tests import made

from tests.adversary.ground import MINE, MY_LOG, PLAN, WAITS, Ground
from tests.adversary.kind import Kind, Make
from tests.adversary.trespasses import claimed, lease, moving, submitted, writing
from vault_protocol import notes
from vault_protocol.hub import CommitId
from vault_protocol.note import Note
from vault_protocol.task import Stage

ACTIVE: dict[str, str] = {
    "HTML": "<b>look</b>", "a script": "<script>x()</script>",
    "an image from anywhere": "![x](https://thief.example/x.png)",
    "an HTML image": '<img src="https://thief.example/x.png">',
    "an embedded page": '<iframe src="https://x.example"></iframe>',
    "an embedded note": "![[Company_Handbook]]", "an HTML comment": "<!-- hidden",
    "a comment that hides": "%% hidden %%",
    "a query": "```dataview\nLIST\n```", "a script of a query": "```dataviewjs\napp.vault.delete()\n```",
    "a query of tasks": "```tasks\nnot done\n```", "a query in tildes": "~~~dataview\nLIST\n~~~",
    "a query in a list": "- ```dataview\n  LIST\n  ```", "a query in a quote": "> ```dataview\n> LIST\n> ```",
    "a query in capitals": "```DataView\nLIST\n```", "an inline query": "`= this.x`",
    "an inline script": "`$= app.x`",
    "a template": "<% tp.system.prompt() %>", "a template of another tool": "{{date}}",
    "a diagram": "```mermaid\ngraph\n```",
    "a link that leads outside": "[x](https://thief.example)", "a link of a program": "[x](obsidian://run?x)",
    "a link that is a script": "[x](javascript:x)", "a link to a file": "[x](file:///etc/passwd)",
    "a link in angle brackets": "[x](<https://thief.example>)", "an automatic link": "<https://thief.example>",
    "a bare link": "see https://thief.example/x", "a bare link of a host": "see www.thief.example/x",
    "a link by reference": "[x][1]\n\n[1]: https://thief.example",
    "a link by a footnote": "[^1]: https://thief.example",
    "a processing instruction": "<?x?>", "a declaration": "<!DOCTYPE html>", "a button": "```button\nname x\n```",
    "an image by reference": "![x][1]", "a link by mail": "[x](mailto:thief@thief.example)",
}  # fmt: skip
HIDDEN_IN: dict[str, str] = {
    "after a fence that a list ends": "1. ```text\n   x\n   ```\n<b>x</b>",
    "after a fence that is indented": " ```text\nx\n ```\n<b>x</b>",
    "after a fence with the wrong end": "````text\nx\n```\n````\n<b>x</b>",
    "after a fence of tildes": "~~~text\n```\n~~~\n<b>x</b>",
    "after front matter that is none": "---\nx: [\n---\n<b>x</b>",
}
A36 = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
SECRETS: dict[str, str] = {
    "an AWS key": "AKIA" + "ABCDEFGHIJKLMNOP", "a GitHub token": "ghp_" + A36,
    "a fine-grained GitHub token": "github_pat_" + A36 * 2,
    "a GitLab token": "glpat-" + A36[:20], "a Slack token": "xoxb-1234567890-" + A36[:24],
    "a Stripe key": "sk_live_" + A36[:24],
    "an Anthropic key": "sk-ant-" + A36, "an OpenAI key": "sk-proj-" + A36, "a Google key": "AIza" + A36[:35],
    "a Google secret": "GOCSPX-" + A36[:28], "a SendGrid key": "SG." + A36[:22] + "." + (A36 * 2)[:43],
    "a Twilio key": "SK" + "0123456789abcdef" * 2, "a Telegram token": "123456789:AA" + A36[:33],
    "an npm token": "npm_" + A36,
    "a PyPI token": "pypi-" + A36 * 2, "a JSON web token": "eyJ" + A36 + ".eyJ" + A36 + "." + A36,
    "a private key": "-----BEGIN OPENSSH PRIVATE KEY-----\n" + A36,
    "a password in an address": "x " + "smtp" + "://ann:hunter22@mail.example",
}  # fmt: skip


def kinds() -> Iterator[Kind]:
    for what, text in ACTIVE.items():
        yield Kind(f"a plan with {what}", "active content", writing(PLAN, f"# Plan\n\n{text}\n".encode()))
    for what, text in HIDDEN_IN.items():
        yield Kind(f"HTML {what}", "active content", writing(PLAN, f"{text}\n".encode()))
    html = WAITS.note.with_body(WAITS.note.body + "\n<b>x</b>\n")
    yield Kind("a claim that adds HTML", "active content", moving(WAITS, claimed(WAITS.evolve(note=html))))
    drafted = made.drafted(MINE)
    note = drafted.with_body(drafted.body + "\n![x](https://thief.example/x.png)\n")
    yield Kind("a draft with an image", "active content", moving(MINE, submitted(MINE, note=note)))
    yield Kind("a new task with a script", "active content", moving(None, made.task(35, note=html)))
    yield Kind(
        "a task set aside with a script",
        "active content",
        moving(WAITS, WAITS.evolve(stage=Stage.QUARANTINE, note=html)),
    )
    yield Kind("an update with HTML", "active content", writing("Updates/cloud-1/recent.md", b"<b>x</b>\n"))
    yield Kind("a briefing with a query", "active content", writing("Briefings/x.md", b"```dataview\nLIST\n```\n"))
    yield Kind(
        "one line more than the owner's HTML",
        "active content",
        writing("Plans/email/plan-owner.md", b"<b>mine</b>\n<i>x</i>\n"),
    )
    yield Kind(
        "a fence opened over the owner's words",
        "active content",
        writing("Plans/email/plan-owner.md", b"```dataview\n<b>mine</b>\n"),
    )
    for what, secret in SECRETS.items():
        yield Kind(f"a plan with {what}", "secret", writing(PLAN, f"```text\n{secret}\n```\n".encode()))
    token = SECRETS["a GitHub token"].encode()
    yield Kind("a log with a token", "secret", _in_the_log)
    yield Kind("an update with a token", "secret", writing("Updates/cloud-1/recent.md", token + b"\n"))
    yield Kind("a signal with a token", "secret", writing("Signals/x.json", b'"' + token + b'"\n'))
    yield Kind("a file name that is a token", "secret", writing(f"Plans/{SECRETS['a GitHub token']}.md"))
    front = WAITS.note.put(subject=SECRETS["a GitHub token"])
    yield Kind("a claim with a token in its front matter", "secret", moving(WAITS, claimed(WAITS.evolve(note=front))))
    leaking = submitted(MINE, note=made.drafted(MINE, made.mail(text=f"Use {SECRETS['a Stripe key']}\n")))
    yield Kind("a draft with a key", "secret", moving(MINE, leaking))
    aside = WAITS.evolve(stage=Stage.QUARANTINE, note=front)
    yield Kind("a task set aside with a token", "secret", moving(WAITS, aside))
    yield from _sizes()
    yield from _hidden_commits()


def _in_the_log(at: Ground) -> CommitId:
    there = at.store.read(at.head, MY_LOG) or b""
    return at.commit(at.write({MY_LOG: there + SECRETS["a GitHub token"].encode() + b"\n"}))


def _sizes() -> Iterator[Kind]:
    page = "x" * 79 + "\n"
    large = made.task(36, note=WAITS.note.with_body(page * 14_000))
    front = made.task(36, note=Note(WAITS.note.front.put(x="y" * 40_000), "\n"))
    yield Kind("a task of over 1 MiB", "note", moving(None, large))
    yield Kind("front matter of over 32 KiB", "note", moving(None, front))


def _hidden_commits() -> Iterator[Kind]:
    """Two commits: the first breaks a rule, the second mends it, and the head looks clean."""
    notes_path, content = notes.write(claimed(WAITS))
    for what, rule, edits in (
        ("a secret", "secret", {"Plans/h.md": SECRETS["a GitHub token"].encode()}),
        ("the owner's handbook", "zone", {"Company_Handbook.md": b"x\n"}),
        ("a script", "name", {"Plans/h.py": b"x\n"}),
        ("a task in two places", "one place", {notes_path: content}),
        ("a rewritten log", "append only", {MY_LOG: b"x\n"}),
        ("a deleted task", "one place", {notes.write(WAITS)[0]: None}),
        ("HTML", "active content", {"Plans/h.md": b"<b>x</b>\n"}),
    ):  # fmt: skip
        yield Kind(f"a clean head over {what}", rule, _mended(edits))
    yield Kind("a clean head over an executable", "mode", _mended_mode)
    yield Kind("a clean head over an unsigned commit", "trailers", _mended_unsigned)
    yield Kind("a good commit before a bad one", "zone", _good_then_bad)
    yield Kind("a claim given back before anybody looked, under one attempt", "attempt", _claims_twice)


def _mended(edits: Mapping[str, bytes | None]) -> Make:
    def make(at: Ground) -> CommitId:
        bad = at.grown(at.commit(at.write(edits)))
        return bad.commit(at.tree_of(at.head))

    return make


def _mended_mode(at: Ground) -> CommitId:
    bad = at.grown(at.commit(at.graft({b"Plans/h.md": (b"100755", at.blob())})))
    return bad.commit(at.tree_of(at.head))


def _mended_unsigned(at: Ground) -> CommitId:
    plan = at.draft(at.write({"Plans/h.md": b"x\n"}))
    bad = at.put(replace(plan, message=b"write: by hand\n"))
    return at.commit(at.tree_of(at.head), onto=bad)


def _good_then_bad(at: Ground) -> CommitId:
    good = at.grown(at.commit(at.write({PLAN: b"- [ ] later\n"})))
    return good.commit(good.write({"Dashboard.md": b"x\n"}))


def _claims_twice(at: Ground) -> CommitId:
    first = at.grown(at.commit(at.move(WAITS, claimed(WAITS))))
    held = claimed(WAITS)
    freed = held.evolve(stage=Stage.NEEDS_ACTION, lease=None)
    second = first.grown(first.commit(first.move(held, freed), attempt=1))
    return second.commit(second.move(freed, freed.evolve(stage=Stage.IN_PROGRESS, lease=lease(1))))
