"""A WhatsApp message as an effect. Nobody can be asked whether it went out: that is for the owner to settle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from local_agent.chats.letters import Letters, NotHere
from local_agent.chats.phone import Phone
from local_agent.effects.execute import Outcome, Policy
from local_agent.effects.ledger import State
from local_agent.networks.network import AnswerLost, BadLogin, NotPublished, RefusedThere
from local_agent.whatsapp_account import WhatsAppAccount
from vault_protocol.action import SendSealed, SendWhatsApp
from vault_protocol.approval import Approved
from vault_protocol.errors import VaultError

M = TypeVar("M", SendWhatsApp, SendSealed)


class WhatsAppConnector(Generic[M]):
    """Implements `effects.Connector` for SendWhatsApp, and for SendSealed, whose words it opens."""

    name = "whatsapp"
    policy = Policy(dedupe="none", probe="nowhere: WhatsApp shows no program what was sent", retries=True)

    def __init__(
        self, account: Callable[[str], WhatsAppAccount], phone: Callable[[WhatsAppAccount], Phone], letters: Letters
    ) -> None:
        self._account, self._phone, self._letters = account, phone, letters

    def perform(self, what: Approved[M], *, key: str, at: datetime) -> Outcome:
        try:
            message = self._words(what.action)
            phone = self._phone(self._account(message.account))
            id_ = phone.send(to=message.to, chat=message.chat, answers=message.answers, text=message.text.rstrip("\n"))
        except BadLogin as error:
            return Outcome(State.NOT_DONE, str(error), pause=f"login failed: {error}")
        except (RefusedThere, VaultError) as error:
            return Outcome(State.REFUSED, str(error))
        except NotPublished as error:
            return Outcome(State.NOT_DONE, str(error))
        except AnswerLost as error:
            return Outcome(State.UNKNOWN, f"the answer was lost: {error}")
        return Outcome(State.CONFIRMED, id_)

    def probe(self, action: M, *, key: str, at: datetime, tried: datetime) -> Outcome:
        return Outcome(State.UNKNOWN, "WhatsApp cannot be asked; look into the chat on your phone")

    def afterwards(self, action: M, *, key: str, at: datetime) -> None:
        return

    def _words(self, action: SendWhatsApp | SendSealed) -> SendWhatsApp:
        found = self._letters.opened(action)
        if not isinstance(found, SendWhatsApp):
            raise NotHere("it stands for no WhatsApp message")
        return found
