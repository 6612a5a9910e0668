"""Two buckets: backups, which the VM can add to and not take from, and the VM's reports."""

from __future__ import annotations

import pulumi
from pulumi_oci.identity.customer_secret_key import CustomerSecretKey
from pulumi_oci.identity.group import Group
from pulumi_oci.identity.policy import Policy
from pulumi_oci.identity.user import User
from pulumi_oci.identity.user_capabilities_management import UserCapabilitiesManagement
from pulumi_oci.identity.user_group_membership import UserGroupMembership
from pulumi_oci.objectstorage.bucket import Bucket
from pulumi_oci.objectstorage.get_namespace import get_namespace_output
from pulumi_oci.objectstorage.object_lifecycle_policy import ObjectLifecyclePolicy

from infra import conventions
from infra.site import Site, keeping


class Storage(pulumi.ComponentResource):
    def __init__(self, *, site: Site, key: pulumi.Output[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("countersign:infra:Storage", "storage", None, opts)
        self._site = site
        self._child = pulumi.ResourceOptions(parent=self)
        settings = site.settings
        found = get_namespace_output(compartment_id=settings.tenancy, opts=pulumi.InvokeOutputOptions(parent=self))
        self.namespace: pulumi.Output[str] = found.namespace
        self.backups = self._bucket("backups", key, versioning="Enabled")
        self.reports = self._bucket("reports", key, versioning="Disabled")
        service = f"objectstorage-{settings.region}"
        self.janitor = Policy(
            "janitor",
            compartment_id=site.compartment,
            name=site.called("janitor"),
            description="Object storage carries out the buckets' lifecycle rules",
            statements=[
                pulumi.Output.format(
                    "Allow service {} to manage object-family in compartment id {}", service, site.compartment
                )
            ],
            freeform_tags=site.tags,
            opts=self._child,
        )
        self._forget("backups", self.backups, [
            ("kept-versions", "previous-object-versions", "DELETE", conventions.KEPT_VERSIONS_DAYS),
            ("broken-uploads", "multipart-uploads", "ABORT", 7),
        ])  # fmt: skip
        self._forget(
            "reports", self.reports, [("kept-logs", "objects", "DELETE", conventions.KEPT_LOGS_DAYS)], only="logs"
        )
        self.writer = self._identity("backup-writer", "restic on the VM: adds, and takes away its own locks")
        self.pruner = self._identity("backup-pruner", "the owner's machine: forgets by the retention rules")
        self.policies = Policy(
            "backup-policy",
            compartment_id=site.compartment,
            name=site.called("backups"),
            description="Who may do what with the backups",
            statements=[
                *self._may(self.writer.group, "read", "buckets"),
                *self._may(self.writer.group, "manage", "objects", ("OBJECT_INSPECT", "OBJECT_READ", "OBJECT_CREATE")),
                *self._may(self.writer.group, "manage", "objects", ("OBJECT_DELETE",), "/locks*/"),
                *self._may(self.pruner.group, "read", "buckets"),
                *self._may(
                    self.pruner.group, "manage", "objects",
                    ("OBJECT_INSPECT", "OBJECT_READ", "OBJECT_CREATE", "OBJECT_DELETE"),
                ),
            ],
            freeform_tags=site.tags,
            opts=self._child,
        )  # fmt: skip
        self.location = pulumi.Output.format(
            "s3:https://{}.compat.objectstorage.{}.oraclecloud.com/{}",
            self.namespace,
            settings.region,
            self.backups.name,
        )
        self.register_outputs({"backups": self.backups.name, "reports": self.reports.name})

    def _bucket(self, name: str, key: pulumi.Output[str], *, versioning: str) -> Bucket:
        return Bucket(
            name,
            compartment_id=self._site.compartment,
            namespace=self.namespace,
            name=self._site.called(name),
            access_type="NoPublicAccess",
            storage_tier="Standard",
            versioning=versioning,
            kms_key_id=key,
            freeform_tags=self._site.tags,
            opts=keeping(self),
        )

    def _forget(self, name: str, bucket: Bucket, rules: list[tuple[str, str, str, int]], *, only: str = "") -> None:
        """`only`: how the names of the objects begin that are meant."""
        ObjectLifecyclePolicy(
            f"{name}-lifecycle",
            namespace=self.namespace,
            bucket=bucket.name,
            rules=[
                {
                    "name": rule,
                    "target": target,
                    "action": action,
                    "time_amount": str(days),
                    "time_unit": "DAYS",
                    "is_enabled": True,
                    "object_name_filter": {"inclusion_prefixes": [only]} if only else None,
                }
                for rule, target, action, days in rules
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.janitor]),
        )

    def _identity(self, name: str, description: str) -> Identity:
        return Identity(name, site=self._site, description=description, opts=self._child)

    def _may(
        self, group: Group, verb: str, kind: str, permissions: tuple[str, ...] = (), objects: str = ""
    ) -> list[pulumi.Output[str]]:
        """A statement: `group` may, in the bucket of the backups alone."""
        conditions = [f"target.bucket.name = '{self._site.called('backups')}'"]
        if objects:
            conditions.append(f"target.object.name = {objects}")
        if permissions:
            allowed = ", ".join(f"request.permission = '{one}'" for one in permissions)
            conditions.append(f"any {{{allowed}}}")
        return [
            pulumi.Output.format(
                "Allow group id {} to {} {} in compartment id {} where all {{{}}}",
                group.id, verb, kind, self._site.compartment, ", ".join(conditions),
            )
        ]  # fmt: skip


class Identity(pulumi.ComponentResource):
    """A user for the S3 interface, which takes no instance principal. It can have S3 keys and nothing else."""

    def __init__(self, name: str, *, site: Site, description: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("countersign:infra:Identity", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tenancy = site.settings.tenancy
        self.user = User(
            f"{name}-user",
            compartment_id=tenancy,
            name=site.called(name),
            description=description,
            email=_address(site.settings.contact, site.called(name)),
            freeform_tags=site.tags,
            opts=child,
        )
        UserCapabilitiesManagement(
            f"{name}-limits",
            user_id=self.user.id,
            can_use_console_password=False,
            can_use_api_keys=False,
            can_use_auth_tokens=False,
            can_use_smtp_credentials=False,
            can_use_customer_secret_keys=True,
            opts=child,
        )
        self.group = Group(
            f"{name}-group",
            compartment_id=tenancy,
            name=site.called(name),
            description=description,
            freeform_tags=site.tags,
            opts=child,
        )
        UserGroupMembership(f"{name}-member", user_id=self.user.id, group_id=self.group.id, opts=child)
        self._key = CustomerSecretKey(
            f"{name}-key",
            user_id=self.user.id,
            display_name=site.called(name),
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["key"]),
        )
        self.credentials: pulumi.Output[str] = pulumi.Output.secret(
            pulumi.Output.format(
                "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n", self._key.id, self._key.key
            )
        )
        """In the form of `~/.aws/credentials`."""
        self.register_outputs({})


def _address(contact: str, name: str) -> str:
    """The operator's, marked with the name: in a tenancy no two users have the same."""
    local, _, domain = contact.rpartition("@")
    return f"{local}+{name}@{domain}"
