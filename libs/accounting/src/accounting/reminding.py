"""The mail that reminds of an open invoice, in the partner's language: every fact in it is the books'."""

from __future__ import annotations

from dataclasses import dataclass

from books.values import Move, Partner
from vault_protocol.action import Address, BadAction, SendMail, action_of
from vault_protocol.plain import one_line


@dataclass(frozen=True)
class Words:
    """A reminder in one language."""

    subject: str
    hello: str
    fact: str
    crossed: str
    closing: str


LANGUAGES = {
    "en": Words(
        "Reminder: invoice {number}",
        "Hello,",
        "our records show that invoice {number} over {residual} was due on {due} and is still open.",
        "If your payment has crossed this message, please disregard it.",
        "Kind regards",
    ),
    "de": Words(
        "Zahlungserinnerung: Rechnung {number}",
        "Guten Tag,",
        "nach unseren Unterlagen war die Rechnung {number} über {residual} am {due} fällig und ist noch offen.",
        "Sollte sich Ihre Zahlung mit dieser Nachricht gekreuzt haben, betrachten Sie diese bitte als gegenstandslos.",
        "Mit freundlichen Grüßen",
    ),
    "fr": Words(
        "Rappel : facture {number}",
        "Bonjour,",
        "sauf erreur de notre part, la facture {number} de {residual}, échue le {due}, reste impayée à ce jour.",
        "Si votre paiement a croisé ce message, veuillez ne pas en tenir compte.",
        "Cordialement",
    ),
    "es": Words(
        "Recordatorio: factura {number}",
        "Buenos días:",
        "según nuestros registros, la factura {number} por {residual} venció el {due} y sigue pendiente de pago.",
        "Si su pago se ha cruzado con este mensaje, le rogamos que no lo tenga en cuenta.",
        "Un cordial saludo",
    ),
}


def reminder(move: Move, partner: Partner, *, account: str, sender: Address) -> SendMail:
    """In the language the books have for the partner, else in English. Raises BadAction, for no usable address too."""
    if move.due is None:
        raise BadAction(f"invoice {move.number} has no due date")
    words = LANGUAGES.get(partner.lang[:2].lower(), LANGUAGES["en"])
    facts = {"number": one_line(move.number, 60), "residual": move.residual, "due": move.due.isoformat()}
    parts = (words.hello, words.fact.format(**facts), words.crossed, f"{words.closing}\n{sender.name}")
    to = {"name": "", "address": partner.email.strip()}
    fields = {
        "type": "send_mail", "account": account, "sender": sender.model_dump(), "to": [to],
        "subject": words.subject.format(**facts),
    }  # fmt: skip
    made = action_of(fields, text="\n\n".join(parts) + "\n", quote="")
    assert isinstance(made, SendMail)
    return made
