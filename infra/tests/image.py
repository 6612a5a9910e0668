"""The disk of the VM that the tests boot: a distribution from its archive, as Oracle's image as far as it matters.

Kept in the cache and named by the hash of what it is made from. Needs root and mmdebstrap.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import authority
from archives import Distribution
from authority import Authority

from tests.stack.docker import cache

ROOT_GB = 14
FILES = {
    # An image of Oracle's names Oracle's mirrors; this one the archive that it was made from.
    "etc/cloud/cloud.cfg.d/90-archive.cfg": "apt: {preserve_sources_list: true}\n",
    # What a kernel without them built in needs to find its root, and nothing else.
    "etc/initramfs-tools/modules": "virtio_pci\nvirtio_blk\next4\n",
    "etc/initramfs-tools/conf.d/small": "MODULES=list\nCOMPRESS=lz4\nCOMPRESSLEVEL=1\n",
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
    """A root file system (raw, without partitions), its kernel, and the authority that it trusts."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "root.raw"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def first(self) -> Path:
        """The file system that the kernel starts with; there is none where the kernel finds its root by itself."""
        return self.folder / "initrd.img"

    @property
    def authority(self) -> Authority:
        return Authority(self.folder)


def made(of: Distribution) -> Image:
    """Built when it is not there: two or three minutes."""
    parts = ["2", of.suite, *of.sources, *of.packages, str(ROOT_GB), repr(sorted(FILES.items()))]
    parts += [file.read_text(encoding="utf-8") for file in sorted(authority.ALREADY.glob("*.crt"))]
    kind = f"vm-{of.suite}-{'quick' if of.quick else 'plain'}"
    name = f"{kind}-{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:12]}"
    found = Image(cache() / name)
    if found.folder.exists():
        return found
    started = time.monotonic()
    print(f"vm: making the image of {of.name} {of.suite} …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="countersign-vm-", dir=cache()) as scratch:
        fresh = Image(Path(scratch, name))
        fresh.folder.mkdir()
        authority.made(fresh.folder)
        root = Path(scratch, "root")
        _bootstrap(root, of, of.keyring(Path(scratch)))
        _settle(root, fresh)
        for file, kept in (("vmlinuz", fresh.kernel), ("initrd.img", fresh.first)):
            links = [link for link in (root / file, root / "boot" / file) if link.is_symlink()]
            meant = [target for link in links if (target := root / "boot" / link.readlink().name).exists()]
            for target in meant[:1]:
                shutil.copy2(target, kept)
        _run("mkfs.ext4", "-q", "-L", "cloudimg-rootfs", "-d", str(root), str(fresh.disk), f"{ROOT_GB}G", seconds=600)
        for old in cache().glob(f"{kind}-*"):
            shutil.rmtree(old)
        fresh.folder.rename(found.folder)
    print(f"vm: the image took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return found


def _bootstrap(root: Path, of: Distribution, keyring: Path) -> None:
    options = [f"--include={','.join(of.packages)}", f"--keyring={keyring}", "--aptopt=Acquire::Retries 3"]
    options += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    _run("mmdebstrap", "--mode=root", "--variant=apt", *options, of.suite, str(root), *of.sources, seconds=1800)


def _settle(root: Path, image: Image) -> None:
    for path, text in FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for name, content in image.authority.trusted.items():
        (root / authority.ALREADY.relative_to("/") / name).write_bytes(content)
    _run("chroot", str(root), "update-ca-certificates", "--fresh")
    if (root / "usr/sbin/update-initramfs").exists():
        _run("chroot", str(root), "update-initramfs", "-u", "-k", "all", seconds=600)
    (root / "etc/machine-id").write_text("uninitialized\n", encoding="ascii")


def _run(*argv: str, seconds: float = 120) -> bytes:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=seconds)
    assert not done.returncode, f"{' '.join(argv[:4])}: {(done.stdout + done.stderr)[-2000:].decode(errors='replace')}"
    return done.stdout
