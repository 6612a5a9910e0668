"""How one short text reaches the owner. Each says by an exception that it did not, and never shows its secret."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import make_msgid

from correspondence import Mailbox, message
from local_agent.http import Answer, Http, NoAnswer, NotSent
from local_agent.mail_account import AuthFailed, MailAccount
from local_agent.notify.settings import NotifySettings
from local_agent.submission import Accepted, Unknown, submit

SECONDS = 10.0
TITLE = "Countersign"


class NotTold(Exception):
    """It did not arrive. `again`: when the other side may be asked again, if it says so."""

    def __init__(self, reason: str, again: timedelta | None = None) -> None:
        super().__init__(reason)
        self.again = again


Tell = Callable[[str], None]
"""Tell the owner these words. Raises NotTold."""


@dataclass(frozen=True)
class Around:
    """What the ways need of this machine: the secret of a name (VaultError without one), an account, the time."""

    secret: Callable[[str], str]
    account: Callable[[str], MailAccount]
    now: Callable[[], datetime]


def way(settings: NotifySettings, around: Around) -> Tell:
    """How this one tells."""
    match settings.way:
        case "desktop":
            return desktop
        case "ntfy":
            return lambda text: ntfy(settings, around.secret(settings.secret_entry), text)
        case "telegram":
            return lambda text: telegram(settings, around.secret(settings.secret_entry), text)
        case "mail":
            return lambda text: mail(around.account(settings.account), text, around.now())


def desktop(text: str) -> None:
    """By the desktop's own program; the text is an argument, never part of a command."""
    if sys.platform == "darwin":
        script = "on run argv\ndisplay notification (item 1 of argv) with title (item 2 of argv)\nend run"
        argv = ["osascript", "-e", script, text, TITLE]
    else:
        argv = ["notify-send", "--app-name", TITLE, "--", TITLE, text]
    if shutil.which(argv[0]) is None:
        raise NotTold(f"{argv[0]} is not installed")
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotTold(f"{argv[0]} does not end") from None
    if done.returncode:
        raise NotTold(f"{argv[0]}: {done.stderr.strip()[:200] or f'exit {done.returncode}'}")


def ntfy(settings: NotifySettings, secret: str, text: str) -> None:
    """https://docs.ntfy.sh/publish/#publish-as-json: the topic, a password on a public server, is in no address."""
    topic, _, token = secret.strip().partition(" ")
    headers = {"Authorization": f"Bearer {token.strip()}"} if token.strip() else {}
    http = Http(settings.address, headers, seconds=SECONDS, ca_file=settings.ca_file)
    _told("ntfy", lambda: http.ask("POST", "/", body={"topic": topic, "title": TITLE, "message": text}))


def telegram(settings: NotifySettings, token: str, text: str) -> None:
    """https://core.telegram.org/bots/api#sendmessage"""
    http = Http(f"{settings.address}/bot{token.strip()}/", {}, seconds=SECONDS, ca_file=settings.ca_file)
    answer = _told("telegram", lambda: http.ask("POST", "sendMessage", body={"chat_id": settings.chat, "text": text}))
    if not isinstance(answer.body, dict) or answer.body.get("ok") is not True:
        raise NotTold("telegram does not say that it took it")


def mail(account: MailAccount, text: str, now: datetime) -> None:
    """To the account's own address: fixed words to the owner alone, which is no act in their name."""
    if account.way != "smtp":
        raise NotTold(f"the account {account.name} has no submission server")
    own = Mailbox(TITLE, account.address)
    raw = message(
        sender=own, to=[own], cc=[], subject=text.splitlines()[0], in_reply_to=None, references=[], text=text + "\n",
        quote="", files=[], message_id=make_msgid(domain=account.address.rpartition("@")[2]), date=now,
    )  # fmt: skip
    try:
        outcome = submit(account, raw, account.address, [account.address])
    except (AuthFailed, ValueError) as error:
        raise NotTold(str(error)) from None
    if not isinstance(outcome, Accepted | Unknown):
        raise NotTold(f"the mail server did not take it: {type(outcome).__name__}")


def _told(who: str, ask: Callable[[], Answer]) -> Answer:
    """An answer that is lost counts as none: to be told twice is better than never."""
    try:
        answer = ask()
    except (NotSent, NoAnswer) as error:
        raise NotTold(f"{who} does not answer ({type(error).__name__})") from None
    if answer.ok:
        return answer
    again = answer.retry_after()
    if again is None and isinstance(answer.body, dict):  # as Telegram says it
        parameters = answer.body.get("parameters")
        seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
        again = timedelta(seconds=min(seconds, 86_400)) if isinstance(seconds, int) and seconds > 0 else None
    raise NotTold(f"{who} answers {answer.status}", again)
