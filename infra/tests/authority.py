"""An authority of a test's own: what a machine trusts beyond the usual, and what signs for Oracle's names."""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ALREADY = Path("/usr/local/share/ca-certificates")
"""What this machine trusts beyond the usual: an index may be reached by a way that needs them."""


@dataclass(frozen=True)
class Authority:
    """Its two files in a folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def key(self) -> Path:
        return self.folder / "authority.key"

    @property
    def trusted(self) -> dict[str, bytes]:
        """What a machine is to trust beyond the usual, by the file's name."""
        return {f"{file.stem}.crt": file.read_bytes() for file in (*sorted(ALREADY.glob("*.crt")), self.certificate)}

    def sign(self, names: tuple[str, ...], into: Path) -> Path:
        """A key and a certificate for these names, in one file."""
        assert all(re.fullmatch(r"[\w.*-]+", name) for name in names)
        key, request, signed, whole = (into / f"names.{part}" for part in ("key", "csr", "crt", "pem"))
        extensions = into / "names.ext"
        extensions.write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names), encoding="ascii")
        fresh = ("-newkey", "rsa:2048", "-nodes", "-subj", "/CN=oracle")
        _openssl("req", "-new", *fresh, "-keyout", str(key), "-out", str(request))
        by = ("-CA", str(self.certificate), "-CAkey", str(self.key), "-set_serial", str(time.time_ns()))
        more = ("-days", "30", "-extfile", str(extensions))
        _openssl("x509", "-req", "-in", str(request), *by, *more, "-out", str(signed))
        whole.write_text(key.read_text("ascii") + signed.read_text("ascii"), "ascii")
        return whole


def made(folder: Path) -> Authority:
    found = Authority(folder)
    subject = ("-subj", "/CN=Countersign tests", "-days", "3650", "-addext", "keyUsage=critical,keyCertSign")
    new = ("-x509", "-newkey", "rsa:2048", "-nodes", *subject)
    _openssl("req", *new, "-keyout", str(found.key), "-out", str(found.certificate))
    return found


def _openssl(*words: str) -> None:
    done = subprocess.run(["openssl", *words], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
    assert not done.returncode, f"openssl {words[0]}: {done.stderr[-2000:].decode(errors='replace')}"
