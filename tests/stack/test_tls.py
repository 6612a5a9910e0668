"""What testssl.sh finds at the real Caddy with the shipped sites, and that it would find what is wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from demo.processes import eventually
from tests.stack.books import free_port
from tests.stack.stand_ins import CADDY
from tools.workspace import ROOT

pytestmark = pytest.mark.stack

RATED_WELL = {"OK", "INFO", "DEBUG"}
OF_THE_INSIDE = {
    "cert_expirationStatus": "an inside certificate lives for half a day",
    "cert_notAfter": "as above",
    "cert_revocation": "and so nobody has to take it back",
    "DNS_CAArecord": "localhost is in no zone",
}
KNOWN = OF_THE_INSIDE | {
    "TLS_session_ticket": "Go, which Caddy is made with, gives tickets for a week, and new keys for them every day",
    "HTTP_status_code": "the path that is asked for is closed, and answers 404",
    "secure_renego": "there is none to test: TLS 1.3 has no renegotiation, and Caddy allows none in 1.2",
    "engine_problem": "of the checker: this OpenSSL has no engine for GOST, which no site of ours speaks",
}


@contextmanager
def caddy(folder: Path, *, hsts: str) -> Iterator[int]:
    """Its port. The sites are the shipped ones; only the ports are others."""
    ports = {"8080": free_port(), "8443": free_port(), "8081": free_port()}
    text = (ROOT / "services" / "caddy" / "Caddyfile").read_text(encoding="utf-8")
    for shipped, here in ports.items():
        text = text.replace(f"http_port {shipped}", f"http_port {here}").replace(
            f"https_port {shipped}", f"https_port {here}"
        )
        text = text.replace(f"http://127.0.0.1:{shipped} ", f"http://127.0.0.1:{here} ")
    (folder / "Caddyfile").write_text(text, encoding="utf-8")
    names = {"HUB_NAME": "localhost", "ODOO_NAME": "odoo.localhost", "KUMA_NAME": "status.localhost"}
    issuers = {"TLS_ISSUER": "internal", "KUMA_ISSUER": "internal", "HSTS": hsts}
    places = {"XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config"), "HOME": str(folder)}
    argv = [str(CADDY), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with subprocess.Popen(
        argv, env={**os.environ, **names, **issuers, **places}, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            eventually(lambda: _listens(ports["8443"]), "Caddy listens", seconds=60)
            eventually(lambda: authority(folder).exists(), "it has an authority", seconds=60)
            yield ports["8443"]
        finally:
            process.terminate()


def authority(folder: Path) -> Path:
    return folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"


def found_wrong(folder: Path, port: int, *checks: str) -> dict[str, str]:
    """What testssl.sh does not rate well, by its own names."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    argv = ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--jsonfile", str(report),
            "--add-ca", str(authority(folder)), *checks, f"https://localhost:{port}/metrics"]  # fmt: skip
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=900, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    rows = json.loads(report.read_text(encoding="utf-8"))
    assert len(rows) > 3, done.stdout
    return {row["id"]: f"{row['severity']}: {row['finding']}" for row in rows if row["severity"] not in RATED_WELL}


def _listens(port: int) -> bool:
    with closing(socket.socket()) as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def test_testssl_rates_protocols_ciphers_certificate_headers_and_known_attacks_clean(tmp_path: Path) -> None:
    with caddy(tmp_path, hsts="max-age=31536000") as port:
        wrong = found_wrong(
            tmp_path, port, "--protocols", "--server-defaults", "--server-preference", "--headers", "--vulnerable"
        )
    assert {name: said for name, said in wrong.items() if name not in KNOWN} == {}


def test_testssl_would_say_so_if_a_public_site_had_no_strict_transport_security(tmp_path: Path) -> None:
    with caddy(tmp_path, hsts="max-age=0") as port:
        wrong = found_wrong(tmp_path, port, "--headers")
    assert any(name.startswith("HSTS") for name in wrong), wrong
