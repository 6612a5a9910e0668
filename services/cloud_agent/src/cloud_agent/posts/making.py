"""A post that may be approved, and the note that asks for it: for the calendar, for answers, and for steps of plans."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from cloud_agent import submission
from cloud_agent.handing_on import Undraftable
from drafting import Triage
from social import cautions, faults
from social.calendar import Place
from vault_protocol import plain, request, scan
from vault_protocol.action import BadAction
from vault_protocol.canonical import moment, utc
from vault_protocol.note import Note
from vault_protocol.request import Request
from vault_protocol.social_action import PublishPost


def place_of(network: str, account: str) -> Place | None:
    """None for what is no network or no name of an account."""
    try:
        known = PublishPost.model_validate({"account": account, "network": network, "text": "x\n"})
    except ValueError:
        return None
    return Place(known.network, known.account)


def post(place: Place, text: str, told: list[str], **fields: object) -> PublishPost:
    """Raises Undraftable for what the network would refuse; `told` gains what was taken out."""
    clean, removed = scan.mask(plain.visible(text, pictures=True))
    told += [f"What looked like a secret was taken out of the draft: {kind}." for kind in dict.fromkeys(removed)]
    try:
        action = PublishPost.model_validate(
            {"account": place.account, "network": place.network, "text": f"{clean}\n" if clean else "", **fields}
        )
    except ValueError as error:
        raise Undraftable(f"no post can be made of these words: {plain.one_line(str(error))}") from None
    if found := faults(action):
        raise Undraftable("; ".join(found))
    return action


def asking(
    note: Note, action: PublishPost, told: Sequence[str], triage: Triage, *, by: str, now: datetime, due: str = ""
) -> Note:
    """The note with this post to approve. Raises Undraftable."""
    try:
        asked = Request(secrets.token_hex(8), action, (*map(plain.one_line, told), *cautions(action)))
        note = request.put(note, asked)
    except BadAction as error:
        raise Undraftable(f"no post can be made of these words: {plain.one_line(str(error))}") from None
    stale = max(moment(due), now) if due else now
    return note.put(
        type="approval", recipient=f"{action.network} (account {action.account})",
        reason=plain.one_line(triage.reason), created=utc(now), priority=triage.priority.value,
        stale_after=utc(stale + submission.STALE_AFTER), drafted_by=by, not_before=due or None,
    )  # fmt: skip
