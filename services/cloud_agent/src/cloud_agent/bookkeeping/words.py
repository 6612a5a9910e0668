"""The text of a mail that carries an invoice, and of one that reminds of it; no number in it but the books'."""

from __future__ import annotations

from dataclasses import dataclass

from cloud_agent.drafting import Letter
from cloud_agent.drafting.language import Language, language_of
from cloud_agent.drafting.plain import clean, line, name_of
from cloud_agent.drafting.templates import PHRASES


@dataclass(frozen=True)
class Said:
    """One language's sentences."""

    carries: str
    reminds: str
    crossed: str


_SAID = {
    Language.EN: Said(
        "please find the invoice attached.",
        "our records show that invoice {number} over {residual} was due on {due} and is still open.",
        "If your payment has crossed this message, please disregard it.",
    ),
    Language.DE: Said(
        "anbei die Rechnung.",
        "nach unseren Unterlagen war die Rechnung {number} über {residual} am {due} fällig und ist noch offen.",
        "Falls sich die Zahlung mit dieser Nachricht überschnitten hat, ist sie gegenstandslos.",
    ),
    Language.FR: Said(
        "veuillez trouver la facture ci-jointe.",
        "selon nos écritures, la facture {number} de {residual} était due le {due} et reste ouverte.",
        "Si le paiement a croisé ce message, merci de ne pas en tenir compte.",
    ),
    Language.ES: Said(
        "adjunto la factura.",
        "según nuestros registros, la factura {number} de {residual} venció el {due} y sigue abierta.",
        "Si el pago se ha cruzado con este mensaje, no lo tenga en cuenta.",
    ),
}


def with_invoice(letter: Letter) -> str:
    """The reply that the posted invoice goes with."""
    language = language_of(f"{letter.subject}\n{letter.text}")
    phrases, name = PHRASES[language], name_of(letter.sender_name)
    hello = phrases.hello[letter.to_account].format(name=name) if name else phrases.to_all
    closing = f"{phrases.closing[letter.to_account]}\n{line(letter.account_name, 80)}"
    return clean("\n\n".join([hello, _SAID[language].carries, closing]))


def reminder(*, owner: str, number: str, residual: str, due: str) -> str:
    """In English: the books do not know a customer's language here."""
    said, phrases = _SAID[Language.EN], PHRASES[Language.EN]
    body = said.reminds.format(number=number, residual=residual, due=due)
    return clean(
        "\n\n".join(
            [phrases.to_all, body[0].upper() + body[1:], said.crossed, f"{phrases.closing['business']}\n{owner}"]
        )
    )
