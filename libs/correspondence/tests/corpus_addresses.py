"""Address lists that are broken, and authors who pretend to be others."""

from __future__ import annotations

from correspondence import Mailbox, Oddity

from .cases import Case, case, mail

ANN = Mailbox("Ann Lee", "ann@example.org")


def addresses() -> list[Case]:
    """Address lists, and authors who pretend to be others."""
    bad = Oddity.BAD_ADDRESS
    return [
        case(
            "a local part of 65 letters",
            mail(From=f"<{'a' * 65}@example.org>"),
            Oddity.NO_SENDER,
            bad,
            sender=None,
        ),
        case(
            "a local part of 64 letters",
            mail(From=f"<{'a' * 64}@b.example>"),
            sender=Mailbox("", f"{'a' * 64}@b.example"),
        ),
        case("no author", mail(From=None), Oddity.NO_SENDER, sender=None),
        case("an empty author", mail(From=""), Oddity.NO_SENDER, sender=None),
        case(
            "two authors",
            mail(From="Ann <ann@a.example>, Bob <bob@b.example>"),
            Oddity.SEVERAL_SENDERS,
            sender=Mailbox("Ann", "ann@a.example"),
        ),
        case("an author in a comment", mail(From="ann@example.org (Ann Lee)"), sender=ANN),
        case(
            "a comma in a name",
            mail(From='"Lee, Ann" <ann@example.org>'),
            sender=Mailbox("Lee, Ann", "ann@example.org"),
        ),
        case(
            "an encoded name that looks like an address",
            mail(From="=?utf-8?q?boss=40bank=2Eexample=2C?= <ann@example.org>"),
            Oddity.NAME_CONTAINS_ADDRESS,
            sender=Mailbox("boss@bank.example,", "ann@example.org"),
        ),
        case(
            "a name that shows another address",
            mail(From='"ceo@bank.example" <x@evil.example>'),
            Oddity.NAME_CONTAINS_ADDRESS,
        ),
        case(
            "a name that shows its own address",
            mail(From='"Ann ann@example.org" <ann@example.org>'),
            sender=Mailbox("Ann ann@example.org", "ann@example.org"),
        ),
        case("an unclosed quote", mail(From='"Ann <ann@example.org>'), Oddity.NO_SENDER, bad, sender=None),
        case("an unclosed bracket", mail(From="Ann <ann@example.org"), sender=Mailbox("Ann", "ann@example.org")),
        case("an unclosed comment", mail(From="ann@example.org (Ann"), sender=Mailbox("Ann", "ann@example.org")),
        case(
            "a comment in a thousand brackets",
            mail(From="(" * 1000 + "x" + ")" * 1000 + " ann@example.org"),
            sender=Mailbox("x", "ann@example.org"),
        ),
        case(
            "two addresses of one author",
            mail(From="Ann <ann@example.org> <x@evil.example>"),
            Oddity.NO_SENDER,
            bad,
            sender=None,
        ),
        case(
            "a raw separator in an encoded name",
            mail(From="=?utf-8?q?Lee,_Ann?= <ann@example.org>"),
            sender=Mailbox("Lee, Ann", "ann@example.org"),
        ),
        case(
            "an address in an encoded name",
            mail(From="=?utf-8?q?<x@evil.example>?= <ann@example.org>"),
            Oddity.NAME_CONTAINS_ADDRESS,
            sender=Mailbox("<x@evil.example>", "ann@example.org"),
        ),
        case("an address with a space", mail(From="Ann <an n@example.org>"), Oddity.NO_SENDER, bad, sender=None),
        case(
            "an address of two lines",
            mail(From="Ann <ann@example.org\r\n Bcc:x@evil.example>"),
            Oddity.NO_SENDER,
            bad,
            sender=None,
        ),
        case(
            "an address that is an option",
            mail(From="<-oProxyCommand@evil.example>"),
            Oddity.NO_SENDER,
            bad,
            sender=None,
        ),
        case(
            "an address of a program",
            mail(From='"|rm -rf /"@evil.example'),
            Oddity.NO_SENDER,
            bad,
            sender=None,
        ),
        case("an address at an IP address", mail(From="<ann@[127.0.0.1]>"), Oddity.NO_SENDER, bad, sender=None),
        case("an address at a number", mail(From="<ann@127.0.0.1>"), Oddity.NO_SENDER, bad, sender=None),
        case("an address without a domain", mail(From="root"), Oddity.NO_SENDER, bad, sender=None),
        case(
            "an address outside ASCII",
            mail(From="<jürgen@example.org>".encode()),
            Oddity.NO_SENDER,
            bad,
            sender=None,
        ),
        case(
            "a domain outside ASCII",
            mail(From="<ann@bücher.example>".encode()),
            Oddity.NO_SENDER,
            bad,
            sender=None,
        ),
        case(
            "a domain in punycode",
            mail(From="<ann@xn--bcher-kva.example>"),
            sender=Mailbox("", "ann@xn--bcher-kva.example"),
        ),
        case("a domain in Cyrillic twins", mail(From="<ann@xn--80ak6aa92e.example>"), Oddity.LOOK_ALIKE),
        case("a domain of mixed alphabets", mail(From="<ann@xn--pypal-4ve.example>"), Oddity.LOOK_ALIKE),
        case("a domain of broken punycode", mail(From="<ann@xn--99999999999.example>"), Oddity.LOOK_ALIKE),
        case(
            "a name of mixed alphabets",
            mail(From="P\u0430ypal <ann@example.org>".encode()),
            Oddity.LOOK_ALIKE,
        ),
        case(
            "a name in bold mathematics",
            mail(From="\U0001d40f\U0001d41ay <ann@example.org>".encode()),
            Oddity.LOOK_ALIKE,
        ),
        case(
            "a name in two alphabets, word by word",
            mail(From="Иван Ivan <ann@example.org>".encode()),
            sender=Mailbox("Иван Ivan", "ann@example.org"),
        ),
        case(
            "an author whose name turns round",
            mail(From="\u202eeel nna <ann@example.org>".encode()),
            Oddity.BIDI_CHARACTERS,
            sender=Mailbox("eel nna", "ann@example.org"),
        ),
        case("an upper-case domain", mail(From="Ann@EXAMPLE.org"), sender=Mailbox("", "Ann@example.org")),
        case(
            "a route before an address",
            mail(From="<@relay.example:ann@example.org>"),
            sender=Mailbox("", "ann@example.org"),
        ),
        case(
            "an answer to elsewhere in the domain",
            mail(Reply_To="desk@example.org"),
            Oddity.REPLY_TO_DIFFERS,
            reply_to=(Mailbox("", "desk@example.org"),),
        ),
        case(
            "an answer to another domain",
            mail(Reply_To="ann@evil.example"),
            Oddity.REPLY_TO_DIFFERS,
            Oddity.REPLY_TO_OTHER_DOMAIN,
        ),
        case(
            "an answer to the author",
            mail(Reply_To="Ann <ANN@example.org>"),
            reply_to=(Mailbox("Ann", "ANN@example.org"),),
        ),
        case("an unusable answer address", mail(Reply_To="<>"), bad, reply_to=()),
        case("recipients that are not named", mail(To="undisclosed-recipients:;"), to=()),
        case(
            "a group of recipients",
            mail(To="team: a@x.example, B <b@x.example>;, c@x.example"),
            to=(Mailbox("", "a@x.example"), Mailbox("B", "b@x.example"), Mailbox("", "c@x.example")),
        ),
        case("one recipient twice", mail(To="a@x.example, A@x.example"), to=(Mailbox("", "a@x.example"),)),
        case("nothing but commas", mail(To="," * 5000), to=()),
        case("nothing but open brackets", mail(To="<" * 5000), bad, to=()),
        case(
            "thirty recipients",
            mail(Cc=", ".join(f"r{n}@x.example" for n in range(30))),
            Oddity.MANY_RECIPIENTS,
        ),
        case(
            "five thousand recipients",
            mail(Cc=", ".join(f"r{n}@x.example" for n in range(5000))),
            Oddity.HUGE,
            Oddity.MANY_RECIPIENTS,
        ),
    ]
