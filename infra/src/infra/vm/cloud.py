"""The three things that this VM asks of Oracle: a secret, an object to be kept, a measure to be noted."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from urllib.parse import quote

from infra.vm.orders import Orders, Wanted
from infra.vm.principal import Principal, endpoint
from infra.vm.programs import Failed

CHANCE = 32
"""Bytes of a secret of chance that are taken: 64 letters, which every program takes as a password."""


class Cloud:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._principal = Principal(orders.region)

    def secret(self, wanted: Wanted) -> bytes:
        """Raises Failed, never with a value in it."""
        url = f"https://secrets.vaults.{self._orders.region}.oci.oraclecloud.com/20190301/secretbundles/{quote(wanted.id)}"
        try:
            bundle = json.loads(self._principal.request("GET", endpoint(url)))
            content = base64.b64decode(bundle["secretBundleContent"]["content"])
        except (ValueError, KeyError, TypeError):
            raise Failed(f"the vault's answer for {wanted.file} is no secret bundle") from None
        return content[:CHANCE].hex().encode("ascii") if wanted.form == "hex" else content

    def put(self, name: str, content: bytes, kind: str = "application/octet-stream") -> None:
        """Into the bucket of reports. Raises Failed."""
        bucket = f"n/{quote(self._orders.namespace)}/b/{quote(self._orders.reports)}"
        url = f"https://objectstorage.{self._orders.region}.oraclecloud.com/{bucket}/o/{quote(name, safe='')}"
        self._principal.request("PUT", endpoint(url), body=content, kind=kind)

    def measure(self, compartment: str, machine: str, values: dict[str, float]) -> None:
        """Raises Failed."""
        url = f"https://telemetry-ingestion.{self._orders.region}.oraclecloud.com/20180401/metrics"
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        data = [
            {
                "namespace": "countersign",
                "compartmentId": compartment,
                "name": name,
                "dimensions": {"machine": machine},
                "datapoints": [{"timestamp": at, "value": value}],
            }
            for name, value in values.items()
        ]
        self._principal.request("POST", endpoint(url), body=json.dumps({"metricData": data}).encode())
