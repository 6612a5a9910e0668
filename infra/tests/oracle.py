"""Oracle as far as a VM talks to it, on loopback: metadata, federation, vault, object storage, measures.

It checks every signature with openssl against the key that the request claims, and lets in what a VM's policy would.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

TENANCY = "ocid1.tenancy.oc1..aaaatest"
TOKEN = "token-of-the-vm"
MAC = "52:54:00:12:34:56"
HERE = "169.254.169.254"
"""Where a machine finds the metadata service and the name server."""
HOSTS = tuple(
    f"{name}.eu-frankfurt-1.{of}"
    for name, of in (
        ("auth", "oraclecloud.com"),
        ("secrets.vaults", "oci.oraclecloud.com"),
        ("objectstorage", "oraclecloud.com"),
        ("telemetry-ingestion", "oraclecloud.com"),
    )
)
AUTHORIZATION = re.compile(
    r'Signature version="1",keyId="([^"]+)",algorithm="rsa-sha256",headers="([^"]+)",signature="([^"]+)"'
)


def _openssl(*words: str, feed: bytes | None = None) -> bytes:
    done = subprocess.run(["openssl", *words], input=feed, capture_output=True, check=True, timeout=60)
    return done.stdout


@cache
def _identity() -> tuple[str, str]:
    """A machine's key and its certificate, as Oracle issues one."""
    subject = f"/OU=opc-certtype:instance/OU=opc-tenant:{TENANCY}/CN=ocid1.instance.oc1..vm"
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key"), Path(folder, "certificate")
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject),
            *("-keyout", str(key), "-out", str(certificate)),
        )
        return key.read_text(encoding="ascii"), certificate.read_text(encoding="ascii")


@dataclass
class Oracle:
    """What a test gives it, and what it was told."""

    folder: Path
    orders: str = ""
    user_data: bytes = b""
    secrets: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    """By path below /files/: downloads."""
    objects: dict[str, bytes] = field(default_factory=dict)
    history: list[tuple[str, bytes]] = field(default_factory=list)
    measures: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    session_key: bytes = b""
    address: str = ""

    def __post_init__(self) -> None:
        self.key, self.certificate = _identity()
        self.public = _openssl("x509", "-noout", "-pubkey", feed=self.certificate.encode())

    def metadata(self, path: str) -> str | None:
        instance = {
            "id": "ocid1.instance.oc1..vm",
            "displayName": "countersign-test-vm",
            "hostname": "vm",
            "region": "eu-frankfurt-1",
            "canonicalRegionName": "eu-frankfurt-1",
            "ociAdName": "eu-frankfurt-1-ad-1",
            "availabilityDomain": "abcd:EU-FRANKFURT-1-AD-1",
            "faultDomain": "FAULT-DOMAIN-1",
            "shape": "VM.Standard.A1.Flex",
            "state": "Running",
            "compartmentId": "ocid1.compartment.oc1..test",
            "metadata": {"user_data": base64.b64encode(self.user_data).decode(), "countersign": self.orders},
        }
        known: dict[str, Any] = {
            "instance": instance,
            "instance/metadata/countersign": self.orders,
            "instance/id": instance["id"],
            "instance/compartmentId": instance["compartmentId"],
            "vnics": [{"vnicId": "ocid1.vnic.oc1..vm", "macAddr": MAC, "privateIp": "169.254.10.15",
                       "subnetCidrBlock": "169.254.0.0/16", "virtualRouterIp": "169.254.169.254", "vlanTag": 1}],
            "identity/cert.pem": self.certificate,
            "identity/key.pem": self.key,
            "identity/intermediate.pem": self.certificate,
        }  # fmt: skip
        found = known.get(path.strip("/"))
        return found if isinstance(found, str) or found is None else json.dumps(found)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Of the API: who asks is judged by the signature, what they may by what the VM's policy says."""
        if path.startswith("/files/"):
            found = self.files.get(path.removeprefix("/files/"))
            return (200, found) if found is not None else (404, b"no such file")
        if path.startswith("/opc/v2/"):
            if headers.get("authorization") != "Bearer Oracle":
                return 401, b"the second metadata service wants its header"
            said = self.metadata(path.removeprefix("/opc/v2/"))
            return (200, said.encode()) if said is not None else (404, b"no such key")
        host, rest = headers.get("host", ""), path.lstrip("/")
        if host not in HOSTS:
            host, _, rest = rest.partition("/")
        if host == "auth.eu-frankfurt-1.oraclecloud.com":
            self._judge(method, path, headers, body, self.public, f"{TENANCY}/fed-x509/{self.fingerprint}")
            request = json.loads(body)
            self.session_key = (
                f"-----BEGIN PUBLIC KEY-----\n{request['publicKey']}\n-----END PUBLIC KEY-----\n".encode()
            )
            return 200, json.dumps({"token": TOKEN}).encode()
        self._judge(method, path, headers, body, self.session_key, f"ST${TOKEN}")
        if host == "secrets.vaults.eu-frankfurt-1.oci.oraclecloud.com" and method == "GET":
            value = self.secrets.get(rest.removeprefix("20190301/secretbundles/"))
            if value is None:
                return 404, b'{"code": "NotAuthorizedOrNotFound"}'
            content = {"contentType": "BASE64", "content": base64.b64encode(value).decode()}
            return 200, json.dumps({"secretBundleContent": content}).encode()
        if host == "objectstorage.eu-frankfurt-1.oraclecloud.com" and method == "PUT":
            name = unquote(rest.partition("/o/")[2])
            assert rest.startswith("n/mynamespace/b/countersign-prod-reports/o/"), rest
            self.objects[name] = body
            self.history.append((name, body))
            return 200, b""
        if host == "telemetry-ingestion.eu-frankfurt-1.oraclecloud.com" and method == "POST":
            self.measures += json.loads(body)["metricData"]
            return 200, b'{"failedMetricsCount": 0}'
        raise PermissionError(f"nothing lets a VM {method} {path}")

    @property
    def fingerprint(self) -> str:
        said = _openssl("x509", "-noout", "-fingerprint", "-sha1", feed=self.certificate.encode()).decode()
        return said.strip().partition("=")[2]

    def _judge(self, method: str, path: str, headers: dict[str, str], body: bytes, key: bytes, who: str) -> None:
        found = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if not found:
            raise PermissionError(f"{path}: no signature")
        if found[1] != who:
            raise PermissionError(f"{path}: signed by {found[1]} and not by {who}")
        signed = found[2].split(" ")
        needed = {"date", "(request-target)"} if "x509" in path else {"date", "(request-target)", "host"}
        if method == "POST":
            needed |= {"content-length", "content-type", "x-content-sha256"}
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            if headers.get("x-content-sha256") != digest:
                raise PermissionError(f"{path}: the body is another")
        if not needed <= set(signed):
            raise PermissionError(f"{path}: {needed - set(signed)} is not signed")
        values = {**headers, "(request-target)": f"{method.lower()} {path}"}
        text = "\n".join(f"{name}: {values[name]}" for name in signed).encode()
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            public, signature = Path(scratch, "key"), Path(scratch, "signature")
            public.write_bytes(key)
            signature.write_bytes(base64.b64decode(found[3]))
            argv = ["openssl", "dgst", "-sha256", "-verify", str(public), "-signature", str(signature)]
            done = subprocess.run(argv, input=text, capture_output=True, check=False, timeout=60)
        if done.returncode:
            raise PermissionError(f"{path}: the signature does not hold")


@contextmanager
def serving(oracle: Oracle, *, port: int = 0, at: str = "127.0.0.1", certificate: Path | None = None) -> Iterator[str]:
    """Its address. With a certificate (and its key, in one file) by TLS, where it knows Oracle's hosts by name."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                status, answer = oracle.answer(self.command, self.path, headers, body)
            except (PermissionError, AssertionError, ValueError, KeyError) as error:
                oracle.refused.append(str(error))
                status, answer = 401, str(error).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PUT = do_POST = _do  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((at, port), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    oracle.address = f"http://{at}:{server.server_address[1]}"
    try:
        yield oracle.address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def report(oracle: Oracle) -> dict[str, str]:
    """What the VM said last of itself; empty before."""
    found: dict[str, str] = json.loads(oracle.objects.get("health/vm.json", b"{}"))
    return found
