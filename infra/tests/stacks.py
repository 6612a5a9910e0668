"""The whole program under Pulumi's mocks, with everything written down that it asks the engine for."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime.mocks import MockMonitor

from infra import conventions, orders, settings
from infra.__main__ import build

INFRA = Path(__file__).resolve().parent.parent
REAL: dict[str, Any] = {
    "tenancy": "ocid1.tenancy.oc1..aaaatest",
    "contact": "ann@office.test",
    "release": {"version": "0.1.0", "url": "https://downloads.office.test/c.tar.gz", "sha256": "ab" * 32},
}
POOL: dict[str, Any] = {
    "growth": {
        "agents": [{"name": "cloud-2", "admitted": f"{'ab' * 32} ssh-ed25519 {'A' * 68} cloud-2"}, {"name": "cloud-3"}]
    },
    "mailboxes": [
        {"name": name, "address": f"{name}@office.test", "host": "imap.office.test", "user": name, "agents": agents}
        for name, agents in (("business", ["cloud", "cloud-2"]), ("private", ["cloud"]), ("shop", ["cloud-3"]))
    ],
    "machine": {"ocpus": 2, "memory_gb": 12, "data_gb": 50},
    "paid": True,
}


def example(stack: str, **changed: Any) -> dict[str, Any]:
    """The example's settings with what is a placeholder there filled in, and what a test changes."""
    text = (INFRA / f"Pulumi.{stack}.yaml.example").read_text(encoding="utf-8")
    values: dict[str, Any] = yaml.safe_load(text)["config"]["countersign:settings"]
    values |= copy.deepcopy(REAL)
    values["names"]["domain"] = values["names"]["domain"].replace("example.com", "office.test")
    for box in [] if "mailboxes" in changed else values.get("mailboxes", []):
        box |= {"address": "ann@office.test", "host": "imap.office.test", "user": "ann@office.test"}
    return {**values, **changed}


@dataclass(frozen=True)
class Made:
    """One resource, as the engine was asked for it."""

    type: str
    name: str
    inputs: dict[str, Any]
    protect: bool
    replaces_first: bool
    ignored: tuple[str, ...]
    urn: str
    secrets: tuple[str, ...]


@dataclass
class Run:
    """Everything of one run of the program."""

    made: list[Made] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> list[Made]:
        """All of a type, by the last word of its token."""
        return [one for one in self.made if one.type.rpartition(":")[2] == kind]

    def one(self, name: str) -> Made:
        """The resource of Oracle's (or Cloudflare's) that is called so."""
        (found,) = [one for one in self.made if one.name == name and not one.type.startswith("countersign:")]
        return found


class Mocks(pulumi.runtime.Mocks):
    """Oracle as far as the program reads it back."""

    def __init__(self, home: str = "eu-frankfurt-1") -> None:
        self.told = ""
        self.home = home

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:  # type: ignore[override]
        match args.token.rpartition(":")[2]:
            case "getRegionSubscriptions":
                names = sorted({self.home, "us-phoenix-1"})
                return {"regionSubscriptions": [{"regionName": n, "isHomeRegion": n == self.home} for n in names]}
            case "getNamespace":
                return {"namespace": "mynamespace"}
            case "getImages":
                return {"images": [{"id": "ocid1.image.newest"}, {"id": "ocid1.image.older"}]}
            case "getAvailabilityDomains":
                return {
                    "availabilityDomains": [{"name": f"abc:EU-FRANKFURT-1-AD-{n}", "id": str(n)} for n in (1, 2, 3)]
                }
            case "getPrivateIps":
                return {"privateIps": [{"id": f"private-ip-of-{args.args['ipAddress']}"}]}
            case "getObject" if args.args["object"] == conventions.report(conventions.VM):
                report = {
                    "orders": orders.digest(self.told),
                    "instance": "id-of-vm",
                    "state": "healthy",
                    "step": "look",
                    "message": "well",
                    "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
                return {"content": json.dumps(report)}
            case "getObject" if args.args["object"] == conventions.report("cloud-2"):
                return {"content": json.dumps({"state": "healthy", "identity": "cloud-2 HASH KEY"})}
            case "getObject" if args.args["object"] == conventions.JOIN_CODE:
                return {"content": "JOIN-ME\n"}
            case "getObject":
                return {"content": ""}
        raise AssertionError(args.token)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        state = dict(args.inputs)
        match args.typ.rpartition(":")[2]:
            case "Instance" if args.name == "vm":
                self.told = state["metadata"]["countersign"]
                state |= {"privateIp": conventions.VM_ADDRESS, "bootVolumeId": "boot-volume"}
            case "PublicIp":
                state["ipAddress"] = "198.51.100.7"
            case "Vault":
                state["managementEndpoint"] = "https://vault.test"
            case "Zone":
                state["nameservers"] = [{"hostname": "ns1.dns.test"}, {"hostname": "ns2.dns.test"}]
            case "Secret":
                state["currentVersionNumber"] = "1"
            case "CustomerSecretKey":
                state["key"] = "s3-key"
            case "Vcn":
                state["defaultSecurityListId"] = "the-default-list"
        return f"id-of-{args.name}", state


class Monitor(MockMonitor):
    """Writes down what the mocks are not told: protection, order of replacement, what is ignored."""

    def __init__(self, mocks: Mocks, run: Run) -> None:
        super().__init__(mocks)
        self.run = run

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's name for it
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            inputs = pulumi.runtime.rpc.deserialize_properties(request.object)
            self.run.made.append(
                Made(
                    type=request.type,
                    name=request.name,
                    inputs=_plain(inputs),
                    protect=request.protect,
                    replaces_first=request.deleteBeforeReplace,
                    ignored=tuple(request.ignoreChanges),
                    urn=answer.urn,
                    secrets=tuple(sorted({*request.additionalSecretOutputs, *_secret(inputs)})),
                )
            )
        return answer


def run(stack: str, **changed: Any) -> Run:
    """The program with an example's settings."""
    return _run(stack, "", json.dumps(changed, sort_keys=True))


def run_at(home: str, stack: str) -> Run:
    """The same in a tenancy whose home is that region."""
    return _run(stack, home, "{}")


@cache
def _run(stack: str, home: str, changed: str) -> Run:
    chosen = settings.read(example(stack, **json.loads(changed)), stack=stack)
    found, mocks = Run(), Mocks(home or chosen.region)
    pulumi.runtime.set_mocks(mocks, project=conventions.PROJECT, stack=stack, monitor=Monitor(mocks, found))

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[None]:
        said = build(chosen, lambda file: pulumi.Output.secret(f"value of {file}"))
        return pulumi.Output.all(**said).apply(lambda values: found.outputs.update(values))

    program()
    return found


def _plain(value: Any) -> Any:
    """Without the wrapping of secrets."""
    if isinstance(value, dict):
        if "4dabf18193072939515e22adb298388d" in value:
            return _plain(value["value"])
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _secret(inputs: dict[str, Any]) -> set[str]:
    """The inputs in which something is marked as a secret."""
    return {name for name, value in inputs.items() if "4dabf18193072939515e22adb298388d" in repr(value)}
