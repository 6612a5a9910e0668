"""What no drafter may decide: mails that order their reader about, or that ask for money, secrets or the law."""

import re
from collections.abc import Iterable

from drafting.letter import Letter
from drafting.plain import legible

READ = 50_000
"""Characters of a mail that are searched; more than any drafter is shown."""

_COLLECTIONS = (
    r"e-?mails?|mails?|messages?|passwords?|contacts?|invoices?|keys|tokens?|credentials|files|inbox|mailbox"
    r"|address book|customer (?:list|data)|nachrichten|passwörter\w*|kontakte\w*|rechnungen|zugangsdaten|dateien"
    r"|postfach|courriels|mots de passe|factures|fichiers|correos|mensajes|contraseñas|contactos|facturas|archivos"
)
_SECRETS = (
    r"passwords?|passphrase|pin code|one-time code|verification code|2fa|api keys?|private keys?|credentials"
    r"|log-?in details|recovery (?:codes?|phrase)|seed phrase|card number|cvv|passw(?:o|ö)rt\w*|zugangsdaten|kennw\w+"
    r"|geheimzahl|kreditkartennummer|mots? de passe|identifiants|code secret|contraseñas?|claves? de acceso"
)
_AN_AI = r"(?:ai|a\.i\.|llm|language model|chat ?bot|ki|ia|sprachmodell|modèle de langage|modelo de lenguaje)"
_MODELS = r"(?:chat ?gpt|gpt-?\d[\w.-]*|claude(?: \w+)?|gemini(?: \w+)?|llama[ -]?\d?|mistral|copilot|qwen)"


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


ORDERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("tells its reader to ignore instructions", _any(
        r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instructions?|rules|prompts?|guidelines|handbook"
        r"|restrictions)\b",
        r"\b(?:ignorier\w*|vergiss|vergessen sie|missachte\w*|umgeh\w*)\b.{0,40}\b(?:anweisung|regeln|vorgaben"
        r"|richtlinien|handbuch)",
        r"\b(?:ignore[rz]?|oublie[rz]?|contourne[rz]?)\b.{0,40}\b(?:instructions|consignes|règles|directives)",
        r"\b(?:ignor[ae]n?|olvid[ae]|omit[ae])\b.{0,40}\b(?:instrucciones|reglas|normas|indicaciones)",
    )),
    ("gives its reader a task before their own", _any(
        r"\bbefore (?:you )?(?:can )?(?:solv|do|answer|finish|continu|complet|proceed|start)\w*\b.{0,80}"
        r"\b(?:do|execute|perform|follow|complete)\b.{0,20}\bthe following\b",
        r"\bafter (?:you (?:do|did|have done)|doing) (?:that|this|so),? you (?:can|may)\b.{0,40}\btask\b",
        r"\bthe (?:original |first )?task (?:that )?i gave you\b",
        r"\bbevor du\b.{0,60}\baufgabe\b.{0,60}\bfolgendes\b", r"\bavant de\b.{0,60}\btâche\b.{0,60}\bce qui suit\b",
        r"\bantes de\b.{0,60}\btarea\b.{0,60}\blo siguiente\b",
    )),
    ("speaks to a machine", _any(
        r"\b(?:dear|attention|attn|note to|message (?:to|for)|hello|hi|if you are|as|an|à|a la|für die)"
        rf" (?:the |an? |any |all |eine? |une? )?{_AN_AI}\b(?: (?:assistant|agent|model|employee))?\s?[,:;.!]",
        rf"\bif you are (?:an? |the )?(?:{_AN_AI}|automated|virtual)\b", r"\bas an ai (?:model|assistant|agent)\b",
        r"\byou are now (?:an?|in|the|my|acting)\b.{0,30}\b(?:assistant|ai|mode|agent|admin|unrestricted|bot)\b",
        r"system prompt|jailbreak|\bnew instructions?:",
        r"<\|?(?:im_start|system)|\[/?inst\]|#{2,3} ?(?:instruction|system)",
        r"\b(?:classify|label|triage) this (?:e-?mail|mail|message)\b",
        rf"\bmessage from\b.{{0,60}}\bto you,? (?:the )?(?:{_AN_AI}|{_MODELS})\b",
        rf"\b(?:dear|hello|hi|hey|attention|an|für|cher|hola),? (?:{_MODELS})\b",
        r"<\|?/?(?:information|system|instructions?|admin|important)\|?>",
    )),
    ("wants something done behind the owner's back", _any(
        r"\b(?:approve|sign|send|pay|execute|transfer)\b.{0,60}\bwithout (?:asking|approval|confirmation|telling)",
        r"\b(?:do not|don't|never) (?:tell|inform|alert|notify|ask|show)\b.{0,30}\b(?:owner|user|human|operator)\b",
        r"\b(?:freigeben|senden|überweisen|bezahlen)\b.{0,40}\bohne (?:rückfrage|freigabe|zustimmung)",
        r"\bohne (?:rückfrage|freigabe|zustimmung)\b.{0,40}\b(?:freigeben|senden|überweisen|bezahlen)",
        r"\bsans (?:demander|en parler|confirmation)\b", r"\bsin (?:preguntar|avisar|confirmación)\b",
    )),
    ("demands that everything of a kind be passed on", _any(
        r"\b(?:forward|send|export|upload|e-?mail|bcc|copy|leak)\b.{0,30}\b(?:all|every|entire|whole|complete)\b"
        rf".{{0,40}}\b(?:{_COLLECTIONS})\b",
        r"\bforward\b.{0,40}\b(?:passwords?|credentials|api keys?|inbox)\b",
        r"\b(?:leit\w*|schick\w*|send\w*|übermittel\w*|exportier\w*)\b.{0,30}\b(?:alle[nrs]?|sämtliche\w*|gesamte\w*)\b"
        rf".{{0,40}}\b(?:{_COLLECTIONS})\b",
        r"\b(?:transf[eé]r\w*|envoye[rz]|envoie|fai(?:s|tes) suivre|export\w*)\b.{0,30}\b(?:tou(?:s|tes)|l'ensemble)\b"
        rf".{{0,40}}\b(?:{_COLLECTIONS})\b",
        r"\b(?:reenv[ií][aeo]\w*|env[ií][aeo]\w*|export[ae]\w*|mand[ae]\w*)\b.{0,30}\btod[oa]s?\b"
        rf".{{0,40}}\b(?:{_COLLECTIONS})\b",
    )),
)  # fmt: skip

DEMANDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("asks for a password or another secret", _any(
        rf"\b(?:send|share|give|tell|reply with|provide|confirm|enter|need|forward)\b.{{0,50}}\b(?:{_SECRETS})\b",
        rf"\b(?:schick\w*|send\w*|nenn\w*|gib|geben|teil\w*|bestätig\w*|brauch\w*)\b.{{0,50}}\b(?:{_SECRETS})\b",
        rf"\b(?:{_SECRETS})\b.{{0,40}}\b(?:schicken|senden|mitteilen|nennen|geben)\b",
        rf"\b(?:envo\w+|donne\w*|communique\w*|confirme\w*)\b.{{0,50}}\b(?:{_SECRETS})\b",
        rf"\b(?:env[ií]\w+|mand\w+|confirm\w+|da(?:me|nos)|facilit\w+)\b.{{0,50}}\b(?:{_SECRETS})\b",
    )),
    ("is about a changed bank account or an urgent transfer", _any(
        r"\bnew (?:bank (?:details|account)|account details|iban)\b", r"\bwire transfer\b", r"\bgift cards?\b",
        r"\b(?:bank (?:details|account)|account details|iban)\b.{0,20}\bchanged\b", r"\bchanged (?:our|my|the) bank",
        r"\btransfer\b.{0,60}\b(?:urgent(?:ly)?|today|immediately|right away|at once|confidential)\b",
        r"\bneuen? (?:bankverbindung|kontoverbindung|iban)\b", r"\bgeschenkkarten?\b",
        r"\b(?:bankverbindung|kontoverbindung|iban)\b.{0,20}\bgeändert\b",
        r"\bnouve(?:lles?|au) (?:coordonnées bancaires|rib|iban|compte bancaire)\b", r"\bcartes? cadeaux?\b",
        r"\b(?:nueva|otra) cuenta bancaria\b|\bnuevo iban\b|\btarjetas? (?:de )?regalo\b",
    )),
    ("speaks of legal steps", _any(
        r"\blegal (?:action|proceedings|steps)\b|\blawsuit\b|\bsubpoena\b|\bcease and desist\b",
        r"\bcourt (?:order|hearing)\b",
        r"\bto court\b|\b(?:my|our|their) (?:lawyer|attorney|solicitor)s?\b|\bclaim(?:s|ing)? (?:for )?damages\b",
        r"\bour client (?:claims|demands|instructs)\b|\bwe represent m",
        r"\b(?:gdpr|dsgvo|rgpd)\b.{0,40}\b(?:1[57]|request)",
        r"\babmahnung\b|\bunterlassungserkl|\brechtsanw[aä]lt|\bmein(?:en?|em)? anwalt\b|\brechtliche schritte\b",
        r"\bklage (?:einreichen|erheben)\b|\bgerichtlich|\bmandant(?:in|en|schaft)?\b",
        r"\bmise en demeure\b|\bhuissier\b|\b(?:notre|mon) avocate?\b|\bpoursuites\b|\bsaisi\w* le tribunal\b",
        r"\bacciones legales\b|\b(?:nuestr[oa]|mi) abogad[oa]\b|\bdemanda judicial\b|\bburofax\b",
    )),
)  # fmt: skip

_ANSWER_TO = re.compile(
    r"\b(?:reply|respond|answer|antworte\w*|répond\w*|respond[ae]\w*|contest[ae]\w*)\b.{0,30}?\b(?:to|an|à|a)\s"
    r"(?:[\w ]{0,20}\s)?<?([\w.+-]{1,64}@[\w.-]{1,100}\w)"
)


def orders(letter: Letter) -> tuple[str, ...]:
    """How the mail tries to command whoever reads it, in our words, never in the sender's."""
    text = _read(letter.subject, letter.sender_name, *letter.attachments, letter.text, letter.quoted)
    found = _matches(ORDERS, text)
    other = _ANSWER_TO.search(text)
    if other and other.group(1) != letter.sender_address.strip().lower():
        found += ("wants the answer to go to another address",)
    return found


def demands(letter: Letter) -> tuple[str, ...]:
    """What the sender wants that only the owner may give; quoted text does not count."""
    return _matches(DEMANDS, _read(letter.subject, letter.text))


def _read(*parts: str) -> str:
    return legible(" \n ".join(part[:READ] for part in parts))


def _matches(flags: Iterable[tuple[str, re.Pattern[str]]], text: str) -> tuple[str, ...]:
    return tuple(reason for reason, pattern in flags if pattern.search(text))
