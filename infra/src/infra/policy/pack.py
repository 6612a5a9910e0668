"""The rules as the engine runs them. Nothing is made at import: the pack opens a port when it is built."""

from __future__ import annotations

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from infra.policy.rules import RULES, Item, Rule, over_free


def resource_policy(name: str, description: str, rule: Rule) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for fault in rule(Item.of(args.resource_type, args.name, args.props, protect=args.opts.protect)):
            report(f"{args.name} {fault}", None)

    return ResourceValidationPolicy(
        name=name, description=description, validate=validate, enforcement_level=EnforcementLevel.MANDATORY
    )


def free_policy() -> StackValidationPolicy:
    """A warning: what is paid for is the operator's to say (settings: paid)."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for fault in over_free(Item.of(one.resource_type, one.name, one.props) for one in args.resources):
            report(fault, None)

    return StackValidationPolicy(
        name="always-free",
        description="Everything together is what Oracle gives away",
        validate=validate,
        enforcement_level=EnforcementLevel.ADVISORY,
    )


def pack() -> PolicyPack:
    return PolicyPack(
        name="countersign",
        enforcement_level=EnforcementLevel.MANDATORY,
        policies=[*(resource_policy(name, *rule) for name, rule in RULES.items()), free_policy()],
    )
