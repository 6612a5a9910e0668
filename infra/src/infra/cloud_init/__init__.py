"""The VM's first boot as cloud-init reads it: a pure function of the files beside it, the same for every stack."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
FILES = HERE / "files"
VM = HERE.parent / "vm"
PROGRAM = "/usr/local/lib/countersign/vm"
"""A folder that Python starts. An archive would be compressed by itself, and take twice the room."""
MOST_BYTES = 24_000
"""Oracle takes 32,000 for all metadata, and the orders are metadata too."""
MODES = {".sh": "0755"}


def document() -> dict[str, Any]:
    """What cloud-init is told."""
    return {
        "package_update": True,
        "package_upgrade": True,
        "packages": ["ca-certificates", "e2fsprogs", "nftables", "openssl", "python3", "unattended-upgrades"],
        "ssh_pwauth": False,
        "disable_root": True,
        "write_files": [
            *_files(),
            *(_file(f"{PROGRAM}/{name}", content) for name, content in program()),
        ],
        "runcmd": [["/usr/local/sbin/countersign-first-boot.sh"]],
    }


def user_data() -> bytes:
    """As cloud-init takes it: compressed, and the same bytes each time."""
    text = "#cloud-config\n" + yaml.safe_dump(document(), sort_keys=False, width=1000)
    return gzip.compress(text.encode("utf-8"), mtime=0)


def encoded() -> str:
    """As Oracle's metadata wants it."""
    text = _b64(user_data())
    if len(text) > MOST_BYTES:
        raise ValueError(f"cloud-init's text has {len(text)} bytes; Oracle's metadata has room for {MOST_BYTES}")
    return text


def program() -> list[tuple[str, str]]:
    """What the units run: each module by its path below PROGRAM."""
    start = "import sys\nfrom infra.vm.__main__ import main\nsys.exit(main(sys.argv[1:]))\n"
    ours = [(f"infra/vm/{file.name}", file.read_text(encoding="utf-8")) for file in sorted(VM.glob("*.py"))]
    return [("__main__.py", start), ("infra/__init__.py", ""), *ours]


def _files() -> list[dict[str, str]]:
    """Each file below files/, at the place that its path says."""
    found = sorted(file for file in FILES.rglob("*") if file.is_file())
    return [_file(f"/{file.relative_to(FILES).as_posix()}", file.read_text(encoding="utf-8")) for file in found]


def _file(path: str, content: str) -> dict[str, str]:
    return {"path": path, "permissions": MODES.get(Path(path).suffix, "0644"), "content": content}


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
