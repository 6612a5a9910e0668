import re
from dataclasses import replace

import pytest

from tools import locks
from tools.workspace import Requirement, members

PIN = re.compile(r"([a-z0-9-]+)==(\S+)(?: ; .+)? \\")
HASH = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}(?: \\)?")


def pins(name: str) -> dict[str, str]:
    lines = locks.path(name).read_text(encoding="utf-8").splitlines()
    return {found[1]: found[2] for line in lines if (found := PIN.fullmatch(line))}


def test_every_lock_is_current() -> None:
    assert locks.stale() == [], "run ./just lock"


def test_every_lock_in_the_folder_is_one_we_make() -> None:
    assert {f.stem for f in locks.FOLDER.glob("*.txt")} == set(locks.LOCKS)


def test_a_new_dependency_makes_a_lock_stale() -> None:
    dev = locks.LOCKS["dev"]
    assert replace(dev, members=(*dev.members, "left-pad>=1")).digest() != dev.digest()


@pytest.mark.parametrize("name", locks.LOCKS)
def test_no_lock_names_an_address(name: str) -> None:
    """Nothing but the two lines of ours, exact pins and hashes: no index, link, path or option."""
    first, second, *rest = locks.path(name).read_text(encoding="utf-8").splitlines()
    assert first.startswith("# Made by")
    assert locks.STAMP.fullmatch(second)
    assert [line for line in rest if not PIN.fullmatch(line) and not HASH.fullmatch(line)] == []


@pytest.mark.parametrize("name", ["demo", "cloud", "local"])
def test_what_ships_has_the_versions_that_were_tested(name: str) -> None:
    tested = pins("dev")
    assert {p: v for p, v in pins(name).items() if tested.get(p) != v} == {}


@pytest.mark.parametrize("name", locks.LOCKS)
def test_our_own_packages_are_never_asked_of_the_index(name: str) -> None:
    assert members().keys() & pins(name).keys() == set()


@pytest.mark.parametrize("spelling", ["Foo_Bar[b,A] >= 1", "foo.bar[a, b]>=1", " foo-bar[a,b] >=1 "])
def test_a_dependency_is_the_same_in_every_spelling(spelling: str) -> None:
    assert str(Requirement.parse(spelling)) == "foo-bar[a,b]>=1"


def test_the_cloud_image_has_no_way_to_send() -> None:
    assert pins("cloud").keys() & {"aiosmtpd", "mcp", "dkimpy", "keyring"} == set()
