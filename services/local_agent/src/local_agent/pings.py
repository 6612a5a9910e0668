"""One call to a monitor: a GET of an address that is itself the secret."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from vault_protocol.files import secret_line

TIMEOUT = 10.0


class PingFailed(Exception):
    """The monitor did not take it; no word of its address is in here."""


def call(file: Path, words: str, ca_file: Path | None = None) -> None:
    """Tell the monitor whose address lies in `file` that all is well. `ca_file`: trusted beside the system's.

    Raises VaultError or PingFailed.
    """
    parts = urlsplit(secret_line(file))
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise PingFailed("its address has no port") from None
    line: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(ca_file)
        line = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    elif parts.scheme == "http":
        line = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    else:
        raise PingFailed("its address is no https://…")
    query = "&".join(filter(None, (parts.query, urlencode({"status": "up", "msg": words}))))
    try:
        line.request("GET", f"{parts.path or '/'}?{query}")
        status = line.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise PingFailed(type(error).__name__) from None
    finally:
        line.close()
    if not 200 <= status < 300:
        raise PingFailed(f"it answers {status}")
