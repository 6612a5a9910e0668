"""Oracle's instance metadata, version 2: the header is what keeps a forged request of a container out."""

from __future__ import annotations

import os
from urllib.parse import quote

from infra.vm.web import ask

BASE = "http://169.254.169.254/opc/v2"
HEADER = {"Authorization": "Bearer Oracle"}


def read(path: str) -> str:
    """`instance/id`, `identity/cert.pem` … Raises Failed."""
    base = os.environ.get("COUNTERSIGN_IMDS", BASE)
    return ask("GET", f"{base}/{quote(path)}", headers=HEADER, seconds=10).decode("utf-8")


def orders() -> str:
    """The text of this VM's orders."""
    return read("instance/metadata/countersign")
