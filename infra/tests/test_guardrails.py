from __future__ import annotations

import pytest
from stacks import POOL, REAL, example, run, run_at

from infra import settings
from infra.components.guardrails import quota_statements


def test_a_compartment_of_its_own_holds_everything_and_is_never_deleted_by_the_way() -> None:
    compartment = run("prod").one("compartment")
    assert compartment.protect
    assert compartment.inputs["enableDelete"] is False
    assert compartment.inputs["name"] == "countersign-prod"


@pytest.mark.parametrize(("stack", "ocpus", "memory", "storage"), [("prod", 2, 12, 150), ("dev", 1, 6, 100)])
def test_the_quotas_allow_what_was_planned_and_refuse_the_rest(
    stack: str, ocpus: int, memory: int, storage: int
) -> None:
    statements = quota_statements(settings.read(example(stack), stack=stack))
    where = f"in compartment countersign-{stack}"
    for family in ("compute-core", "compute-memory", "database", "load-balancer"):
        assert f"zero {family} quotas {where}" in statements
    for scope in ("count", "regional-count"):
        assert f"set compute-core quota standard-a1-core-{scope} to {ocpus} {where}" in statements, "a launch asks both"
        assert f"set compute-memory quota standard-a1-memory-{scope} to {memory} {where}" in statements
    assert f"set block-storage quota total-storage-gb to {storage} {where}" in statements


def test_a_quota_is_set_after_its_family_is_refused_else_it_would_not_hold() -> None:
    statements = run("prod").one("quota").inputs["statements"]
    for family in ("compute-core", "compute-memory"):
        zero = next(at for at, s in enumerate(statements) if s.startswith(f"zero {family} "))
        assert all(at > zero for at, s in enumerate(statements) if s.startswith(f"set {family} "))


def test_the_quotas_have_room_for_the_whole_pool() -> None:
    statements = run("prod", **POOL).one("quota").inputs["statements"]
    assert "set compute-core quota standard-a1-core-count to 4 in compartment countersign-prod" in statements
    assert "set block-storage quota total-storage-gb to 200 in compartment countersign-prod" in statements


def test_a_region_that_is_not_the_tenancys_home_is_refused_before_anything_is_asked_for() -> None:
    with pytest.raises(
        Exception, match="region: eu-frankfurt-1 is not the tenancy's home region, which is uk-london-1"
    ):
        run_at("uk-london-1", "prod")
    assert run_at("eu-frankfurt-1", "prod").one("compartment").inputs["compartmentId"] == REAL["tenancy"]


def test_the_budget_warns_at_half_of_what_was_spent_and_at_all_that_is_foreseen() -> None:
    found = run("prod")
    assert found.one("budget").inputs["targets"] == ["id-of-compartment"]
    assert found.one("budget").inputs["amount"] == 5
    rules = {one.inputs["type"]: one.inputs for one in found.of("Rule")}
    assert (rules["ACTUAL"]["threshold"], rules["FORECAST"]["threshold"]) == (50, 100)
    assert {one["recipients"] for one in rules.values()} == {"ann@office.test"}
