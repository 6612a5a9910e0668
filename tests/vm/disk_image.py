"""The disk that the tests' VM boots from: Debian with cloud-init, and the packages that its first boot installs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SUITE = "trixie"
GIB = 1 << 30
INSIDE = (
    "linux-image-amd64", "systemd-sysv", "systemd-resolved", "dbus", "udev", "cloud-init", "dhcpcd-base", "iproute2",
    "ca-certificates", "e2fsprogs", "openssl", "python3", "python3-venv", "busybox-static", "sudo", "iptables",
)  # fmt: skip
"""As in a provider's image: these are there before the first boot."""
INSTALLED = ("docker.io", "docker-cli", "docker-compose", "nftables", "unattended-upgrades")
"""These the first boot installs; they lie on the disk as a repository, since the VM has no way out."""
_EPOCH = "1"


@dataclass(frozen=True)
class DiskImage:
    """A kernel, its first file system, and a disk. The disk is a base: machines write to layers above it."""

    kernel: Path
    initrd: Path
    disk: Path


def made() -> DiskImage:
    """Built once and kept outside the clone. Needs root, debootstrap and qemu-img."""
    folder = _cache() / hashlib.sha256(repr((SUITE, INSIDE, INSTALLED, _EPOCH)).encode()).hexdigest()[:12]
    image = DiskImage(folder / "vmlinuz", folder / "initrd.img", folder / "disk.qcow2")
    if image.disk.exists():
        return image
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="countersign-vm-", dir=folder) as scratch:
        root = Path(scratch, "rootfs")
        _run(["debootstrap", "--variant=minbase", f"--include={','.join(INSIDE)}", SUITE, str(root)], seconds=1800)
        _repository(root)
        _prepare(root)
        shutil.copy(next((root / "boot").glob("vmlinuz-*")), image.kernel)
        shutil.copy(next((root / "boot").glob("initrd.img-*")), image.initrd)
        raw = Path(scratch, "disk.raw")
        with raw.open("wb") as file:
            file.truncate(6 * GIB)
        _run(["mkfs.ext4", "-q", "-L", "root", "-d", str(root), str(raw)], seconds=600)
        _run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(image.disk) + ".new"], seconds=600)
    Path(str(image.disk) + ".new").replace(image.disk)
    return image


def _repository(root: Path) -> None:
    """A package repository within the disk, with what the first boot installs and what that needs."""
    place = root / "srv" / "packages"
    place.mkdir(parents=True)
    inside = ["chroot", str(root)]
    _run([*inside, "apt-get", "update", "-qq"], seconds=300)
    fetch = ["apt-get", "install", "-y", "-qq", "--download-only", "--no-install-recommends", *INSTALLED]
    _run([*inside, *fetch], seconds=900)
    for package in (root / "var/cache/apt/archives").glob("*.deb"):
        shutil.move(package, place / package.name)
    listing = _run(["dpkg-scanpackages", "--multiversion", "."], seconds=300, cwd=place)
    (place / "Packages").write_bytes(listing)
    for source in (root / "etc/apt").rglob("*.list"):
        source.unlink()
    (root / "etc/apt/sources.list.d/local.list").write_text(
        "deb [trusted=yes] file:/srv/packages ./\n", encoding="ascii"
    )
    shutil.rmtree(root / "var/lib/apt/lists")
    (root / "var/lib/apt/lists/partial").mkdir(parents=True)


def _prepare(root: Path) -> None:
    """What a provider does to its images: no identity, a network by DHCP, a console on the serial line."""
    for name, text in {
        "etc/machine-id": "",
        "etc/hostname": "vm\n",
        "etc/fstab": "LABEL=root / ext4 defaults 0 1\n",
        "etc/cloud/cloud.cfg.d/90-datasource.cfg": (
            "datasource_list: [Oracle, None]\napt: {preserve_sources_list: true}\n"
            "datasource: {Oracle: {configure_secondary_nics: false}}\n"
        ),
        "etc/systemd/network/80-dhcp.network": "[Match]\nName=en* eth*\n\n[Network]\nDHCP=ipv4\n",
        "etc/udev/rules.d/70-data-volume.rules": (
            'SUBSYSTEM=="block", ENV{ID_SERIAL}=="countersign-data", SYMLINK+="oracleoci/oraclevdb"\n'
        ),
    }.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    _run(["chroot", str(root), "systemctl", "enable", "systemd-networkd", "serial-getty@ttyS0"], seconds=60)


def _cache() -> Path:
    base = os.environ.get("COUNTERSIGN_CACHE") or Path.home() / ".cache" / "countersign"
    return Path(base, "vm")


def _run(argv: Sequence[str], *, seconds: float, cwd: Path | None = None) -> bytes:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=seconds, cwd=cwd, env=environment
    )
    if done.returncode:
        said = (done.stdout[-2000:] + done.stderr[-2000:]).decode("utf-8", "replace")
        raise RuntimeError(f"{' '.join(argv)[:200]} ended with {done.returncode}:\n{said}")
    return done.stdout
