"""Joining a hub with a code: whom to believe, then our keys for its token. The code is said to nobody unproven."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from dataclasses import dataclass, field
from typing import Any

from local_agent.setup.begin import Begun
from vault_protocol.errors import HubUnreachable, Refused, VaultError
from vault_protocol.hub_line import parse_address
from vault_protocol.join_code import JoinCode, fingerprint
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AGENT_ID, AgentId

TIMEOUT = 30.0
LARGEST = 1 << 20
MONITORS = ("local", "briefing", "backup-pull")
"""What this machine does that a monitor on the hub's machine waits to hear of."""
_PUSH = re.compile(r"/api/push/[A-Za-z0-9]{16,64}")


@dataclass(frozen=True)
class Joined:
    """What the hub gave. `ca`: its authority in PEM; empty when the system knows it."""

    token: str = field(repr=False)
    ca: str
    agents: dict[AgentId, PublicKey]
    monitors: dict[str, str] = field(default_factory=dict, repr=False)
    """Addresses, on the hub's own host, by the names of MONITORS."""


def code_of(text: str) -> JoinCode:
    """Raises VaultError."""
    try:
        return JoinCode.parse(text)
    except ValueError as error:
        raise VaultError(str(error)) from None


def authority(url: str, code: JoinCode) -> str:
    """The certificate that the code names, asked of whoever answers and held against the code. Raises VaultError."""
    if not code.authority:
        return ""
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    said = _asked(url, blind, "GET", None)
    ca = said.get("ca")
    try:
        if isinstance(ca, str) and fingerprint(ca) == code.authority:
            return ca
    except ValueError:
        pass
    raise VaultError(f"{url} is not the hub that made this code, or the code was mistyped; nothing was told to it")


def join(url: str, code: JoinCode, ca: str, begun: Begun) -> Joined:
    """Hand over our public keys and take the token. Raises VaultError; the code is used up unless it was wrong."""
    context = ssl.create_default_context(cadata=ca or None)
    said = _asked(
        url, context, "POST",
        {
            "code": str(JoinCode(code.secret)), "vault": begun.vault, "owner_key": begun.approval.line("owner"),
            "local_key": begun.local.line("local"),
        },
    )  # fmt: skip
    try:
        agents = {str(name): str(key) for name, key in said["agents"].items()}
        if not all(AGENT_ID.fullmatch(name) for name in agents):
            raise ValueError("no agent is called so")
        keys = {AgentId(name): PublicKey.parse(key) for name, key in agents.items()}
        token = str(said["token"])
        monitors = {
            name: f"{url}{path}"
            for name, path in (said.get("monitors") or {}).items()
            if name in MONITORS and isinstance(path, str) and _PUSH.fullmatch(path)
        }
        if not token.isascii() or len(token.split()) != 1:
            raise ValueError("no token")
        return Joined(token, ca, keys, monitors)
    except (KeyError, AttributeError, ValueError) as error:
        raise VaultError(f"{url} answers what no hub says ({error})") from None


def leave(url: str, token: str, ca: str) -> None:
    """Have the hub void our token. Raises VaultError."""
    _asked(url, ssl.create_default_context(cadata=ca or None), "POST", {}, path="/v1/leave", token=token)


def _asked(
    url: str, context: ssl.SSLContext, method: str, body: dict[str, str] | None, *, path: str = "/v1/join",
    token: str = "",
) -> dict[str, Any]:  # fmt: skip
    secure, host, port = parse_address(url)
    line = (
        http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
        if secure
        else http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        line.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = line.getresponse()
        said = json.loads(answer.read(LARGEST))
    except ssl.SSLCertVerificationError as error:
        raise HubUnreachable(f"{url}: its certificate does not hold here ({error.verify_message})") from None
    except (OSError, http.client.HTTPException) as error:
        raise HubUnreachable(f"{url} does not answer: {error}") from None
    except ValueError:
        raise VaultError(f"{url} is no hub: it speaks no JSON") from None
    finally:
        line.close()
    if not isinstance(said, dict):
        raise VaultError(f"{url} is no hub")
    if answer.status != 200:
        raise Refused(str(said.get("rule", ""))[:40], "", str(said.get("reason", answer.status))[:300])
    return said
