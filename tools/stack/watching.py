"""What the services that watch and back up are told: settings made on the first run, and those that follow it."""

from __future__ import annotations

import hashlib
import hmac
import json

from tools.stack.files import once, whole
from tools.stack.settings import Settings

BACKUP = """\
# services/backup in the stack; docs/backup.md has every setting. After a change: ./just up
state_dir = "/data/state"
secret_files = ["/run/secrets/db_password"]
health_host = "0.0.0.0"
health_port = 8473

[repository]
# On this machine alone, which a lost disk takes along. Name a place elsewhere as soon as you have one, with
# append_only = true and without `every_seconds` under [keep]. Its credential goes into {secrets}/backup,
# which is /run/backup here.
location = "/repository"
password_file = "/run/backup/restic-password"
append_only = false

[keep]
every_seconds = 86400

[vault]
home = "/srv/hub"
{books}
[[folders]]
name = "kuma"
path = "/srv/kuma"
sqlite = ["kuma.db"]

[[folders]]
name = "caddy"
path = "/srv/caddy"

[[folders]]
name = "settings"
path = "/srv/settings"

[alarms]
# A file with an address outside of this machine, called while all is well; who does not hear it raises the alarm.
# dead_man = "/run/backup/dead-man"
push = {{ {push} }}

[disks]
paths = {disks}
"""
BOOKS = """
[books]
filestore = "/srv/odoo/filestore/books"
password_file = "/run/secrets/db_password"
"""
JOBS = ("vault", "books", "check", "prune", "drill", "kuma", "caddy", "settings")
OWNERS = ("local", "briefing", "backup-pull")
"""Monitors that the owner's machine calls."""
DISKS = "/srv/hub", "/srv/odoo", "/srv/db", "/srv/kuma", "/srv/caddy", "/data", "/repository"

TOLD = """\
# Who is told by Kuma, and monitors of your own: docs/runbook.md, *Monitors*. After a change: ./just up
# Secrets are files in {secrets}/monitor, mode 0444.
# notifications:
#   - {{name: phone, kind: ntfy, topic_file: /run/secrets/ntfy-topic}}
"""


def make(settings: Settings) -> None:
    """monitor.toml is ours and written each time; the others belong to the operator from the first time on."""
    jobs = [job for job in JOBS if job != "books" or settings.has_books]
    push = {job: f"/srv/pushes/backup-{job}" for job in jobs} | {"disks": "/srv/pushes/disks"}
    told = BACKUP.format(
        secrets=settings.secrets, books=BOOKS if settings.has_books else "", disks=json.dumps(DISKS),
        push=", ".join(f"{job} = {json.dumps(file)}" for job, file in push.items()),
    )  # fmt: skip
    once(settings.backup / "backup.toml", told)
    once(settings.monitor / "also.yaml", TOLD.format(secrets=settings.secrets))
    whole(settings.monitor / "monitor.toml", monitor(settings))


def monitor(settings: Settings) -> str:
    """How the monitor's service finds what it watches."""
    inside, seconds = settings.has_own_authority, settings.values.get("WATCH_SECONDS", "")
    values = {
        "HUB": "http://vault-hub:8470",
        "HUB_PUBLIC": "https://hub.home.arpa:8443" if inside else settings.url,
        "CLOUD": "http://cloud-agent:8471",
        "BOOKS": "http://odoo:8069",
        "BOOKS_PUBLIC": "https://books.home.arpa:8443" if inside else settings.public(settings.values["ODOO_NAME"]),
        "PROXY_HOST": "caddy",
        "PROXY_PORT": "8443",
        "WAY_OUT_HOST": "way-out",
        "WAY_OUT_PORT": "3128",
        "MONITOR": "http://monitor:8472",
        "METRICS": "http://prometheus:9090",
    }
    left = [
        *([] if settings.has_books else ["books", "books-public", "books-certificate", "backup-books"]),
        *([] if settings.has_metrics else ["rules"]),
    ]
    lines = [
        "# Made by ./just up; do not edit. What is yours stands in also.yaml.",
        'password_file = "/run/secrets/kuma-password"',
        'secret_file = "/run/secrets/push-secret"',
        'push_dir = "/pushes"',
        'also_file = "also.yaml"',
        f"leave_out = {json.dumps(left)}",
        'health_host = "0.0.0.0"',
        *([f"longest_seconds = {int(seconds)}", "most_retries = 0"] if seconds else []),
        "",
        "[values]",
        *(f"{name} = {json.dumps(value)}" for name, value in values.items()),
        *(line for name, shown in certificates(settings).items() for line in _certificate(name, shown)),
    ]
    return "\n".join(lines) + "\n"


def of_the_owners(settings: Settings) -> str:
    """Where the owner's machine calls its monitors, below the hub's address: `NAME PATH` lines, each path a secret."""
    secret = bytes.fromhex((settings.secrets / "monitor" / "push-secret").read_text(encoding="ascii").strip())
    return "".join(f"{name} /api/push/{_token(secret, name)}\n" for name in OWNERS)


def _token(secret: bytes, monitor: str) -> str:
    """As services/monitor makes it: monitor.tokens."""
    return hmac.new(secret, b"countersign push monitor\0" + monitor.encode(), hashlib.sha256).hexdigest()[:32]


def certificates(settings: Settings) -> dict[str, str]:
    """The names that Caddy shows a certificate for; `inside` is Cloud's way to the hub."""
    shown = {"hub": settings.values["HUB_NAME"], "inside": "hub.home.arpa", "monitors": settings.kuma_name}
    return shown | ({"books": settings.values["ODOO_NAME"]} if settings.has_books else {})


def _certificate(name: str, shown: str) -> list[str]:
    return ["", f"[certificates.{name}]", 'host = "caddy"', "port = 8443", f"name = {json.dumps(shown)}"]
