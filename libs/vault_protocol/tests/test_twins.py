"""Names that a file system takes for one: told apart where they are two, and refused where they are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libs.vault_protocol.tests import made

from vault_protocol import twins
from vault_protocol.errors import Refused
from vault_protocol.hub import BlobId, Change

BLOB = BlobId("a" * 40)


def refused(there: list[str], *, adds: list[str], removes: list[str] | None = None) -> str:
    """What is said of these changes, empty when nothing is."""
    changes = [Change(path, None, BLOB) for path in adds]
    changes += [Change(path, BLOB, None) for path in removes or []]
    try:
        twins.judge(changes, made.names(there))
    except Refused as error:
        return error.reason
    return ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Readme.md", "README.md"), ("Grüße.md", "GRÜßE.md"), ("Gr\u00fc\u00dfe.md", "Gru\u0308\u00dfe.md"),
        ("σας.md", "ΣΑΣ.md"), ("Straẞe.md", "straße.md"), ("\u212bngström.md", "\u00c5ngström.md"),
    ],
)  # fmt: skip
def test_one_name_in_two_spellings_does_not_stand_in_one_folder(one: str, other: str) -> None:
    assert one.removesuffix(".md") in refused([f"Notes/{one}"], adds=[f"Notes/{other}"])
    assert refused([], adds=[f"Notes/{one}", f"Notes/{other}"])
    assert refused([f"{one[:-3]}/a.md"], adds=[f"{other[:-3]}/b.md"])
    assert refused([f"Notes/{one}"], adds=[f"Elsewhere/{other}"]) == ""


@pytest.mark.parametrize(
    ("one", "other"), [("Strasse.md", "Straße.md"), ("Resume.md", "Résumé.md"), ("a1.md", "a2.md")]
)
def test_names_that_every_file_system_tells_apart_may(one: str, other: str) -> None:
    assert refused([f"Notes/{one}"], adds=[f"Notes/{other}"]) == ""


def test_whoever_takes_the_old_spelling_away_may_write_the_new_one() -> None:
    assert refused(["Notes/a.md"], adds=["Notes/A.md"], removes=["Notes/a.md"]) == ""
    assert refused(["notes/a.md", "notes/b/c.md"], adds=["Notes/a.md"], removes=["notes/a.md", "notes/b/c.md"]) == ""
    assert refused(["notes/a.md", "notes/b/c.md"], adds=["Notes/a.md"], removes=["notes/a.md"])


def test_what_git_keeps_no_folder_for_has_its_name_all_the_same() -> None:
    assert "Approved" in refused([], adds=["approved/mine.md"])
    assert "Dashboard" in refused([], adds=["DASHBOARD.md"])


def test_what_stood_there_in_two_spellings_may_be_written_on() -> None:
    twins.judge([Change("Notes/a.md", BLOB, BlobId("b" * 40))], made.names(["Notes/a.md", "Notes/A.md"]))


def test_a_tasks_place_is_not_looked_at() -> None:
    def names(folder: str) -> tuple[str, ...]:
        raise AssertionError(f"{folder} was read")

    twins.judge([Change(f"Needs_Action/email/{made.task_id(1)}.md", None, BLOB)], names)


def one_by_one(there: list[str], adds: list[str], removes: list[str]) -> bool:
    """Whether some path that is added has a twin, by holding each name against each beside it."""
    names, gone, seen = made.names(there), set(removes), dict[tuple[str, str], str]()
    for path in adds:
        for folder, name in twins._levels(path):
            if seen.setdefault((folder, twins.fold(name)), name) != name:
                return True
            beside = set(names(folder))
            if name in beside:
                continue
            for other in beside if folder else twins.TOP | beside:
                same = other != name and twins.fold(other) == twins.fold(name)
                if same and not twins._goes(folder + "/" + other if folder else other, gone, names):
                    return True
    return False


PATHS = st.lists(
    st.lists(st.sampled_from(["a", "A", "b", "Plans", "plans", "\u00e9", "e\u0301"]), min_size=1, max_size=3)
    .map("/".join),
    max_size=6, unique=True,
)  # fmt: skip


@given(there=PATHS, adds=PATHS, data=st.data())
def test_the_verdict_is_that_of_each_name_held_against_each_beside_it(
    there: list[str], adds: list[str], data: st.DataObject
) -> None:
    new = sorted(set(adds) - set(there))
    removes = data.draw(st.lists(st.sampled_from(there), unique=True)) if there else []
    assert bool(refused(there, adds=new, removes=removes)) == one_by_one(there, new, removes)


def test_ten_thousand_notes_beside_very_many_are_looked_at_once() -> None:
    """Each held against each, this would take minutes."""
    listing = tuple(f"old-{number}.md" for number in range(100_000))
    changes = [Change(f"Notes/new-{number}.md", None, BLOB) for number in range(10_000)]
    twins.judge(changes, lambda folder: listing if folder else ("Notes/",))
