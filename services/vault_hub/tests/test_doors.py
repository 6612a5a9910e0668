"""Who is let in, who may publish, and what is turned away before anybody looks at it."""

import gzip
import json
import logging
from datetime import timedelta

import pytest
import structlog
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER
from services.vault_hub.tests.conftest import Start
from services.vault_hub.tests.hubworld import READER, HubWorld, basic

from vault_hub.agents import Agents, Standing
from vault_protocol import keys
from vault_protocol.canonical import sha256
from vault_protocol.errors import VaultError
from vault_protocol.sshsig import PublicKey

ASKED = json.dumps({"have": []}).encode()


def agents(hub: HubWorld) -> Agents:
    """The folder as `vault_hub agent` opens it, from another process."""
    running = hub.running
    return Agents(running.folder / "agents", running.vault, now=hub.clock.now, monotonic=hub.clock.monotonic)


def looks(hub: HubWorld, authorization: str | None) -> int:
    headers = {"Authorization": authorization} if authorization is not None else {}
    return hub.asked("POST", "/v1/changes", ASKED, headers).status


def test_a_token_is_taken_as_bearer_and_in_the_password_of_basic(hub: HubWorld) -> None:
    token = hub.token(CLOUD.agent)

    assert looks(hub, f"Bearer {token}") == 200
    assert looks(hub, f"bearer  {token}") == 200
    assert looks(hub, basic("anybody", token)) == 200


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer x", "Basic", "Basic !", "Basic eA==", "Digest x", "Bearer \xff",
     "Bearer " + "x" * 9000],
)  # fmt: skip
def test_without_a_good_token_nothing_is_answered(hub: HubWorld, authorization: str | None) -> None:
    for method, path in (
        ("POST", "/v1/publish"), ("POST", "/v1/changes"), ("GET", "/v1/events"), ("GET", "/metrics"),
        ("GET", "/vault.git/info/refs?service=git-upload-pack"), ("POST", "/vault.git/git-receive-pack"),
    ):  # fmt: skip
        headers = {"Authorization": authorization} if authorization is not None else {}
        answer = hub.asked(method, path, b"{}" if method == "POST" else None, headers)
        assert answer.status == 401, path
        assert answer.headers["www-authenticate"].startswith("Basic ")


def test_a_token_in_the_address_or_the_body_opens_nothing(hub: HubWorld) -> None:
    token = hub.token(CLOUD.agent)
    assert hub.asked("POST", f"/v1/changes?token={token}", json.dumps({"token": token}).encode(), {}).status == 401


def test_an_agent_added_while_the_hub_runs_is_let_in(hub: HubWorld) -> None:
    token = agents(hub).add("visitor", Standing.READER, None)
    hub.tick()

    assert looks(hub, f"Bearer {token}") == 200


def test_a_revoked_token_opens_nothing_from_then_on(hub: HubWorld) -> None:
    assert looks(hub, f"Bearer {hub.token(CLOUD.agent)}") == 200

    agents(hub).revoke(CLOUD.agent)
    hub.tick()

    assert looks(hub, f"Bearer {hub.token(CLOUD.agent)}") == 401
    assert looks(hub, f"Bearer {hub.token(OTHER.agent)}") == 200


def test_a_rotated_token_goes_on_for_its_grace_and_no_longer(hub: HubWorld) -> None:
    new = agents(hub).rotate(CLOUD.agent, grace=timedelta(hours=1))
    hub.tick()
    assert [looks(hub, f"Bearer {one}") for one in (hub.token(CLOUD.agent), new)] == [200, 200]

    hub.tick(3600)

    assert [looks(hub, f"Bearer {one}") for one in (hub.token(CLOUD.agent), new)] == [401, 200]
    agents(hub).rotate(CLOUD.agent, grace=timedelta(0))
    hub.tick()
    assert looks(hub, f"Bearer {new}") == 401


def test_an_agents_file_that_does_not_read_shuts_out_that_agent_alone(hub: HubWorld) -> None:
    folder = hub.running.folder / "agents"
    (folder / f"{CLOUD.agent}.json").write_text("{")
    (folder / "No Name.json").write_text("{}")
    hub.tick()

    assert looks(hub, f"Bearer {hub.token(CLOUD.agent)}") == 401
    assert looks(hub, f"Bearer {hub.token(LOCAL.agent)}") == 200
    with pytest.raises(VaultError, match=r"No Name\.json|cloud-1\.json"):
        agents(hub).check()


def test_an_agents_file_that_does_not_read_keeps_no_other_from_being_put_out_or_from_leaving(hub: HubWorld) -> None:
    (hub.running.folder / "agents" / "broken.json").write_text("{")
    agents(hub).rotate(OTHER.agent, grace=timedelta(0))
    agents(hub).revoke(CLOUD.agent)
    assert hub.ask(LOCAL.agent, "/v1/leave", {}).status == 200
    hub.tick()

    for who in (OTHER, CLOUD, LOCAL):
        assert looks(hub, f"Bearer {hub.token(who.agent)}") == 401
    with pytest.raises(VaultError, match=r"broken\.json"):
        agents(hub).revoke("broken")


def test_names_standings_and_keys_of_agents_are_checked(hub: HubWorld) -> None:
    known, key = agents(hub), PublicKey.of(OTHER.key)
    for name, standing, given in (
        ("../x", Standing.CLOUD, key), ("", Standing.CLOUD, key), ("cloud-9", Standing.CLOUD, None),
        ("x", Standing.READER, key), (CLOUD.agent, Standing.CLOUD, key),
    ):  # fmt: skip
        with pytest.raises(VaultError):
            known.add(name, standing, given)
    with pytest.raises(VaultError, match="there is no agent"):
        known.revoke("nobody")


def test_no_token_is_on_the_hubs_disk(hub: HubWorld) -> None:
    tokens = [token.encode() for token in hub.running.tokens.values()]
    files = [path.read_bytes() for path in hub.running.folder.rglob("*") if path.is_file()]

    assert files
    assert not [token for token in tokens for content in files if token in content]


def test_a_failed_attempt_is_logged_with_its_address_and_without_what_was_given(hub: HubWorld) -> None:
    given = "a-guess-of-somebody"
    with structlog.testing.capture_logs() as said:
        assert looks(hub, f"Bearer {given}") == 401
        assert looks(hub, basic("somebody", given)) == 401

    assert [(one["event"], one["address"], one["path"]) for one in said] == [
        ("caller.denied", "127.0.0.1", "/v1/changes")
    ] * 2
    assert given not in repr(said)
    assert hub.metric("countersign_hub_denied_total") == 2


def test_guesses_are_slowed_down_and_nobody_else_is(hub: HubWorld) -> None:
    answers = [looks(hub, f"Bearer guess-{number}") for number in range(30)]

    assert answers == [401] * 20 + [429] * 10
    assert looks(hub, f"Bearer {hub.token(CLOUD.agent)}") == 200
    assert looks(hub, None) == 401, "git always asks without a token first"
    hub.tick(4)
    assert looks(hub, "Bearer again") == 401


def test_one_credential_that_asks_too_often_waits_and_the_others_do_not(start: Start) -> None:
    hub = start(requests_per_second=1.0)
    answers = [hub.ask(CLOUD.agent, "/v1/changes", {"have": []}) for _ in range(12)]

    assert [answer.status for answer in answers] == [200] * 10 + [429] * 2
    assert answers[-1].headers["retry-after"] == "1"
    assert hub.ask(LOCAL.agent, "/v1/changes", {"have": []}).status == 200
    hub.tick(1)
    assert hub.ask(CLOUD.agent, "/v1/changes", {"have": []}).status == 200


def test_a_reader_reads_and_publishes_nothing(hub: HubWorld) -> None:
    first = hub.begin()
    second = hub.author.commit(LOCAL, {"Plans/p.md": b"x\n"})

    assert hub.ask(READER, "/v1/changes", {"have": []}).said["head"] == first
    answer = hub.publish(READER, second)
    assert (answer.status, answer.said["rule"]) == (403, "reader")
    refs = hub.asked(
        "GET", "/vault.git/info/refs?service=git-receive-pack", None, {"Authorization": f"Bearer {hub.token(READER)}"}
    )
    assert refs.status == 403
    pushed = hub.ask(READER, "/vault.git/git-receive-pack", b"0000")
    assert pushed.status == 403
    assert hub.head == first


def test_an_agent_cannot_publish_what_another_signed(hub: HubWorld) -> None:
    first = hub.begin()
    by_local = hub.author.commit(LOCAL, {"Plans/p.md": b"x\n"})

    answer = hub.publish(CLOUD.agent, by_local)

    assert (answer.said["answer"], answer.said["rule"]) == ("rejected", "author")
    assert hub.head == first
    assert hub.publish(LOCAL.agent, by_local).said["answer"] == "accepted"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"1", b"\xff", b'"x"', b"{}", b'{"commits":[]}', b'{"commits":{},"onto":null}',
        b'{"commits":[{}],"onto":null}', b'{"commits":[1],"onto":null}', b'{"commits":[[]],"onto":null}',
        b'{"onto":"x","commits":[{}]}', b'{"exact":1,"commits":[{}]}', b"[" * 100_000, b'{"a":' * 100_000,
        b'{"commits":' + b"9" * 5000 + b"}", b'{"commits":[{"id":1e999}]}', b'{"commits":[NaN]}',
    ],
    ids=lambda body: repr(body[:30]),
)  # fmt: skip
def test_what_is_no_publish_is_turned_away_and_changes_nothing(hub: HubWorld, body: bytes) -> None:
    first = hub.begin()

    answer = hub.ask(CLOUD.agent, "/v1/publish", body)

    assert (answer.status, answer.said["answer"], answer.said["rule"]) == (400, "denied", "wire")
    assert hub.ask(CLOUD.agent, "/v1/changes", body).status == 400 or body == b"{}"
    assert hub.head == first


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "x"), ("id", None), ("id", "A" * 40), ("parent", "x"), ("parent", 1), ("author", 1), ("author", None),
        ("at", "now"), ("at", True), ("at", 1.5), ("at", 10**30), ("at", -(10**30)), ("message", None),
        ("message", "\ud800"),
        ("edits", None), ("edits", [["a.md"]]), ("edits", [["a.md", 1]]), ("edits", [["a.md", "x", "y", "z"]]),
        ("edits", [["a.md", "base64", "!"]]), ("edits", [[1, "x"]]), ("edits", [["a.md", "x"], ["a.md", "y"]]),
        ("edits", [["\ud800.md", "x"]]), ("edits", [["a.md", "\ud800"]]), ("edits", {"a.md": "x"}), ("edits", ["a.md"]),
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_a_commit_with_a_field_that_is_none_is_turned_away(hub: HubWorld, field: str, value: object) -> None:
    commit = {"id": "1" * 40, "parent": None, "author": "cloud-1", "at": 1, "message": "x", "edits": [], field: value}

    answer = hub.ask(CLOUD.agent, "/v1/publish", {"onto": None, "commits": [commit]})

    assert (answer.status, answer.said["rule"]) == (400, "wire")


@pytest.mark.parametrize("message", ["x", "", "\n", "\0", "x" * 20_000, "reroot: x\n\n{}\n", "\u202e"])
def test_a_new_root_that_is_none_is_refused_and_stops_nobody(hub: HubWorld, message: str) -> None:
    first = hub.begin()
    root: dict[str, object]
    for who, seen in ((CLOUD.agent, first), (LOCAL.agent, first), (LOCAL.agent, "1" * 40)):
        for at in (0, -1):
            root = {
                "id": "1" * 40,
                "parent": None,
                "author": who,
                "at": at,
                "message": message,
                "edits": [["..", None]],
            }
            answer = hub.ask(who, "/v1/reroot", {"seen": seen, "root": root})
            assert answer.said["answer"] in ("rejected", "moved_on")
            assert answer.said.get("rule") != "internal"
    assert hub.ask(CLOUD.agent, "/v1/reroot", b"{}").status == 400
    assert hub.head == first
    assert hub.publish(LOCAL.agent, hub.author.commit(LOCAL, {"Plans/p.md": b"x\n"})).said["answer"] == "accepted"


def test_a_request_that_is_too_large_is_not_read(start: Start) -> None:
    hub = start(body_bytes=1 << 16)
    answer = hub.ask(CLOUD.agent, "/v1/publish", b"x" * (1 << 20))

    assert (answer.status, answer.said["rule"]) == (413, "size")
    assert hub.metric("countersign_hub_request_bytes") == 0


def test_more_commits_than_one_publish_may_hold_are_turned_away(hub: HubWorld) -> None:
    commit: dict[str, object] = {
        "id": "1" * 40, "parent": None, "author": "cloud-1", "at": 1, "message": "x", "edits": [],
    }  # fmt: skip
    assert hub.ask(CLOUD.agent, "/v1/publish", {"onto": None, "commits": [commit] * 1001}).status == 400


def test_a_body_that_was_zipped_is_not_unpacked(hub: HubWorld) -> None:
    bomb = gzip.compress(b'{"have":[]}' + b" " * 10_000_000)
    answer = hub.ask(CLOUD.agent, "/v1/changes", bomb, **{"Content-Encoding": "gzip"})

    assert (answer.status, answer.said["rule"]) == (415, "wire")


def test_a_zipped_push_is_unpacked_no_further_than_a_body_may_be(start: Start) -> None:
    hub = start(body_bytes=1 << 16)
    for path in ("/vault.git/git-upload-pack", "/vault.git/git-receive-pack"):
        bomb = hub.ask(CLOUD.agent, path, gzip.compress(b"0" * 50_000_000), **{"Content-Encoding": "gzip"})
        cut = hub.ask(CLOUD.agent, path, gzip.compress(b"0000")[:-4], **{"Content-Encoding": "gzip"})
        noise = hub.ask(CLOUD.agent, path, b"no gzip at all", **{"Content-Encoding": "gzip"})
        more = hub.ask(CLOUD.agent, path, gzip.compress(b"0000") + b"x", **{"Content-Encoding": "gzip"})
        assert [one.status for one in (bomb, cut, noise, more)] == [413, 400, 400, 400]
        assert more.said["reason"] == "something comes after the gzip"


@pytest.mark.parametrize(
    "body",
    [
        b"zzzz", b"0003", b"0004", b"ffff", b"0010", b"-001x", b"0008xxxx", b"0009x y z0000",
        b"0075" + b"1" * 40 + b" " + b"2" * 40 + b" x",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_pkt_line_is_no_push(hub: HubWorld, body: bytes) -> None:
    assert hub.ask(CLOUD.agent, "/vault.git/git-receive-pack", body).status == 400


def test_other_addresses_and_methods_are_not_there(hub: HubWorld) -> None:
    bearer = {"Authorization": f"Bearer {hub.token(LOCAL.agent)}"}
    for method, path, status in (
        ("GET", "/", 404), ("GET", "/v1/publish", 405), ("POST", "/v1/events", 405), ("GET", "/vault.git/HEAD", 404),
        ("GET", "/vault.git/objects/pack/", 404), ("GET", "/vault.git/info/refs", 403),
        ("GET", "/vault.git/info/refs?service=git-upload-archive", 403), ("GET", "/../etc/passwd", 404),
        ("GET", "/vault.git/config", 404),
    ):  # fmt: skip
        assert hub.asked(method, path, None, bearer).status == status, path


def test_nothing_of_a_request_is_logged_by_the_server_itself(hub: HubWorld, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        looks(hub, f"Bearer {hub.token(CLOUD.agent)}")
    assert hub.token(CLOUD.agent) not in caplog.text


def test_an_agent_that_keeps_its_token_is_let_in_by_the_tokens_hash(hub: HubWorld) -> None:
    key, token = PublicKey.of(keys.new()), "made on its own machine"
    assert looks(hub, f"Bearer {token}") == 401
    assert agents(hub).admit("cloud-9", key, token_sha256=sha256(token.encode()))
    hub.clock.tick(timedelta(seconds=2))
    assert looks(hub, f"Bearer {token}") == 200
    assert not agents(hub).admit("cloud-9", key, token_sha256=sha256(token.encode())), "again changes nothing"
    assert agents(hub).admit("cloud-9", key, token_sha256=sha256(b"its next one"))
    hub.clock.tick(timedelta(seconds=2))
    assert looks(hub, f"Bearer {token}") == 401
    assert looks(hub, "Bearer its next one") == 200


def test_neither_another_key_nor_a_name_that_was_revoked_is_let_in(hub: HubWorld) -> None:
    known, key, hashed = agents(hub), PublicKey.of(keys.new()), sha256(b"token")
    for name in (CLOUD.agent, LOCAL.agent, READER):
        with pytest.raises(VaultError, match="another key"):
            known.admit(name, key, token_sha256=hashed)
    with pytest.raises(VaultError, match="another key"):
        known.admit(LOCAL.agent, PublicKey.of(LOCAL.key), token_sha256=hashed)
    known.admit("cloud-9", key, token_sha256=hashed)
    known.revoke("cloud-9")
    with pytest.raises(VaultError, match="was revoked"):
        known.admit("cloud-9", key, token_sha256=hashed)
    with pytest.raises(VaultError, match="no name for an agent"):
        known.admit("../cloud", key, token_sha256=hashed)


def test_whoever_is_let_in_is_told_of_the_vault_and_its_owner_and_nobody_else(hub: HubWorld) -> None:
    told = hub.asked("POST", "/v1/introduction", b"{}", {"Authorization": f"Bearer {hub.token(READER)}"})
    assert told.status == 200
    assert told.said == {"vault": hub.running.vault, "owner_key": hub.running.owner_key.line("owner")}
    assert hub.asked("POST", "/v1/introduction", b"{}", {}).status == 401
