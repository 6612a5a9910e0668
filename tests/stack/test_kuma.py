"""Real Uptime Kuma: set up from code, drift found; seven failures turn the right monitor red and green again."""

import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from services.monitor.tests.wishing import SECRET, TEXT, VALUES

from cloud_agent.health import Health
from cloud_agent.surface import Surface
from cloud_agent.watchers.mailbox_settings import Credential
from cloud_agent.watchers.waiting import Trouble
from demo.processes import eventually
from monitor import verbs
from monitor.plan import plan
from monitor.socket_kuma import SocketKuma, connected
from monitor.wanted import parse
from monitor.wishes import Pace, items
from tests.stack.kuma import running
from vault_protocol.clock import SystemClock

SECONDS = 120.0
DOWN, UP = 0, 1


class Site(ThreadingHTTPServer):
    """A page that says `text`, and keeps what is posted to it."""

    daemon_threads = True

    def __init__(self, port: int = 0, text: str = "oe_login_form") -> None:
        super().__init__(("127.0.0.1", port), Page)
        self.text, self.posted = text, list[bytes]()
        self.port: int = self.server_address[1]
        Thread(target=self.serve_forever, daemon=True).start()

    def end(self) -> None:
        self.shutdown()
        self.server_close()


class Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self._say(self.server.text.encode())

    def do_POST(self) -> None:
        self.server.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self._say(b"")

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@contextmanager
def site() -> Iterator[Site]:
    made = Site()
    try:
        yield made
    finally:
        made.end()


def all_are(kuma: SocketKuma, names: set[str], state: int) -> Callable[[], bool]:
    return lambda: {name for name, now in kuma.states().items() if now == state} >= names


def push(base: str, token: object, status: str = "up") -> None:
    with urllib.request.urlopen(f"{base}/api/push/{token}?status={status}&msg=told", timeout=20) as answer:
        assert answer.status == 200


@pytest.mark.soak
def test_monitors_from_code_turn_red_and_green_with_what_they_watch(tmp_path: Path) -> None:
    health = Health.of(tmp_path / "health.json", SystemClock(), {"office": Credential.READS_ONLY})
    health.last_step = datetime(9999, 1, 1, tzinfo=UTC)
    surface = Surface(health, "127.0.0.1", 0, lambda: datetime.now(UTC))
    hub = Site()
    with site() as books, site() as told, site() as proxy, running() as base:
        (tmp_path / "hook").write_text(f"http://127.0.0.1:{told.port}/hook\n", encoding="utf-8")
        values = {
            **VALUES, "HUB": f"http://127.0.0.1:{hub.port}", "HUB_PUBLIC": f"http://127.0.0.1:{proxy.port}",
            "CLOUD": f"http://127.0.0.1:{surface.port}", "BOOKS": f"http://127.0.0.1:{books.port}",
            "PROXY_PORT": str(hub.port),
        }  # fmt: skip
        note = f"notifications:\n  - {{name: owner, kind: webhook, url_file: {tmp_path / 'hook'}}}\n"
        wanted = parse(TEXT + note, values)
        wishes = items(wanted, SECRET, lambda file: file.read_text(encoding="utf-8").strip(), Pace(20, 0))
        tokens = {item.name: item.facts["token"] for item in wishes if "token" in item.facts}
        with connected(base, "countersign", "A-Passw0rd-of-a-test", SECONDS) as kuma:
            verbs.apply(kuma, wishes)
            assert verbs.apply(kuma, wishes).changes == ()
            slower = items(wanted, SECRET, lambda file: file.read_text(encoding="utf-8").strip(), Pace(45, 0))
            assert {change.differs for change in plan(slower, kuma.found()).changes} == {("every", "again")}

            watched = {"hub", "proxy", "books", "cloud-drafter", "cloud-disk", "cloud-mailboxes", "backup-vault"}
            push(base, tokens["backup-vault"])
            eventually(all_are(kuma, watched, UP), "all that is well is green", seconds=SECONDS)

            hub.end()
            books.text, health.drafter_ok, health.disk_ok = "an error", False, False
            health.trouble("office", Trouble.AUTH)
            push(base, tokens["backup-vault"], "down")
            eventually(all_are(kuma, watched, DOWN), "all that failed is red", seconds=SECONDS)
            assert all_are(kuma, {"cloud", "cloud-hub", "cloud-head", "hub-public"}, UP)()
            eventually(lambda: any(b"[hub]" in one for one in told.posted), "the owner is told", seconds=SECONDS)

            hub = Site(hub.port)
            books.text, health.drafter_ok, health.disk_ok = "oe_login_form", True, True
            health.trouble("office", None)
            push(base, tokens["backup-vault"])
            eventually(all_are(kuma, watched - {"backup-vault"}, UP), "what healed is green", seconds=SECONDS)
            push(base, tokens["backup-vault"])
            eventually(all_are(kuma, {"backup-vault"}, UP), "so is the backup", seconds=SECONDS)
    hub.end()
    surface.close()
