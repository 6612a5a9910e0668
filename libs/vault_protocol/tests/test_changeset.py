import pytest
from hypothesis import given
from hypothesis import strategies as st
from libs.vault_protocol.tests import made

from vault_protocol import changeset
from vault_protocol.changeset import BadChangeset, Changeset, Trail
from vault_protocol.hub import Change, blob_id
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AgentId

KEY, PUBLIC = made.CLOUD.key, PublicKey.of(made.CLOUD.key)
CHANGES = [Change("Plans/b.md", None, blob_id(b"b")), Change("Plans/a.md", blob_id(b"a"), None)]
TRUE = changeset.next_in(
    Trail(4, "a" * 64), vault=made.VAULT, agent=made.CLOUD.agent, verb="submit", attempt=3, changes=CHANGES
)
MESSAGE = TRUE.message("a task", KEY)


def read(message: str = MESSAGE, **changes: object) -> Changeset:
    asked = {"vault": made.VAULT, "changes": CHANGES, **changes}
    return changeset.parse(message, **asked)  # type: ignore[arg-type]


def test_a_changeset_is_read_back_from_its_message_and_verifies() -> None:
    found = read()

    found.verify(PUBLIC)
    assert (found.agent, found.verb, found.attempt, found.sequence) == (made.CLOUD.agent, "submit", 3, 5)
    assert found.trail == TRUE.trail


def test_the_next_changeset_names_the_one_before() -> None:
    after = changeset.next_in(TRUE.trail, vault=made.VAULT, agent=made.CLOUD.agent, verb="x", attempt=0, changes=[])

    assert (after.sequence, after.previous) == (6, TRUE.trail.last)


OTHER_CHANGES = [
    [],
    CHANGES[:1],
    [*CHANGES, Change("Plans/c.md", None, blob_id(b"c"))],
    [Change("Plans/B.md", None, blob_id(b"b")), CHANGES[1]],
    [Change("Plans/b.md", None, blob_id(b"other")), CHANGES[1]],
    [Change("Plans/b.md", blob_id(b"was"), blob_id(b"b")), CHANGES[1]],
]
OTHER_MESSAGES = [
    MESSAGE.replace("submit:", "approve:"),
    MESSAGE.replace("Attempt: 3", "Attempt: 4"),
    MESSAGE.replace("Sequence: 5", "Sequence: 6"),
    MESSAGE.replace("a" * 64, "b" * 64),
    MESSAGE.replace("Policy: 1", "Policy: 2"),
    MESSAGE.replace("Agent: cloud-1", "Agent: cloud-2"),
]


@pytest.mark.parametrize("message", OTHER_MESSAGES)
def test_the_signature_covers_every_trailer(message: str) -> None:
    assert message != MESSAGE
    with pytest.raises(BadChangeset, match="does not fit the change"):
        read(message).verify(PUBLIC)


@pytest.mark.parametrize("changes", OTHER_CHANGES)
def test_the_signature_covers_every_path_with_what_was_and_what_is(changes: list[Change]) -> None:
    with pytest.raises(BadChangeset, match="does not fit the change"):
        read(changes=changes).verify(PUBLIC)


def test_the_signature_is_for_one_vault_and_by_one_key() -> None:
    with pytest.raises(BadChangeset, match="does not fit the change"):
        read(vault="vault-2").verify(PUBLIC)
    with pytest.raises(BadChangeset, match="does not fit the change"):
        read().verify(PublicKey.of(made.OTHER.key))


def test_the_order_in_which_paths_are_listed_does_not_matter() -> None:
    read(changes=CHANGES[::-1]).verify(PUBLIC)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "not signed: no Agent trailer"),
        ("submit: x\n\nSigned-off-by: me\n", "not signed: no Agent trailer"),
        (MESSAGE.replace("Countersign-Signature", "Signature"), "no Signature trailer"),
        (MESSAGE + "Countersign-Sequence: 9\n", "the trailer Sequence is there twice"),
        (MESSAGE.replace("Sequence: 5", "Sequence: five"), "does not parse"),
        (MESSAGE.replace("Signature: ", "Signature: !"), "does not parse"),
        (MESSAGE.replace("Agent: cloud-1", "Agent: Cloud 1"), "no proper name"),
        (MESSAGE.replace("Agent: cloud-1", "Agent: ../local"), "no proper name"),
        (MESSAGE.replace("Sequence: 5", "Sequence: " + "9" * 5000), "does not parse"),
    ],
)
def test_a_message_that_is_no_changeset_says_why(message: str, reason: str) -> None:
    with pytest.raises(BadChangeset, match=reason):
        read(message)


@given(st.text(max_size=200))
def test_any_message_is_a_changeset_or_bad_and_nothing_else(text: str) -> None:
    for message in (text, MESSAGE.replace("a task", text), f"{MESSAGE}Countersign-{text}"):
        try:
            read(message).verify(PUBLIC)
        except BadChangeset:
            continue


def test_an_agent_has_one_trail_whatever_others_do() -> None:
    other = changeset.next_in(Trail(), vault=made.VAULT, agent=AgentId("cloud-2"), verb="x", attempt=0, changes=CHANGES)

    assert other.trail != TRUE.trail
    assert other.sequence == 1
