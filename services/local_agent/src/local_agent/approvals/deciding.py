"""The owner's decisions by POST: each about exactly what they were shown, by the same code as every other way."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from datetime import timedelta

from starlette.responses import Response

from local_agent.approvals.answering import Ask, Changed, status_of
from local_agent.approvals.cards import Card, card
from local_agent.approvals.snoozing import Snoozed
from local_agent.approvals.waiting import alone, never_for
from local_agent.approving import NotApproved, approve_all, objection, waits
from local_agent.assemble import Local
from local_agent.chats.letters import Letters
from local_agent.decisions import How
from local_agent.drafts import Draft, FolderEdit
from local_agent.handbook_rule import never_draft
from local_agent.lessons import NEVER
from local_agent.own_text import as_typed, with_text
from local_agent.taking_back import take_back
from vault_protocol import layout, request
from vault_protocol.action import MailAction
from vault_protocol.errors import HubUnreachable, IllegalMove, NoSuchTask, VaultError
from vault_protocol.note import Note

SNOOZES = {
    "hour": timedelta(hours=1),
    "evening": timedelta(hours=4),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}


def approve(ask: Ask) -> Response:
    with ask.page.vault() as (local, _):
        try:
            found = shown(ask, local)
            waits(found.draft)
            against = objection(found.draft, alone=True, despite_mismatch=ask.ticked("despite"))
            if against is not None:
                raise NotApproved(f"{against.reason}. If you mean it all the same, say so in the box below.")
            _hold_edit(ask, found)
            sign = ask.page.signing(ask.text("passphrase"), step_up=found.step_up)
            _, failed = approve_all(local, [found.draft], sign, How.PAGE, at_once=ask.ticked("at-once"))
            if failed:
                raise NotApproved(failed[0][1])
        except (HubUnreachable, NoSuchTask):
            raise
        except VaultError as error:
            return alone(ask, local, status=status_of(error), says=str(error))
    ask.page.poke()
    return ask.go("waiting")


def approve_many(ask: Ask) -> Response:
    """Those that were ticked, each as it was shown in full; what changed since is left out and said."""
    pairs = [word.partition(".") for word in ask.all("pick")]
    if not pairs:
        raise NotApproved("tick the drafts that you want to approve together")
    left: list[str] = []
    with ask.page.vault() as (local, _):
        drafts: list[Draft] = []
        for id_, _, seen in pairs:
            try:
                found = card(local, id_)
            except NoSuchTask as error:
                left.append(str(error))
                continue
            if found.seen != seen or not found.batch:
                left.append(f"{found.title}: it changed since you saw it, or wants a look by itself")
            else:
                drafts.append(found.draft)
        sign = ask.page.signing(ask.text("passphrase"))
        _, failed = approve_all(local, drafts, sign, How.PAGE)
        left += [why for _, why in failed]
    ask.page.poke()
    if left:
        says = f"{len(pairs) - len(left)} of {len(pairs)} approved. Not: {'; '.join(left)}"
        return ask.show("sorry.html", status=409, says=says)
    return ask.go("waiting")


def edit(ask: Ask) -> Response:
    """What the owner's text would change, before anything is decided."""
    with ask.page.vault() as (local, _):
        try:
            found = shown(ask, local)
            waits(found.draft)
            note, changed = _own_text(ask, found)
        except NoSuchTask:
            raise
        except VaultError as error:
            return alone(ask, local, status=status_of(error), says=str(error))
        asked = request.read(note)
        assert asked is not None
        check = local.judge.check(found.task.evolve(note=note))
        new = set(check.warnings) - set(found.warnings)
        return ask.show(
            "edited.html", card=found, text=changed, diff=list(diff(found, changed)), digest=asked.action.digest,
            warnings=sorted(new), mismatches=check.mismatches,
        )  # fmt: skip


def approve_edited(ask: Ask) -> Response:
    """Sign the owner's own text: it becomes the next revision in the very commit that approves it."""
    with ask.page.vault() as (local, _):
        try:
            found = shown(ask, local)
            waits(found.draft)
            note, _ = _own_text(ask, found)
            asked = request.read(note)
            if asked is None or asked.action.digest != ask.text("digest"):
                raise Changed("this is not the text whose changes you were shown; look at it again")
            if ask.ticked("keep"):
                local.desk.edit(found.task, note, how=How.PAGE)
            else:
                _approve_text(ask, local, found, note)
        except (HubUnreachable, NoSuchTask):
            raise
        except VaultError as error:
            return alone(ask, local, status=status_of(error), says=str(error))
    ask.page.poke()
    return ask.go(f"task/{found.task.id}" if ask.ticked("keep") else "waiting")


def _approve_text(ask: Ask, local: Local, found: Card, note: Note) -> None:
    check = local.judge.check(found.task.evolve(note=note))
    draft = Draft(found.task, request.read(note), check, FolderEdit(note, ""))
    against = objection(draft, alone=True, despite_mismatch=ask.ticked("despite"))
    if against is not None:
        raise NotApproved(against.reason)
    sign = ask.page.signing(ask.text("passphrase"), step_up=found.step_up)
    _, failed = approve_all(local, [draft], sign, How.PAGE, at_once=ask.ticked("at-once"))
    if failed:
        raise NotApproved(failed[0][1])


def reject(ask: Ask) -> Response:
    return _decide(ask, lambda local, found: local.desk.reject(found.task, why=ask.text("why"), how=How.PAGE))


def again(ask: Ask) -> Response:
    def act(local: Local, found: Card) -> None:
        if not ask.text("remark").strip():
            raise VaultError("say what should be different")
        local.desk.send_back(found.task, remark=ask.text("remark"), how=How.PAGE)

    return _decide(ask, act)


def acknowledge(ask: Ask) -> Response:
    return _decide(ask, lambda local, found: local.desk.acknowledge(found.task, how=How.PAGE))


def snooze(ask: Ask) -> Response:
    def act(local: Local, found: Card) -> None:
        span = SNOOZES.get(ask.text("until"))
        if span is None:
            Snoozed(local.vault, local.clock).wake(found.task)
        else:
            Snoozed(local.vault, local.clock).put(found.task, local.clock.now() + span)

    return _decide(ask, act)


def never(ask: Ask) -> Response:
    """A rule in the owner's Handbook, and a no to this draft."""

    def act(local: Local, found: Card) -> None:
        address = never_for(found)
        if not address or address != ask.text("address"):
            raise Changed("this is not the sender you were shown; write the rule into the Handbook yourself")
        vault = local.vault
        before = (vault.journal.read(layout.HANDBOOK) or b"").decode("utf-8", "replace")
        after = never_draft(before, address)
        if after != before:
            vault.write("owner_edit", layout.HANDBOOK, {layout.HANDBOOK: after.encode("utf-8")})
        local.desk.reject(found.task, why=NEVER, how=How.PAGE)

    return _decide(ask, act)


def undo(ask: Ask) -> Response:
    """Before the effect or not at all: the ledger says which."""
    with ask.page.vault() as (local, _):
        take_back(local, local.vault.get(ask.id))
    ask.page.poke()
    return ask.go(f"task/{ask.id}")


def shown(ask: Ask, local: Local) -> Card:
    """The draft as it is now, if it is what this form's page showed. Raises Changed, NoSuchTask."""
    found = card(local, ask.id)
    if ask.text("seen") != found.seen:
        raise Changed("This changed since you were shown it, so nothing was decided. Below it is as it is now.")
    return found


def _decide(ask: Ask, act: Callable[[Local, Card], object]) -> Response:
    with ask.page.vault() as (local, _):
        try:
            act(local, shown(ask, local))
        except (HubUnreachable, NoSuchTask):
            raise
        except VaultError as error:
            return alone(ask, local, status=status_of(error), says=str(error))
    ask.page.poke()
    return ask.go("waiting")


def _hold_edit(ask: Ask, found: Card) -> None:
    edit = found.draft.edit
    if edit is None:
        return
    if edit.fault:
        raise NotApproved(f"the edited file in your folder does not hold: {edit.fault}; put it right or delete it")
    if not ask.ticked("edited"):
        raise NotApproved("your folder holds an edited text of this draft; tick that you approve that text")


def _own_text(ask: Ask, found: Card) -> tuple[Note, str]:
    asked = found.draft.request
    if asked is None or not isinstance(asked.action, MailAction):
        raise IllegalMove("this draft holds no text of a mail; ask for another one instead")
    if found.draft.edit is not None:
        raise NotApproved("your folder holds an edited text of this draft already; approve that, or delete the file")
    text = as_typed(ask.text("text", 200_000))
    if text == asked.action.text:
        raise NotApproved("you changed nothing")
    return with_text(found.task, asked, text, Letters(ask.page.home.chats)), text


def diff(found: Card, text: str) -> Iterator[tuple[str, str]]:
    """(same | out | in, line): what the owner changed."""
    assert found.mail is not None
    kinds = {" ": "same", "-": "out", "+": "in"}
    for line in difflib.ndiff(found.mail.text.splitlines(), text.splitlines()):
        if line[0] in kinds:
            yield kinds[line[0]], line[2:]
