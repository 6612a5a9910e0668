"""From an account in the settings to its network, logged in."""

from __future__ import annotations

import time
from collections.abc import Callable

from local_agent.networks.account import SocialAccount
from local_agent.networks.bluesky import Bluesky
from local_agent.networks.facebook import Facebook
from local_agent.networks.graph import Graph
from local_agent.networks.http import Http
from local_agent.networks.instagram import Instagram
from local_agent.networks.linkedin import LinkedIn
from local_agent.networks.mastodon import Mastodon
from local_agent.networks.network import Network
from local_agent.networks.oauth1 import Keys, OAuth1
from local_agent.networks.x import X

LINKEDIN_VERSION, GRAPH_VERSION = "202510", "v24.0"


def open_network(account: SocialAccount, *, wait: Callable[[float], object] = time.sleep) -> Network:
    """Raises BadLogin when there is no secret, or none of the right form. `wait` is given seconds."""
    how: dict[str, str] = {}
    if account.network == "x":
        keys = Keys(**account.fields())
        return X(Http(account.address, auth=OAuth1(keys), timeout=account.timeout_seconds, ca_file=account.ca_file))
    secret = account.secret()
    address = account.address
    if account.network in ("facebook", "instagram"):
        address = f"{address.rstrip('/')}/{account.version or GRAPH_VERSION}"
    if account.network != "bluesky":
        how["Authorization"] = f"Bearer {secret}"
    if account.network == "linkedin":
        how |= {"LinkedIn-Version": account.version or LINKEDIN_VERSION, "X-Restli-Protocol-Version": "2.0.0"}
    http = Http(address, headers=how, timeout=account.timeout_seconds, ca_file=account.ca_file)
    match account.network:
        case "linkedin":
            return LinkedIn(http, author=account.user)
        case "facebook":
            return Facebook(Graph(http), page=account.user)
        case "instagram":
            return Instagram(Graph(http), user=account.user, page=account.page, wait=wait)
        case "mastodon":
            return Mastodon(http, wait=wait)
        case "bluesky":
            return Bluesky(http, handle=account.user, password=secret)
