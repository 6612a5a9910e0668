"""The control socket: a closed set of requests, from its own user, each bounded."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_agent.control import LINE, AlreadyRunning, ControlServer, ServiceNotRunning, ask
from vault_protocol.errors import VaultError
from vault_protocol.keys import WrongPassphrase


def refuse(_request: dict[str, Any]) -> dict[str, Any]:
    raise WrongPassphrase("the passphrase does not open this key")


def break_down(request: dict[str, Any]) -> dict[str, Any]:
    raise KeyError(request["passphrase"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


@pytest.fixture
def server(path: Path) -> Iterator[ControlServer]:
    server = ControlServer(
        path, {"echo": lambda request: {"got": request}, "refuse": refuse, "break": break_down}, patience=0.5
    )
    server.start()
    yield server
    server.stop()


def speak(path: Path, raw: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(10)
        caller.connect(str(path))
        caller.sendall(raw)
        return caller.recv(LINE)


@pytest.mark.usefixtures("server")
def test_a_request_gets_its_answer(path: Path) -> None:
    assert ask(path, {"do": "echo", "minutes": 3}) == {"got": {"minutes": 3}}


@pytest.mark.usefixtures("server")
def test_nothing_but_the_known_requests_is_done(path: Path) -> None:
    for request in ({"do": "sign"}, {}, {"do": ["echo"]}):
        with pytest.raises(VaultError, match="it knows break, echo, refuse"):
            ask(path, request)


@pytest.mark.usefixtures("server")
def test_a_refusal_comes_in_its_words_and_a_bug_without_values(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(VaultError, match="does not open this key"):
        ask(path, {"do": "refuse"})
    with pytest.raises(VaultError, match=r"failed at break \(KeyError\)") as told:
        ask(path, {"do": "break", "passphrase": "hunter2"})
    said = capsys.readouterr()
    assert "hunter2" not in str(told.value) + said.out + said.err
    assert ask(path, {"do": "echo"}) == {"got": {}}


@pytest.mark.usefixtures("server")
def test_only_its_user_can_open_it(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"x" * (LINE + 10), b"bytes at most"),
        (b"[" * 5000 + b"\n", b"no JSON"),
        (b"\xff\n", b"no JSON"),
        (b"[1]\n", b"no JSON object"),
        (b'{"do": "echo"', b"too long to say"),
    ],
)
def test_a_bad_line_is_answered_and_the_next_is_served(path: Path, raw: bytes, says: bytes) -> None:
    assert says in speak(path, raw)
    assert ask(path, {"do": "echo"}) == {"got": {}}


@pytest.mark.usefixtures("server")
def test_a_caller_that_drips_is_cut_off_in_time(path: Path) -> None:
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.02):
                try:
                    caller.send(b" ")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        assert ask(path, {"do": "echo"}, patience=10) == {"got": {}}
        stop.set()
        thread.join()
    assert time.monotonic() - began < 5


def test_without_a_service_it_is_said(path: Path) -> None:
    with pytest.raises(ServiceNotRunning, match="countersign run"):
        ask(path, {"do": "echo"})


def test_one_service_for_one_home(server: ControlServer, path: Path) -> None:
    with pytest.raises(AlreadyRunning):
        ControlServer(path, {}).start()
    assert ask(path, {"do": "echo"}) == {"got": {}}
    server.stop()
    server.stop()
    assert not path.exists()
    again = ControlServer(path, {"echo": lambda _request: {}})
    again.start()
    assert ask(path, {"do": "echo"}) == {}
    again.stop()


def test_the_socket_of_a_dead_process_is_replaced(path: Path) -> None:
    code = (
        "import sys, os, signal; from pathlib import Path; from local_agent.control import ControlServer;"
        f"ControlServer(Path({str(path)!r}), {{}}).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert path.exists()
    with pytest.raises(ServiceNotRunning):
        ask(path, {"do": "echo"})
    server = ControlServer(path, {"echo": lambda _request: {}})
    server.start()
    assert ask(path, {"do": "echo"}) == {}
    server.stop()


def test_a_home_with_a_very_long_path_works(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 40) / "run" / "control.sock"
    assert len(os.fsencode(path)) > 108
    server = ControlServer(path, {"echo": lambda _request: {}})
    server.start()
    assert ask(path, {"do": "echo"}) == {}
    server.stop()
