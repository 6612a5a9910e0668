"""Illegal settings are refused before anything is made, with what and why."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from stacks import INFRA, REAL, example

from infra import settings
from infra.values import Illegal, OpenPort, Shape, Volume

BOX = {"name": "a", "address": "a@b.test", "host": "imap.b.test", "user": "a"}


def names(**changed: Any) -> dict[str, Any]:
    return {"names": {**example("prod")["names"], **changed}}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"admin_blocks": ["0.0.0.0/0"]}, r"port 22 \(SSH\) must not be open to 0.0.0.0/0.*Bastion"),
        ({"admin_blocks": ["203.0.0.0/8"]}, "port 22"),
        ({"admin_blocks": ["203.0.112.0/23"]}, "port 22 .*from /24 or narrower"),
        ({"admin_blocks": ["here"]}, "'here' is no range"),
        ({"machine": {"ocpus": 6, "memory_gb": 24}}, r"6 OCPUs in all, and 2 are always free; .*paid: true"),
        ({"machine": {"ocpus": 2, "memory_gb": 24}}, "24 GB of memory in all, and 12 are always free"),
        ({"machine": {"data_gb": 200}}, "250 GB of volumes in all"),
        ({"machine": {"ocpus": 4, "memory_gb": 2}}, "2 GB for 4 OCPUs"),
        ({"machine": {"boot_gb": 20}}, "a volume of 20 GB"),
        ({"machine": {"cores": 4}}, "machine.cores: Extra inputs"),
        ({"growth": {"agents": [{"name": "cloud-2"}]}}, "3 OCPUs in all"),
        ({"growth": {"agents": [{"name": "cloud-2"}, {"name": "cloud-2"}]}, "paid": True}, "each name once"),
        ({"growth": {"agents": [{"name": "cloud"}]}, "paid": True}, "somebody else's name"),
        ({"growth": {"agents": [{"name": "cloud-2"}], "revoked": ["cloud-2"]}, "paid": True}, "does not come back"),
        ({"growth": {"agents": [{"name": "cloud-2", "admitted": "ab ssh-ed25519 AAAA"}]}, "paid": True}, "admitted"),
        ({"mailboxes": [{**BOX, "agents": ["cloud-2"]}]}, "cloud-2 is no agent; there are: cloud"),
        ({"mailboxes": [{**BOX, "agents": []}]}, "mailboxes.0.agents"),
        ({"mailboxes": [{**BOX, "name": "installation"}]}, "secrets of their own"),
        ({"release": {**REAL["release"], "sha256": "abc"}}, r"release.sha256: .*\(given: 'abc'\)"),
        ({"release": {**REAL["release"], "url": "http://downloads.office.test/c.tar.gz"}}, "release.url"),
        ({"contact": "ann"}, "contact"),
        ({"tenancy": "ann"}, "tenancy"),
        ({"tenancy": "ocid1.tenancy.oc2..aaaatest"}, "tenancy: .* realm oc2; only oc1"),
        ({"tenancy": "ocid1.tenancy.oc19..aaaatest"}, "tenancy: .* realm oc19; only oc1"),
        (names(domain="localhost"), "names.domain"),
        (names(odoo="hub"), "hub and odoo are both called 'hub'"),
        (names(status="odoo"), "odoo and status are both called 'odoo'"),
        ({"books_country": "at"}, "books_country: 'at' is no country's code: two capital letters"),
        ({"books_country": "AUT"}, "'AUT' is no country's code"),
        ({"books_country": "UK"}, "'UK' is no country's code"),
        ({"books_country": ""}, "'' is no country's code"),
        ({"books_country": False}, 'books_country: .*Norway is written "NO", in quotes'),
        (names(provider="cloudflare"), "cloudflare_zone_id"),
        ({"mailboxes": [{**BOX, "port": 587}]}, "handed in"),
        ({"mailboxes": [BOX, BOX]}, "each name once"),
        ({"wait_minutes": 1}, "wait_minutes"),
        ({"surprise": True}, "surprise: Extra inputs"),
    ],
)  # fmt: skip
def test_what_must_not_be_is_refused_with_its_key_and_the_reason(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(Illegal, match=says):
        settings.read(example("prod", **changed), stack="prod")


def test_what_costs_is_allowed_once_it_is_said() -> None:
    big = settings.read(example("prod", paid=True, machine={"ocpus": 8, "memory_gb": 64, "data_gb": 500}), stack="prod")
    assert big.machine.ocpus == 8


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_an_example_is_legal_but_for_what_it_leaves_to_the_operator(stack: str) -> None:
    text = (INFRA / f"Pulumi.{stack}.yaml.example").read_text(encoding="utf-8")
    config = yaml.safe_load(text)["config"]

    with pytest.raises(
        Illegal, match=r"contact, .*names.domain, .*release.url.* still the example's; write your own there"
    ):
        settings.read(config["countersign:settings"], stack=stack)
    assert settings.read(example(stack), stack=stack).region == config["oci:region"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_example_holds_a_secret(stack: str) -> None:
    text = (INFRA / f"Pulumi.{stack}.yaml.example").read_text(encoding="utf-8")
    assert "secure:" not in text
    assert "encryptionsalt" not in text
    assert "password" not in text.lower()


@pytest.mark.parametrize("port", [22, 5432, 8069, 8470, 3001, 8080])
@pytest.mark.parametrize("source", ["0.0.0.0/0", "128.0.0.0/1"])
def test_no_port_but_those_of_the_web_can_be_open_to_everybody(port: int, source: str) -> None:
    with pytest.raises(Illegal, match=f"port {port} "):
        OpenPort(port, source)
    assert OpenPort(port, "203.0.113.7/32").port == port
    assert OpenPort(443, source).source == source


def test_a_shape_and_a_volume_that_oracle_does_not_make_cannot_be_written_down() -> None:
    for ocpus, memory in ((0, 1), (81, 100), (4, 3), (1, 65)):
        with pytest.raises(Illegal):
            Shape(ocpus, memory)
    for size in (49, 40000):
        with pytest.raises(Illegal):
            Volume(size)
