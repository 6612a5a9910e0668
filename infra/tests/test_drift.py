"""The scheduled look for changes by hand has every credential that the page names for a state or a provider."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from stacks import INFRA

WANTED = {
    "a state under a passphrase": {"PULUMI_CONFIG_PASSPHRASE"},
    "a state in a bucket": {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"},
    "a state at Pulumi Cloud": {"PULUMI_ACCESS_TOKEN"},
    "provider: oci": {"OCI_TENANCY", "OCI_USER", "OCI_FINGERPRINT", "OCI_PRIVATE_KEY"},
    "provider: cloudflare": {"CLOUDFLARE_API_TOKEN"},
}
VARIABLES = {"DRIFT_STACK", "DRIFT_SETTINGS", "PULUMI_BACKEND_URL", "AWS_REGION"}
PAGE = (INFRA.parent / "docs" / "infra.md").read_text(encoding="utf-8")
FILE = INFRA.parent / ".github" / "workflows" / "drift.yml"


def job() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["jobs"]["look"]
    return found


def looking() -> dict[str, str]:
    """The environment of the step that runs the recipe."""
    (step,) = [one for one in job()["steps"] if "./just drift" in one.get("run", "")]
    found: dict[str, str] = step["env"]
    return found


@pytest.mark.parametrize("choice", WANTED)
def test_the_credentials_of_each_choice_are_passed_and_named_on_the_page(choice: str) -> None:
    passed = set(re.findall(r"\$\{\{ (?:secrets|vars)\.(\w+) \}\}", str(looking())))
    assert passed >= WANTED[choice]
    assert {name for name in WANTED[choice] if f"`{name}`" not in PAGE} == set()


def test_every_credential_that_the_page_names_is_passed() -> None:
    text = PAGE.partition("`drift.yml` is off until")[2].partition("### ")[0]
    named = set(re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`", text))
    assert named == set().union(*WANTED.values()) | VARIABLES
    assert named == set(re.findall(r"\$\{\{ (?:secrets|vars)\.(\w+) \}\}", FILE.read_text(encoding="utf-8")))


def test_a_credential_comes_from_a_secret_and_the_other_steps_are_not_given_it() -> None:
    secret = {name for name, value in looking().items() if "secrets." in value}
    assert not {name for name in secret if name.endswith(("_URL", "_REGION"))}
    assert {"AWS_SECRET_ACCESS_KEY", "TF_VAR_private_key", "CLOUDFLARE_API_TOKEN", "PULUMI_ACCESS_TOKEN"} <= secret
    others = [one for one in job()["steps"] if "./just drift" not in one.get("run", "")]
    assert "secrets." not in str(others)
    assert "secrets." not in str(job().get("env", {}))


def test_the_state_in_oracles_bucket_is_reached_by_region_and_path() -> None:
    (url,) = re.findall(r"pulumi login '(s3://[^']+)'", PAGE)
    assert "endpoint=https://NAMESPACE.compat.objectstorage.REGION.oraclecloud.com&" in url
    assert "&region=REGION&s3ForcePathStyle=true" in url
    assert "*Customer Secret Key* of your user" in " ".join(PAGE.split())
