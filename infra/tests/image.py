"""The disk of the VM that the tests boot: Ubuntu from its own archive, as Oracle's image as far as it matters.

Kept in the cache and named by the hash of what it is made from. Needs root, mmdebstrap, and in UBUNTU_ARCHIVE the
address of an archive of Ubuntu.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.stack.docker import cache

SUITE = "noble"
KEYRING = "pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb"
KEY = "F6ECB3762474EDA9D21B7022871920D1991BC93C"
"""Ubuntu Archive Automatic Signing Key (2018): the package above comes unsigned, and no other key of it is taken."""
ROOT_GB = 14
PACKAGES = (
    "apt", "ca-certificates", "cloud-init", "dbus", "dhcpcd-base", "iproute2", "iptables-persistent",
    "linux-image-virtual", "locales", "lsb-release", "netplan.io", "openssh-server", "qemu-guest-agent",
    "sudo", "systemd-resolved", "systemd-sysv", "udev",
)  # fmt: skip
AUTHORITIES = Path("/usr/local/share/ca-certificates")
"""What this machine trusts beyond the usual: an index may be reached by a way that needs them."""
FILES = {
    # Oracle's image gives volumes these names by the path of the attachment; here it is by the disk's serial.
    "etc/udev/rules.d/99-oracle.rules": (
        'SUBSYSTEM=="block", ENV{ID_SERIAL}=="oraclevd*", SYMLINK+="oracleoci/$env{ID_SERIAL}"\n'
    ),
    # Containers may ask the metadata service's address for names and nothing else; QEMU's own resolver has another.
    "etc/systemd/resolved.conf.d/oracle.conf": "[Resolve]\nDNS=169.254.169.254\nDomains=~.\n",
    # The rules that Oracle's images of Ubuntu come with: SSH in, and nothing else, also not between containers.
    "etc/iptables/rules.v4": (
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT\n"
        "-A INPUT -p icmp -j ACCEPT\n-A INPUT -i lo -j ACCEPT\n"
        "-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT\n"
        "-A INPUT -j REJECT --reject-with icmp-host-prohibited\n"
        "-A FORWARD -j REJECT --reject-with icmp-host-prohibited\nCOMMIT\n"
    ),
}


@dataclass(frozen=True)
class Image:
    """A root file system (raw, without partitions), the kernel in it, and the authority that it trusts."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "root.raw"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def authority_key(self) -> Path:
        return self.folder / "authority.key"


def made() -> Image:
    """Built when it is not there: a minute or two."""
    parts = ["1", SUITE, KEYRING, KEY, *PACKAGES, str(ROOT_GB), repr(sorted(FILES.items()))]
    parts += [file.read_text(encoding="utf-8") for file in sorted(AUTHORITIES.glob("*.crt"))]
    name = f"vm-{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:12]}"
    found = Image(cache() / name)
    if found.folder.exists():
        return found
    archive = os.environ.get("UBUNTU_ARCHIVE", "").rstrip("/")
    assert archive, "set UBUNTU_ARCHIVE to the address of an archive of Ubuntu: the VM's disk is made from it"
    started = time.monotonic()
    print("vm: making the image …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="countersign-vm-", dir=cache()) as scratch:
        fresh = Image(Path(scratch, name))
        fresh.folder.mkdir()
        _authority(fresh)
        root = Path(scratch, "root")
        _bootstrap(root, archive, _keyring(archive, Path(scratch)))
        _settle(root, fresh)
        shutil.copy2((root / "boot" / "vmlinuz").resolve(), fresh.kernel)
        _run("mkfs.ext4", "-q", "-L", "cloudimg-rootfs", "-d", str(root), str(fresh.disk), f"{ROOT_GB}G")
        for old in cache().glob("vm-*"):
            shutil.rmtree(old)
        fresh.folder.rename(found.folder)
    print(f"vm: the image took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return found


def _keyring(archive: str, scratch: Path) -> Path:
    """The one key, and no other, out of Ubuntu's package of keys."""
    package = scratch / "keyring.deb"
    with urllib.request.urlopen(f"{archive}/{KEYRING}", timeout=60) as answer:  # noqa: S310 - the owner of this run named it
        package.write_bytes(answer.read())
    _run("dpkg-deb", "-x", str(package), str(scratch / "keyring"))
    (all_,) = (scratch / "keyring").rglob("ubuntu-archive-keyring.gpg")
    home, one = scratch / "gnupg", scratch / "ubuntu.gpg"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--homedir", str(home), "--batch", "--quiet", "--no-default-keyring", "--keyring", str(all_))
    one.write_bytes(_run(*gpg, "--export", KEY))
    assert one.stat().st_size, f"{KEYRING} has no key {KEY}"
    return one


def _bootstrap(root: Path, archive: str, keyring: Path) -> None:
    sources = [f"deb {archive} {suite} main universe" for suite in (SUITE, f"{SUITE}-updates", f"{SUITE}-security")]
    options = [f"--include={','.join(PACKAGES)}", f"--keyring={keyring}", "--aptopt=Acquire::Retries 3"]
    options += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    _run("mmdebstrap", "--mode=root", "--variant=apt", *options, SUITE, str(root), *sources, seconds=900)


def _settle(root: Path, image: Image) -> None:
    for path, text in FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    trusted = root / AUTHORITIES.relative_to("/")
    for authority in (*AUTHORITIES.glob("*.crt"), image.authority):
        shutil.copy2(authority, trusted / f"{authority.stem}.crt")
    _run("chroot", str(root), "update-ca-certificates", "--fresh")
    (root / "etc/machine-id").write_text("uninitialized\n", encoding="ascii")


def _authority(image: Image) -> None:
    subject = ("-subj", "/CN=Countersign tests", "-days", "3650", "-addext", "keyUsage=critical,keyCertSign")
    _run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject,
         "-keyout", str(image.authority_key), "-out", str(image.authority))  # fmt: skip


def certificate(image: Image, names: tuple[str, ...], folder: Path) -> Path:
    """Key and certificate for these names, by the authority that the image trusts, in one file."""
    assert all(re.fullmatch(r"[\w.*-]+", name) for name in names)
    key, request, signed, whole = (folder / f"names.{part}" for part in ("key", "csr", "crt", "pem"))
    extensions = folder / "names.ext"
    extensions.write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names), encoding="ascii")
    _run(
        "openssl",
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=oracle",
        "-keyout",
        str(key),
        "-out",
        str(request),
    )
    authority = ("-CA", str(image.authority), "-CAkey", str(image.authority_key), "-set_serial", str(time.time_ns()))
    _run(
        "openssl",
        "x509",
        "-req",
        "-in",
        str(request),
        *authority,
        "-days",
        "30",
        "-extfile",
        str(extensions),
        "-out",
        str(signed),
    )
    whole.write_text(key.read_text("ascii") + signed.read_text("ascii"), "ascii")
    return whole


def _run(*argv: str, seconds: float = 120) -> bytes:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=seconds)
    assert not done.returncode, f"{' '.join(argv[:4])}: {(done.stdout + done.stderr)[-2000:].decode(errors='replace')}"
    return done.stdout
