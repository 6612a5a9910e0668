"""The social networks as rows of `connectors`: each is an outside of its own, behind the one connector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from services.local_agent.tests.networks.desk import JPEG, SERVERS, account_at

from demo.network import Outside as Server
from local_agent.effects import Connector, Ledger
from local_agent.mcp.social_connector import SocialConnector
from local_agent.networks.network import Network
from local_agent.networks.opening import open_network
from tests.prove.outsides import Now, Outside, Row, found, tell
from vault_protocol.action import Action, Media, PublishPost
from vault_protocol.canonical import sha256
from vault_protocol.social_action import NETWORKS

PICTURE = Media(name="shop.jpg", media_type="image/jpeg", size=len(JPEG), sha256=sha256(JPEG), alt="Shop")


class _Network:
    """By the words of each post."""

    def __init__(self, server: Server, network: str) -> None:
        self._server, self._network = server, network

    def action(self, number: int) -> Action:
        words = self.mark(number, "") + "\n"
        return PublishPost.model_validate(
            {"account": "able", "network": self._network, "text": words, "media": (PICTURE,)}
        )

    def happened(self) -> list[str]:
        return self._server.shown()

    def mark(self, number: int, key: str) -> str:
        return f"News number {number} of many."


@contextmanager
def _serve(network: str, folder: Path, one_in: int) -> Iterator[Outside]:
    with SERVERS[network](one_in=one_in, chance=Random(11)) as server:
        tell(folder, url=server.url)
        yield _Network(server, network)


def _connector(network: str, folder: Path, now: Now) -> Connector[Any]:
    account = account_at(folder, network, found(folder)["url"])
    return SocialConnector(
        lambda _: account, lambda of: _opened(folder, lambda: open_network(of)), lambda _: JPEG, now,
        known=lambda: _known(folder), wait=lambda _: None,
    )  # fmt: skip


def _known(folder: Path) -> frozenset[str]:
    with closing(Ledger(folder / "ledger.sqlite")) as ledger:
        return frozenset(word for detail in ledger.details("social") for word in detail.split())


_OPEN: dict[Path, Network] = {}


def _opened(folder: Path, opening: Callable[[], Network]) -> Network:
    """Once for each folder: to begin with TLS's certificates costs more than ten calls."""
    if folder not in _OPEN:
        _OPEN[folder] = opening()
    return _OPEN[folder]


NETWORK_ROWS = tuple(
    Row(f"social-{network}", partial(_serve, network), partial(_connector, network), of="social")
    for network in NETWORKS
)
