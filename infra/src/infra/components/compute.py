"""The VM: one A1 machine that can be thrown away, its data on a volume that cannot, and what it may do by who it is."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_oci.core.get_images import get_images_output
from pulumi_oci.core.get_private_ips import get_private_ips_output
from pulumi_oci.core.instance import Instance
from pulumi_oci.core.public_ip import PublicIp
from pulumi_oci.core.volume import Volume
from pulumi_oci.core.volume_attachment import VolumeAttachment
from pulumi_oci.core.volume_backup_policy import VolumeBackupPolicy
from pulumi_oci.core.volume_backup_policy_assignment import VolumeBackupPolicyAssignment
from pulumi_oci.identity.get_availability_domains import get_availability_domains_output

from infra import conventions
from infra.site import Site, keeping

DAY = 86400
PLUGINS = {"Compute Instance Monitoring": "ENABLED", "Bastion": "ENABLED", "Vulnerability Scanning": "DISABLED"}


class Compute(pulumi.ComponentResource):
    """`user_data` is the same for every VM; what differs stands in `orders`, which the VM reads again and again."""

    def __init__(
        self,
        *,
        site: Site,
        subnet: pulumi.Output[str],
        groups: Sequence[pulumi.Output[str]],
        key: pulumi.Output[str],
        user_data: str,
        orders: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("countersign:infra:Compute", "compute", None, opts)
        self._site = site
        child = pulumi.ResourceOptions(parent=self)
        machine = site.settings.machine
        self.domain = _availability_domain(site, self)
        self.image = image(site, self)
        self.data = Volume(
            "data",
            compartment_id=site.compartment,
            availability_domain=self.domain,
            size_in_gbs=str(machine.data_gb),
            vpus_per_gb="10",
            kms_key_id=key,
            display_name=site.called("data"),
            freeform_tags=site.tags,
            opts=keeping(self),
        )
        self.vm = Instance(
            "vm",
            compartment_id=site.compartment,
            availability_domain=self.domain,
            shape=conventions.SHAPE,
            shape_config={"ocpus": float(machine.ocpus), "memory_in_gbs": float(machine.memory_gb)},
            display_name=site.called("vm"),
            source_details={
                "source_type": "image",
                "source_id": self.image,
                "boot_volume_size_in_gbs": str(machine.boot_gb),
                "kms_key_id": key,
            },
            create_vnic_details={
                "subnet_id": subnet,
                "nsg_ids": list(groups),
                "private_ip": conventions.VM_ADDRESS,
                "assign_public_ip": "false",
                "hostname_label": "vm",
                "freeform_tags": site.tags,
            },
            instance_options={"are_legacy_imds_endpoints_disabled": True},
            is_pv_encryption_in_transit_enabled=True,
            availability_config={"recovery_action": "RESTORE_INSTANCE"},
            agent_config={
                "is_monitoring_disabled": False,
                "is_management_disabled": False,
                "plugins_configs": [{"name": name, "desired_state": state} for name, state in PLUGINS.items()],
            },
            metadata={"user_data": user_data, conventions.PROJECT: orders},
            freeform_tags=site.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                # Its address and its volume are free only when the old one is gone.
                delete_before_replace=True,
                ignore_changes=[] if machine.image else ["sourceDetails.sourceId"],
            ),
        )
        self.attachment = VolumeAttachment(
            "data-attachment",
            attachment_type="paravirtualized",
            instance_id=self.vm.id,
            volume_id=self.data.id,
            device=conventions.DATA_DEVICE,
            is_pv_encryption_in_transit_enabled=True,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self._backed_up("data", self.data.id, weekly=True)
        self._backed_up("boot", self.vm.boot_volume_id, weekly=False)
        inside = pulumi.Output.all(self.vm.id, self.vm.private_ip).apply(lambda both: str(both[1]))
        addresses = get_private_ips_output(
            ip_address=inside, subnet_id=subnet, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        self.address = PublicIp(
            "address",
            compartment_id=site.compartment,
            lifetime="RESERVED",
            private_ip_id=addresses.private_ips[0].id,
            display_name=site.called("address"),
            freeform_tags=site.tags,
            opts=child,
        )
        self.register_outputs({"vm": self.vm.id, "address": self.address.ip_address})

    def _backed_up(self, name: str, volume: pulumi.Output[str], *, weekly: bool) -> None:
        """Five backups are always free: three of the data, two of the boot volume, which can be made anew."""
        policy = VolumeBackupPolicy(
            f"{name}-backups",
            compartment_id=self._site.compartment,
            display_name=self._site.called(f"{name}-backups"),
            schedules=[
                {
                    "backup_type": "INCREMENTAL",
                    "period": "ONE_WEEK" if weekly else "ONE_MONTH",
                    "retention_seconds": (15 if weekly else 45) * DAY,
                    "offset_type": "STRUCTURED",
                    "hour_of_day": 3,
                    "day_of_week": "SUNDAY" if weekly else None,
                    "day_of_month": None if weekly else 1,
                    "time_zone": "UTC",
                }
            ],
            freeform_tags=self._site.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        VolumeBackupPolicyAssignment(
            f"{name}-backups-assigned",
            asset_id=volume,
            policy_id=policy.id,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )


def image(site: Site, parent: pulumi.Resource) -> pulumi.Output[str]:
    """The operator's, or the newest of the operating system; a machine keeps the one it was made with."""
    if site.settings.machine.image:
        return pulumi.Output.from_input(site.settings.machine.image)
    name, version = conventions.OPERATING_SYSTEM
    found = get_images_output(
        compartment_id=site.settings.tenancy,
        operating_system=name,
        operating_system_version=version,
        shape=conventions.SHAPE,
        sort_by="TIMECREATED",
        sort_order="DESC",
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    newest: pulumi.Output[str] = found.images[0].id
    return newest


def _availability_domain(site: Site, parent: pulumi.Resource) -> pulumi.Output[str]:
    found = get_availability_domains_output(
        compartment_id=site.settings.tenancy, opts=pulumi.InvokeOutputOptions(parent=parent)
    )

    def pick(domains: Sequence[object]) -> str:
        wanted = site.settings.machine.availability_domain
        if wanted > len(domains):
            raise ValueError(f"machine.availability_domain is {wanted}, and {site.settings.region} has {len(domains)}")
        name = getattr(domains[wanted - 1], "name", None)
        return str(name if name is not None else domains[wanted - 1]["name"])  # type: ignore[index]

    chosen: pulumi.Output[str] = found.availability_domains.apply(pick)
    return chosen
