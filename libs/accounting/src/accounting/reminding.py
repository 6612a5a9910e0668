"""The mail that reminds of an open invoice: every fact in it is the books'."""

from __future__ import annotations

from books.values import Move
from vault_protocol.action import Address, BadAction, SendMail, action_of
from vault_protocol.plain import one_line

_TEXT = """\
Hello,

Our records show that invoice {number} over {residual} was due on {due} and is still open.

If your payment has crossed this message, please disregard it.

Kind regards
{owner}
"""


def reminder(move: Move, *, to: str, account: str, sender: Address) -> SendMail:
    """In English: the books do not say a customer's language. Raises BadAction, for no usable address too."""
    if move.due is None:
        raise BadAction(f"invoice {move.number} has no due date")
    number = one_line(move.number, 60)
    text = _TEXT.format(number=number, residual=move.residual, due=move.due.isoformat(), owner=sender.name)
    fields = {
        "type": "send_mail", "account": account, "sender": sender.model_dump(), "to": [{"name": "", "address": to}],
        "subject": f"Reminder: invoice {number}",
    }  # fmt: skip
    made = action_of(fields, text=text, quote="")
    assert isinstance(made, SendMail)
    return made
