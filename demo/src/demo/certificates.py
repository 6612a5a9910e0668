"""Self-signed certificates for tests of our TLS clients (needs the openssl program)."""

import ssl
import subprocess
from pathlib import Path

from demo.serving import LOOPBACK


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for loopback, and the certificate file that clients are to trust (SSL_CERT_FILE)."""
    certificate, key = folder / "certificate.crt", folder / "certificate.key"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    about = ["-days", "1", "-subj", f"/CN={LOOPBACK}", "-addext", f"subjectAltName=IP:{LOOPBACK}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *about, *files], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
