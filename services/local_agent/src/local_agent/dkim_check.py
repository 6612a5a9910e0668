"""Whether the sender's domain really signed a mail (DKIM, RFC 6376), as far as can be told from here."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import dkim
import dns.exception
import dns.resolver

LOOKUP_SECONDS = 3.0

Txt = Callable[[str], bytes | None]
"""The TXT record of a name, None when there is none. Raises DnsUnavailable when nobody answers."""


class DnsUnavailable(Exception):
    """The name servers do not answer: nothing can be said about a signature."""


class Dkim(StrEnum):
    """What is known about the signature of a mail."""

    ABSENT = "absent"
    HOLDS = "holds"
    OTHER_DOMAIN = "other_domain"
    """A signature holds, but not of the domain in From: a mailing service, or somebody else."""
    FAILS = "fails"
    UNCHECKED = "unchecked"


def check(raw: bytes, sender_domain: str, txt: Txt) -> Dkim:
    """The best that any signature of the mail says; at most five are looked at."""
    found: list[Dkim] = []

    def look_up(name: bytes | str, timeout: int = 5) -> bytes | None:
        text = name.decode("ascii", "replace") if isinstance(name, bytes) else name
        return txt(text.rstrip("."))

    try:
        message = dkim.DKIM(raw)
        signatures = [value for name, value in message.headers if name.lower() == b"dkim-signature"]
    except dkim.DKIMException:
        return Dkim.FAILS
    for number in range(min(len(signatures), 5)):
        try:
            held = message.verify(idx=number, dnsfunc=look_up)
            domain = (message.domain or b"").decode("ascii", "replace").lower()
        except DnsUnavailable:
            found.append(Dkim.UNCHECKED)
        except (dkim.DKIMException, ValueError, KeyError, IndexError):
            found.append(Dkim.FAILS)
        else:
            found.append(_judged(bool(held), domain, sender_domain.lower()))
    order = (Dkim.HOLDS, Dkim.OTHER_DOMAIN, Dkim.UNCHECKED, Dkim.FAILS)
    return next((state for state in order if state in found), Dkim.ABSENT)


def look_up_txt(name: str) -> bytes | None:
    """By the system's name servers, within LOOKUP_SECONDS."""
    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=LOOKUP_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    except (dns.exception.DNSException, OSError) as error:
        raise DnsUnavailable(type(error).__name__) from None
    return b"".join(part for record in answer for part in record.strings)


def _judged(held: bool, domain: str, sender: str) -> Dkim:
    if not held:
        return Dkim.FAILS
    aligned = sender == domain or sender.endswith("." + domain) or domain.endswith("." + sender)
    return Dkim.HOLDS if aligned and domain else Dkim.OTHER_DOMAIN
