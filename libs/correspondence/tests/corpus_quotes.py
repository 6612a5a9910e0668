"""New text and history, as the mailers of the world part them."""

from __future__ import annotations

from .cases import Case, case, mail

OUTLOOK = "From: Ann <a@b.example>\nSent: Monday\nTo: Bob\nSubject: x\n\nold"


def quotes() -> list[Case]:
    """Mails with a history, and mails that only seem to have one."""
    return [
        parted("Gmail", "On Mon, Jan 5, 2026 at 2:03 PM Ann <a@b.example> wrote:\n\n> old\n> older"),
        parted("Gmail, wrapped", "On Mon, Jan 5, 2026 at 2:03 PM Ann Long Name <\na@b.example> wrote:\n\n> old"),
        parted(
            "Gmail, wrapped twice",
            "On Mon, Jan 5, 2026 at 2:03 PM\nAnn Long Name\n<a@b.example> wrote:\n> old",
        ),
        parted("Apple Mail without marks", "On 5 Jan 2026, at 14:03, Ann <a@b.example> wrote:\n\nold"),
        parted("German", "Am 05.01.2026 um 14:03 schrieb Ann <a@b.example>:\n\n> old"),
        parted("German, wrapped", "Am Mo., 5. Jan. 2026 um 14:03 Uhr schrieb Ann Lee <\na@b.example>:\n\n> old"),
        parted("French", "Le lun. 5 janv. 2026 à 14:03, Ann <a@b.example> a écrit :\n\n> old"),
        parted("French, wrapped", "Le lun. 5 janv. 2026 à 14:03, Ann Lee <a@b.example> a\nécrit :\n\n> old"),
        parted("Spanish", "El lun, 5 ene 2026 a las 14:03, Ann (<a@b.example>) escribió:\n\n> old"),
        parted("Italian", "Il giorno lun 5 gen 2026 alle ore 14:03 Ann <a@b.example> ha scritto:\n> old"),
        parted("Dutch", "Op ma 5 jan 2026 om 14:03 schreef Ann <a@b.example>:\n> old"),
        parted("Portuguese", "Em seg., 5 de jan. de 2026 às 14:03, Ann <a@b.example> escreveu:\n> old"),
        parted("Swedish", "Den mån 5 jan. 2026 kl 14:03 skrev Ann <a@b.example>:\n> old"),
        parted("Japanese", "2026年1月5日(月) 14:03 Ann <a@b.example>:\n> old"),
        parted("a name alone", "Ann Lee wrote:\n> old"),
        parted("a bare quote below", "> old\n> older"),
        parted("Outlook", OUTLOOK),
        parted("Outlook below a rule", f"________________________________\n{OUTLOOK}"),
        parted("Outlook in bold", OUTLOOK.replace("From:", "*From:*").replace("Sent:", "*Sent:*")),
        parted("Outlook in German", "Von: Ann\nGesendet: Montag\nAn: Bob\nBetreff: x\n\nalt"),
        parted("Outlook in French", "De : Ann\nEnvoyé : lundi\nÀ : Bob\nObjet : x\n\nvieux"),
        parted("Outlook in Spanish", "De: Ann\nEnviado el: lunes\nPara: Bob\nAsunto: x\n\nviejo"),
        parted("an original message", f"-----Original Message-----\n{OUTLOOK}"),
        parted("an original message in German", "-----Ursprüngliche Nachricht-----\nalt"),
        parted("a signature above the history", "> old", new="Yes.\n\n-- \nBob"),
        whole(
            "an answer below the quote",
            "On Mon, Jan 5, 2026 at 2:03 PM Ann <a@b.example> wrote:\n> old\n\nYes.",
        ),
        whole("answers between the lines", "Ann wrote:\n> one\nYes.\n> two\nNo."),
        whole("only a quote", "> old\n> older"),
        whole("only a history", OUTLOOK),
        whole("a sentence with a colon", "Yes.\n\nAs I wrote in 2024:\n\nWe agree."),
        whole("a sentence with a time", "Yes.\n\nAt 10:30 he wrote:\n\nWe agree."),
        whole("a letter about a letter", "On the whole I wrote:\nnothing."),
        whole("one field alone", "From: the beginning\nto the end."),
        whole("a forward inside", f"See below.\n\n---------- Forwarded message ---------\n{OUTLOOK}"),
        case(
            "quote: a forward by its subject",
            mail(f"See below.\n\n{OUTLOOK}", Subject="FW: x"),
            text=f"See below.\n\n{OUTLOOK}",
            quoted="",
        ),
    ]


def parted(name: str, history: str, *, new: str = "Yes.") -> Case:
    """A mail that answers above a history, which must be parted from it."""
    trimmed = new.replace("-- \n", "--\n")
    return case(f"quote: {name}", utf8(f"{new}\n\n{history}\n"), text=trimmed, quoted=history)


def whole(name: str, text: str) -> Case:
    """A mail of which nothing must be parted."""
    return case(f"whole: {name}", utf8(text), text=text, quoted="")


def utf8(text: str) -> bytes:
    """The usual mail with this text."""
    return mail(text, Content_Type="text/plain; charset=utf-8")
