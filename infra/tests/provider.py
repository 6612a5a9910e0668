# ruff: noqa: N802 - the names of the protocol
"""An `oci` provider for the real engine: it keeps what it is told in memory, and says no to what Oracle cannot change.

Engine, state, secrets, diffs and protection are Pulumi's own; Oracle's own provider has no part in it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from stacks import Mocks

FIXED = {
    "Volume": {"availabilityDomain", "kmsKeyIdOfCreation"},
    "Bucket": {"namespace", "name"},
    "Vault": {"vaultType"},
    "Key": {"keyShape"},
    "Zone": {"name", "zoneType"},
    "Compartment": set(),
    "Vcn": {"dnsLabel"},
    "Subnet": {"vcnId", "availabilityDomain", "dnsLabel"},
    "VolumeAttachment": {"instanceId", "volumeId", "device", "attachmentType"},
    "PublicIp": {"lifetime"},
    "Instance": {"availabilityDomain", "createVnicDetails.privateIp", "sourceDetails.sourceId", "metadata.user_data"},
}
"""What Oracle's documentation says cannot be changed after creation, for the kinds that the tests change."""


@dataclass
class World:
    """Everything that exists at this Oracle, by id."""

    mocks: Mocks = field(default_factory=Mocks)
    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    done: list[tuple[str, str]] = field(default_factory=list)
    """What happened, in its order: created, updated or deleted, and what."""

    def names(self, what: str) -> list[str]:
        return [name for done, name in self.done if done == what]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self, world: World) -> None:
        self.world = world
        self._lock = threading.Lock()

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=False, accept_resources=False, accept_outputs=False
        )

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="5.5.0")

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse()

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = _plain(request.old_inputs), _plain(request.news)
        ignored = set(request.ignoreChanges)
        changed = [path for path in _changes(old, new) if path not in ignored]
        fixed = FIXED.get(_kind(request.urn), set())
        replaces = [path for path in changed if path in fixed or path.partition(".")[0] in fixed]
        verdict = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=verdict, diffs=changed, replaces=replaces)

    def Create(self, request: Any, context: Any) -> Any:
        name = request.urn.rpartition("::")[2]
        inputs = _plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(id="", properties=request.properties)
        with self._lock:
            id_, state = self.world.mocks.new_resource(_args(request.urn, name, inputs))
            self.world.things[id_], self.world.kinds[id_] = state, _kind(request.urn)
            self.world.done.append(("created", name))
        return provider_pb2.CreateResponse(id=id_, properties=_struct(state))

    def Read(self, request: Any, context: Any) -> Any:
        state = self.world.things.get(request.id)
        if state is None:
            return provider_pb2.ReadResponse()
        inputs = {name: value for name, value in state.items() if name in _plain(request.inputs)}
        return provider_pb2.ReadResponse(id=request.id, properties=_struct(state), inputs=_struct(inputs))

    def Update(self, request: Any, context: Any) -> Any:
        name = request.urn.rpartition("::")[2]
        if request.preview:
            return provider_pb2.UpdateResponse(properties=request.news)
        with self._lock:
            _, state = self.world.mocks.new_resource(_args(request.urn, name, _plain(request.news)))
            self.world.things[request.id] = state
            self.world.done.append(("updated", name))
        return provider_pb2.UpdateResponse(properties=_struct(state))

    def Delete(self, request: Any, context: Any) -> Any:
        with self._lock:
            self.world.things.pop(request.id, None)
            self.world.done.append(("deleted", request.urn.rpartition("::")[2]))
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        import pulumi

        args = pulumi.runtime.MockCallArgs(token=request.tok, args=_plain(request.args), provider="")
        return provider_pb2.InvokeResponse(**{"return": _struct(self.world.mocks.call(args))})


@contextmanager
def serving(world: World) -> Iterator[int]:
    """The port at which the engine finds it (PULUMI_DEBUG_PROVIDERS)."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(world), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()


def _args(urn: str, name: str, inputs: dict[str, Any]) -> Any:
    import pulumi

    return pulumi.runtime.MockResourceArgs(typ=urn.split("::")[2].rpartition("$")[2], name=name, inputs=inputs)


def _kind(urn: str) -> str:
    return urn.split("::")[2].rpartition(":")[2]


def _changes(old: Any, new: Any, at: str = "") -> list[str]:
    """The paths at which two inputs differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            path
            for key in sorted({*old, *new})
            for path in _changes(old.get(key), new.get(key), f"{at}.{key}".lstrip("."))
        ]
    return [] if old == new else [at]


def _plain(struct: Any) -> dict[str, Any]:
    found = MessageToDict(struct)
    return {name: _unwrapped(value) for name, value in found.items()}


def _unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        if "4dabf18193072939515e22adb298388d" in value:
            return _unwrapped(value.get("value"))
        return {name: _unwrapped(one) for name, one in value.items()}
    return [_unwrapped(one) for one in value] if isinstance(value, list) else value


def _struct(values: dict[str, Any]) -> struct_pb2.Struct:
    return ParseDict({k: v for k, v in values.items() if not k.startswith("__")}, struct_pb2.Struct())
