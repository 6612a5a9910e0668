"""The list of what ships is that of the locks, and every licence on it may be there."""

import importlib.metadata
import json
import re
from typing import Any

import pytest

from tools import licences, sbom
from tools.locks import LOCKS
from tools.workspace import ROOT


def components(name: str) -> dict[str, dict[str, Any]]:
    content = json.loads(sbom.place(name).read_text(encoding="utf-8"))
    assert (content["bomFormat"], content["specVersion"]) == ("CycloneDX", "1.6")
    return {one["name"]: one for one in content["components"]}


def licence(one: dict[str, Any]) -> str:
    return str(one["licenses"][0]["expression"])


@pytest.mark.parametrize("name", sbom.SHIPPED)
def test_it_names_what_the_lock_names_and_our_own(name: str) -> None:
    lock = sbom.SHIPPED[name]
    wanted = {one.name: one.version for one in [*sbom.pinned(lock), *sbom.ours(lock)]}
    assert {key: one["version"] for key, one in components(name).items()} == wanted, "run ./just sbom"
    assert len(wanted) > 20


@pytest.mark.parametrize("name", sbom.SHIPPED)
def test_no_licence_is_unknown_or_one_that_may_not_be_shipped(name: str) -> None:
    objections = [licences.objection(key, licence(one)) for key, one in components(name).items()]
    assert [one for one in objections if one] == []


def test_each_licence_is_the_one_that_the_installed_package_states() -> None:
    """Here too, where it is installed in the version that ships."""
    found = {(key, one["version"]): licence(one) for name in sbom.SHIPPED for key, one in components(name).items()}
    looked = 0
    for (name, version), stated in found.items():
        try:
            here = importlib.metadata.version(name) == version
        except importlib.metadata.PackageNotFoundError:
            continue
        if here:
            looked += 1
            assert licences.of(name) == stated, name
    assert looked > 50


def test_every_image_that_has_a_lock_has_a_list_with_its_python() -> None:
    locks = set()
    for recipe in ROOT.glob("services/**/Dockerfile"):
        text = recipe.read_text(encoding="utf-8")
        locks |= set(re.findall(r"requirements/([a-z-]+)\.txt", text))
        assert set(re.findall(r"^FROM python:([\d.]+)", text, re.MULTILINE)) <= {sbom.IMAGE_PYTHON}
    assert {"cloud", "hub"} <= locks <= set(sbom.SHIPPED.values()) <= set(LOCKS)


def test_the_list_for_people_has_every_row_and_every_judgement() -> None:
    text = sbom.LIST.read_text(encoding="utf-8")
    everything = {(key, one["version"], licence(one)) for name in sbom.SHIPPED for key, one in components(name).items()}
    rows = set(re.findall(r"^\| (\S+) \| (\S+) \| (.+?) \| .+ \|$", text, re.MULTILINE))
    assert everything <= rows, "run ./just sbom"
    assert all(f"| {name} | " in text and why in text for name, why in licences.JUDGED.items())


def test_no_list_holds_an_address() -> None:
    for file in [*sbom.FOLDER.glob("*"), sbom.LIST]:
        assert re.findall(r"https?:|[a-z0-9-]+\.(?:com|org|net|io)\b", file.read_text(encoding="utf-8")) == [], (
            file.name
        )


@pytest.mark.parametrize(
    ("licence", "ships"),
    [
        ("MIT", True), ("MIT OR GPL-3.0-only", True), ("Apache-2.0 AND CNRI-Python", True), ("MPL-2.0", True),
        ("AGPL-3.0-only", False), ("MIT AND AGPL-3.0-only", False), ("SSPL-1.0", False), ("GPL-3.0-or-later", False),
        ("BUSL-1.1", False), ("unknown", False), ("", False), ("UNKNOWN", False),
    ],
)  # fmt: skip
def test_what_may_be_shipped_is_a_list_of_what_is_allowed(licence: str, ships: bool) -> None:
    assert (licences.objection("left-pad", licence) == "") is ships


def test_nothing_is_judged_that_is_not_shipped_and_agpl_never() -> None:
    shipped = {key: licence(one) for name in sbom.SHIPPED for key, one in components(name).items()}
    assert licences.JUDGED.keys() <= shipped.keys()
    assert [name for name in licences.JUDGED if re.search("AGPL|SSPL|BUSL", shipped[name])] == []
