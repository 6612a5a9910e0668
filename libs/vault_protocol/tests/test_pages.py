import socket
import urllib.error
import urllib.request

import pytest

from vault_protocol.errors import VaultError
from vault_protocol.pages import NOT_FOUND, WELL, Pages


def say(path: str) -> tuple[int, str]:
    return (WELL, "well\n") if path == "/healthz" else (NOT_FOUND, "not here\n")


def test_a_monitor_is_answered_and_nothing_else_is() -> None:
    with Pages("127.0.0.1", 0, say) as pages:
        with urllib.request.urlopen(f"http://127.0.0.1:{pages.port}/healthz", timeout=10) as answer:
            assert (answer.status, answer.read()) == (200, b"well\n")
        for path, body, code in (("/", None, 404), ("/healthz", b"act", 501)):
            with pytest.raises(urllib.error.HTTPError) as raised:
                urllib.request.urlopen(f"http://127.0.0.1:{pages.port}{path}", body, timeout=10)
            raised.value.close()
            assert raised.value.code == code


def test_who_hangs_up_early_leaves_no_word_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    with Pages("127.0.0.1", 0, lambda path: (WELL, "x" * 8_000_000)) as pages:
        with socket.create_connection(("127.0.0.1", pages.port), timeout=10) as line:
            line.sendall(b"GET / HTTP/1.0\r\n\r\n")
            line.recv(1)
        with urllib.request.urlopen(f"http://127.0.0.1:{pages.port}/", timeout=20) as answer:
            assert len(answer.read()) == 8_000_000
    assert capfd.readouterr().err == ""


def test_a_port_that_is_taken_is_one_line() -> None:
    with Pages("127.0.0.1", 0, say) as pages, pytest.raises(VaultError, match="health_port: cannot listen"):
        Pages("127.0.0.1", pages.port, say)
