"""A compartment of the stack's own, quotas that refuse what was not meant, and a budget that only warns."""

from __future__ import annotations

import pulumi
from pulumi_oci.budget.budget import Budget
from pulumi_oci.budget.rule import Rule
from pulumi_oci.identity.compartment import Compartment
from pulumi_oci.identity.get_region_subscriptions import get_region_subscriptions
from pulumi_oci.limits.quota import Quota

from infra import conventions
from infra.settings import Settings
from infra.site import Site, keeping
from infra.values import Illegal


class Guardrails(pulumi.ComponentResource):
    def __init__(self, *, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        _at_home(settings)
        super().__init__("countersign:infra:Guardrails", "guardrails", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        called = conventions.name(settings.stack)
        tags = conventions.tags(settings.stack)
        self.compartment = Compartment(
            "compartment",
            compartment_id=settings.tenancy,
            name=called,
            description=f"Countersign, stack {settings.stack}",
            enable_delete=False,
            freeform_tags=tags,
            opts=keeping(self),
        )
        self.quota = Quota(
            "quota",
            compartment_id=settings.tenancy,
            name=called,
            description="What Countersign may use at most",
            statements=quota_statements(settings),
            freeform_tags=tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.compartment]),
        )
        self.budget = Budget(
            "budget",
            compartment_id=settings.tenancy,
            target_type="COMPARTMENT",
            targets=[self.compartment.id],
            amount=settings.budget,
            reset_period="MONTHLY",
            display_name=called,
            freeform_tags=tags,
            opts=child,
        )
        self.warnings = [
            Rule(
                f"budget-{kind}",
                budget_id=self.budget.id,
                type=kind.upper(),
                threshold=threshold,
                threshold_type="PERCENTAGE",
                recipients=settings.contact,
                display_name=kind,
                message=f"Countersign {settings.stack}: {kind} costs reach {threshold} % of its budget",
                freeform_tags=tags,
                opts=child,
            )
            for kind, threshold in (("actual", 50), ("forecast", 100))
        ]
        # Whatever is made in it comes after the quota that has room for it.
        inside: pulumi.Output[str] = pulumi.Output.all(self.compartment.id, self.quota.id).apply(
            lambda both: str(both[0])
        )
        self.site = Site(settings, inside)
        self.register_outputs({"compartment": self.compartment.id})


def _at_home(settings: Settings) -> None:
    """Raises Illegal, before anything is made, when Oracle says that the tenancy's home is another region."""
    subscribed = get_region_subscriptions(tenancy_id=settings.tenancy).region_subscriptions
    home = next((str(one.region_name) for one in subscribed if one.is_home_region), settings.region)
    if home != settings.region:
        raise Illegal(
            f"region: {settings.region} is not the tenancy's home region, which is {home}; compartments, users, groups "
            f"and policies are made there alone: write {home} as region and as oci:region"
        )


def quota_statements(settings: Settings) -> list[str]:
    """First nothing, then what this stack was planned with: a later statement of a family wins.

    A launch is held against the count of its availability domain and against that of the region.
    """
    where = f"in compartment {conventions.name(settings.stack)}"
    machine, growth = settings.machine, settings.growth
    ocpus = machine.ocpus + growth.count * growth.ocpus
    memory = machine.memory_gb + growth.count * growth.memory_gb
    return [
        *(
            f"zero {family} quotas {where}"
            for family in ("compute-core", "compute-memory", "database", "load-balancer")
        ),
        *(
            f"set compute-{what} quota standard-a1-{what}-{scope} to {most} {where}"
            for what, most in (("core", ocpus), ("memory", memory))
            for scope in ("count", "regional-count")
        ),
        f"set block-storage quota total-storage-gb to {settings.storage_gb} {where}",
        f"set vcn quota vcn-count to 1 {where}",
    ]
