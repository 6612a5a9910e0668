"""The text of the mail that a posted invoice goes with, in the language of who asked for it."""

from __future__ import annotations

from drafting import Letter
from drafting.language import Language, language_of
from drafting.plain import clean, line, name_of
from drafting.templates import PHRASES

CARRIES = {
    Language.EN: "please find the invoice attached.",
    Language.DE: "anbei die Rechnung.",
    Language.FR: "veuillez trouver la facture ci-jointe.",
    Language.ES: "adjunto la factura.",
}


def with_invoice(letter: Letter) -> str:
    """The reply that the posted invoice goes with."""
    language = language_of(f"{letter.subject}\n{letter.text}")
    phrases, name = PHRASES[language], name_of(letter.sender_name)
    hello = phrases.hello[letter.to_account].format(name=name) if name else phrases.to_all
    closing = f"{phrases.closing[letter.to_account]}\n{line(letter.account_name, 80)}"
    return clean("\n\n".join([hello, CARRIES[language], closing]))
