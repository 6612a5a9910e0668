"""The network: 80 and 443 for everybody, a private subnet for the pool, SSH from the Bastion or not at all."""

from __future__ import annotations

import pulumi
from pulumi_oci.bastion.bastion import Bastion
from pulumi_oci.core import (
    DefaultSecurityListEgressSecurityRuleArgs,
    DefaultSecurityListEgressSecurityRuleTcpOptionsArgs,
)
from pulumi_oci.core.default_security_list import DefaultSecurityList
from pulumi_oci.core.internet_gateway import InternetGateway
from pulumi_oci.core.nat_gateway import NatGateway
from pulumi_oci.core.network_security_group import NetworkSecurityGroup
from pulumi_oci.core.network_security_group_security_rule import NetworkSecurityGroupSecurityRule
from pulumi_oci.core.route_table import RouteTable
from pulumi_oci.core.subnet import Subnet
from pulumi_oci.core.vcn import Vcn

from infra import conventions
from infra.site import Site
from infra.values import PUBLIC_PORTS, OpenPort

TCP, ICMP = "6", "1"
_BY_BASTION = DefaultSecurityListEgressSecurityRuleArgs(
    protocol=TCP,
    destination=conventions.PUBLIC_BLOCK,
    destination_type="CIDR_BLOCK",
    tcp_options=DefaultSecurityListEgressSecurityRuleTcpOptionsArgs(min=22, max=22),
    description="the Bastion's endpoint, which is in no group, to the VM beside it",
)


class Network(pulumi.ComponentResource):
    def __init__(self, *, site: Site, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("countersign:infra:Network", "network", None, opts)
        self._site = site
        self._child = pulumi.ResourceOptions(parent=self)
        settings = site.settings
        self.vcn = Vcn(
            "vcn",
            compartment_id=site.compartment,
            cidr_blocks=[conventions.VCN_BLOCK],
            dns_label="countersign",
            display_name=site.called(),
            freeform_tags=site.tags,
            opts=self._child,
        )
        # As Oracle makes it, it lets SSH in from everywhere.
        self.default_list = DefaultSecurityList(
            "default-list",
            manage_default_resource_id=self.vcn.default_security_list_id,
            display_name=site.called("nothing"),
            ingress_security_rules=[],
            egress_security_rules=[_BY_BASTION] if settings.admin_blocks else [],
            freeform_tags=site.tags,
            opts=self._child,
        )
        self.gateway = InternetGateway(
            "gateway",
            compartment_id=site.compartment,
            vcn_id=self.vcn.id,
            enabled=True,
            display_name=site.called("gateway"),
            freeform_tags=site.tags,
            opts=self._child,
        )
        self.public = self._subnet("public", conventions.PUBLIC_BLOCK, self.gateway.id, private=False)
        self.vm_group = self._group("vm")
        self.rules = [self._let_in("vm", self.vm_group, OpenPort(port, conventions.ANYWHERE)) for port in PUBLIC_PORTS]
        self.bastion: Bastion | None = None
        if settings.admin_blocks:
            self.bastion = Bastion(
                "bastion",
                bastion_type="STANDARD",
                compartment_id=site.compartment,
                target_subnet_id=self.public.id,
                client_cidr_block_allow_lists=list(settings.admin_blocks),
                max_session_ttl_in_seconds=3 * 3600,
                name=site.called("bastion").replace("-", ""),  # Oracle takes letters and digits there
                freeform_tags=site.tags,
                opts=self._child,
            )
            self.rules.append(self._let_in("vm", self.vm_group, OpenPort(22, conventions.PUBLIC_BLOCK)))
        self.pool: Subnet | None = None
        self.pool_group: NetworkSecurityGroup | None = None
        if settings.growth.count:
            self.nat = NatGateway(
                "nat",
                compartment_id=site.compartment,
                vcn_id=self.vcn.id,
                display_name=site.called("nat"),
                freeform_tags=site.tags,
                opts=self._child,
            )
            self.pool = self._subnet("pool", conventions.POOL_BLOCK, self.nat.id, private=True)
            self.pool_group = self._group("pool")
        self.register_outputs({"vcn": self.vcn.id})

    def _subnet(self, name: str, block: str, gateway: pulumi.Output[str], *, private: bool) -> Subnet:
        site = self._site
        table = RouteTable(
            f"{name}-routes",
            compartment_id=site.compartment,
            vcn_id=self.vcn.id,
            route_rules=[
                {"destination": conventions.ANYWHERE, "destination_type": "CIDR_BLOCK", "network_entity_id": gateway}
            ],
            display_name=site.called(name),
            freeform_tags=site.tags,
            opts=self._child,
        )
        return Subnet(
            f"{name}-subnet",
            compartment_id=site.compartment,
            vcn_id=self.vcn.id,
            cidr_block=block,
            route_table_id=table.id,
            security_list_ids=[self.default_list.id],
            prohibit_public_ip_on_vnic=private,
            prohibit_internet_ingress=private,
            dns_label=name,
            display_name=site.called(name),
            freeform_tags=site.tags,
            opts=self._child,
        )

    def _group(self, name: str) -> NetworkSecurityGroup:
        """A security group whose members may reach out, and learn of a smaller MTU on the way."""
        site = self._site
        group = NetworkSecurityGroup(
            f"{name}-group",
            compartment_id=site.compartment,
            vcn_id=self.vcn.id,
            display_name=site.called(name),
            freeform_tags=site.tags,
            opts=self._child,
        )
        NetworkSecurityGroupSecurityRule(
            f"{name}-out",
            network_security_group_id=group.id,
            direction="EGRESS",
            protocol="all",
            destination=conventions.ANYWHERE,
            destination_type="CIDR_BLOCK",
            description="mailboxes, the model, backups, packages; which of them a service reaches, compose decides",
            opts=self._child,
        )
        NetworkSecurityGroupSecurityRule(
            f"{name}-path-mtu",
            network_security_group_id=group.id,
            direction="INGRESS",
            protocol=ICMP,
            source=conventions.ANYWHERE,
            source_type="CIDR_BLOCK",
            icmp_options={"type": 3, "code": 4},
            description="a router says that a packet is too large",
            opts=self._child,
        )
        return group

    def _let_in(self, name: str, group: NetworkSecurityGroup, port: OpenPort) -> NetworkSecurityGroupSecurityRule:
        return NetworkSecurityGroupSecurityRule(
            f"{name}-in-{port.port}",
            network_security_group_id=group.id,
            direction="INGRESS",
            protocol=TCP,
            source=port.source,
            source_type="CIDR_BLOCK",
            tcp_options={"destination_port_range": {"min": port.port, "max": port.port}},
            description="the web" if port.port in PUBLIC_PORTS else "from the Bastion's endpoint in this subnet",
            opts=self._child,
        )
