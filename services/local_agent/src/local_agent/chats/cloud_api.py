"""WhatsApp's own interface for businesses. It sends; what comes in it brings to a webhook, where the owner has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_agent.chats.webhook import Webhook
from local_agent.networks.graph import Graph
from local_agent.networks.network import NotPublished


class CloudApi:
    """Implements `Phone` for one number by its id."""

    def __init__(self, graph: Graph, *, phone_id: str, listen: Callable[[], Webhook] | None = None) -> None:
        """`listen` begins to receive; it raises NotPublished, which hinders no sending."""
        self._graph, self._phone_id, self._listen = graph, phone_id, listen
        self._webhook: Webhook | None = None

    def send(self, *, to: str, chat: str, answers: str, text: str) -> str:
        body: dict[str, Any] = {
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": to.removeprefix("+"), "type": "text",
            "text": {"preview_url": False, "body": text},
        }  # fmt: skip
        if answers:
            body["context"] = {"message_id": answers}
        return self._graph.post(f"/{self._phone_id}/messages", json=body).text("messages", 0, "id")

    def state(self) -> str:
        """Receiving begins with the first look, in the one process that looks; a port that is taken is tried again."""
        if self._webhook is None and self._listen is not None:
            try:
                self._webhook = self._listen()
            except NotPublished as error:
                return str(error)
        return "ok"  # for sending nothing is connected; the first message tells

    def close(self) -> None:
        if self._webhook is not None:
            self._webhook.close()
        self._graph.http.close()
