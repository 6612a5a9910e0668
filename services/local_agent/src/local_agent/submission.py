"""Hand one message to the owner's submission server, and say exactly what is known about it afterwards.

The line that matters is the final dot. Before it, a server must not accept the message; after it, only
the server's answer tells. So a failure before the dot is Unreachable, a failure after it is Unknown.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from local_agent.mail_account import AuthFailed, MailAccount, Tls

GREETING_NAME = "[127.0.0.1]"
"""What we call ourselves; the machine's real name is nobody's business."""
CHUNK_BYTES = 64 * 1024
_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_ADDRESS = re.compile(r"[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Accepted:
    """The server took responsibility for every recipient."""

    response: str


@dataclass(frozen=True)
class RefusedForNow:
    """The server did not take the message, but may later (4yz). Nobody gets it."""

    code: int
    text: str


@dataclass(frozen=True)
class RefusedForGood:
    """The server will not take this message (5yz). Nobody gets it."""

    code: int
    text: str


@dataclass(frozen=True)
class Unreachable:
    """It failed before the final dot was sent. Nobody gets it."""

    reason: str


@dataclass(frozen=True)
class Unknown:
    """It failed after the final dot may have been sent. Somebody may get it: look, then ask, never resend."""

    reason: str


Outcome = Accepted | RefusedForNow | RefusedForGood | Unreachable | Unknown


class _Refused(Exception):
    """The server answered a step with a clear no."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.outcome = RefusedForGood(code, text) if 500 <= code <= 599 else RefusedForNow(code, text)


def submit(account: MailAccount, raw: bytes, sender: str, recipients: Sequence[str]) -> Outcome:
    """Send `raw` (CRLF line ends) to all recipients or to none.

    Raises AuthFailed, and ValueError for a message or an address that cannot be put on the wire.
    """
    if _BARE_LINE_END.search(raw):
        raise ValueError("the message has bare line ends; build it with email.policy.SMTP")
    if not recipients or not all(_ADDRESS.fullmatch(address) for address in (sender, *recipients)):
        raise ValueError("sender and recipients must be plain addresses, at least one of each")
    password = account.password()
    smtp: smtplib.SMTP | None = None
    try:
        smtp = _connect(account)
        _log_in(smtp, account, password)
        _name_everybody(smtp, raw, sender, recipients)
        _expect(smtp.docmd("DATA"), 354, "DATA")
        _send_text(smtp, raw)
    except _Refused as refused:
        return refused.outcome
    except (OSError, smtplib.SMTPException) as error:
        return Unreachable(f"{type(error).__name__}: {error}")
    else:
        return _send_final_dot(smtp, account)
    finally:
        if smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                smtp.putcmd("QUIT")  # its answer is nothing to wait for
            smtp.close()


def _connect(account: MailAccount) -> smtplib.SMTP:
    host, port, timeout = account.submission_host, account.submission_port, account.timeout_seconds
    try:
        if account.submission_tls is Tls.IMPLICIT:
            return _prompt(smtplib.SMTP_SSL(host, port, GREETING_NAME, timeout=timeout, context=_checking()))
        smtp = _prompt(smtplib.SMTP(host, port, GREETING_NAME, timeout=timeout))
        if account.submission_tls is Tls.STARTTLS:
            try:
                smtp.starttls(context=_checking())
            except BaseException:
                smtp.close()
                raise
    except smtplib.SMTPResponseException as error:
        raise _Refused(error.smtp_code, _text(error.smtp_error)) from None
    return smtp


def _checking() -> ssl.SSLContext:
    """smtplib checks no certificate unless it is given a context that does."""
    return ssl.create_default_context()


def _prompt(smtp: smtplib.SMTP) -> smtplib.SMTP:
    """Let the final dot leave at once; by default it waits until the text is acknowledged (40 ms)."""
    if smtp.sock is not None:
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return smtp


def _log_in(smtp: smtplib.SMTP, account: MailAccount, password: str) -> None:
    where = f"account {account.name}: {account.submission_host}"
    try:
        smtp.login(account.user, password)
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPResponseException as error:
        if 400 <= error.smtp_code <= 499:
            raise _Refused(error.smtp_code, _text(error.smtp_error)) from None
        raise AuthFailed(f"{where} refused {account.user} ({error.smtp_code})") from None
    except UnicodeError:
        raise AuthFailed(f"{where}: only ASCII user names and passwords can be used") from None
    except smtplib.SMTPException:
        raise AuthFailed(f"{where} offers no login that can be used") from None


def _name_everybody(smtp: smtplib.SMTP, raw: bytes, sender: str, recipients: Sequence[str]) -> None:
    """MAIL and every RCPT. One refused recipient refuses the message, and the others get nothing.

    Written out because smtplib's mail() and rcpt() may rewrite an address.
    """
    options = [f"SIZE={len(raw)}"] if smtp.has_extn("size") else []
    if not raw.isascii():
        if not smtp.has_extn("8bitmime"):
            raise _Refused(554, "not sent: the server takes no 8-bit text")
        options.append("BODY=8BITMIME")
    if not all(address.isascii() for address in (sender, *recipients)):
        if not smtp.has_extn("smtputf8"):
            raise _Refused(553, "not sent: the server takes no addresses beyond ASCII")
        options.append("SMTPUTF8")
        smtp.command_encoding = "utf-8"
    _expect(smtp.docmd("MAIL", " ".join([f"FROM:<{sender}>", *options])), 250, sender)
    refusals = []
    for recipient in recipients:
        code, words = smtp.docmd("RCPT", f"TO:<{recipient}>")
        if code not in (250, 251):
            refusals.append((code, f"{recipient}: {code} {_text(words)}"))
    if refusals:
        with suppress(OSError, smtplib.SMTPException):
            smtp.rset()
        raise _Refused(max(code for code, _ in refusals), "; ".join(text for _, text in refusals))


def _send_text(smtp: smtplib.SMTP, raw: bytes) -> None:
    """The message with its dots stuffed, up to but without the final dot."""
    stuffed = re.sub(rb"(?m)^\.", b"..", raw)
    if not stuffed.endswith(b"\r\n"):
        stuffed += b"\r\n"
    for start in range(0, len(stuffed), CHUNK_BYTES):  # the timeout is for a chunk, not for a slow line's all
        smtp.send(stuffed[start : start + CHUNK_BYTES])


def _send_final_dot(smtp: smtplib.SMTP, account: MailAccount) -> Outcome:
    """From here on a failure is Unknown: part of the dot may be on its way."""
    try:
        if smtp.sock is not None:
            smtp.sock.settimeout(account.answer_seconds)
        smtp.send(b".\r\n")
        code, words = smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return Unknown(f"{type(error).__name__}: {error}")
    if 200 <= code <= 299:
        return Accepted(f"{code} {_text(words)}")
    if 400 <= code <= 599:
        return _Refused(code, _text(words)).outcome
    return Unknown(f"the server answered {code} {_text(words)}")


def _expect(reply: tuple[int, bytes], wanted: int, step: str) -> None:
    code, words = reply
    if code != wanted:
        raise _Refused(code, f"{step}: {_text(words)}")


def _text(words: bytes | str) -> str:
    return words if isinstance(words, str) else words.decode(errors="replace")
