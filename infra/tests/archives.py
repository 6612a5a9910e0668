"""The distributions that the VM's disk is made from, each out of its own archive and by its own keys.

Debian's archive is the one that this machine's apt knows; Ubuntu's is taken when UBUNTU_ARCHIVE has its address.
"""

from __future__ import annotations

import os
import subprocess
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

PACKAGES = (
    "apt", "ca-certificates", "cloud-guest-utils", "cloud-init", "dbus", "dhcpcd-base", "e2fsprogs", "iproute2",
    "iptables-persistent", "locales",
    "lsb-release", "netplan.io", "openssh-server", "qemu-guest-agent", "sudo", "systemd-resolved", "systemd-sysv",
    "udev",
)  # fmt: skip
"""What Oracle's image has as far as the first boot looks at it; what that installs itself is not among them."""
INSTALLED = {
    "debian": ("docker-cli", "docker-compose", "docker.io", "nftables", "unattended-upgrades"),
    "ubuntu": ("docker-compose-v2", "docker.io", "nftables", "unattended-upgrades"),
}
"""What the first boot installs: in the image already with COUNTERSIGN_VM_QUICK=1."""
KEYS = "pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb"
KEY = "F6ECB3762474EDA9D21B7022871920D1991BC93C"
"""Ubuntu Archive Automatic Signing Key (2018): the package above comes unsigned, and no other key of it is taken."""


@dataclass(frozen=True)
class Distribution:
    """One suite; `sources` are apt's lines, with the archive's address in them."""

    name: str
    suite: str
    sources: tuple[str, ...]
    packages: tuple[str, ...]
    archive: str

    @property
    def quick(self) -> bool:
        """Whether the packages of the first boot are there before it."""
        return "docker.io" in self.packages

    def keyring(self, scratch: Path) -> Path:
        """The keys that sign this suite, and no other distribution's."""
        if self.name == "debian":
            return Path("/usr/share/keyrings/debian-archive-keyring.gpg")
        return _ubuntus_key(self.archive, scratch)


def archive() -> str:
    """Ubuntu's; empty when none is named."""
    return os.environ.get("UBUNTU_ARCHIVE", "").rstrip("/")


def chosen(*, quick: bool = False) -> Distribution:
    """Ubuntu 24.04, as Oracle's image is, when its archive is named; else Debian 13."""
    found = ubuntu(archive()) if archive() else debian()
    if quick or os.environ.get("COUNTERSIGN_VM_QUICK"):
        return replace(found, packages=(*found.packages, *INSTALLED[found.name]))
    return found


def ubuntu(archive: str) -> Distribution:
    suites = ("noble", "noble-updates", "noble-security")
    lines = tuple(f"deb {archive} {suite} main universe" for suite in suites)
    return Distribution("ubuntu", "noble", lines, (*PACKAGES, "linux-image-virtual"), archive)


def debian() -> Distribution:
    """From where this machine has its own packages; a machine that is not Debian is told what to do."""
    found = _known()
    assert "Debian" in found, "this machine's apt knows no archive of Debian; set UBUNTU_ARCHIVE to one of Ubuntu"
    archive, security = found["Debian"], found.get("Debian-Security")
    lines = [f"deb {archive} {suite} main" for suite in ("trixie", "trixie-updates")]
    lines += [f"deb {security} trixie-security main"] if security else []
    packages = (*PACKAGES, "initramfs-tools", "linux-image-cloud-amd64")
    return Distribution("debian", "trixie", tuple(lines), packages, archive)


def _known() -> dict[str, str]:
    """The address of each of Debian's archives in this machine's apt, by its label."""
    form = "$(LABEL) $(REPO_URI)"
    said = _run("apt-get", "indextargets", "--format", form, "Created-By: Packages", "Origin: Debian")
    pairs = (line.split() for line in said.decode("utf-8").splitlines())
    return {label: address.rstrip("/") for label, address in pairs}


def _ubuntus_key(archive: str, scratch: Path) -> Path:
    """The one key, and no other, out of Ubuntu's package of keys."""
    package = scratch / "keyring.deb"
    with urllib.request.urlopen(f"{archive}/{KEYS}", timeout=60) as answer:  # noqa: S310 - the owner of this run named it
        package.write_bytes(answer.read())
    _run("dpkg-deb", "-x", str(package), str(scratch / "keyring"))
    (all_,) = (scratch / "keyring").rglob("ubuntu-archive-keyring.gpg")
    home, one = scratch / "gnupg", scratch / "ubuntu.gpg"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--homedir", str(home), "--batch", "--quiet", "--no-default-keyring", "--keyring", str(all_))
    one.write_bytes(_run(*gpg, "--export", KEY))
    assert one.stat().st_size, f"{KEYS} has no key {KEY}"
    return one


def _run(*argv: str) -> bytes:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
    assert not done.returncode, f"{' '.join(argv[:4])}: {(done.stdout + done.stderr)[-2000:].decode(errors='replace')}"
    return done.stdout
