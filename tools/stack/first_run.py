"""What a stack has of its own, made on the first run and kept: secrets, Cloud's settings, the list of ways out."""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.stack import books, watching
from tools.stack.engine import StackFailed
from tools.stack.files import once, whole
from tools.stack.settings import Settings

PROVIDERS = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com"}
GOOGLE = ("gmail.googleapis.com", "oauth2.googleapis.com")
"""The mail, and the tokens that it is read with."""
SUBMISSION = frozenset({25, 465, 587, 2525})

CLOUD = """\
# cloud_agent in the stack. The vault's id and the owner's key come from the hub. After a change: ./just up
hub = "https://hub.home.arpa:8443"
hub_token_file = "/run/secrets/hub-token"
hub_ca_file = "hub-ca.pem"
state_dir = "/data/state"
key_file = "/data/keys/cloud"
secret_file = "/run/secrets/installation"
owner_name = "{owner}"
skills_dir = "/opt/countersign/skills"
way_out = "way-out:3128"
health_host = "0.0.0.0"
health_port = 8471
# Where there are further agents, a mail that is not here is left to the one that has it.
leave_seconds = {leave}

# A mailbox to watch. What opens it goes into a file of its own: {secrets}/cloud/NAME, mode 0444. The runbook says
# which of three ways is yours: Gmail by a grant that only reads (./just gmail-login), an inbox of Cloud's own that your
# mail is forwarded to (own_inbox = true), or your mailbox's password, which can usually send: the way out holds it.
# [[mailboxes]]
# name = "business"
# kind = "business"
# address = "you@gmail.com"
# source = "gmail"
# grant_file = "/run/secrets/business"
#
# [[mailboxes]]
# name = "business"
# kind = "business"
# address = "you@example.com"
# host = "imap.example.com"
# port = 993
# user = "you@example.com"
# password_file = "/run/secrets/business"
"""
BOOKS = f"""
# Where Cloud drafts invoices and bills, as a user that can do nothing else. `up` made it and its key.
[books]
url = "http://odoo:8069"
database = "{books.NAME}"
login = "{books.LOGIN}"
key_file = "/run/secrets/books-key"
"""


INSTALLATION = "cloud/installation"
"""What makes one task of one mail, whoever of Cloud's agents saw it first: all of a hub have the same."""
LEAVE_SECONDS = 120
GRAFANA = "grafana_password"
MADE = (
    "db_password",
    "odoo_admin_password",
    GRAFANA,
    "cloud/hub-token",
    INSTALLATION,
    "monitor/kuma-password",
    "monitor/push-secret",
    "backup/restic-password",
)
"""Secrets of chance. What holds data was made with them: a stack that finds others does not open its own."""


def make(settings: Settings) -> None:
    """Folders and files that are not there yet. A container reads files of its own alone, whatever its user."""
    ours = (settings.cloud, settings.way_out, settings.authority, settings.monitor, settings.backup)
    folders(settings, secrets=("cloud", "monitor", "backup"), ours=ours)
    left_out = {INSTALLATION: _has_its_own(settings), GRAFANA: "grafana" not in settings.profiles}
    make_secrets(settings, tuple(name for name in MADE if not left_out.get(name)))
    cloud = CLOUD.format(owner=owner(settings), secrets=settings.secrets, leave=LEAVE_SECONDS)
    once(settings.cloud / "cloud.toml", cloud + (BOOKS if settings.has_books else ""))
    whole(settings.way_out / "allowed.conf", allowed(settings.cloud / "cloud.toml"))
    watching.make(settings)


def folders(settings: Settings, *, secrets: tuple[str, ...], ours: tuple[Path, ...]) -> None:
    """The state's own, closed to others above, and those that containers read."""
    settings.state.mkdir(parents=True, exist_ok=True)
    settings.state.chmod(0o700)
    for folder in (settings.secrets, *(settings.secrets / name for name in secrets), *ours):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def make_secrets(settings: Settings, names: tuple[str, ...]) -> None:
    for name in names:
        once(settings.secrets / name, secrets.token_hex(32))


def owner(settings: Settings) -> str:
    """As a word of TOML."""
    return settings.values.get("OWNER_NAME", "The owner").replace("\\", "").replace('"', "'")


def _has_its_own(settings: Settings) -> bool:
    """Whether this stack began when Cloud's container still made the secret for itself."""
    file = settings.cloud / "cloud.toml"
    return file.exists() and 'secret_file = "/data/secret"' in file.read_text(encoding="utf-8")


def token_hash(settings: Settings) -> str:
    """Of Cloud's token at the hub."""
    token = (settings.secrets / "cloud" / "hub-token").read_text(encoding="ascii").strip()
    return hashlib.sha256(token.encode("ascii")).hexdigest()


def allowed(cloud: Path) -> str:
    """squid's words for the hosts and ports that Cloud's settings name. Raises StackFailed."""
    try:
        values: dict[str, Any] = tomllib.loads(cloud.read_text(encoding="utf-8"))
        boxes = [place for box in values.get("mailboxes", []) for place in places(box)]
        if "hub_way_out" in values:
            hub = urlsplit(values["hub"])
            boxes.append((str(hub.hostname), hub.port or 443))
        drafter = values.get("drafter", {})
        address = drafter.get("base_url") or PROVIDERS.get(drafter.get("provider", ""), "")
        parts = urlsplit(address)
        if parts.hostname:
            boxes.append((parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)))
    except KeyError as error:
        raise StackFailed(f"{cloud}: {error} is missing") from None
    except (tomllib.TOMLDecodeError, ValueError, AttributeError, TypeError) as error:
        raise StackFailed(f"{cloud}: {error}") from None
    lines = ["# Made from cloud.toml by ./just up; do not edit."]
    for at, (host, port) in enumerate(sorted(set(boxes))):
        if port in SUBMISSION:
            raise StackFailed(f"{cloud}: port {port} of {host} is where mail is handed in; Cloud only reads")
        if not host.isascii() or not host.replace("-", "").replace(".", "").isalnum():
            raise StackFailed(f"{cloud}: {host!r} is no host name")
        lines += [f"acl host{at} dstdomain {host}", f"acl port{at} port {port}", f"http_access allow host{at} port{at}"]
    return "\n".join(lines) + "\n"


def places(mailbox: dict[str, Any]) -> list[tuple[str, int]]:
    """Where a mailbox of Cloud's settings is read."""
    if mailbox.get("source", "imap") == "gmail":
        return [(host, 443) for host in GOOGLE]
    return [(str(mailbox["host"]), int(mailbox["port"]))]
