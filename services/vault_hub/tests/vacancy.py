"""A hub's process that waits for its owner, and what an owner's machine says to it."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from libs.vault_protocol.tests.made import CLOUD, LOCAL, OWNER_KEY, VAULT

from demo.hub_machine import free_port
from demo.processes import eventually
from vault_protocol.canonical import sha256
from vault_protocol.sshsig import PublicKey

ROOT = Path(__file__).parents[3]
CLOUDS_TOKEN = "clouds-own-token"


@dataclass
class Vacancy:
    """Everything of it below one folder."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def config(self) -> Path:
        return self.folder / "hub" / "hub.toml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def code(self, *flags: str, feed: str = "") -> str:
        cloud = f"cloud={sha256(CLOUDS_TOKEN.encode())} {PublicKey.of(CLOUD.key).line('cloud')}"
        argv = [sys.executable, "-m", "vault_hub", "join-code", "--config", str(self.config), "--agent", cloud, *flags]
        return subprocess.run(argv, cwd=ROOT, input=feed, check=True, capture_output=True, text=True).stdout.strip()

    def asked(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, Any]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            line.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = line.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            line.close()

    def join(self, code: str, **changes: str) -> tuple[int, Any]:
        ours = {
            "code": code, "vault": VAULT, "owner_key": PublicKey.of(OWNER_KEY).line("owner"),
            "local_key": PublicKey.of(LOCAL.key).line("local"),
        }  # fmt: skip
        return self.asked("POST", "/v1/join", {**ours, **changes})

    def answers(self, path: str = "/healthz") -> bool:
        try:
            return self.asked("GET", path)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def has_owner(self) -> bool:
        return self.answers("/readyz")


def figures(port: int) -> bytes:
    """What a hub gives of them to somebody without a credential."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        line.request("GET", "/metrics")
        answer = line.getresponse()
        assert answer.status == 200
        return answer.read()
    finally:
        line.close()


@contextmanager
def vacancy(folder: Path) -> Iterator[Vacancy]:
    port = free_port()
    argv = [
        sys.executable, "-m", "vault_hub", "run", "--config", str(folder / "hub" / "hub.toml"), "--await-owner",
        "--port", str(port), "--introduce", str(folder / "introduction"), "--open-metrics",
    ]  # fmt: skip
    (folder / "hub").mkdir()
    (folder / "introduction").mkdir()
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        found = Vacancy(folder, port, process)
        try:
            eventually(found.answers, "the vacant hub answers", seconds=60)
            yield found
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(60) == 0
            finally:
                process.kill()
