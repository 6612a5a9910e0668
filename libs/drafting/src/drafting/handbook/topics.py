"""What a mail is about, as far as a handbook's rules name it; in four languages."""

import re
from collections.abc import Mapping

from drafting.letter import Letter
from drafting.plain import legible

READ = 20_000
"""Characters of a mail that are searched."""

_WORDS: Mapping[str, str] = {
    "legal": r"\blaw ?suit\b|\blawyers?\b|\battorneys?\b|\bsolicitors?\b|\bcourt\b|\blegal (?:action|steps|claim)"
    r"|\blegal notice|\bsubpoena|\bcease and desist|\banwalt|\banwältin|\brechtsanw|\bgericht(?:lich|sverfahren)?\b"
    r"|\bklage\b|\babmahnung|\brechtliche schritte|\bavocate?\b|\btribunal|\bmise en demeure|\bpoursuites? judiciaires"
    r"|\babogad[oa]|\bjuzgado|\bacciones legales|\bdemanda judicial|\bburofax",
    "medical": r"\bdiagnos|\bhospital\b|\bsurgery\b|\bmedical\b|\bprescription\b|\bpatient\b|\btest results?\b.{0,20}"
    r"\bdoctor|\bkrankenhaus|\bärztlich|\bkrankschreib|\bbefund\b|\boperation\b.{0,20}\bkrank|\bhôpital|\bordonnance"
    r"|\bmédical|\bmédecin|\bmédic[oa]s?\b|\bcirugía|\breceta médica",
    "emotional": r"\bcondolence|\bpassed away\b|\bfuneral\b|\bdivorce|\bgrie(?:f|ving)\b|\bheartbroken|\bi am so hurt"
    r"|\bmy (?:mother|father|wife|husband|son|daughter) died|\bbeileid|\bbeerdigung|\bverstorben|\bgestorben"
    r"|\bscheidung\b|\bcondoléances|\bdécès|\bdécédée?|\bobsèques|\bdivorcer?|\bpésame|\bfalleci|\bfuneral|\bdivorcio",
    "money": r"\bnew (?:bank|account) details|\bwire transfer|\burgent (?:payment|transfer)|\bgift cards?|\bloan\b"
    r"|\binvest(?:ment|or)|\bneue (?:bank|konto)verbindung|\bdringende (?:zahlung|überweisung)|\bdarlehen|\bkredit\b"
    r"|\bnouvelles coordonnées bancaires|\bvirement urgent|\bprêt\b|\bnueva cuenta bancaria|\btransferencia urgente"
    r"|\bpréstamo",
    "contracts": r"\bcontracts?\b|\bsign(?:ature|ed)? (?:the|this|our) agreement|\bvertrag|\bverträge|\bcontrats?\b"
    r"|\bcontratos?\b",
    "prices": r"\bprice|\bquote\b|\bdiscount|\bpreise?\b|\bangebot\b|\brabatt|\bdevis\b|\btarifs?\b|\bremise\b"
    r"|\bpresupuesto|\bprecios?\b|\bdescuento",
    "complaints": r"\bcomplain|\bunacceptable|\bvery disappointed|\brefund|\bbeschwer|\bunzufrieden|\breklamation"
    r"|\bréclamation|\binadmissible|\brembours|\breclamación|\bqueja\b|\binaceptable|\bdevolución",
    "press": r"\bjournalist|\bpress (?:enquiry|inquiry|request)|\breporter\b|\bpresseanfrage|\bredakt(?:ion|eur)"
    r"|\bjournaliste|\bperiodista",
    "staff": r"\bresign(?:ation|ing)|\bsalary|\bpay rise|\bgehalt\b|\bkündig|\bdémission|\bsalaire|\brenuncia"
    r"|\bsalario",
}
TOPICS: Mapping[str, re.Pattern[str]] = {name: re.compile(words) for name, words in _WORDS.items()}

OTHER_NAMES: Mapping[str, str] = {
    "law": "legal", "lawyers": "legal", "courts": "legal", "a court": "legal", "a lawyer": "legal", "health": "medical",
    "medicine": "medical", "feelings": "emotional", "grief": "emotional", "death": "emotional",
    "unusual money": "money", "unusual payments": "money", "bank details": "money", "contract": "contracts",
    "price": "prices", "quotes": "prices", "discounts": "prices", "complaint": "complaints", "refunds": "complaints",
    "the press": "press", "journalists": "press", "salaries": "staff", "resignations": "staff",
}  # fmt: skip


def topic_named(words: str) -> str | None:
    """The topic a handbook means, or None."""
    name = words.strip().lower().removesuffix(" mail").removesuffix(" matters").strip()
    name = OTHER_NAMES.get(name, name)
    return name if name in TOPICS else None


def is_about(letter: Letter, topic: str) -> bool:
    return bool(TOPICS[topic].search(legible(f"{letter.subject}\n{letter.text[:READ]}")))
