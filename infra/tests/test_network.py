from __future__ import annotations

import pytest
from stacks import POOL, Made, Run, run

ADMIN = {"admin_blocks": ["203.0.113.7/32"]}


def inward(found: Run) -> list[tuple[str, str, object]]:
    """Who may come in from where, and to which port."""
    rules = [r.inputs for r in found.of("NetworkSecurityGroupSecurityRule") if r.inputs["direction"] == "INGRESS"]
    return sorted(
        (r["protocol"], r["source"], r.get("tcpOptions", {}).get("destinationPortRange", {}).get("min")) for r in rules
    )


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_world_reaches_the_web_ports_and_nothing_else(stack: str) -> None:
    found = run(stack)
    everybody = [(protocol, port) for protocol, source, port in inward(found) if source == "0.0.0.0/0"]
    assert sorted(everybody, key=str) == [("1", None), ("6", 443), ("6", 80)]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_without_admin_blocks_there_is_no_bastion_and_no_ssh_at_all(stack: str) -> None:
    found = run(stack)
    assert found.of("Bastion") == []
    assert 22 not in [port for _, _, port in inward(found)]


def test_ssh_comes_from_the_bastions_subnet_and_to_the_bastion_from_the_admins_alone() -> None:
    found = run("prod", **ADMIN)
    (bastion,) = found.of("Bastion")
    assert bastion.inputs["clientCidrBlockAllowLists"] == ["203.0.113.7/32"]
    assert [source for _, source, port in inward(found) if port == 22] == ["10.20.1.0/24"]
    (out,) = found.one("default-list").inputs["egressSecurityRules"]
    assert (out["protocol"], out["destination"], out["tcpOptions"]) == ("6", "10.20.1.0/24", {"min": 22, "max": 22})
    assert bastion.inputs["name"].isalnum(), "as Oracle wants it"


def test_the_list_that_oracle_opens_ssh_with_is_emptied_and_every_subnet_uses_it() -> None:
    found = run("prod", **POOL)
    taken = found.one("default-list").inputs
    assert taken["manageDefaultResourceId"] == "the-default-list"
    assert taken["ingressSecurityRules"] == taken["egressSecurityRules"] == []
    subnets = found.of("Subnet")
    assert len(subnets) == 2
    assert all(s.inputs["securityListIds"] == ["id-of-default-list"] for s in subnets)


def test_the_pool_has_a_subnet_that_nobody_reaches_and_that_has_no_public_address() -> None:
    found = run("prod", **POOL)
    subnet = found.one("pool-subnet").inputs
    assert subnet["prohibitPublicIpOnVnic"] is True
    assert subnet["prohibitInternetIngress"] is True
    (rule,) = found.one("pool-routes").inputs["routeRules"]
    assert rule["networkEntityId"] == "id-of-nat"
    assert [r.name for r in rules_of(found, "pool-group") if r.inputs["direction"] == "INGRESS"] == ["pool-path-mtu"]


def rules_of(found: Run, group: str) -> list[Made]:
    return [
        r
        for r in found.of("NetworkSecurityGroupSecurityRule")
        if r.inputs["networkSecurityGroupId"] == f"id-of-{group}"
    ]
