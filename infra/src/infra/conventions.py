"""What was decided once for every stack. What an operator supplies is in `settings`.

A logical name (the first argument of a resource) is chosen here or in its component and never made from a setting:
a changed setting then changes a resource, and never replaces one.
"""

from __future__ import annotations

PROJECT = "countersign"
REALM = "oc1"
"""Oracle's commercial realm, whose services lie below oraclecloud.com."""

VCN_BLOCK = "10.20.0.0/16"
PUBLIC_BLOCK = "10.20.1.0/24"
POOL_BLOCK = "10.20.2.0/24"
ANYWHERE = "0.0.0.0/0"
VM_ADDRESS = "10.20.1.10"
"""Stays when the VM is replaced, and with it the reserved public address and the names."""

SHAPE = "VM.Standard.A1.Flex"
OPERATING_SYSTEM = ("Canonical Ubuntu", "24.04 Minimal aarch64")

FREE_OCPUS = 2
FREE_MEMORY_GB = 12
"""1,500 OCPU hours and 9,000 GB hours a month; until June 2026 it was twice that."""
FREE_STORAGE_GB = 200
FREE_VOLUME_BACKUPS = 5
POOL_BOOT_GB = 50

DATA_DEVICE = "/dev/oracleoci/oraclevdb"
KEPT_VERSIONS_DAYS = 90
"""How long a backup's deleted or overwritten file can still be brought back."""
KEPT_LOGS_DAYS = 30

METADATA_BYTES = 32_000
"""What Oracle takes as a machine's metadata, names and values together: its first boot and its orders."""

METRICS = "countersign"
"""The namespace of what the VM measures itself: how full its disks are."""

VM = "vm"
"""What the hub's machine is called in its reports; an agent's has its agent's name."""
JOIN_CODE = "join-code/vm.txt"


def report(machine: str) -> str:
    """The object that says how a machine is."""
    return f"health/{machine}.json"


def written_by(machine: str) -> tuple[str, ...]:
    """What a machine may write into the bucket of reports, in the words of Oracle's policies; no other's report."""
    if machine == VM:
        return f"'{report(VM)}'", f"'{JOIN_CODE}'", "/logs*/"
    return f"'{report(machine)}'", f"/logs.{machine}.*/"


def tags(stack: str) -> dict[str, str]:
    """What every resource that can carry tags carries."""
    return {"project": PROJECT, "stack": stack, "made-by": "pulumi"}


def name(stack: str, part: str = "") -> str:
    """How a resource is called in Oracle's console."""
    return "-".join(word for word in (PROJECT, stack, part) if word)
