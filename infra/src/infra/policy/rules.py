"""The rules: from a resource as the engine has it (its type, its inputs) to what is wrong with it. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra import conventions
from infra.values import PUBLIC_PORTS, is_wide, why_closed

TAGS = frozenset({"project", "stack", "made-by"})
EVERYTHING = "0.0.0.0/0"
KEEPS_DATA = frozenset({"Volume", "Bucket", "Vault", "Key", "Zone", "Compartment"})
FREE_SHAPES = frozenset({conventions.SHAPE, "VM.Standard.E2.1.Micro"})


@dataclass(frozen=True)
class Item:
    """A resource. `kind` is the last word of its type: `Instance`."""

    kind: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool = False

    @classmethod
    def of(cls, type_: str, name: str, inputs: Mapping[str, Any], *, protect: bool = False) -> Item:
        return cls(type_.rpartition(":")[2], name, inputs, protect)


Rule = Callable[[Item], Iterable[str]]


def world_open(item: Item) -> Iterable[str]:
    """Ports but those of the web, open to far more than an office."""
    for source, protocol, ports in _ways_in(item):
        if not _is_wide(source):
            continue
        if protocol == "1":  # ICMP: Oracle's own advice for the path MTU
            continue
        if ports is None:
            yield f"every port is open to {source}"
            continue
        low, high = ports
        closed = sorted({low, high} - {*PUBLIC_PORTS})
        if closed:
            yield why_closed(closed[0], source)
        elif high > low:
            yield f"ports {low} to {high} are open to {source}: open 80 and 443 one by one"


def encrypted(item: Item) -> Iterable[str]:
    """Volumes, boot volumes, buckets and secrets: with a key of ours."""
    if item.kind in ("Volume", "Bucket") and not item.inputs.get("kmsKeyId"):
        yield "is encrypted with no key of this stack: kmsKeyId"
    if item.kind == "Instance":
        if not item.inputs.get("sourceDetails", {}).get("kmsKeyId"):
            yield "its boot volume is encrypted with no key of this stack: sourceDetails.kmsKeyId"
        if not item.inputs.get("isPvEncryptionInTransitEnabled"):
            yield "what goes to its volumes is not encrypted on the way: isPvEncryptionInTransitEnabled"
    if item.kind == "Secret" and not item.inputs.get("keyId"):
        yield "has no key: keyId"


def tagged(item: Item) -> Iterable[str]:
    """Whatever carries tags says whose it is."""
    if "freeformTags" in item.inputs or item.kind in KEEPS_DATA | {"Instance", "Vcn", "Subnet"}:
        missing = TAGS - set(item.inputs.get("freeformTags") or {})
        if missing:
            yield f"does not say whose it is: freeformTags lacks {', '.join(sorted(missing))}"


def private(item: Item) -> Iterable[str]:
    """No bucket is public, and nobody gets at one by an address alone."""
    if item.kind == "Bucket" and item.inputs.get("accessType") != "NoPublicAccess":
        yield f"is public: accessType is {item.inputs.get('accessType')}"
    if item.kind == "PreauthenticatedRequest":
        yield "lets whoever has its address into a bucket"


def protected(item: Item) -> Iterable[str]:
    """What holds data is not deleted by a slip."""
    if item.kind in KEEPS_DATA and not item.protect:
        yield "holds data and is not protected: protect=True"


def identity_is_its_own(item: Item) -> Iterable[str]:
    """A machine gives its identity to requests with the header alone."""
    details = item.inputs
    if item.kind == "InstanceConfiguration":
        details = item.inputs.get("instanceDetails", {}).get("launchDetails", {})
    if item.kind in ("Instance", "InstanceConfiguration"):
        if not details.get("instanceOptions", {}).get("areLegacyImdsEndpointsDisabled"):
            yield "answers the first metadata service too: areLegacyImdsEndpointsDisabled"
        if "ssh_authorized_keys" in details.get("metadata", {}):
            yield "has an SSH key that stays for ever; the Bastion makes keys for a session"


def modest(item: Item) -> Iterable[str]:
    """No right over everything."""
    if item.kind == "Policy":
        for statement in item.inputs.get("statements") or []:
            words = str(statement).lower()
            if "manage all-resources" in words or " any-user " in words:
                yield f"gives away everything: {statement}"


RULES: dict[str, tuple[str, Rule]] = {
    "no-world-open-ports": ("SSH, databases and all but the web are closed to the world", world_open),
    "encryption": ("What is at rest is encrypted with the stack's own key", encrypted),
    "tags": ("Every resource says whose it is", tagged),
    "no-public-bucket": ("No bucket can be read by everybody", private),
    "protected-data": ("What holds data is protected", protected),
    "imds-v2": ("Only the second metadata service answers, and no SSH key stays", identity_is_its_own),
    "least-privilege": ("No policy gives everything away", modest),
}


def over_free(items: Iterable[Item]) -> Iterable[str]:
    """Of all machines and volumes together: what is not always free."""
    ocpus = memory = storage = 0.0
    known = list(items)
    most = max((_most(item) for item in known if item.kind == "AutoScalingConfiguration"), default=0)
    for item in known:
        details, count = item.inputs, 1
        if item.kind == "InstanceConfiguration":
            details, count = item.inputs.get("instanceDetails", {}).get("launchDetails", {}), most
        if item.kind in ("Instance", "InstanceConfiguration"):
            if details.get("shape") not in FREE_SHAPES:
                yield f"{item.name}: {details.get('shape')} is never free"
            shape = details.get("shapeConfig") or {}
            ocpus += count * float(shape.get("ocpus") or 0)
            memory += count * float(shape.get("memoryInGbs") or 0)
            storage += count * float(details.get("sourceDetails", {}).get("bootVolumeSizeInGbs") or 47)
        if item.kind == "Volume":
            storage += float(item.inputs.get("sizeInGbs") or 0)
    for have, free, what in (
        (ocpus, conventions.FREE_OCPUS, "OCPUs"),
        (memory, conventions.FREE_MEMORY_GB, "GB of memory"),
        (storage, conventions.FREE_STORAGE_GB, "GB of volumes"),
    ):
        if have > free:
            yield f"{have:g} {what} in all, and {free} are always free"


def _most(item: Item) -> int:
    return max((int(one.get("capacity", {}).get("max") or 0) for one in item.inputs.get("policies") or []), default=0)


def _ways_in(item: Item) -> Iterable[tuple[str, str, tuple[int, int] | None]]:
    """Each source with its protocol and ports; None for every port."""
    rules: list[Mapping[str, Any]] = []
    if item.kind == "NetworkSecurityGroupSecurityRule" and item.inputs.get("direction") == "INGRESS":
        rules = [item.inputs]
    if item.kind in ("SecurityList", "DefaultSecurityList"):
        rules = item.inputs.get("ingressSecurityRules") or []
    for rule in rules:
        options = rule.get("tcpOptions") or rule.get("udpOptions") or {}
        range_ = options.get("destinationPortRange") or options
        has_range = range_.get("min") is not None and range_.get("max") is not None
        ports = (int(range_["min"]), int(range_["max"])) if has_range else None
        yield str(rule.get("source", EVERYTHING)), str(rule.get("protocol", "all")), ports


def _is_wide(source: str) -> bool:
    """Of IPv4 and IPv6, with host bits set too, as Oracle takes them; `all-…` are the addresses of a whole region."""
    try:
        return is_wide(ipaddress.ip_network(source, strict=False))
    except ValueError:  # a group or a service by its name
        return source.startswith("all-")
