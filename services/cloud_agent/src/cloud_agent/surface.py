"""What monitors ask of the agent over HTTP: /healthz, /state, /metrics. Nothing on it is from a mail, nothing acts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cloud_agent.health import Health
from cloud_agent.watchers.waiting import Trouble
from drafting.budget.caps import MILLION, Cap
from vault_protocol.errors import VaultError

STALE_SECONDS = 120.0
"""The worker looks round at least every thirty."""

TEXT, NOT_FOUND, ILL, WELL = "text/plain; version=0.0.4; charset=utf-8", 404, 503, 200
PREFIX = "countersign_cloud_"


def state(health: Health) -> str:
    """A line for each thing that can be wrong, `ok` or `bad`: what keyword monitors look for."""
    return "".join(f"{name} {'ok' if holds else 'bad'}\n" for name, holds in _flags(health).items())


def metrics(health: Health) -> str:
    """In Prometheus' text form."""
    lines = [f"{PREFIX}{name}_ok {int(holds)}" for name, holds in _flags(health).items()]
    if health.last_step is not None:  # one that never comes is what /healthz tells
        lines.append(f"{PREFIX}last_step_timestamp_seconds {_stamp(health.last_step)}")
    for name, box in sorted(health.mailboxes.items()):
        lines += [
            f'{PREFIX}mailbox_trouble{{mailbox="{name}",trouble="{trouble.value}"}} {int(box.trouble is trouble)}'
            for trouble in Trouble
        ]
        lines.append(f'{PREFIX}mailbox_credential{{mailbox="{name}",credential="{box.credential.value}"}} 1')
        if box.last_mail is not None:
            lines.append(f'{PREFIX}last_mail_timestamp_seconds{{mailbox="{name}"}} {_stamp(box.last_mail)}')
    return "\n".join([*lines, *_spent(health)]) + "\n"


def is_alive(health: Health, now: datetime) -> bool:
    """Whether the worker made a step lately. What is wrong outside of the agent does not count."""
    return health.last_step is not None and (now - health.last_step).total_seconds() < STALE_SECONDS


class Surface:
    """Answers on a thread of its own until it is closed."""

    def __init__(self, health: Health, host: str, port: int, now: Callable[[], datetime]) -> None:
        """Raises VaultError when the port is taken."""

        class Answers(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                code, text = answer(health, self.path, now())
                self.send_response(code)
                self.send_header("Content-Type", TEXT)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
                """A monitor that looks every minute is no event."""

        try:
            self._server = ThreadingHTTPServer((host, port), Answers)
        except OSError as error:
            raise VaultError(f"health_port: cannot listen on {host}:{port}: {error.strerror}") from None
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="surface", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def answer(health: Health, path: str, now: datetime) -> tuple[int, str]:
    match path:
        case "/healthz":
            return (WELL, "alive\n") if is_alive(health, now) else (ILL, "no step lately\n")
        case "/state":
            return WELL, state(health)
        case "/metrics":
            return WELL, metrics(health)
        case _:
            return NOT_FOUND, "not here\n"


def _flags(health: Health) -> dict[str, bool]:
    watched = [box for box in health.mailboxes.values() if box.trouble not in (None, Trouble.NOT_TAKEN)]
    spent = health.spending()
    return {
        "hub": health.hub_reachable,
        "head": not health.untrusted,
        "disk": health.disk_ok and health.is_written,
        "drafter": health.drafter_ok,
        "budget": spent is None or not spent.day_is_over,
        "mailboxes": not watched,
    }


def _spent(health: Health) -> list[str]:
    spent = health.spending()
    if spent is None:
        return []
    refused = dict(spent.capped)
    return [
        f"{PREFIX}spent_today_tokens {spent.tokens}",
        f"{PREFIX}spent_today_tokens_cached {spent.cached}",
        f"{PREFIX}spent_today_money {spent.money / MILLION:.6f}",
        f"{PREFIX}spent_today_requests {spent.requests}",
        *(f'{PREFIX}budget_refused_today{{cap="{cap.value}"}} {refused.get(cap, 0)}' for cap in Cap),
    ]


def _stamp(at: datetime) -> int:
    return int(at.timestamp())
