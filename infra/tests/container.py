"""A machine by systemd in a container: minutes where QEMU takes the better part of an hour.

It has this machine's kernel, and a loop device as its volume; cloud-init, which never asks a metadata service from
within a container, reads the same text from a folder. Packages, units, firewall, Docker and whatever our programs ask
of Oracle are as in a VM. The gateway of its network is 169.254.169.254, where the double of Oracle listens.
"""

from __future__ import annotations

import fcntl
import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import archives
import image
from around import around
from authority import Authority
from guest import Guest
from image import FILES, Image
from oracle import HERE, Oracle

from tests.stack.docker import LABEL, PREFIX, docker, ensure_engine, exists
from tests.stack.docker import cache as kept
from tools.workspace import ROOT

NAME = f"{PREFIX}-machine"
DATA_GB = 20
RIGHTS = (
    "--cap-add=ALL", "--cap-drop=SYS_RESOURCE", "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined", "--security-opt=systempaths=unconfined", "--device-cgroup-rule=a *:* rwm",
)  # fmt: skip
"""All that a privileged container has but what the build machines lack themselves, and no device of theirs."""
CGROUP = Path("/sys/fs/cgroup")
INIT = f"""\
#!/bin/sh
# The first process of a container that is to be a machine: what Docker laid over it goes, and systemd takes its place.
set -eu
for file in resolv.conf hosts hostname; do umount "/etc/$file" 2>/dev/null || true; done
echo vm >/etc/hostname
ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
iptables -t nat -F
for unit in systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service; do
    ln -sf /dev/null "/etc/systemd/system/$unit" # Docker has given it its network
done
update-ca-certificates >/dev/null
# A tree of control groups of its own, without the groups that this machine may have given to the older kind.
umount -R /sys/fs/cgroup
mount -o remount,rw /sys
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/{NAME}
echo $$ >/sys/fs/cgroup/{NAME}/cgroup.procs
umount /sys/fs/cgroup
# The kernel's settings are everybody's: of them a machine in a container sets those of its network.
mount --bind /proc/sys /proc/sys
mount --bind /proc/sys/net /proc/sys/net
mount -o remount,bind,ro /proc/sys
mount -o remount,ro /sys
export container=docker
exec unshare --cgroup sh -c 'mount -t cgroup2 none /sys/fs/cgroup && exec /lib/systemd/systemd --log-target=console'
"""
IMAGE = "from tests.stack.images import first_boot; print(first_boot())"
SEED = "var/lib/cloud/seed/nocloud"


class Container(Guest):
    source, health_interval = "DataSourceNoCloud", "5s"

    @property
    def console(self) -> str:
        return docker("logs", NAME, check=False)

    def gone(self) -> str:
        state = docker("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", NAME, check=False)
        return "" if state.startswith("running ") else f"the container is {state or 'not there'}"

    def run(self, script: str, *, seconds: float = 300, check: bool = True) -> str:
        done = subprocess.run(
            ["docker", "exec", NAME, "/bin/sh", "-c", script],
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=seconds,
        )  # fmt: skip
        out, error = (part.decode(errors="replace") for part in (done.stdout, done.stderr))
        assert not check or not done.returncode, f"{script!r} ended with {done.returncode}: {out}{error}"
        return out + ("" if check else error)

    def restart(self) -> None:
        self.run("systemctl reboot", check=False)
        docker("wait", NAME, seconds=180)
        docker("start", NAME)
        self.wait(
            lambda: "running" in self.run("systemctl is-system-running --wait", check=False), "it is up again", 20
        )


@contextmanager
def booted(oracle: Oracle, folder: Path, authority: Authority, more: Path) -> Iterator[Container]:
    """On a blank data volume; `more` is a file that it may read, as /dev/vdc."""
    assert os.getuid() == 0, (
        "root lends a container a loop device and this machine's ports 53, 80 and 443 on its network"
    )
    ensure_engine()
    with ExitStack() as stack:
        stack.enter_context(_alone())
        stack.callback(_gone)
        _gone()
        docker("network", "create", "--label", LABEL, "--subnet", "169.254.0.0/16", "--gateway", HERE, NAME)
        stack.enter_context(around(oracle, authority, folder, at=HERE))
        volume = stack.enter_context(_volume(folder / "data.raw"))
        docker(
            "create", "--name", NAME, "--label", LABEL, "--hostname", "vm", "--tty", *RIGHTS,
            "--network", NAME, "--ip", "169.254.10.15",
            "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec",
            "--device", f"{volume}:/dev/oracleoci/oraclevdb", "-v", f"{more}:/dev/vdc:ro",
            _image(), "/bin/sh", "/usr/local/sbin/machine",
        )  # fmt: skip
        docker("cp", "-", f"{NAME}:/", feed=_packed(_files(oracle, authority)))
        docker("start", NAME)
        yield Container()


def _image() -> str:
    """Made when it is not there. Of Ubuntu, where its archive is named: of the disk that the VM has."""
    if archives.archive():
        return _imported(image.made(archives.chosen(quick=True)))
    return _said(str(ROOT / ".tools/dev/bin/python"), "-c", IMAGE, seconds=1800)


def _imported(of: Image) -> str:
    name = f"{PREFIX}/first-boot:{of.folder.name.rpartition('-')[2]}"
    if exists(name):
        return name
    with tempfile.TemporaryDirectory(prefix="countersign-root-") as root:
        _said("mount", "-o", "loop,ro,noload", str(of.disk), root)
        try:
            tar = ("tar", "-C", root, "-c", "--exclude=./boot", "--exclude=./usr/lib/modules", ".")
            with subprocess.Popen(tar, stdout=subprocess.PIPE) as packing:
                subprocess.run(["docker", "import", "-", name], stdin=packing.stdout, check=True, timeout=600)
            assert not packing.returncode
        finally:
            _said("umount", root)
    return name


def _files(oracle: Oracle, authority: Authority) -> dict[str, bytes]:
    """What makes a machine at Oracle of the image."""
    said = {name: text.encode() for name, text in FILES.items() if "initramfs" not in name and "udev" not in name}
    trusted = {f"usr/local/share/ca-certificates/{name}": content for name, content in authority.trusted.items()}
    return {
        **said,
        **trusted,
        f"{SEED}/user-data": oracle.user_data,
        f"{SEED}/meta-data": b"instance-id: ocid1.instance.oc1..vm\nlocal-hostname: vm\n",
        "etc/cloud/cloud.cfg.d/91-network.cfg": b"network: {config: disabled}\n",
        "usr/local/sbin/machine": INIT.encode(),
    }


def _packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@contextmanager
def _alone() -> Iterator[None]:
    """The network's address is one: who comes second waits."""
    with (kept() / "machine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _volume(file: Path) -> Iterator[str]:
    """A blank disk of which nothing is taken yet."""
    with file.open("wb") as blank:
        blank.truncate(DATA_GB << 30)
    found = _said("losetup", "--find", "--show", str(file))
    try:
        yield found
    finally:
        _said("losetup", "--detach", found)
        file.unlink()


def _gone() -> None:
    """The machine of this run, or one that a killed run left behind."""
    docker("rm", "--force", "--volumes", NAME, check=False)
    docker("network", "rm", NAME, check=False)
    for tree in (CGROUP / NAME, CGROUP / "unified" / NAME):
        for folder in (*sorted(tree.rglob("*"), reverse=True), tree):
            if folder.is_dir():
                with suppress(OSError):  # what dies just now is in it still; the next run takes it away
                    folder.rmdir()


def _said(*argv: str, seconds: float = 60) -> str:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, cwd=ROOT, capture_output=True, check=False, timeout=seconds)
    assert not done.returncode, f"{' '.join(argv)}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode().strip()
