"""Requests that Oracle takes as this VM's own: a token for its certificate, and each request signed with a session key.

The form is that of Oracle's request signing, version 1. openssl does the arithmetic.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import time
import weakref
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit

from infra.vm import imds
from infra.vm.programs import Failed, run
from infra.vm.web import Refused, ask

TOKEN_SECONDS = 600
"""Half of the time that Oracle's tokens of this kind are good for."""
TENANT = re.compile(r"opc-(?:tenant|identity):([\w.-]+)")


class Principal:
    """Who this VM is; the token lives some minutes, fewer than this program may take, and is asked for again."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._keys = Path(mkdtemp(prefix="countersign-", dir="/run" if os.access("/run", os.W_OK) else None))
        weakref.finalize(self, shutil.rmtree, self._keys, ignore_errors=True)
        self._token, self._until = "", 0.0

    def request(self, method: str, url: str, *, body: bytes | None = None, kind: str = "application/json") -> bytes:
        """As this VM. An upload (`kind` not JSON) is signed without its body, as Oracle does. Raises Failed."""
        fresh = not self._token or time.monotonic() > self._until
        if fresh:
            self._token, self._until = self._federate(), time.monotonic() + TOKEN_SECONDS
        try:
            return self._ask(method, url, body, kind)
        except Refused as error:
            self._token = ""  # it may be older than a right that was given
            if error.code != 401 or fresh:
                raise
        return self.request(method, url, body=body, kind=kind)

    def _ask(self, method: str, url: str, body: bytes | None, kind: str) -> bytes:
        signed = body if kind == "application/json" else None
        headers = sign(
            method,
            url,
            key_id=f"ST${self._token}",
            key=self._session(),
            body=signed,
            names=("date", "(request-target)", "host"),
        )
        if body is not None:
            headers["content-type"] = kind
        return ask(method, url, headers=headers, body=body, seconds=60)

    def _federate(self) -> str:
        certificate = imds.read("identity/cert.pem")
        leaf = self._file("leaf.key", imds.read("identity/key.pem"))
        subject = run(
            ["openssl", "x509", "-noout", "-subject", "-nameopt", "utf8,sep_multiline"], feed=certificate.encode()
        )
        found = TENANT.search(subject.decode("utf-8", "replace"))
        if not found:
            raise Failed("the VM's certificate names no tenancy")
        public = run(["openssl", "rsa", "-in", str(self._session()), "-pubout"]).decode("ascii")
        body = json.dumps(
            {
                "certificate": _bare(certificate),
                "publicKey": _bare(public),
                "intermediateCertificates": [_bare(imds.read("identity/intermediate.pem"))],
            }
        ).encode()
        url = endpoint(f"https://auth.{self.region}.oraclecloud.com/v1/x509")
        key_id = f"{found[1]}/fed-x509/{fingerprint(certificate)}"
        headers = sign("POST", url, key_id=key_id, key=leaf, body=body, names=("date", "(request-target)"))
        answer = json.loads(ask("POST", url, headers=headers, body=body, seconds=30))
        return str(answer["token"])

    def _session(self) -> Path:
        file = self._keys / "session.key"
        if not file.exists():
            self._file("session.key", run(["openssl", "genrsa", "2048"]).decode("ascii"))
        return file

    def _file(self, name: str, text: str) -> Path:
        file = self._keys / name
        file.touch(mode=0o600)
        file.write_text(text, encoding="ascii")
        return file


def sign(
    method: str,
    url: str,
    *,
    key_id: str,
    key: Path,
    body: bytes | None,
    names: tuple[str, ...],
    date: str | None = None,
) -> dict[str, str]:
    """The headers of a request, with the signature over those that are named, and over the body when there is one."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    values = {
        "date": date or formatdate(usegmt=True),
        "(request-target)": f"{method.lower()} {target}",
        "host": parts.netloc,
    }
    if body is not None:
        names = (*names, "content-length", "content-type", "x-content-sha256")
        values |= {
            "content-length": str(len(body)),
            "content-type": "application/json",
            "x-content-sha256": base64.b64encode(hashlib.sha256(body).digest()).decode("ascii"),
        }
    text = "\n".join(f"{name}: {values[name]}" for name in names)
    signature = base64.b64encode(run(["openssl", "dgst", "-sha256", "-sign", str(key)], feed=text.encode())).decode(
        "ascii"
    )
    authorization = (
        f'Signature version="1",keyId="{key_id}",algorithm="rsa-sha256",'
        f'headers="{" ".join(names)}",signature="{signature}"'
    )
    return _sent({**values, "authorization": authorization})


def fingerprint(certificate: str) -> str:
    """SHA-1 with colons: a name for the certificate, not a proof."""
    digest = hashlib.sha1(base64.b64decode(_bare(certificate)), usedforsecurity=False).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def endpoint(url: str) -> str:
    """Oracle's, or the one address that stands for all of them where a test runs the VM."""
    stand_in = os.environ.get("COUNTERSIGN_ORACLE")
    parts = urlsplit(url)
    return f"{stand_in}/{parts.netloc}{parts.path}" if stand_in else url


def _sent(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.startswith("(")}


def _bare(pem: str) -> str:
    return "".join(line for line in pem.splitlines() if line and not line.startswith("-----"))
