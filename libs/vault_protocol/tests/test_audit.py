import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from libs.vault_protocol.tests import made

from vault_protocol import audit
from vault_protocol.audit import BrokenChain, Record
from vault_protocol.task import AgentId


def record(number: int = 0) -> Record:
    return Record.of(
        "approval.decided", actor=AgentId("local"), target=made.task_id(number), at=made.NOW,
        parameters={"digest": "0" * 64, "revision": number}, approval_status="approved", approved_by="owner",
        result="ok",
    )  # fmt: skip


LINES = [one.line() for one in audit.append(None, map(record, range(6)))]


def test_a_chain_is_read_back_to_its_last_record() -> None:
    last = audit.verify(LINES)

    assert last is not None
    assert (last.sequence, last.target) == (6, made.task_id(5))
    assert audit.parse(last.line()) == last


def test_a_chain_goes_on_after_its_last_record() -> None:
    more = [one.line() for one in audit.append(audit.verify(LINES), [record(9)])]

    assert audit.verify(LINES + more) == audit.verify(more, audit.verify(LINES))


@pytest.mark.parametrize("field", [*record().__dict__])
def test_a_changed_field_breaks_the_chain_at_its_record(field: str) -> None:
    fields = json.loads(LINES[2])
    fields[field] = {"revision": 7} if field == "parameters" else "f" * 64 if field == "previous" else 9
    changed = [*LINES[:2], json.dumps(fields) + "\n", *LINES[3:]]

    with pytest.raises(BrokenChain, match="its hash does not fit"):
        audit.verify(changed)


def test_a_record_made_anew_with_a_fitting_hash_breaks_the_chain_at_the_next() -> None:
    true = audit.parse(LINES[2])
    other = audit.append(audit.parse(LINES[1]), [record(77)])[0]
    assert (other.sequence, other.previous) == (true.sequence, true.previous)

    with pytest.raises(BrokenChain, match="record 4 does not follow record 3"):
        audit.verify([*LINES[:2], other.line(), *LINES[3:]])


@pytest.mark.parametrize("gone", range(5))
def test_a_record_taken_out_breaks_the_chain(gone: int) -> None:
    with pytest.raises(BrokenChain, match=f"record {gone + 2} does not follow record {gone}"):
        audit.verify(LINES[:gone] + LINES[gone + 1 :])


@pytest.mark.parametrize("at", range(6))
def test_a_record_put_in_twice_or_out_of_order_breaks_the_chain(at: int) -> None:
    with pytest.raises(BrokenChain, match="does not follow"):
        audit.verify([*LINES[:at], LINES[3], *LINES[at:]])


def test_records_taken_off_the_end_show_against_the_known_last_one() -> None:
    kept = audit.verify(LINES[:4])

    assert kept != audit.verify(LINES)


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", "null", "x", '{"timestamp": 1.5}', LINES[0][:-3], LINES[0].replace('"hash"',
    '"hash": "0", "hash"'),
             LINES[0].replace('"result"', '"spare": 1, "result"'), '{"a":' * 990 + "1" + "}" * 990, '{"a":"\\ud800"}'],
)  # fmt: skip
def test_what_is_no_record_breaks_the_chain_and_nothing_else(line: str) -> None:
    with pytest.raises(BrokenChain):
        audit.parse(line)


def test_a_line_stays_one_line_whatever_its_fields_hold() -> None:
    odd = audit.append(None, [Record.of("x", actor=AgentId("a"), target="a\nb\r\u2028\x85c", at=made.NOW)])[0]

    assert odd.line().count("\n") == 1
    assert audit.parse(odd.line().removesuffix("\n")) == odd


def test_a_file_holds_one_day_in_utc() -> None:
    late = datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))

    assert (
        audit.path(AgentId("local"), late)
        == "Logs/local/2026-11/30.jsonl"
        == audit.path(AgentId("local"), late.astimezone(UTC))
    )
