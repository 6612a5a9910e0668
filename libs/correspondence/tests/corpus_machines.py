"""Mail that machines write, invitations among it."""

from __future__ import annotations

from correspondence import Automatic, Oddity

from .cases import Case, Value, case, mail, multipart

EVENT = "BEGIN:VCALENDAR\nMETHOD:{method}\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n"


def machines() -> list[Case]:
    """Every kind of machine, and people who look like one."""
    auto, bounce, listed, silent = (
        Automatic.AUTO_REPLY,
        Automatic.BOUNCE,
        Automatic.MAILING_LIST,
        Automatic.NO_REPLY,
    )
    return [
        wrote("an automatic answer", auto, Auto_Submitted="auto-replied"),
        wrote("an automatic answer with a comment", auto, Auto_Submitted="auto-generated (rejected); x=y"),
        wrote("a person who says so", None, Auto_Submitted="no"),
        wrote("an automatic answer of an old kind", auto, X_Autoreply="yes"),
        wrote("an automatic answer of Exchange", auto, X_Auto_Response_Suppress="All"),
        wrote("a precedence of answers", auto, Precedence="auto_reply"),
        wrote("a bounce without a path", bounce, Return_Path="<>"),
        wrote("a bounce of a mailer", bounce, From="MAILER-DAEMON@example.org"),
        wrote("a bounce of a postmaster", bounce, From="Postmaster <postmaster@example.org>"),
        wrote("a mail with a path", None, Return_Path="<ann@example.org>"),
        wrote("a list", listed, List_Id="<news.example.org>"),
        wrote("a newsletter", listed, List_Unsubscribe="<https://example.org/u>"),
        wrote("bulk mail", listed, Precedence="Bulk"),
        wrote("a list that also answers by itself", auto, List_Id="<x>", Auto_Submitted="auto-replied"),
        wrote("noreply", silent, From="noreply@example.org"),
        wrote("no-reply with a suffix", silent, From="No-Reply+abc@example.org"),
        wrote("do-not-reply", silent, From="do_not_reply@example.org"),
        wrote("notifications", silent, From="notifications@example.org"),
        wrote("a shop's noreply", silent, From="shop-noreply@example.org"),
        wrote("a person called Noreplyson", None, From="noreplyson@example.org"),
        case(
            "a delivery report",
            multipart(
                "\nfailed",
                "Content-Type: message/delivery-status\n\nAction: failed",
                kind="report; report-type=delivery-status",
            ),
            automatic=bounce,
            text="failed",
        ),
        case(
            "a read receipt",
            multipart("\nread", kind="report; report-type=disposition-notification"),
            automatic=auto,
        ),
        case(
            "an invitation",
            invitation("REQUEST", "; method=REQUEST"),
            Oddity.INVITATION,
            automatic=None,
            text="Come",
        ),
        case(
            "an invitation that says so only inside",
            invitation("REQUEST", ""),
            Oddity.INVITATION,
            automatic=None,
        ),
        case("an answer to an invitation", invitation("REPLY", "; method=REPLY"), automatic=auto),
        case("a published calendar", invitation("PUBLISH", ""), automatic=None),
    ]


def wrote(name: str, machine: Automatic | None, **headers: Value) -> Case:
    """A mail with these headers, and who must have written it."""
    return case(f"by {name}", mail("Hi\n", **headers), automatic=machine)


def invitation(method: str, parameter: str) -> bytes:
    """A calendar part beside a text."""
    return multipart(
        "Content-Type: text/plain\n\nCome",
        f"Content-Type: text/calendar{parameter}\n\n{EVENT.format(method=method)}",
    )
