"""WhatsApp's own interface for businesses. It sends; what comes in it would bring to a public address only."""

from __future__ import annotations

from typing import Any

from local_agent.networks.graph import Graph


class CloudApi:
    """Implements `Phone` for one number by its id."""

    def __init__(self, graph: Graph, *, phone_id: str) -> None:
        self._graph, self._phone_id = graph, phone_id

    def send(self, *, to: str, chat: str, answers: str, text: str) -> str:
        body: dict[str, Any] = {
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": to.removeprefix("+"), "type": "text",
            "text": {"preview_url": False, "body": text},
        }  # fmt: skip
        if answers:
            body["context"] = {"message_id": answers}
        return self._graph.post(f"/{self._phone_id}/messages", json=body).text("messages", 0, "id")

    def state(self) -> str:
        return "ok"  # nothing is connected; the first message tells

    def close(self) -> None:
        self._graph.http.close()
