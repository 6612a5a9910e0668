import stat
from dataclasses import replace
from pathlib import Path

import pytest
from services.monitor.tests.wishing import SECRET, TEXT, VALUES, WANTED

from monitor import tokens, verbs
from monitor.__main__ import main
from monitor.errors import BadSettings, KumaAway
from monitor.items import Item, Kind
from monitor.kuma import MemoryKuma
from monitor.plan import Change, Verb, plan
from monitor.wanted import parse
from monitor.wishes import items

WISHES = items(WANTED, SECRET, str)
HUB = next(item for item in WISHES if item.name == "hub")


class Forgetful(MemoryKuma):
    """Loses the first call of each change, as Kuma does right after connect."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: set[str] = set()

    def carry_out(self, change: Change) -> None:
        if change.item.name not in self.lost and len(self.lost) < 2:
            self.lost.add(change.item.name)
            raise KumaAway("timed out")
        super().carry_out(change)


def test_a_second_apply_changes_nothing() -> None:
    kuma = MemoryKuma()
    assert len(verbs.apply(kuma, WISHES).changes) == len(WISHES)
    assert verbs.apply(kuma, WISHES).changes == ()


def test_what_a_later_one_names_is_made_before_it() -> None:
    kinds = [change.item.kind for change in plan(reversed(WISHES), ()).changes]
    assert kinds == sorted(kinds, key=list(Kind).index)


def test_a_fact_that_was_changed_by_hand_is_drift_and_named() -> None:
    changed = [replace(item, facts={**item.facts, "every": 3600}) if item is HUB else item for item in WISHES]
    [change] = plan(WISHES, changed).changes
    assert change.words() == "change monitor hub (every: 3600 -> 60)"


def test_what_is_ours_and_no_longer_wanted_goes_and_what_is_not_ours_stays() -> None:
    by_hand = Item(Kind.MONITOR, "the owner's own", {"type": "http"}, ours=False)
    old = Item(Kind.MONITOR, "old", {"type": "http"})
    seen = plan(WISHES, [*WISHES, by_hand, old])
    assert [(change.verb, change.item) for change in seen.changes] == [(Verb.REMOVE, old)]
    assert seen.alone == (by_hand,)


def test_a_call_that_was_lost_is_made_again() -> None:
    kuma = Forgetful()
    verbs.apply(kuma, WISHES, sleep=lambda seconds: None)
    assert plan(WISHES, kuma.found()).changes == ()
    assert len(kuma.lost) == 2


def test_no_token_is_shown() -> None:
    push = next(item for item in WISHES if item.name == "local")
    token = str(push.facts["token"])
    [change] = plan([push], [replace(push, facts={**push.facts, "token": "old-token"})]).changes
    assert change.words() == "change monitor local (token: (secret) -> (secret))"
    assert token not in verbs.export(WISHES)


def test_a_job_knows_its_address_before_kuma_has_started(tmp_path: Path) -> None:
    files = tokens.write(tmp_path / "push", "http://kuma:3001/", SECRET, WANTED.pushed)
    for file in files:
        item = next(item for item in WISHES if item.name == file.name)
        assert file.read_text(encoding="utf-8") == f"http://kuma:3001/api/push/{item.facts['token']}\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len({file.read_bytes() for file in files}) == len(files) == len(WANTED.pushed)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("name: hub-ready", "name: hub", "hub stands twice"),
        ("kind: tcp", "kind: telnet", "monitors.3"),
        ("tags: [books]", "tags: [cars]", "cars is used and not listed"),
        ("keyword: \"hub ok\"", "keywrd: \"hub ok\"", "monitors.7"),
        ("$HUB/readyz", "$HUBB/readyz", r"\$HUBB has no value"),
        ("monitors:", "monitors: [", "monitors.yaml"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_with_the_place(old: str, new: str, why: str) -> None:
    assert old in TEXT
    with pytest.raises(BadSettings, match=why):
        parse(TEXT.replace(old, new, 1), VALUES)


def test_a_kuma_that_does_not_answer_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_text(SECRET.hex(), encoding="utf-8")
    (tmp_path / "password").write_text("for a test\n", encoding="utf-8")
    values = "".join(f'{name} = "{value}"\n' for name, value in VALUES.items())
    settings = (
        'kuma = "http://127.0.0.1:9"\npassword_file = "password"\nsecret_file = "secret"\npatience_seconds = 0.1\n'
    )
    config = tmp_path / "monitor.toml"
    config.write_text(f"{settings}[values]\n{values}", encoding="utf-8")
    assert main(["--config", str(config), "diff"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("monitor: http://127.0.0.1:9")
    assert said.count("\n") == 1
