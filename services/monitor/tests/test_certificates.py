import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from monitor.certificates import KEPT, Certificates, Place, life_left
from monitor.keeping import Standing

ISSUED = datetime(2026, 11, 1, tzinfo=UTC)


@contextmanager
def shown(folder: Path, life: timedelta) -> Iterator[Place]:
    """A server with a certificate of its own making, issued at ISSUED."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, ISSUED, ISSUED + life)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hub.example")]), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + made.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pem")

    def serve() -> None:
        while True:
            try:
                line, _ = listening.accept()
                with context.wrap_socket(line, server_side=True):
                    pass
            except ssl.SSLError:
                continue
            except OSError:
                return

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Place(host="127.0.0.1", port=listening.getsockname()[1], name="hub.example")
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("life", [timedelta(hours=12), timedelta(days=90)])
def test_a_short_lived_certificate_and_a_long_lived_one_are_held_to_the_same_part_of_their_life(
    tmp_path: Path, life: timedelta
) -> None:
    with shown(tmp_path, life) as place:
        for part, word in ((0.0, "ok"), (0.7, "ok"), (0.9, "bad"), (1.2, "bad")):
            seen = Certificates({"hub": place}, lambda part=part: ISSUED + life * part)  # type: ignore[misc]
            assert seen.state() == f"hub certificate {word}\n"
            assert seen.metrics("x_") == f'x_certificate_life_left{{certificate="hub"}} {1 - part:.4f}\n'


def test_one_that_nobody_shows_is_neither_good_nor_bad_and_has_no_figure() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    place = Place(host="127.0.0.1", port=port, name="hub.example")
    seen = Certificates({"hub": place}, lambda: ISSUED)
    assert (seen.state(), seen.metrics("x_")) == ("hub certificate unknown\n", "")
    with pytest.raises(ConnectionRefusedError):
        life_left(place, ISSUED)


def test_it_looks_again_after_a_while_and_not_for_each_question() -> None:
    looks, now = list[Place](), [0.0]
    place = Place(host="caddy", port=8443, name="hub.example")

    def look(at: Place, _now: datetime) -> float:
        looks.append(at)
        return 0.1

    seen = Certificates({"hub": place}, lambda: ISSUED, monotonic=lambda: now[0], look=look)
    standing = Standing(certificates=seen)
    assert standing.answer("/state") == (200, "hub certificate bad\n")
    assert 'countersign_monitor_certificate_life_left{certificate="hub"} 0.1000\n' in standing.answer("/metrics")[1]
    assert looks == [place]
    now[0] += KEPT
    standing.answer("/state")
    assert looks == [place, place]
